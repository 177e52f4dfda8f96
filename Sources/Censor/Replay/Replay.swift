import Bytes
import Decode

/// What one policy would have done to one capture.
struct PolicyReplay {
  /// A flow that was hit.
  struct Hit {
    var cause: Box.Cause
    var match: Match?
    var state: Box.FlowState
    /// Whether its service goes on by another way that the policy leaves open.
    var isFallenBack = false
  }

  /// Flows that were hit, by their index in the trace.
  var hits: [Int: Hit] = [:]
  /// What became of the messages whose connections were played again, by their index in the trace; others arrived.
  var fates: [Int: MessageFate] = [:]
  /// Messages that were played again.
  var played: Set<Int> = []
  /// Entries that a memory had no room for.
  var forgotten: UInt64 = 0
}

/// Plays policies over a capture, in packet time.
public struct Replay {
  let matchers: [PolicyMatcher]
  let recovery: RecoveryBook
  /// When rules are switched on; nanoseconds since 1970.
  let begin: Int64
  /// Whether connections that stand then are broken.
  let breaksFirst: Bool
  let seed: UInt64

  /// A replay of policies.
  public init(
    _ policies: [Policy], recovery: RecoveryBook, begin: Int64 = .min, breaksFirst: Bool = false, seed: UInt64 = 1
  ) {
    self.breaksFirst = breaksFirst
    matchers = policies.map { PolicyMatcher($0) }
    self.recovery = recovery
    self.begin = begin
    self.seed = seed
  }

  /// Plays one policy over a trace.
  func play(_ matcher: PolicyMatcher, over trace: Trace, _ index: TraceIndex) -> PolicyReplay {
    var played = PolicyReplay()
    var box = Box(matcher, begin: begin, seed: seed)
    let affected = affectedFlows(matcher, trace, index)
    guard !affected.isEmpty || breaksFirst else { return played }
    var states: [Box.FlowState] = []
    var sights: [[LeafSight]] = []
    let numbers = affected.keys.sorted()
    // Of each flow its place in `states`; -1 for flows that the rule cannot touch.
    var places = [Int32](repeating: -1, count: trace.flows.count)
    for flow in numbers {
      places[flow] = Int32(truncatingIfNeeded: states.count)
      var state = Box.FlowState()
      state.match = affected[flow] ?? nil
      if state.match == nil, case .poison = matcher.policy.action.kind { state.cause = .poison }
      states.append(state)
      if matcher.firesOnPackets { sights.append(matcher.sights(of: trace.flows[flow])) }
    }
    for at in trace.packets.indices where places[Int(trace.packets[at].flow)] >= 0 {
      let packet = trace.packets[at]
      let place = Int(places[Int(packet.flow)])
      let flow = trace.flows[Int(packet.flow)]
      var isFlagged = false
      if matcher.firesOnPackets {
        var flags = PacketFlags()
        flags.messages = index.kinds(at)
        if let match = matcher.holds(sights[place], at: packet, flow, flags) {
          isFlagged = box.isSampled(flow, packet)
          if isFlagged, packet.time >= begin, states[place].match == nil { states[place].match = match }
        }
      }
      _ = box.meet(packet, flow, &states[place], flagged: isFlagged)
    }
    for (flow, state) in zip(numbers, states) where state.isHit {
      var hit = PolicyReplay.Hit(cause: state.cause ?? .match, match: state.match, state: state)
      hit.isFallenBack = goesOn(trace.flows[flow], matcher)
      played.hits[flow] = hit
    }
    played.forgotten = box.forgotten
    playMessages(matcher, box, trace, index, &played)
    return played
  }

