import Bytes

/// A flow that a watch knows of. A class, so that the table holds it in one word.
final class WatchedFlow {
  /// The most first packets that are held until the flow is known; once so many have come, what is known has to do.
  static let maximumHeldPackets = 32

  /// What boxes see of it.
  var view: FlowView
  /// What becomes of it under the policies that it has met.
  var standings: [Standing] = []
  /// Its first packets, as long as a policy might meet one of them by what is told later.
  private(set) var held: [TracePacket] = []
  /// Packets and bytes that were met, and the last of them.
  private(set) var packets = 0, bytes = 0, last = TracePacket()
  /// The packet that is being looked at, from 1.
  var current = 0
  /// Whether the analysis has said what it is; whether it is over.
  var isDecided = false, isEnded = false
  /// Whether policies have to be asked anew.
  var hasNews = true
  /// What waits for the verdict, which is to be told with it.
  var untold: [PolicyAct] = []

  init(_ view: FlowView) { self.view = view }

  /// Whether what is known of it is all that a policy may wait for.
  var isSettled: Bool { isDecided || isEnded || packets + 1 >= Self.maximumHeldPackets }

  /// Takes a packet that was met.
  /// - Returns: whether it is held.
  func keep(_ packet: TracePacket, canHold: Bool) -> Bool {
    let isHeld = canHold && held.count == packets && held.count < Self.maximumHeldPackets
    if isHeld { held.append(packet) }
    packets += 1
    bytes += Int(packet.wire)
    last = packet
    return isHeld
  }

  /// Lets go of what is held.
  /// - Returns: how many packets that were.
  func release() -> Int {
    defer { held = [] }
    return held.count
  }

  /// The state under a policy that it has not met so far.
  func passedState() -> Box.FlowState {
    var state = Box.FlowState()
    (state.packets, state.bytes) = (packets, bytes)
    (state.lastTime, state.lastOrdinal) = (last.time, Int(last.ordinal))
    return state
  }
}

/// A flow under a policy that it has met, or may meet packet by packet.
struct Standing {
  /// The policy's place.
  let rule: Int
  var state = Box.FlowState()
  /// What the leaves meet, for rules on single packets.
  var sights: [LeafSight] = []
  /// Acts so far.
  var acts = 0
  /// Whether that it is hit was known at its end only.
  var isLate = false
}
