import Bytes

// LINKTYPE_NFLOG: address family (1), version 0 (1), group (2), then TLVs padded to four bytes: length with this header
// (2), type (2), both in the byte order of the host that captured. Type 9 is the packet.
//
// LINKTYPE_PFLOG: length of the header without its padding to four bytes (1), address family (1), and more.

extension Decoder {
  mutating func netfilterLog(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    let limit = min(p.byteCount, end)
    guard limit &- at >= 4 else { return cut(.link, at: at, need: 4, end: end, &h) }
    guard p.u8(at &+ 1) == 0 else { return .unknown }
    var at = at &+ 4
    while limit &- at >= 4 {
      var length = p.u16(at)
      var type = p.u16(at &+ 2)
      // Types are small numbers, so that the wrong byte order shows.
      if type & 0xff == 0, type != 0 || length & 0xff == 0 {
        length = length.byteSwapped
        type = type.byteSwapped
      } else if type == 0, Int(length) > limit &- at {
        length = length.byteSwapped
      }
      guard length >= 4 else { return refuse(.link, .badLength, at: at, &h) }
      if type & 0x7fff == 9 { return rawIP(p, at &+ 4, min(end, at &+ Int(length)), &h) }
      at &+= (Int(length) &+ 3) & ~3
    }
    return limit < end ? cut(.link, at: at, need: 4, end: end, &h) : .counted
  }

  mutating func packetFilterLog(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard min(p.byteCount, end) &- at >= 2 else { return cut(.link, at: at, need: 2, end: end, &h) }
    let length = (Int(p.u8(at)) &+ 3) & ~3
    guard length >= 4 else { return refuse(.link, .badLength, at: at, &h) }
    switch p.u8(at &+ 1) {
    case 2: return ipv4(p, at &+ length, end, &h)
    case 10, 24, 28, 30: return ipv6(p, at &+ length, end, &h)
    default: return .unknown
    }
  }
}
