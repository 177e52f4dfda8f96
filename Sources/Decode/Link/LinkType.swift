import Bytes

// https://www.tcpdump.org/linktypes.html
extension LinkType {
  /// BSD loopback: an address family in the byte order of the host that captured.
  public static var null: LinkType { LinkType(rawValue: 0) }
  /// Ethernet.
  public static var ethernet: LinkType { LinkType(rawValue: 1) }
  /// Token Ring (IEEE 802.5).
  public static var tokenRing: LinkType { LinkType(rawValue: 6) }
  /// SLIP, with a header of its own.
  public static var slip: LinkType { LinkType(rawValue: 8) }
  /// PPP, with or without its HDLC-like framing.
  public static var ppp: LinkType { LinkType(rawValue: 9) }
  /// FDDI.
  public static var fddi: LinkType { LinkType(rawValue: 10) }
  /// PPP in HDLC-like framing (RFC 1662), or Cisco HDLC.
  public static var pppHDLC: LinkType { LinkType(rawValue: 50) }
  /// PPPoE session (RFC 2516) without an Ethernet header.
  public static var pppoe: LinkType { LinkType(rawValue: 51) }
  /// ATM with LLC encapsulation (RFC 2684).
  public static var multiprotocolATM: LinkType { LinkType(rawValue: 100) }
  /// Raw IPv4 or IPv6.
  public static var raw: LinkType { LinkType(rawValue: 101) }
  /// Cisco HDLC.
  public static var ciscoHDLC: LinkType { LinkType(rawValue: 104) }
  /// IEEE 802.11.
  public static var ieee80211: LinkType { LinkType(rawValue: 105) }
  /// Frame Relay (RFC 2427, or Cisco's encapsulation).
  public static var frameRelay: LinkType { LinkType(rawValue: 107) }
  /// OpenBSD loopback: an address family in network byte order.
  public static var loop: LinkType { LinkType(rawValue: 108) }
  /// IPsec packets between encryption and encapsulation, of OpenBSD, FreeBSD and Darwin.
  public static var enc: LinkType { LinkType(rawValue: 109) }
  /// Linux "cooked" capture, version 1.
  public static var linuxSLL: LinkType { LinkType(rawValue: 113) }
  /// OpenBSD packet filter log.
  public static var pflog: LinkType { LinkType(rawValue: 117) }
  /// IEEE 802.11 behind a Prism header.
  public static var prism: LinkType { LinkType(rawValue: 119) }
  /// ATM as SunATM gives it.
  public static var sunATM: LinkType { LinkType(rawValue: 123) }
  /// IEEE 802.11 behind a radiotap header.
  public static var radiotap: LinkType { LinkType(rawValue: 127) }
  /// The second type for private use, under which Darwin wrote PKTAP.
  public static var user2: LinkType { LinkType(rawValue: 149) }
  /// IEEE 802.11 behind an AVS header.
  public static var avs: LinkType { LinkType(rawValue: 163) }
  /// PPP in which the direction stands for the address.
  public static var pppPPPD: LinkType { LinkType(rawValue: 166) }
  /// Any link layer behind a PPI header.
  public static var ppi: LinkType { LinkType(rawValue: 192) }
  /// PPP behind a direction (1).
  public static var pppWithDirection: LinkType { LinkType(rawValue: 204) }
  /// Cisco HDLC behind a direction (1).
  public static var ciscoHDLCWithDirection: LinkType { LinkType(rawValue: 205) }
  /// Frame Relay behind a direction (1).
  public static var frameRelayWithDirection: LinkType { LinkType(rawValue: 206) }
  /// Solaris IPNET.
  public static var ipnet: LinkType { LinkType(rawValue: 226) }
  /// Raw IPv4.
  public static var ipv4: LinkType { LinkType(rawValue: 228) }
  /// Raw IPv6.
  public static var ipv6: LinkType { LinkType(rawValue: 229) }
  /// Linux netfilter log.
  public static var nflog: LinkType { LinkType(rawValue: 239) }
  /// IP over InfiniBand.
  public static var ipOverInfiniBand: LinkType { LinkType(rawValue: 242) }
  /// Any link layer behind Apple's header with interface and process.
  public static var pktap: LinkType { LinkType(rawValue: 258) }
  /// Ethernet with preamble and start delimiter (IEEE 802.3br).
  public static var ethernetMPacket: LinkType { LinkType(rawValue: 274) }
  /// Linux "cooked" capture, version 2.
  public static var linuxSLL2: LinkType { LinkType(rawValue: 276) }
  /// Ethernet with a Broadcom switch tag.
  public static var broadcomTag: LinkType { LinkType(rawValue: 281) }
  /// Ethernet behind a Broadcom switch tag.
  public static var broadcomTagPrepended: LinkType { LinkType(rawValue: 282) }
  /// Ethernet with a Marvell switch tag.
  public static var marvellDSA: LinkType { LinkType(rawValue: 284) }
  /// Ethernet with a Marvell switch tag behind a type of its own.
  public static var marvellEtherTypeDSA: LinkType { LinkType(rawValue: 285) }
}

