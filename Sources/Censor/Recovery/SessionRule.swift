import Bytes
import Decode

/// A policy as a phone's push connections meet it, again and again.
struct SessionRule {
  /// Seconds after which TCP sends a segment again that was lost, the first time; doubled each time (RFC 6298 allows from 1
  /// second, Linux takes 0.2 and the round trip).
  static let retransmission = 0.25

  /// What a connection has carried, both directions counted.
  struct Carried: Equatable {
    var packets = 0, bytes = 0

    mutating func add(_ packet: TracePacket) {
      packets += 1
      bytes += Int(packet.wire)
    }
  }

  /// What becomes of an attempt to connect.
  enum Opening: Equatable {
    case open
    /// Nothing answers, or at once a reset.
    case unreachable(isFast: Bool)
    /// TCP comes about, and what follows does not.
    case stalls
  }

  /// What becomes of a packet on a connection that stands.
  enum Judgement: Equatable {
    case pass
    case hold(Int64)
    case stallDirection
    case stallBoth
    case reset
  }

  let matcher: PolicyMatcher
  /// The rule is switched on then.
  let begin: Int64
  /// Whether connections that stand then are broken, so that clients have to say hello again.
  let breaksFirst: Bool
  /// Addresses that a second stage lists, and from when on.
  let listed: [Box.Key: [Box.Listing]]
  /// What a connection has carried when it is complete.
  let handshake: Carried
  private let seed: UInt64
  private var draws: UInt64 = 0
  private var remembered: [Box.Key: Int64] = [:]
  private var ready: Int64 = .min
  private var drawn: (since: Int64, isHit: Bool)?
  private var sightsOf: (port: UInt16, server: IPAddress, isTCP: Bool, sights: [LeafSight], match: Match?)?

  init(
    _ matcher: PolicyMatcher, begin: Int64, breaksFirst: Bool, listed: [Box.Key: [Box.Listing]], handshake: Carried,
    seed: UInt64
  ) {
    self.matcher = matcher
    self.begin = begin
    self.breaksFirst = breaksFirst
    self.listed = listed
    self.handshake = handshake
    self.seed = seed
  }

  private var policy: Policy { matcher.policy }

  /// Whether it ends connections by a reset.
  var resets: Bool { if case .reset = policy.action.kind { true } else { false } }

  /// What the leaves see in a flow, kept while the flow is the same.
  private mutating func seen(_ flow: FlowSight) -> (sights: [LeafSight], match: Match?) {
    let isTCP = flow.transport == .tcp
    if let known = sightsOf, known.port == flow.serverPort, known.server == flow.server, known.isTCP == isTCP {
      return (known.sights, known.match)
    }
    let sights = matcher.sights(of: flow)
    let match = matcher.isInScope(flow) ? matcher.firstMatch(sights, flow) : nil
    sightsOf = (flow.serverPort, flow.server, isTCP, sights, match)
    return (sights, match)
  }

  /// From when on a rule that each packet shows ends a connection which stands since a time; nil where it does not yet, and
  /// for a rule that does not.
  mutating func standingFrom(_ flow: FlowSight, since: Int64, at time: Int64) -> Int64? {
    if let second = policy.secondStage {
      return listed[Box.Key(flow, second.key)]?.first { $0.from > since && $0.holds(at: time) }?.from
    }
    guard time >= begin, since < begin else { return nil }
    guard policy.action.unit == .flow, !matcher.firesOnPackets, seen(flow).match?.isLasting == true else { return nil }
    switch policy.action.kind {
    case .drop, .reset: return isConnectionDrawn(since: since) ? begin : nil
    case .throttle, .freeze, .hold, .poison: return nil
    }
  }

  /// What becomes of an attempt to connect.
  mutating func opening(_ flow: FlowSight, at time: Int64) -> Opening {
    guard time >= begin else { return .open }
    if let second = policy.secondStage {
      let isListed = listed[Box.Key(flow, second.key)]?.contains { $0.holds(at: time) } ?? false
      return isListed ? .unreachable(isFast: resets) : .open
    }
    if let memory = policy.residual, memory.key != .fiveTuple, let until = remembered[Box.Key(flow, memory.key)],
      time < until
    {
      if memory.restart == .packet { remember(flow, time) }
      return .unreachable(isFast: resets)
    }
    guard policy.action.unit == .flow, let match = seen(flow).match, isDrawn() else { return .open }
    switch policy.action.kind {
    case .throttle, .freeze, .hold, .poison: return .open
    case .drop:
      remember(flow, time)
      return match.isLasting ? .unreachable(isFast: false) : .stalls
    case .reset:
      remember(flow, time)
      return .unreachable(isFast: true)
    }
  }

