import Bytes
import Classify
import Decode
public import Engine
import Protocols
public import Report

/// Policies that look on while packets come: says what each would do to whom, and does nothing.
///
/// It decides as the replay does, from what is known at each packet. What is told of a flow later, as by its hello, is
/// compared with its first packets, which are held until then. What the box remembers of it for others therefore begins
/// when it is known: flows beside it are hit some packets later than in a replay, or not where they are over. Packets count
/// as they come, where a replay puts them in the order of their times; where a service goes on by another way is the
/// replay's to say. Used from one thread.
public final class PolicyWatch {
  /// The most flows that are watched at a time; what begins beyond it is counted in `limits` and not watched.
  public static let maximumFlows = 131_072
  /// The most packets that are held for all flows together, in 32 bytes each; what is not held is counted in `limits`.
  public static let maximumHeldPackets = 1 << 20
  /// The most acts of one policy that are told of a flow; further ones are counted in `limits`.
  public static let maximumActs = 64
  /// Nanoseconds for which an act waits for its flow's verdict before it is told without.
  public static let patience: Int64 = 1_000_000_000

  private var rules: [WatchedRule]
  private let tell: (PolicyAct) -> Void
  /// Whether some rule rests on the analysis, on verdicts, on names in DNS.
  private let needsAnalysis: Bool, needsVerdicts: Bool, needsQuestions: Bool
  private var flows: [UInt64: WatchedFlow] = [:]
  /// The newest flow's number.
  private var newest: UInt64 = 0
  /// A decision that comes with a flow's first packet, before it.
  private var early: FlowEvent?
  private var heldPackets = 0
  /// Flows with acts that wait, and since when, from `queueStart` on.
  private var queue: [(flow: UInt64, time: Int64)] = []
  private var queueStart = 0
  private var flowsByService: [String: UInt64] = [:]
  private var (flowsNotWatched, packetsNotHeld): (UInt64, UInt64) = (0, 0)

  /// A watch for policies.
  /// - Parameters:
  ///   - policies: what is watched for.
  ///   - seed: from what random choices are drawn.
  ///   - tell: takes each act as it happens.
  /// - Throws: `PolicyError` for policies that need to be told what messages are.
  public init(_ policies: [Policy], seed: UInt64 = 1, tell: @escaping (PolicyAct) -> Void) throws(PolicyError) {
    let blind = policies.filter { $0.match.leaves.contains(where: \.needsTruth) }.map(\.name)
    guard blind.isEmpty else {
      let (verb, object) = blind.count == 1 ? ("needs", "it") : ("need", "them")
      throw PolicyError(
        "\(blind.joined(separator: " and ")) \(verb) truth of what is in which record, and a link has none: leave \(object) "
          + "out, or play \(object) over a capture with wiretag censor")
    }
    rules = policies.map { WatchedRule($0, seed: seed) }
    self.tell = tell
    let leaves = policies.flatMap(\.match.leaves)
    let poisons = rules.contains(where: \.isPoison)
    let spares = policies.contains { $0.scope.exceptNames != nil }
    needsAnalysis = poisons || spares || leaves.contains(where: \.needsAnalysis)
    needsVerdicts = leaves.contains(where: \.needsVerdict)
    needsQuestions = leaves.contains {
      if case .dnsName = $0 { true } else { false }
    }
  }

  /// Takes a packet, after the decision that it brought.
  public func visit(_ visit: PacketVisit, _ payload: RawSpan) {
    advance(to: visit.time)
    guard let flow = flow(of: visit, payload) else { return }
    let payloads = flow.view.sight.payloads.count
    let packet = flow.view.see(visit, payload)
    flow.current = Int(packet.ordinal)
    if flow.view.sight.payloads.count > payloads || flow.packets + 1 == WatchedFlow.maximumHeldPackets {
      flow.hasNews = true
    }
    if needsQuestions, asks(visit), flow.view.takeQuestions(payload) { flow.hasNews = true }
    if flow.hasNews { judge(flow) }
    for place in flow.standings.indices { meet(packet, flow, place) }
    meetMemory(packet, flow)
    let canHold = needsAnalysis && (!flow.isDecided || needsVerdicts)
    if flow.keep(packet, canHold: canHold && heldPackets < Self.maximumHeldPackets) {
      heldPackets += 1
    } else if canHold, heldPackets >= Self.maximumHeldPackets {
      packetsNotHeld &+= 1
    }
  }

