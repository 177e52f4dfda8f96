import Bytes

// The framing of ALPN `apns-pack-v1` (rustpush `src/aps.rs`; a second client, dev.fenn.imessage, agrees):
//
//   command (1) | body length (tagged, prefix 8) | attribute ...
//
//   tagged value, prefix of n bits: below 2^n - 1 it stands in the prefix; else the prefix is all ones and the rest
//   follows, least seven bits first, each byte with a continuation bit; a rest of 0 is one byte 0x00
//
//   attribute:  +---+---+---+---+---+---+---+---+
//               | R | C | K | L |    number     |   R  an index (tagged, prefix 8) into the value table follows
//               +---+---+---+---+---+---+---+---+   C  the value that follows enters the value table
//                                                   K  the low five bits are an index into the key table
//                                                   L  a key of its own: length - 1 (tagged, prefix 4), then its
//                                                      bytes, which enter the key table
//   value:      00 data (tagged, prefix 6)          10 integer: 0x80 | v below 32, else 0xA0 | bytes - 1 | 0x08 if
//               010 string (tagged, prefix 5)          negative, then the magnitude, big-endian
//               1100 dictionary, 1101 array, 1110 bool (tagged, prefix 4)

enum PackedFraming {
  static func head(_ bytes: RawSpan, at offset: Int) -> HeadReading {
    guard bytes.holds(1, at: offset) else { return .needsMore }
    let command = CourierCommand(number: bytes.u8(offset))
    guard command.isPlausible else { return .broken }
    var at = offset &+ 1
    switch tagged(bytes, at: &at, prefix: 8) {
    case .needsMore: return .needsMore
    case .tooLong: return .tooLong
    case .value(let length):
      guard length <= CourierConnection.maximumBodyLength else { return .tooLong }
      return .head(CommandHead(command: command, headLength: at &- offset, bodyLength: length))
    }
  }

  enum Tagged: Equatable {
    case value(Int)
    case needsMore
    case tooLong
  }

  /// Reads a tagged value and moves behind it. Its rest may have four bytes: 2^28 is beyond every cap.
  static func tagged(_ bytes: RawSpan, at: inout Int, prefix bits: Int) -> Tagged {
    guard bytes.holds(1, at: at) else { return .needsMore }
    let top = 1 << bits &- 1
    let low = Int(bytes.u8(at)) & top
    at = at &+ 1
    guard low == top else { return .value(low) }
    var rest = 0
    for i in 0..<4 {
      guard bytes.holds(1, at: at) else { return .needsMore }
      let byte = bytes.u8(at)
      at = at &+ 1
      rest |= Int(byte & 0x7f) << (7 &* i)
      if byte & 0x80 == 0 { return .value(top &+ rest) }
    }
    return .tooLong
  }
}

/// A walk over the attributes of a body, which brings the tables up to date.
///
/// It takes one step a byte at most: a reference costs nothing, whatever it stands for, and what is behind a reference
/// to a container is not read (no encoder is known to write one).
struct PackedWalk {
  /// Containers inside one another. Payloads have three.
  static let maximumDepth = 16

  var tables: PackedTables
  var content = CommandContent()
  private let command: CourierCommand

  init(_ command: CourierCommand, tables: PackedTables) {
    self.command = command
    self.tables = tables
  }

  /// Reads a body. Returns whether its attributes fill it exactly.
  mutating func read(_ body: RawSpan) -> Bool {
    var at = 0
    while at < body.byteCount {
      guard attribute(body, &at, .command, 0) else { return false }
    }
    return true
  }

  private mutating func attribute(_ body: RawSpan, _ at: inout Int, _ place: FieldPlace, _ depth: Int) -> Bool {
    guard body.holds(1, at: at) else { return false }
    let flags = body.u8(at)
    guard let key = key(body, &at) else { return false }
    let inside = place.inside(key)
    let value: FieldValue
    switch flags & 0xc0 {
    case 0x80:
      guard case .value(let index) = PackedFraming.tagged(body, at: &at, prefix: 8), let known = tables.value(at: index)
      else { return false }
      value = known
    case 0xc0: return false
    default:
      let start = at
      guard let read = self.value(body, &at, inside, depth) else { return false }
      if inside == .payload { notePayload(read, body.slice(start, at &- start)) }
      if flags & 0x40 != 0 { tables.add(read.isContainer ? .other : read, bytes: at &- start) }
      value = read
    }
    content.note(key, value, at: place)
    return true
  }

