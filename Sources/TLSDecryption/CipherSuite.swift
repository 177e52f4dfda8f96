// IANA registry "TLS Cipher Suites" (read through RFC 5246, 5288, 5289, 5487, 7905 and 8446): of a suite, what protects
// records and which hash its keys come from.

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

  /// The protection of a suite, if it is one of those that are opened.
  init?(suite: UInt16) {
    switch suite {
    case 0x1301: self.init(.aes128GCM, .sha256)
    case 0x1302: self.init(.aes256GCM, .sha384)
    case 0x1303: self.init(.chaCha20Poly1305, .sha256)
    // RSA, DHE_RSA, DHE_DSS, ECDHE_ECDSA, ECDHE_RSA, ECDH_ECDSA, ECDH_RSA, PSK, DHE_PSK, RSA_PSK.
    case 0x009c, 0x009e, 0x00a2, 0xc02b, 0xc02f, 0xc02d, 0xc031, 0x00a8, 0x00aa, 0x00ac: self.init(.aes128GCM, .sha256)
    case 0x009d, 0x009f, 0x00a3, 0xc02c, 0xc030, 0xc02e, 0xc032, 0x00a9, 0x00ab, 0x00ad: self.init(.aes256GCM, .sha384)
    case 0xcca8, 0xcca9, 0xccaa, 0xccab, 0xccac, 0xccad, 0xccae: self.init(.chaCha20Poly1305, .sha256)
    case 0x002f, 0x0032, 0x0033, 0xc009, 0xc013, 0xc004, 0xc00e, 0x008c, 0x0090, 0x0094, 0xc035:
      self.init(.aes128CBC, .sha256, mac: .sha1)
    case 0x0035, 0x0038, 0x0039, 0xc00a, 0xc014, 0xc005, 0xc00f, 0x008d, 0x0091, 0x0095, 0xc036:
      self.init(.aes256CBC, .sha256, mac: .sha1)
    case 0x003c, 0x0040, 0x0067, 0xc023, 0xc027, 0xc025, 0xc029, 0x00ae, 0x00b2, 0x00b6, 0xc037:
      self.init(.aes128CBC, .sha256, mac: .sha256)
    case 0x003d, 0x006a, 0x006b: self.init(.aes256CBC, .sha256, mac: .sha256)
    case 0xc024, 0xc028, 0xc026, 0xc02a, 0x00af, 0x00b3, 0x00b7, 0xc038:
      self.init(.aes256CBC, .sha384, mac: .sha384)
    default: return nil
    }
  }

  private init(_ cipher: Cipher, _ hash: Hash, mac: Hash? = nil) {
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