  /// Takes what is decided of a flow that goes on.
  public func decided(_ event: FlowEvent) {
    guard let flow = flows[event.id] else {
      if event.id > newest { early = event }
      return
    }
    take(event, flow)
  }

  /// Takes the end of a flow.
  public func ended(_ event: FlowEvent) {
    guard let flow = flows.removeValue(forKey: event.id) else { return }
    flow.isEnded = true
    take(event, flow)
    judge(flow)
    tellWaiting(flow)
    heldPackets -= flow.release()
    count(flow)
  }

  /// Tells what has waited long enough for a verdict.
  /// - Parameter time: now, in nanoseconds since 1970.
  public func advance(to time: Int64) {
    while queueStart < queue.count, time.nanoseconds(since: queue[queueStart].time) >= Self.patience {
      if let flow = flows[queue[queueStart].flow] { tellWaiting(flow) }
      queueStart += 1
    }
    guard queueStart > 0, queueStart == queue.count || queueStart >= 4_096 else { return }
    queue.removeFirst(queueStart)
    queueStart = 0
  }

  private func flow(of visit: PacketVisit, _ payload: borrowing RawSpan) -> WatchedFlow? {
    if let flow = flows[visit.flow] { return flow }
    guard visit.flow > newest else { return nil }
    newest = visit.flow
    defer { early = nil }
    guard flows.count < Self.maximumFlows else {
      flowsNotWatched &+= 1
      return nil
    }
    let flow = WatchedFlow(FlowView(visit, payload))
    flows[visit.flow] = flow
    if let early, early.id == visit.flow { take(early, flow) }
    return flow
  }

  private func take(_ event: FlowEvent, _ flow: WatchedFlow) {
    flow.view.take(event)
    flow.isDecided = true
    flow.hasNews = true
  }

  private func asks(_ visit: PacketVisit) -> Bool {
    visit.transport == .udp && visit.payloadLength > 0
      && NameResolution.application(visit.client.port, visit.server.port) != nil
  }

  // What is known of a flow

  /// Asks every policy whether it meets a flow by what is known now.
  private func judge(_ flow: WatchedFlow) {
    flow.hasNews = false
    let outline = FlowOutline(flow.view.sight)
    for rule in rules.indices {
      if rules[rule].isPoison { lead(rule, flow) }
      guard rules[rule].matcher.isPossible(outline) else { continue }
      if rules[rule].matcher.firesOnPackets { arm(rule, flow) } else { match(rule, flow) }
    }
    if flow.isDecided { tellWaiting(flow) }
    if flow.isDecided, !needsVerdicts, !flow.isEnded { heldPackets -= flow.release() }
  }

  private func match(_ rule: Int, _ flow: WatchedFlow) {
    let known = flow.standings.firstIndex { $0.rule == rule }
    if let known, flow.standings[known].state.match != nil {
      if rules[rule].isPoison { rules[rule].poison(flow.view.sight) }
      return
    }
    guard let match = rules[rule].match(in: flow) else { return }
    rules[rule].isArmed = true
    if rules[rule].isPoison { rules[rule].poison(flow.view.sight) }
    if let known {
      // It is under the rule already, by what the box remembers.
      flow.standings[known].state.match = match
      return
    }
    var standing = Standing(rule: rule)
    standing.state.match = match
    flow.standings.append(standing)
    catchUp(flow.standings.count - 1, flow)
  }

  /// Readies a rule on single packets.
  private func arm(_ rule: Int, _ flow: WatchedFlow) {
    guard !rules[rule].waits || flow.isSettled, rules[rule].matcher.canFire(in: flow.view.sight) else { return }
    rules[rule].isArmed = true
    let sights = rules[rule].matcher.sights(of: flow.view.sight)
    if let known = flow.standings.firstIndex(where: { $0.rule == rule }) {
      flow.standings[known].sights = sights
      return
    }
    flow.standings.append(Standing(rule: rule, sights: sights))
    catchUp(flow.standings.count - 1, flow)
  }

