import Bytes

// ITU-T Q.922, figure 2-5: an address of two to four bytes, whose last has its lowest bit set. RFC 2427, section 3:
//   +---------------+---------------+
//   | Q.922 address                 |
//   | control 0x03  | NLPID         |   a pad byte of 0 may stand before the NLPID
//   +---------------+---------------+
// NLPID 0xCC IPv4, 0x8E IPv6, 0x80 SNAP, 0xCF PPP (RFC 1973). Cisco's own encapsulation puts an EtherType in their place.

extension Decoder {
  mutating func frameRelay(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard enter(.link, at: at, &h) else { return .damaged }
    let limit = min(p.byteCount, end)
    guard limit &- at >= 4 else { return cut(.link, at: at, need: 4, end: end, &h) }
    var at = at
    var length = 1
    while p.u8(at &+ length &- 1) & 1 == 0 {
      length &+= 1
      guard length <= 4 else { return .unknown }
    }
    guard length >= 2 else { return .unknown }
    at &+= length
    guard limit &- at >= 2 else { return cut(.link, at: at, need: 2, end: end, &h) }
    guard p.u8(at) == 3 else {
      let type = p.u16(at)
      return type > 1500 ? network(type, p, at &+ 2, end, &h) : .unknown
    }
    at &+= p.u8(at &+ 1) == 0 ? 2 : 1
    guard limit > at else { return cut(.link, at: at, need: 1, end: end, &h) }
    return networkLayer(p.u8(at), p, at &+ 1, end, &h)
  }

  /// What follows a network layer protocol identifier (ISO/IEC TR 9577).
  mutating func networkLayer(
    _ identifier: UInt8, _ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers
  ) -> DecodeOutcome {
    switch identifier {
    case 0xcc: return ipv4(p, at, end, &h)
    case 0x8e: return ipv6(p, at, end, &h)
    case 0xcf: return ppp(p, at, end, &h)
    case 0x80:
      guard min(p.byteCount, end) &- at >= 5 else { return cut(.link, at: at, need: 5, end: end, &h) }
      return subnetwork(p, at, end, bridgePadding: 0, &h)
    // Q.933, CLNP, ES-IS, IS-IS, compression, fragments and multilink.
    case 0x08, 0x81, 0x82, 0x83, 0xb0, 0xb1, 0xb2: return .counted
    default: return .unknown
    }
  }
}
