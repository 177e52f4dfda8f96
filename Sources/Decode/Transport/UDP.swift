import Bytes

// RFC 768:
//   +--------+--------+--------+--------+
//   |   Source Port   | Destination Port|
//   |     Length      |    Checksum     |
//   +--------+--------+--------+--------+

extension Decoder {
  mutating func udp(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard min(p.byteCount, end) &- at >= 8 else { return cutPorts(.udp, p, at, end, need: 8, &h) }
    let ports = p.u32(at)
    h.sourcePort = UInt16(truncatingIfNeeded: ports >> 16)
    h.destinationPort = UInt16(truncatingIfNeeded: ports)
    let length = Int(p.u16(at &+ 4))
    var stop = end
    if length >= 8 {
      // What follows the length is no payload (RFC 9868 puts options there).
      stop = min(end, at &+ length)
      if at &+ length > end, h.damage == nil { h.damage = Damage(.udp, .truncated, at: at) }
    } else if length != 0 {
      // 0 is for jumbograms (RFC 2675, section 4) and for segmentation left to the interface.
      h.damage = Damage(.udp, .badLength, at: at)
      stop = at &+ 8
    }
    setPayload(p, at &+ 8, stop, &h)
    switch h.destinationPort {
    case 4789, 4790, 8472, 6081, 2152, 3544, 5247, 4341, 1701, 6635, 4754:
      return tunnel(h.destinationPort, p, at &+ 8, stop, &h) ?? .flow
    default: break
    }
    // Of these both sides may use the port, whatever the other side's is.
    switch h.sourcePort {
    case 2152, 3544, 5247, 1701: return tunnel(h.sourcePort, p, at &+ 8, stop, &h) ?? .flow
    default: return .flow
    }
  }
}
