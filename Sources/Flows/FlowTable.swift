import Bytes
import Decode

/// Why a record left the table.
public enum FlowEnd: UInt8, Sendable {
  case timeout, evicted, closed
}

/// A record that has left the index and waits to be reported and released.
public struct EndedFlow: Sendable {
  /// The record.
  public var record: UInt32
  /// Why.
  public var end: FlowEnd
}

/// All flows under way: found by key, aged by packet time, capped.
///
/// The table owns its memory, and is passed `inout`: reaching it through a class would cost two exclusivity checks a
/// packet.
public struct FlowTable: ~Copyable {
  @usableFromInline var slab: Slab<FlowRecord>
  var firsts: Slab<FirstPackets>
  var bins: Slab<ShapeBins>
  var streams: Slab<StreamMeter>
  var index: FlowIndex
  var wheel = TimerWheel()
  /// The second of packet time from which on flows wait in the wheel: none is before it.
  var earliest = Int64.max
  /// The hash seed of this table.
  public let seed: UInt64
  /// The most flows under way at a time.
  public let maximumFlows: Int
  /// How long silence ends a flow.
  public let timeouts: FlowTimeouts
  /// Number of the capture that new flows belong to, from 0.
  public var capture = 0
  /// Flows made so far.
  public internal(set) var made: UInt64 = 0
  /// Flows that were evicted to make room.
  public internal(set) var evicted: UInt64 = 0
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
    // Flows that have ended and wait to be reported keep their records.
    let capacity = self.maximumFlows + 1024
    slab = Slab(capacity: capacity, empty: FlowRecord())
    firsts = Slab(capacity: capacity, empty: FirstPackets())
    bins = Slab(capacity: capacity, empty: ShapeBins())
    streams = Slab(capacity: capacity, empty: StreamMeter())
    index = FlowIndex(bits: 14)
  }

  /// Flows under way.
  public var count: Int { index.count }

  /// Bytes that the flows under way and those that wait to be released take.
  public var usedMemory: Int {
    slab.usedMemory + firsts.usedMemory + bins.usedMemory + streams.usedMemory
      + index.slots.count * MemoryLayout<FlowIndex.Slot>.stride
  }

  /// A record by its index.
  @inlinable public subscript(record: UInt32) -> FlowRecord {
    @inline(__always) _read { yield slab[record] }
    @inline(__always) _modify { yield &slab[record] }
  }

  /// Finds or makes the flow of every packet of a batch and counts the packet.
  ///
  /// The first loops only read, slots first, records second, sizes and times third, so that their cache misses overlap.
  /// - Parameter batch: the packets; their records are filled in.
  /// - Returns: a sum that means nothing, so that the early reads are not optimised away.
  public mutating func apply(_ batch: inout FlowBatch) -> UInt64 {
    var sink: UInt64 = 0
    let count = min(batch.count, FlowBatch.capacity)
    for i in 0..<count {
      let slot = index.slots[Int(truncatingIfNeeded: batch.items[i].hash) & index.mask]
      batch.items[i].record = slot.record
    }
    for i in 0..<count where batch.items[i].record != 0 {
      let record = batch.items[i].record &- 1
      sink &+= UInt64(bitPattern: slab[record].lastSeen) &+ UInt64(slab[record].stream)
    }
    for i in 0..<count where batch.items[i].record != 0 {
      let record = batch.items[i].record &- 1
      let (first, stream) = (slab[record].first, slab[record].stream)
      if first != 0 { sink &+= UInt64(firsts[first &- 1].count) &+ UInt64(firsts[first &- 1].gaps[8]) }
      if stream != 0, slab[record].watch > 0 { sink &+= UInt64(streams[stream &- 1].budget) }
    }
    for i in 0..<count { touch(&batch.items[i]) }
    return sink
  }

  @inline(__always)
  private func find(_ key: FlowKey, tag: UInt32) -> UInt32? {
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

  @inline(__always)
  private mutating func touch(_ touch: inout FlowTouch) {
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
    if touch.payloadLength > 0 { countShape(flow, touch) }
    if touch.key.transport == .tcp, !touch.flags.isDisjoint(with: [.syn, .fin, .rst]) || touch.isNew {
      control(flow, touch)
    }
  }

  /// Whether a packet begins a new flow on an old key: after the timeout, or by a SYN on a closed connection.
  @inline(__always)
  private func isOver(_ record: UInt32, _ touch: FlowTouch) -> Bool {
    let silence = touch.timestamp &- slab[record].lastSeen
    let state = slab[record].state
    if silence > timeouts.nanoseconds(touch.key, state) { return true }
    return state == .closed && touch.flags.contains(.syn) && !touch.flags.contains(.ack)
  }

  @inline(__always)
  private mutating func countShape(_ flow: UInt32, _ touch: FlowTouch) {
    if slab[flow].first == 0 {
      guard let fresh = firsts.allocate() else { return }
      slab[flow].first = fresh &+ 1
    }
    let first = slab[flow].first &- 1
    let last = firsts[first].lastPayload
    let microseconds = last == 0 ? 0 : UInt64(max(touch.timestamp &- last, 0)) / 1000
    firsts[first].lastPayload = max(touch.timestamp, 1)
    if Int(firsts[first].count) < ShapeMeter.firstPackets {
      return firsts[first].append(size: touch.payloadLength, microseconds: microseconds, isToServer: touch.isToServer)
    }
    if firsts[first].bins == 0 {
      guard let fresh = bins.allocate() else { return }
      bins[fresh] = ShapeBins(firsts[first])
      firsts[first].bins = fresh &+ 1
    }
    bins[firsts[first].bins &- 1].count(
      size: touch.payloadLength, microseconds: microseconds, isToServer: touch.isToServer)
  }
}

