public import Bytes

//  RFC 8446, section 4.1.3
//
//   +----------------+--------------------------------+-------------------+
//   | legacy_version | random, 32 bytes               | 1: session id     |
//   +----------------+-------------+------------------+-------------------+
//   | cipher suite   | compression | 2: extensions    |  extensions: may be absent before TLS 1.3
//   +----------------+-------------+------------------+

/// A ServerHello or HelloRetryRequest, lent.
public struct ServerHello: ~Escapable {
  /// The version field; 0x0303 also in TLS 1.3.
  public let legacyVersion: TLSVersion
  /// The suite that the server chose.
  public let cipherSuite: UInt16
  /// The extensions block, headers included.
  public let extensions: RawSpan
  /// Whether it is a HelloRetryRequest, by its fixed random.
  public let isHelloRetryRequest: Bool
  /// The version of its supported_versions extension, if it has one.
  public let selectedVersion: TLSVersion?
  /// The application protocol that the server chose; in TLS 1.3 it is encrypted and never here.
  public let alpnBytes: RawSpan

  /// The random of a HelloRetryRequest: SHA-256 of "HelloRetryRequest" (RFC 8446, section 4.1.3).
  static let retryRandom: (UInt64, UInt64, UInt64, UInt64) = (
    0xcf21_ad74_e59a_6111, 0xbe1d_8c02_1e65_b891, 0xc2a2_1116_7abb_8c5e, 0x079e_09e2_c8a8_339c
  )

  /// Reads a handshake message's body, to its end.
  /// - Throws: `truncated` where the body ends before its fields do.
  @_lifetime(copy reader)
  public init(parsing reader: inout ByteReader) throws(ParseError) {
    legacyVersion = TLSVersion(rawValue: try reader.u16())
    let random = (try reader.u64(), try reader.u64(), try reader.u64(), try reader.u64())
    isHelloRetryRequest = random == Self.retryRandom
    // Drafts of TLS 1.3 before the 22nd leave out session id and compression.
    let isEarlyDraft = legacyVersion.rawValue >> 8 == 0x7f && legacyVersion.rawValue & 0xff < 22
    if !isEarlyDraft { try reader.skip(Int(reader.u8())) }
    cipherSuite = try reader.u16()
    if !isEarlyDraft { try reader.skip(1) }
    extensions = reader.isAtEnd ? RawSpan() : try reader.take(Int(reader.u16()))
    var block = ByteReader(extensions)
    var version: TLSVersion?
    var alpn = RawSpan()
    while !block.isAtEnd {
      let type = TLSExtensionType(rawValue: try block.u16())
      let value = try block.take(Int(block.u16()))
      switch type {
      case .supportedVersions where value.byteCount == 2: version = TLSVersion(rawValue: value.u16(0))
      case .alpn where value.byteCount >= 3: alpn = value.slice(3, Int(value.u8(2)))
      default: break
      }
    }
    selectedVersion = version
    alpnBytes = alpn
  }

  /// The version that was negotiated.
  public var version: TLSVersion { selectedVersion ?? legacyVersion }

  /// The application protocol that the server chose, as text.
  public var alpn: String? { alpnBytes.byteCount > 0 ? visibleText(alpnBytes) : nil }
}
