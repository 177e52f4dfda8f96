import Bytes

//  RFC 3550, section 6.1: a compound of packets, of which the first is a report
//
//   if encrypted: random 32-bit integer
//   |
//   |[--------- packet --------][---------- packet ----------][-packet-]
//   |
//   |                receiver            chunk        chunk
//   V                reports           item  item   item  item
//   --------------------------------------------------------------------
//   R[SR #sendinfo #site1#site2][SDES #CNAME PHONE #CNAME LOC][BYE##why]
//   --------------------------------------------------------------------
//
//  RFC 5506 allows a datagram of any packet alone (reduced size). Some senders put several compounds into a datagram.

/// What a datagram of RTCP shows.
enum RTCPDatagram: Equatable {
  /// Packets that fill it from end to end: little is left to chance.
  case clear(sender: UInt32)
  /// A consistent first header and then bytes that are none: SRTCP, or damage.
  case covered(sender: UInt32)
  /// No RTCP.
  case none

  /// The fewest bytes that encryption adds to RTCP: an index of SRTCP with the shortest tag in use.
  private static let minimumCover = 4 + 4
  /// The most bytes behind the first packet of a covered datagram.
  private static let maximumCover = 1500

  /// Reads a datagram.
  init(_ bytes: borrowing RawSpan) {
    guard let first = try? RTCPPacket(parsing: bytes), first.isConsistent else {
      self = .none
      return
    }
    var offset = first.length
    var isTelling = first.type.isTelling
    var count = 1
    var isFilled = true
    while offset < bytes.byteCount {
      guard let packet = try? RTCPPacket(parsing: bytes, at: offset), packet.isConsistent else {
        isFilled = false
        break
      }
      isTelling = isTelling || packet.type.isTelling
      count &+= 1
      offset &+= packet.length
    }
    let rest = bytes.byteCount &- first.length
    if isFilled, count > 1 || isTelling, Self.contentsFit(first, bytes) {
      self = .clear(sender: first.sender)
    } else if (Self.minimumCover...Self.maximumCover).contains(rest), first.type.isTelling, first.sender != 0 {
      self = .covered(sender: first.sender)
    } else {
      self = .none
    }
  }

  /// Whether what stands behind the header of a first packet can be: names in letters, texts inside their chunk.
  private static func contentsFit(_ packet: RTCPPacket, _ bytes: borrowing RawSpan) -> Bool {
    switch packet.type {
    case .application:
      for i in 8..<12 where !(0x20...0x7e).contains(bytes.u8(i)) { return false }
      return true
    case .sourceDescription: return chunksFit(packet, bytes)
    case .extendedReport: return packet.length == 8 || blocksFit(packet, bytes)
    default: return packet.sender != 0 || packet.count == 0
    }
  }

  /// Chunks of a source and items of type, length and text, ended by zeros up to a word (RFC 3550, section 6.5).
  private static func chunksFit(_ packet: RTCPPacket, _ bytes: borrowing RawSpan) -> Bool {
    var at = RTCPPacket.headerLength
    for _ in 0..<packet.count {
      at &+= 4
      while at < packet.length, bytes.u8(at) != 0 {
        guard bytes.u8(at) <= 11, at &+ 1 < packet.length else { return false }
        at &+= 2 &+ Int(bytes.u8(at &+ 1))
      }
      guard at < packet.length else { return false }
      at = (at &+ 4) & ~3
    }
    return packet.count > 0 && at <= packet.length
  }

  /// Blocks of type, a byte and a length in words (RFC 3611, section 3).
  private static func blocksFit(_ packet: RTCPPacket, _ bytes: borrowing RawSpan) -> Bool {
    var at = 8
    while at &+ 4 <= packet.length { at &+= 4 &+ 4 &* Int(bytes.u16(at &+ 2)) }
    return at == packet.length
  }
}
