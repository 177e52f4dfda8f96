/// Flow records in chunks that never move, handed out by index.
///
/// Chunks are made as flows come, so that memory follows the traffic, and reused last-in first-out.
@frozen @safe @usableFromInline struct FlowSlab: ~Copyable {
  @usableFromInline static var chunkBits: Int { @inlinable get { 10 } }
  @usableFromInline var chunks: UnsafeMutablePointer<UnsafeMutablePointer<FlowRecord>>
  @usableFromInline let chunkCapacity: Int
  @usableFromInline var chunkCount = 0
  @usableFromInline var used = 0
  @usableFromInline var free: [UInt32] = []

  init(capacity: Int) {
    chunkCapacity = (capacity >> Self.chunkBits) + 1
    unsafe chunks = .allocate(capacity: chunkCapacity)
  }

  @inlinable deinit {
    // FlowRecord is plain data: freeing its memory is all there is to do.
    for i in 0..<chunkCount { unsafe chunks[i].deallocate() }
    unsafe chunks.deallocate()
  }

  /// Reaches a record that was handed out.
  @usableFromInline subscript(index: UInt32) -> FlowRecord {
    @inlinable @inline(__always)
    unsafeAddress {
      precondition(Int(index) < used, "a flow index that was never handed out")
      // Safe: every index below `used` lies in an allocated and initialised chunk.
      return unsafe UnsafePointer(chunks[Int(index) >> Self.chunkBits] + Int(index) & (1 << Self.chunkBits &- 1))
    }
    @inlinable @inline(__always)
    unsafeMutableAddress {
      precondition(Int(index) < used, "a flow index that was never handed out")
      // Safe: as above; `mutating` access is exclusive.
      return unsafe chunks[Int(index) >> Self.chunkBits] + Int(index) & (1 << Self.chunkBits &- 1)
    }
  }

  /// Hands out a fresh record, or nil when the capacity is used up.
  mutating func allocate() -> UInt32? {
    if let index = free.popLast() {
      self[index] = FlowRecord()
      return index
    }
    if used == chunkCount << Self.chunkBits {
      guard chunkCount < chunkCapacity else { return nil }
      let size = 1 << Self.chunkBits
      let chunk = UnsafeMutablePointer<FlowRecord>.allocate(capacity: size)
      unsafe chunk.initialize(repeating: FlowRecord(), count: size)
      // Safe: `chunkCount` is below the capacity of `chunks`.
      unsafe (chunks + chunkCount).initialize(to: chunk)
      chunkCount += 1
    }
    defer { used += 1 }
    return UInt32(truncatingIfNeeded: used)
  }

  /// Takes a record back.
  mutating func release(_ index: UInt32) { free.append(index) }
}
