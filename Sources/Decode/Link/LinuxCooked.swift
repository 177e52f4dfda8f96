import Bytes

// LINKTYPE_LINUX_SLL: packet type (2), ARPHRD_ type (2), address length (2), address (8), protocol (2).
// LINKTYPE_LINUX_SLL2: protocol (2), reserved (2), interface (4), ARPHRD_ type (2), packet type (1), address length (1),
// address (8). Both are in network byte order.

extension Decoder {
  mutating func linuxCooked(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard min(p.byteCount, end) &- at >= 16 else { return cut(.link, at: at, need: 16, end: end, &h) }
    return cooked(protocol: p.u16(at &+ 14), device: p.u16(at &+ 2), p, at &+ 16, end, &h)
  }

  mutating func linuxCooked2(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard min(p.byteCount, end) &- at >= 20 else { return cut(.link, at: at, need: 20, end: end, &h) }
    return cooked(protocol: p.u16(at), device: p.u16(at &+ 8), p, at &+ 20, end, &h)
  }

  private mutating func cooked(
    protocol type: UInt16, device: UInt16, _ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers
  ) -> DecodeOutcome {
    switch device {
    // ARPHRD_NETLINK and the 802.11 devices, bare, with Prism and with radiotap headers, have no EtherType.
    case 824: return .unknown
    case 801: return wireless(p, at, end, WirelessFraming(), &h)
    case 802: return prism(p, at, end, &h)
    case 803: return radiotap(p, at, end, &h)
    default: break
    }
    switch type {
    // ETH_P_802_3 is Novell's frame without LLC; ETH_P_802_2 is LLC.
    case 0x0001: return .counted
    case 0x0004: return logicalLink(p, at, end, &h)
    default: return network(type, p, at, end, &h)
    }
  }
}
