public import Classify

/// What a policy would have hit of the flows that a watch saw end.
public struct PolicyCount: Sendable {
  /// The policy.
  public var policy: Policy
  /// Flows that it would have hit, of all.
  public var flows = Share()
  /// How many of them were known at their end only.
  public var late: UInt64 = 0
  /// Services of which it would have hit a flow, the most first; flows of no known service go by their transport.
  public var services: [(name: String, flows: Share)] = []
  /// What else the hit connections carry, and on how many of them, the most first.
  public var carried: [(what: Carried, flows: UInt64)] = []

  init(policy: Policy) { self.policy = policy }
}
