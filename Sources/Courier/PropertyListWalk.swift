import Bytes

// A binary property list (Apple, CFBinaryPList.c; format "bplist00"):
//
//   "bplist00" | objects | offset table | trailer (32)
//   trailer:  unused (5) | sort version (1) | offset size (1) | reference size (1) | objects (8) | top object (8) |
//             offset of the offset table (8)
//   object:   0x08 false, 0x09 true, 0x1n integer of 2^n bytes, 0x4n data, 0x5n ASCII, 0x6n UTF-16, 0xAn array,
//             0xDn dictionary (n keys, then n values); n = 15: the count follows as an integer object

/// Looks for a few keys of a payload that is a binary property list, without building a tree.
struct PropertyListWalk {
  /// Objects that are looked at. References may lead to one object many times, so that a list of a few hundred bytes
  /// could take millions of steps.
  static let maximumObjects = 16_384

  private let offsetSize: Int, referenceSize: Int, count: Int, table: Int
  private var steps = 0

  /// Takes note of what the list says. Returns whether it was read to its end.
  static func read(_ bytes: RawSpan, into content: inout CommandContent) -> Bool {
    guard bytes.byteCount >= 40, bytes.slice(0, 6).isEqual("bplist"), var walk = PropertyListWalk(bytes),
      let top = Int(exactly: bytes.u64(bytes.byteCount &- 16))
    else { return false }
    return walk.dictionary(bytes, top, .payload, &content)
  }

  private init?(_ bytes: RawSpan) {
    let trailer = bytes.byteCount &- 32
    offsetSize = Int(bytes.u8(trailer &+ 6))
    referenceSize = Int(bytes.u8(trailer &+ 7))
    guard let count = Int(exactly: bytes.u64(trailer &+ 8)), let table = Int(exactly: bytes.u64(trailer &+ 24)),
      (1...8).contains(offsetSize), (1...8).contains(referenceSize), count <= trailer, table >= 8, table <= trailer,
      bytes.holds(count &* offsetSize, at: table)
    else { return nil }
    self.count = count
    self.table = table
  }

  private mutating func dictionary(
    _ bytes: RawSpan, _ object: Int, _ place: FieldPlace, _ content: inout CommandContent
  ) -> Bool {
    guard let at = offset(bytes, object), bytes.u8(at) & 0xf0 == 0xd0, let (start, pairs) = extent(bytes, at),
      bytes.holds(pairs &* referenceSize &* 2, at: start)
    else { return false }
    for i in 0..<pairs {
      guard let key = reference(bytes, start, i), let value = reference(bytes, start, pairs &+ i),
        let word = text(bytes, key),
        entry(bytes, FieldKey(bytes.slice(word.lowerBound, word.count)), value, place, &content)
      else { return false }
    }
    return true
  }

  private mutating func entry(
    _ bytes: RawSpan, _ key: FieldKey, _ object: Int, _ place: FieldPlace, _ content: inout CommandContent
  ) -> Bool {
    guard let value = value(bytes, object) else { return false }
    content.note(key, value, at: place)
    let inside = place.inside(key)
    switch (inside, value) {
    case (.aps, .dictionary): return dictionary(bytes, object, .aps, &content)
    case (.deviceList, .array(let count)):
      guard let at = offset(bytes, object), let (start, _) = extent(bytes, at) else { return false }
      for i in 0..<count {
        guard let device = reference(bytes, start, i), dictionary(bytes, device, .device, &content) else {
          return false
        }
      }
      return true
    default: return true
    }
  }

  /// The value that an object is; containers are not entered. Nil where it is none, or `maximumObjects` is reached.
  private mutating func value(_ bytes: RawSpan, _ object: Int) -> FieldValue? {
    guard let at = offset(bytes, object) else { return nil }
    let tag = bytes.u8(at)
    switch tag & 0xf0 {
    case 0x00: return tag == 0x08 ? .boolean(false) : tag == 0x09 ? .boolean(true) : .other
    case 0x10: return integer(bytes, at).map { .integer($0) }
    case 0x40: return content(bytes, at, width: 1).map { .bytes(bytes.slice($0.lowerBound, $0.count)) }
    case 0x50: return content(bytes, at, width: 1).map { .text(bytes.slice($0.lowerBound, $0.count)) }
    case 0x60: return content(bytes, at, width: 2).map { .string(count: $0.count, encryption: nil) }
    case 0xa0:
      guard let (start, count) = extent(bytes, at), bytes.holds(count &* referenceSize, at: start) else { return nil }
      return .array(count: count)
    case 0xd0:
      guard let (start, count) = extent(bytes, at), bytes.holds(count &* referenceSize &* 2, at: start)
      else { return nil }
      return .dictionary(count: count)
    default: return .other
    }
  }

  /// An ASCII string; a string of another kind is a key that nobody looks for.
  private mutating func text(_ bytes: RawSpan, _ object: Int) -> Range<Int>? {
    guard let at = offset(bytes, object) else { return nil }
    switch bytes.u8(at) & 0xf0 {
    case 0x50: return content(bytes, at, width: 1)
    case 0x60: return content(bytes, at, width: 2)
    default: return nil
    }
  }

  private func content(_ bytes: RawSpan, _ at: Int, width: Int) -> Range<Int>? {
    guard let (start, count) = extent(bytes, at), bytes.holds(count &* width, at: start) else { return nil }
    return start..<start &+ count &* width
  }

  /// Where the content of an object begins, and how many items it has.
  private func extent(_ bytes: RawSpan, _ at: Int) -> (start: Int, count: Int)? {
    let low = Int(bytes.u8(at) & 0x0f)
    guard low == 15 else { return (at &+ 1, low) }
    guard bytes.holds(2, at: at &+ 1), bytes.u8(at &+ 1) & 0xf0 == 0x10, let count = integer(bytes, at &+ 1),
      count >= 0, count <= bytes.byteCount
    else { return nil }
    return (at &+ 2 &+ (1 << Int(bytes.u8(at &+ 1) & 0x0f)), Int(count))
  }

  private func integer(_ bytes: RawSpan, _ at: Int) -> Int64? {
    let power = Int(bytes.u8(at) & 0x0f)
    guard power <= 3, let value = number(bytes, at &+ 1, 1 << power) else { return nil }
    return Int64(truncatingIfNeeded: value)
  }

  private func number(_ bytes: RawSpan, _ at: Int, _ width: Int) -> UInt64? {
    guard bytes.holds(width, at: at) else { return nil }
    var value: UInt64 = 0
    for i in 0..<width { value = value << 8 | UInt64(bytes.u8(at &+ i)) }
    return value
  }

  private func reference(_ bytes: RawSpan, _ start: Int, _ index: Int) -> Int? {
    number(bytes, start &+ index &* referenceSize, referenceSize).flatMap { Int(exactly: $0) }
  }

  /// Where an object lies; every look counts as a step.
  private mutating func offset(_ bytes: RawSpan, _ object: Int) -> Int? {
    steps &+= 1
    guard steps <= Self.maximumObjects, object >= 0, object < count,
      let offset = number(bytes, table &+ object &* offsetSize, offsetSize).flatMap({ Int(exactly: $0) }),
      offset >= 8, offset < table
    else { return nil }
    return offset
  }
}
