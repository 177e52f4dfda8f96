import Bytes

//  "OpenVPN Protocol" (openvpn.net/community-resources/openvpn-protocol), the control channel:
//
//   +-----------+--------+---------------+--------------------------------------+
//   | 2: length | opcode | 8: session id | HMAC | 4: replay id | 4: time        |
//   +-----------+--------+---------------+--------------------------------------+
//   | n | n x 4: acknowledged packet ids | 8: peer's session id, where n > 0    |
//   +-----------------------+----------------------------------------------------+
//   | 4: packet id          | payload: a piece of the TLS stream                 |
//   +-----------------------+----------------------------------------------------+
//
//   length: over TCP only. opcode: five bits, then three of the key id. The line of the HMAC is there with tls-auth.
//   With tls-crypt the replay id and the time stand before the HMAC, and all behind it is encrypted.

/// How the control channel of a connection is protected.
enum OpenVPNProtection: Equatable {
  /// Not at all.
  case none
  /// By an HMAC of so many bytes (tls-auth).
  case authentication(Int)
  /// By encryption (tls-crypt): nothing more can be read.
  case encryption
}

/// What a packet is (ssl_pkt.h of OpenVPN).
enum OpenVPNOpcode: UInt8 {
  case softReset = 3
  case control = 4
  case acknowledgment = 5
  case data = 6
  case hardResetClient = 7
  case hardResetServer = 8
  case dataWithPeer = 9
  case hardResetClientV3 = 10
}

/// A packet of the control channel, lent.
struct OpenVPNPacket: ~Escapable {
  /// Sizes of the digests that tls-auth may use: MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512.
  private static let digestLengths = [16, 20, 28, 32, 48, 64]
  /// The shortest packet of tls-crypt: header, replay id, time, SHA-256, and what a reset says.
  private static let shortestEncrypted = 54
  /// The most bytes of a packet that `protection(ofReset:)` looks at.
  static let longestReset = 1 + 8 + 64 + 8 + 1 + 4 + 8 + 4

  /// Its place in its sender's order.
  let id: UInt32
  /// A piece of the TLS stream.
  let payload: RawSpan

  /// Reads a control packet (`OpenVPNOpcode.control`).
  /// - Throws: `truncated` where it ends before its fields do.
  @_lifetime(copy bytes)
  init(parsing bytes: borrowing RawSpan, _ protection: OpenVPNProtection) throws(ParseError) {
    var reader = ByteReader(copy bytes)
    try reader.skip(9)
    if case .authentication(let length) = protection { try reader.skip(length &+ 8) }
    let acknowledged = Int(try reader.u8())
    if acknowledged > 0 { try reader.skip(4 &* acknowledged &+ 8) }
    id = try reader.u32()
    payload = reader.rest()
  }

  /// How a connection is protected that begins with a packet; nil where it is no reset, with which all begin.
  ///
  /// A reset has no payload and is the first of its sender: packet id 0, and replay id 1 where there is one. That, its
  /// exact length and the opcode are some 80 bits.
  /// - Parameters:
  ///   - bytes: the packet, without the length of TCP; its first `longestReset` bytes are enough.
  ///   - length: the length of all of it.
  /// - Returns: the protection, or nil.
  static func protection(ofReset bytes: borrowing RawSpan, length: Int) -> OpenVPNProtection? {
    guard length >= 14, bytes.byteCount >= min(length, longestReset), bytes.u8(0) & 7 == 0,
      let opcode = OpenVPNOpcode(rawValue: bytes.u8(0) >> 3), bytes.u64(1) != 0
    else { return nil }
    switch opcode {
    case .hardResetClient, .hardResetServer:
      // A server acknowledges the client's reset, mostly in its own.
      for tail in opcode == .hardResetServer ? [5, 17] : [5] {
        if length == 9 &+ tail, isFirst(bytes, tail: 9, tail) { return .some(.none) }
        for digest in digestLengths where length == 17 &+ digest &+ tail && bytes.u32(9 &+ digest) == 1 {
          if isFirst(bytes, tail: 17 &+ digest, tail) { return .authentication(digest) }
        }
      }
      let isEncrypted = length == shortestEncrypted || opcode == .hardResetServer && length == shortestEncrypted &+ 12
      return isEncrypted && bytes.u32(9) == 1 ? .encryption : nil
    case .hardResetClientV3:
      // The replay id may carry the flag of early negotiation (tls_crypt.h, EARLY_NEG_START).
      return length > shortestEncrypted && bytes.u32(9) & 0xf0ff_ffff == 1 ? .encryption : nil
    default:
      return nil
    }
  }

  /// Whether the fields from `start` on say: packet 0, and no or one acknowledged packet, number 0.
  private static func isFirst(_ bytes: borrowing RawSpan, tail start: Int, _ length: Int) -> Bool {
    let acknowledged = length == 17
    return bytes.u8(start) == (acknowledged ? 1 : 0) && (!acknowledged || bytes.u32(start &+ 1) == 0)
      && bytes.u32(start &+ length &- 4) == 0
  }
}
