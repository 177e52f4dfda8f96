import Foundation
import Report

/// A folder of captures, with what is expected of them in its folder `expected`.
///
/// `calls/a.pcapng.gz` belongs to `expected/calls/a.pcapng.gz.yaml`. Names that begin with a dot, folders called
/// `expected` and folders that are symbolic links are passed over.
public struct CaptureFolder: Sendable {
  /// The folder of a folder of captures that holds the expectations.
  public static let expectations = "expected"
  /// How a capture's name ends, and what an expectation's name has behind the capture's.
  static let endings = ["pcap", "pcapng", "cap"], compressions = ["", ".gz", ".zst"], ending = ".yaml"
  /// The most captures of a folder.
  public static let maximumCaptures = 100_000

  /// The folder, as it was named.
  public let path: String
  /// Captures by their paths inside the folder, in order.
  public private(set) var captures: [String] = []
  /// Expectations without a capture, by the paths that their captures would have.
  public private(set) var orphans: [String] = []

  /// Looks for captures and expectations.
  /// - Throws: `RegressError` where there is no such folder, or nothing in it.
  public init(_ path: String) throws(RegressError) {
    self.path = path
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw RegressError("\(printable(path)): no such folder")
    }
    guard isFolder.boolValue else {
      throw RegressError(
        "\(printable(path)): is no folder; name the folder that the capture lies in, and it with --only")
    }
    captures = try Self.files(in: path) { Self.isCapture($0) }.sorted()
    let expected = path + "/" + Self.expectations
    if unsafe FileManager.default.fileExists(atPath: expected, isDirectory: &isFolder), isFolder.boolValue {
      let known = Set(captures)
      let named = try Self.files(in: expected) { $0.hasSuffix(Self.ending) && $0.count > Self.ending.count }
      orphans = named.map { String($0.dropLast(Self.ending.count)) }.filter { !known.contains($0) }.sorted()
    }
    guard !captures.isEmpty || !orphans.isEmpty else {
      throw RegressError("\(printable(path)): no capture in it (.pcap, .pcapng or .cap, also .gz and .zst)")
    }
  }

  /// Keeps only the captures of these names: paths inside the folder, file names, or file names without endings.
  /// - Throws: `RegressError` where a name is none of them.
  public mutating func keep(only names: [String]) throws(RegressError) {
    guard !names.isEmpty else { return }
    for name in names where !(captures + orphans).contains(where: { Self.isNamed($0, name) }) {
      throw RegressError("--only \(printable(name)): \(printable(path)) has no such capture")
    }
    captures.removeAll { capture in !names.contains { Self.isNamed(capture, $0) } }
    orphans.removeAll { capture in !names.contains { Self.isNamed(capture, $0) } }
  }

  /// Where a capture is.
  public func path(of capture: String) -> String { "\(base)/\(capture)" }

  /// Where its expectation is, or would be.
  public func expectation(of capture: String) -> String { "\(base)/\(Self.expectations)/\(capture)\(Self.ending)" }

  /// The folder's name: its last part.
  public var name: String {
    let last = base.split(separator: "/").last.map { String($0) }
    guard let last, last != ".", last != ".." else {
      return URL(filePath: path).standardizedFileURL.lastPathComponent
    }
    return last
  }

  /// The path without slashes at its end.
  private var base: String {
    var text = path[...]
    while text.count > 1, text.last == "/" { text = text.dropLast() }
    return text == "/" ? "" : String(text)
  }

  static func isCapture(_ name: String) -> Bool {
    let lower = name.lowercased()
    return endings.contains { ending in compressions.contains { lower.hasSuffix(".\(ending)\($0)") } }
  }

  /// A capture's name without its endings.
  private static func stem(_ file: String) -> String {
    let lower = file.lowercased()
    for ending in endings {
      for compression in compressions where lower.hasSuffix(".\(ending)\(compression)") {
        return String(file.dropLast(ending.count + 1 + compression.count))
      }
    }
    return file
  }

  private static func isNamed(_ capture: String, _ name: String) -> Bool {
    let file = capture.split(separator: "/").last ?? ""
    return capture == name || file == name || stem(String(file)) == name
  }

  /// Paths of the files in a folder and in the folders in it.
  private static func files(
    in folder: String, where isWanted: (String) -> Bool
  ) throws(RegressError) -> [String] {
    let files = FileManager.default
    var found: [String] = []
    var waiting = [""]
    while let prefix = waiting.popLast() {
      let place = folder + (prefix.isEmpty ? "" : "/" + prefix)
      guard let names = try? files.contentsOfDirectory(atPath: place) else {
        throw RegressError("\(printable(place)): cannot be read")
      }
      for name in names where !name.hasPrefix(".") {
        let path = prefix.isEmpty ? name : "\(prefix)/\(name)"
        let type = try? files.attributesOfItem(atPath: "\(folder)/\(path)")[.type] as? FileAttributeType
        if type == .typeDirectory {
          if name != expectations { waiting.append(path) }
        } else if isWanted(name), type == .typeRegular || type == .typeSymbolicLink {
          found.append(path)
          guard found.count <= maximumCaptures else {
            throw RegressError("\(printable(folder)): holds more than \(maximumCaptures) captures")
          }
        }
      }
    }
    return found
  }
}
