import Bytes

/// Caps on what fragments may hold.
public struct FragmentLimits: Sendable {
  /// Bytes of all held fragments, each with an allowance for its bookkeeping: 4 MiB. Beyond it the oldest datagrams go.
  public var bytes = 4 << 20
  /// Datagrams that may wait: 4,096. Beyond it the oldest go.
  public var datagrams = 4096
  /// Fragments of one datagram: 1,366, enough for 65,535 bytes over the smallest MTU of IPv4, 68 bytes (RFC 791). Beyond
  /// it the datagram is refused.
  public var fragmentsPerDatagram = 1366
  /// Nanoseconds of packet time that a datagram waits: 30 s.
  public var age: Int64 = 30_000_000_000
  /// The caps above.
  public init() {}
}

/// What happened to fragments.
public struct FragmentCounters: Hashable, Sendable {
  /// Fragments that were held for a time.
  public var held: UInt64 = 0
  /// Datagrams that became whole.
  public var completed: UInt64 = 0
  /// Datagrams whose time ran out.
  public var expired: UInt64 = 0
  /// Fragments refused because they contradict others or lie past the end of any datagram.
  public var refused: UInt64 = 0
  /// Fragments whose bytes differ from those held for the same place; IPv4 keeps the earlier bytes.
  public var conflicting: UInt64 = 0
  /// Datagrams that a cap on bytes or datagrams cost.
  public var evicted: UInt64 = 0
  /// Fragments that the cap on fragments of a datagram cost.
  public var overLimit: UInt64 = 0
  /// Nothing happened.
  public init() {}
}

/// Datagrams that wait for fragments (RFC 791, section 3.2; RFC 8200, section 4.5).
///
/// Where fragments overlap, the bytes that came first win. RFC 5722 wants an IPv6 datagram with overlapping fragments
/// dropped whole; here only when their bytes differ, as retransmitted fragments are not an attack. A datagram's age
/// counts from its first fragment.
struct FragmentTable: ~Copyable {
  struct Key: Hashable {
    var source: IPAddress, destination: IPAddress
    var scope: FlowScope
    var identification: UInt32
    var transport: UInt8
    var version: UInt8
  }

  enum Insertion {
    /// It waits in the datagram of that number.
    case held(Int)
    /// It was the last that the datagram of that number waited for.
    case complete(Int)
    /// It contradicts the others.
    case bad
    /// Its datagram has too many fragments.
    case refused
  }

  /// What a whole datagram was.
  struct Whole {
    var length: Int
    var transport: UInt8
    var packets: Int
    var bytes: UInt32
  }

  private struct Piece {
    var start: Int
    var length: Int
    /// Fewer than `length` where the snapshot length cut them.
    var bytes: [UInt8]
    var end: Int { start &+ length }
    /// Bytes against the cap: an array's header and this struct, roughly.
    var cost: Int { bytes.count &+ 96 }
  }

  private enum State { case open, contradicted, overLimit }

  private struct Datagram {
    var key: Key
    var created: Int64
    var state = State.open
    var transport: UInt8 = 0
    /// In order, and apart from each other.
    var pieces: [Piece] = []
    var fragments = 0
    var covered = 0
    /// -1 until the last fragment has come.
    var length = -1
    var cost = 0
    var packets = 0
    var bytes: UInt32 = 0
    var older = -1, newer = -1
  }

  let limits: FragmentLimits
  private(set) var counters = FragmentCounters()
  private var index: [Key: Int] = [:]
  private var slots: [Datagram] = []
  private var free: [Int] = []
  private var oldest = -1, newest = -1
  private var cost = 0

  init(limits: FragmentLimits) { self.limits = limits }

  var count: Int { index.count }

  mutating func insert(
    _ fragment: Fragment, _ key: Key, _ payload: RawSpan, length: Int, at time: Int64
  ) -> Insertion {
    expire(at: time)
    // Only the last fragment may end anywhere. Hosts disagree on IPv4 ones that break the rule: the odd bytes go.
    let length = fragment.hasMore && fragment.version == 4 ? length & ~7 : length
    let end = fragment.offset &+ length
    guard length > 0, end &+ fragment.headerLength <= 0xffff, !fragment.hasMore || length & 7 == 0 else {
      counters.refused &+= 1
      return .bad
    }
    let slot = datagram(key, at: time)
    switch slots[slot].state {
    case .open: break
    case .contradicted:
      counters.refused &+= 1
      return .bad
    case .overLimit:
      counters.overLimit &+= 1
      return .refused
    }
    guard slots[slot].fragments < limits.fragmentsPerDatagram else {
      close(slot, .overLimit)
      counters.overLimit &+= 1
      return .refused
    }
    guard isConsistent(slot, end: end, hasMore: fragment.hasMore) else {
      if fragment.version == 6 { close(slot, .contradicted) }
      counters.refused &+= 1
      return .bad
    }
    guard place(slot, fragment, payload, end: end) else {
      close(slot, .contradicted)
      counters.refused &+= 1
      return .bad
    }
    if !fragment.hasMore { slots[slot].length = end }
    if fragment.offset == 0 || fragment.version == 4 { slots[slot].transport = fragment.transport }
    slots[slot].fragments &+= 1
    counters.held &+= 1
    if slots[slot].covered == slots[slot].length { return .complete(slot) }
    while cost > limits.bytes, oldest >= 0, oldest != slot {
      remove(oldest)
      counters.evicted &+= 1
    }
    guard cost <= limits.bytes else {
      close(slot, .overLimit)
      counters.overLimit &+= 1
      return .refused
    }
    return .held(slot)
  }

