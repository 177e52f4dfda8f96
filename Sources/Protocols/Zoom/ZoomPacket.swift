import Bytes

// Zoom over UDP, ports 8801 to 8810 of its servers or any port between two clients (O. Michel, S. Sengupta, H. Kim,
// R. Netravali, J. Rexford: Enabling passive measurement of Zoom performance in production networks, IMC 2022, section 4;
// Princeton-Cabernet/zoom-analysis, zoom.lua; ntop/nDPI, zoom.c):
//
//   01 request, 02 answer   00   version (1): 2 or 3   id (16), the same in both   ...
//   03 probe, 04 answer     number (4)   time (4)   token (4), the same in both   ...
//   05 SFU encapsulation    number (2)   token (4)   direction (1): 0, 1 to Zoom, 4, 5 from Zoom   media encapsulation
//   05                      media encapsulation                                       in clients of 2020
//   1f 02 01                21 bytes   length (4) address in text   length (4) UUID   00 00 00 00      between clients
//
// The media encapsulation:
//
//   type (1): 0d screen, 0f audio, 10 video, 1e screen between clients, 21 to 23 RTCP   ...   RTP or RTCP
//
// RTP stands at byte 19 of it in audio, 24 in video (20 where byte 20 is not 2), 27 in screens from a server, 20 in
// screens between clients, RTCP at 16. Type 07 holds another encapsulation at byte 7.

/// A datagram of Zoom.
enum ZoomPacket {
  /// The length of the SFU encapsulation, and of a client of 2020.
  static let encapsulationLength = 8, shortEncapsulationLength = 1

  /// Whether a port is one of Zoom's media servers.
  static func isPort(_ port: UInt16) -> Bool { (8801...8810).contains(port) }

  /// What a datagram shows alone.
  static func recognize(
    _ datagram: borrowing RawSpan, _ serverPort: UInt16, _ clientPort: UInt16
  ) -> MessengerSignature? {
    let isPort = isPort(serverPort) || isPort(clientPort)
    func signature(_ mediaOffset: Int? = nil) -> MessengerSignature {
      isPort ? .sure(.zoom, mediaOffset: mediaOffset) : .weak(.zoom, mediaOffset: mediaOffset)
    }
    switch datagram.u8(0) {
    case 0x01, 0x02: return isHandshake(datagram) ? signature() : nil
    case 0x03, 0x04: return isPort && isProbe(datagram) ? .weak(.zoom) : nil
    case 0x05: return mediaOffset(datagram).map { signature($0) }
    case 0x1f: return isPeerGreeting(datagram) ? .sure(.zoom) : nil
    default: return nil
    }
  }

  /// A request or an answer; what a request holds says its length.
  static func isHandshake(_ datagram: borrowing RawSpan) -> Bool {
    guard datagram.byteCount >= 35, datagram.u8(1) == 0, datagram.u8(2) == 2 || datagram.u8(2) == 3 else {
      return false
    }
    guard datagram.u8(0) == 1 else { return true }
    return datagram.byteCount >= 43 && datagram.u32(35) <= 1024 && datagram.holds(Int(datagram.u32(35)), at: 39)
  }

  /// A probe or its answer.
  static func isProbe(_ datagram: borrowing RawSpan) -> Bool {
    datagram.byteCount >= 13 && datagram.u32(1) < 1 << 24
  }

  /// Between two clients: two texts whose lengths fill the datagram.
  static func isPeerGreeting(_ datagram: borrowing RawSpan) -> Bool {
    let count = datagram.byteCount
    guard count > 36, datagram.u16(0) == 0x1f02, datagram.u8(2) == 1, datagram.u32(count &- 4) == 0 else {
      return false
    }
    let address = Int(datagram.u32(24))
    guard (2...45).contains(address), datagram.holds(4, at: 28 &+ address) else { return false }
    let identifier = Int(datagram.u32(28 &+ address))
    return identifier <= 256 && count == 36 &+ address &+ identifier
  }

  /// Where RTP or RTCP begins in a datagram with the SFU encapsulation.
  static func mediaOffset(_ datagram: borrowing RawSpan) -> Int? {
    guard datagram.byteCount > 20, datagram.u8(0) == 5 else { return nil }
    switch datagram.u8(7) {
    case 0, 1, 4, 5:
      if let offset = mediaOffset(encapsulation: datagram, at: encapsulationLength) { return offset }
    default: break
    }
    return mediaOffset(encapsulation: datagram, at: shortEncapsulationLength)
  }

  /// Where RTP or RTCP begins behind the media encapsulation at `start`.
  static func mediaOffset(encapsulation datagram: borrowing RawSpan, at start: Int) -> Int? {
    guard datagram.holds(24, at: start) else { return nil }
    var start = start
    if datagram.u8(start) == 7 {
      start &+= 7
      guard datagram.holds(24, at: start) else { return nil }
    }
    let length: Int
    let isRTCP: Bool
    switch datagram.u8(start) {
    case 13 where datagram.u8(start &+ 7) == 0x1e: (length, isRTCP) = (27, false)
    case 15: (length, isRTCP) = (19, false)
    case 16: (length, isRTCP) = (datagram.u8(start &+ 20) == 2 ? 24 : 20, false)
    case 30: (length, isRTCP) = (20, false)
    case 33, 34, 35: (length, isRTCP) = (16, true)
    default: return nil
    }
    guard let media = EmbeddedMedia(datagram, at: start &+ length), (media.sequence == nil) == isRTCP else {
      return nil
    }
    return start &+ length
  }
}

extension ApplicationProtocol {
  /// Zoom's media protocol.
  public static let zoom: ApplicationProtocol = "zoom"
}
