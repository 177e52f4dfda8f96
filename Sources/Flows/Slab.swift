#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Plain data in chunks that never move, handed out by index.
///
/// Chunks are made as elements are asked for, so that memory follows the traffic, and reused last-in first-out. They
/// begin where a cache line does, and all but their beginning lies in huge pages where the system has them: with a
/// million flows most elements would cost a walk through page tables besides.
@frozen @safe @usableFromInline struct Slab<Element: BitwiseCopyable>: ~Copyable {
  @usableFromInline static var chunkBits: Int { @inlinable get { 16 } }
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
    for i in 0..<chunkCount { unsafe UnsafeMutableRawPointer(chunks[i]).deallocate() }
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
      makeChunk()
    }
    let index = UInt32(truncatingIfNeeded: used)
    used += 1
    // Here and not with the chunk, so that memory that is never used is never touched.
    self[index] = empty
    return index
  }

  private static var hugePage: Int { 1 << 21 }

  private mutating func makeChunk() {
    let size = 1 << Self.chunkBits
    let bytes = size * MemoryLayout<Element>.stride
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: Self.hugePage)
    #if os(Linux)
      // Advice only: whether it is taken changes nothing but the time. Not the first page, which alone serves small
      // captures, and no page that is not whole.
      let whole = bytes & ~(Self.hugePage - 1)
      if whole > Self.hugePage {
        unsafe madvise(memory + Self.hugePage, whole - Self.hugePage, MADV_HUGEPAGE)
      }
    #endif
    // Safe: room for `size` elements; being plain data they need no initialisation before they are written, which
    // `allocate` does before it hands one out. `chunkCount` is below the capacity of `chunks`.
    unsafe (chunks + chunkCount).initialize(to: memory.bindMemory(to: Element.self, capacity: size))
    chunkCount += 1
  }

  /// Takes an element back.
  mutating func release(_ index: UInt32) { free.append(index) }
}
