// A binary property list, as CFBinaryPList.c of Apple's CoreFoundation writes it:
//
//   "bplist00" | objects | offsets of the objects | trailer of 32 bytes
//   object: marker (type in the high four bits, length or 15 in the low ones) and contents; containers hold references
//
// Equal strings, numbers and data are written once. Foundation on Linux does not do that, and its lists are longer.

/// Writes binary property lists of the length that an Apple device gives them.
struct PropertyListWriter {
  /// What every binary property list begins with.
  static let magic = Array("bplist00".utf8)

  private var objects: [[UInt8]] = []
  private var known: [[UInt8]: Int] = [:]
  private var references: [(object: Int, targets: [Int])] = []

  /// The property list of a value.
  static func bytes(of value: Value) -> [UInt8] {
    var writer = PropertyListWriter()
    _ = writer.add(value)
    return writer.finished()
  }

  private mutating func add(_ value: Value) -> Int {
    switch value {
    case .data(let bytes): return scalar(Self.marker(0x40, bytes.count) + bytes)
    case .string(let text):
      let ascii = text.utf8.allSatisfy { $0 < 0x80 }
      return scalar(
        ascii
          ? Self.marker(0x50, text.utf8.count) + text.utf8
          : Self.marker(0x60, text.utf16.count)
            + text.utf16.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] })
    case .integer(let number): return scalar(Self.integer(number))
    case .bool(let flag): return scalar([flag ? 9 : 8])
    case .array(let elements):
      let own = reserve(Self.marker(0xA0, elements.count))
      let targets = elements.map { add($0) }
      references.append((own, targets))
      return own
    case .dictionary(let entries):
      let own = reserve(Self.marker(0xD0, entries.count))
      let keys = entries.map { add(.string($0.key)) }
      let values = entries.map { add($0.value) }
      references.append((own, keys + values))
      return own
    }
  }

  private mutating func reserve(_ bytes: [UInt8]) -> Int {
    objects.append(bytes)
    return objects.count - 1
  }

  private mutating func scalar(_ bytes: [UInt8]) -> Int {
    if let number = known[bytes] { return number }
    let number = reserve(bytes)
    known[bytes] = number
    return number
  }

  private func finished() -> [UInt8] {
    let referenceSize = objects.count <= 256 ? 1 : 2
    var contents = objects
    for (object, targets) in references {
      for target in targets { contents[object] += Self.big(UInt64(target), referenceSize) }
    }
    var out = Self.magic, offsets: [Int] = []
    for content in contents {
      offsets.append(out.count)
      out += content
    }
    let table = out.count
    let offsetSize = table < 1 << 8 ? 1 : table < 1 << 16 ? 2 : 4
    for offset in offsets { out += Self.big(UInt64(offset), offsetSize) }
    out += [0, 0, 0, 0, 0, 0, UInt8(offsetSize), UInt8(referenceSize)]
    return out + Self.big(UInt64(contents.count), 8) + Self.big(0, 8) + Self.big(UInt64(table), 8)
  }

  private static func marker(_ type: UInt8, _ count: Int) -> [UInt8] {
    count < 15 ? [type | UInt8(count)] : [type | 15] + integer(Int64(count))
  }

  private static func integer(_ number: Int64) -> [UInt8] {
    switch number {
    case 0..<256: [0x10] + big(UInt64(number), 1)
    case 256..<65_536: [0x11] + big(UInt64(number), 2)
    case 65_536..<4_294_967_296: [0x12] + big(UInt64(number), 4)
    default: [0x13] + big(UInt64(bitPattern: number), 8)
    }
  }

  private static func big(_ number: UInt64, _ width: Int) -> [UInt8] {
    (0..<width).reversed().map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0))) }
  }
}
