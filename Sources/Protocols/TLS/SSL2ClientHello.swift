public import Bytes

//  RFC 5246, appendix E.2
//
//   +-----------------+------+-----------------+------------------+----------------+------------------+----
//   | 0x80 | length   | 0x01 | version         | cipher specs, 3n | session id, 0/16 | challenge, 16-32 | ...
//   +-----------------+------+-----------------+------------------+----------------+------------------+----

/// A ClientHello in the format of SSL 2.0, which old clients send to offer up to TLS 1.2.
public struct SSL2ClientHello: Sendable, Equatable {
  /// Bytes that are read.
  public static let byteCount = 11
  /// The highest version that the client offers.
  public var version: TLSVersion
  /// Cipher specs of three bytes each.
  public var cipherSpecCount: Int

  /// Reads the header; lengths that contradict each other are malformed.
  /// - Throws: `truncated` below `byteCount` bytes, `malformed` for anything else.
  public init(parsing reader: inout ByteReader) throws(ParseError) {
    let length = Int(try reader.u16())
    guard length & 0x8000 != 0 else { throw .malformed(.header, at: 0) }
    guard try reader.u8() == 1 else { throw .malformed(.type, at: 2) }
    version = TLSVersion(rawValue: try reader.u16())
    guard version == .ssl2 || (0x0300...0x0304).contains(version.rawValue) else { throw .malformed(.version, at: 3) }
    let specs = Int(try reader.u16())
    let session = Int(try reader.u16())
    let challenge = Int(try reader.u16())
    guard specs > 0, specs.isMultiple(of: 3), session == 0 || session == 16, (16...32).contains(challenge),
      length & 0x7fff == 9 &+ specs &+ session &+ challenge
    else { throw .malformed(.length, at: 5) }
    cipherSpecCount = specs / 3
  }
}