extension FlowTable {
  /// The shape of a flow so far.
  public func shape(of record: UInt32) -> ShapeMeter {
    let first = slab[record].first
    var shape = ShapeMeter()
    if first != 0 {
      let packets = firsts[first &- 1]
      shape = ShapeMeter(packets, packets.bins == 0 ? nil : bins[packets.bins &- 1])
    }
    let stream = slab[record].stream
    if stream != 0 {
      shape.records = streams[stream &- 1].records
      shape.recordCount = streams[stream &- 1].count
    }
    return shape
  }

  /// Payload bytes of each side's first packet among those that are kept one by one; nil where there is none.
  public func firstLengths(of record: UInt32) -> (client: Int?, server: Int?) {
    let first = slab[record].first
    return first == 0 ? (nil, nil) : firsts[first &- 1].firstLengths
  }

  /// How many of a flow's first packets with payload are kept one by one: all of them up to 16.
  public func shapedPackets(of record: UInt32) -> Int {
    let first = slab[record].first
    return first == 0 ? 0 : Int(firsts[first &- 1].count)
  }

  /// How many TLS records of a flow were measured.
  public func measuredRecords(of record: UInt32) -> Int {
    let stream = slab[record].stream
    return stream == 0 ? 0 : Int(streams[stream &- 1].count)
  }

  /// TCP: the sequence number of the first byte of a flow's side, where a SYN, or the first packet of a flow that was
  /// joined in the middle, told it.
  public func startSequence(of record: UInt32, isClient: Bool) -> UInt32? {
    let stream = slab[record].stream
    guard stream != 0 else { return nil }
    let side = isClient == slab[record].isClientA ? streams[stream &- 1].a : streams[stream &- 1].b
    return side.isStartKnown ? side.startSequence : nil
  }

  /// Follows the TLS records of a TCP flow through a packet's payload, as long as the flow's `watch` asks for it.
  public mutating func meterRecords(_ payload: RawSpan, _ touch: FlowTouch) {
    let stream = slab[touch.record].stream
    guard stream != 0, slab[touch.record].watch > 0 else { return }
    streams[stream &- 1].meter(payload, touch)
    slab[touch.record].watch = streams[stream &- 1].budget
  }
}

extension FlowRecord {
  /// Counts a packet.
  /// - Returns: whether it goes to the server.
  @inline(__always)
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
    // A clock that jumps back does not make a flow older than it is.
    lastSeen = max(lastSeen, touch.timestamp)
    return isToServer
  }
}
