import Bytes

//  RFC 3550, section 5.1
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                           timestamp                           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |           synchronization source (SSRC) identifier            |
//   +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
//   |            contributing source (CSRC) identifiers             |
//   |                             ....                              |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
//  and, where X is set (section 5.3.1), 16 bits of a profile, 16 bits of a length in 32-bit words, and the words.

/// The header of an RTP packet; SRTP's is the same (RFC 3711, section 3.1).
struct RTPHeader: Equatable {
  /// The shortest header.
  static let minimumLength = 12
  /// The profile of header extensions with one-byte headers (RFC 8285, section 4.2).
  static let oneByteExtensions: UInt16 = 0xbede
  /// The profiles of header extensions with two-byte headers (RFC 8285, section 4.3).
  static let twoByteExtensions: ClosedRange<UInt16> = 0x1000...0x100f
  /// Payload types that RTCP's packet types take, so that both can share a port (RFC 5761, section 4).
  static let payloadTypesOfRTCP: ClosedRange<UInt8> = 64...95

  /// Whether the payload ends with padding; in SRTP its length is encrypted.
  let hasPadding: Bool
  /// The number of contributing sources.
  let contributors: Int
  /// The marker: in video the end of a frame, in audio mostly the begin of a talkspurt.
  let marker: Bool
  /// The payload type.
  let payloadType: UInt8
  /// The sequence number.
  let sequence: UInt16
  /// The sampling time of the first byte of the payload, in the clock of the payload type.
  let timestamp: UInt32
  /// The synchronization source.
  let ssrc: UInt32
  /// The profile of the header extension, where there is one.
  let extensionProfile: UInt16?
  /// The bytes behind the header and its extension; with SRTP also the authentication tag.
  let payloadLength: Int

  /// Whether its extension has one of the two forms of RFC 8285.
  var hasGeneralExtension: Bool {
    guard let extensionProfile else { return false }
    return extensionProfile == Self.oneByteExtensions || Self.twoByteExtensions.contains(extensionProfile)
  }

  /// Reads a header.
  /// - Throws: `malformed` where it is no RTP of version 2 or has a payload type of RTCP; `truncated` where the
  ///   datagram ends before the header and its extension do.
  init(parsing bytes: borrowing RawSpan) throws(ParseError) {
    var reader = ByteReader(copy bytes)
    let first = try reader.u8()
    guard first >> 6 == 2 else { throw .malformed(.version, at: 0) }
    let second = try reader.u8()
    payloadType = second & 0x7f
    guard !Self.payloadTypesOfRTCP.contains(payloadType) else { throw .malformed(.type, at: 1) }
    hasPadding = first & 0x20 != 0
    contributors = Int(first & 15)
    marker = second & 0x80 != 0
    sequence = try reader.u16()
    timestamp = try reader.u32()
    ssrc = try reader.u32()
    try reader.skip(4 &* contributors)
    if first & 0x10 != 0 {
      extensionProfile = try reader.u16()
      try reader.skip(4 &* Int(try reader.u16()))
    } else {
      extensionProfile = nil
    }
    payloadLength = reader.remaining
  }
}
