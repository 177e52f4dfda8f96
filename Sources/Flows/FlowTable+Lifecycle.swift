import Decode

extension FlowTable {
  /// Makes the record of a new flow.
  @inline(never)
  mutating func make(_ touch: FlowTouch, tag: UInt32) -> UInt32 {
    // `makeRoom` keeps space for a whole batch, so that allocation fails only for a caller that forgot it.
    guard let record = slab.allocate() else { preconditionFailure("makeRoom must come before apply") }
    made &+= 1
    slab[record].key = touch.key
    slab[record].number(made, capture: capture)
    slab[record].start = touch.timestamp
    slab[record].lastSeen = touch.timestamp
    if touch.key.transport == .tcp, let stream = streams.allocate() {
      slab[record].stream = stream &+ 1
      slab[record].watch = streams[stream].budget
    }
    // A SYN-ACK answers the opener; any other first packet is taken for the opener's.
    let isAnswer = touch.flags.contains([.syn, .ack])
    if touch.key.isFromA != isAnswer { slab[record].marks.insert(.clientIsA) }
    index.insert(tag: tag, record: record)
    // The first flow starts the clock, so that a capture of one batch has timeouts too.
    if wheel.now == .min { wheel.now = touch.timestamp / 1_000_000_000 }
    wait(record, until: touch.timestamp &+ timeouts.nanoseconds(touch.key, .new))
    return record
  }

  /// Puts a flow into the wheel.
  private mutating func wait(_ record: UInt32, until deadline: Int64) {
    let second = deadline / 1_000_000_000 &+ 1
    earliest = min(earliest, max(second, wheel.now &+ 1))
    wheel.insert(record, at: second, in: &slab)
  }

  /// Follows the TCP handshake and its end.
  @inline(never)
  mutating func control(_ record: UInt32, _ touch: FlowTouch) {
    let isFromA = touch.key.isFromA
    if touch.flags.contains(.syn), !slab[record].isOpenerKnown {
      slab[record].marks.insert(.openerKnown)
      if slab[record].isClientA != (isFromA != touch.flags.contains(.ack)) { reverse(record) }
    }
    learnStart(record, touch)
    if touch.flags.contains(.fin) { slab[record].marks.insert(isFromA ? .finFromA : .finFromB) }
    if touch.flags.contains(.rst) { slab[record].marks.insert(.reset) }
    guard slab[record].state != .closed, slab[record].hasReset || slab[record].marks.contains([.finFromA, .finFromB])
    else { return }
    slab[record].state = .closed
    wheel.remove(record, from: &slab)
    wait(record, until: touch.timestamp &+ timeouts.nanoseconds(touch.key, .closed))
  }

  private mutating func learnStart(_ record: UInt32, _ touch: FlowTouch) {
    guard slab[record].stream != 0 else { return }
    let stream = slab[record].stream &- 1
    let isFromA = touch.key.isFromA
    let first = touch.sequence &+ (touch.flags.contains(.syn) ? 1 : 0)
    // A FIN or RST behind other packets of its side is no beginning.
    let heard = isFromA ? slab[record].a.packets : slab[record].b.packets
    if touch.flags.contains(.syn) || heard == touch.packets {
      if isFromA { streams[stream].a.learn(first) } else { streams[stream].b.learn(first) }
    }
    guard touch.flags.contains([.syn, .ack]) else { return }
    if isFromA { streams[stream].b.learn(touch.acknowledgment) } else { streams[stream].a.learn(touch.acknowledgment) }
  }

  /// Makes the other side the opener.
  private mutating func reverse(_ record: UInt32) {
    slab[record].marks.formSymmetricDifference(.clientIsA)
    let first = slab[record].first
    if first != 0 {
      firsts[first &- 1].reverse()
      let bins = firsts[first &- 1].bins
      if bins != 0 { self.bins[bins &- 1].reverse() }
    }
    let stream = slab[record].stream
    if stream != 0 { streams[stream &- 1].reverse() }
  }

  /// Takes a flow out of the index because a new one begins on its key.
  @inline(never)
  mutating func detach(_ record: UInt32, tag: UInt32, at time: Int64) {
    end(record, tag: tag, slab[record].state == .closed ? .closed : .timeout)
  }

  private mutating func end(_ record: UInt32, tag: UInt32, _ reason: FlowEnd) {
    index.remove(tag: tag, record: record)
    wheel.remove(record, from: &slab)
    ended.append(EndedFlow(record: record, end: reason))
  }