  /// Puts a flow to a poisoned name's address under the rule.
  private func lead(_ rule: Int, _ flow: WatchedFlow) {
    guard !flow.standings.contains(where: { $0.rule == rule }),
      let name = rules[rule].misleadingName(flow.view.sight)
    else { return }
    var standing = Standing(rule: rule)
    standing.state.cause = .poison
    // The name stands for the value that is told.
    standing.state.match = Match(at: 1, leaf: 0, value: name)
    flow.standings.append(standing)
    catchUp(flow.standings.count - 1, flow)
  }

  /// Plays the packets that came before a flow was known to be under a rule.
  private func catchUp(_ place: Int, _ flow: WatchedFlow) {
    let firesOnPackets = rules[flow.standings[place].rule].matcher.firesOnPackets
    let at = firesOnPackets ? 1 : flow.standings[place].state.match?.at ?? 1
    for packet in flow.held {
      if packet.ordinal >= at {
        meet(packet, flow, place)
      } else {
        flow.standings[place].state.pass(packet)
      }
    }
    let unknown = flow.packets - flow.held.count
    guard unknown > 0 else { return }
    let passed = flow.passedState()
    let isBehind = at > Int(flow.held.last?.ordinal ?? 0)
    flow.standings[place].state.packets = passed.packets
    flow.standings[place].state.bytes = passed.bytes
    flow.standings[place].state.lastTime = passed.lastTime
    flow.standings[place].state.lastOrdinal = isBehind ? min(passed.lastOrdinal, at - 1) : passed.lastOrdinal
    flow.standings[place].state.passesLeft = max(0, flow.standings[place].state.passesLeft - unknown)
    // Nothing follows: the last packet stands for those that are no longer there.
    if flow.isEnded, !firesOnPackets { meet(flow.last, flow, place) }
  }

  // Packet by packet

  private func meet(_ packet: TracePacket, _ flow: WatchedFlow, _ place: Int) {
    let rule = flow.standings[place].rule
    let isOfPacket = rules[rule].matcher.policy.action.unit == .packet
    var isFlagged = false
    if rules[rule].matcher.firesOnPackets,
      let match = rules[rule].matcher.holds(flow.standings[place].sights, at: packet, flow.view.sight, PacketFlags())
    {
      isFlagged = rules[rule].box.isSampled(flow.view.sight, packet)
      // Of a rule that ends the flow the first record counts, of one on single packets each for itself.
      if isFlagged, isOfPacket || flow.standings[place].state.match == nil { flow.standings[place].state.match = match }
    }
    let wasHit = flow.standings[place].state.isHit
    let fate = rules[rule].box.meet(packet, flow.view.sight, &flow.standings[place].state, flagged: isFlagged)
    if isOfPacket ? fate != .pass : flow.standings[place].state.isHit && !wasHit { note(packet, flow, place) }
  }

  /// Asks rules that remember others whether a flow falls under what they remember.
  private func meetMemory(_ packet: TracePacket, _ flow: WatchedFlow) {
    for rule in rules.indices where rules[rule].remembers && rules[rule].isArmed {
      guard !flow.standings.contains(where: { $0.rule == rule }) else { continue }
      var state = flow.passedState()
      _ = rules[rule].box.meet(packet, flow.view.sight, &state, flagged: false)
      guard state.cause != nil else { continue }
      flow.standings.append(Standing(rule: rule, state: state))
      if state.isHit { note(packet, flow, flow.standings.count - 1) }
    }
  }

  // What is told

  private func note(_ packet: TracePacket, _ flow: WatchedFlow, _ place: Int) {
    let standing = flow.standings[place]
    flow.standings[place].acts += 1
    if flow.isEnded, standing.acts == 0 { flow.standings[place].isLate = true }
    guard standing.acts < Self.maximumActs else {
      rules[standing.rule].actsUntold &+= 1
      return
    }
    let act = act(packet, flow, standing)
    if flow.isDecided { return tell(act) }
    if flow.untold.isEmpty { queue.append((flow.view.sight.id, packet.time)) }
    flow.untold.append(act)
  }

