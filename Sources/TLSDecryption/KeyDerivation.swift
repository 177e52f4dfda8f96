import Crypto
import Foundation

/// Keys from secrets: the PRF of TLS 1.2 (RFC 5246, section 5) and HKDF-Expand-Label of TLS 1.3 (RFC 8446, section 7.1).
enum KeyDerivation {
  /// P_hash over label and seed.
  static func pseudorandom(
    _ secret: [UInt8], label: String, seed: [UInt8], count: Int, hash: RecordProtection.Hash
  ) -> [UInt8] {
    let key = SymmetricKey(data: secret)
    let seed = Array(label.utf8) + seed
    var output: [UInt8] = []
    var a = seed
    while output.count < count {
      a = mac(a, [], key: key, hash: hash)
      output += mac(a, seed, key: key, hash: hash)
    }
    return Array(output.prefix(count))
  }

  /// HKDF-Expand-Label with an empty context, through HKDF-Expand (RFC 5869, section 2.3); `count` is below 256.
  static func expanded(_ secret: [UInt8], label: String, count: Int, hash: RecordProtection.Hash) -> [UInt8] {
    let key = SymmetricKey(data: secret)
    let label = Array("tls13 \(label)".utf8)
    let info = [0, UInt8(clamping: count), UInt8(clamping: label.count)] + label + [0]
    var output: [UInt8] = []
    var block: [UInt8] = []
    var number: UInt8 = 1
    while output.count < count {
      block = mac(block + info, [number], key: key, hash: hash)
      output += block
      number &+= 1
    }
    return Array(output.prefix(count))
  }

  /// HMAC over two parts, one behind the other.
  static func mac(
    _ first: some DataProtocol, _ second: some DataProtocol, key: SymmetricKey, hash: RecordProtection.Hash
  ) -> [UInt8] {
    switch hash {
    case .sha1: code(Insecure.SHA1.self, first, second, key)
    case .sha256: code(SHA256.self, first, second, key)
    case .sha384: code(SHA384.self, first, second, key)
    }
  }

  private static func code<Function: HashFunction>(
    _: Function.Type, _ first: some DataProtocol, _ second: some DataProtocol, _ key: SymmetricKey
  ) -> [UInt8] {
    var code = HMAC<Function>(key: key)
    code.update(data: first)
    code.update(data: second)
    return Array(code.finalize())
  }
}
