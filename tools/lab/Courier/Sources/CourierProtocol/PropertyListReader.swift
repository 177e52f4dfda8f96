// A binary property list, read as CFBinaryPList.c of Apple's CoreFoundation describes it; see PropertyListWriter.swift.
//
//   trailer (32): 5 unused | sort version | bytes of an offset | bytes of a reference |
//                 objects (8) | number of the top object (8) | place of the offset table (8)

/// Reads binary property lists that a stranger wrote.
///
/// Several containers may hold the same object, and a short list can so stand for an endless tree: what is read counts
/// against `Limits.expanded`. Dates, reals, sets and UIDs do not occur in the courier's payloads and are refused.
struct PropertyListReader {
  private let bytes: [UInt8]
  private let objects: Int, offsetSize: Int, referenceSize: Int, table: Int
  private var left = Limits.expanded

  /// - Throws: `FramingError.payload` where it is no property list, or one past `Limits`.
  static func value(of bytes: [UInt8]) throws(FramingError) -> Value {
    guard bytes.count >= 40, bytes.starts(with: PropertyListWriter.magic) else { throw .payload }
    var trailer = Cursor(Array(bytes.suffix(26)))
    guard let offsetSize = trailer.byte(), let referenceSize = trailer.byte(), (1...8).contains(offsetSize),
      (1...8).contains(referenceSize), let objects = trailer.integer(width: 8), let top = trailer.integer(width: 8),
      let table = trailer.integer(width: 8)
    else { throw .payload }
    // Every object takes a byte at least, so these bounds hold for all lists, and what follows cannot overflow.
    guard objects <= bytes.count, top < objects, table <= bytes.count - 32,
      Int(objects) * Int(offsetSize) <= bytes.count - 32 - Int(table)
    else { throw .payload }
    var reader = PropertyListReader(
      bytes: bytes, objects: Int(objects), offsetSize: Int(offsetSize), referenceSize: Int(referenceSize),
      table: Int(table))
    return try reader.object(Int(top), depth: 0)
  }

  private init(bytes: [UInt8], objects: Int, offsetSize: Int, referenceSize: Int, table: Int) {
    (self.bytes, self.objects, self.table) = (bytes, objects, table)
    (self.offsetSize, self.referenceSize) = (offsetSize, referenceSize)
  }

  private mutating func object(_ number: Int, depth: Int) throws(FramingError) -> Value {
    guard depth < Limits.depth, number < objects else { throw .payload }
    guard let offset = Self.big(bytes, at: table + number * offsetSize, width: offsetSize), offset < table,
      let marker = Self.big(bytes, at: Int(offset), width: 1)
    else { throw .payload }
    let low = Int(marker & 15)
    var at = Int(offset) + 1
    switch marker >> 4 {
    case 0x0:
      try spend(1)
      switch low {
      case 8: return .bool(false)
      case 9: return .bool(true)
      default: throw .payload
      }
    case 0x1: return .integer(try integer(at: at, log: low))
    case 0x4: return .data(Array(try take(try count(low, &at), &at)))
    case 0x5:
      let text = try take(try count(low, &at), &at)
      guard text.allSatisfy({ $0 < 0x80 }) else { throw .payload }
      return .string(String(decoding: text, as: UTF8.self))
    case 0x6:
      let text = Array(try take(try count(low, &at) * 2, &at))
      let units = stride(from: 0, to: text.count, by: 2).map { UInt16(text[$0]) << 8 | UInt16(text[$0 + 1]) }
      return .string(String(decoding: units, as: UTF16.self))
    case 0xA:
      var elements: [Value] = []
      for target in try references(try count(low, &at), &at) { elements.append(try object(target, depth: depth + 1)) }
      return .array(elements)
    case 0xD:
      let size = try count(low, &at)
      let targets = try references(size * 2, &at)
      var entries: [Value.Entry] = []
      for (key, target) in zip(targets.prefix(size), targets.dropFirst(size)) {
        guard case .string(let name) = try object(key, depth: depth + 1) else { throw .payload }
        entries.append(Value.Entry(name, try object(target, depth: depth + 1)))
      }
      return .dictionary(entries)
    default: throw .payload
    }
  }

  /// One, two and four bytes hold no sign; eight do; sixteen hold what needs the 64th bit, more than a `Value` takes.
  private mutating func integer(at: Int, log: Int) throws(FramingError) -> Int64 {
    guard log <= 3, let number = Self.big(bytes, at: at, width: 1 << log) else { throw .payload }
    try spend(1 + (1 << log))
    return Int64(bitPattern: number)
  }

  /// A length from the marker's low bits, or where these are full from an integer behind it.
  private func count(_ low: Int, _ at: inout Int) throws(FramingError) -> Int {
    if low < 15 { return low }
    guard let marker = Self.big(bytes, at: at, width: 1), marker >> 4 == 1, marker & 15 <= 3 else { throw .payload }
    let width = 1 << Int(marker & 15)
    guard let count = Self.big(bytes, at: at + 1, width: width), count <= bytes.count else { throw .payload }
    at += 1 + width
    return Int(count)
  }

  private mutating func take(_ size: Int, _ at: inout Int) throws(FramingError) -> ArraySlice<UInt8> {
    guard size <= table - at else { throw .payload }
    try spend(size + 1)
    defer { at += size }
    return bytes[at..<at + size]
  }

  private mutating func references(_ count: Int, _ at: inout Int) throws(FramingError) -> [Int] {
    guard count <= 2 * Limits.count else { throw .payload }
    var targets: [Int] = []
    try spend(count + 1)
    for _ in 0..<count {
      guard let target = Self.big(bytes, at: at, width: referenceSize), target < objects else { throw .payload }
      targets.append(Int(target))
      at += referenceSize
    }
    return targets
  }

  private mutating func spend(_ size: Int) throws(FramingError) {
    guard size <= left else { throw .payload }
    left -= size
  }

  private static func big(_ bytes: [UInt8], at: Int, width: Int) -> UInt64? {
    guard at >= 0, width <= bytes.count - at else { return nil }
    return bytes[at..<at + width].reduce(0) { $0 << 8 | UInt64($1) }
  }
}
