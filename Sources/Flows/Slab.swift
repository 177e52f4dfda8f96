/// Plain data in chunks that never move, handed out by index.
///
/// Chunks are made as elements are asked for, so that memory follows the traffic, and reused last-in first-out.
@frozen @safe @usableFromInline struct Slab<Element: BitwiseCopyable>: ~Copyable {
  @usableFromInline static var chunkBits: Int { @inlinable get { 10 } }
  @usableFromInline var chunks: UnsafeMutablePointer<UnsafeMutablePointer<Element>>
  @usableFromInline let chunkCapacity: Int
  @usableFromInline var chunkCount = 0
  @usableFromInline var used = 0
  @usableFromInline var free: [UInt32] = []
  @usableFromInline let empty: Element

  /// A slab of at most `capacity` elements that begin as `empty`.
  init(capacity: Int, empty: Element) {
    chunkCapacity = (capacity >> Self.chunkBits) + 1
    self.empty = empty
    unsafe chunks = .allocate(capacity: chunkCapacity)
  }

  @inlinable deinit {
    // Elements are plain data: freeing their memory is all there is to do.
    for i in 0..<chunkCount { unsafe chunks[i].deallocate() }
    unsafe chunks.deallocate()
  }

  /// Bytes of the elements that are handed out.
  var usedMemory: Int { (used - free.count) * MemoryLayout<Element>.stride }

  /// Reaches an element that was handed out.
  @usableFromInline subscript(index: UInt32) -> Element {
    @inlinable @inline(__always)
    unsafeAddress {
      precondition(Int(index) < used, "an index that was never handed out")
      // Safe: every index below `used` lies in an allocated and initialised chunk.
      return unsafe UnsafePointer(chunks[Int(index) >> Self.chunkBits] + Int(index) & (1 << Self.chunkBits &- 1))
    }
    @inlinable @inline(__always)
    unsafeMutableAddress {
      precondition(Int(index) < used, "an index that was never handed out")
      // Safe: as above; `mutating` access is exclusive.
      return unsafe chunks[Int(index) >> Self.chunkBits] + Int(index) & (1 << Self.chunkBits &- 1)
    }
  }

  /// Hands out an empty element, or nil when the capacity is used up.
  mutating func allocate() -> UInt32? {
    if let index = free.popLast() {
      self[index] = empty
      return index
    }
    if used == chunkCount << Self.chunkBits {
      guard chunkCount < chunkCapacity else { return nil }
      let size = 1 << Self.chunkBits
      let chunk = UnsafeMutablePointer<Element>.allocate(capacity: size)
      unsafe chunk.initialize(repeating: empty, count: size)
      // Safe: `chunkCount` is below the capacity of `chunks`.
      unsafe (chunks + chunkCount).initialize(to: chunk)
      chunkCount += 1
    }
    defer { used += 1 }
    return UInt32(truncatingIfNeeded: used)
  }

  /// Takes an element back.
  mutating func release(_ index: UInt32) { free.append(index) }
}
