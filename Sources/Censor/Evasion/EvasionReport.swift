import Foundation

/// Which boxes still met rewritten hellos, and what Wiretag read of them.
public struct EvasionReport: Sendable, Encodable {
  /// A hello that was recorded.
  public struct Hello: Sendable, Encodable, Equatable {
    /// Where it comes from.
    public var capture: String, flow: UInt64
    /// TCP or QUIC.
    public var carrier: RecordedHello.Carrier
    /// Its server name; nil where none was sent.
    public var serverName: String?
    /// JA4 of the stack that made it.
    public var stack: String
    /// Address and port of the server.
    public var server: String
    /// Bytes of the message.
    public var length: Int
    /// How Wiretag tags the flow when it is sent as recorded.
    public var tag: String, service: String?
  }

  /// A way of sending, and what Wiretag's own parser read.
  public struct RewriteResult: Sendable, Encodable, Equatable {
    /// Which way.
    public var rewrite: Rewrite
    /// Its words.
    public var title: String, sentence: String, source: String
    /// Whether a server reads the hello.
    public var isReadByServers: Bool
    /// Hellos that could be sent like this, and those that could not.
    public var tried = 0, notApplicable = 0
    /// Of those tried: hellos whose name, or lack of one, Wiretag read as a server does; and whose tag and service
    /// stayed as with the hello as recorded.
    public var read = 0, sameVerdict = 0
    /// Where Wiretag differs: a sentence each, at most `maximumFindings`.
    public var findings: [String] = []
    /// The most findings that are kept of a way.
    public static let maximumFindings = 8
  }

  /// A policy that looks at hellos, names or first bytes.
  public struct PolicyRow: Sendable, Encodable, Equatable {
    /// Its name and title.
    public var name: String, title: String
    /// Where the rule is known from, and how well.
    public var source: String, standing: String
    /// What its box can put together.
    public var abilities: String
    /// Whether the recorded names were put in the place of its own: none of the hellos met it as it is.
    public var isAimed: Bool
    /// Hellos as recorded that it meets.
    public var matched: Int
  }

  /// What a policy made of a way.
  public struct Outcome: Sendable, Encodable, Equatable {
    /// Hellos that it met as recorded and that could be sent like this, and those of them that it still met.
    public var of = 0, matched = 0
    /// Hellos that it did not meet as recorded and met now.
    public var new = 0
    /// Nothing.
    public init() {}
  }

  /// The captures that were read.
  public var captures: [String] = []
  /// The hellos.
  public var hellos: [Hello] = []
  /// Hellos like one of those, and hellos and flows that the caps cost.
  public var repeatedHellos = 0, hellosNotKept = 0
  /// One row a way.
  public var rewrites: [RewriteResult] = []
  /// One row a policy.
  public var policies: [PolicyRow] = []
  /// Policies that look at nothing that a rewrite changes.
  public var otherPolicies = 0
  /// By way, then by policy.
  public var outcomes: [[Outcome]] = []
  /// What needs a network, and why.
  public var notTried: [String] = []
  /// What the figures do not say.
  public var limits: [String] = []
  /// A report of nothing.
  public init() {}

  /// The outcome of a policy by its name; nil where there is none.
  public func outcome(_ rewrite: Rewrite, _ policy: String) -> Outcome? {
    guard let row = rewrites.firstIndex(where: { $0.rewrite == rewrite }), outcomes.indices.contains(row),
      let column = policies.firstIndex(where: { $0.name == policy }), outcomes[row].indices.contains(column)
    else { return nil }
    return outcomes[row][column]
  }

  /// What Wiretag read of a way; nil where the report has none of it.
  public func result(_ rewrite: Rewrite) -> RewriteResult? { rewrites.first { $0.rewrite == rewrite } }

  /// Whether Wiretag read everything that a server would.
  public var isReadWhole: Bool { rewrites.allSatisfy { !$0.isReadByServers || $0.read == $0.tried } }

  /// The report as one JSON object, keys in the order of the alphabet.
  public func json() -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else { return [] }
    return Array(data) + [UInt8(ascii: "\n")]
  }

  /// What every reader must know.
  static let limits = [
    "A way that a policy no longer meets says something about this model of a box, with the source that the policy "
      + "names. It is no statement about a box in the field.",
    "Whether a server accepts a rewritten hello was not tested. Some refuse names with a dot at the end, hellos in "
      + "many records, or any hello without a name.",
    "Each hello was sent over a made-up connection: a handshake, the hello, one acknowledgment. The server's address "
      + "and both ports are as recorded, the client's address is not.",
  ]
}
