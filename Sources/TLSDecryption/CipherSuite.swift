// IANA registry "TLS Cipher Suites" (RFC 5246, 4279, 5054, 5288, 5289, 5487, 5489, 7905, 8442, 8446, 8492): of a suite,
// what protects records and which hash its keys come from. Suites of CCM, Camellia, ARIA, SEED, 3DES and RC4 are not
// opened.

/// What protects the records of a connection.
struct RecordProtection: Sendable, Equatable {
  enum Cipher: Sendable { case aes128GCM, aes256GCM, chaCha20Poly1305, aes128CBC, aes256CBC }
  enum Hash: Sendable { case sha1, sha256, sha384 }

  var cipher: Cipher
  /// The hash of key derivation.
  var hash: Hash
  /// The hash of a record's MAC; nil for AEAD ciphers.
  var mac: Hash?

  /// Bytes of the key.
  var keyLength: Int {
    switch cipher {
    case .aes128GCM, .aes128CBC: 16
    case .aes256GCM, .aes256CBC, .chaCha20Poly1305: 32
    }
  }

  /// Bytes of the part of the nonce that comes from the key block in TLS 1.2.
  var fixedIVLength: Int {
    switch cipher {
    case .aes128GCM, .aes256GCM: 4
    case .chaCha20Poly1305: 12
    case .aes128CBC, .aes256CBC: 0
    }
  }

  /// Suites of TLS 1.3.
  static let tls13: [UInt16: RecordProtection] = [
    0x1301: .init(.aes128GCM, .sha256), 0x1302: .init(.aes256GCM, .sha384), 0x1303: .init(.chaCha20Poly1305, .sha256),
  ]

  /// Suites of TLS 1.2, by what follows WITH in their names; the key exchange is of no account, since the key log has
  /// the master secret.
  static let tls12: [UInt16: RecordProtection] = {
    let families: [(RecordProtection, [UInt16])] = [
      // AES_128_GCM_SHA256
      (
        .init(.aes128GCM, .sha256),
        [
          0x009c, 0x009e, 0x00a0, 0x00a2, 0x00a4, 0x00a6, 0x00a8, 0x00aa, 0x00ac, 0xc02b, 0xc02d, 0xc02f, 0xc031,
          0xc0b0, 0xd001,
        ]
      ),
      // AES_256_GCM_SHA384
      (
        .init(.aes256GCM, .sha384),
        [
          0x009d, 0x009f, 0x00a1, 0x00a3, 0x00a5, 0x00a7, 0x00a9, 0x00ab, 0x00ad, 0xc02c, 0xc02e, 0xc030, 0xc032,
          0xc0b1, 0xd002,
        ]
      ),
      // CHACHA20_POLY1305_SHA256
      (.init(.chaCha20Poly1305, .sha256), [0xcca8, 0xcca9, 0xccaa, 0xccab, 0xccac, 0xccad, 0xccae]),
      // AES_128_CBC_SHA
      (
        .init(.aes128CBC, .sha256, mac: .sha1),
        [
          0x002f, 0x0030, 0x0031, 0x0032, 0x0033, 0x0034, 0x008c, 0x0090, 0x0094, 0xc004, 0xc009, 0xc00e, 0xc013,
          0xc018, 0xc01d, 0xc01e, 0xc01f, 0xc035,
        ]
      ),
      // AES_256_CBC_SHA
      (
        .init(.aes256CBC, .sha256, mac: .sha1),
        [
          0x0035, 0x0036, 0x0037, 0x0038, 0x0039, 0x003a, 0x008d, 0x0091, 0x0095, 0xc005, 0xc00a, 0xc00f, 0xc014,
          0xc019, 0xc020, 0xc021, 0xc022, 0xc036,
        ]
      ),
      // AES_128_CBC_SHA256
      (
        .init(.aes128CBC, .sha256, mac: .sha256),
        [
          0x003c, 0x003e, 0x003f, 0x0040, 0x0067, 0x006c, 0x00ae, 0x00b2, 0x00b6, 0xc023, 0xc025, 0xc027, 0xc029,
          0xc037,
        ]
      ),
      // AES_256_CBC_SHA256
      (.init(.aes256CBC, .sha256, mac: .sha256), [0x003d, 0x0068, 0x0069, 0x006a, 0x006b, 0x006d]),
      // AES_256_CBC_SHA384
      (
        .init(.aes256CBC, .sha384, mac: .sha384),
        [0x00af, 0x00b3, 0x00b7, 0xc024, 0xc026, 0xc028, 0xc02a, 0xc038]
      ),
    ]
    var table: [UInt16: RecordProtection] = [:]
    for (protection, suites) in families {
      for suite in suites { table[suite] = protection }
    }
    return table
  }()

  init(_ cipher: Cipher, _ hash: Hash, mac: Hash? = nil) {
    (self.cipher, self.hash, self.mac) = (cipher, hash, mac)
  }
}

extension RecordProtection.Hash {
  /// Bytes of a digest.
  var length: Int {
    switch self {
    case .sha1: 20
    case .sha256: 32
    case .sha384: 48
    }
  }
}
