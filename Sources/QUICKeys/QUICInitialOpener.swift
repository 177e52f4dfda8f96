import Bytes

/// Opens Initial packets one after another with the same contexts and the same memory for what lies in them.
///
/// Both go back when it ends, for the next one: it allocates only where as many threads as never before open at once.
public struct QUICInitialOpener: ~Copyable {
  /// Room that the payload of a usual datagram needs; a longer one makes more.
  private static let usualLength = 2048

  private let ciphers: InitialCiphers?
  private var buffer: [UInt8] = []
  private var count = 0

  /// An opener that opened nothing yet.
  public init() {
    ciphers = InitialCiphers.taken()
    if let ciphers { swap(&buffer, &ciphers.buffer) }
  }

  deinit {
    ciphers?.buffer = buffer
    ciphers?.giveBack()
  }

  /// The payload of the packet that was opened last; empty where it could not be.
  public var plaintext: RawSpan {
    @_lifetime(borrow self) get { buffer.rawSpan.slice(0, count) }
  }

  /// Removes the protection of a packet.
  /// - Parameters:
  ///   - packet: the whole packet, from its first byte to the end that its Length field says.
  ///   - offset: where the packet number begins.
  ///   - keys: those of its sender.
  /// - Returns: the packet number's bytes that were sent, as a number; nil where the packet is too short, or is not
  ///   what was protected with these keys.
  public mutating func open(
    _ packet: borrowing RawSpan, packetNumberAt offset: Int, with keys: QUICInitialKeys
  ) -> UInt32? {
    count = 0
    guard let ciphers, packet.holds(QUICInitialKeys.shortestProtected, at: offset), offset > 0,
      let mask = ciphers.mask(packet.slice(offset &+ 4, 16), key: keys.headerProtection)
    else { return nil }
    let first = packet.u8(0) ^ mask[0] & 0x0f
    let length = Int(first & 3) &+ 1
    let bodyLength = packet.byteCount &- offset &- length &- QUICInitialKeys.tagLength
    guard bodyLength >= 0 else { return nil }

    // What changes of the header under protection; the rest is authenticated where it lies.
    var changed = InlineArray<5, UInt8>(repeating: first)
    var nonce = keys.iv
    var number: UInt32 = 0
    for i in 0..<length {
      let byte = packet.u8(offset &+ i) ^ mask[1 &+ i]
      changed[1 &+ i] = byte
      nonce[nonce.count &- length &+ i] ^= byte
      number = number << 8 | UInt32(byte)
    }
    if buffer.count < bodyLength { buffer = [UInt8](repeating: 0, count: max(bodyLength, Self.usualLength)) }
    guard ciphers.begin(.open, key: keys.key, nonce: nonce), ciphers.authenticate(changed.rawSpan.slice(0, 1)),
      ciphers.authenticate(packet.slice(1, offset &- 1)), ciphers.authenticate(changed.rawSpan.slice(1, length)),
      ciphers.apply(to: packet.slice(offset &+ length, bodyLength), into: &buffer),
      ciphers.verify(packet.slice(offset &+ length &+ bodyLength, QUICInitialKeys.tagLength))
    else { return nil }
    count = bodyLength
    return number
  }
}
