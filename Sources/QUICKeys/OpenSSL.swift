import Bytes
internal import COpenSSL
import Synchronization

// The one file that calls OpenSSL. Its hashes and ciphers are fetched once; a packet only sets keys.

/// HMAC with SHA-256 (RFC 2104), its key hashed in: a copy spares that for each further message.
struct HMACSHA256 {
  /// What comes of a message.
  typealias Code = InlineArray<32, UInt8>
  private static let blockLength = 64

  private var inner = SHA256_CTX()
  private var outer = SHA256_CTX()

  /// - Parameter key: at most 64 bytes, as salts and secrets are; HMAC would hash a longer one, this cuts it.
  init(key: borrowing RawSpan) {
    var block = InlineArray<64, UInt8>(repeating: 0x36)
    for i in 0..<min(key.byteCount, Self.blockLength) { block[i] ^= key.u8(i) }
    Self.begin(&inner, block)
    for i in block.indices { block[i] ^= 0x36 ^ 0x5c }
    Self.begin(&outer, block)
  }

  private static func begin(_ state: inout SHA256_CTX, _ block: borrowing InlineArray<64, UInt8>) {
    // Safe: SHA256_Init sets the whole struct, which owns no memory.
    _ = unsafe SHA256_Init(&state)
    update(&state, block.rawSpan)
  }

  private static func update(_ state: inout SHA256_CTX, _ bytes: borrowing RawSpan) {
    // Safe: SHA256_Update reads that many bytes, inside the closure; the state was begun in `init`.
    unsafe bytes.withUnsafeBytes { _ = unsafe SHA256_Update(&state, $0.baseAddress, $0.count) }
  }

  private static func finish(_ state: inout SHA256_CTX) -> Code {
    var code = Code(repeating: 0)
    var span = code.mutableSpan
    // Safe: SHA256_Final writes 32 bytes, which is the array's length, inside the closure.
    unsafe span.withUnsafeMutableBufferPointer { _ = unsafe SHA256_Final($0.baseAddress, &state) }
    return code
  }

  /// The code of a message.
  func code(of message: borrowing RawSpan) -> Code {
    var state = inner
    Self.update(&state, message)
    let digest = Self.finish(&state)
    state = outer
    Self.update(&state, digest.rawSpan)
    return Self.finish(&state)
  }
}

/// Contexts for AES-128 in the two modes that Initials need.
///
/// Making one looks the cipher up and allocates; they are therefore kept and handed out again.
@safe final class InitialCiphers: @unchecked Sendable {
  // Safe: the pointers stay inside, and live as long as the object.
  // Sendable: `taken()` removes it from the pool under a lock, so that it has one user at a time.

  /// Those that nobody uses: at most as many as threads ever opened packets at once.
  private static let pool = Mutex<[InitialCiphers]>([])

  /// Bytes for a payload: lent to who uses the contexts.
  var buffer: [UInt8] = []
  private let block: OpaquePointer
  private let sealed: OpaquePointer

  /// Contexts; nil where memory ran out, or OpenSSL is set up without these ciphers.
  static func taken() -> InitialCiphers? { pool.withLock { $0.popLast() } ?? InitialCiphers() }

  /// Makes them free for the next user.
  func giveBack() { Self.pool.withLock { $0.append(self) } }

  private init?() {
    // Safe: each context is freed once, here or in `deinit`; freeing none is allowed.
    guard let block = unsafe EVP_CIPHER_CTX_new() else { return nil }
    guard let sealed = unsafe EVP_CIPHER_CTX_new() else {
      unsafe EVP_CIPHER_CTX_free(block)
      return nil
    }
    unsafe self.block = unsafe block
    unsafe self.sealed = unsafe sealed
    // Safe: the contexts live, and null stands for "no key yet".
    guard unsafe EVP_CipherInit_ex(block, EVP_aes_128_ecb(), nil, nil, nil, 1) == 1,
      unsafe EVP_CIPHER_CTX_set_padding(block, 0) == 1,
      unsafe EVP_CipherInit_ex(sealed, EVP_aes_128_gcm(), nil, nil, nil, 0) == 1
    else { return nil }
  }

  deinit {
    // Safe: nobody else has the contexts, which `init` made.
    unsafe EVP_CIPHER_CTX_free(block)
    unsafe EVP_CIPHER_CTX_free(sealed)
  }

