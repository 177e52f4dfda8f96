import Bytes

//  RFC 7983, section 7: what a first byte says where several protocols share a 5-tuple
//
//                    +----------------+
//                    |        [0..3] -+--> forward to STUN
//                    |                |
//                    |      [16..19] -+--> forward to ZRTP
//                    |                |
//        packet -->  |      [20..63] -+--> forward to DTLS
//                    |                |
//                    |      [64..79] -+--> forward to TURN Channel
//                    |                |
//                    |    [128..191] -+--> forward to RTP/RTCP
//                    +----------------+

/// What a datagram is by its first byte, where protocols of WebRTC share a 5-tuple (RFC 7983, section 7).
enum MultiplexedRange: Equatable {
  case stun, zrtp, dtls, turnChannel, rtp, rtcp, unassigned

  /// The range of a datagram; RTCP is told from RTP by the second byte (RFC 5761, section 4).
  init(_ datagram: borrowing RawSpan) {
    guard datagram.byteCount > 0 else {
      self = .unassigned
      return
    }
    switch datagram.u8(0) {
    case 0...3: self = .stun
    case 16...19: self = .zrtp
    case 20...63: self = .dtls
    case 64...79: self = .turnChannel
    case 128...191: self = datagram.byteCount > 1 && RTCPPacket.types.contains(datagram.u8(1)) ? .rtcp : .rtp
    default: self = .unassigned
    }
  }

  /// Whether media may share its 5-tuple with it.
  var goesWithRTP: Bool { self != .unassigned }
}
