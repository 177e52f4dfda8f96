import Bytes

// LINKTYPE_PKTAP (Apple's bsd/net/pktap.h); little-endian, and big-endian from the last hosts that were.
//   length (4), type of what follows (4), DLT_ value (4), interface (24), flags (4), protocol family (4), length of the
//   link header (4) and trailer (4), process (4) and its name (20), service class (4), interface type (2), unit (2),
//   effective process (4) and its name (20), and more
// With 0x00080000 in the flags, which stand at the same place, it is version 2:
//   length (1), offsets of UUID (1), effective UUID (1), interface (1), process name (1), effective process name (1),
//   DLT_ value (2), length of the link header (2) and trailer (2), interface type (2), IP protocol (2), protocol
//   family (4), service class (4), flow (4), process (4), effective process (4), flags (4), and more
// The effective process is the one on whose behalf another, such as nsurlsessiond, has the socket.

extension Decoder {
  mutating func pktap(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard enter(.link, at: at, &h) else { return .damaged }
    let limit = min(p.byteCount, end)
    guard limit &- at >= 40 else { return cut(.link, at: at, need: 40, end: end, &h) }
    let length: Int
    let type: UInt32
    let linkHeader: UInt32
    var names = (process: (at: 56, length: 20), effective: (at: 88, length: 20))
    // A length is a small number, so that the byte order shows.
    let isBig = p.u32(at) <= 0xffff
    if !isBig, p.u32(at &+ 36).byteSwapped & 0x0008_0000 != 0 {
      length = Int(p.u8(at))
      guard length >= 40 else { return refuse(.link, .badLength, at: at, &h) }
      type = UInt32(p.u16(at &+ 6).byteSwapped)
      linkHeader = UInt32(p.u16(at &+ 8).byteSwapped)
      names.process = (Int(p.u8(at &+ 4)), length &- Int(p.u8(at &+ 4)))
      names.effective = (Int(p.u8(at &+ 5)), length &- Int(p.u8(at &+ 5)))
    } else {
      func number(_ offset: Int) -> UInt32 {
        isBig ? p.u32(at &+ offset) : p.u32(at &+ offset).byteSwapped
      }
      guard number(0) >= 108, number(0) <= 0xffff else { return refuse(.link, .badLength, at: at, &h) }
      length = Int(number(0))
      // Nothing follows a header of type 0.
      guard number(4) == 1 else { return .counted }
      type = number(8)
      guard limit &- at >= 48 else { return cut(.link, at: at, need: 48, end: end, &h) }
      linkHeader = number(44)
    }
    guard limit &- at >= length else { return cut(.link, at: at, need: length, end: end, &h) }
    h.process = processes.number(
      p, at: at &+ names.effective.at, length: names.effective.at < 40 ? 0 : names.effective.length)
    if h.process == 0 {
      h.process = processes.number(
        p, at: at &+ names.process.at, length: names.process.at < 40 ? 0 : names.process.length)
    }
    guard let inner = UInt16(exactly: type) else { return .unknown }
    return tapped(LinkType(rawValue: inner), p, at &+ length, end, linkHeader: Int(linkHeader), &h)
  }

  /// Whether PKTAP's header starts here, for a link type under which others may write what they like: false only if it
  /// cannot be.
  func looksLikePKTAP(_ p: RawSpan, _ at: Int, _ end: Int) -> Bool {
    guard min(p.byteCount, end) &- at >= 40 else { return true }
    let first = p.u32(at)
    if first > 0xffff, p.u32(at &+ 36).byteSwapped & 0x0008_0000 != 0 {
      let length = p.u8(at)
      for i in 1...5 where p.u8(at &+ i) != 0 && (p.u8(at &+ i) < 40 || p.u8(at &+ i) >= length) { return false }
      return length >= 40 && p.u16(at &+ 6).byteSwapped < 1024
    }
    let isBig = first <= 0xffff
    return 108...1024 ~= (isBig ? first : first.byteSwapped)
      && 0...1 ~= (isBig ? p.u32(at &+ 4) : p.u32(at &+ 4).byteSwapped)
  }

  /// The packet behind the header. Cellular interfaces give raw IP behind a link header of their own.
  private mutating func tapped(
    _ type: LinkType, _ p: RawSpan, _ at: Int, _ end: Int, linkHeader: Int, _ h: inout Headers
  ) -> DecodeOutcome {
    let isRaw = type == .raw || type.rawValue == 12 || type.rawValue == 14
    if isRaw, 1...64 ~= linkHeader, min(p.byteCount, end) > at, p.u8(at) >> 4 != 4, p.u8(at) >> 4 != 6 {
      return rawIP(p, at &+ linkHeader, end, &h)
    }
    return link(type, p, at, end, &h)
  }
}
