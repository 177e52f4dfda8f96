// RFC 8446, section 4 and the IANA registry "Transport Layer Security (TLS) Parameters".

/// A protocol version as it stands on the wire.
public struct TLSVersion: RawRepresentable, Hashable, Sendable {
  /// The two bytes: 0x0303 for TLS 1.2.
  public var rawValue: UInt16
  /// A version by its two bytes.
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  /// SSL 2.0.
  public static let ssl2 = TLSVersion(rawValue: 0x0002)
  /// SSL 3.0 (RFC 6101).
  public static let ssl3 = TLSVersion(rawValue: 0x0300)
  /// TLS 1.0 (RFC 2246).
  public static let tls10 = TLSVersion(rawValue: 0x0301)
  /// TLS 1.1 (RFC 4346).
  public static let tls11 = TLSVersion(rawValue: 0x0302)
  /// TLS 1.2 (RFC 5246).
  public static let tls12 = TLSVersion(rawValue: 0x0303)
  /// TLS 1.3 (RFC 8446).
  public static let tls13 = TLSVersion(rawValue: 0x0304)

  /// DTLS 1.0 (RFC 4347).
  public static let dtls10 = TLSVersion(rawValue: 0xfeff)
  /// DTLS 1.2 (RFC 6347).
  public static let dtls12 = TLSVersion(rawValue: 0xfefd)
  /// DTLS 1.3 (RFC 9147).
  public static let dtls13 = TLSVersion(rawValue: 0xfefc)
  /// What Cisco's AnyConnect and OpenSSL before 0.9.8f call DTLS 1.0 (OpenSSL's DTLS1_BAD_VER).
  public static let dtlsBad = TLSVersion(rawValue: 0x0100)

  /// TLS 1.3 or DTLS 1.3, one of the drafts of TLS 1.3 (0x7fNN) or the private forms of them (0xfbNN).
  public var isTLS13Family: Bool {
    self == .tls13 || self == .dtls13 || rawValue >> 8 == 0x7f || rawValue >> 8 == 0xfb
  }
}

/// What a record holds (RFC 8446, section 5.1).
public struct TLSContentType: RawRepresentable, Hashable, Sendable {
  /// The byte.
  public var rawValue: UInt8
  /// A content type by its byte.
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// change_cipher_spec.
  public static let changeCipherSpec = TLSContentType(rawValue: 20)
  /// alert.
  public static let alert = TLSContentType(rawValue: 21)
  /// handshake.
  public static let handshake = TLSContentType(rawValue: 22)
  /// application_data.
  public static let applicationData = TLSContentType(rawValue: 23)
  /// heartbeat (RFC 6520).
  public static let heartbeat = TLSContentType(rawValue: 24)
}

/// A handshake message's kind (RFC 8446, section 4).
public struct TLSHandshakeType: RawRepresentable, Hashable, Sendable {
  /// The byte.
  public var rawValue: UInt8
  /// A kind by its byte.
  public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// client_hello.
  public static let clientHello = TLSHandshakeType(rawValue: 1)
  /// server_hello, also that of a HelloRetryRequest.
  public static let serverHello = TLSHandshakeType(rawValue: 2)
  /// certificate.
  public static let certificate = TLSHandshakeType(rawValue: 11)
  /// hello_verify_request of DTLS (RFC 6347).
  public static let helloVerifyRequest = TLSHandshakeType(rawValue: 3)
  /// server_hello_done (RFC 5246).
  public static let serverHelloDone = TLSHandshakeType(rawValue: 14)
}

/// An extension's number. Unknown ones are kept as they are.
public struct TLSExtensionType: RawRepresentable, Hashable, Sendable {
  /// The number.
  public var rawValue: UInt16
  /// An extension by number.
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  /// server_name (RFC 6066).
  public static let serverName = TLSExtensionType(rawValue: 0)
  /// supported_groups (RFC 8446), once elliptic_curves.
  public static let supportedGroups = TLSExtensionType(rawValue: 10)
  /// ec_point_formats (RFC 8422).
  public static let ecPointFormats = TLSExtensionType(rawValue: 11)
  /// signature_algorithms (RFC 8446).
  public static let signatureAlgorithms = TLSExtensionType(rawValue: 13)
  /// application_layer_protocol_negotiation (RFC 7301).
  public static let alpn = TLSExtensionType(rawValue: 16)
  /// pre_shared_key (RFC 8446).
  public static let preSharedKey = TLSExtensionType(rawValue: 41)
  /// supported_versions (RFC 8446).
  public static let supportedVersions = TLSExtensionType(rawValue: 43)
  /// use_srtp (RFC 5764).
  public static let useSRTP = TLSExtensionType(rawValue: 14)
  /// cookie (RFC 8446, section 4.2.2).
  public static let cookie = TLSExtensionType(rawValue: 44)
  /// connection_id (RFC 9146).
  public static let connectionID = TLSExtensionType(rawValue: 54)
  /// key_share (RFC 8446).
  public static let keyShare = TLSExtensionType(rawValue: 51)
  /// quic_transport_parameters (RFC 9001).
  public static let quicTransportParameters = TLSExtensionType(rawValue: 57)
  /// encrypted_client_hello (RFC 9849).
  public static let encryptedClientHello = TLSExtensionType(rawValue: 0xfe0d)
  /// encrypted_server_name, its forerunner (draft-ietf-tls-esni-02).
  public static let encryptedServerName = TLSExtensionType(rawValue: 0xffce)
}

/// Whether a 16-bit code point is one of those that clients send to keep servers tolerant (RFC 8701, section 2):
/// 0x0a0a, 0x1a1a, ... 0xfafa.
@inlinable public func isGREASE(_ value: UInt16) -> Bool {
  value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}
