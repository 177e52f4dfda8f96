import Bytes

//  Where TLS may begin in a connection that speaks another protocol first:
//
//    SMTP (RFC 3207)    STARTTLS      220 ...        then TLS at the begin of a line
//    IMAP (RFC 9051)    a STARTTLS    a OK ...
//    POP3 (RFC 2595)    STLS          +OK
//    FTP (RFC 4217)     AUTH TLS      234 ...
//    XMPP (RFC 6120)    <starttls/>   <proceed/>     then TLS behind an element
//    LDAP (RFC 4511)    ExtendedRequest, ExtendedResponse, each one BER element
//    PostgreSQL         SSLRequest, 8 bytes          'S'
//    MySQL              greeting; SSLRequest, each one packet
//    RDP                X.224 connection request, confirm, each one TPKT
//
//  None of them can have the byte 0x16 of a TLS handshake record at such a place. So each side is passed over up to its
//  first 0x16 there; whether a record follows, the TLS reader says.

/// Looks for the place where TLS begins on each side.
struct StartTLSConversation {
  /// How a protocol's messages are told apart.
  enum Framing {
    case lines, elements, tpkt, ber, postgreSQL, mySQL
  }

  /// Bytes of a side after which TLS is no longer expected.
  static let maximumBytesPerSide = 1 << 15

  private struct Side {
    var bytes = 0
    var skip = 0
    var messages = 0
    var isAtBoundary = true
    var header: UInt64 = 0
    var headerCount = 0
    var isDone = false
  }

  private let framing: Framing
  private var sides = Sides(Side())

  init(_ framing: Framing) { self.framing = framing }

  /// Whether TLS is not to be expected on either side.
  var isDone: Bool { sides.client.isDone && sides.server.isDone }

  /// Takes the next bytes of a side.
  /// - Returns: the offset at which TLS seems to begin, or `nil`.
  mutating func consume(_ bytes: borrowing RawSpan, from side: FlowSide) -> Int? {
    let before = sides[side].bytes
    sides[side].bytes &+= bytes.byteCount
    if sides[side].isDone { return nil }
    if before > Self.maximumBytesPerSide {
      sides.client.isDone = true
      sides.server.isDone = true
      return nil
    }
    switch framing {
    case .lines, .elements: return scanText(bytes, from: side)
    default: return scanMessages(bytes, from: side)
    }
  }

  /// Bytes of a side are lost.
  mutating func skipGap(from side: FlowSide) {
    sides[side].isAtBoundary = false
    if framing != .lines, framing != .elements { sides[side].isDone = true }
  }

  private mutating func scanText(_ bytes: borrowing RawSpan, from side: FlowSide) -> Int? {
    let last: UInt8 = framing == .lines ? 0x0a : 0x3e
    var isAtBoundary = sides[side].isAtBoundary
    for i in 0..<bytes.byteCount {
      let byte = bytes.u8(i)
      if isAtBoundary, byte == 0x16 { return i }
      let isSpace = framing == .elements && isAtBoundary && (byte == 0x20 || byte == 0x0a || byte == 0x0d)
      isAtBoundary = byte == last || isSpace
    }
    sides[side].isAtBoundary = isAtBoundary
    return nil
  }

  private mutating func scanMessages(_ bytes: borrowing RawSpan, from side: FlowSide) -> Int? {
    var offset = 0
    while offset < bytes.byteCount {
      if sides[side].skip > 0 {
        let count = min(sides[side].skip, bytes.byteCount &- offset)
        sides[side].skip &-= count
        offset &+= count
        continue
      }
      let byte = bytes.u8(offset)
      if sides[side].headerCount == 0, byte == 0x16, mayBeTLS(side) { return offset }
      sides[side].header = sides[side].header << 8 | UInt64(byte)
      sides[side].headerCount &+= 1
      offset &+= 1
      switch lengthAfterHeader(sides[side], side) {
      case .more: continue
      case .skip(let count):
        sides[side].skip = count
        sides[side].messages &+= 1
        sides[side].header = 0
        sides[side].headerCount = 0
      case .end:
        sides[side].isDone = true
        return nil
      }
    }
    return nil
  }

  private enum Header {
    case more
    case skip(Int)
    case end
  }

  /// MySQL packets may begin with 0x16, their length; TLS follows the greeting, or the client's request, alone.
  private func mayBeTLS(_ side: FlowSide) -> Bool {
    framing == .mySQL ? sides[side].messages == 1 : sides[side].messages > 0
  }

  private func lengthAfterHeader(_ state: Side, _ side: FlowSide) -> Header {
    let header = state.header
    switch framing {
    case .tpkt:
      guard header >> UInt64(8 &* (state.headerCount &- 1)) == 3 else { return .end }
      guard state.headerCount == 4 else { return .more }
      let length = Int(header & 0xffff)
      return length >= 4 ? .skip(length &- 4) : .end
    case .ber:
      return berLength(state)
    case .postgreSQL:
      if side == .server { return [0x53, 0x4e, 0x47].contains(header) ? .skip(0) : .end }
      guard state.headerCount == 8 else { return .more }
      let isRequest = header == 0x8_04d2_162f || header == 0x8_04d2_1630
      return isRequest ? .skip(0) : .end
    case .mySQL:
      guard state.headerCount == 4 else { return .more }
      let length = Int(header >> 24 & 0xff) | Int(header >> 16 & 0xff) << 8 | Int(header >> 8 & 0xff) << 16
      return state.messages == 0 ? .skip(length) : .end
    case .lines, .elements:
      return .end
    }
  }

  /// A SEQUENCE's tag and length (X.690, section 8.1.3), short form or up to four bytes.
  private func berLength(_ state: Side) -> Header {
    let count = state.headerCount
    guard state.header >> UInt64(8 &* (count &- 1)) == 0x30 else { return .end }
    guard count >= 2 else { return .more }
    let first = Int(state.header >> UInt64(8 &* (count &- 2)) & 0xff)
    if first < 0x80 { return .skip(first) }
    let bytes = first & 0x7f
    guard (1...4).contains(bytes) else { return .end }
    guard count == 2 &+ bytes else { return .more }
    return .skip(Int(state.header & (1 << UInt64(8 &* bytes) &- 1)))
  }
}
