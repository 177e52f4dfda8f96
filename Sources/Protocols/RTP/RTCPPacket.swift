import Bytes

//  RFC 3550, section 6.4: what all RTCP packets begin with
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |V=2|P|    RC   |      PT       |             length            |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                     SSRC of packet sender                     |
//   +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//
//   RC: reports, chunks, sources, subtype or feedback type, by PT. length: in 32-bit words, less one.
//
//  RFC 3711, section 3.4: in SRTCP all behind the first 8 bytes of the datagram is encrypted, and follow: the flag E with
//  a 31-bit index that counts the sender's packets, an optional key identifier, and an authentication tag. With AEAD
//  (RFC 7714, section 9) the tag stands before the index.

/// An RTCP packet of a datagram, which may hold several.
struct RTCPPacket: Equatable {
  /// The second bytes that are RTCP's where RTP shares the port (RFC 5761, section 4).
  static let types: ClosedRange<UInt8> = 192...223
  /// The length of a header without the sender.
  static let headerLength = 4

  /// What it is.
  let type: RTCPType
  /// Reports, chunks, sources, subtype or feedback type, by `type`.
  let count: Int
  /// The sender; 0 in an empty BYE or SDES.
  let sender: UInt32
  /// Its bytes in the datagram.
  let length: Int
  /// Whether its fields and its length agree, as far as they are in clear in SRTCP too.
  let isConsistent: Bool

  /// Reads the packet at `offset`.
  /// - Throws: `malformed` for another version or a type that nobody has registered; `truncated` where the datagram ends
  ///   first.
  init(parsing bytes: borrowing RawSpan, at offset: Int = 0) throws(ParseError) {
    guard bytes.holds(Self.headerLength, at: offset) else {
      throw .truncated(needed: Self.headerLength, available: max(bytes.byteCount &- offset, 0), at: offset)
    }
    let first = bytes.u8(offset)
    guard first >> 6 == 2 else { throw .malformed(.version, at: offset) }
    guard let type = RTCPType(rawValue: bytes.u8(offset &+ 1)) else { throw .malformed(.type, at: offset &+ 1) }
    let words = Int(bytes.u16(offset &+ 2))
    self.type = type
    count = Int(first & 31)
    length = 4 &+ 4 &* words
    guard bytes.holds(length, at: offset) else {
      throw .truncated(needed: length, available: bytes.byteCount &- offset, at: offset &+ 2)
    }
    sender = words > 0 ? bytes.u32(offset &+ 4) : 0
    let hasPadding = first & 0x20 != 0
    isConsistent = hasPadding ? words >= 2 : type.allows(count: count, words: words)
  }
}

/// The registered packet types of RTCP that are seen (IANA, "RTCP Control Packet Types").
enum RTCPType: UInt8 {
  case fullIntraRequest = 192
  case negativeAcknowledgement = 193
  case interArrivalJitter = 195
  case senderReport = 200
  case receiverReport = 201
  case sourceDescription = 202
  case bye = 203
  case application = 204
  case transportFeedback = 205
  case payloadFeedback = 206
  case extendedReport = 207
  case audioVideoBridging = 208
  case receiverSummary = 209
  case portMapping = 210

  /// The most words of a profile's own behind the reports (RFC 3550, section 6.4.3); few profiles have any.
  private static let maximumProfileWords = 16
  /// The most words of a source's description or of a reason for leaving: a text has at most 255 bytes.
  private static let maximumTextWords = 256

  /// Whether a packet of `words` words behind the first, with `count` in its first byte, can be of this type.
  func allows(count: Int, words: Int) -> Bool {
    switch self {
    case .senderReport: (0...Self.maximumProfileWords).contains(words &- 6 &- 6 &* count)
    case .receiverReport: (0...Self.maximumProfileWords).contains(words &- 1 &- 6 &* count)
    case .sourceDescription: words >= 2 &* count && words <= Self.maximumTextWords &* max(count, 1)
    case .bye: words >= count && words <= count &+ 64
    case .application: words >= 2
    // Feedback with nothing behind the two sources is PLI (RFC 4585, section 6.3.1).
    case .transportFeedback: count > 0 && words >= 3
    case .payloadFeedback: count == 1 ? words == 2 : count > 0 && words >= 3
    case .extendedReport: words >= 1
    case .fullIntraRequest, .negativeAcknowledgement: (1...2).contains(words)
    case .interArrivalJitter: words == count
    case .audioVideoBridging, .receiverSummary, .portMapping: words >= 2
    }
  }

  /// Whether a packet of this type leaves little to chance where it fills a datagram.
  var isTelling: Bool {
    switch self {
    case .fullIntraRequest, .negativeAcknowledgement, .interArrivalJitter, .audioVideoBridging, .receiverSummary,
      .portMapping:
      false
    default: true
    }
  }
}
