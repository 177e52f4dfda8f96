import Bytes

// https://www.radiotap.org: version 0 (1), pad (1), length of the whole header (2), present (4), then the fields whose
// bits are set, each aligned to its own size; little-endian. Bit 31 of a present word announces another one. Bit 0 is
// the time stamp (8 bytes), bit 1 the flags (1): 0x10 the frame ends with its check sequence, 0x20 its header is padded to
// four bytes, 0x40 its check failed.

extension Decoder {
  mutating func radiotap(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    let limit = min(p.byteCount, end)
    guard limit &- at >= 8 else { return cut(.link, at: at, need: 8, end: end, &h) }
    guard p.u8(at) == 0 else { return refuse(.link, .badVersion, at: at, &h) }
    let length = Int(p.u16(at &+ 2).byteSwapped)
    guard length >= 8 else { return refuse(.link, .badLength, at: at, &h) }
    guard limit &- at >= length else { return cut(.link, at: at, need: length, end: end, &h) }
    let present = p.u32(at &+ 4).byteSwapped
    var framing = WirelessFraming()
    if present & 2 != 0 {
      var field = 8
      var word = present
      while word & 0x8000_0000 != 0, field &+ 4 <= length {
        word = p.u32(at &+ field).byteSwapped
        field &+= 4
      }
      if present & 1 != 0 { field = (field &+ 7) & ~7 &+ 8 }
      if field < length {
        let flags = p.u8(at &+ field)
        framing.checksumLength = flags & 0x10 != 0 ? 4 : 0
        framing.isPadded = flags & 0x20 != 0
        framing.isDamaged = flags & 0x40 != 0
      }
    }
    return wireless(p, at &+ length, end, framing, &h)
  }
}