  private mutating func notePayload(_ value: FieldValue, _ written: RawSpan) {
    guard command == .notification, content.payloadLength == nil else { return }
    switch value {
    case .data(let count, _, _), .string(let count, _):
      content.payloadLength = count
      content.readPayload(written.slice(written.byteCount &- count, count))
    default: content.payloadLength = written.byteCount
    }
  }

  private mutating func key(_ body: RawSpan, _ at: inout Int) -> FieldKey? {
    let flags = body.u8(at)
    if flags & 0x20 != 0 {
      at = at &+ 1
      return tables.key(at: Int(flags & 0x1f))
    }
    guard flags & 0x10 != 0 else {
      at = at &+ 1
      return FieldKey(number: flags & 0x0f)
    }
    guard case .value(let count) = PackedFraming.tagged(body, at: &at, prefix: 4), body.holds(count &+ 1, at: at)
    else { return nil }
    let key = FieldKey(body.slice(at, count &+ 1))
    at = at &+ count &+ 1
    tables.add(key)
    return key
  }

  /// Reads a value and moves behind it; nil where it is none.
  private mutating func value(_ body: RawSpan, _ at: inout Int, _ place: FieldPlace, _ depth: Int) -> FieldValue? {
    guard body.holds(1, at: at) else { return nil }
    switch body.u8(at) {
    case 0x00...0x3f: return extent(body, &at, prefix: 6).map { .bytes(body.slice($0.lowerBound, $0.count)) }
    case 0x40...0x5f: return extent(body, &at, prefix: 5).map { .text(body.slice($0.lowerBound, $0.count)) }
    case 0x80...0x9f:
      at = at &+ 1
      return .integer(Int64(body.u8(at &- 1) & 0x1f))
    case 0xa0...0xaf: return integer(body, &at)
    case 0xc0...0xcf:
      return container(body, &at, depth) { walk, at in walk.attribute(body, &at, place, depth &+ 1) }
        .map { .dictionary(count: $0) }
    case 0xd0...0xdf:
      return container(body, &at, depth) { walk, at in
        walk.value(body, &at, place.insideElement, depth &+ 1) != nil
      }
      .map { .array(count: $0) }
    case 0xe0...0xef:
      guard case .value(let number) = PackedFraming.tagged(body, at: &at, prefix: 4) else { return nil }
      return .boolean(number != 0)
    default: return nil
    }
  }

  private func extent(_ body: RawSpan, _ at: inout Int, prefix: Int) -> Range<Int>? {
    guard case .value(let count) = PackedFraming.tagged(body, at: &at, prefix: prefix), body.holds(count, at: at)
    else { return nil }
    at = at &+ count
    return at &- count..<at
  }

  private func integer(_ body: RawSpan, _ at: inout Int) -> FieldValue? {
    let tag = body.u8(at)
    let count = Int(tag & 0x07) &+ 1
    guard body.holds(count, at: at &+ 1) else { return nil }
    var magnitude: UInt64 = 0
    for i in 0..<count { magnitude = magnitude << 8 | UInt64(body.u8(at &+ 1 &+ i)) }
    at = at &+ 1 &+ count
    let number = Int64(clamping: magnitude)
    return .integer(tag & 0x08 == 0 ? number : 0 &- number)
  }

  private mutating func container(
    _ body: RawSpan, _ at: inout Int, _ depth: Int, _ element: (inout PackedWalk, inout Int) -> Bool
  ) -> Int? {
    guard depth < Self.maximumDepth, case .value(let count) = PackedFraming.tagged(body, at: &at, prefix: 4),
      count <= body.byteCount &- at
    else { return nil }
    for _ in 0..<count { guard element(&self, &at) else { return nil } }
    return count
  }
}

extension FieldValue {
  fileprivate var isContainer: Bool {
    switch self {
    case .array, .dictionary: true
    default: false
    }
  }
}
