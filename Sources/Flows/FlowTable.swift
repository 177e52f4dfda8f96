public import Decode

/// Why a record left the table.
@frozen public enum FlowEnd: UInt8, Sendable {
  case timeout, evicted, closed
}

/// A record that has left the index and waits to be reported and released.
@frozen public struct EndedFlow: Sendable {
  /// The record.
  public var record: UInt32
  /// Why.
  public var end: FlowEnd
}

/// All flows under way: found by key, aged by packet time, capped.
///
/// The table owns its memory, and is passed `inout`: reaching it through a class would cost two exclusivity checks a
/// packet.
@frozen public struct FlowTable: ~Copyable {
  @usableFromInline var slab: FlowSlab
  @usableFromInline var index: FlowIndex
  @usableFromInline var wheel = TimerWheel()
  /// The hash seed of this table.
  public let seed: UInt64
  /// The most flows under way at a time.
  public let maximumFlows: Int
  /// How long silence ends a flow.
  public let timeouts: FlowTimeouts
  /// Number of the capture that new flows belong to.
  public var capture: UInt32 = 0
  /// Flows made so far.
  public var made: UInt64 = 0
  /// Flows that were evicted because of `maximumFlows`.
  public var evicted: UInt64 = 0
  /// Records that have left the index since the caller last emptied this.
  public var ended: [EndedFlow] = []

  /// An empty table.
  /// - Parameters:
  ///   - maximumFlows: the cap; at least 64.
  ///   - timeouts: how long silence ends a flow.
  ///   - seed: the hash seed; random by default.
  public init(maximumFlows: Int, timeouts: FlowTimeouts = FlowTimeouts(), seed: UInt64 = .random(in: 1 ... .max)) {
    self.maximumFlows = min(max(maximumFlows, 64), Int(Int32.max))
    self.timeouts = timeouts
    self.seed = seed
    slab = FlowSlab(capacity: self.maximumFlows + 1024)
    index = FlowIndex(bits: 14)
  }

  /// Flows under way.
  public var count: Int { index.count }

  /// A record by its index.
  @inlinable public subscript(record: UInt32) -> FlowRecord {
    @inline(__always) _read { yield slab[record] }
    @inline(__always) _modify { yield &slab[record] }
  }

  /// Finds or makes the flow of every packet of a batch and counts the packet.
  ///
  /// The first two loops only read, slots first and records second, so that their cache misses overlap.
  /// - Returns: a sum that means nothing, so that the early reads are not optimised away.
  @inlinable
  public mutating func apply(_ batch: inout FlowBatch) -> UInt64 {
    var sink: UInt64 = 0
    let count = batch.count
    for i in 0..<count {
      sink &+= UInt64(index.slots[Int(truncatingIfNeeded: batch.items[i].hash) & index.mask].tag)
    }
    for i in 0..<count {
      let slot = index.slots[Int(truncatingIfNeeded: batch.items[i].hash) & index.mask]
      guard slot.record != 0 else { continue }
      sink &+= UInt64(bitPattern: slab[slot.record &- 1].lastSeen) &+ slab[slot.record &- 1].id
    }
    for i in 0..<count { touch(&batch.items[i]) }
    return sink
  }

  @inlinable @inline(__always)
  mutating func find(_ key: FlowKey, tag: UInt32) -> UInt32? {
    var i = Int(tag) & index.mask
    while true {
      let slot = index.slots[i]
      guard slot.record != 0 else { return nil }
      if slot.tag == tag {
        let found = slab[slot.record &- 1].key
        if found.ports == key.ports, found.a == key.a, found.b == key.b, found.scope == key.scope,
          found.transport == key.transport
        {
          return slot.record &- 1
        }
      }
      i = (i &+ 1) & index.mask
    }
  }

  @inlinable @inline(__always)
  mutating func touch(_ touch: inout FlowTouch) {
    let tag = UInt32(truncatingIfNeeded: touch.hash)
    var record = find(touch.key, tag: tag)
    if let known = record, isOver(known, touch) {
      detach(known, tag: tag, at: touch.timestamp)
      record = nil
    }
    touch.isNew = record == nil
    let flow = record ?? make(touch, tag: tag)
    touch.record = flow
    touch.isToServer = slab[flow].count(touch)
    touch.ordinal = slab[flow].packets
    if touch.key.transport == .tcp, !touch.flags.isDisjoint(with: [.syn, .fin, .rst]) || touch.isNew {
      control(flow, touch)
    }
  }

  /// Whether a packet begins a new flow on an old key: after the timeout, or by a SYN on a closed connection.
  @inlinable @inline(__always)
  func isOver(_ record: UInt32, _ touch: FlowTouch) -> Bool {
    let silence = touch.timestamp &- slab[record].lastSeen
    let state = slab[record].state
    if silence > timeouts.nanoseconds(touch.key, state) { return true }
    return state == .closed && touch.flags.contains(.syn) && !touch.flags.contains(.ack)
  }
}

extension FlowRecord {
  /// Counts a packet.
  /// - Returns: whether it goes to the server.
  @inlinable @inline(__always)
  mutating func count(_ touch: FlowTouch) -> Bool {
    let isToServer = touch.key.isFromA == isClientA
    if touch.key.isFromA {
      a.packets &+= touch.packets
      a.bytes &+= UInt64(touch.wireBytes)
    } else {
      b.packets &+= touch.packets
      b.bytes &+= UInt64(touch.wireBytes)
    }
    if state == .new, a.packets != 0, b.packets != 0 { state = .established }
    if touch.payloadLength > 0 {
      let gap = lastPayload == 0 ? nil : UInt64(max(touch.timestamp &- lastPayload, 0))
      shape.count(size: touch.payloadLength, gap: gap, isToServer: isToServer)
      lastPayload = max(touch.timestamp, 1)
    }
    // A clock that jumps back does not make a flow older than it is.
    lastSeen = max(lastSeen, touch.timestamp)
    return isToServer
  }
}
