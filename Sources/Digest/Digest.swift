import Crypto

// Digest may hold: hashes of short inputs through swift-crypto, which only QUICKeys and TLSDecryption import beside it.

/// The MD5 digest that JA3 is defined with; never for security.
public func md5(_ bytes: [UInt8]) -> [UInt8] { Array(Insecure.MD5.hash(data: bytes)) }

/// The SHA-1 digest that Community ID is defined with; never for security.
public func sha1(_ bytes: [UInt8]) -> [UInt8] { Array(Insecure.SHA1.hash(data: bytes)) }

/// The SHA-256 digest that JA4 is defined with.
public func sha256(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }
