import Bytes

// RFC 8300, sections 2.2 and 2.3:
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |Ver|O|U|    TTL    |   Length  |U|U|U|U|MD Type| Next Protocol |
//   |          Service Path Identifier (SPI)        | Service Index |
//   ~                        Context Headers                        ~
// Length counts words of four bytes. O marks what is no user's.

extension Decoder {
  mutating func networkService(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard enter(.tunnel, at: at, &h) else { return .damaged }
    let limit = min(p.byteCount, end)
    guard limit &- at >= 8 else { return cut(.tunnel, at: at, need: 8, end: end, &h) }
    let first = p.u32(at)
    guard first >> 30 == 0 else { return refuse(.tunnel, .badVersion, at: at, &h) }
    let length = Int(first >> 16 & 0x3f) &* 4
    guard length >= 8 else { return refuse(.tunnel, .badLength, at: at, &h) }
    guard limit &- at >= length else { return cut(.tunnel, at: at, need: length, end: end, &h) }
    guard first & 0x2000_0000 == 0 else { return .counted }
    switch first & 0xff {
    case 1: return ipv4(p, at &+ length, end, &h)
    case 2: return ipv6(p, at &+ length, end, &h)
    case 3: return ethernet(p, at &+ length, end, &h)
    case 4: return networkService(p, at &+ length, end, &h)
    case 5: return mpls(p, at &+ length, end, &h)
    default: return .counted
    }
  }
}
