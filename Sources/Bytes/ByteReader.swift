/// A big-endian cursor over borrowed bytes. Every read succeeds or throws; none traps.
@frozen public struct ByteReader: ~Escapable {
  @usableFromInline let bytes: RawSpan
  @usableFromInline var position: Int

  /// A reader at the first of `bytes`; offsets count from there.
  @inlinable @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) {
    self.bytes = bytes
    position = 0
  }

  /// The offset of the next byte.
  @inlinable public var offset: Int { position }

  /// How many bytes are left.
  @inlinable public var remaining: Int { bytes.byteCount &- position }

  /// Whether no byte is left.
  @inlinable public var isAtEnd: Bool { remaining <= 0 }

  @inlinable func require(_ count: Int) throws(ParseError) {
    guard count >= 0 else { throw .malformed(.length, at: position) }
    guard remaining >= count else { throw .truncated(needed: count, available: remaining, at: position) }
  }

  /// Reads a byte.
  @inlinable @_lifetime(self: copy self)
  public mutating func u8() throws(ParseError) -> UInt8 {
    try require(1)
    defer { position &+= 1 }
    return bytes.u8(position)
  }

  /// Reads a 16-bit number.
  @inlinable @_lifetime(self: copy self)
  public mutating func u16() throws(ParseError) -> UInt16 {
    try require(2)
    defer { position &+= 2 }
    return bytes.u16(position)
  }

  /// Reads a 24-bit number.
  @inlinable @_lifetime(self: copy self)
  public mutating func u24() throws(ParseError) -> Int {
    try require(3)
    defer { position &+= 3 }
    return Int(bytes.u16(position)) << 8 | Int(bytes.u8(position &+ 2))
  }

  /// Reads a 32-bit number.
  @inlinable @_lifetime(self: copy self)
  public mutating func u32() throws(ParseError) -> UInt32 {
    try require(4)
    defer { position &+= 4 }
    return bytes.u32(position)
  }

  /// Reads a 64-bit number.
  @inlinable @_lifetime(self: copy self)
  public mutating func u64() throws(ParseError) -> UInt64 {
    try require(8)
    defer { position &+= 8 }
    return bytes.u64(position)
  }

  /// Moves past `count` bytes.
  @inlinable @_lifetime(self: copy self)
  public mutating func skip(_ count: Int) throws(ParseError) {
    try require(count)
    position &+= count
  }

  /// Takes the next `count` bytes.
  @inlinable @_lifetime(copy self)
  public mutating func take(_ count: Int) throws(ParseError) -> RawSpan {
    try require(count)
    let start = position
    position = start &+ count
    return bytes.slice(start, count)
  }

  /// A reader of its own over the next `count` bytes; this one moves past them.
  @inlinable @_lifetime(copy self)
  public mutating func sub(_ count: Int) throws(ParseError) -> ByteReader {
    ByteReader(try take(count))
  }

  /// Takes all that is left.
  @inlinable @_lifetime(copy self)
  public mutating func rest() -> RawSpan {
    let start = position
    position = bytes.byteCount
    return bytes.slice(start, bytes.byteCount &- start)
  }
}
