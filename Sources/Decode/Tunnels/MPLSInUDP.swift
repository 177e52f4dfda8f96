import Bytes

// RFC 7510, section 3: a label stack (RFC 3032) behind UDP, and nothing that says so but the port.

extension Decoder {
  mutating func mplsInUDP(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome? {
    // Other protocols on the port rarely have the bottom of a stack within eight entries and IP behind it.
    var entry = at
    while true {
      guard end &- entry >= 8, entry &- at < 32 else { return nil }
      guard p.holds(4, at: entry) else { return cutTunnel(at, &h) }
      if p.u32(entry) & 0x100 != 0 { break }
      entry &+= 4
    }
    return enter(.mplsInUDP, .type(EtherType.mplsUnicast), p, at, end, &h)
  }
}
