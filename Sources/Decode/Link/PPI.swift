import Bytes

// PPI Packet Header Specification 1.0.7, section 3: version 0 (1), flags (1), length of the whole header (2), DLT_ value
// of the packet (4), then fields of type (2), length (2) and content; little-endian. Section 4.1.2: field 2 (802.11
// common) has a time stamp (8) and flags (2): 1 the frame ends with its check sequence, 4 its check failed.

extension Decoder {
  mutating func perPacketInformation(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard enter(.link, at: at, &h) else { return .damaged }
    let limit = min(p.byteCount, end)
    guard limit &- at >= 8 else { return cut(.link, at: at, need: 8, end: end, &h) }
    guard p.u8(at) == 0 else { return refuse(.link, .badVersion, at: at, &h) }
    let length = Int(p.u16(at &+ 2).byteSwapped)
    guard length >= 8 else { return refuse(.link, .badLength, at: at, &h) }
    guard limit &- at >= length else { return cut(.link, at: at, need: length, end: end, &h) }
    guard let type = UInt16(exactly: p.u32(at &+ 4).byteSwapped) else { return .unknown }
    guard type == LinkType.ieee80211.rawValue else {
      return link(LinkType(rawValue: type), p, at &+ length, end, &h)
    }
    var framing = WirelessFraming()
    var field = 8
    while field &+ 4 <= length {
      let content = Int(p.u16(at &+ field &+ 2).byteSwapped)
      if p.u16(at &+ field).byteSwapped == 2, content >= 10, field &+ 14 <= length {
        let flags = p.u16(at &+ field &+ 12).byteSwapped
        framing.checksumLength = flags & 1 != 0 ? 4 : 0
        framing.isDamaged = flags & 4 != 0
        break
      }
      field &+= 4 &+ content
    }
    return wireless(p, at &+ length, end, framing, &h)
  }
}
