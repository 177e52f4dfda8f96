import Bytes

/// Datagrams of Zoom that belong together: what one side repeats of the other's proves it on any port.
struct ZoomConversation {
  private(set) var strength = MessengerSignature.Strength.weak
  /// Where RTP or RTCP begins in the last datagram.
  private(set) var mediaOffset: Int?

  private var handshake = Sides<(high: UInt64, low: UInt64)?>(nil)
  private var probe = Sides<UInt64?>(nil)
  private var media = Sides<EmbeddedMedia?>(nil)
  private var isBetweenClients = false

  mutating func consume(
    _ datagram: borrowing RawSpan, from side: FlowSide, _ serverPort: UInt16, _ clientPort: UInt16
  ) -> DatagramReading {
    mediaOffset = nil
    guard datagram.byteCount >= 13 else { return .notMine }
    if let signature = ZoomPacket.recognize(datagram, serverPort, clientPort) {
      strength = max(strength, signature.strength)
    }
    switch datagram.u8(0) {
    case 0x01, 0x02:
      guard ZoomPacket.isHandshake(datagram) else { return .notMine }
      let id = (high: datagram.u64(3), low: datagram.u64(11))
      if let other = handshake[side.opposite], other == id { strength = .sure }
      handshake[side] = id
    case 0x03 where ZoomPacket.isProbe(datagram): probe[side] = datagram.u64(1)
    case 0x04 where ZoomPacket.isProbe(datagram):
      if probe[side.opposite] == datagram.u64(1) { strength = .sure }
    case 0x05:
      if let offset = ZoomPacket.mediaOffset(datagram) { return take(datagram, offset, side) }
      return strength == .sure ? .mine : .notMine
    case 0x1f where ZoomPacket.isPeerGreeting(datagram): isBetweenClients = true
    default:
      guard isBetweenClients, let offset = ZoomPacket.mediaOffset(encapsulation: datagram, at: 0) else {
        return .notMine
      }
      return take(datagram, offset, side)
    }
    return .mine
  }

  private mutating func take(_ datagram: borrowing RawSpan, _ offset: Int, _ side: FlowSide) -> DatagramReading {
    mediaOffset = offset
    guard let header = EmbeddedMedia(datagram, at: offset) else { return .mine }
    if let before = media[side], header.continues(before) { strength = .sure }
    media[side] = header
    return .mine
  }
}
