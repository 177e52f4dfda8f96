public import Classify
public import Decode

/// What a policy looks for: leaves joined by all, any and not.
public indirect enum Formula: Sendable {
  case leaf(Leaf)
  case all([Formula])
  case any([Formula])
  case not(Formula)

  /// All leaves in it, in the order of the file.
  public var leaves: [Leaf] {
    switch self {
    case .leaf(let leaf): [leaf]
    case .all(let parts), .any(let parts): parts.flatMap(\.leaves)
    case .not(let part): part.leaves
    }
  }
}

extension Formula {
  /// The formula with each leaf replaced.
  func mapped(_ change: (Leaf) -> Leaf) -> Formula {
    switch self {
    case .leaf(let leaf): .leaf(change(leaf))
    case .all(let parts): .all(parts.map { $0.mapped(change) })
    case .any(let parts): .any(parts.map { $0.mapped(change) })
    case .not(let part): .not(part.mapped(change))
    }
  }
}

/// One thing that a box can look for.
public enum Leaf: Sendable {
  /// The server name of a ClientHello over TCP.
  case sni(NameMatch)
  /// The server name of a ClientHello in QUIC Initials.
  case quicSNI(NameMatch)
  /// Whether there is a ClientHello over TCP, in QUIC, in DTLS.
  case hello(Carrier)
  /// An offered application protocol, TCP or QUIC; "apns-*" for a beginning.
  case alpn([String])
  /// A name that is asked for by DNS.
  case dnsName(NameMatch)
  /// The Host of an HTTP/1 request.
  case httpHost(NameMatch)
  /// Addresses of the server.
  case address([AddressPrefix])
  /// Addresses that the catalogue gives an owner.
  case owner(String, [AddressPrefix])
  /// Ports of the server, or of both ends.
  case port([PortRange], isBothEnds: Bool)
  /// TCP or UDP.
  case transport(TransportProtocol)
  /// What the payload is, as in `app_proto`.
  case application([String])
  /// JA3 and JA4 of a hello over TCP; JA4 of one in DTLS or QUIC.
  case ja3([String])
  case ja4([String])
  /// The extension encrypted_server_name, 0xffce; encrypted_client_hello, 0xfe0d.
  case encryptedServerName
  case encryptedClientHello
  /// The version of a QUIC packet, in the first datagram of the client.
  case quicVersion([UInt32])
  /// Bytes of the first payload of the client.
  case firstPayloadLength(ClosedRange<Int>)
  /// The first TCP payload of the client looks like nothing known: Wu et al., USENIX Security 2023.
  case fullyEncrypted(FullyEncryptedTest)
  /// One of the first TCP payloads of the client begins like none of these: Bock et al., FOCI 2020.
  case unrecognised(packets: Int, allowed: [KnownBeginning])
  /// A TLS record of a length, each time anew.
  case record(RecordTest)
  /// A packet of a length, IP header included, each time anew.
  case packet(PacketTest)
  /// A record that a rule learnt from labelled traffic flags, at a share of false alarms.
  case model(ModelTest)
  /// Wiretag's tag, from the packet on at which it stood.
  case tag([Tag])
  /// Wiretag's service, from the packet on at which it stood.
  case service([String])
  /// A record that holds a message of a class or kind, as truth says: "imessage", "imessage.text".
  case message(kinds: [String], direction: PolicyAction.Direction)

  /// What a hello comes in.
  public enum Carrier: String, Sendable, CaseIterable {
    case tcp, quic, dtls
  }

  /// Beginnings that a protocol filter knows.
  public enum KnownBeginning: String, Sendable, CaseIterable {
    case tls, http, dns, ssh
  }
}

/// The exemptions of a test for fully encrypted traffic; what meets none of them is hit.
public struct FullyEncryptedTest: Sendable, Equatable {
  /// Ex1: bits that are set a byte, exempt at or below the first and at or above the second.
  public var lowPopcount = 3.4, highPopcount = 4.6
  /// Ex2: so many first bytes are printable.
  public var printablePrefix = 6
  /// Ex3: more than this part is printable.
  public var printableFraction = 0.5
  /// Ex4: more than so many printable bytes follow each other.
  public var printableRun = 20
  /// Ex5: beginnings of protocols that are let pass.
  public var allowed: [Leaf.KnownBeginning] = [.tls, .http]
  /// The test as measured by Wu et al.
  public init() {}
}

/// A TLS record of application data by its length.
public struct RecordTest: Sendable, Equatable {
  /// Which way.
  public var direction = PolicyAction.Direction.both
  /// Bytes in the record's length field.
  public var lengths: ClosedRange<Int>
  /// Only records with which a segment begins; else also those that begin within one.
  public var isLeading = false
  /// Not in the first so many seconds of a connection.
  public var grace = 0.0

  /// A test of lengths.
  public init(lengths: ClosedRange<Int>) { self.lengths = lengths }
}

/// A packet by its length.
public struct PacketTest: Sendable, Equatable {
  /// Which way.
  public var direction = PolicyAction.Direction.both
  /// Bytes with IP and transport headers.
  public var lengths: ClosedRange<Int>

  /// A test of lengths.
  public init(lengths: ClosedRange<Int>) { self.lengths = lengths }
}

/// A rule that is learnt from labelled traffic.
public struct ModelTest: Sendable, Equatable {
  /// What it looks for and what it must leave alone, as words of `TrafficClass`.
  public var target: String, background: String
  /// Which way.
  public var direction: PolicyAction.Direction
  /// The share of the background that it may flag.
  public var falsePositiveRate: Double
  /// Its bit in `TracePacket.models`, once it was learnt.
  var bit: UInt8?

  /// A model's terms.
  public init(target: String, background: String, direction: PolicyAction.Direction, falsePositiveRate: Double) {
    self.target = target
    self.background = background
    self.direction = direction
    self.falsePositiveRate = falsePositiveRate
  }
}
