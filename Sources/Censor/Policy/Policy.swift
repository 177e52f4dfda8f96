public import Classify

// Censor may hold: a censor's rules, what they would have done to recorded or live traffic, and whom else they hit. It
// says what would have happened; nothing here sends or blocks.

/// A censor's rule with the box that carries it out: what it looks for, what it does, and what it remembers.
public struct Policy: Sendable {
  /// Its name in options and records: "tspu-sni-1".
  public var name: String
  /// A few words for a table.
  public var title: String
  /// A sentence or two: what the rule does, and what of it is assumed.
  public var about: String
  /// Family by which tables group it: "Russia", "China", "Iran", "Apple", "calls", "shape", "perfect".
  public var group: String
  /// What it is meant to hit, as words of `Column.key`; empty where the rule itself says whom: a list of names.
  public var target: [String]
  /// Where the rule is known from; for rules that nobody is known to use: why it is asked about.
  public var source: String
  /// When the source was read, as YYYY-MM-DD.
  public var date: String
  /// How well it is known.
  public var standing: Standing
  /// Its entry in the list of censors with published parameters; nil where there is none.
  public var fact: String?
  /// What it looks for.
  public var match: Formula
  /// Where it applies at all.
  public var scope = Scope()
  /// What the box can do.
  public var box = BoxAbilities()
  /// What it does.
  public var action: PolicyAction
  /// What it goes on doing after a hit.
  public var residual: Residual?
  /// The second stage of a rule that first only recognises; nil for a rule that acts itself.
  public var secondStage: SecondStage?
  /// The part of matches on which it acts, 0 to 1.
  public var probability = 1.0
  /// Line of the file where it begins; nil for one that was made in a program.
  public var line: Int?

  /// A policy.
  public init(
    name: String, title: String, about: String, group: String, target: [String] = [], source: String, date: String,
    standing: Standing, fact: String? = nil, match: Formula, action: PolicyAction
  ) {
    self.name = name
    self.title = title
    self.about = about
    self.group = group
    self.target = target
    self.source = source
    self.date = date
    self.standing = standing
    self.fact = fact
    self.match = match
    self.action = action
  }

  /// How well a rule is known.
  public enum Standing: String, Sendable, CaseIterable {
    /// A published measurement.
    case paper
    /// A corpus extracted from papers, not read again.
    case corpus
    /// Field reports.
    case field
    /// Leaked or taught material.
    case lecture
    /// Nobody is known to use it: what if?
    case hypothetical
  }
}

/// Where a policy applies at all.
public struct Scope: Sendable {
  /// Only flows with the server in these prefixes; empty for all.
  public var prefixes: [AddressPrefix] = []
  /// Only flows with these server ports; empty for all.
  public var ports: [PortRange] = []
  /// Never flows with the server in these prefixes.
  public var exceptPrefixes: [AddressPrefix] = []
  /// Never flows with a server name, in TLS or QUIC, under these names.
  public var exceptNames: NameMatch?
  /// Only flows whose client port is above the server's (GFW and QUIC: Zohaib et al., USENIX Security 2025).
  public var needsSourcePortAboveDestination = false
  /// A scope of everything.
  public init() {}
}

/// What the box can do.
public struct BoxAbilities: Sendable, Equatable {
  /// Whether it puts TCP segments together before it looks for a hello.
  public var reassemblesSegments = true
  /// Whether it puts TLS records together before it looks for a hello.
  public var reassemblesRecords = false
  /// The most fragments of an IP datagram that it puts together; 0 for none.
  public var maximumFragments = 45
  /// Whether it opens QUIC Initials.
  public var opensQUIC = false
  /// Whether it puts CRYPTO frames of several packets together.
  public var reassemblesCrypto = false
  /// Only the first so many packets with payload of a flow are looked at; nil for all.
  public var inspectedPackets: Int?
  /// Seconds of silence after which it has forgotten a flow and takes what follows for a new one; nil for never.
  public var flowMemory: Double?
  /// Whether it also judges flows whose beginning it did not see.
  public var judgesMidstream = true
  /// Where it stands.
  public var position = Position.inPath
  /// Abilities of a box that reads whole hellos in TCP.
  public init() {}

  /// Where a box stands.
  public enum Position: String, Sendable, CaseIterable {
    /// Packets pass through it: it can drop, change and hold them.
    case inPath = "in-path"
    /// It gets copies: it can only inject.
    case onPath = "on-path"
  }
}

/// What a policy does to what it matches.
public struct PolicyAction: Sendable, Equatable {
  /// What becomes of packets.
  public enum Kind: Sendable, Equatable {
    /// They vanish.
    case drop
    /// The connection ends by a reset: rewritten from a packet of the server, or injected beside the packets.
    case reset(isInjected: Bool)
    /// They pass at so many bytes a second.
    case throttle(bytesPerSecond: Double)
    /// Once the flow has carried so many packets or bytes, both directions counted, nothing passes any more.
    case freeze(packets: Int?, bytes: Int?)
    /// Each is kept for so many seconds.
    case hold(seconds: Double)
    /// The answer to a DNS query says something else.
    case poison
  }

  /// Which packets it applies to.
  public enum Unit: String, Sendable, CaseIterable {
    /// From the match on, everything of the flow.
    case flow
    /// Each packet that matches, for itself, and its copies.
    case packet
  }

  /// Which way.
  public enum Direction: String, Sendable, CaseIterable {
    case both, up, down
  }

  /// What becomes of packets.
  public var kind: Kind
  /// Which packets it applies to.
  public var unit = Unit.flow
  /// Which way.
  public var direction = Direction.both
  /// Packets behind the matching one that still pass: one of these numbers, by the flow.
  public var passes: ClosedRange<Int>?
  /// Whether the matching packet itself is hit.
  public var hitsTrigger = true
  /// Seconds between the match and the act.
  public var delay = 0.0
  /// Whether a copy of a hit packet passes; else all copies are hit, and the stream stands still.
  public var copiesPass = false

  /// An action of a kind.
  public init(_ kind: Kind) { self.kind = kind }
}

/// What a policy goes on doing after a hit.
public struct Residual: Sendable, Equatable {
  /// What is remembered.
  public enum Key: String, Sendable, CaseIterable {
    /// Both addresses, both ports, transport.
    case fiveTuple = "5-tuple"
    /// Client, server, server's port, transport.
    case threeTuple = "3-tuple"
    /// Client and server.
    case twoHosts = "client-server"
    /// Server and its port.
    case serverPort = "server-port"
    /// The server.
    case server
  }

  /// What starts the time again.
  public enum Restart: String, Sendable, CaseIterable {
    case never
    /// Another match.
    case match
    /// Any packet with the key.
    case packet
  }

  /// How long.
  public var seconds: Double
  /// What is remembered.
  public var key: Key
  /// What starts the time again.
  public var restart = Restart.match

  /// A memory.
  public init(seconds: Double, key: Key) {
    self.seconds = seconds
    self.key = key
  }
}

/// The second stage of a rule that first only recognises: addresses go to a list, and later all to them is hit.
public struct SecondStage: Sendable, Equatable {
  /// Seconds from a match to the list's being in force.
  public var delay: Double
  /// What the list holds.
  public var key = Residual.Key.serverPort
  /// Seconds for which an entry stays; nil for ever.
  public var seconds: Double?

  /// A stage after a delay.
  public init(delay: Double) { self.delay = delay }
}
