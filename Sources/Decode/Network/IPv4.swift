import Bytes

// RFC 791, section 3.1:
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |Version|  IHL  |Type of Service|          Total Length         |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |         Identification        |Flags|      Fragment Offset    |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |  Time to Live |    Protocol   |         Header Checksum       |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                       Source Address                          |
//   |                    Destination Address                        |
//   |                    Options                    |    Padding    |

extension Decoder {
  mutating func ipv4(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard enter(.ipv4, at: at, &h) else { return .damaged }
    var bytes = p
    let available = min(p.byteCount, end) &- at
    guard available >= 20 else { return cutIPv4(p, at, end, &h) }
    let first = p.u32(at)
    guard first >> 28 == 4 else { return refuse(.ipv4, .badVersion, at: at, &h) }
    let headerLength = Int(first >> 24 & 15) &* 4
    let totalLength = Int(first & 0xffff)
    // A host that leaves segmentation to its interface writes 0 for what does not fit in 16 bits.
    guard headerLength >= 20, totalLength >= headerLength || totalLength == 0 else {
      return refuse(.ipv4, .badLength, at: at, &h)
    }
    let number = p.u8(at &+ 9)
    h.source = IPAddress(v4: p.u32(at &+ 12))
    h.destination = IPAddress(v4: p.u32(at &+ 16))
    h.ipVersion = 4
    h.transport = TransportProtocol(rawValue: number)
    var stop = end
    if totalLength != 0 {
      stop = at &+ totalLength
      if stop > end {
        h.damage = Damage(.ipv4, .truncated, at: at)
        // What follows the frame's own end is padding.
        bytes = p.slice(0, end)
      }
    }
    guard headerLength <= available else { return cut(.ipv4, at: at, need: headerLength, end: end, &h) }

    let fragment = p.u16(at &+ 6)
    if fragment & 0x3fff == 0 { return transport(number, bytes, at &+ headerLength, stop, &h) }
    let piece = Fragment(
      version: 4, transport: number, identification: UInt32(p.u16(at &+ 4)), offset: Int(fragment & 0x1fff) &* 8,
      hasMore: fragment & 0x2000 != 0, headerLength: headerLength)
    return self.fragment(piece, bytes, at &+ headerLength, stop, network: at, &h)
  }

  /// What can be said of a header whose end is missing: a wrong version shows in its first byte.
  private func cutIPv4(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    if min(p.byteCount, end) > at, p.u8(at) >> 4 != 4 { return refuse(.ipv4, .badVersion, at: at, &h) }
    return cut(.ipv4, at: at, need: 20, end: end, &h)
  }

  /// What an IP header carries, by its protocol number.
  mutating func transport(
    _ number: UInt8, _ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers
  ) -> DecodeOutcome {
    switch number {
    case 6: return tcp(p, at, end, &h)
    case 17: return udp(p, at, end, &h)
    case 4:
      h.scope.add(tunnel: .ipInIP)
      return ipv4(p, at, end, &h)
    case 41:
      h.scope.add(tunnel: h.ipVersion == 4 ? .sixInFour : .ipInIP)
      return ipv6(p, at, end, &h)
    case 47: return gre(p, at, end, &h)
    case 115: return l2tpOverIP(p, at, end, &h)
    case 51:
      // RFC 4302, section 2.2: the length counts words of four bytes, less two.
      guard enter(.ipv4, at: at, &h) else { return .damaged }
      let limit = min(p.byteCount, end)
      guard limit &- at >= 2 else { return cut(.ipv4, at: at, need: 12, end: end, &h) }
      let length = (Int(p.u8(at &+ 1)) &+ 2) &* 4
      guard length >= 12 else { return refuse(.ipv4, .badLength, at: at, &h) }
      guard length <= limit &- at else { return cut(.ipv4, at: at, need: length, end: end, &h) }
      h.transport = TransportProtocol(rawValue: p.u8(at))
      return transport(p.u8(at), p, at &+ length, end, &h)
    default: return .counted
    }
  }
}
