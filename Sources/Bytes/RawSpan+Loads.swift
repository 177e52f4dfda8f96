// Bytes may hold: reading of borrowed bytes, parse errors, addresses, hex. No Foundation, no I/O.

/// Big- and little-endian loads at a byte offset.
///
/// A parser checks a layer's length once and then loads its fields. A load outside the span is a bug of that
/// check: it stops a debug build and reads 0 in a release build, so that no input can trap.
extension RawSpan {
  /// Whether `count` bytes lie at `offset`.
  @inlinable @inline(__always) public func holds(_ count: Int, at offset: Int) -> Bool {
    offset >= 0 && count >= 0 && offset <= byteCount && byteCount &- offset >= count
  }

  @inlinable @inline(__always) func checked(_ count: Int, at offset: Int) -> Bool {
    let inside = holds(count, at: offset)
    assert(inside, "a load outside the bytes: the length check before it is missing")
    return inside
  }

  /// The byte at `offset`.
  @inlinable @inline(__always) public func u8(_ offset: Int) -> UInt8 {
    guard checked(1, at: offset) else { return 0 }
    // Safe: the byte lies inside the span, as checked above.
    return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
  }

  /// The 16-bit big-endian number at `offset`.
  @inlinable @inline(__always) public func u16(_ offset: Int) -> UInt16 {
    guard checked(2, at: offset) else { return 0 }
    // Safe: both bytes lie inside the span, as checked above.
    return unsafe UInt16(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self))
  }

  /// The 32-bit big-endian number at `offset`.
  @inlinable @inline(__always) public func u32(_ offset: Int) -> UInt32 {
    guard checked(4, at: offset) else { return 0 }
    // Safe: all four bytes lie inside the span, as checked above.
    return unsafe UInt32(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
  }

  /// The 64-bit big-endian number at `offset`.
  @inlinable @inline(__always) public func u64(_ offset: Int) -> UInt64 {
    guard checked(8, at: offset) else { return 0 }
    // Safe: all eight bytes lie inside the span, as checked above.
    return unsafe UInt64(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
  }

  /// The bytes from `offset` on, `count` of them; as many as there are where fewer lie there.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func slice(_ offset: Int, _ count: Int) -> RawSpan {
    let start = min(max(offset, 0), byteCount)
    return extracting(start..<start &+ min(max(count, 0), byteCount &- start))
  }

  /// A copy of the bytes.
  public var array: [UInt8] {
    var copy: [UInt8] = []
    copy.reserveCapacity(byteCount)
    copy.append(self)
    return copy
  }
}

extension [UInt8] {
  /// The bytes, borrowed.
  @inlinable public var rawSpan: RawSpan {
    @_lifetime(borrow self) get {
      // Safe: bytes have no padding that could be read before it was written.
      unsafe span.bytes
    }
  }

  /// Appends a copy of borrowed bytes.
  public mutating func append(_ bytes: RawSpan) {
    // Safe: the pointer is used only inside the closure.
    unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }
}
