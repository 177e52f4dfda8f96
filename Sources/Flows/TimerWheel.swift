/// Which flows may have ended by a second of packet time: one doubly linked list of records a slot.
///
/// A packet does not touch the wheel. A flow whose slot comes round is looked at, and moved on if it was heard since.
@usableFromInline struct TimerWheel {
  static let slots: Int64 = 4096
  var heads = [UInt32](repeating: 0, count: Int(slots))
  /// The second that was looked at last.
  var now: Int64 = .min

  @usableFromInline init() {}

  mutating func insert(_ index: UInt32, at second: Int64, in slab: inout FlowSlab) {
    // A deadline beyond one turn waits in the last slot of this turn and is looked at then.
    let second = now == .min ? second : min(max(second, now &+ 1), now &+ Self.slots &- 1)
    let slot = Int(truncatingIfNeeded: UInt64(bitPattern: second) % UInt64(Self.slots))
    let head = heads[slot]
    slab[index].timerSlot = UInt32(slot)
    slab[index].timerPrevious = 0
    slab[index].timerNext = head
    if head != 0 { slab[head &- 1].timerPrevious = index &+ 1 }
    heads[slot] = index &+ 1
  }

  mutating func remove(_ index: UInt32, from slab: inout FlowSlab) {
    let slot = slab[index].timerSlot
    guard slot != .max else { return }
    let next = slab[index].timerNext
    let previous = slab[index].timerPrevious
    if next != 0 { slab[next &- 1].timerPrevious = previous }
    if previous != 0 { slab[previous &- 1].timerNext = next } else { heads[Int(slot)] = next }
    slab[index].timerSlot = .max
  }
}
