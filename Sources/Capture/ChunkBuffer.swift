/// The memory that packets are lent out of: one run of bytes that is filled at its end and read from its start.
@safe struct ChunkBuffer: ~Copyable {
  private(set) var base: UnsafeMutableRawPointer
  private(set) var capacity: Int
  /// The first byte that is not used up.
  var start = 0
  /// One past the last byte that is filled.
  private(set) var end = 0
  /// How many bytes of the stream went before the byte at 0.
  private(set) var discarded: UInt64 = 0

  init(capacity: Int) {
    self.capacity = max(capacity, 64)
    unsafe base = UnsafeMutableRawPointer.allocate(byteCount: self.capacity, alignment: 16)
  }

  deinit { unsafe base.deallocate() }

  /// What is filled, used up or not: the bytes that lent packets lie in.
  var bytes: RawSpan {
    @_lifetime(borrow self) get {
      // Safe: `base` holds `capacity` bytes, of which `end` are initialized, and lives as long as `self`.
      let span = unsafe RawSpan(_unsafeStart: base, byteCount: end)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// How many filled bytes are not used up.
  var available: Int { end &- start }

  /// Where in the stream a byte of the buffer lies.
  func streamOffset(_ offset: Int) -> UInt64 { discarded &+ UInt64(clamping: offset) }

  /// Lets go of what is used up, and makes sure that `needed` bytes in a row, and one more, can be filled.
  ///
  /// The caller holds `needed` under its cap.
  mutating func makeRoom(for needed: Int) {
    let kept = available
    if needed >= capacity {
      var larger = capacity
      while larger <= needed { larger = larger &* 2 }
      let grown = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
      // Safe: `kept` bytes lie at `start`, and the new memory is larger than the old.
      unsafe grown.copyMemory(from: base + start, byteCount: kept)
      unsafe base.deallocate()
      unsafe base = grown
      capacity = larger
    } else if start > 0 {
      // Safe: source and destination lie inside the buffer, and memmove may overlap.
      unsafe base.copyMemory(from: base + start, byteCount: kept)
    }
    discarded = discarded &+ UInt64(clamping: start)
    start = 0
    end = kept
  }

  /// The free memory after the filled bytes. Tell `fill` how much of it was used.
  var room: UnsafeMutableRawBufferPointer {
    // Safe to use until the buffer is next mutated: `capacity - end` bytes follow `end`.
    unsafe UnsafeMutableRawBufferPointer(start: base + end, count: capacity &- end)
  }

  /// Counts bytes that were written to `room`.
  mutating func fill(_ count: Int) { end = min(end &+ max(count, 0), capacity) }

  /// Empties the buffer; what it held counts as read.
  mutating func removeAll() {
    discarded = discarded &+ UInt64(clamping: end)
    start = 0
    end = 0
  }

  /// Forgets that anything was read: the stream starts again.
  mutating func restart() {
    start = 0
    end = 0
    discarded = 0
  }

  /// The pointer to a packet, for libpcap's filter; nil where the packet does not lie in the buffer.
  @inline(__always) func pointer(_ offset: Int, _ count: Int) -> UnsafePointer<UInt8>? {
    guard offset >= 0, count >= 0, offset <= end, end &- offset >= count else { return nil }
    // Safe: the range was checked against what is filled.
    return unsafe UnsafePointer((base + offset).assumingMemoryBound(to: UInt8.self))
  }

  /// The 16-bit number at `offset`; 0 where it does not lie in the buffer, which is a bug of the caller.
  @inline(__always) func u16(_ offset: Int, bigEndian: Bool) -> UInt16 {
    let inside = offset >= 0 && offset <= end && end &- offset >= 2
    assert(inside, "a load outside the chunk: the length check before it is missing")
    guard inside else { return 0 }
    // Safe: both bytes are filled, as checked above.
    let raw = unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
    return bigEndian ? UInt16(bigEndian: raw) : UInt16(littleEndian: raw)
  }

  /// The 32-bit number at `offset`; 0 where it does not lie in the buffer, which is a bug of the caller.
  @inline(__always) func u32(_ offset: Int, bigEndian: Bool) -> UInt32 {
    let inside = offset >= 0 && offset <= end && end &- offset >= 4
    assert(inside, "a load outside the chunk: the length check before it is missing")
    guard inside else { return 0 }
    // Safe: all four bytes are filled, as checked above.
    let raw = unsafe base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    return bigEndian ? UInt32(bigEndian: raw) : UInt32(littleEndian: raw)
  }

  /// A copy of some bytes, as many as lie in the buffer.
  func copy(_ offset: Int, _ count: Int) -> [UInt8] {
    let from = min(max(offset, 0), end)
    let length = min(max(count, 0), end &- from)
    // Safe: the range was cut to what is filled.
    return unsafe [UInt8](UnsafeRawBufferPointer(start: base + from, count: length))
  }
}
