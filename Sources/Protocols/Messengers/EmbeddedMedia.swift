import Bytes

// RTP (RFC 3550, section 5.1)                          RTCP (section 6.4.1)
//
//   V=2 P X CC   M PT   sequence number                  V=2 P RC   PT 200..207   length
//   timestamp                                            SSRC of sender
//   SSRC

/// An RTP or RTCP header inside another protocol's packet: whether there is one where it must be.
struct EmbeddedMedia: Equatable {
  /// The synchronization source.
  let ssrc: UInt32
  /// RTP's sequence number; `nil` in RTCP.
  let sequence: UInt16?

  /// The header at `offset` of `datagram`, or `nil` where none can be there.
  init?(_ datagram: borrowing RawSpan, at offset: Int) {
    guard offset >= 0, datagram.holds(8, at: offset), datagram.u8(offset) >> 6 == 2 else { return nil }
    let type = datagram.u8(offset &+ 1)
    if (200...207).contains(type) {
      let length = (Int(datagram.u16(offset &+ 2)) &+ 1) &* 4
      guard length >= 8, datagram.holds(length, at: offset) else { return nil }
      ssrc = datagram.u32(offset &+ 4)
      sequence = nil
    } else {
      // RFC 5761, section 4: payload types 64 to 95 are RTCP's.
      guard !(64...95).contains(type & 0x7f) else { return nil }
      var header = 12 &+ Int(datagram.u8(offset) & 15) &* 4
      guard datagram.holds(header, at: offset) else { return nil }
      if datagram.u8(offset) & 0x10 != 0 {
        guard datagram.holds(header &+ 4, at: offset) else { return nil }
        header &+= 4 &+ Int(datagram.u16(offset &+ header &+ 2)) &* 4
        guard datagram.holds(header, at: offset) else { return nil }
      }
      ssrc = datagram.u32(offset &+ 8)
      sequence = datagram.u16(offset &+ 2)
    }
    guard ssrc != 0 else { return nil }
  }

  /// Whether this continues `earlier`: the same source, and where both are RTP a sequence number within 64.
  func continues(_ earlier: EmbeddedMedia) -> Bool {
    guard ssrc == earlier.ssrc else { return false }
    guard let sequence, let before = earlier.sequence else { return true }
    return sequence != before && (sequence &- before <= 64 || before &- sequence <= 64)
  }
}
