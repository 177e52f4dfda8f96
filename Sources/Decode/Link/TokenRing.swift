import Bytes

// IEEE 802.5, section 3.1: access control (1), frame control (1), destination (6), source (6), then routing if the
// source's first bit is set: its low five bits are its length, of two bytes and more. Frame control 01xxxxxx is LLC.

extension Decoder {
  mutating func tokenRing(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    let limit = min(p.byteCount, end)
    guard limit &- at >= 14 else { return cut(.link, at: at, need: 14, end: end, &h) }
    guard p.u8(at &+ 1) >> 6 == 1 else { return .counted }
    guard p.u8(at &+ 8) & 0x80 != 0 else { return logicalLink(p, at &+ 14, end, &h) }
    guard limit &- at >= 15 else { return cut(.link, at: at, need: 15, end: end, &h) }
    let routing = Int(p.u8(at &+ 14) & 31)
    guard routing >= 2, routing & 1 == 0 else { return refuse(.link, .badLength, at: at, &h) }
    return logicalLink(p, at &+ 14 &+ routing, end, &h)
  }
}
