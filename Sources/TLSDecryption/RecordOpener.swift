import Bytes
import Crypto
import CryptoExtras
import Foundation

//  TLS 1.2                                                            what goes into the nonce and the MAC
//   AES-GCM (RFC 5288)             | 8: nonce | ciphertext | 16: tag |    key block's 4 bytes and those 8
//   ChaCha20-Poly1305 (RFC 7905)   | ciphertext | 16: tag |               key block's 12 bytes XOR sequence number
//   AES-CBC (RFC 5246, 6.2.3.2)    | 16: IV | ciphertext of (content, MAC, padding, its length) |
//   with RFC 7366                  | 16: IV | ciphertext of (content, padding, its length) | MAC |
//     sequence number (8), type (1), version (2) and length (2) are authenticated beside the content
//
//  TLS 1.3 (RFC 8446, section 5.2)
//   all                            | ciphertext of (content, type, zeros) | 16: tag |    12 bytes XOR sequence number
//     the record's header is authenticated beside the content

/// What opening a record needs besides keys; kept from record to record.
struct Workspace: Sendable {
  /// The plaintext of the record that was opened.
  var text: [UInt8] = []
  /// Padding that was taken off it.
  var padding = 0
  fileprivate var box: [UInt8] = []
  fileprivate var additional: [UInt8] = []
}

/// A record as it came.
struct SealedRecord: ~Escapable {
  let type: UInt8
  let version: UInt16
  let fragment: RawSpan

  @_lifetime(copy fragment)
  init(type: UInt8, version: UInt16, fragment: RawSpan) {
    self.type = type
    self.version = version
    self.fragment = fragment
  }
}

/// The keys of one direction in one epoch, and the number of the next record.
struct RecordOpener: Sendable {
  private static let tagLength = 16
  private static let blockLength = 16
  private static let explicitNonceLength = 8

  private let protection: RecordProtection
  private let isTLS13: Bool
  private let encryptsBeforeMAC: Bool
  private let key: SymmetricKey
  private let iv: [UInt8]
  private let macKey: SymmetricKey?
  /// The number of the next record, as far as that is known.
  private(set) var sequence: UInt64 = 0
  /// The nonce that the last opened record brought.
  private var lastNonce: UInt64?

  /// TLS 1.3, from a traffic secret.
  init(trafficSecret secret: [UInt8], _ protection: RecordProtection) {
    self.protection = protection
    isTLS13 = true
    encryptsBeforeMAC = false
    key = SymmetricKey(
      data: KeyDerivation.expanded(secret, label: "key", count: protection.keyLength, hash: protection.hash))
    iv = KeyDerivation.expanded(secret, label: "iv", count: 12, hash: protection.hash)
    macKey = nil
  }

  /// TLS 1.2, from the key block's parts.
  init(_ protection: RecordProtection, key: [UInt8], iv: [UInt8], macKey: [UInt8], encryptsBeforeMAC: Bool) {
    self.protection = protection
    isTLS13 = false
    self.encryptsBeforeMAC = encryptsBeforeMAC
    self.key = SymmetricKey(data: key)
    self.iv = iv
    self.macKey = protection.mac == nil ? nil : SymmetricKey(data: macKey)
  }

  /// Opens a record, if it is the one of that number.
  /// - Returns: whether it was; its content is in `work` then, in TLS 1.3 with its type and padding.
  func opens(_ record: borrowing SealedRecord, at sequence: UInt64, _ work: inout Workspace) -> Bool {
    work.text.removeAll(keepingCapacity: true)
    work.padding = 0
    return protection.mac == nil
      ? opensAEAD(record, sequence, &work) : opensCBC(record, sequence, &work)
  }

  /// Goes on behind a record that was opened.
  mutating func accept(_ record: borrowing SealedRecord, at number: UInt64) {
    sequence = number &+ 1
    lastNonce = explicitNonce(record)
  }

  /// Numbers that the record may have, by the nonce that it brings: most senders count in it, from 0 or from anywhere
  /// (RFC 5288, section 3).
  func guesses(_ record: borrowing SealedRecord) -> (UInt64, UInt64)? {
    guard let nonce = explicitNonce(record) else { return nil }
    return (lastNonce.map { sequence &- 1 &+ (nonce &- $0) } ?? nonce, nonce)
  }

