import Bytes

// 3GPP TS 29.281, section 5.1: version 1 (3 bits), PT 1, spare, E, S, PN; message type (1); length of what follows the
// first eight bytes (2); TEID (4). If E, S or PN is set: sequence number (2), N-PDU number (1), next extension header
// type (1). Section 5.2.1: an extension header is its length in words of four bytes (1), content, and the type of the
// next one (1).

extension Decoder {
  mutating func gtpU(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome? {
    guard end &- at >= 8 else { return nil }
    guard p.holds(8, at: at) else { return cutTunnel(at, &h) }
    let first = p.u32(at)
    // Only a G-PDU (255) carries user data.
    guard first >> 28 & 0xf == 3, first >> 16 & 0xff == 0xff else { return nil }
    let stop = at &+ 8 &+ Int(first & 0xffff)
    guard stop <= end else { return nil }
    var inner = at &+ 8
    if first >> 24 & 7 != 0 {
      guard stop &- inner >= 4 else { return nil }
      guard p.holds(4, at: inner) else { return cutTunnel(at, &h) }
      var next = first >> 24 & 4 != 0 ? p.u8(inner &+ 3) : 0
      inner &+= 4
      while next != 0 {
        guard enter(.tunnel, at: inner, &h), stop &- inner >= 4 else { return nil }
        guard p.holds(4, at: inner) else { return cutTunnel(at, &h) }
        let length = Int(p.u8(inner)) &* 4
        guard length > 0, stop &- inner >= length else { return nil }
        guard p.holds(length, at: inner) else { return cutTunnel(at, &h) }
        next = p.u8(inner &+ length &- 1)
        inner &+= length
      }
    }
    guard inner < stop else { return nil }
    guard p.holds(1, at: inner) else { return cutTunnel(at, &h) }
    switch p.u8(inner) >> 4 {
    case 4, 6:
      if let outcome = enter(.gtpU, .ip, p, inner, stop, &h) { return outcome }
      fallthrough
    default:
      // Sessions of the type Ethernet (3GPP TS 23.501, section 5.6.10.2).
      return looksLikeEthernet(p, inner, stop)
        ? enter(.gtpU, .type(EtherType.transparentEthernet), p, inner, stop, &h) : nil
    }
  }
}
