public import Bytes

//  RFC 8489, section 5
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |0 0|     STUN Message Type     |         Message Length        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                 Magic Cookie, 0x2112A442                      |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                     Transaction ID (96 bits)                  |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   | attributes: type (2), length (2), value, up to 3 bytes so that the next lies at a multiple of 4
//
//   Type: M11...M7 C1 M6 M5 M4 C0 M3...M0, M the method, C the class
//
//  RFC 3489 has no cookie: its transaction ID is 128 bits long.

/// A STUN or TURN message, lent.
public struct STUNMessage: ~Escapable {
  /// Bytes of the header.
  public static let headerLength = 20
  /// What every message since RFC 5389 has at offset 4.
  public static let magicCookie: UInt32 = 0x2112_a442
  /// The value of the MAGIC-COOKIE attribute that Microsoft's and Google's TURN begin with ([MS-TURN], section
  /// 2.2.2.1).
  public static let attributeCookie: UInt32 = 0x72c6_4bc6

  /// The type as on the wire.
  public let type: STUNMessageType
  /// Whether it has the magic cookie; without one it is of RFC 3489.
  public let hasCookie: Bool
  /// Whether its first attribute is MAGIC-COOKIE, as in the TURN of [MS-TURN]: addresses are not masked, values not
  /// padded, and some attributes have other numbers there. Its messages may have the magic cookie too.
  public let isMicrosoft: Bool
  /// Whether it is a STUN message beyond doubt, without an answer to it.
  public let isProven: Bool
  /// The attributes, as far as they were captured.
  public let attributes: RawSpan
  /// Bytes that the length field counts.
  public let length: Int
  /// Header and attributes, as far as they were captured.
  public let bytes: RawSpan

  /// The first and second half of the transaction ID with the cookie before it: 128 bits.
  public var transaction: (UInt64, UInt64) { (bytes.u64(4), bytes.u64(12)) }

  /// Whether bytes of the message are missing.
  public var isCut: Bool { attributes.byteCount < length }

  /// Reads the message that `bytes` begin with.
  /// - Throws: `truncated` below 20 bytes; `malformed` where neither the magic cookie, nor a MAGIC-COOKIE attribute,
  ///   nor a type of RFC 3489 with attributes that fill the length exactly shows that it is one.
  @_lifetime(copy bytes)
  public init(parsing bytes: RawSpan) throws(ParseError) {
    guard bytes.byteCount >= Self.headerLength else {
      throw .truncated(needed: Self.headerLength, available: bytes.byteCount, at: 0)
    }
    guard bytes.u8(0) < 0x40 else { throw .malformed(.type, at: 0) }
    type = STUNMessageType(rawValue: bytes.u16(0))
    length = Int(bytes.u16(2))
    hasCookie = bytes.u32(4) == Self.magicCookie
    let whole = bytes.slice(0, Self.headerLength &+ length)
    attributes = whole.slice(Self.headerLength, length)
    self.bytes = whole
    isMicrosoft =
      attributes.byteCount >= 8 && attributes.u32(0) == UInt32(STUNAttributeType.magicCookie.rawValue) << 16 | 4
      && attributes.u32(4) == Self.attributeCookie
    if hasCookie || isMicrosoft && attributes.byteCount == length {
      isProven = true
      return
    }
    guard type.isClassic else { throw .malformed(.type, at: 0) }
    guard length.isMultiple(of: 4), attributes.byteCount == length else { throw .malformed(.length, at: 2) }
    isProven = try Self.walkClassic(attributes)
    // A response says at least where the client is, or what is wrong.
    let isAnswer = type.messageClass == .success || type.messageClass == .error
    if isAnswer, attributes.byteCount == 0 { throw .malformed(.count, at: 20) }
  }