  private func explicitNonce(_ record: borrowing SealedRecord) -> UInt64? {
    hasExplicitNonce && record.fragment.byteCount >= 8 ? record.fragment.u64(0) : nil
  }

  private var hasExplicitNonce: Bool { !isTLS13 && iv.count == 4 }

  private func opensAEAD(_ record: borrowing SealedRecord, _ sequence: UInt64, _ work: inout Workspace) -> Bool {
    let fragment = record.fragment
    let start = hasExplicitNonce ? Self.explicitNonceLength : 0
    let length = fragment.byteCount &- start &- Self.tagLength
    guard length >= 0 else { return false }
    work.box.removeAll(keepingCapacity: true)
    work.box.append(contentsOf: iv)
    if !hasExplicitNonce {
      for i in 0..<8 { work.box[work.box.count &- 1 &- i] ^= UInt8(truncatingIfNeeded: sequence >> (8 &* UInt64(i))) }
    }
    work.box.append(fragment)
    authenticate(record, sequence, isTLS13 ? fragment.byteCount : length, &work)
    do {
      let opened: Data
      if protection.cipher == .chaCha20Poly1305 {
        let box = try ChaChaPoly.SealedBox(combined: work.box)
        opened = try ChaChaPoly.open(box, using: key, authenticating: work.additional)
      } else {
        let box = try AES.GCM.SealedBox(combined: work.box)
        opened = try AES.GCM.open(box, using: key, authenticating: work.additional)
      }
      work.text.append(contentsOf: opened)
      return true
    } catch {
      return false
    }
  }

  private func opensCBC(_ record: borrowing SealedRecord, _ sequence: UInt64, _ work: inout Workspace) -> Bool {
    guard let hash = protection.mac, let macKey else { return false }
    let fragment = record.fragment
    let outside = encryptsBeforeMAC ? hash.length : 0
    let length = fragment.byteCount &- Self.blockLength &- outside
    guard length >= Self.blockLength, length.isMultiple(of: Self.blockLength) else { return false }
    work.box.removeAll(keepingCapacity: true)
    work.box.append(fragment)
    if encryptsBeforeMAC {
      let covered = Self.blockLength &+ length
      authenticate(record, sequence, covered, &work)
      let code = KeyDerivation.mac(work.additional, work.box[..<covered], key: macKey, hash: hash)
      guard code.elementsEqual(work.box[covered...]) else { return false }
    }
    guard let iv = try? AES._CBC.IV(ivBytes: work.box[..<Self.blockLength]),
      let opened = try? AES._CBC.decrypt(
        work.box[Self.blockLength..<Self.blockLength &+ length], using: key, iv: iv, noPadding: true)
    else { return false }
    work.text.append(contentsOf: opened)
    guard let last = work.text.last else { return false }
    // An onlooker answers nobody, so that the time that this takes tells nothing.
    let padding = Int(last) &+ 1
    let inside = encryptsBeforeMAC ? 0 : hash.length
    let content = work.text.count &- padding &- inside
    guard content >= 0, work.text.suffix(padding).allSatisfy({ $0 == last }) else { return false }
    if !encryptsBeforeMAC {
      authenticate(record, sequence, content, &work)
      let code = KeyDerivation.mac(work.additional, work.text[..<content], key: macKey, hash: hash)
      guard code.elementsEqual(work.text[content..<content &+ inside]) else { return false }
    }
    work.text.removeLast(padding &+ inside)
    work.padding = padding
    return true
  }

  /// Writes what is authenticated beside the content.
  private func authenticate(
    _ record: borrowing SealedRecord, _ sequence: UInt64, _ length: Int, _ work: inout Workspace
  ) {
    work.additional.removeAll(keepingCapacity: true)
    if !isTLS13 {
      for i in 0..<8 { work.additional.append(UInt8(truncatingIfNeeded: sequence >> (56 &- 8 &* UInt64(i)))) }
    }
    work.additional.append(record.type)
    work.additional.append(UInt8(truncatingIfNeeded: record.version >> 8))
    work.additional.append(UInt8(truncatingIfNeeded: record.version))
    work.additional.append(UInt8(truncatingIfNeeded: length >> 8))
    work.additional.append(UInt8(truncatingIfNeeded: length))
  }
}
