// apns-pack-v1, as rustpush `src/aps.rs` describes it:
//
//   command (1) | body length (tagged, prefix 8) | attribute ...
//
//   tagged value, prefix of n bits: below 2^n - 1 it stands in the prefix; else the prefix is all ones and the rest
//     follows, least seven bits first, with a continuation bit; a rest of 0 is one byte 0x00
//   attribute: key | value
//     key:   0x0k            a number below 16
//            0x10 | len - 1  (tagged, prefix 4) and the key's bytes, which enter the key table
//            0x20 | index    (5 bits) into the key table
//            | 0x40          the value enters the value table
//            | 0x80          no value follows but an index (tagged, prefix 8) into the value table
//   value: 00 data (tagged, prefix 6), 01 string (prefix 5), 10 integer, 11 container (prefix 4)
//          integer: 0x80 | v below 32; else 0xA0 | bytes - 1 | 0x08 if negative, and the magnitude, big-endian
//          container: 0xC0 dictionary, 0xD0 array, 0xE0 bool

/// The parts of the packed framing that both directions of both sides keep apart.
public enum PackedFraming {
  /// Keys that the table holds.
  public static let keyTableSize = 32
  /// Bytes that the value table holds, each value counting 32 more; the server's ALPN answer gives them.
  public static let valueTableSize = 4_096
  /// Payload keys whose values Apple's encoder caches (rustpush).
  public static let cachedKeys: Set<String> = ["sT", "tP", "ua", "t", "sP", "E", "H", "cT", "sI"]

  /// The caches of one direction. Index 0 is the newest entry.
  struct Tables {
    private(set) var keys: [[UInt8]] = []
    private(set) var values: [[UInt8]] = []
    private var valueBytes = 0
    let size: Int

    init(size: Int) { self.size = size }

    func index(ofKey key: [UInt8]) -> Int? { keys.lastIndex(of: key).map { keys.count - 1 - $0 } }
    func index(ofValue value: [UInt8]) -> Int? { values.lastIndex(of: value).map { values.count - 1 - $0 } }
    func key(at index: Int) -> [UInt8]? { index < keys.count ? keys[keys.count - 1 - index] : nil }
    func value(at index: Int) -> [UInt8]? { index < values.count ? values[values.count - 1 - index] : nil }

    mutating func add(key: [UInt8]) {
      keys.append(key)
      if keys.count > PackedFraming.keyTableSize { keys.removeFirst() }
    }

    mutating func add(value: [UInt8]) {
      values.append(value)
      valueBytes += value.count + 32
      while valueBytes > size, let first = values.first {
        valueBytes -= first.count + 32
        values.removeFirst()
      }
    }
  }

  /// A number behind a prefix of some bits; `mask` fills the bits above.
  static func tagged(_ value: Int, prefix bits: Int, mask: UInt8) -> [UInt8] {
    let top = 1 << bits - 1
    if value < top { return [UInt8(truncatingIfNeeded: value) | mask] }
    var bytes = [UInt8(truncatingIfNeeded: top) | mask]
    var rest = value - top
    repeat {
      let low = UInt8(truncatingIfNeeded: rest & 0x7F)
      rest >>= 7
      bytes.append(rest > 0 ? low | 0x80 : low)
    } while rest > 0
    return bytes
  }
}
