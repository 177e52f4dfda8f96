import Bytes

/// Plays policies over captures and counts what each would have hit.
public struct CollateralMaker {
  /// A message and what became of it under a policy, for listings.
  public struct ListedMessage {
    /// Name of the policy and of the capture.
    public var policy: String, capture: String
    /// The connection.
    public var flow: FlowSight
    /// The message.
    public var message: TraceMessage
    /// What became of it.
    public var fate: MessageFate
  }

  private let policies: [Policy]
  private let replay: Replay
  private let recovery: RecoveryBook
  private let listing: ((ListedMessage) -> Void)?
  private var tallies: [PolicyTally]
  private var traffic = TrafficTally()

  /// A maker that has seen nothing.
  /// - Parameters:
  ///   - policies: what is played.
  ///   - recovery: what services do when they are cut.
  ///   - begin: when the rules are switched on; nanoseconds since 1970.
  ///   - breaksFirst: whether push connections that stand then are broken, so that phones have to say hello again.
  ///   - seed: from what random choices are drawn.
  ///   - listing: takes every message on a push connection with its fate; nil for nobody.
  public init(
    _ policies: [Policy], recovery: RecoveryBook, begin: Int64 = .min, breaksFirst: Bool = false, seed: UInt64 = 1,
    listing: ((ListedMessage) -> Void)? = nil
  ) {
    self.policies = policies
    self.recovery = recovery
    self.listing = listing
    replay = Replay(policies, recovery: recovery, begin: begin, breaksFirst: breaksFirst, seed: seed)
    tallies = policies.map { _ in PolicyTally() }
  }

  /// Plays all policies over a capture.
  public mutating func add(_ trace: Trace) {
    let index = TraceIndex(trace)
    let places = traffic.add(trace, index)
    for (at, matcher) in replay.matchers.enumerated() {
      let played = replay.play(matcher, over: trace, index)
      tallies[at].add(played, matcher, trace, places)
      if let listing { list(played, policies[at].name, trace, index, listing) }
    }
  }

  private func list(
    _ played: PolicyReplay, _ policy: String, _ trace: Trace, _ index: TraceIndex, _ listing: (ListedMessage) -> Void
  ) {
    let flows = Set(index.phones.flatMap(\.flows))
    for (at, message) in trace.messages.enumerated() where flows.contains(Int(message.flow)) {
      // A rule that can touch none of a capture's flows was not played, and everything arrived.
      let fate = played.played.contains(at) ? played.fates[at] ?? MessageFate(delay: nil) : MessageFate(delay: 0)
      listing(
        ListedMessage(
          policy: policy, capture: trace.name, flow: trace.flows[Int(message.flow)], message: message, fate: fate))
    }
  }

  /// What was counted.
  public func collateral() -> Collateral {
    var result = Collateral()
    (result.captures, result.policies) = (traffic.captures, policies)
    (result.flows, result.packets, result.bytes) = (traffic.flows, traffic.packets, traffic.bytes)
    (result.messages, result.phones) = (traffic.messages, UInt64(traffic.phones))
    let order = traffic.order()
    result.columns = order.map(\.column)
    for (at, policy) in policies.enumerated() {
      result.results.append(tallies[at].result(at, policy, order, traffic))
    }
    result.frontiers = Frontier.all(of: result)
    result.assumptions = assumptions(result)
    result.notices = notices()
    return result
  }

  private func assumptions(_ result: Collateral) -> [String] {
    var sentences = [
      "A flow that a rule would have cut is counted from the packet at which the box would have acted; what the capture shows behind it would not have come.",
      "A client that is cut and simply tries the same again is taken to be hit again; rules that act on a part of what they meet are drawn once for each flow.",
    ]
    let services = Set(traffic.services)
    let applications = Set(traffic.applications)
    for entry in recovery.services {
      let isThere =
        entry.service.map(services.contains) ?? false || entry.application.map(applications.contains) ?? false
      if isThere {
        sentences.append("\(entry.service ?? entry.application ?? ""): \(entry.about) Source: \(entry.source)")
      }
    }
    return sentences
  }

  private func notices() -> [String] {
    var notices: [String] = []
    if traffic.packetsNotKept > 0 {
      notices.append("\(traffic.packetsNotKept) packets were beyond the \(Trace.maximumPackets) that are kept")
    }
    for (at, tally) in tallies.enumerated() where tally.forgotten > 0 {
      notices.append("\(policies[at].name): its memory was full and lost \(tally.forgotten) entries")
    }
    return notices
  }
}
