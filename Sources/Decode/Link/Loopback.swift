import Bytes

// LINKTYPE_NULL: an address family of four bytes in the byte order of the host that captured; LINKTYPE_LOOP: the same
// in network byte order. The value of AF_INET6 differs by system.

extension Decoder {
  mutating func loopback(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard min(p.byteCount, end) &- at >= 4 else { return cut(.link, at: at, need: 4, end: end, &h) }
    let family = p.u32(at)
    switch family <= 0xffff ? family : family.byteSwapped {
    case 2: return ipv4(p, at &+ 4, end, &h)
    // Linux, Windows, NetBSD and OpenBSD, FreeBSD, Darwin.
    case 10, 23, 24, 28, 30: return ipv6(p, at &+ 4, end, &h)
    default: return .unknown
    }
  }

  /// IPv4 or IPv6, by the version in the first four bits.
  mutating func rawIP(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard min(p.byteCount, end) &- at >= 1 else { return cut(.ipv4, at: at, need: 20, end: end, &h) }
    return p.u8(at) >> 4 == 6 ? ipv6(p, at, end, &h) : ipv4(p, at, end, &h)
  }
}
