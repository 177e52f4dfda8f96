import Bytes

// PCAPdroid's trailer (pcap_dump.h): Ethernet with both addresses 0, an IP packet, padding to four bytes, and
//    0                   1                   2                   3
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                      magic 0x01072021                         |
//   |                        Android user                           |
//   |                     name of the app (20)                      |
//   |                    frame check sequence                       |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// at the end of the record. A snapshot length that leaves no room for it leaves it out.

extension Decoder {
  /// An Ethernet frame from and to address 0: of PCAPdroid, or of a loopback interface.
  @inline(never)
  mutating func addressless(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    let type = p.u16(at &+ 12)
    let trailer = p.byteCount &- 32
    guard current.layers == 0, at == 0, trailer >= 14, p.u64(0) | UInt64(p.u32(8)) == 0,
      p.u32(trailer) == 0x0107_2021
    else { return ethernetType(type, p, at &+ 14, end, &h) }
    h.process = processes.number(p, at: trailer &+ 8, length: 20)
    return ethernetType(type, p.slice(0, trailer), 14, min(end, trailer), &h)
  }
}
