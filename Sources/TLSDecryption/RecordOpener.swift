import Crypto
import CryptoExtras
import Foundation

// RFC 5246, section 6.2.3 (CBC and AEAD of TLS 1.2), RFC 7366 (encrypt-then-MAC), RFC 7905 (ChaCha20-Poly1305),
// RFC 8446, section 5.2 (TLS 1.3).

/// The keys of one direction in one epoch, and the number of the next record.
struct RecordOpener: Sendable {
  /// Records that may be missing before the one that is tried, after a gap in the capture.
  static let maximumMissingRecords: UInt64 = 64

  private let protection: RecordProtection
  private let isTLS13: Bool
  private let encryptsBeforeMAC: Bool
  private let key: SymmetricKey
  private let iv: [UInt8]
  private let macKey: [UInt8]
  private(set) var sequence: UInt64 = 0
  /// Whether records may be missing before the next one.
  var isSequenceUnsure = false

  /// TLS 1.3, from a traffic secret.
  init(trafficSecret secret: [UInt8], _ protection: RecordProtection) {
    self.protection = protection
    isTLS13 = true
    encryptsBeforeMAC = false
    key = SymmetricKey(
      data: KeyDerivation.expanded(secret, label: "key", count: protection.keyLength, hash: protection.hash))
    iv = KeyDerivation.expanded(secret, label: "iv", count: 12, hash: protection.hash)
    macKey = []
  }

  /// TLS 1.2, from the key block's parts.
  init(_ protection: RecordProtection, key: [UInt8], iv: [UInt8], macKey: [UInt8], encryptsBeforeMAC: Bool) {
    self.protection = protection
    isTLS13 = false
    self.encryptsBeforeMAC = encryptsBeforeMAC
    self.key = SymmetricKey(data: key)
    self.iv = iv
    self.macKey = macKey
  }

  /// Opens the next record.
  /// - Parameters:
  ///   - header: its five bytes.
  ///   - fragment: what follows them.
  /// - Returns: the plaintext (in TLS 1.3 with content type and padding); nil where keys or bytes are wrong.
  mutating func open(header: [UInt8], fragment: ArraySlice<UInt8>) -> [UInt8]? {
    let last = isSequenceUnsure ? sequence &+ Self.maximumMissingRecords : sequence
    var tried = sequence
    while tried <= last {
      if let plaintext = opened(header, fragment, tried) {
        sequence = tried &+ 1
        isSequenceUnsure = false
        return plaintext
      }
      tried &+= 1
    }
    return nil
  }

  private func opened(_ header: [UInt8], _ fragment: ArraySlice<UInt8>, _ sequence: UInt64) -> [UInt8]? {
    switch protection.cipher {
    case .aes128GCM, .aes256GCM, .chaCha20Poly1305: openedAEAD(header, fragment, sequence)
    case .aes128CBC, .aes256CBC: openedCBC(header, fragment, sequence)
    }
  }

  private func openedAEAD(_ header: [UInt8], _ fragment: ArraySlice<UInt8>, _ sequence: UInt64) -> [UInt8]? {
    let hasExplicitNonce = !isTLS13 && protection.cipher != .chaCha20Poly1305
    let body = hasExplicitNonce ? fragment.dropFirst(8) : fragment
    guard body.count >= 16, fragment.count >= body.count else { return nil }
    let nonce = hasExplicitNonce ? iv + fragment.prefix(8) : mixed(iv, sequence)
    guard nonce.count == 12 else { return nil }
    let data = isTLS13 ? header : additionalData(header, sequence, count: body.count - 16)
    let (text, tag) = (body.dropLast(16), body.suffix(16))
    do {
      if protection.cipher == .chaCha20Poly1305 {
        let box = try ChaChaPoly.SealedBox(nonce: ChaChaPoly.Nonce(data: nonce), ciphertext: text, tag: tag)
        return Array(try ChaChaPoly.open(box, using: key, authenticating: data))
      }
      let box = try AES.GCM.SealedBox(nonce: AES.GCM.Nonce(data: nonce), ciphertext: text, tag: tag)
      return Array(try AES.GCM.open(box, using: key, authenticating: data))
    } catch {
      return nil
    }
  }

  private func openedCBC(_ header: [UInt8], _ fragment: ArraySlice<UInt8>, _ sequence: UInt64) -> [UInt8]? {
    guard let macHash = protection.mac, fragment.count >= 32 else { return nil }
    var body = fragment
    if encryptsBeforeMAC {
      let mac = body.suffix(macHash.length)
      body = body.dropLast(macHash.length)
      let data = additionalData(header, sequence, count: body.count) + body
      guard KeyDerivation.mac(data, key: macKey, hash: macHash).elementsEqual(mac) else { return nil }
    }
    let ciphertext = body.dropFirst(16)
    guard !ciphertext.isEmpty, ciphertext.count.isMultiple(of: 16),
      let iv = try? AES._CBC.IV(ivBytes: Array(body.prefix(16))),
      let decrypted = try? AES._CBC.decrypt(ciphertext, using: key, iv: iv, noPadding: true)
    else { return nil }
    var plaintext = Array(decrypted)
    guard let padding = plaintext.last, Int(padding) < plaintext.count,
      plaintext.suffix(Int(padding) + 1).allSatisfy({ $0 == padding })
    else { return nil }
    plaintext.removeLast(Int(padding) + 1)
    if encryptsBeforeMAC { return plaintext }
    guard plaintext.count >= macHash.length else { return nil }
    let mac = plaintext.suffix(macHash.length)
    plaintext.removeLast(macHash.length)
    let data = additionalData(header, sequence, count: plaintext.count) + plaintext
    return KeyDerivation.mac(data, key: macKey, hash: macHash).elementsEqual(mac) ? plaintext : nil
  }

  /// Sequence number, type, version and length (RFC 5246, section 6.2.3.3).
  private func additionalData(_ header: [UInt8], _ sequence: UInt64, count: Int) -> [UInt8] {
    var data: [UInt8] = []
    data.reserveCapacity(13)
    for shift in stride(from: 56, through: 0, by: -8) { data.append(UInt8(truncatingIfNeeded: sequence >> shift)) }
    data += header.prefix(3)
    data.append(UInt8(truncatingIfNeeded: count >> 8))
    data.append(UInt8(truncatingIfNeeded: count))
    return data
  }

  private func mixed(_ iv: [UInt8], _ sequence: UInt64) -> [UInt8] {
    var nonce = iv
    for place in 0..<min(8, nonce.count) {
      nonce[nonce.count - 1 - place] ^= UInt8(truncatingIfNeeded: sequence >> (8 * UInt64(place)))
    }
    return nonce
  }
}
