import Bytes
import Decode

/// A policy at work: what its box remembers from packet to packet.
///
/// Time is the packets' own. Nothing is sent or dropped: the box says what it would have done.
struct Box {
  /// The most entries that a memory holds; beyond it the oldest go, and are counted.
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

  let matcher: PolicyMatcher
  /// The rule is switched on then; nanoseconds since 1970.
  let begin: Int64
  private let seed: UInt64
  private var residual: [Key: Int64] = [:]
  private(set) var listed: [Key: (from: Int64, until: Int64)] = [:]
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

  /// Takes a packet of a flow, and says what becomes of it.
  /// - Parameter flagged: whether single packets' leaves met this packet.
  mutating func meet(_ packet: TracePacket, _ flow: FlowSight, _ state: inout FlowState, flagged: Bool) -> Fate {
    let now = packet.time
    state.packets += 1
    state.bytes += Int(packet.wire)
    if let memory = policy.box.flowMemory, state.lastTime > 0,
      Double(now - state.lastTime) > memory * 1e9, state.cause == nil
    {
      // What was seen before is forgotten; a hello does not come again.
      state.match = nil
    }
    defer { state.lastOrdinal = Int(packet.ordinal) }
    state.lastTime = now
    guard now >= begin else { return .pass }
    if policy.action.unit == .packet { return meetPacket(packet, &state, flagged) }
    if state.cause == nil { state.cause = cause(packet, flow, state, flagged) }
    guard let cause = state.cause else { return .pass }
    if state.armed == nil {
      state.armed = now
      state.passesLeft = passes(flow)
      remember(flow, now)
      // The packets that still pass are those behind the one that gave it away.
      if cause == .match, !policy.action.hitsTrigger || state.passesLeft > 0 { return .pass }
    } else if let residual = policy.residual, !isRemembered(flow, residual, now) {
      // The time is over: a datagram passes again; a connection that has lost bytes is not mended.
      guard flow.transport == .udp else { return count(.drop, packet, &state) }
      (state.cause, state.armed, state.match) = (nil, nil, nil)
      return .pass
    }
    return act(packet, flow, &state)
  }

  private mutating func cause(
    _ packet: TracePacket, _ flow: FlowSight, _ state: FlowState, _ flagged: Bool
  ) -> Cause? {
    let now = packet.time
    if let second = policy.secondStage {
      let key = Key(flow, second.key)
      if let entry = listed[key], now >= entry.from, now < entry.until { return .list }
      if isMet(packet, state, flagged) {
        let from = now &+ Int64(second.delay * 1e9)
        if listed[key] == nil, listed.count < Self.maximumEntries {
          listed[key] = (from, second.seconds.map { from &+ Int64($0 * 1e9) } ?? .max)
        } else if listed[key] == nil {
          forgotten &+= 1
        }
      }
      return nil
    }
    if isMet(packet, state, flagged) { return .match }
    if let residual = policy.residual, residual.key != .fiveTuple, isRemembered(flow, residual, now) {
      return .residual
    }
    return nil
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
    if residual.count >= Self.maximumEntries, residual[key] == nil {
      forgotten &+= UInt64(residual.count)
      residual.removeAll()
    }
    residual[key] = now &+ Int64(memory.seconds * 1e9)
  }

  private mutating func isRemembered(_ flow: FlowSight, _ memory: Residual, _ now: Int64) -> Bool {
    let key = Key(flow, memory.key)
    guard let until = residual[key], now < until else { return false }
    if memory.restart == .packet { residual[key] = now &+ Int64(memory.seconds * 1e9) }
    return true
  }

  /// What the action does to a packet of a flow that is hit.
  private func act(_ packet: TracePacket, _ flow: FlowSight, _ state: inout FlowState) -> Fate {
    let action = policy.action
    if let armed = state.armed, Double(packet.time - armed) < action.delay * 1e9 { return .pass }
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
    state.tokens = min(rate, state.tokens + Double(packet.time - state.filled) / 1e9 * rate)
    state.filled = packet.time
    state.tokens -= Double(packet.payload)
    guard state.tokens < 0 else { return .pass }
    let wait = -state.tokens / rate
    guard wait > Recovery.late else { return .hold(nanoseconds: Int64(wait * 1e9)) }
    return late(min(wait, 1e6), packet, &state)
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
    return .hold(nanoseconds: Int64(seconds * 1e9))
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
