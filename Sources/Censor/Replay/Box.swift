import Bytes
import Decode

/// A policy at work: what its box remembers from packet to packet.
///
/// Time is the packets' own. Nothing is sent or dropped: the box says what it would have done.
struct Box {
  /// The most entries that a memory holds; beyond it those whose time is over go, else all, and are counted.
  static let maximumEntries = 1 << 20

  /// What a box does to a packet.
  enum Fate: Equatable {
    case pass
    case drop
    /// The packet passes or not, and the connection is over.
    case reset
    case hold(nanoseconds: Int64)
  }

  /// Why a flow was hit.
  enum Cause: UInt8 {
    case match, residual, list, poison
  }

  /// What a box knows of one flow.
  struct FlowState {
    /// Where the policy meets it; nil for nowhere.
    var match: Match?
    var cause: Cause?
    /// Time of the packet at which the box began to act on it.
    var armed: Int64?
    /// Time and number of the first packet that did not pass as it came.
    var cutTime: Int64 = 0, cutAt = 0
    /// Seen so far, for actions that begin after an amount.
    var packets = 0, bytes = 0
    /// Packets that still pass.
    var passesLeft = 0
    var isOver = false
    /// What a throttle lets pass at once, and when that was last counted.
    var tokens = 0.0, filled: Int64 = 0
    /// What did not arrive, and arrived late.
    var packetsHit: UInt64 = 0, bytesHit: UInt64 = 0, bytesLate: UInt64 = 0
    var lastTime: Int64 = 0, lastOrdinal = 0

    /// Whether the rule did anything to the flow.
    var isHit: Bool { packetsHit > 0 || bytesLate > 0 }

    /// The box leaves the flow alone until it meets it again; a hello does not come again.
    mutating func stopActing() {
      if let match, !match.isLasting, match.at <= lastOrdinal { self.match = nil }
      (cause, armed, isOver) = (nil, nil, false)
    }
  }

  /// What is remembered of an address, a pair, or a flow.
  struct Key: Hashable {
    var client = IPAddress(high: 0, low: 0), server = IPAddress(high: 0, low: 0)
    var clientPort: UInt16 = 0, serverPort: UInt16 = 0
    var isTCP = false

    init(_ flow: FlowSight, _ kind: Residual.Key) {
      server = flow.server
      switch kind {
      case .fiveTuple:
        (client, clientPort, serverPort) = (flow.client, flow.clientPort, flow.serverPort)
        isTCP = flow.transport == .tcp
      case .threeTuple:
        (client, serverPort) = (flow.client, flow.serverPort)
        isTCP = flow.transport == .tcp
      case .twoHosts: client = flow.client
      case .serverPort:
        serverPort = flow.serverPort
        isTCP = flow.transport == .tcp
      case .server: break
      }
    }
  }

  /// When an address of a second stage is in force.
  struct Listing: Equatable {
    var from: Int64, until: Int64

    func holds(at time: Int64) -> Bool { time >= from && time < until }
  }

  let matcher: PolicyMatcher
  /// The rule is switched on then; nanoseconds since 1970.
  let begin: Int64
  private let seed: UInt64
  private var residual: [Key: Int64] = [:]
  private(set) var listed: [Key: [Listing]] = [:]
  private var listings = 0
  private(set) var forgotten: UInt64 = 0
  private var policy: Policy { matcher.policy }

  init(_ matcher: PolicyMatcher, begin: Int64 = .min, seed: UInt64 = 1) {
    self.matcher = matcher
    self.begin = begin
    self.seed = seed
  }

  /// Whether the rule acts on a flow that it meets: `probability` of them.
  func isSampled(_ flow: FlowSight) -> Bool {
    policy.probability >= 1 || Self.draw(flow, seed, 1) < policy.probability
  }

  /// Whether the rule acts on a packet that it meets: of rules on single packets `probability` of the packets, of others
  /// of the flows.
  func isSampled(_ flow: FlowSight, _ packet: TracePacket) -> Bool {
    guard policy.probability < 1 else { return true }
    let stream = policy.action.unit == .packet ? UInt64(packet.ordinal) &+ 16 : 1
    return Self.draw(flow, seed, stream) < policy.probability
  }

  /// A number from 0 to 1 that depends on the flow and the seed only (SplitMix64).
  static func draw(_ flow: FlowSight, _ seed: UInt64, _ stream: UInt64) -> Double {
    var z = flow.id &* 0x9e37_79b9_7f4a_7c15 &+ seed &* 0xbf58_476d_1ce4_e5b9 &+ stream
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
  }

