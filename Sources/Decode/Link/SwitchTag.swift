import Bytes

// What a switch puts into a frame for the host that drives it (LINKTYPE_DSA_TAG_*).
// Marvell DSA, in the place of an IEEE 802.1Q tag, and EtherType DSA, behind 0xdada and two bytes of 0:
//    0                   1                   2                   3
//   +---+-+---------+---------+-----+-----+-+-----------------------+
//   |cmd|T| device  |  port   |     | PCP |0|          VID          |   T: the frame had a tag, whose VID this is
//   +---+-+---------+---------+-----+-----+-+-----------------------+
// Broadcom: four bytes between the source and the type, or before the frame.

extension Decoder {
  mutating func marvellTag(
    _ p: RawSpan, _ at: Int, _ end: Int, length: Int, _ h: inout Headers
  ) -> DecodeOutcome {
    guard min(p.byteCount, end) &- at >= 14 &+ length else {
      return cut(.link, at: at, need: 14 &+ length, end: end, &h)
    }
    let tag = p.u32(at &+ 8 &+ length)
    if tag & 0x2000_0000 != 0, tag & 0xfff != 0 {
      h.scope.add(vlan: UInt16(tag & 0xfff))
    }
    return ethernetType(p.u16(at &+ 12 &+ length), p, at &+ 14 &+ length, end, &h)
  }

  mutating func broadcomTag(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard min(p.byteCount, end) &- at >= 18 else { return cut(.link, at: at, need: 18, end: end, &h) }
    return ethernetType(p.u16(at &+ 16), p, at &+ 18, end, &h)
  }
}
