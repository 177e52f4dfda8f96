import Bytes

// RFC 5415, section 4.3:
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |Version| Type  |  HLEN   |   RID   | WBID    |T|F|L|W|M|K|Flags|
//   |          Fragment ID          |     Frag Offset         |Rsvd |
//   |          (optional) Radio MAC Address, Wireless Information   |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// Type 1 is DTLS. HLEN counts words of four bytes. T: the frame is of the wireless binding WBID (1 is IEEE 802.11), and
// IEEE 802.3 otherwise. F: a fragment; K: a keep-alive. Some vendors exchange the bytes of IEEE 802.11's frame control, and
// leave its mark of encryption on frames that are no longer encrypted.

extension Decoder {
  mutating func capwap(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome? {
    guard end &- at >= 8 else { return nil }
    guard p.holds(8, at: at) else { return cutTunnel(at, &h) }
    let first = p.u32(at)
    let length = Int(first >> 19 & 31) &* 4
    // Version, type, F, K, the flags and what is reserved are 0.
    guard first >> 24 == 0, first & 0x8f == 0, length >= 8, end &- at > length, p.u32(at &+ 4) & 7 == 0
    else { return nil }
    let inner = at &+ length
    guard first & 0x100 != 0 else {
      return enter(.capwap, .type(EtherType.transparentEthernet), p, inner, end, &h)
    }
    // Cisco's access points also write a binding of 0 or 2.
    guard first >> 9 & 31 <= 2 else { return nil }
    guard p.holds(2, at: inner) else { return cutTunnel(at, &h) }
    var framing = WirelessFraming()
    let control = p.u16(inner)
    framing.isSwapped = !isPlainData(p, inner, end, control) && isPlainData(p, inner, end, control.byteSwapped)
    return enter(.capwap, .wireless(framing), p, inner, end, &h)
  }

  /// Whether frame control, read so, is that of a data frame, behind whose header LLC stands if that was captured.
  private func isPlainData(_ p: RawSpan, _ at: Int, _ end: Int, _ control: UInt16) -> Bool {
    guard control & 0x0f00 == 0x0800 else { return false }
    let length = Self.wirelessHeaderLength(control)
    return !p.holds(length &+ 8, at: at) || isLogicalLink(p, at &+ length, end)
  }
}