  /// Takes a packet of a flow, and says what becomes of it. `flagged` says whether single packets' leaves met it.
  mutating func meet(_ packet: TracePacket, _ flow: FlowSight, _ state: inout FlowState, flagged: Bool) -> Fate {
    let now = packet.time
    if let memory = policy.box.flowMemory, state.lastOrdinal > 0, now.seconds(since: state.lastTime) > memory {
      forget(flow, &state)
    }
    state.packets += 1
    state.bytes += Int(packet.wire)
    defer { state.lastOrdinal = Int(packet.ordinal) }
    state.lastTime = now
    guard now >= begin else { return .pass }
    if policy.action.unit == .packet { return meetPacket(packet, &state, flagged) }
    if state.cause == nil { state.cause = cause(packet, flow, state, flagged) }
    guard let cause = state.cause else { return .pass }
    if state.armed == nil {
      state.armed = now
      guard cause == .match else { return act(packet, flow, &state) }
      state.passesLeft = passes(flow)
      remember(flow, now)
      // The packets that still pass are those behind the one that gave it away.
      if !policy.action.hitsTrigger || state.passesLeft > 0 { return .pass }
    } else if isOver(cause, flow, &state, flagged, now) {
      // A datagram passes again, and so does a connection that has lost nothing; one that has is not mended.
      guard flow.transport == .udp || state.packetsHit == 0 else { return count(.drop, packet, &state) }
      state.stopActing()
      return .pass
    }
    return act(packet, flow, &state)
  }

  /// Whether the time is over for which a flow is hit.
  private mutating func isOver(
    _ cause: Cause, _ flow: FlowSight, _ state: inout FlowState, _ flagged: Bool, _ now: Int64
  ) -> Bool {
    switch cause {
    case .poison: return false
    case .list: return policy.secondStage.map { listing(flow, $0)?.holds(at: now) != true } ?? true
    case .match, .residual:
      guard let residual = policy.residual else { return false }
      // Another match: of a record, or of what each packet shows.
      if flagged || state.match?.isLasting == true, !state.isOver {
        let isRemembered = isRemembered(flow, residual, now)
        if !isRemembered || residual.restart != .never { remember(flow, now) }
        return false
      }
      return !isRemembered(flow, residual, now)
    }
  }

  /// A flow that was silent for longer than the box remembers is a new one to it.
  private func forget(_ flow: FlowSight, _ state: inout FlowState) {
    // What a residual or a list remembers has its own time; a connection that has lost bytes is not mended.
    let isForgiven = flow.transport == .udp && policy.residual == nil && state.cause == .match
    guard state.cause == nil || isForgiven else { return }
    state.stopActing()
    (state.packets, state.bytes) = (0, 0)
  }

  private mutating func cause(
    _ packet: TracePacket, _ flow: FlowSight, _ state: FlowState, _ flagged: Bool
  ) -> Cause? {
    let now = packet.time
    if let second = policy.secondStage {
      let entry = listing(flow, second)
      if let entry, entry.holds(at: now) { return .list }
      if isMet(packet, state, flagged), entry.map({ $0.until <= now }) ?? true { list(flow, second, now) }
      return nil
    }
    if isMet(packet, state, flagged) { return .match }
    if let residual = policy.residual, isRemembered(flow, residual, now) { return .residual }
    return nil
  }

  private func listing(_ flow: FlowSight, _ second: SecondStage) -> Listing? { listed[Key(flow, second.key)]?.last }

  private mutating func list(_ flow: FlowSight, _ second: SecondStage, _ now: Int64) {
    guard listings < Self.maximumEntries else {
      forgotten &+= 1
      return
    }
    listings += 1
    let from = now.advanced(bySeconds: second.delay)
    let until = second.seconds.map { from.advanced(bySeconds: $0) } ?? .max
    listed[Key(flow, second.key), default: []].append(Listing(from: from, until: until))
  }

  private func isMet(_ packet: TracePacket, _ state: FlowState, _ flagged: Bool) -> Bool {
    if flagged { return true }
    guard let match = state.match, Int(packet.ordinal) >= match.at else { return false }
    // A rule that was switched on behind a hello has not seen it.
    return match.isLasting || state.lastOrdinal < match.at
  }

  private func passes(_ flow: FlowSight) -> Int {
    guard let range = policy.action.passes else { return 0 }
    let width = Double(range.upperBound - range.lowerBound + 1)
    return range.lowerBound + min(range.upperBound - range.lowerBound, Int(Self.draw(flow, seed, 2) * width))
  }

