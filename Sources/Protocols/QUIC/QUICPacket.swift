import Bytes

//  RFC 8999, section 5.1, and RFC 9000, section 17.2
//
//   +-----------------+------------+-----------+-----------+
//   | 1 F T T x x x x | 4: version | 1: DCID   | 1: SCID   |  F: fixed bit, 1 (RFC 9287: 0 where it is greased)
//   +-----------------+------------+-----------+-----------+
//
//   Initial      0 | i: token | i: length | 1...4: packet number | payload
//   0-RTT        1 | i: length | packet number | payload
//   Handshake    2 | i: length | packet number | payload
//   Retry        3 | token | 16: integrity tag                              (version 2: 1, 2, 3, 0)
//   version negotiation: version 0 | 4: version | 4: version ..
//
//  1-RTT, section 17.3:  | 0 F S r r K P P | DCID, its length known from the handshake | packet number | payload
//
//   (N: a length of N bytes stands before the field; i: one of a variable-length integer)

/// A packet with a long header, as places in its datagram.
struct QUICPacket {
  enum Kind {
    case initial, zeroRTT, handshake, retry, versionNegotiation
  }

  let kind: Kind
  let version: QUICVersion
  let destination: QUICConnectionID
  let source: QUICConnectionID
  /// Where the packet begins.
  let start: Int
  /// Where its protected part begins, or its token, or its list of versions.
  let body: Int
  /// Where the next packet begins.
  let end: Int
  /// Whether the capture holds all of it.
  let isWhole: Bool

  /// Whether a datagram may go on with a long header at `offset`.
  static func isLong(_ datagram: borrowing RawSpan, at offset: Int = 0) -> Bool {
    datagram.holds(7, at: offset) && datagram.u8(offset) & 0x80 != 0
  }

  /// Reads a packet's header; nil where it has no long header, or one of a version that is not known.
  /// - Parameters:
  ///   - datagram: what UDP carried.
  ///   - start: where in it the packet begins.
  ///   - isCut: whether the capture holds less than the packet, so that the fields before its end are enough.
  /// - Throws: `truncated` where a field or the packet ends behind the datagram, `malformed` for a connection ID that
  ///   is too long, or a list of versions that is none.
  init?(parsing datagram: borrowing RawSpan, at start: Int = 0, isCut: Bool = false) throws(ParseError) {
    guard Self.isLong(datagram, at: start) else { return nil }
    let first = datagram.u8(start)
    let version = QUICVersion(rawValue: datagram.u32(start &+ 1))
    let layout: QUICVersion.Layout
    if version == .negotiation {
      layout = .ietf
    } else {
      guard let known = version.layout, known != .googlePublic else { return nil }
      layout = known
    }
    var reader = ByteReader(copy datagram)
    try reader.skip(start &+ 5)
    self.version = version
    self.start = start
    if layout == .googleLong {
      let lengths = try reader.u8()
      destination = try reader.connectionID(Self.googleLength(lengths >> 4))
      source = try reader.connectionID(Self.googleLength(lengths & 15))
      kind = Self.kind(first, version)
      body = reader.offset
      end = datagram.byteCount
      isWhole = !isCut
      return
    }
    destination = try reader.connectionID(Int(reader.u8()))
    source = try reader.connectionID(Int(reader.u8()))
    if version == .negotiation {
      kind = .versionNegotiation
      isWhole = !isCut
      body = reader.offset
      end = datagram.byteCount
      guard reader.remaining > 0, reader.remaining.isMultiple(of: 4) else { throw .malformed(.count, at: body) }
      return
    }
    kind = Self.kind(first, version)
    if kind == .retry {
      body = reader.offset
      end = datagram.byteCount
      isWhole = !isCut
      // The integrity tag, and before it a token of at least a byte.
      if !isCut { try reader.skip(17) }
      return
    }
    if kind == .initial { try reader.skip(reader.quicLength()) }
    let length = try reader.quicLength()
    body = reader.offset
    // A packet number, a payload of at least a byte, a tag.
    guard length > 17 else { throw .malformed(.length, at: body) }
    isWhole = !isCut || length <= reader.remaining
    if isWhole { try reader.skip(length) } else { _ = reader.rest() }
    end = reader.offset
  }

  private static func kind(_ first: UInt8, _ version: QUICVersion) -> Kind {
    switch (first >> 4 &+ (version.hasSecondTypes ? 3 : 0)) & 3 {
    case 0: .initial
    case 1: .zeroRTT
    case 2: .handshake
    default: .retry
    }
  }

  private static func googleLength(_ nibble: UInt8) -> Int { nibble == 0 ? 0 : Int(nibble) &+ 3 }

  /// The versions of a version negotiation.
  func versions(in datagram: borrowing RawSpan, atMost count: Int) -> [UInt32] {
    guard kind == .versionNegotiation else { return [] }
    let list = datagram.slice(body, end &- body)
    return (0..<min(list.byteCount / 4, count)).map { list.u32(4 &* $0) }
  }

  /// The connection ID that a packet with a short header would carry, were it of `length` bytes; nil where the
  /// datagram has no short header or ends too early to be one.
  static func destination(ofShortHeader datagram: borrowing RawSpan, length: Int) -> QUICConnectionID? {
    // One byte of header, the connection ID, and what header protection needs: 4 bytes and a sample of 16.
    guard length >= 0, datagram.holds(21 &+ length, at: 0), datagram.u8(0) & 0xc0 == 0x40 else { return nil }
    return QUICConnectionID(datagram.slice(1, length))
  }
}

extension ByteReader {
  /// Reads a variable-length integer (RFC 9000, section 16).
  @_lifetime(self: copy self)
  mutating func quicInteger() throws(ParseError) -> UInt64 {
    let first = try u8()
    var value = UInt64(first & 0x3f)
    for _ in 1..<(1 &<< Int(first >> 6)) { value = value << 8 | UInt64(try u8()) }
    return value
  }

  /// Reads a variable-length integer that counts bytes; one that no datagram can have comes out as `Int.max`.
  @_lifetime(self: copy self)
  mutating func quicLength() throws(ParseError) -> Int { Int(clamping: try quicInteger()) }

  /// Reads a connection ID.
  @_lifetime(self: copy self)
  fileprivate mutating func connectionID(_ length: Int) throws(ParseError) -> QUICConnectionID {
    guard let value = QUICConnectionID(try take(length)) else { throw .malformed(.length, at: offset &- length) }
    return value
  }
}
