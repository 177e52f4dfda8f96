import Truth

/// A record's content, grown to one of given sizes before it is encrypted.
enum Padding: Sendable, Equatable {
  /// To the next multiple, in bytes.
  case multiples(of: Int)
  /// To the next power of two.
  case powersOfTwo
  /// The courier's own: command 0x0F with zeros after the message in the same record, to the next of the sizes that it
  /// was seen to use, and to multiples of the largest beyond. What is full already stays.
  case flush

  /// Bytes of a TLS 1.3 record that are no content: header of 5, content type, AEAD tag of 16 (RFC 8446, section 5.2).
  static let overhead: Int32 = 22
  /// Bytes of a courier's message of command 0x0F without zeros: command, and length or attribute.
  static let flushHeader = 5
  /// Sizes to which it fills.
  static let flushSizes = [64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192]

  /// The padded size of a content in bytes.
  func size(of content: Int) -> Int {
    let content = max(0, content)
    switch self {
    case .multiples(let multiple):
      let multiple = max(1, multiple)
      return max(1, (content + multiple - 1) / multiple) * multiple
    case .powersOfTwo:
      var size = 1
      while size < content { size *= 2 }
      return size
    case .flush:
      if Self.flushSizes.contains(content) { return content }
      let needed = content + Self.flushHeader
      let largest = Self.flushSizes[Self.flushSizes.count - 1]
      return Self.flushSizes.first { $0 >= needed } ?? (needed + largest - 1) / largest * largest
    }
  }

  /// The traffic with records of application data padded, on all flows or on some; other units stay, as do times.
  func applied(to traffic: LabelledTraffic, on flows: [Int]? = nil) -> LabelledTraffic {
    var traffic = traffic
    var isRecord = traffic.flows.map { $0.unit == .record }
    if let flows {
      let wanted = Set(flows)
      for flow in isRecord.indices where !wanted.contains(flow) { isRecord[flow] = false }
    }
    for number in traffic.records.indices {
      let flow = Int(traffic.records[number].flow)
      guard isRecord.indices.contains(flow), isRecord[flow] else { continue }
      let content = Self.content(of: traffic.records[number])
      let grown = size(of: content) - content
      traffic.records[number].size += Int32(clamping: max(0, grown))
      if traffic.records[number].plaintext >= 0 { traffic.records[number].plaintext += Int32(clamping: max(0, grown)) }
    }
    return traffic
  }

  /// Bytes of a record's content, from its size where they are not known.
  static func content(of record: LabelledRecord) -> Int {
    record.plaintext >= 0 ? Int(record.plaintext) : Int(max(0, record.size - overhead))
  }
}