  /// Flows that the policy can meet, with the place where it does.
  private func affectedFlows(_ matcher: PolicyMatcher, _ trace: Trace, _ index: TraceIndex) -> [Int: Match?] {
    var affected: [Int: Match?] = [:]
    let policy = matcher.policy
    let box = Box(matcher, seed: seed)
    for (at, outline) in index.outlines.enumerated() where matcher.isPossible(outline) {
      let flow = trace.flows[at]
      if matcher.firesOnPackets {
        if matcher.canFire(in: flow) { affected[at] = .some(nil) }
      } else if let match = matcher.match(in: flow), box.isSampled(flow) {
        affected[at] = match
      }
    }
    if affected.isEmpty { return affected }
    if let key = policy.secondStage?.key ?? policy.residual?.key {
      let keys = Set(affected.keys.map { Box.Key(trace.flows[$0], key) })
      for (at, flow) in trace.flows.enumerated() where affected[at] == nil && keys.contains(Box.Key(flow, key)) {
        affected[at] = .some(nil)
      }
    }
    if case .poison = policy.action.kind { addPoisoned(&affected, matcher, trace) }
    return affected
  }

  /// Flows to the addresses that a poisoned answer would have hidden.
  private func addPoisoned(_ affected: inout [Int: Match?], _ matcher: PolicyMatcher, _ trace: Trace) {
    var names: [IPAddress: [(name: String, since: Int64)]] = [:]
    // What was asked before the rule was switched on got its true answer.
    for (at, match) in affected where match != nil && trace.flows[at].start >= begin {
      let flow = trace.flows[at]
      for name in Set(flow.dnsQuestions) where matcher.asksFor(name) {
        names[flow.client, default: []].append((name, flow.start))
      }
    }
    for (at, flow) in trace.flows.enumerated() where affected[at] == nil {
      guard let poisoned = names[flow.client] else { continue }
      let isLed = poisoned.contains { poison in
        poison.since <= flow.start && (flow.learntNames.contains(poison.name) || flow.hello?.serverName == poison.name)
      }
      if isLed { affected[at] = .some(nil) }
    }
  }

  /// Whether the service of a flow that is hit goes on by another way that the policy leaves open.
  private func goesOn(_ flow: FlowSight, _ matcher: PolicyMatcher) -> Bool {
    switch matcher.policy.action.kind {
    case .throttle, .hold, .poison: return false
    case .drop, .reset, .freeze: break
    }
    // What shows in single records shows on every connection.
    guard !matcher.firesOnPackets, matcher.policy.action.unit == .flow else { return false }
    if let memory = matcher.policy.residual, memory.key == .twoHosts || memory.key == .server { return false }
    if let second = matcher.policy.secondStage, second.key == .server || second.key == .twoHosts { return false }
    return recovery.recovery(of: flow)?.fallbacks?.contains { fallback in
      flow.by(fallback).map { matcher.match(in: $0) == nil } ?? false
    } ?? false
  }

  /// Plays the push connections of each phone again.
  private func playMessages(
    _ matcher: PolicyMatcher, _ box: Box, _ trace: Trace, _ index: TraceIndex, _ played: inout PolicyReplay
  ) {
    for phone in index.phones {
      guard let recovery = recovery.recovery(of: trace.flows[phone.flows[0]]), recovery.patience != nil else {
        continue
      }
      let rule = SessionRule(
        matcher, begin: begin, breaksFirst: breaksFirst, listed: box.listed, handshake: phone.handshake,
        seed: seed)
      var session = PhoneSession(rule: rule, recovery: recovery, end: index.end)
      var isFirst = Set(phone.flows)
      for at in phone.packets {
        let packet = trace.packets[at]
        if isFirst.remove(Int(packet.flow)) != nil { session.connect(trace.flows[Int(packet.flow)], at: packet.time) }
        let letters = index.messages(at).map { message in
          PhoneSession.Letter(
            index: message, time: trace.messages[message].time, packet: packet, message: trace.messages[message])
        }
        session.take(packet, letters)
        for letter in letters { played.played.insert(letter.index) }
      }
      session.finish()
      played.fates.merge(session.fates) { first, _ in first }
    }
  }
}
