import Bytes

// RFC 2784, section 2.1, with RFC 2890 and the routing field of RFC 1701:
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |C|R|K|S|s|Recur|A| Flags | Ver |         Protocol Type         |
//   |      Checksum (if C or R)     |       Offset (if C or R)      |
//   |                           Key (if K)                          |
//   |                      Sequence Number (if S)                   |
//   |                 Acknowledgment Number (if A, version 1)       |
//   |                       Routing (if R)                          |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// RFC 8086, section 3: over UDP only C, K and S occur.
// RFC 2637, section 4.1: version 1 carries PPP, has a key of payload length and call, and payload only if S is set.

extension Decoder {
  mutating func gre(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard enter(.tunnel, at: at, &h) else { return .damaged }
    let limit = min(p.byteCount, end)
    guard limit &- at >= 4 else { return cut(.tunnel, at: at, need: 4, end: end, &h) }
    let flags = p.u16(at)
    let type = p.u16(at &+ 2)
    let version = flags & 7
    guard version <= 1 else { return refuse(.tunnel, .badVersion, at: at, &h) }
    var length = 4
    if flags & 0xc000 != 0 { length &+= 4 }
    if flags & 0x2000 != 0 { length &+= 4 }
    if flags & 0x1000 != 0 { length &+= 4 }
    if version == 1, flags & 0x0080 != 0 { length &+= 4 }
    guard limit &- at >= length else { return cut(.tunnel, at: at, need: length, end: end, &h) }
    if version == 1 {
      // MikroTik's EoIP borrows version 1: length of the frame (2), tunnel (2).
      if type == 0x6400, flags == 0x2001 {
        h.scope.add(tunnel: .gre)
        return ethernet(p, at &+ 8, min(end, at &+ 8 &+ Int(p.u16(at &+ 4))), &h)
      }
      guard type == EtherType.ppp, flags & 0x2000 != 0 else { return .counted }
      let stop = min(end, at &+ length &+ Int(p.u16(at &+ 4)))
      guard flags & 0x1000 != 0, stop > at &+ length else { return .counted }
      h.scope.add(tunnel: .gre)
      return ppp(p, at &+ length, stop, &h)
    }
    var inner = at &+ length
    if flags & 0x4000 != 0 {
      // Source route entries: address family (2), offset (1), length (1), addresses; a family of 0 ends them.
      while true {
        guard enter(.tunnel, at: inner, &h) else { return .damaged }
        guard limit &- inner >= 4 else { return cut(.tunnel, at: inner, need: 4, end: end, &h) }
        let entry = p.u32(inner)
        inner &+= 4 &+ Int(entry & 0xff)
        if entry >> 16 == 0 { break }
      }
    }
    switch type {
    case EtherType.ipv4, EtherType.ipv6, EtherType.transparentEthernet, EtherType.mplsUnicast,
      EtherType.mplsMulticast, EtherType.ppp, EtherType.networkService, 0x8100, 0x88a8:
      h.scope.add(tunnel: .gre)
      return network(type, p, inner, end, &h)
    case 0x883e:
      // WCCP; its version 2 (draft-wilson-wrec-wccp-v2, section 4.12) puts four bytes before the packet.
      guard limit > inner else { return cut(.tunnel, at: inner, need: 1, end: end, &h) }
      h.scope.add(tunnel: .gre)
      return ipv4(p, p.u8(inner) >> 4 == 4 ? inner : inner &+ 4, end, &h)
    case 0x6559:
      h.scope.add(tunnel: .gre)
      return frameRelay(p, inner, end, &h)
    case 0x8200...0x8370 where type & 15 == 0:
      // Aruba's access points: a type for each of their radios and networks, all with IEEE 802.11 frames.
      h.scope.add(tunnel: .gre)
      return wireless(p, inner, end, WirelessFraming(), &h)
    case 0x88be:
      // ERSPAN (draft-foschiano-erspan): type I has no header and no sequence number, type II eight bytes.
      h.scope.add(tunnel: .erspan)
      return mirrored(p, inner, length: flags & 0x1000 != 0 ? 8 : 0, end, &h)
    case 0x22eb:
      // Type III: twelve bytes, and eight more if the last bit says so.
      guard limit &- inner >= 12 else { return cut(.tunnel, at: inner, need: 12, end: end, &h) }
      h.scope.add(tunnel: .erspan)
      return mirrored(p, inner, length: p.u8(inner &+ 11) & 1 != 0 ? 20 : 12, end, &h)
    default:
      return .counted
    }
  }

  mutating func greInUDP(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome? {
    guard end &- at >= 4 else { return nil }
    guard p.holds(4, at: at) else { return cutTunnel(at, &h) }
    let flags = p.u16(at)
    guard flags & 0x4fff == 0 else { return nil }
    // Checksum, key and sequence number have four bytes each.
    let length = 4 &+ (flags & 0xb000).nonzeroBitCount &* 4
    switch p.u16(at &+ 2) {
    case EtherType.ipv4, EtherType.ipv6, EtherType.transparentEthernet, EtherType.mplsUnicast, EtherType.mplsMulticast:
      return enter(.gre, .type(p.u16(at &+ 2)), p, at &+ length, end, &h)
    default: return nil
    }
  }

  private mutating func mirrored(
    _ p: RawSpan, _ at: Int, length: Int, _ end: Int, _ h: inout Headers
  ) -> DecodeOutcome {
    guard min(p.byteCount, end) &- at >= length else { return cut(.tunnel, at: at, need: length, end: end, &h) }
    return ethernet(p, at &+ length, end, &h)
  }
}
