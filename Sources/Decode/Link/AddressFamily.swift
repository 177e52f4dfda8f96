import Bytes

// Headers that name an address family and little else.
// LINKTYPE_ENC: family (4), SPI (4), flags (4), the first in the byte order of the host that captured.
// LINKTYPE_IPNET: version (1), family (1; 2 or 26, the AF_ values of Solaris), and 22 bytes more.
// LINKTYPE_SLIP: direction (1) and the compressed header (15).
// LINKTYPE_IPOIB: routing header (40), EtherType (2), reserved (2): RFC 4391, section 6.

extension Decoder {
  mutating func encapsulating(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard min(p.byteCount, end) &- at >= 12 else { return cut(.link, at: at, need: 12, end: end, &h) }
    let family = p.u32(at)
    switch family <= 0xffff ? family : family.byteSwapped {
    case 2: return ipv4(p, at &+ 12, end, &h)
    case 24, 28, 30: return ipv6(p, at &+ 12, end, &h)
    default: return .unknown
    }
  }

  mutating func ipnet(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard min(p.byteCount, end) &- at >= 24 else { return cut(.link, at: at, need: 24, end: end, &h) }
    switch p.u8(at &+ 1) {
    case 2: return ipv4(p, at &+ 24, end, &h)
    case 26: return ipv6(p, at &+ 24, end, &h)
    default: return .unknown
    }
  }

  mutating func slip(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard min(p.byteCount, end) &- at >= 17 else { return cut(.link, at: at, need: 17, end: end, &h) }
    return rawIP(p, at &+ 16, end, &h)
  }

  mutating func infiniBand(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard min(p.byteCount, end) &- at >= 44 else { return cut(.link, at: at, need: 44, end: end, &h) }
    return network(p.u16(at &+ 40), p, at &+ 44, end, &h)
  }
}
