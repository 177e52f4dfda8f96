import Bytes
import CCatalogue
import Digest

/// The 20 bytes that stand for a topic on the wire: the SHA-1 of its name.
public struct CourierTopicHash: Sendable, Hashable, CustomStringConvertible {
  private let first: UInt64, second: UInt64, third: UInt32

  /// The hash in these bytes; nil unless they are 20.
  public init?(_ bytes: RawSpan) {
    guard bytes.byteCount == 20 else { return nil }
    first = bytes.u64(0)
    second = bytes.u64(8)
    third = bytes.u32(16)
  }

  /// The hash of a name.
  public init(of name: String) {
    let digest = sha1(Array(name.utf8))
    first = digest.rawSpan.u64(0)
    second = digest.rawSpan.u64(8)
    third = digest.rawSpan.u32(16)
  }

  /// Forty hexadecimal digits.
  public var description: String {
    var bytes: [UInt8] = []
    for word in [first, second] {
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
      }
    }
    for shift in stride(from: 24, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: third >> UInt32(shift)))
    }
    return bytes.hex
  }
}

/// What a notification is for: a program or service of the device.
public struct CourierTopic: Sendable, Equatable {
  /// The number that the wire carries.
  public let hash: CourierTopicHash
  /// The name, where a source tells it: "com.apple.madrid".
  public let name: String?

  /// The topic of a number; its name is looked up in `Resources/topics.tsv`.
  public init(_ hash: CourierTopicHash) {
    self.hash = hash
    name = TopicTable.shared.entries[hash]?.name
  }
}

/// The topics that sources name.
struct TopicTable: Sendable {
  struct Entry: Sendable {
    let name: String
    let messageClass: CourierClass
    /// What in its class: "findmy", "relay"; see the file.
    let what: String
  }

  static let shared: TopicTable = {
    var count = 0
    // Safe: the bytes are a constant of the program, `count` of them.
    let text = unsafe String(
      decoding: UnsafeBufferPointer(start: wiretag_topics_tsv(&count), count: count), as: UTF8.self)
    return TopicTable(parsing: text)
  }()

  let entries: [CourierTopicHash: Entry]
  /// Lines that are no comment and no topic; a test holds it at 0.
  let badLines: Int

  /// Reads lines of topic, class, what, source and confidence; `#` begins a comment, and the first line names columns.
  init(parsing text: String) {
    var entries: [CourierTopicHash: Entry] = [:]
    var badLines = 0
    for line in text.split(separator: "\n").filter({ !$0.hasPrefix("#") }).dropFirst() {
      let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard columns.count == 5, let messageClass = CourierClass(rawValue: String(columns[1])), !columns[0].isEmpty
      else {
        badLines += 1
        continue
      }
      let name = String(columns[0])
      entries[CourierTopicHash(of: name)] = Entry(name: name, messageClass: messageClass, what: String(columns[2]))
    }
    self.entries = entries
    self.badLines = badLines
  }
}
