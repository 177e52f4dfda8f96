/// How a row of the catalogue is known; the weaker the word, the fewer bits its evidence gives.
public enum Provenance: String, Sendable, CaseIterable, Codable {
  /// The vendor or a standard documents it.
  case vendor
  /// A published paper reports it.
  case paper
  /// Public rule lists, look-ups or captures show it.
  case observed
  /// Working open-source code relies on it.
  case reverseEngineered = "reverse-engineered"
  /// Known from memory; the named document was not read again.
  case recalled
  /// One unverified claim.
  case folklore
}

/// One way in which a service shows itself.
public struct Identifier: Sendable, Equatable {
  /// What kind of observation it is compared with.
  public enum Kind: String, Sendable, CaseIterable, Codable {
    /// A server name and everything below it.
    case sniSuffix = "sni-suffix"
    /// One server name.
    case sniExact = "sni-exact"
    /// An ALPN protocol name, also with `:` and more after it.
    case alpn
    /// Addresses of the server.
    case ipPrefix = "ip-prefix"
    /// A port of the server: weak evidence, never decisive alone.
    case port
    /// The first payload bytes of a side.
    case firstBytes = "first-bytes"
    /// JA3 of the ClientHello.
    case ja3
    /// JA4 of the ClientHello.
    case ja4
    /// An application protocol, as in `app_proto`.
    case `protocol`
    /// An attribute or a message type of STUN: "attr 0x4000", "type 0x0800".
    case stunAttribute = "stun-attribute"
    /// A part of STUN's SOFTWARE, REALM or ORIGIN, in any case of letters.
    case stunText = "stun-text"
    /// What media do, a word of `MediaSign`.
    case media
    /// A program that the capture names: of PKTAP or PCAPdroid, in any case of letters.
    case process
    /// A part of the user agent in QUIC or call signalling, in any case of letters.
    case userAgent = "user-agent"
    /// What no single field shows: lengths, orders, sequences. Listed, not compared.
    case behaviour

    /// Whether flows are compared with it.
    public var isCompared: Bool { self != .behaviour }
    /// Whether it is a name: seen as SNI, certificate name, DNS name or HTTP host.
    public var isName: Bool { self == .sniSuffix || self == .sniExact }
  }

  /// The kind.
  public var kind: Kind
  /// The value: "push.apple.com", "17.249.0.0/16", "tcp client 57 41 06 03".
  public var value: String
  /// Where it is known from.
  public var source: String
  /// When the source was read, as YYYY-MM-DD.
  public var date: String
  /// How well it is known.
  public var provenance: Provenance
  /// What else a reader should know.
  public var note: String?
  /// Ports that the server must have for the row to count; empty for any.
  public var ports: [PortRange] = []
  /// Whether the ports must be those of both ends.
  public var isBothEnds = false
  /// Prefixes that the server must be in for the row to count; empty for any.
  public var within: [AddressPrefix] = []
  /// Factor on the bits of the row; 1 unless the row is known to fit other things too.
  public var weight = 1.0
  /// Other services that show the very same, so that the row cannot tell which it is.
  public var also: [String] = []
}

/// A named thing that flows belong to.
public struct Service: Sendable, Equatable {
  /// Its name.
  public var name: String
  /// What its flows are for.
  public var tag: Tag
  /// What it is, in a sentence.
  public var about: String
  /// What else rides its connections.
  public var carries: [Carried] = []
  /// Whose addresses its servers have; a flow of it elsewhere is a contradiction.
  public var owner: String?
  /// Whether it only hosts what others serve (a content delivery network): its names say nothing of what they carry.
  public var isInfrastructure = false
  /// Whether it is a protocol that many services speak (RTP, SIP): it gives way to a service that has a name.
  public var isGeneric = false
  /// The service that media belong to which go to its names, addresses and programs.
  public var calls: String?
  /// Other services that look the same whenever this one is named.
  public var also: [String] = []
  /// How it shows itself.
  public var identifiers: [Identifier] = []

  /// Values of its identifiers of some kinds.
  public func values(of kinds: Identifier.Kind...) -> [String] {
    identifiers.filter { kinds.contains($0.kind) }.map(\.value)
  }
}

/// Somebody whose address space is known.
public struct Owner: Sendable, Equatable {
  /// The name.
  public var name: String
  /// The address space.
  public var prefixes: [AddressPrefix]
  /// The service, tagged other, that a flow to these addresses belongs to when nothing else names one.
  public var service: String?
  /// Where it is known from.
  public var source: String
  /// When the source was read, as YYYY-MM-DD.
  public var date: String
  /// How well it is known.
  public var provenance: Provenance
}
