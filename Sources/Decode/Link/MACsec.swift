import Bytes

// IEEE 802.1AE-2018, section 9.3 (figure 9-2), behind EtherType 0x88e5:
//   version and flags (1), short length (1), packet number (4), channel (8, if SC is set), then the EtherType and content
//   of the frame, and its integrity check (16)
//    0   1   2   3   4   5   6   7
//   +---+---+---+---+---+---+-------+
//   | V |ES |SC |SCB| E | C |  AN   |   without E and C the content is readable
//   +---+---+---+---+---+---+-------+

extension Decoder {
  mutating func macsec(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard enter(.link, at: at, &h) else { return .damaged }
    let limit = min(p.byteCount, end)
    guard limit &- at >= 6 else { return cut(.link, at: at, need: 6, end: end, &h) }
    let flags = p.u8(at)
    guard flags & 0x8c == 0 else { return .counted }
    let length = flags & 0x20 != 0 ? 16 : 8
    guard limit &- at >= length else { return cut(.link, at: at, need: length, end: end, &h) }
    // The integrity check is no content.
    return ethernetType(p.u16(at &+ length &- 2), p, at &+ length, max(at &+ length, end &- 16), &h)
  }
}
