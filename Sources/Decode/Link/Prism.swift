import Bytes

// LINKTYPE_IEEE802_11_PRISM: message code 0x41 or 0x44 (4), length of the whole header (4), device (16), and items, in
// the byte order of the host that captured. LINKTYPE_IEEE802_11_AVS: 0x8021100n (4), length of the whole header (4), and
// more, in network byte order; captures of the former kind may hold it as well.

extension Decoder {
  mutating func prism(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    let limit = min(p.byteCount, end)
    guard limit &- at >= 8 else { return cut(.link, at: at, need: 8, end: end, &h) }
    let code = p.u32(at)
    var length = p.u32(at &+ 4)
    if code == 0x4100_0000 || code == 0x4400_0000 {
      length = length.byteSwapped
    } else {
      guard code >> 4 == 0x802_1100 || code == 0x41 || code == 0x44 else {
        return refuse(.link, .badVersion, at: at, &h)
      }
    }
    guard length >= 24, length <= 0xffff else { return refuse(.link, .badLength, at: at, &h) }
    guard limit &- at >= Int(length) else { return cut(.link, at: at, need: Int(length), end: end, &h) }
    return wireless(p, at &+ Int(length), end, WirelessFraming(), &h)
  }
}
