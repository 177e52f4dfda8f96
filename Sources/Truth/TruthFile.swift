import Foundation

/// What a lab wrote down about a capture: lines of JSON beside it, `NAME.truth.jsonl` for `NAME.pcapng`.
///
/// The form is that of the project's samples (captures/MANIFEST.md, tools/lab/README.md).
struct TruthFile: Sendable {
  /// The most bytes of a file that are read.
  static let maximumBytes = 256 << 20

  /// The ends of a connection, the client's first.
  struct Ends: Hashable, Sendable {
    var proto: String
    var client: String
    var clientPort: Int
    var server: String
    var serverPort: Int
  }

  /// A message.
  struct Message: Sendable {
    var isUp: Bool
    var messageClass: String
    var kind: String
    /// Its records' numbers among those of application data of its side, from 1.
    var records: [Int]
    var plaintext: Int?
    var textLength: Int?
    var devices: Int?
    var script: String?
    /// What its acks and receipts share; "" for none.
    var message: String
  }

  /// What the file says of a flow.
  struct Flow: Sendable {
    var tag: String?
    var service: String?
  }

  private(set) var flows: [Ends: [Flow]] = [:]
  private(set) var messages: [Ends: [Message]] = [:]
  /// Lines that are no truth, by number from 1; at most ten.
  private(set) var brokenLines: [Int] = []

  /// The truth beside a capture, if there is any.
  static func beside(_ capture: String) throws(TruthError) -> TruthFile? {
    var stem = capture
    for ending in [".gz", ".zst", ".pcapng", ".pcap", ".cap"] where stem.lowercased().hasSuffix(ending) {
      stem = String(stem.dropLast(ending.count))
    }
    let path = stem + ".truth.jsonl"
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return try TruthFile(path: path)
  }

  init(path: String) throws(TruthError) {
    let data = try readFile(path, atMost: Self.maximumBytes)
    self.init(data)
  }

  init(_ data: Data) {
    let decoder = JSONDecoder()
    for (number, line) in data.split(separator: UInt8(ascii: "\n")).enumerated() {
      guard let read = try? decoder.decode(Line.self, from: line) else {
        if brokenLines.count < 10 { brokenLines.append(number + 1) }
        continue
      }
      add(read)
    }
  }

  private mutating func add(_ line: Line) {
    guard let client = line.src_ip, let server = line.dest_ip, let proto = line.proto else { return }
    let ends = Ends(
      proto: proto, client: client, clientPort: line.src_port ?? 0, server: server, serverPort: line.dest_port ?? 0)
    switch line.truth {
    case "flow": flows[ends, default: []].append(Flow(tag: line.tag, service: line.service))
    case "message":
      guard let direction = line.direction else { return }
      messages[ends, default: []].append(
        Message(
          isUp: direction == "to_server", messageClass: line.class ?? line.app ?? "", kind: line.kind ?? "",
          records: line.records ?? [], plaintext: line.plaintext, textLength: line.text_length, devices: line.devices,
          script: line.script,
          message: line.message ?? ""))
    default: break
    }
  }

  private struct Line: Decodable {
    var truth: String
    var proto: String?
    var src_ip: String?
    var src_port: Int?
    var dest_ip: String?
    var dest_port: Int?
    var tag: String?
    var service: String?
    var direction: String?
    var `class`: String?
    var app: String?
    var kind: String?
    var records: [Int]?
    var plaintext: Int?
    var text_length: Int?
    var devices: Int?
    var script: String?
    var message: String?
  }
}

/// Why truth cannot be read: one line for a person.
public struct TruthError: Error, Sendable, CustomStringConvertible {
  /// The line.
  public let description: String
  /// An error.
  public init(_ description: String) { self.description = description }
}

/// A file's bytes.
func readFile(_ path: String, atMost limit: Int) throws(TruthError) -> Data {
  let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
  guard size <= limit else { throw TruthError("\(path): longer than the \(limit >> 20) MiB that are read") }
  do {
    return try Data(contentsOf: URL(filePath: path))
  } catch {
    throw TruthError("\(path): cannot be read: \(error.localizedDescription)")
  }
}
