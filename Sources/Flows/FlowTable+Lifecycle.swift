import Decode

extension FlowTable {
  /// Makes the record of a new flow.
  @usableFromInline @inline(never)
  mutating func make(_ touch: FlowTouch, tag: UInt32) -> UInt32 {
    // `makeRoom` keeps space for a whole batch, so that allocation fails only for a caller that forgot it.
    guard let record = slab.allocate() else { preconditionFailure("makeRoom must come before apply") }
    made &+= 1
    slab[record].key = touch.key
    slab[record].id = made
    slab[record].start = touch.timestamp
    slab[record].lastSeen = touch.timestamp
    slab[record].capture = capture
    slab[record].recordBudget = touch.key.transport == .tcp ? UInt8(ShapeMeter.firstRecords) : 0
    // A SYN-ACK answers the opener; any other first packet is taken for the opener's.
    let isAnswer = touch.flags.contains([.syn, .ack])
    slab[record].isClientA = touch.key.isFromA != isAnswer
    index.insert(tag: tag, record: record)
    // The first flow starts the clock, so that a capture of one batch has timeouts too.
    if wheel.now == .min { wheel.now = touch.timestamp / 1_000_000_000 }
    let deadline = touch.timestamp &+ timeouts.nanoseconds(touch.key, .new)
    wheel.insert(record, at: deadline / 1_000_000_000 &+ 1, in: &slab)
    return record
  }

  /// Follows the TCP handshake and its end.
  @usableFromInline @inline(never)
  mutating func control(_ record: UInt32, _ touch: FlowTouch) {
    let isFromA = touch.key.isFromA
    if touch.flags.contains(.syn), !slab[record].isOpenerKnown {
      slab[record].isOpenerKnown = true
      if slab[record].isClientA != (isFromA != touch.flags.contains(.ack)) { slab[record].reverse() }
    }
    func learn(_ side: inout FlowDirection, _ sequence: UInt32) {
      guard !side.isStartKnown else { return }
      side.startSequence = sequence
      side.isStartKnown = true
      side.nextSequence = sequence
      side.isSequenceKnown = true
    }
    let first = touch.sequence &+ (touch.flags.contains(.syn) ? 1 : 0)
    // A FIN or RST behind other packets of its side is no beginning.
    let heard = isFromA ? slab[record].a.packets : slab[record].b.packets
    if touch.flags.contains(.syn) || heard == touch.packets {
      if isFromA { learn(&slab[record].a, first) } else { learn(&slab[record].b, first) }
    }
    if touch.flags.contains([.syn, .ack]) {
      if isFromA { learn(&slab[record].b, touch.acknowledgment) } else { learn(&slab[record].a, touch.acknowledgment) }
    }
    if touch.flags.contains(.fin) {
      if isFromA { slab[record].a.hasFIN = true } else { slab[record].b.hasFIN = true }
    }
    if touch.flags.contains(.rst) { slab[record].hasReset = true }
    guard slab[record].state != .closed, slab[record].hasReset || (slab[record].a.hasFIN && slab[record].b.hasFIN)
    else { return }
    slab[record].state = .closed
    wheel.remove(record, from: &slab)
    let deadline = touch.timestamp &+ timeouts.nanoseconds(touch.key, .closed)
    wheel.insert(record, at: deadline / 1_000_000_000 &+ 1, in: &slab)
  }

  /// Takes a flow out of the index because a new one begins on its key.
  @usableFromInline @inline(never)
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

  /// Ends the flows that have been silent too long at a time; they are appended to `ended`.
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
    while turn > 0 {
      wheel.now &+= 1
      turn &-= 1
      expire(slot: Int(UInt64(bitPattern: wheel.now) % UInt64(TimerWheel.slots)), at: time)
    }
  }

  private mutating func expire(slot: Int, at time: Int64) {
    var next = wheel.heads[slot]
    while next != 0 {
      let record = next &- 1
      next = slab[record].timerNext
      let deadline = slab[record].lastSeen &+ timeouts.nanoseconds(slab[record].key, slab[record].state)
      if deadline < time {
        end(record, tag: tag(of: record), slab[record].state == .closed ? .closed : .timeout)
      } else {
        wheel.remove(record, from: &slab)
        wheel.insert(record, at: deadline / 1_000_000_000 &+ 1, in: &slab)
      }
    }
  }

  /// Evicts the longest idle of a sample of flows until a whole batch of new flows has room.
  ///
  /// The sample is the next flows of the timer wheel: those whose time comes first.
  public mutating func makeRoom() {
    while index.count + 16 > maximumFlows, let victim = longestIdle() {
      evicted &+= 1
      end(victim, tag: tag(of: victim), .evicted)
    }
  }

  private func longestIdle() -> UInt32? {
    var best: UInt32?
    var seen = 0
    let start = wheel.now == .min ? 0 : wheel.now
    for step in 0..<TimerWheel.slots {
      let slot = Int(UInt64(bitPattern: start &+ step) % UInt64(TimerWheel.slots))
      var next = wheel.heads[slot]
      while next != 0, seen < 32 {
        let record = next &- 1
        if best.map({ slab[record].lastSeen < slab[$0].lastSeen }) ?? true { best = record }
        next = slab[record].timerNext
        seen += 1
      }
      if seen >= 32 { break }
    }
    return best
  }

  /// Takes every flow out of the index, in the order of their first packets.
  /// - Returns: their records, to be reported and released.
  public mutating func endAll() -> [UInt32] {
    var open: [UInt32] = []
    for head in wheel.heads {
      var next = head
      while next != 0 {
        open.append(next &- 1)
        next = slab[next &- 1].timerNext
      }
    }
    open.sort { slab[$0].id < slab[$1].id }
    for record in open {
      index.remove(tag: tag(of: record), record: record)
      wheel.remove(record, from: &slab)
    }
    return open
  }

  /// Begins a new count of time: what comes next may be older. No flow may be under way.
  public mutating func forgetClock() { wheel.now = .min }

  /// Gives a reported record back.
  public mutating func release(_ record: UInt32) { slab.release(record) }
}