  private func tag(of record: UInt32) -> UInt32 {
    UInt32(truncatingIfNeeded: slab[record].key.hash(seed: seed))
  }

  private func deadline(of record: UInt32) -> Int64 {
    slab[record].lastSeen &+ timeouts.nanoseconds(slab[record].key, slab[record].state)
  }

  /// Ends the flows that have been silent too long at a time; they are appended to `ended` in the order in which they
  /// began.
  public mutating func advance(to time: Int64) {
    let second = time / 1_000_000_000
    guard wheel.now != .min else {
      wheel.now = second
      return
    }
    // A clock that jumps back waits: the flows it left behind are looked at when it has caught up, or at the end.
    guard second > wheel.now else { return }
    var turn = min(second &- wheel.now, TimerWheel.slots)
    wheel.now = second &- turn
    let before = ended.count
    while turn > 0 {
      wheel.now &+= 1
      turn &-= 1
      expire(slot: TimerWheel.slot(wheel.now), at: time)
    }
    if ended.count > before + 1 { ended[before...].sort { slab[$0.record].id < slab[$1.record].id } }
  }

  private mutating func expire(slot: Int, at time: Int64) {
    var next = wheel.heads[slot]
    while next != 0 {
      let record = next &- 1
      next = slab[record].timerNext
      let deadline = deadline(of: record)
      if deadline < time {
        end(record, tag: tag(of: record), slab[record].state == .closed ? .closed : .timeout)
      } else {
        wheel.remove(record, from: &slab)
        wait(record, until: deadline)
      }
    }
  }

  /// Evicts the flows whose time comes first until a whole batch of new flows has room.
  public mutating func makeRoom() {
    while index.count + FlowBatch.capacity > maximumFlows, evictOne() {}
  }

  /// Evicts the flow whose time comes first.
  /// - Returns: whether there was one.
  public mutating func evictOne() -> Bool {
    guard index.count > 0 else { return false }
    let start = max(earliest, wheel.now == .min ? 0 : wheel.now)
    for step in 0..<TimerWheel.slots {
      let second = start &+ step
      while let record = head(of: second) {
        let due = deadline(of: record) / 1_000_000_000 &+ 1
        // Heard since it was put there: its time comes later, unless no slot is left for that.
        if due > second, second < wheel.now &+ TimerWheel.slots &- 1 {
          wheel.remove(record, from: &slab)
          wheel.insert(record, at: due, in: &slab)
          continue
        }
        earliest = second
        evicted &+= 1
        end(record, tag: tag(of: record), .evicted)
        return true
      }
    }
    earliest = wheel.now
    return false
  }

  private func head(of second: Int64) -> UInt32? {
    let head = wheel.heads[TimerWheel.slot(second)]
    return head == 0 ? nil : head &- 1
  }

  /// Takes every flow out of the index, in the order of their first packets.
  /// - Returns: their records, to be reported and released.
  public mutating func endAll() -> [UInt32] {
    // In the order of their memory, which is mostly that of their first packets: the wheel's leads all over it.
    var isOpen = [UInt64](repeating: 0, count: slab.used / 64 + 1)
    for slot in index.slots where slot.record != 0 {
      let record = Int(slot.record &- 1)
      isOpen[record / 64] |= 1 << UInt64(record % 64)
    }
    var open: [UInt32] = []
    open.reserveCapacity(index.count)
    var isInOrder = true
    var last: UInt64 = 0
    for word in isOpen.indices {
      var bits = isOpen[word]
      while bits != 0 {
        let record = UInt32(truncatingIfNeeded: word * 64 + bits.trailingZeroBitCount)
        bits &= bits - 1
        open.append(record)
        isInOrder = isInOrder && slab[record].id > last
        last = slab[record].id
      }
    }
    if !isInOrder { open.sort { slab[$0].id < slab[$1].id } }
    index = FlowIndex(bits: 14)
    let now = wheel.now
    wheel = TimerWheel()
    wheel.now = now
    for record in open { slab[record].timerSlot = .max }
    return open
  }

  /// Begins a new count of time: what comes next may be older. No flow may be under way.
  public mutating func forgetClock() {
    wheel.now = .min
    earliest = .max
  }

  /// Gives a reported record back.
  public mutating func release(_ record: UInt32) {
    let (first, stream) = (slab[record].first, slab[record].stream)
    if first != 0 {
      if firsts[first &- 1].bins != 0 { bins.release(firsts[first &- 1].bins &- 1) }
      firsts.release(first &- 1)
    }
    if stream != 0 { streams.release(stream &- 1) }
    slab.release(record)
  }
}
