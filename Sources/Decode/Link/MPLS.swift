import Bytes

// RFC 3032, section 2.1, a label stack entry:
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                Label                  | TC  |S|       TTL     |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// Nothing says what lies under the last entry. RFC 4928: IP if the next four bits are 4 or 6. RFC 4385, section 2: a
// pseudowire's control word begins with four zero bits, its associated channel with 1.

extension Decoder {
  mutating func mpls(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    let limit = min(p.byteCount, end)
    var at = at
    var isBottom = false
    while !isBottom {
      guard enter(.mpls, at: at, &h) else { return .damaged }
      guard limit &- at >= 4 else { return cut(.mpls, at: at, need: 4, end: end, &h) }
      isBottom = p.u32(at) & 0x100 != 0
      at &+= 4
    }
    guard limit > at else { return cut(.mpls, at: at, need: 1, end: end, &h) }
    switch p.u8(at) >> 4 {
    case 4:
      // A pseudowire without control word may carry an Ethernet address that begins like IPv4, or IPv6.
      let isIP = p.u8(at) & 15 >= 5 && (limit &- at < 4 || Int(p.u16(at &+ 2)) <= end &- at)
      if !isIP, looksLikeEthernet(p, at, end) { return ethernet(p, at, end, &h) }
      return ipv4(p, at, end, &h)
    case 6:
      let isIP = limit &- at < 6 || Int(p.u16(at &+ 4)) <= end &- at
      if !isIP, looksLikeEthernet(p, at, end) { return ethernet(p, at, end, &h) }
      return ipv6(p, at, end, &h)
    case 0 where looksLikeEthernet(p, at &+ 4, end):
      return ethernet(p, at &+ 4, end, &h)
    case 1 where !looksLikeEthernet(p, at, end):
      return .counted
    default:
      if looksLikeEthernet(p, at, end) { return ethernet(p, at, end, &h) }
      // A control word, a frame's header and an IP version, of which the snapshot length left too little to tell.
      return limit &- at < 19 && limit < end ? cut(.mpls, at: at, need: end &- at, end: end, &h) : .unknown
    }
  }
}
