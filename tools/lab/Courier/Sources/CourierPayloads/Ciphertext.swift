/// Shapes of iMessage's ciphertexts: their lengths follow the clear text as the real ones do, their bytes are random.
///
/// Source: beeper/imessage `imessage/direct/ids/encryptsign_pair.go`, `encryptsign_pairec.go`.
public enum Encryption: String, Sendable, CaseIterable {
  /// Elliptic curves, padded to 16 bytes.
  case pairEC = "pair-ec"
  /// RSA and AES-CTR, before 2021 or so.
  case pair

  /// A ciphertext for so many bytes of clear text.
  public func ciphertext(of clear: Int, using random: inout SeededGenerator) -> [UInt8] {
    switch self {
    case .pairEC:
      // {1: {1: message, 2: counter} padded to 16, and 4 more; 2: key; 3: signature; 99: validator}
      let inner = Self.field(1, count: clear) + clear + 3
      let padded = (inner + 15) / 16 * 16 + 4
      return Self.header(1, count: padded) + random.bytes(padded) + Self.header(2, count: 32) + random.bytes(32)
        + Self.header(3, count: 64) + random.bytes(64) + Self.header(99, count: 7) + random.bytes(7)
    case .pair:
      // 02, length, an RSA block that takes the key and the first 100 bytes, the rest, and a DER signature
      let sealed = 160 + max(0, clear - 100)
      return [2, UInt8(truncatingIfNeeded: sealed >> 8), UInt8(truncatingIfNeeded: sealed)] + random.bytes(sealed)
        + [71] + random.bytes(71)
    }
  }

  private static func field(_ number: Int, count: Int) -> Int { header(number, count: count).count }

  /// Tag and length of a protobuf field of bytes.
  private static func header(_ number: Int, count: Int) -> [UInt8] { varint(number << 3 | 2) + varint(count) }

  private static func varint(_ value: Int) -> [UInt8] {
    var bytes: [UInt8] = [], rest = value
    repeat {
      let low = UInt8(truncatingIfNeeded: rest & 0x7F)
      rest >>= 7
      bytes.append(rest > 0 ? low | 0x80 : low)
    } while rest > 0
    return bytes
  }
}
