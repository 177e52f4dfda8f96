import Bytes

// IEEE 802.3: destination (6), source (6), then a type (from 0x600) or a length (up to 1,500) before an LLC header.
// IEEE 802.1Q: a tag is the type 0x8100 and
//    0                   1
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
//   +-----+-+-----------------------+
//   | PCP |D|          VID          |   and then the next type
//   +-----+-+-----------------------+

/// Types in Ethernet frames (IANA "IEEE 802 Numbers").
enum EtherType {
  static var ipv4: UInt16 { 0x0800 }
  static var ipv6: UInt16 { 0x86dd }
  static var transparentEthernet: UInt16 { 0x6558 }
  static var ppp: UInt16 { 0x880b }
  static var mplsUnicast: UInt16 { 0x8847 }
  static var mplsMulticast: UInt16 { 0x8848 }
  static var pppoeDiscovery: UInt16 { 0x8863 }
  static var pppoeSession: UInt16 { 0x8864 }
  static var networkService: UInt16 { 0x894f }
}

extension Decoder {
  mutating func ethernet(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard min(p.byteCount, end) &- at >= 14 else { return cut(.link, at: at, need: 14, end: end, &h) }
    let type = p.u16(at &+ 12)
    if p.u64(at) == 0 { return addressless(p, at, end, &h) }
    if type == EtherType.ipv4 { return ipv4(p, at &+ 14, end, &h) }
    return ethernetType(type, p, at &+ 14, end, &h)
  }

  /// What follows the type or length field of a frame, tags and all.
  mutating func ethernetType(
    _ type: UInt16, _ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers
  ) -> DecodeOutcome {
    var type = type
    var at = at
    while true {
      switch type {
      case 0x8100, 0x88a8, 0x9100, 0x9200:
        guard enter(.vlan, at: at, &h) else { return .damaged }
        guard min(p.byteCount, end) &- at >= 4 else { return cut(.vlan, at: at, need: 4, end: end, &h) }
        // VID 0 is a priority and no VLAN: one direction of a flow may carry it alone.
        let identifier = p.u16(at) & 0xfff
        if identifier != 0 { h.scope.add(vlan: identifier) }
        type = p.u16(at &+ 2)
        at &+= 4
      case 0x8926, 0x893f, 0x8909:
        // Port and group tags: VN-Tag (4 bytes), IEEE 802.1BR E-TAG (6), Cisco metadata (6), and then the next type.
        guard enter(.vlan, at: at, &h) else { return .damaged }
        let length = type == 0x8926 ? 6 : 8
        guard min(p.byteCount, end) &- at >= length else { return cut(.vlan, at: at, need: length, end: end, &h) }
        type = p.u16(at &+ length &- 2)
        at &+= length
      case 0...1500:
        return logicalLink(p, at, min(end, at &+ Int(type)), &h)
      default:
        return network(type, p, at, end, &h)
      }
    }
  }

  /// The payload of an EtherType, wherever the type stood: Ethernet, SNAP, SLL, GRE, Geneve, Cisco HDLC.
  mutating func network(_ type: UInt16, _ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    switch type {
    case EtherType.ipv4: return ipv4(p, at, end, &h)
    case EtherType.ipv6: return ipv6(p, at, end, &h)
    case 0x8100, 0x88a8, 0x9100, 0x9200, 0x8926, 0x893f, 0x8909: return ethernetType(type, p, at, end, &h)
    case EtherType.mplsUnicast, EtherType.mplsMulticast: return mpls(p, at, end, &h)
    case EtherType.pppoeSession: return pppoe(p, at, end, &h)
    case EtherType.ppp: return ppp(p, at, end, &h)
    case EtherType.networkService: return networkService(p, at, end, &h)
    case EtherType.transparentEthernet:
      guard enter(.link, at: at, &h) else { return .damaged }
      return ethernet(p, at, end, &h)
    // A frame behind Cisco FabricPath's tag (2) and IEEE 802.1ah's service tag (4).
    case 0x8903, 0x88e7:
      guard enter(.link, at: at, &h) else { return .damaged }
      return ethernet(p, at &+ (type == 0x8903 ? 2 : 4), end, &h)
    case 0x88e5: return macsec(p, at, end, &h)
    // ARP, Wake-on-LAN, RARP, slow protocols, PPPoE discovery, EAPOL, LLDP, loopback test.
    case 0x0806, 0x0842, 0x8035, 0x8809, EtherType.pppoeDiscovery, 0x888e, 0x88cc, 0x9000: return .counted
    default: return .unknown
    }
  }

  // IEEE 802.2: DSAP (1), SSAP (1), control (1 or 2); with SAP 0xAA a SNAP header follows: OUI (3), type (2).
  mutating func logicalLink(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    let limit = min(p.byteCount, end)
    guard limit &- at >= 3 else { return cut(.link, at: at, need: 3, end: end, &h) }
    switch (p.u16(at), p.u8(at &+ 2)) {
    case (0xaaaa, 0x03):
      guard limit &- at >= 8 else { return cut(.link, at: at, need: 8, end: end, &h) }
      return subnetwork(p, at &+ 3, end, bridgePadding: 0, &h)
    case (0x0606, 0x03): return ipv4(p, at &+ 3, end, &h)
    // Spanning tree, IS-IS, NetBEUI, IPX and LLC's own frames.
    default: return .counted
    }
  }

  /// A SNAP header, whose five bytes are there. Bridged frames have padding before them on some links (RFC 2684).
  mutating func subnetwork(
    _ p: RawSpan, _ at: Int, _ end: Int, bridgePadding: Int, _ h: inout Headers
  ) -> DecodeOutcome {
    let type = p.u16(at &+ 3)
    switch (p.u16(at), p.u8(at &+ 2)) {
    // Of the organizations only 0 (RFC 1042) and 0x0000f8 (IEEE 802.1H) stand before an EtherType.
    case (0, 0), (0, 0xf8): return network(type, p, at &+ 5, end, &h)
    // IEEE 802.1: 1 and 7 are bridged Ethernet frames, with and without a check sequence.
    case (0x0080, 0xc2) where type == 1 || type == 7:
      guard enter(.link, at: at, &h) else { return .damaged }
      return ethernet(p, at &+ 5 &+ bridgePadding, end, &h)
    default: return .counted
    }
  }

  /// Whether an Ethernet frame with a type we read seems to start here: for encapsulations that do not say so.
  func looksLikeEthernet(_ p: RawSpan, _ at: Int, _ end: Int) -> Bool {
    guard min(p.byteCount, end) &- at >= 15 else { return false }
    switch p.u16(at &+ 12) {
    case EtherType.ipv4: return p.u8(at &+ 14) >> 4 == 4 && p.u8(at &+ 14) & 15 >= 5
    case EtherType.ipv6: return p.u8(at &+ 14) >> 4 == 6
    case 0x8100, 0x88a8, 0x9100, 0x0806, EtherType.mplsUnicast, EtherType.pppoeSession: return true
    default: return false
    }
  }
}
