import Bytes

// https://www.tcpdump.org/linktypes.html
extension LinkType {
  /// BSD loopback: an address family in the byte order of the host that captured.
  public static var null: LinkType { LinkType(rawValue: 0) }
  /// Ethernet.
  public static var ethernet: LinkType { LinkType(rawValue: 1) }
  /// PPP, with or without its HDLC-like framing.
  public static var ppp: LinkType { LinkType(rawValue: 9) }
  /// FDDI.
  public static var fddi: LinkType { LinkType(rawValue: 10) }
  /// PPP in HDLC-like framing (RFC 1662), or Cisco HDLC.
  public static var pppHDLC: LinkType { LinkType(rawValue: 50) }
  /// PPPoE session (RFC 2516) without an Ethernet header.
  public static var pppoe: LinkType { LinkType(rawValue: 51) }
  /// Raw IPv4 or IPv6.
  public static var raw: LinkType { LinkType(rawValue: 101) }
  /// Cisco HDLC.
  public static var ciscoHDLC: LinkType { LinkType(rawValue: 104) }
  /// OpenBSD loopback: an address family in network byte order.
  public static var loop: LinkType { LinkType(rawValue: 108) }
  /// Linux "cooked" capture, version 1.
  public static var linuxSLL: LinkType { LinkType(rawValue: 113) }
  /// OpenBSD packet filter log.
  public static var pflog: LinkType { LinkType(rawValue: 117) }
  /// Raw IPv4.
  public static var ipv4: LinkType { LinkType(rawValue: 228) }
  /// Raw IPv6.
  public static var ipv6: LinkType { LinkType(rawValue: 229) }
  /// Linux netfilter log.
  public static var nflog: LinkType { LinkType(rawValue: 239) }
  /// Ethernet with preamble and start delimiter (IEEE 802.3br).
  public static var ethernetMPacket: LinkType { LinkType(rawValue: 274) }
  /// Linux "cooked" capture, version 2.
  public static var linuxSLL2: LinkType { LinkType(rawValue: 276) }
}

extension Decoder {
  /// Any link layer but plain Ethernet.
  mutating func link(_ type: LinkType, _ p: RawSpan, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    switch type {
    case .null, .loop: return loopback(p, 0, end, &h)
    // 12 and 14 are DLT_RAW of BSD and OpenBSD, which found their way into files.
    case .raw, LinkType(rawValue: 12), LinkType(rawValue: 14): return rawIP(p, 0, end, &h)
    case .ipv4: return ipv4(p, 0, end, &h)
    case .ipv6: return ipv6(p, 0, end, &h)
    case .linuxSLL: return linuxCooked(p, 0, end, &h)
    case .linuxSLL2: return linuxCooked2(p, 0, end, &h)
    case .ppp, .pppHDLC: return ppp(p, 0, end, &h)
    case .pppoe: return pppoe(p, 0, end, &h)
    case .ciscoHDLC: return ciscoHDLC(p, 0, end, &h)
    case .nflog: return netfilterLog(p, 0, end, &h)
    case .pflog: return packetFilterLog(p, 0, end, &h)
    case .ethernetMPacket: return ethernet(p, 8, end, &h)
    case .fddi:
      // Frame control and two addresses, then LLC.
      return logicalLink(p, 13, end, &h)
    default: return .unknown
    }
  }
}