  /// AES of the first 16 bytes of a sample (RFC 9001, section 5.4.3).
  func mask(_ sample: borrowing RawSpan, key: QUICInitialKeys.Key) -> QUICInitialKeys.Key? {
    guard sample.byteCount >= 16 else { return nil }
    var mask = QUICInitialKeys.Key(repeating: 0)
    var span = mask.mutableSpan
    var written: Int32 = 0
    // Safe: the key has the 16 bytes that AES-128 reads, the sample 16 as checked above, and without padding a block
    // of 16 makes 16 bytes, which is the mask's length; no pointer leaves its closure.
    let isDone = unsafe key.rawSpan.withUnsafeBytes { key in
      unsafe sample.withUnsafeBytes { sample in
        unsafe span.withUnsafeMutableBufferPointer { mask in
          unsafe EVP_CipherInit_ex(block, nil, nil, key.bytes, nil, 1) == 1
            && EVP_CipherUpdate(block, mask.baseAddress, &written, sample.bytes, 16) == 1 && written == 16
        }
      }
    }
    return isDone ? mask : nil
  }

  /// What AES-GCM is to do.
  enum Direction: Int32 {
    case open = 0
    case seal = 1
  }

  /// Begins a packet.
  func begin(
    _ direction: Direction, key: QUICInitialKeys.Key, nonce: QUICInitialKeys.Nonce
  ) -> Bool {
    // Safe: the key has the 16 bytes that AES-128 reads, the nonce the 12 that GCM reads unless told otherwise.
    unsafe key.rawSpan.withUnsafeBytes { key in
      unsafe nonce.rawSpan.withUnsafeBytes { nonce in
        unsafe EVP_CipherInit_ex(sealed, nil, nil, key.bytes, nonce.bytes, direction.rawValue) == 1
      }
    }
  }

  /// Takes some of the header, which is authenticated as it is.
  func authenticate(_ bytes: borrowing RawSpan) -> Bool {
    guard let count = Int32(exactly: bytes.byteCount) else { return false }
    if count == 0 { return true }
    var written: Int32 = 0
    // Safe: without a place for output EVP_CipherUpdate only reads that many bytes, inside the closure.
    return unsafe bytes.withUnsafeBytes { unsafe EVP_CipherUpdate(sealed, nil, &written, $0.bytes, count) == 1 }
  }

  /// Takes the payload; as many bytes come out.
  func apply(to bytes: borrowing RawSpan, into output: inout [UInt8]) -> Bool {
    guard let count = Int32(exactly: bytes.byteCount), output.count >= bytes.byteCount else { return false }
    if count == 0 { return true }
    var written: Int32 = 0
    // Safe: GCM writes as many bytes as it reads, and the output has room for them, as checked above.
    return unsafe bytes.withUnsafeBytes { bytes in
      unsafe output.withUnsafeMutableBufferPointer {
        unsafe EVP_CipherUpdate(sealed, $0.baseAddress, &written, bytes.bytes, count) == 1 && written == count
      }
    }
  }

  /// Ends what was opened; whether the tag is that of all that was taken.
  func verify(_ tag: borrowing RawSpan) -> Bool {
    guard tag.byteCount == QUICInitialKeys.tagLength else { return false }
    var copy = QUICInitialKeys.Key(repeating: 0)
    for i in copy.indices { copy[i] = tag.u8(i) }
    // Safe: EVP_CTRL_AEAD_SET_TAG reads 16 bytes, which is the copy's length.
    guard
      unsafe withUnsafeMutablePointer(
        to: &copy, { unsafe EVP_CIPHER_CTX_ctrl(sealed, EVP_CTRL_AEAD_SET_TAG, 16, $0) == 1 })
    else { return false }
    return finish()
  }

  /// Ends what was sealed; its tag.
  func tag() -> QUICInitialKeys.Key? {
    guard finish() else { return nil }
    var tag = QUICInitialKeys.Key(repeating: 0)
    // Safe: EVP_CTRL_AEAD_GET_TAG writes 16 bytes, which is the tag's length.
    let isDone = unsafe withUnsafeMutablePointer(
      to: &tag, { unsafe EVP_CIPHER_CTX_ctrl(sealed, EVP_CTRL_AEAD_GET_TAG, 16, $0) == 1 })
    return isDone ? tag : nil
  }

  private func finish() -> Bool {
    var rest = QUICInitialKeys.Key(repeating: 0)
    var span = rest.mutableSpan
    var written: Int32 = 0
    // Safe: GCM keeps no bytes back, and a cipher never has more left than its block, for which there is room.
    return unsafe span.withUnsafeMutableBufferPointer {
      unsafe EVP_CipherFinal_ex(sealed, $0.baseAddress, &written) == 1 && written == 0
    }
  }
}

extension InlineArray where Element == UInt8 {
  /// The bytes, borrowed.
  var rawSpan: RawSpan {
    @_lifetime(borrow self) get {
      // Safe: bytes have no padding that could be read before it was written.
      unsafe span.bytes
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Where they begin, as OpenSSL's unsigned char.
  fileprivate var bytes: UnsafePointer<UInt8>? {
    // Safe: a byte has no alignment, and every bit pattern of it is a value.
    unsafe baseAddress.map { unsafe $0.assumingMemoryBound(to: UInt8.self) }
  }
}
