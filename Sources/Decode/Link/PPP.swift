import Bytes

// RFC 1661, section 2: a protocol number of two bytes, or of one with protocol field compression (the last byte of a
// number is odd, all others are even). RFC 1662, section 3.1: address 0xff and control 0x03 may stand before it.
//
// RFC 2516, section 4:
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  VER  | TYPE  |      CODE     |          SESSION_ID           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |            LENGTH             |           payload
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

extension Decoder {
  mutating func ppp(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard enter(.link, at: at, &h) else { return .damaged }
    let limit = min(p.byteCount, end)
    guard limit &- at >= 2 else { return cut(.link, at: at, need: 2, end: end, &h) }
    var at = at
    switch p.u16(at) {
    case 0xff03: at &+= 2
    case 0x0f00, 0x8f00: return ciscoHDLC(p, at, end, &h)
    default: break
    }
    guard limit &- at >= 1 else { return cut(.link, at: at, need: 2, end: end, &h) }
    var number = UInt16(p.u8(at))
    at &+= 1
    if number & 1 == 0 {
      guard limit &- at >= 1 else { return cut(.link, at: at, need: 1, end: end, &h) }
      number = number << 8 | UInt16(p.u8(at))
      at &+= 1
    }
    switch number {
    case 0x0021: return ipv4(p, at, end, &h)
    case 0x0057: return ipv6(p, at, end, &h)
    case 0x0281, 0x0283: return mpls(p, at, end, &h)
    // Multilink fragments, compressed datagrams, and the control protocols from 0x8000 on.
    case 0x003d, 0x00fd, 0x8000...: return .counted
    default: return .unknown
    }
  }

  /// Address (1), control (1), EtherType (2).
  mutating func ciscoHDLC(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard min(p.byteCount, end) &- at >= 4 else { return cut(.link, at: at, need: 4, end: end, &h) }
    // SLARP keepalives have a type of their own.
    if p.u16(at &+ 2) == 0x8035 { return .counted }
    return network(p.u16(at &+ 2), p, at &+ 4, end, &h)
  }

  mutating func pppoe(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard enter(.pppoe, at: at, &h) else { return .damaged }
    guard min(p.byteCount, end) &- at >= 6 else { return cut(.pppoe, at: at, need: 6, end: end, &h) }
    guard p.u8(at) == 0x11 else { return refuse(.pppoe, .badVersion, at: at, &h) }
    // Any code but 0 is discovery.
    guard p.u8(at &+ 1) == 0 else { return .counted }
    let stop = at &+ 6 &+ Int(p.u16(at &+ 4))
    if stop > end { h.damage = Damage(.pppoe, .truncated, at: at) }
    return ppp(p, at &+ 6, min(stop, end), &h)
  }
}