  /// Counts packets that no flow has counted yet towards a datagram.
  mutating func count(_ slot: Int, packets: Int, bytes: UInt32) {
    slots[slot].packets &+= packets
    slots[slot].bytes = slots[slot].bytes.addingSaturated(bytes)
  }

  /// Lets go of a whole datagram after copying its bytes, up to the first that was not captured.
  mutating func take(_ slot: Int, into buffer: inout [UInt8]) -> Whole {
    buffer.reserveCapacity(slots[slot].length)
    for piece in slots[slot].pieces {
      buffer.append(contentsOf: piece.bytes)
      guard piece.bytes.count == piece.length else { break }
    }
    let whole = Whole(
      length: slots[slot].length, transport: slots[slot].transport, packets: slots[slot].packets,
      bytes: slots[slot].bytes)
    remove(slot)
    counters.completed &+= 1
    return whole
  }

  private func isConsistent(_ slot: Int, end: Int, hasMore: Bool) -> Bool {
    let length = slots[slot].length
    if length >= 0 { return hasMore ? end <= length : end == length }
    return hasMore || end >= slots[slot].pieces.last?.end ?? 0
  }

  /// Fills the gaps that the fragment covers; false where an IPv6 fragment contradicts bytes that are there.
  private mutating func place(_ slot: Int, _ fragment: Fragment, _ payload: RawSpan, end: Int) -> Bool {
    var cursor = fragment.offset
    // In order, the usual case, a fragment follows all that are there.
    var i = slots[slot].pieces.last?.end ?? 0 <= cursor ? slots[slot].pieces.count : 0
    var isConflicting = false
    while cursor < end {
      while i < slots[slot].pieces.count, slots[slot].pieces[i].end <= cursor { i &+= 1 }
      let isLast = i == slots[slot].pieces.count
      let gapEnd = isLast ? end : min(end, slots[slot].pieces[i].start)
      if gapEnd > cursor {
        let bytes = payload.slice(cursor &- fragment.offset, gapEnd &- cursor).array
        let piece = Piece(start: cursor, length: gapEnd &- cursor, bytes: bytes)
        slots[slot].covered &+= piece.length
        slots[slot].cost &+= piece.cost
        cost &+= piece.cost
        slots[slot].pieces.insert(piece, at: i)
        cursor = gapEnd
        continue
      }
      let overlapEnd = min(end, slots[slot].pieces[i].end)
      if !agrees(slots[slot].pieces[i], payload, from: cursor, to: overlapEnd, offset: fragment.offset) {
        isConflicting = true
      }
      cursor = overlapEnd
    }
    guard isConflicting else { return true }
    counters.conflicting &+= 1
    return fragment.version == 4
  }

  /// Whether a held piece and a new payload have the same bytes, as far as both were captured.
  private func agrees(_ piece: Piece, _ payload: RawSpan, from: Int, to: Int, offset: Int) -> Bool {
    let stop = min(to, piece.start &+ piece.bytes.count, offset &+ payload.byteCount)
    var i = from
    while i < stop {
      if piece.bytes[i &- piece.start] != payload.u8(i &- offset) { return false }
      i &+= 1
    }
    return true
  }

  /// Keeps a datagram as a refusal of what else comes for it, without its bytes.
  private mutating func close(_ slot: Int, _ state: State) {
    slots[slot].state = state
    slots[slot].pieces = []
    cost &-= slots[slot].cost
    slots[slot].cost = 0
  }

  private mutating func datagram(_ key: Key, at time: Int64) -> Int {
    if let slot = index[key] {
      guard isStale(slot, at: time) else { return slot }
      expire(slot)
    }
    while index.count >= max(limits.datagrams, 1), oldest >= 0 {
      remove(oldest)
      counters.evicted &+= 1
    }
    var datagram = Datagram(key: key, created: time)
    datagram.older = newest
    let slot: Int
    if let reused = free.popLast() {
      slot = reused
      slots[slot] = datagram
    } else {
      slot = slots.count
      slots.append(datagram)
    }
    if newest >= 0 { slots[newest].newer = slot } else { oldest = slot }
    newest = slot
    index[key] = slot
    return slot
  }

  /// Packet time may jump either way where captures follow each other, so that distance counts, not order.
  private func isStale(_ slot: Int, at time: Int64) -> Bool {
    let (age, overflow) = time.subtractingReportingOverflow(slots[slot].created)
    return overflow || age.magnitude > UInt64(clamping: limits.age)
  }

  private mutating func expire(at time: Int64) {
    while oldest >= 0, isStale(oldest, at: time) { expire(oldest) }
  }

  private mutating func expire(_ slot: Int) {
    if slots[slot].state == .open { counters.expired &+= 1 }
    remove(slot)
  }

  private mutating func remove(_ slot: Int) {
    index.removeValue(forKey: slots[slot].key)
    cost &-= slots[slot].cost
    let (older, newer) = (slots[slot].older, slots[slot].newer)
    if older >= 0 { slots[older].newer = newer } else { oldest = newer }
    if newer >= 0 { slots[newer].older = older } else { newest = older }
    slots[slot].pieces = []
    free.append(slot)
  }
}
