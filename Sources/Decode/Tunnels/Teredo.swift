import Bytes

// RFC 4380, section 5.1.1: an IPv6 packet, before which may stand
//   authentication: 0x0001, length of client identifier (1), length of authentication value (1), both, nonce (8),
//   confirmation (1); and then
//   origin: 0x0000, port (2), IPv4 address (4), both with all bits turned over.

extension Decoder {
  mutating func teredo(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome? {
    let limit = min(p.byteCount, end)
    var inner = at
    if limit &- inner >= 4, p.u16(inner) == 1 {
      inner &+= 13 &+ Int(p.u8(inner &+ 2)) &+ Int(p.u8(inner &+ 3))
    }
    if limit &- inner >= 2, p.u16(inner) == 0 { inner &+= 8 }
    guard end &- inner >= 40 else { return nil }
    guard limit &- inner >= 40 else { return cutTunnel(at, &h) }
    // Trailers (RFC 6081) may follow the packet.
    guard p.u8(inner) >> 4 == 6, Int(p.u16(inner &+ 4)) <= end &- inner &- 40 else { return nil }
    // One side is a Teredo address (section 2.6), or a client that asks for one.
    let source = p.u64(inner &+ 8)
    let destination = p.u64(inner &+ 24)
    guard
      source >> 32 == 0x2001_0000 || destination >> 32 == 0x2001_0000 || source >> 54 == 0x3fa
        || destination >> 54 == 0x3fa
    else { return nil }
    return enter(.teredo, .type(EtherType.ipv6), p, inner, end, &h)
  }
}
