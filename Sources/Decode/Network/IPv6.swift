import Bytes

// RFC 8200, section 3:
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |Version| Traffic Class |           Flow Label                  |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |         Payload Length        |  Next Header  |   Hop Limit   |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                    Source Address (16)                        |
//   |                  Destination Address (16)                     |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// Section 4.5, the fragment header:
//   |  Next Header  |   Reserved    |      Fragment Offset    |Res|M|
//   |                         Identification                        |

extension Decoder {
  mutating func ipv6(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard enter(.ipv6, at: at, &h) else { return .damaged }
    var bytes = p
    let available = min(p.byteCount, end) &- at
    guard available >= 40 else {
      if available > 0, p.u8(at) >> 4 != 6 { return refuse(.ipv6, .badVersion, at: at, &h) }
      return cut(.ipv6, at: at, need: 40, end: end, &h)
    }
    guard p.u8(at) >> 4 == 6 else { return refuse(.ipv6, .badVersion, at: at, &h) }
    let payloadLength = Int(p.u16(at &+ 4))
    let next = p.u8(at &+ 6)
    h.source = IPAddress(high: p.u64(at &+ 8), low: p.u64(at &+ 16))
    h.destination = IPAddress(high: p.u64(at &+ 24), low: p.u64(at &+ 32))
    h.ipVersion = 6
    h.transport = TransportProtocol(rawValue: next)
    var stop = at &+ 40 &+ payloadLength
    // RFC 2675: 0 before a hop-by-hop header, or before more than 16 bits can count, is a jumbogram. Its length field
    // adds nothing to what the frame says.
    if payloadLength == 0, next == 0 || end &- stop > 0xffff { stop = end }
    if stop > end {
      h.damage = Damage(.ipv6, .truncated, at: at)
      // What follows the frame's own end is padding.
      bytes = p.slice(0, end)
    }
    if next == 6 { return tcp(bytes, at &+ 40, stop, &h) }
    return extensions(next, bytes, at &+ 40, stop, network: at, &h)
  }

  /// Steps over extension headers (RFC 8200, section 4), the first of which has the number `first`.
  mutating func extensions(
    _ first: UInt8, _ p: RawSpan, _ at: Int, _ end: Int, network: Int, _ h: inout Headers
  ) -> DecodeOutcome {
    let limit = min(p.byteCount, end)
    var next = first
    var at = at
    while true {
      var length = 8
      switch next {
      // Hop-by-hop options, routing, destination options, mobility, HIP, Shim6; fragment; authentication.
      case 0, 43, 60, 135, 139, 140, 44, 51:
        guard enter(.ipv6, at: at, &h) else { return .damaged }
        guard limit &- at >= 8 else { return cut(.ipv6, at: at, need: 8, end: end, &h) }
        if next == 51 {
          length = (Int(p.u8(at &+ 1)) &+ 2) &* 4
          guard length >= 12 else { return refuse(.ipv6, .badLength, at: at, &h) }
        } else if next != 44 {
          length = (Int(p.u8(at &+ 1)) &+ 1) &* 8
        }
        guard limit &- at >= length else { return cut(.ipv6, at: at, need: length, end: end, &h) }
      default:
        h.transport = TransportProtocol(rawValue: next)
        return transport(next, p, at, end, &h)
      }
      let follower = p.u8(at)
      if next == 44 {
        let field = p.u16(at &+ 2)
        // RFC 6946: a fragment that is the whole datagram is no business of reassembly.
        if field & 0xfff9 != 0 {
          let piece = Fragment(
            version: 6, transport: follower, identification: p.u32(at &+ 4), offset: Int(field & 0xfff8),
            hasMore: field & 1 != 0, headerLength: 0)
          h.transport = TransportProtocol(rawValue: follower)
          return fragment(piece, p, at &+ 8, end, network: network, &h)
        }
      }
      next = follower
      at &+= length
    }
  }
}
