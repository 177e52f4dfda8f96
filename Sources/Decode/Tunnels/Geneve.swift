import Bytes

// RFC 8926, section 3.1:
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |Ver|  Opt Len  |O|C|    Rsvd.  |          Protocol Type        |
//   |        Virtual Network Identifier (VNI)       |    Reserved   |
//   ~                    Variable-Length Options                    ~
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

extension Decoder {
  mutating func geneve(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome? {
    guard end &- at >= 8 else { return nil }
    guard p.holds(8, at: at) else { return cutTunnel(at, &h) }
    let first = p.u32(at)
    let identifier = p.u32(at &+ 4)
    let length = 8 &+ Int(first >> 24 & 0x3f) &* 4
    guard first >> 30 == 0, identifier & 0xff == 0, end &- at >= length else { return nil }
    guard p.holds(length, at: at) else { return cutTunnel(at, &h) }
    let type = UInt16(truncatingIfNeeded: first)
    return enter(.geneve, network: identifier >> 8, .type(type), p, at &+ length, end, &h)
  }
}
