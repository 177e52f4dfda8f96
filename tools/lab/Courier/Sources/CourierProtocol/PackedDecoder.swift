extension PackedFraming {
  /// Reads commands of one direction, keeping the caches that its encoder fills.
  public struct Decoder: Sendable {
    private var tables: Tables
    /// Bytes that references may still add to the command being read.
    private var left = Limits.expanded

    /// - Parameter size: bytes of the value table.
    public init(size: Int = PackedFraming.valueTableSize) { tables = Tables(size: size) }

    /// The command at the beginning of `bytes`; nothing changes until it is whole.
    ///
    /// - Throws: what makes the bytes no command. The connection is then of no more use: the caches have parted.
    public mutating func decode(_ bytes: some RandomAccessCollection<UInt8>) throws(FramingError) -> Reading {
      // Only the head is copied until the body is there: a long body comes in many pieces.
      var head = Cursor(Array(bytes.prefix(8)))
      guard let number = head.byte(), let first = head.byte() else { return .needsMore }
      guard let length = try Self.tagged(first, prefix: 8, from: &head) else { return .needsMore }
      guard length <= Limits.body else { throw .tooLong(length) }
      guard bytes.count - head.at >= length else { return .needsMore }
      let body = Array(bytes.dropFirst(head.at).prefix(length))
      var rest = Cursor(body), fields: [Field] = []
      left = Limits.expanded
      while !rest.isAtEnd {
        guard fields.count < Limits.count else { throw .limits }
        let (key, value, isCached) = try attribute(&rest, depth: 0)
        guard key.count == 1, let id = key.first else { throw .kind(key.first ?? 0) }
        fields.append(Field(id, value, cached: isCached))
      }
      return .command(Command(number: number, fields: fields), length: head.at + length)
    }

    /// - Returns: nil where the bytes end within the number.
    private static func tagged(_ first: UInt8, prefix bits: Int, from cursor: inout Cursor) throws(FramingError) -> Int?
    {
      let top = 1 << bits - 1
      let low = Int(first) & top
      if low < top { return low }
      var rest = 0, shift = 0
      while true {
        guard let byte = cursor.byte() else { return nil }
        // 28 bits are more than any length here.
        guard shift < 28 else { throw .limits }
        rest |= Int(byte & 0x7F) << shift
        shift += 7
        if byte & 0x80 == 0 { return top + rest }
      }
    }

    private func number(_ first: UInt8, prefix bits: Int, _ cursor: inout Cursor) throws(FramingError) -> Int {
      guard let value = try Self.tagged(first, prefix: bits, from: &cursor) else { throw .cut }
      return value
    }

    private mutating func attribute(
      _ cursor: inout Cursor, depth: Int
    ) throws(FramingError) -> (key: [UInt8], value: Value, isCached: Bool) {
      guard let head = cursor.byte() else { throw .cut }
      let key: [UInt8]
      switch head & 0x30 {
      case 0x00: key = [head & 0x0F]
      case 0x10:
        guard let name = cursor.take(try number(head, prefix: 4, &cursor) + 1) else { throw .cut }
        key = name
        tables.add(key: name)
      case 0x20, 0x30:
        guard let known = tables.key(at: Int(head & 0x1F)) else { throw .reference(Int(head & 0x1F)) }
        key = known
      default: throw .kind(head)
      }
      let value: Value
      if head & 0x80 != 0 {
        guard let first = cursor.byte() else { throw .cut }
        let index = try number(first, prefix: 8, &cursor)
        guard let bytes = tables.value(at: index) else { throw .reference(index) }
        // Two bytes here may stand for 4,096 there.
        guard bytes.count <= left else { throw .limits }
        left -= bytes.count
        var cached = Cursor(bytes)
        value = try self.value(&cached, depth: depth)
      } else {
        let start = cursor.at
        value = try self.value(&cursor, depth: depth)
        if head & 0x40 != 0 {
          // A cached container could refer to cached containers, and a few bytes stand for an endless tree.
          guard !value.isContainer else { throw .kind(cursor.bytes[start]) }
          tables.add(value: Array(cursor.bytes[start..<cursor.at]))
        }
      }
      return (key, value, head & 0xC0 != 0)
    }

    private mutating func value(_ cursor: inout Cursor, depth: Int) throws(FramingError) -> Value {
      guard depth < Limits.depth else { throw .limits }
      guard let head = cursor.byte() else { throw .cut }
      switch head & 0xC0 {
      case 0x00:
        guard let bytes = cursor.take(try number(head, prefix: 6, &cursor)) else { throw .cut }
        return .data(bytes)
      case 0x40:
        guard let bytes = cursor.take(try number(head, prefix: 5, &cursor)) else { throw .cut }
        return .string(String(decoding: bytes, as: UTF8.self))
      case 0x80:
        if head & 0x20 == 0 { return .integer(Int64(head & 0x1F)) }
        guard let magnitude = cursor.integer(width: Int(head & 0x07) + 1) else { throw .cut }
        let number = head & 0x08 == 0 ? Int64(exactly: magnitude) : Int64(exactly: -Int128(magnitude))
        guard let number else { throw .limits }
        return .integer(number)
      default: return try container(head, &cursor, depth: depth)
      }
    }

    private mutating func container(_ head: UInt8, _ cursor: inout Cursor, depth: Int) throws(FramingError) -> Value {
      let count = try number(head, prefix: 4, &cursor)
      guard count <= Limits.count else { throw .limits }
      switch head & 0xF0 {
      case 0xC0:
        var entries: [Value.Entry] = []
        for _ in 0..<count {
          let (key, value, _) = try attribute(&cursor, depth: depth + 1)
          entries.append(Value.Entry(String(decoding: key, as: UTF8.self), value))
        }
        return .dictionary(entries)
      case 0xD0:
        var elements: [Value] = []
        for _ in 0..<count { elements.append(try value(&cursor, depth: depth + 1)) }
        return .array(elements)
      case 0xE0: return .bool(count != 0)
      default: throw .kind(head)
      }
    }
  }
}