extension Decoder {
  /// Any link layer but plain Ethernet; that as well where another header names it.
  mutating func link(_ type: LinkType, _ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    switch type {
    case .ethernet: return ethernet(p, at, end, &h)
    case .null, .loop: return loopback(p, at, end, &h)
    // 12 and 14 are DLT_RAW of BSD and OpenBSD, which found their way into files.
    case .raw, LinkType(rawValue: 12), LinkType(rawValue: 14): return rawIP(p, at, end, &h)
    case .ipv4: return ipv4(p, at, end, &h)
    case .ipv6: return ipv6(p, at, end, &h)
    case .linuxSLL: return linuxCooked(p, at, end, &h)
    case .linuxSLL2: return linuxCooked2(p, at, end, &h)
    case .ppp, .pppHDLC: return ppp(p, at, end, &h)
    case .pppoe: return pppoe(p, at, end, &h)
    case .ciscoHDLC: return ciscoHDLC(p, at, end, &h)
    case .nflog: return netfilterLog(p, at, end, &h)
    case .pflog: return packetFilterLog(p, at, end, &h)
    case .ethernetMPacket: return ethernet(p, at &+ 8, end, &h)
    case .fddi:
      // Frame control and two addresses, then LLC.
      return logicalLink(p, at &+ 13, end, &h)
    case .ieee80211: return wireless(p, at, end, WirelessFraming(), &h)
    case .radiotap: return radiotap(p, at, end, &h)
    case .pktap: return pktap(p, at, end, &h)
    case .user2: return looksLikePKTAP(p, at, end) ? pktap(p, at, end, &h) : .unknown
    default: return rareLink(type, p, at, end, &h)
    }
  }

  private mutating func rareLink(
    _ type: LinkType, _ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers
  ) -> DecodeOutcome {
    switch type {
    case .ppi: return perPacketInformation(p, at, end, &h)
    case .prism, .avs: return prism(p, at, end, &h)
    case .frameRelay: return frameRelay(p, at, end, &h)
    case .tokenRing: return tokenRing(p, at, end, &h)
    case .multiprotocolATM: return multiprotocolATM(p, at, end, &h)
    case .sunATM: return sunATM(p, at, end, &h)
    case .slip: return slip(p, at, end, &h)
    case .enc: return encapsulating(p, at, end, &h)
    case .ipnet: return ipnet(p, at, end, &h)
    case .ipOverInfiniBand: return infiniBand(p, at, end, &h)
    case .pppPPPD, .pppWithDirection:
      // The direction, and for the former control: 0x03 and the protocol.
      let control = min(p.byteCount, end) &- at >= 2 && p.u8(at &+ 1) == 3 ? 2 : 1
      return ppp(p, at &+ (type == .pppPPPD ? control : 1), end, &h)
    case .ciscoHDLCWithDirection: return ciscoHDLC(p, at &+ 1, end, &h)
    case .frameRelayWithDirection: return frameRelay(p, at &+ 1, end, &h)
    case .broadcomTag: return broadcomTag(p, at, end, &h)
    case .broadcomTagPrepended: return ethernet(p, at &+ 4, end, &h)
    case .marvellDSA: return marvellTag(p, at, end, length: 4, &h)
    case .marvellEtherTypeDSA: return marvellTag(p, at, end, length: 8, &h)
    default: return .unknown
    }
  }
}
