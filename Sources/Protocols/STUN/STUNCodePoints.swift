// The IANA registry "Session Traversal Utilities for NAT (STUN) Parameters", [MS-TURN], [MS-ICE2], and types of
// vendors as public code names them: WebRTC's api/transport/stun.h, Wireshark's packet-stun.c, nDPI's stun.c.

/// What a message is about, and whether it asks or answers.
public struct STUNMessageType: RawRepresentable, Hashable, Sendable {
  /// The two bytes.
  public var rawValue: UInt16
  /// A type by its two bytes.
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// Bits C1 and C0 of a type.
  public enum Class: UInt16, Sendable {
    case request, indication, success, error
  }

  /// Whether it asks or answers.
  public var messageClass: Class {
    switch rawValue & 0x0110 {
    case 0: .request
    case 0x0010: .indication
    case 0x0100: .success
    default: .error
    }
  }

  /// Bits M11 to M0 of a type.
  public var method: UInt16 { rawValue & 0xf | rawValue >> 1 & 0x70 | rawValue >> 2 & 0xf80 }

  /// A type by method and class.
  public init(method: UInt16, _ messageClass: Class) {
    let high = method << 2 & 0x3e00 | method << 1 & 0x00e0 | method & 0xf
    rawValue = high | (messageClass.rawValue & 1) << 4 | (messageClass.rawValue & 2) << 7
  }

  /// Binding request.
  public static let bindingRequest = STUNMessageType(rawValue: 0x0001)
  /// Binding success response.
  public static let bindingResponse = STUNMessageType(rawValue: 0x0101)
  /// Allocate success response.
  public static let allocateResponse = STUNMessageType(rawValue: 0x0103)
  /// Send indication: data to a peer.
  public static let sendIndication = STUNMessageType(rawValue: 0x0016)
  /// Data indication: data from a peer.
  public static let dataIndication = STUNMessageType(rawValue: 0x0017)

  /// Whether the method is one of TURN's (RFC 8656 and RFC 6062), from Allocate to ConnectionAttempt.
  public var isTURN: Bool {
    switch method {
    case 3, 4, 6...0xc: true
    default: false
    }
  }

  /// Whether a message of RFC 3489 can have it: Binding and Shared Secret, and the TURN before its RFC with Allocate,
  /// Send, Data Indication and Set Active Destination ([MS-TURN], section 2.2.1).
  public var isClassic: Bool {
    switch rawValue {
    case 0x0001...0x0004, 0x0006, 0x0101...0x0104, 0x0106, 0x0111...0x0116: true
    default: false
    }
  }

  /// Whether it is one of WhatsApp's, which have a body of their own behind the header.
  public var isWhatsApp: Bool { (0x0800...0x0805).contains(rawValue) }
}

/// An attribute's number.
public struct STUNAttributeType: RawRepresentable, Hashable, Sendable {
  /// The number.
  public var rawValue: UInt16
  /// An attribute by number.
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  /// MAPPED-ADDRESS.
  public static let mappedAddress = STUNAttributeType(rawValue: 0x0001)
  /// USERNAME.
  public static let username = STUNAttributeType(rawValue: 0x0006)
  /// MAGIC-COOKIE of [MS-TURN].
  public static let magicCookie = STUNAttributeType(rawValue: 0x000f)
  /// DESTINATION-ADDRESS of [MS-TURN].
  public static let destinationAddress = STUNAttributeType(rawValue: 0x0011)
  /// XOR-PEER-ADDRESS; REMOTE-ADDRESS, and not masked, in [MS-TURN].
  public static let xorPeerAddress = STUNAttributeType(rawValue: 0x0012)
  /// DATA.
  public static let data = STUNAttributeType(rawValue: 0x0013)
  /// REALM; NONCE in [MS-TURN], where REALM is 0x0015.
  public static let realm = STUNAttributeType(rawValue: 0x0014)
  /// NONCE; REALM in [MS-TURN].
  public static let nonce = STUNAttributeType(rawValue: 0x0015)
  /// XOR-RELAYED-ADDRESS.
  public static let xorRelayedAddress = STUNAttributeType(rawValue: 0x0016)
  /// REQUESTED-TRANSPORT.
  public static let requestedTransport = STUNAttributeType(rawValue: 0x0019)
  /// XOR-MAPPED-ADDRESS.
  public static let xorMappedAddress = STUNAttributeType(rawValue: 0x0020)
  /// PRIORITY of ICE.
  public static let priority = STUNAttributeType(rawValue: 0x0024)
  /// USE-CANDIDATE of ICE.
  public static let useCandidate = STUNAttributeType(rawValue: 0x0025)
  /// XOR-MAPPED-ADDRESS as it was numbered before its RFC, and in [MS-TURN].
  public static let earlyXORMappedAddress = STUNAttributeType(rawValue: 0x8020)
  /// SOFTWARE.
  public static let software = STUNAttributeType(rawValue: 0x8022)
  /// FINGERPRINT.
  public static let fingerprint = STUNAttributeType(rawValue: 0x8028)
  /// ICE-CONTROLLED.
  public static let iceControlled = STUNAttributeType(rawValue: 0x8029)
  /// ICE-CONTROLLING.
  public static let iceControlling = STUNAttributeType(rawValue: 0x802a)
  /// ORIGIN (draft-ietf-tram-stun-origin).
  public static let origin = STUNAttributeType(rawValue: 0x802f)
  /// GOOG-NETWORK-INFO, which every client with Google's WebRTC library sends, whoever made the application.
  public static let networkInfo = STUNAttributeType(rawValue: 0xc057)
  /// META-DTLS-IN-STUN: a DTLS flight inside a connectivity check.
  public static let dtlsInSTUN = STUNAttributeType(rawValue: 0xc070)

  /// Whether only connectivity checks of ICE have it.
  public var isICE: Bool {
    switch self {
    case .priority, .useCandidate, .iceControlled, .iceControlling: true
    default: false
    }
  }

  /// Whether its value is an address in RFC 3489 or RFC 8489.
  var isAddress: Bool {
    switch rawValue {
    case 0x0001, 0x0002, 0x0004, 0x0005, 0x000b, 0x0020, 0x8020, 0x8023, 0x802b, 0x802c: true
    default: false
    }
  }
}
