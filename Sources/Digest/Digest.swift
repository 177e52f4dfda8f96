import Crypto

// Digest may hold: hashes of short inputs through swift-crypto, which only QUICKeys and TLSDecryption import beside it.

/// The MD5 digest that JA3 is defined with; never for security.
public func md5(_ bytes: [UInt8]) -> [UInt8] { Array(Insecure.MD5.hash(data: bytes)) }

/// The MD5 digest of borrowed bytes in 32 lower-case hexadecimal digits, without a copy; never for security.
public func md5Digits(_ bytes: RawSpan) -> String {
  var hash = Insecure.MD5()
  // Safe: the pointer is used only inside the closure.
  unsafe bytes.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
  let digest = hash.finalize()
  // Safe: the pointers are used only inside the closures, and each byte of the text is written before it is counted.
  return unsafe digest.withUnsafeBytes { bytes in
    unsafe String(unsafeUninitializedCapacity: 2 * Insecure.MD5.byteCount) { text in
      for i in 0..<min(bytes.count, text.count / 2) {
        unsafe text[2 &* i] = digit(bytes[i] >> 4)
        unsafe text[2 &* i &+ 1] = digit(bytes[i] & 15)
      }
      return min(bytes.count, text.count / 2) &* 2
    }
  }
}

private func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x57 &+ value }

/// The SHA-1 digest that Community ID is defined with; never for security.
public func sha1(_ bytes: [UInt8]) -> [UInt8] { Array(Insecure.SHA1.hash(data: bytes)) }

/// The SHA-256 digest that JA4 is defined with.
public func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
