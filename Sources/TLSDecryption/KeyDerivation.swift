import Crypto
import Foundation

/// Keys from secrets: the PRF of TLS 1.2 (RFC 5246, section 5) and HKDF-Expand-Label of TLS 1.3 (RFC 8446, section 7.1).
enum KeyDerivation {
  /// P_hash over label and seed.
  static func pseudorandom(
    _ secret: [UInt8], label: String, seed: [UInt8], count: Int, hash: RecordProtection.Hash
  ) -> [UInt8] {
    let seed = Array(label.utf8) + seed
    var output: [UInt8] = []
    var a = seed
    while output.count < count {
      a = mac(a, key: secret, hash: hash)
      output += mac(a + seed, key: secret, hash: hash)
    }
    return Array(output.prefix(count))
  }

  /// HKDF-Expand-Label with an empty context.
  static func expanded(_ secret: [UInt8], label: String, count: Int, hash: RecordProtection.Hash) -> [UInt8] {
    let label = Array("tls13 \(label)".utf8)
    let info =
      [UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count), UInt8(label.count)] + label + [0]
    // RFC 5869, section 2.3: T(n) = HMAC(secret, T(n - 1) | info | n).
    var output: [UInt8] = []
    var block: [UInt8] = []
    var number: UInt8 = 1
    while output.count < count {
      block = mac(block + info + [number], key: secret, hash: hash)
      output += block
      number &+= 1
    }
    return Array(output.prefix(count))
  }

  static func mac(_ bytes: [UInt8], key: [UInt8], hash: RecordProtection.Hash) -> [UInt8] {
    let key = SymmetricKey(data: key)
    return switch hash {
    case .sha1: Array(HMAC<Insecure.SHA1>.authenticationCode(for: bytes, using: key))
    case .sha256: Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
    case .sha384: Array(HMAC<SHA384>.authenticationCode(for: bytes, using: key))
    }
  }
}
