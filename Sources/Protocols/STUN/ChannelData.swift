import Bytes

//  RFC 8656, section 12.4
//
//   +-------------------------------+-------------------------------+
//   |        Channel Number         |            Length             |  0x4000...0x4fff; RFC 5766: ...0x7fff
//   +-------------------------------+-------------------------------+
//   | application data, over TCP padded to a multiple of 4, over UDP maybe
//
//  [MS-TURN], section 2.2.3: multiplexed TURN
//
//   +-------------------------------+-------------------------------+
//   |            0xff10             |  Length of all that follows   |
//   +-------------------------------+-------------------------------+
//   |                   MTURN_Session_ID, 8 bytes                   |
//   +---------------------------------------------------------------+
//   | a message or data

/// The header of data that goes through a TURN server's channel.
struct ChannelData: Equatable {
  static let headerLength = 4
  /// The channel's number.
  var channel: UInt16
  /// Bytes of data, without padding.
  var length: Int

  /// Reads a header; `nil` where it is none, or bytes are missing.
  init?(_ bytes: borrowing RawSpan) {
    guard bytes.byteCount >= Self.headerLength, (0x4000...0x7fff).contains(bytes.u16(0)) else { return nil }
    channel = bytes.u16(0)
    length = Int(bytes.u16(2))
  }

  /// Whether a datagram of `count` bytes holds exactly this: padding is for streams, but senders add it to datagrams.
  func fills(_ count: Int) -> Bool {
    let end = Self.headerLength &+ length
    return count >= end && count <= (end &+ 3) & ~3
  }

  /// Whether a datagram that nobody announced can be one: one of the first numbers, which clients take in order, around
  /// a message with a cookie, DTLS, RTP or RTCP. GTP's control plane has the same header with other content.
  static func canBegin(_ datagram: borrowing RawSpan) -> Bool {
    guard let header = ChannelData(datagram), header.channel < 0x4100, header.length >= 12,
      header.fills(datagram.byteCount)
    else { return false }
    let inner = datagram.slice(headerLength, header.length)
    switch inner.u8(0) {
    case 0...3: return inner.byteCount >= STUNMessage.headerLength && inner.u32(4) == STUNMessage.magicCookie
    case 20...63: return DTLSConversation.canBegin(inner)
    case 0x80...0xbf:
      // RTP with a static or dynamic payload type, or RTCP (RFC 5761).
      let payloadType = inner.u8(1) & 0x7f
      return payloadType < 35 || payloadType >= 96 || (200...207).contains(inner.u8(1))
    default: return false
    }
  }
}

/// The header that lets many clients share one port of a Microsoft relay.
enum MultiplexedTURN {
  static let headerLength = 12

  /// Whether a datagram, or a frame of a stream, is wrapped so.
  static func wraps(_ datagram: borrowing RawSpan) -> Bool {
    datagram.byteCount > headerLength && datagram.u16(0) == 0xff10
      && Int(datagram.u16(2)) == datagram.byteCount &- 4
  }
}
