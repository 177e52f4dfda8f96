import Bytes
import Classify

/// A policy under a watch.
struct WatchedRule {
  /// The most names that are remembered of false DNS answers; further ones are counted in `namesForgotten`.
  static let maximumNames = 65_536

  let matcher: PolicyMatcher
  /// What its box remembers.
  var box: Box
  /// Whether what is not seen yet, or whom the scope spares, counts.
  let waits: Bool
  /// Whether what it does to a flow may fall on others.
  let remembers: Bool
  let isPoison: Bool
  /// Whether it has met a flow: before, it can have nothing to remember.
  var isArmed = false
  /// Acts beyond those that are told of a flow.
  var actsUntold: UInt64 = 0
  /// Flows that were hit, by service, and how many of them were known at their end only.
  var hits: [String: UInt64] = [:], late: UInt64 = 0
  /// Hit flows by what else they carry.
  var carried: [Carried: UInt64] = [:]
  private(set) var namesForgotten: UInt64 = 0
  private var nameCount = 0
  private var names: [IPAddress: [(name: String, since: Int64)]] = [:]

  init(_ policy: Policy, seed: UInt64) {
    matcher = PolicyMatcher(policy)
    box = Box(matcher, seed: seed)
    waits = policy.match.hasNegation || policy.scope.exceptNames != nil
    let isPoison = if case .poison = policy.action.kind { true } else { false }
    self.isPoison = isPoison
    remembers = policy.action.unit == .flow && (policy.secondStage != nil || policy.residual != nil)
  }

  /// Notes that a client was given false answers to what a flow asks.
  mutating func poison(_ flow: FlowSight) {
    for name in flow.dnsQuestions where matcher.asksFor(name) {
      if let known = names[flow.client], known.contains(where: { $0.name == name }) { continue }
      guard nameCount < Self.maximumNames else {
        namesForgotten &+= 1
        continue
      }
      nameCount += 1
      names[flow.client, default: []].append((name, flow.start))
    }
  }

  /// The name whose false answer would have led a flow elsewhere; nil for none.
  func misleadingName(_ flow: FlowSight) -> String? {
    names[flow.client]?.first { poison in
      poison.since <= flow.start && (flow.learntNames.contains(poison.name) || flow.hello?.serverName == poison.name)
    }?.name
  }

  /// Where it meets a flow, as far as that is certain; nil also where it may yet meet it.
  func match(in flow: WatchedFlow) -> Match? {
    guard let match = matcher.match(in: flow.view.sight), box.isSampled(flow.view.sight) else { return nil }
    guard waits, !flow.isSettled else { return match }
    guard matcher.policy.scope.exceptNames == nil else { return nil }
    let sights = matcher.sights(of: flow.view.sight)
    let moments = Set([1, match.at] + sights.map(\.at).filter { $0 > 0 && $0 < match.at })
    let isCertain = moments.allSatisfy { at in
      matcher.policy.match.truth(at: at, sights, flow.view).map { $0 == (at == match.at) } ?? false
    }
    return isCertain ? match : nil
  }
}
