public import Bytes
public import Classify
public import Decode

/// What a policy would do to a flow, as it is told while the flow goes on.
public struct PolicyAct: Sendable {
  /// Why it would.
  public enum Cause: String, Sendable, CaseIterable {
    /// The flow meets the policy.
    case match
    /// The box remembers an earlier flow.
    case residual
    /// Its address was listed by the first stage.
    case list
    /// Its name's DNS answer would have been false.
    case poison
  }

  /// The policy.
  public var policy: String
  /// The action in a word: "drop", "reset", "throttle", "freeze", "hold", "poison".
  public var action: String
  /// What it would do, in words: "would hold 3 s".
  public var words: String
  /// Why it would.
  public var cause: Cause
  /// The matcher that decided, in words, and what it met; "" where there is no single value.
  public var matcher: String, value: String
  /// Nanoseconds since 1970 of the packet, and its number in the flow from 1.
  public var time: Int64, packet: Int
  /// The packet at which that was known, where it is a later one.
  public var knownAt: Int?
  /// Whether it was known at the end of the flow only: a box that knows no more than Wiretag would not have acted.
  public var isLate = false
  /// The flow's number in the run.
  public var flow: UInt64
  /// Its ends.
  public var client: IPAddress, server: IPAddress
  /// Their ports.
  public var clientPort: UInt16, serverPort: UInt16
  /// TCP or UDP.
  public var transport: TransportProtocol
  /// The verdict; nil where it does not stand yet.
  public var tag: Tag?
  /// The service; nil where none is known.
  public var service: String?
  /// What else is on the connection, and would go with it.
  public var carries: [Carried] = []
}

extension PolicyAct.Cause {
  init(_ cause: Box.Cause) {
    switch cause {
    case .match: self = .match
    case .residual: self = .residual
    case .list: self = .list
    case .poison: self = .poison
    }
  }
}

extension Policy {
  /// The action in a word.
  var actionWord: String {
    switch action.kind {
    case .drop: "drop"
    case .reset: "reset"
    case .throttle: "throttle"
    case .freeze: "freeze"
    case .hold: "hold"
    case .poison: "poison"
    }
  }

  /// What it would do to a flow that it meets.
  func conditional(_ cause: PolicyAct.Cause) -> String {
    switch action.kind {
    case .drop: "would drop"
    case .reset: "would reset"
    case .throttle(let rate): "would slow to \(PolicyFile.figure(rate)) bytes a second"
    case .freeze: "would freeze"
    case .hold(let seconds): "would hold \(PolicyFile.figure(seconds)) s"
    case .poison: cause == .poison ? "would have led elsewhere" : "would answer falsely"
    }
  }

  /// The past of it, for a summary: "would have dropped".
  var conditionalPerfect: String {
    switch action.kind {
    case .drop: "would have dropped"
    case .reset: "would have reset"
    case .throttle: "would have slowed"
    case .freeze: "would have frozen"
    case .hold: "would have held up"
    case .poison: "would have led astray"
    }
  }
}