  /// Whether attributes prove a message of RFC 3489: one has exactly the form that its number asks for.
  /// - Throws: where they are none of that time, or not as long as they say, to the last byte.
  private static func walkClassic(_ attributes: borrowing RawSpan) throws(ParseError) -> Bool {
    var reader = ByteReader(copy attributes)
    var isProven = false
    while !reader.isAtEnd {
      let start = reader.offset
      let attribute = STUNAttributeType(rawValue: try reader.u16())
      let count = Int(try reader.u16())
      let value = try reader.take(count)
      // RFC 3489 pads inside values; later clients without a cookie pad behind them.
      try reader.skip(-count & 3)
      switch attribute.rawValue {
      case _ where attribute.isAddress:
        guard count == 8 && value.u16(0) & 0xff == 1 || count == 20 && value.u16(0) & 0xff == 2 else {
          throw .malformed(.value, at: start)
        }
        isProven = true
      case 0x0003:
        guard count == 4, value.u32(0) & ~6 == 0 else { throw .malformed(.value, at: start) }
        isProven = true
      case 0x0008:
        guard count == 20 else { throw .malformed(.length, at: start) }
        isProven = true
      case 0x0101, 0x0103: isProven = isProven || count == 20
      case 1...0x26, 0x8000...0x80ff: break
      default: throw .malformed(.type, at: start)
      }
    }
    return isProven
  }

  /// Whether a capture that cut nothing holds exactly this message in `count` bytes.
  func fills(_ count: Int) -> Bool { count == Self.headerLength &+ length }

  /// The address in an attribute's value, masked with cookie and transaction ID (RFC 8489, section 14.2) or not; `nil`
  /// where the value is none.
  public func endpoint(in value: borrowing RawSpan, isXORed: Bool) -> Endpoint? {
    let mask: (UInt64, UInt64) = isXORed ? transaction : (0, 0)
    guard value.byteCount >= 8 else { return nil }
    let port = value.u16(2) ^ UInt16(truncatingIfNeeded: mask.0 >> 48)
    switch value.u8(1) {
    case 1: return Endpoint(IPAddress(v4: value.u32(4) ^ UInt32(truncatingIfNeeded: mask.0 >> 32)), port)
    case 2 where value.byteCount >= 20:
      return Endpoint(IPAddress(high: value.u64(4) ^ mask.0, low: value.u64(12) ^ mask.1), port)
    default: return nil
    }
  }
}

/// An attribute of a message, lent.
public struct STUNAttribute: ~Escapable {
  /// Its type.
  public let type: STUNAttributeType
  /// Its value, without padding.
  public let value: RawSpan
  /// Where the value lies in the message.
  public let offset: Int

  @_lifetime(copy value)
  init(_ type: STUNAttributeType, _ value: RawSpan, at offset: Int) {
    self.type = type
    self.value = value
    self.offset = offset
  }
}

/// Goes through the attributes of a message.
public struct STUNAttributes: ~Escapable {
  private var reader: ByteReader
  private let isPadded: Bool
  /// Whether an attribute was longer than the message.
  public private(set) var isDamaged = false

  /// The attributes of `message`, from its first.
  @_lifetime(copy message)
  public init(of message: borrowing STUNMessage) {
    reader = ByteReader(message.attributes)
    isPadded = !message.isMicrosoft
  }

  /// The next attribute; `nil` at the end, and where one is longer than what is left. Padding that is missing at the
  /// end is no damage: some senders leave it out.
  @_lifetime(copy self)
  public mutating func next() -> STUNAttribute? {
    guard reader.remaining >= 4, let type = try? reader.u16(), let count = try? reader.u16() else {
      isDamaged = isDamaged || !reader.isAtEnd
      return nil
    }
    let offset = STUNMessage.headerLength &+ reader.offset
    guard let value = try? reader.take(Int(count)) else {
      isDamaged = true
      return nil
    }
    if isPadded { _ = try? reader.skip(min(reader.remaining, -Int(count) & 3)) }
    return STUNAttribute(STUNAttributeType(rawValue: type), value, at: offset)
  }
}
