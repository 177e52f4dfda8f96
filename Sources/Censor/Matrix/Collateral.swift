/// Something that a rule can hit: the flows of a service, or messages of a kind.
public struct Column: Sendable, Hashable {
  /// What it counts.
  public enum Kind: String, Sendable, CaseIterable {
    /// Flows of a service.
    case flows
    /// Messages that truth knows.
    case messages
  }

  /// Its word in options and records: "apns", "imessage-sent", "notifications".
  public var key: String
  /// Its name for people: "iMessage, sent".
  public var name: String
  /// By what it is grouped: "Apple", "messengers", "calls", "push", "other".
  public var group: String
  /// What it counts.
  public var kind: Kind

  /// A column.
  public init(key: String, name: String, group: String, kind: Kind) {
    self.key = key
    self.name = name
    self.group = group
    self.kind = kind
  }
}

/// A part of a whole, both counted.
public struct Share: Sendable, Equatable {
  /// How many of how many.
  public var part: UInt64, whole: UInt64
  /// So many of so many.
  public init(_ part: UInt64 = 0, of whole: UInt64 = 0) {
    self.part = part
    self.whole = whole
  }

  /// 0 to 1; nil of nothing.
  public var value: Double? { whole == 0 ? nil : Double(part) / Double(whole) }
}

/// What a policy does to a column.
public struct Cell: Sendable, Equatable {
  /// By what its figure is known.
  public enum Basis: String, Sendable, CaseIterable {
    /// Messages that truth knows, through the replay's model of what a phone does when it is cut.
    case messages
    /// Flows that a truth file names.
    case truth = "flows by truth"
    /// Flows as Wiretag judges them.
    case verdict = "flows by verdict"
  }

  /// One matcher that hit, how often, and on what: "sni suffix push.apple.com", 4 flows, "1-courier.push.apple.com".
  public struct Reason: Sendable, Equatable {
    /// The matcher in words.
    public var matcher: String
    /// Flows or messages that it hit.
    public var count: UInt64
    /// Values that it met, at most `maximumExamples`.
    public var examples: [String]
    /// The most examples that are kept.
    public static let maximumExamples = 4

    /// A reason.
    public init(matcher: String, count: UInt64, examples: [String]) {
      self.matcher = matcher
      self.count = count
      self.examples = examples
    }
  }

  /// By what `hit` is known; nil where the traffic has nothing of the column.
  public var basis: Basis?
  /// Flows that are cut, degraded or never begin; those that go on by a fallback are not among them.
  public var flows = Share()
  /// Flows that are cut but whose service is known to go on in another way.
  public var fallenBack: UInt64 = 0
  /// Calls and other groups of flows of which one is hit.
  public var conversations = Share()
  /// Bytes that do not arrive.
  public var bytes = Share()
  /// Messages that never arrive, and that arrive more than a second late.
  public var lost = Share(), late = Share()
  /// Clients' addresses of which something is hit.
  public var phones = Share()
  /// What hit, most first.
  public var reasons: [Reason] = []
  /// Names of other columns whose traffic shares what was hit on: "APNs carries notifications, FaceTime ringing".
  public var sharedWith: [String] = []
  /// A cell of nothing.
  public init() {}

  /// The share that is hit: of messages (lost or late) where truth knows them, else of flows; nil where there is none.
  public var hit: Double? {
    switch basis {
    case nil: nil
    case .messages: Share(lost.part + late.part, of: lost.whole).value
    case .truth, .verdict: flows.value
    }
  }
}

/// What one policy does to everything.
public struct PolicyResult: Sendable {
  /// The policy: an index into `Collateral.policies`.
  public var policy: Int
  /// One cell a column.
  public var cells: [Cell]
  /// The share of its target that is hit, the mean over the target's columns; nil where the traffic has none of it.
  public var target: Double?
  /// The mean over all other columns that the traffic has, each counted alike.
  public var collateral: Double?
  /// Notifications lost or late for each iMessage lost or late; nil where no iMessage is hit.
  public var notificationsPerIMessage: Double?
  /// Clients' addresses of which something is hit.
  public var phones = Share()
  /// Flows hit of all.
  public var flows = Share()
  /// What a reader should know: "no flow of this traffic could fire it".
  public var notes: [String] = []

  /// A result of nothing.
  public init(policy: Int, cells: [Cell]) {
    self.policy = policy
    self.cells = cells
  }
}

/// For one target: what hitting it costs others, policy by policy.
public struct Frontier: Sendable {
  /// A policy on it.
  public struct Point: Sendable, Equatable {
    /// Index into `Collateral.policies`.
    public var policy: Int
    /// Share of the target hit, and mean share of everything else.
    public var hit: Double, collateral: Double
    /// Whether no other policy hits as much for less.
    public var isBest: Bool
  }

  /// The target: a column's key.
  public var target: String
  /// All policies that could be judged.
  public var points: [Point]

  /// A frontier.
  public init(target: String, points: [Point]) {
    self.target = target
    self.points = points
  }
}

/// The collateral matrix: policies by columns, over some captures.
public struct Collateral: Sendable {
  /// Names of the captures.
  public var captures: [String] = []
  /// What was in them.
  public var flows: UInt64 = 0, packets: UInt64 = 0, bytes: UInt64 = 0, messages: UInt64 = 0, phones: UInt64 = 0
  /// The columns that the traffic has.
  public var columns: [Column] = []
  /// The policies, in their order.
  public var policies: [Policy] = []
  /// One result a policy.
  public var results: [PolicyResult] = []
  /// One frontier a target of interest.
  public var frontiers: [Frontier] = []
  /// How cut services were taken to recover: sentences for a reader.
  public var assumptions: [String] = []
  /// What a reader should know.
  public var notices: [String] = []
  /// The command as a person would type it again.
  public var command = ""
  /// A matrix of nothing.
  public init() {}

  /// A cell by a policy's name and a column's key.
  public func cell(_ policy: String, _ column: String) -> Cell? {
    guard let row = results.firstIndex(where: { policies[$0.policy].name == policy }),
      let at = columns.firstIndex(where: { $0.key == column })
    else { return nil }
    return results[row].cells.indices.contains(at) ? results[row].cells[at] : nil
  }
}
