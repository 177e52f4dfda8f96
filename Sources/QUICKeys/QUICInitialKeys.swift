import Bytes
import Crypto
import CryptoExtras
import Foundation

// QUICKeys may hold: what QUIC's Initial packets need of cryptography, through swift-crypto. No parsing.

//  RFC 9001, sections 5.2 to 5.4; everything in it follows from the client's first Destination Connection ID
//
//   DCID --HKDF-Extract(salt)--> initial secret --"client in"--> client secret --"quic key"--> AES-128-GCM key
//                                              \--"server in"--> server secret --"quic iv" --> 12 bytes of nonce
//                                                                              \-"quic hp" --> AES-128 key
//
//   +---------+------------------------+---------------+--------------------------------+----------+
//   | 1100rrpp| .. rest of the header  | 1...4: number | payload                        | 16: tag  |
//   +----^----+------------------------+-------^-------+--------------------------------+----------+
//        |  low four bits       number |       |  the 16 bytes 4 behind the number's begin: sample
//        +------- XOR first five bytes of AES-ECB(hp, sample)

/// The keys of one side's Initial packets.
///
/// They keep nothing secret: whoever sees the client's first packet can make them.
public struct QUICInitialKeys: Sendable {
  /// Whose packets they open.
  public enum Sender: Sendable {
    /// The client's.
    case client
    /// The server's.
    case server
  }

  /// Bytes of the authentication tag behind the payload (RFC 9001, section 5.3).
  public static let tagLength = 16
  /// Bytes from the packet number's begin on without which no packet can be opened (RFC 9001, section 5.4.2).
  public static let shortestProtected = 4 + 16

  private static let clientSecret = QUICInitialProtection.expansion("client in", count: 32)
  private static let serverSecret = QUICInitialProtection.expansion("server in", count: 32)

  let key: SymmetricKey
  let iv: [UInt8]
  let headerProtection: SymmetricKey

  /// Derives keys.
  /// - Parameters:
  ///   - protection: that of the packet's version.
  ///   - connectionID: the Destination Connection ID of the client's first Initial, or of its first one after a Retry.
  ///   - sender: whose packets are to be opened.
  public init(_ protection: QUICInitialProtection, connectionID: [UInt8], sender: Sender) {
    let constants = protection.constants
    // HKDF<SHA256> does the same in more than twice the time: it prepares a key of HMAC for each call.
    let initial = Self.finalized(constants.extract, of: connectionID)
    let label = sender == .client ? Self.clientSecret : Self.serverSecret
    let secret = HMAC<SHA256>(key: SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: label, using: initial)))
    key = Self.finalized(secret, of: constants.key, count: 16)
    iv = Self.finalized(secret, of: constants.iv, count: 12).bytes
    headerProtection = Self.finalized(secret, of: constants.headerProtection, count: 16)
  }

  private static func finalized(_ code: HMAC<SHA256>, of bytes: [UInt8], count: Int = 32) -> SymmetricKey {
    var code = code
    code.update(data: bytes)
    // Safe: the pointer is used only inside the closure.
    return unsafe code.finalize().withUnsafeBytes { unsafe SymmetricKey(data: $0.prefix(count).array) }
  }

  /// Removes the protection of a packet.
  /// - Parameters:
  ///   - packet: the whole packet, from its first byte to the end that its Length field says.
  ///   - offset: where the packet number begins.
  ///   - plaintext: replaced by the payload; emptied where the packet cannot be opened.
  /// - Returns: the packet number's bytes that were sent, as a number; nil where the packet is too short, or is not
  ///   what was protected with these keys.
  public func open(
    _ packet: borrowing RawSpan, packetNumberAt offset: Int, into plaintext: inout [UInt8]
  ) -> UInt32? {
    plaintext.removeAll(keepingCapacity: true)
    guard packet.holds(Self.shortestProtected, at: offset), offset > 0 else { return nil }
    var mask = packet.slice(offset &+ 4, 16).array
    guard (try? AES.permute(&mask, key: headerProtection)) != nil else { return nil }
    let first = packet.u8(0) ^ mask[0] & 0x0f
    let length = Int(first & 3) &+ 1
    let bodyLength = packet.byteCount &- offset &- length
    guard bodyLength >= Self.tagLength else { return nil }

    var header = packet.slice(0, offset &+ length).array
    header[0] = first
    var number: UInt32 = 0
    for i in 0..<length {
      header[offset &+ i] ^= mask[1 &+ i]
      number = number << 8 | UInt32(header[offset &+ i])
    }
    // Nonce, payload and tag in one, as AES.GCM.SealedBox takes them without another copy.
    var box: [UInt8] = []
    box.reserveCapacity(iv.count &+ bodyLength)
    box.append(contentsOf: iv)
    for i in 0..<4 { box[box.count &- 1 &- i] ^= UInt8(truncatingIfNeeded: number >> (8 &* UInt32(i))) }
    box.append(packet.slice(offset &+ length, bodyLength))
    guard let sealed = try? AES.GCM.SealedBox(combined: box),
      let opened = try? AES.GCM.open(sealed, using: key, authenticating: header)
    else { return nil }
    // Safe: the pointer is used only inside the closure.
    unsafe opened.withUnsafeBytes { unsafe plaintext.append(contentsOf: $0) }
    return number
  }
}

extension QUICInitialKeys {
  /// Protects a packet, as its sender does; for tests and for captures that are made.
  /// - Parameters:
  ///   - header: from the first byte to the end of the packet number, unprotected.
  ///   - payload: the frames; with the packet number at least four bytes.
  ///   - numberLength: bytes of the packet number, 1 to 4, as the first byte says.
  /// - Returns: the packet; nil where the header is shorter than its packet number, or the payload too short.
  public func seal(header: [UInt8], payload: [UInt8], numberLength: Int) -> [UInt8]? {
    guard (1...4).contains(numberLength), header.count > numberLength, numberLength &+ payload.count >= 4 else {
      return nil
    }
    var nonce = iv
    for i in 0..<numberLength { nonce[nonce.count &- 1 &- i] ^= header[header.count &- 1 &- i] }
    guard let nonce = try? AES.GCM.Nonce(data: nonce),
      let box = try? AES.GCM.seal(payload, using: key, nonce: nonce, authenticating: header)
    else { return nil }
    var packet = header + box.ciphertext + box.tag
    let number = header.count &- numberLength
    var mask = Array(packet[number &+ 4..<number &+ 20])
    guard (try? AES.permute(&mask, key: headerProtection)) != nil else { return nil }
    packet[0] ^= mask[0] & 0x0f
    for i in 0..<numberLength { packet[number &+ i] ^= mask[1 &+ i] }
    return packet
  }
}

extension SymmetricKey {
  /// A copy of the key's bytes.
  var bytes: [UInt8] {
    // Safe: the pointer is used only inside the closure.
    unsafe withUnsafeBytes { unsafe [UInt8]($0) }
  }
}

extension Slice<UnsafeRawBufferPointer> {
  fileprivate var array: [UInt8] { unsafe [UInt8](self) }
}
