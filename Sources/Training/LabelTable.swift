public import Bytes
public import Classify
import Foundation

// Training may hold: learning the shape model from labelled flows, and measuring honestly how good it is.

/// Why a model cannot be learnt: one line that says what to do.
public struct TrainingError: Error, Equatable, CustomStringConvertible {
  /// The line.
  public let description: String
  init(_ description: String) { self.description = description }
}

/// The labels of flows, by capture.
///
/// A table of tab-separated columns with a line of headings: `file`, `proto`, `ip_a`, `port_a`, `ip_b`, `port_b` and
/// `tag` are read, in any order, the rest is not. Flows with the tag `?` are nobody's to learn from.
public struct LabelTable: Sendable {
  /// The largest table that is read, in bytes.
  public static let maximumSize = 256 << 20

  /// The ends of a flow, in no order.
  struct Ends: Hashable, Sendable {
    var isTCP: Bool
    var addresses: [IPAddress]
    var ports: [UInt16]

    init(isTCP: Bool, _ a: IPAddress, _ portA: UInt16, _ b: IPAddress, _ portB: UInt16) {
      self.isTCP = isTCP
      let isInOrder = a == b ? portA <= portB : IPAddress.precedes(a, b)
      addresses = isInOrder ? [a, b] : [b, a]
      ports = isInOrder ? [portA, portB] : [portB, portA]
    }
  }

  private var tags: [String: [Ends: Tag]] = [:]

  /// The captures that have labels, in the order of their names.
  public var files: [String] { tags.keys.sorted() }

  /// The tag of a flow of a capture; nil where it has none.
  public func tag(
    file: String, isTCP: Bool, _ a: IPAddress, _ portA: UInt16, _ b: IPAddress, _ portB: UInt16
  ) -> Tag? {
    tags[file]?[Ends(isTCP: isTCP, a, portA, b, portB)]
  }

  /// Reads a table.
  /// - Throws: `TrainingError` where the file cannot be read or has mistakes.
  public init(path: String) throws {
    let bytes: Data
    do {
      bytes = try Data(contentsOf: URL(filePath: path))
    } catch {
      let isThere = FileManager.default.fileExists(atPath: path)
      throw TrainingError("\(path): \(isThere ? "cannot be read" : "no such file")")
    }
    guard bytes.count <= Self.maximumSize else {
      throw TrainingError("\(path): is longer than the \(Self.maximumSize >> 20) MiB that are read")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw TrainingError("\(path): is not UTF-8 text; save it as UTF-8")
    }
    try self.init(parsing: text, file: path)
  }

  /// Reads the text of a table.
  /// - Throws: `TrainingError` with the line that has a mistake.
  public init(parsing text: String, file name: String) throws {
    var columns: [String: Int] = [:]
    for (number, line) in text.split(whereSeparator: \.isNewline).enumerated() {
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0) }
      if number == 0 {
        columns = Dictionary(cells.enumerated().map { ($0.element, $0.offset) }) { first, _ in first }
        for column in ["file", "proto", "ip_a", "port_a", "ip_b", "port_b", "tag"] where columns[column] == nil {
          throw TrainingError(
            "\(name): has no column '\(column)'; the first line must name file, proto, ip_a, port_a, ip_b, port_b, tag")
        }
        continue
      }
      func cell(_ column: String) -> String { columns[column].flatMap { $0 < cells.count ? cells[$0] : nil } ?? "" }
      let word = cell("tag")
      guard word != "?" else { continue }
      guard let tag = Tag(rawValue: word) else {
        throw TrainingError(
          "\(name): line \(number + 1) has the tag '\(word)'; use push, messaging, calling, other or ?")
      }
      guard let ends = Self.ends(cell) else {
        throw TrainingError("\(name): line \(number + 1) names no TCP or UDP flow: proto, two addresses, two ports")
      }
      tags[cell("file"), default: [:]][ends] = tag
    }
    guard !columns.isEmpty else { throw TrainingError("\(name): is empty") }
    guard !tags.isEmpty else { throw TrainingError("\(name): labels no flow") }
  }

  private static func ends(_ cell: (String) -> String) -> Ends? {
    let proto = cell("proto").uppercased()
    guard proto == "TCP" || proto == "UDP", let a = address(cell("ip_a")), let b = address(cell("ip_b")),
      let portA = UInt16(cell("port_a")), let portB = UInt16(cell("port_b"))
    else { return nil }
    return Ends(isTCP: proto == "TCP", a, portA, b, portB)
  }

  /// An address, its zone left out.
  private static func address(_ text: String) -> IPAddress? {
    IPAddress(text.split(separator: "%").first.map { String($0) } ?? "")
  }
}
