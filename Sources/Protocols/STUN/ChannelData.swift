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

  /// Whether a datagram that nobody announced can be one: a number that RFC 8656 allows, and data that begins as STUN,
  /// DTLS, RTP or RTCP do (RFC 7983).
  static func canBegin(_ datagram: borrowing RawSpan) -> Bool {
    guard let header = ChannelData(datagram), header.channel < 0x5000, header.length >= 12,
      header.fills(datagram.byteCount)
    else { return false }
    switch datagram.u8(headerLength) {
    case 0...3, 20...63, 128...191: return true
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
