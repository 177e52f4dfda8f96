import Bytes

// QUICKeys may hold: what QUIC's Initial packets need of cryptography, through OpenSSL. No parsing.

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

  /// A key of AES-128.
  typealias Key = InlineArray<16, UInt8>
  /// A nonce of AES-GCM.
  typealias Nonce = InlineArray<12, UInt8>

  let key: Key
  let iv: Nonce
  let headerProtection: Key

  /// Derives keys.
  /// - Parameters:
  ///   - protection: that of the packet's version.
  ///   - connectionID: the Destination Connection ID of the client's first Initial, or of its first one after a Retry.
  ///   - sender: whose packets are to be opened.
  public init(_ protection: QUICInitialProtection, connectionID: borrowing RawSpan, sender: Sender) {
    let constants = protection.constants
    let initial = HMACSHA256(key: constants.extract.code(of: connectionID).rawSpan)
    let label = sender == .client ? Self.clientSecret : Self.serverSecret
    let secret = HMACSHA256(key: initial.code(of: label.rawSpan).rawSpan)
    let (key, iv) = (secret.code(of: constants.key.rawSpan), secret.code(of: constants.iv.rawSpan))
    let headerProtection = secret.code(of: constants.headerProtection.rawSpan)
    self.key = Key { key[$0] }
    self.iv = Nonce { iv[$0] }
    self.headerProtection = Key { headerProtection[$0] }
  }

  /// Derives keys from a copy of the connection ID.
  public init(_ protection: QUICInitialProtection, connectionID: [UInt8], sender: Sender) {
    self.init(protection, connectionID: connectionID.rawSpan, sender: sender)
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
    var opener = QUICInitialOpener()
    guard let number = opener.open(packet, packetNumberAt: offset, with: self) else { return nil }
    plaintext.append(opener.plaintext)
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
    guard let ciphers = InitialCiphers.taken() else { return nil }
    defer { ciphers.giveBack() }
    let start = header.count &- numberLength
    var nonce = iv
    for i in 0..<numberLength { nonce[nonce.count &- 1 &- i] ^= header[header.count &- 1 &- i] }
    var ciphertext = [UInt8](repeating: 0, count: payload.count)
    guard ciphers.begin(.seal, key: key, nonce: nonce), ciphers.authenticate(header.rawSpan),
      ciphers.apply(to: payload.rawSpan, into: &ciphertext), let tag = ciphers.tag()
    else { return nil }
    var packet = header + ciphertext
    packet.append(tag.rawSpan)
    guard let mask = ciphers.mask(packet.rawSpan.slice(start &+ 4, 16), key: headerProtection) else { return nil }
    packet[0] ^= mask[0] & 0x0f
    for i in 0..<numberLength { packet[start &+ i] ^= mask[1 &+ i] }
    return packet
  }
}
