import Bytes

/// The parts of a hello that a fingerprint is a function of, as bytes: equal keys have equal fingerprints, and no key
/// holds a random, session id, name or key share.
///
/// A list is its count and its values, two bytes each, big-endian, without GREASE.
struct FingerprintKey {
  /// Which function of the lists; keeps the keys of two fingerprints apart.
  enum Kind: UInt8 {
    case ja3, ja3s, ja4
  }

  private(set) var bytes: [UInt8] = []

  init(_ kind: Kind) {
    bytes.reserveCapacity(320)
    bytes.append(kind.rawValue)
  }

  mutating func append(_ value: UInt16) {
    bytes.append(UInt8(value >> 8))
    bytes.append(UInt8(value & 0xff))
  }

  mutating func append(byte: UInt8) { bytes.append(byte) }

  mutating func append(bytes pair: (UInt8, UInt8)) {
    bytes.append(pair.0)
    bytes.append(pair.1)
  }

  /// The two-byte values of a list on the wire.
  mutating func append(pairs: RawSpan) {
    let at = beginList()
    for i in 0..<pairs.byteCount / 2 {
      let value = pairs.u16(2 &* i)
      if !isGREASE(value) { append(value) }
    }
    endList(at)
  }

  /// The values of a list.
  mutating func append(values: [UInt16]) {
    let at = beginList()
    for value in values { append(value) }
    endList(at)
  }

  /// The single bytes of a list on the wire.
  mutating func append(singles: RawSpan) {
    let at = beginList()
    for i in 0..<singles.byteCount { append(UInt16(singles.u8(i))) }
    endList(at)
  }

  /// The types of an extensions block, in order.
  mutating func append(extensionTypes block: RawSpan) {
    let at = beginList()
    var walk = ExtensionTypes(block)
    while let type = walk.next() {
      if !isGREASE(type) { append(type) }
    }
    endList(at)
  }

  private mutating func beginList() -> Int {
    append(0 as UInt16)
    return bytes.count
  }

  private mutating func endList(_ start: Int) {
    let count = (bytes.count &- start) / 2
    bytes[start &- 2] = UInt8(truncatingIfNeeded: count >> 8)
    bytes[start &- 1] = UInt8(truncatingIfNeeded: count)
  }
}

/// Reads a key back.
struct FingerprintKeyReader {
  private let bytes: [UInt8]
  private var position: Int

  init(_ key: [UInt8], from start: Int = 1) {
    bytes = key
    position = start
  }

  mutating func value() -> UInt16 {
    let at = position
    guard bytes.rawSpan.holds(2, at: at) else { return 0 }
    position = at &+ 2
    return bytes.rawSpan.u16(at)
  }

  mutating func list() -> [UInt16] {
    (0..<value()).map { _ in value() }
  }
}

/// Walks the types of an extensions block.
struct ExtensionTypes: ~Escapable {
  private var reader: ByteReader

  @_lifetime(copy block)
  init(_ block: RawSpan) { reader = ByteReader(block) }

  @_lifetime(self: copy self)
  mutating func next() -> UInt16? {
    do throws(ParseError) {
      if reader.isAtEnd { return nil }
      let type = try reader.u16()
      try reader.skip(Int(reader.u16()))
      return type
    } catch {
      return nil
    }
  }
}
