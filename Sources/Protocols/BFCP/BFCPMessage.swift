import Bytes

//  RFC 8855, section 5.1
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   | Ver |R|F| Res |  Primitive    |        Payload Length         |
//   |                         Conference ID                         |
//   |         Transaction ID        |            User ID            |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
//   Ver: 1 over TCP, 2 over UDP. Payload Length: in 32-bit words. Attributes (section 5.2): seven bits of type, a flag,
//   a length with these two bytes, the value, and zeros up to a word.

/// A message of the Binary Floor Control Protocol: who may send video or share a screen in a conference.
struct BFCPMessage: Equatable {
  /// The length of the header.
  static let headerLength = 12

  private static let names = [
    "", "FloorRequest", "FloorRelease", "FloorRequestQuery", "FloorRequestStatus", "UserQuery", "UserStatus",
    "FloorQuery", "FloorStatus", "ChairAction", "ChairActionAck", "Hello", "HelloAck", "Error",
    "FloorRequestStatusAck", "FloorStatusAck", "Goodbye", "GoodbyeAck",
  ]

  /// The primitive's name (RFC 8855, section 5.1, table 1).
  let name: String
  /// Its bytes.
  let length: Int

  /// Reads a message that lies whole in `bytes`.
  /// - Throws: `malformed` for another version, primitive or shape of attributes; `truncated` where bytes are missing.
  init(parsing bytes: borrowing RawSpan, isStream: Bool) throws(ParseError) {
    var reader = ByteReader(copy bytes)
    let first = try reader.u8()
    // Both versions are seen over UDP.
    guard first >> 5 == 1 || !isStream && first >> 5 == 2, first & 7 == 0, first & 0x08 == 0 else {
      throw .malformed(.version, at: 0)
    }
    let primitive = Int(try reader.u8())
    guard (1..<Self.names.count).contains(primitive) else { throw .malformed(.type, at: 1) }
    name = Self.names[primitive]
    let payload = 4 &* Int(try reader.u16())
    length = Self.headerLength &+ payload
    try reader.skip(8)
    // Requests, their answers and errors say what they are about.
    let isEmpty = payload == 0
    guard !isEmpty || [5, 7, 10, 11, 14, 15, 16, 17].contains(primitive) else { throw .malformed(.length, at: 2) }
    var attributes = try reader.sub(payload)
    while !attributes.isAtEnd {
      let type = try attributes.u8() >> 1
      let size = Int(try attributes.u8())
      guard (1...19).contains(type), size >= 2 else { throw .malformed(.type, at: Self.headerLength) }
      try attributes.skip(min((size &+ 3) & ~3 &- 2, max(attributes.remaining, size &- 2)))
    }
  }

  /// Whether a datagram is a message and nothing else. Allocates nothing.
  static func canBegin(_ datagram: borrowing RawSpan) -> Bool {
    datagram.byteCount >= headerLength && datagram.byteCount == headerLength &+ 4 &* Int(datagram.u16(2))
      && isMessage(datagram, isStream: false)
  }

  private static func isMessage(_ bytes: borrowing RawSpan, isStream: Bool) -> Bool {
    (try? BFCPMessage(parsing: bytes, isStream: isStream)) != nil
  }

  /// Whether first bytes of a stream are BFCP's; nil while they may become it.
  static func canBeginStream(_ bytes: borrowing RawSpan) -> Bool? {
    guard bytes.byteCount > 0, bytes.u8(0) == 0x20 else { return bytes.byteCount == 0 ? nil : false }
    if bytes.byteCount >= 2, !(1..<names.count).contains(Int(bytes.u8(1))) { return false }
    guard bytes.byteCount >= headerLength else { return bytes.byteCount < 3 || bytes.u8(2) == 0 ? nil : false }
    let length = headerLength &+ 4 &* Int(bytes.u16(2))
    guard length <= BFCPConversation.maximumLength else { return false }
    return bytes.byteCount >= length ? isMessage(bytes, isStream: true) : nil
  }
}
