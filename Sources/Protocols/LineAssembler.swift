import Bytes

/// Cuts a stream into lines, fed in order in chunks of any size. A line that lies whole in a chunk is lent from there;
/// of one that is cut or longer than `maximumLength` at most that many bytes are kept, and the rest is passed over.
struct LineAssembler {
  /// The most bytes of a line that are kept.
  static let maximumLength = 8192

  private var buffer: [UInt8] = []

  /// Bytes that are kept.
  var bufferedBytes: Int { buffer.count }

  /// Takes bytes from `offset` on, and gives each line without its end to `receive`, which returns whether to go on.
  /// - Returns: the offset behind the last byte that was taken.
  mutating func consume(
    _ bytes: borrowing RawSpan, from offset: Int, receive: (borrowing RawSpan) -> Bool
  ) -> Int {
    var start = offset
    var at = offset
    while at < bytes.byteCount {
      guard bytes.u8(at) == 0x0a else {
        at &+= 1
        continue
      }
      let part = bytes.slice(start, at &- start)
      at &+= 1
      start = at
      if buffer.isEmpty {
        if !receive(Self.withoutReturn(part)) { return at }
      } else {
        keep(part)
        let line = buffer
        buffer = []
        if !receive(Self.withoutReturn(line.rawSpan)) { return at }
      }
    }
    keep(bytes.slice(start, bytes.byteCount &- start))
    return bytes.byteCount
  }

  private mutating func keep(_ part: borrowing RawSpan) {
    buffer.append(part.slice(0, Self.maximumLength &- buffer.count))
  }

  @_lifetime(copy line)
  private static func withoutReturn(_ line: RawSpan) -> RawSpan {
    let count = line.byteCount
    let hasReturn = count > 0 && line.u8(count &- 1) == 0x0d
    return line.slice(0, hasReturn ? count &- 1 : min(count, maximumLength))
  }
}

extension RawSpan {
  /// Whether ASCII `text`, given in lower case, stands at `offset`, in any case.
  func has(_ text: StaticString, at offset: Int = 0) -> Bool {
    let count = text.utf8CodeUnitCount
    guard holds(count, at: offset) else { return false }
    // Safe: the pointer covers exactly the literal's code units, which live as long as the program.
    let wanted = unsafe UnsafeBufferPointer(start: text.utf8Start, count: count)
    for i in 0..<count {
      let byte = u8(offset &+ i)
      let lower = (0x41...0x5a).contains(byte) ? byte | 0x20 : byte
      if unsafe wanted[i] != lower { return false }
    }
    return true
  }

  /// Whether ASCII `text`, given in lower case, stands anywhere, in any case.
  func contains(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard byteCount >= count else { return false }
    return (0...(byteCount &- count)).contains { has(text, at: $0) }
  }

  /// The offset of the first `byte` at or after `start`, or `nil`.
  func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
    var at = start
    while at < byteCount {
      if u8(at) == byte { return at }
      at &+= 1
    }
    return nil
  }

  /// The span without spaces and tabs at its ends.
  @_lifetime(copy self)
  func trimmed() -> RawSpan {
    var start = 0
    var end = byteCount
    while start < end, u8(start) == 0x20 || u8(start) == 0x09 { start &+= 1 }
    while end > start, u8(end &- 1) == 0x20 || u8(end &- 1) == 0x09 { end &-= 1 }
    return slice(start, end &- start)
  }
}
