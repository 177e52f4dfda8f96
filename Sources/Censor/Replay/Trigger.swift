/// Whether and where a policy meets a flow.
public enum Trigger {
  /// Where a policy first meets a flow; nil where it never does. What is about single packets counts nowhere here.
  public static func match(of policy: Policy, in flow: FlowSight) -> Match? { PolicyMatcher(policy).match(in: flow) }
}
