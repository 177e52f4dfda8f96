public import Bytes

//  RFC 1035, sections 3.1 and 4.1.4
//
//   +---+---------+---+---------+---+        +----+-------------------+
//   | 3 | c o m   | 2 | d e     | 0 |        | 11 | offset, 14 bits   |   a pointer ends a name
//   +---+---------+---+---------+---+        +----+-------------------+

/// A domain name in presentation text (RFC 1035, section 5.1): labels joined by dots, lower case, no dot at the end,
/// "." for the root; dots and backslashes inside a label are escaped by a backslash, bytes that are not printable ASCII
/// as `\DDD`.
public enum DNSName {
  /// The longest name, in bytes on the wire (RFC 1035, section 2.3.4).
  public static let maximumLength = 255
  /// The longest label (RFC 1035, section 2.3.4).
  public static let maximumLabelLength = 63
  /// The most pointers in a name. Every pointer must lead backwards, so no loop can be built; this bounds the work.
  public static let maximumPointers = 64

  /// Reads the name at the reader's place in a message and moves past it.
  /// - Parameters:
  ///   - reader: a reader over the whole message.
  ///   - message: the whole message; pointers count from its first byte.
  ///   - limit: the offset that the name must not pass where it stands, such as the end of its record.
  /// - Returns: the name as text.
  /// - Throws: `truncated` where the message ends inside the name; `malformed` for a pointer that does not lead
  ///   backwards, a label type that is not defined, or a name longer than `maximumLength`; `limit` for more pointers
  ///   than `maximumPointers`.
  public static func read(
    _ reader: inout ByteReader, in message: borrowing RawSpan, limit: Int = .max
  ) throws(ParseError) -> String {
    try readText(&reader, in: message, limit: limit).string
  }

  /// Reads a name as `read` does, into memory of the caller's.
  static func readText(
    _ reader: inout ByteReader, in message: borrowing RawSpan, limit: Int = .max
  ) throws(ParseError) -> DNSNameText {
    var text = DNSNameText()
    let end = try walk(message, from: reader.offset, into: &text)
    guard end <= limit else { throw .malformed(.length, at: end) }
    try reader.skip(end &- reader.offset)
    return text
  }

  /// Whether the name at a place is only a pointer to the first question's, as that of most answers is.
  static func isFirstQuestion(_ reader: borrowing ByteReader, in message: borrowing RawSpan) -> Bool {
    message.holds(2, at: reader.offset) && message.u16(reader.offset) == 0xc000 | UInt16(DNSMessage.headerLength)
  }

  /// Moves past a name without following its pointers.
  static func skip(_ reader: inout ByteReader) throws(ParseError) {
    while true {
      let length = Int(try reader.u8())
      if length == 0 { return }
      if length & 0xc0 == 0xc0 { return try reader.skip(1) }
      guard length <= maximumLabelLength else { throw .malformed(.name, at: reader.offset &- 1) }
      try reader.skip(length)
    }
  }

  /// Follows a name; returns the offset behind it where it stands.
  private static func walk(
    _ message: borrowing RawSpan, from start: Int, into text: inout DNSNameText
  ) throws(ParseError) -> Int {
    var at = start
    var end: Int?
    var lowest = at
    var pointers = 0
    var length = 1
    while true {
      guard message.holds(1, at: at) else { throw .truncated(needed: 1, available: 0, at: at) }
      let count = Int(message.u8(at))
      if count & 0xc0 == 0xc0 {
        guard message.holds(2, at: at) else { throw .truncated(needed: 2, available: 1, at: at) }
        let target = Int(message.u16(at) & 0x3fff)
        if end == nil { end = at &+ 2 }
        // Before everything that was read of this name so far: neither forward nor into a loop.
        guard target < lowest else { throw .malformed(.pointer, at: at) }
        pointers &+= 1
        guard pointers <= maximumPointers else { throw .limit(.pointerJumps) }
        lowest = target
        at = target
        continue
      }
      guard count <= maximumLabelLength else { throw .malformed(.name, at: at) }
      at &+= 1
      if count == 0 { break }
      length &+= count &+ 1
      guard length <= maximumLength else { throw .malformed(.name, at: at) }
      guard message.holds(count, at: at) else {
        throw .truncated(needed: count, available: message.byteCount &- at, at: at)
      }
      if !text.isEmpty { text.append(UInt8(ascii: ".")) }
      append(label: message.slice(at, count), to: &text)
      at &+= count
    }
    return end ?? at
  }

  private static func append(label: borrowing RawSpan, to text: inout DNSNameText) {
    for i in 0..<label.byteCount {
      let byte = label.u8(i)
      switch byte {
      case 0x41...0x5a: text.append(byte | 0x20)
      case 0x2e, 0x5c:
        text.append(0x5c)
        text.append(byte)
      case 0x21...0x7e: text.append(byte)
      default:
        text.append(0x5c)
        text.append(0x30 + byte / 100)
        text.append(0x30 + byte / 10 % 10)
        text.append(0x30 + byte % 10)
      }
    }
  }
}
