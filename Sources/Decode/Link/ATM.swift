import Bytes

// LINKTYPE_ATM_RFC1483: LLC encapsulation (RFC 2684, section 5), or IP alone on a circuit of its own (section 6).
// LINKTYPE_SUNATM: flags (1), whose low four bits are the kind of traffic, VPI (1), VCI (2). 1 is LAN emulation, with a
// client identifier (2) before an Ethernet frame, 2 LLC encapsulation.

extension Decoder {
  mutating func multiprotocolATM(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard enter(.link, at: at, &h) else { return .damaged }
    let limit = min(p.byteCount, end)
    guard limit &- at >= 3 else { return cut(.link, at: at, need: 3, end: end, &h) }
    switch UInt32(p.u16(at)) << 8 | UInt32(p.u8(at &+ 2)) {
    case 0xaaaa03:
      guard limit &- at >= 8 else { return cut(.link, at: at, need: 8, end: end, &h) }
      return subnetwork(p, at &+ 3, end, bridgePadding: 2, &h)
    case 0xfefe03:
      guard limit &- at >= 4 else { return cut(.link, at: at, need: 4, end: end, &h) }
      return networkLayer(p.u8(at &+ 3), p, at &+ 4, end, &h)
    default:
      switch p.u8(at) {
      case 0x45...0x4f: return ipv4(p, at, end, &h)
      case 0x60...0x6f: return ipv6(p, at, end, &h)
      default: return .unknown
      }
    }
  }

  mutating func sunATM(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard min(p.byteCount, end) &- at >= 4 else { return cut(.link, at: at, need: 4, end: end, &h) }
    switch p.u8(at) & 15 {
    case 1: return ethernet(p, at &+ 6, end, &h)
    case 2: return multiprotocolATM(p, at &+ 4, end, &h)
    // Signalling and management.
    default: return .counted
    }
  }
}
