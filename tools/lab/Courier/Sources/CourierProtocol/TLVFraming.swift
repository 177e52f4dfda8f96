// apns-security-v2 and -v3, as pypush `transport.py` and pushproxy's documentation describe them:
//
//   command (1) | length (4, big-endian) | field ...
//   field: id (1) | length (2, big-endian) | value

/// The older framing. It has no memory: each command stands for itself.
public enum TLVFraming {
  /// The bytes of a command. Integers take the width that `width` gives for their field, else as few bytes as they need;
  /// dictionaries become binary property lists.
  ///
  /// - Throws: `FramingError.tooLong` where a field has more than 65,535 bytes or a body more than `Limits.body`.
  public static func encode(_ command: Command) throws(FramingError) -> [UInt8] {
    var body: [UInt8] = []
    for field in command.fields {
      let value = try bytes(of: field, in: command.number)
      guard let length = UInt16(exactly: value.count) else { throw .tooLong(value.count) }
      body.append(field.id)
      body.append(UInt8(length >> 8))
      body.append(UInt8(truncatingIfNeeded: length))
      body += value
    }
    guard body.count <= Limits.body else { throw .tooLong(body.count) }
    return [command.number] + big(Int64(body.count), width: 4) + body
  }

  /// The command at the beginning of `bytes`.
  ///
  /// - Throws: what makes the bytes no command.
  public static func decode(_ bytes: some RandomAccessCollection<UInt8>) throws(FramingError) -> Reading {
    // Only the head is copied until the body is there: a long body comes in many pieces.
    var head = Cursor(Array(bytes.prefix(5)))
    guard let number = head.byte(), let length = head.integer(width: 4) else { return .needsMore }
    guard length <= Limits.body else { throw .tooLong(Int(clamping: length)) }
    guard bytes.count - head.at >= Int(length) else { return .needsMore }
    let body = Array(bytes.dropFirst(head.at).prefix(Int(length)))
    var fields: [Field] = []
    var rest = Cursor(body)
    while !rest.isAtEnd {
      guard let id = rest.byte(), let size = rest.integer(width: 2), let value = rest.take(Int(size)) else {
        throw .cut
      }
      guard fields.count < Limits.count else { throw .limits }
      fields.append(Field(id, try read(value, field: id, in: number)))
    }
    return .command(Command(number: number, fields: fields), length: 5 + body.count)
  }

  /// Widths of the integer fields in bytes, by command and field. Source: pypush `protocol.py`, pushproxy.
  static func width(_ number: UInt8, _ field: UInt8) -> Int? {
    switch (CommandID(rawValue: number), field) {
    case (.connect, 2), (.connect, 6), (.connected, 1), (.ack, 8), (.keepAliveResponse, 1), (.setState, 1),
      (.notification, 7), (.notification, 9), (.notification, 13), (.connect, 17):
      1
    case (.connect, 16), (.connected, 4), (.connected, 8), (.flush, 1), (.notification, 28): 2
    case (.connect, 5), (.connected, 6), (.ack, 4), (.notification, 4), (.notification, 5), (.setState, 2),
      (.keepAliveResponse, 2), (.connected, 16), (.connected, 17), (.connected, 18), (.connect, 19), (.connect, 20),
      (.keepAlive, 5), (.channelSubscribe, 1), (.notification, 26):
      4
    case (.connected, 10), (.notification, 6), (.ack, 6), (.connect, 22): 8
    default: nil
    }
  }

  private static func bytes(of field: Field, in number: UInt8) throws(FramingError) -> [UInt8] {
    switch field.value {
    case .data(let bytes): return bytes
    case .string(let text): return Array(text.utf8)
    case .integer(let value): return big(value, width: width(number, field.id) ?? least(value))
    case .bool(let flag): return [flag ? 1 : 0]
    case .dictionary, .array:
      return field.value.propertyList()
    }
  }

  private static func read(_ value: [UInt8], field: UInt8, in number: UInt8) throws(FramingError) -> Value {
    if let width = width(number, field), width == value.count {
      var cursor = Cursor(value)
      return .integer(Int64(truncatingIfNeeded: cursor.integer(width: width) ?? 0))
    }
    if value.starts(with: PropertyListWriter.magic) { return try Value(propertyList: value) }
    return .data(value)
  }

  private static func least(_ value: Int64) -> Int { max(1, (64 - value.magnitude.leadingZeroBitCount + 7) / 8) }

  private static func big(_ value: Int64, width: Int) -> [UInt8] {
    (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * Int64($0))) }
  }
}

/// Reads bytes in their order; every read may come up short.
struct Cursor {
  let bytes: [UInt8]
  private(set) var at = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { at >= bytes.count }

  mutating func byte() -> UInt8? {
    guard at < bytes.count else { return nil }
    defer { at += 1 }
    return bytes[at]
  }

  mutating func take(_ count: Int) -> [UInt8]? {
    guard count >= 0, count <= bytes.count - at else { return nil }
    defer { at += count }
    return Array(bytes[at..<at + count])
  }

  /// A big-endian number of at most eight bytes.
  mutating func integer(width: Int) -> UInt64? {
    guard width <= 8, let taken = take(width) else { return nil }
    return taken.reduce(0) { $0 << 8 | UInt64($1) }
  }
}
