public import Bytes

/// What STUN and TURN messages of a flow say.
public struct STUNFacts: Sendable, Equatable {
  /// Messages read.
  public var messages: UInt32 = 0
  /// Whether the messages are those of RFC 3489, without the magic cookie.
  public var isClassic = false
  /// Message types that no registry names (the vendors' own), and those that it names, as on the wire, in order of
  /// appearance; at most `STUNFacts.maximumTypes`.
  public var messageTypes: [UInt16] = []
  /// Attribute types in order of appearance; at most `STUNFacts.maximumAttributes`.
  public var attributes: [UInt16] = []
  /// SOFTWARE, cleaned for display.
  public var software: String?
  /// REALM, cleaned for display.
  public var realm: String?
  /// ORIGIN, cleaned for display.
  public var origin: String?
  /// Whether connectivity checks of ICE were seen (RFC 8445: PRIORITY, USE-CANDIDATE, ICE-CONTROLLED/CONTROLLING).
  public var hasICE = false
  /// Whether the client asked for an address at a relay (RFC 8656), or data went through one.
  public var hasTURN = false
  /// Whether data went through a channel of a relay (RFC 8656, section 12).
  public var hasChannelData = false
  /// Whether messages came in Microsoft's multiplexed TURN ([MS-TURN], section 2.2.3).
  public var isMultiplexed = false
  /// Whether a FINGERPRINT fitted its message (RFC 8489, section 14.7).
  public var hasFingerprint = false
  /// Where the other side sees the client (XOR-MAPPED-ADDRESS, MAPPED-ADDRESS).
  public var mapped: Endpoint?
  /// The address at the relay (XOR-RELAYED-ADDRESS).
  public var relayed: Endpoint?
  /// Peers behind the relay (XOR-PEER-ADDRESS), at most `STUNFacts.maximumPeers`.
  public var peers: [Endpoint] = []
  /// The most message types, attributes and peers that are kept.
  public static let maximumTypes = 16, maximumAttributes = 48, maximumPeers = 16
  /// Facts of nothing.
  public init() {}
}