  private mutating func remember(_ flow: FlowSight, _ time: Int64) {
    guard let memory = policy.residual else { return }
    if memory.restart == .never, let until = remembered[Box.Key(flow, memory.key)], time < until { return }
    remembered[Box.Key(flow, memory.key)] = time.advanced(bySeconds: memory.seconds)
  }

  private mutating func isDrawn() -> Bool {
    guard policy.probability < 1 else { return true }
    draws &+= 1
    var flow = FlowSight()
    flow.id = draws
    return Box.draw(flow, seed, 3) < policy.probability
  }

  /// Whether the rule acts on a connection at all: drawn once for each.
  private mutating func isConnectionDrawn(since: Int64) -> Bool {
    guard policy.probability < 1 else { return true }
    if let drawn, drawn.since == since { return drawn.isHit }
    let isHit = isDrawn()
    drawn = (since, isHit)
    return isHit
  }

  /// What becomes of a packet on a connection that stands since a time and has carried so much.
  mutating func judge(
    _ packet: TracePacket, _ message: TraceMessage?, _ flow: FlowSight, since: Int64, carried: Carried, at time: Int64
  ) -> Judgement {
    guard time >= begin, policy.secondStage == nil else { return .pass }
    if matcher.firesOnPackets {
      guard isFlagged(packet, message, flow, since: since, at: time) else { return .pass }
      guard policy.action.unit == .packet || isConnectionDrawn(since: since) else { return .pass }
      if policy.action.unit == .flow { remember(flow, time) }
      return judged()
    }
    guard seen(flow).match != nil, isConnectionDrawn(since: since) else { return .pass }
    switch policy.action.kind {
    case .freeze(let packets, let bytes):
      let isFull = packets.map { carried.packets > $0 } ?? false || bytes.map { carried.bytes > $0 } ?? false
      return isFull ? .stallBoth : .pass
    case .hold(let seconds):
      return policy.action.direction.includes(isUp: packet.isUp) ? .hold(Int64(nanosecondsOf: seconds)) : .pass
    case .throttle(let rate):
      guard packet.payload > 0, policy.action.direction.includes(isUp: packet.isUp) else { return .pass }
      ready = max(ready, time).advanced(bySeconds: Double(packet.payload) / rate)
      return .hold(ready.nanoseconds(since: time))
    case .drop, .reset, .poison: return .pass
    }
  }

  private mutating func isFlagged(
    _ packet: TracePacket, _ message: TraceMessage?, _ flow: FlowSight, since: Int64, at time: Int64
  ) -> Bool {
    let known = seen(flow)
    guard matcher.isInScope(flow) else { return false }
    var (packet, flow) = (packet, flow)
    (packet.time, flow.start) = (time, since)
    // A connection that stands has shown all that it shows.
    packet.ordinal = .max
    var flags = PacketFlags()
    if let message { flags.messages = [message.kind, message.messageClass] }
    return matcher.holds(known.sights, at: packet, flow, flags) != nil
  }

  /// What becomes of a packet that the rule meets for itself.
  private mutating func judged() -> Judgement {
    switch policy.action.kind {
    case .hold where policy.action.unit == .packet && !isDrawn(): return .pass
    case .hold(let seconds): return .hold(Int64(nanosecondsOf: seconds))
    case .reset: return .reset
    case .drop where policy.action.unit == .packet:
      if policy.action.copiesPass { return isDrawn() ? .hold(Int64(nanosecondsOf: Self.retransmission)) : .pass }
      guard policy.probability < 1 else { return .stallDirection }
      var wait = 0.0
      var step = Self.retransmission
      while isDrawn(), wait < 600 {
        wait += step
        step *= 2
      }
      return .hold(Int64(nanosecondsOf: wait))
    case .drop, .freeze, .poison: return .stallBoth
    case .throttle: return .pass
    }
  }
}