  private mutating func remember(_ flow: FlowSight, _ now: Int64) {
    guard let memory = policy.residual else { return }
    let key = Key(flow, memory.key)
    if memory.restart == .never, let until = residual[key], now < until { return }
    if residual.count >= Self.maximumEntries, residual[key] == nil {
      residual = residual.filter { now < $0.value }
      if residual.count > Self.maximumEntries / 2 {
        forgotten &+= UInt64(residual.count)
        residual.removeAll()
      }
    }
    residual[key] = now.advanced(bySeconds: memory.seconds)
  }

  private mutating func isRemembered(_ flow: FlowSight, _ memory: Residual, _ now: Int64) -> Bool {
    let key = Key(flow, memory.key)
    guard let until = residual[key], now < until else { return false }
    if memory.restart == .packet { residual[key] = now.advanced(bySeconds: memory.seconds) }
    return true
  }

  /// What the action does to a packet of a flow that is hit.
  private func act(_ packet: TracePacket, _ flow: FlowSight, _ state: inout FlowState) -> Fate {
    let action = policy.action
    if state.cause == .match, let armed = state.armed, packet.time.seconds(since: armed) < action.delay { return .pass }
    switch action.kind {
    case .drop, .poison:
      if state.isOver { return count(.drop, packet, &state) }
      if state.passesLeft > 0 {
        state.passesLeft -= 1
        return .pass
      }
      guard action.direction.includes(isUp: packet.isUp) else {
        // A connection that loses one direction is over; what the capture shows behind would not have come.
        if flow.transport == .tcp, packet.payload > 0, state.packetsHit > 0 { return count(.drop, packet, &state) }
        return .pass
      }
      return count(.drop, packet, &state)
    case .reset:
      if state.isOver { return count(.drop, packet, &state) }
      // A rewritten reset takes the place of a packet of the server; the client's own ones still pass until then.
      if case .reset(isInjected: false) = action.kind, packet.isUp, flow.transport == .tcp { return .pass }
      state.isOver = true
      return count(.reset, packet, &state)
    case .freeze(let packets, let bytes):
      let isFull = packets.map { state.packets > $0 } ?? false || bytes.map { state.bytes > $0 } ?? false
      guard isFull else { return .pass }
      return count(.drop, packet, &state)
    case .throttle(let rate): return throttle(packet, rate, &state)
    case .hold(let seconds):
      return late(seconds, packet, &state)
    }
  }

  /// A bucket that holds a second's worth: what does not fit is late by as much as the queue is long.
  private func throttle(_ packet: TracePacket, _ rate: Double, _ state: inout FlowState) -> Fate {
    guard policy.action.direction.includes(isUp: packet.isUp), packet.payload > 0 else { return .pass }
    if state.filled == 0 { (state.filled, state.tokens) = (packet.time, rate) }
    state.tokens = min(rate, state.tokens + max(0, packet.time.seconds(since: state.filled)) * rate)
    state.filled = packet.time
    state.tokens -= Double(packet.payload)
    guard state.tokens < 0 else { return .pass }
    let wait = -state.tokens / rate
    guard wait > Recovery.late else { return .hold(nanoseconds: Int64(nanosecondsOf: wait)) }
    return late(wait, packet, &state)
  }

  /// A packet that the rule meets for itself.
  private func meetPacket(_ packet: TracePacket, _ state: inout FlowState, _ flagged: Bool) -> Fate {
    guard flagged, !(policy.action.copiesPass && packet.marks.contains(.copy)) else { return .pass }
    state.cause = .match
    if case .hold(let seconds) = policy.action.kind { return late(seconds, packet, &state) }
    return count(.drop, packet, &state)
  }

  private func late(_ seconds: Double, _ packet: TracePacket, _ state: inout FlowState) -> Fate {
    noteCut(packet, &state)
    state.bytesLate &+= UInt64(packet.wire)
    return .hold(nanoseconds: Int64(nanosecondsOf: seconds))
  }

  private func count(_ fate: Fate, _ packet: TracePacket, _ state: inout FlowState) -> Fate {
    noteCut(packet, &state)
    state.packetsHit &+= 1
    state.bytesHit &+= UInt64(packet.wire)
    return fate
  }

  private func noteCut(_ packet: TracePacket, _ state: inout FlowState) {
    if !state.isHit { (state.cutTime, state.cutAt) = (packet.time, Int(packet.ordinal)) }
  }
}
