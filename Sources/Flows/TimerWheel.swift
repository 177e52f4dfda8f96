/// Which flows may have ended by a second of packet time: one doubly linked list of records a slot, oldest first.
///
/// A packet does not touch the wheel. A flow whose slot comes round is looked at, and moved on if it was heard since.
struct TimerWheel {
  static let slots: Int64 = 4096
  var heads = [UInt32](repeating: 0, count: Int(slots))
  private var tails = [UInt32](repeating: 0, count: Int(slots))
  /// The second that was looked at last.
  var now: Int64 = .min

  init() {}

  /// The slot of a second.
  static func slot(_ second: Int64) -> Int { Int(truncatingIfNeeded: UInt64(bitPattern: second) % UInt64(slots)) }

  mutating func insert(_ index: UInt32, at second: Int64, in slab: inout Slab<FlowRecord>) {
    // A deadline beyond one turn waits in the last slot of this turn and is looked at then.
    let second = now == .min ? second : min(max(second, now &+ 1), now &+ Self.slots &- 1)
    let slot = Self.slot(second)
    let tail = tails[slot]
    slab[index].timerSlot = UInt16(truncatingIfNeeded: slot)
    slab[index].timerPrevious = tail
    slab[index].timerNext = 0
    if tail != 0 { slab[tail &- 1].timerNext = index &+ 1 } else { heads[slot] = index &+ 1 }
    tails[slot] = index &+ 1
  }

  mutating func remove(_ index: UInt32, from slab: inout Slab<FlowRecord>) {
    let slot = Int(slab[index].timerSlot)
    guard slot < heads.count else { return }
    let next = slab[index].timerNext
    let previous = slab[index].timerPrevious
    if next != 0 { slab[next &- 1].timerPrevious = previous } else { tails[slot] = previous }
    if previous != 0 { slab[previous &- 1].timerNext = next } else { heads[slot] = next }
    slab[index].timerSlot = .max
  }
}