  private func act(_ packet: TracePacket, _ flow: WatchedFlow, _ standing: Standing) -> PolicyAct {
    let (policy, sight) = (rules[standing.rule].matcher.policy, flow.view.sight)
    let cause = PolicyAct.Cause(standing.state.cause ?? .match)
    let (matcher, value) = reason(cause, standing, policy, sight)
    var act = PolicyAct(
      policy: policy.name, action: policy.actionWord, words: policy.conditional(cause), cause: cause, matcher: matcher,
      value: value, time: packet.time, packet: Int(packet.ordinal), flow: sight.id, client: sight.client,
      server: sight.server, clientPort: sight.clientPort, serverPort: sight.serverPort, transport: sight.transport)
    if flow.current > act.packet { act.knownAt = flow.current }
    act.isLate = flow.isEnded
    if flow.isDecided { act.take(sight) }
    return act
  }

  private func reason(
    _ cause: PolicyAct.Cause, _ standing: Standing, _ policy: Policy, _ sight: FlowSight
  ) -> (matcher: String, value: String) {
    let place = "\(Endpoint(sight.server, sight.serverPort))"
    switch cause {
    case .match:
      let leaves = rules[standing.rule].matcher.leaves
      // Where only what is not there decides, no single leaf does.
      guard let match = standing.state.match, leaves.indices.contains(match.leaf), !match.value.isEmpty else {
        return (policy.match.words, "")
      }
      return (leaves[match.leaf].words, match.value)
    case .residual: return ("an earlier flow with \(policy.residual?.key.words ?? "the same server")", place)
    case .list: return ("\(policy.secondStage?.key.words ?? "the same server") as a flow that was recognised", place)
    case .poison: return ("its name's DNS answer", standing.state.match?.value ?? "")
    }
  }

  private func tellWaiting(_ flow: WatchedFlow) {
    guard !flow.untold.isEmpty else { return }
    for var act in flow.untold {
      if flow.isDecided { act.take(flow.view.sight) }
      tell(act)
    }
    flow.untold = []
  }

  // What is counted

  private func count(_ flow: WatchedFlow) {
    let service = ColumnTable.service(of: flow.view.sight).name
    flowsByService[service, default: 0] &+= 1
    for standing in flow.standings where standing.state.isHit {
      rules[standing.rule].hits[service, default: 0] &+= 1
      if standing.isLate { rules[standing.rule].late &+= 1 }
      for carried in flow.view.sight.carries { rules[standing.rule].carried[carried, default: 0] &+= 1 }
    }
  }

  /// What was counted of the flows that have ended, a policy each.
  public var counts: [PolicyCount] {
    rules.map { rule in
      var count = PolicyCount(policy: rule.matcher.policy)
      count.flows = Share(rule.hits.values.reduce(0, &+), of: flowsByService.values.reduce(0, &+))
      count.late = rule.late
      count.services = rule.hits.map { ($0.key, Share($0.value, of: flowsByService[$0.key] ?? 0)) }
        .sorted { ($1.1.part, $0.0) < ($0.1.part, $1.0) }
      count.carried = rule.carried.map { ($0.key, $0.value) }
        .sorted { ($1.1, $0.0.service) < ($0.1, $1.0.service) }
      return count
    }
  }

  /// What the caps cost, by name; nothing where nothing was lost.
  public var limits: [String: UInt64] {
    [
      "flows not watched by policies": flowsNotWatched,
      "packets not held for policies": packetsNotHeld,
      "acts of policies not told": rules.reduce(0) { $0 &+ $1.actsUntold },
      "entries forgotten by policies": rules.reduce(0) { $0 &+ $1.box.forgotten &+ $1.namesForgotten },
    ].filter { $0.value > 0 }
  }
}

extension PolicyAct {
  fileprivate mutating func take(_ flow: FlowSight) {
    (tag, service, carries) = (flow.tag, flow.service, flow.carries)
  }
}

extension Box.FlowState {
  /// Takes a packet that came before the rule meets the flow.
  fileprivate mutating func pass(_ packet: TracePacket) {
    packets += 1
    bytes += Int(packet.wire)
    lastTime = packet.time
    lastOrdinal = Int(packet.ordinal)
  }
}

extension Leaf {
  /// Whether only truth says whether it is met.
  fileprivate var needsTruth: Bool {
    switch self {
    case .message, .model: true
    default: false
    }
  }
}
