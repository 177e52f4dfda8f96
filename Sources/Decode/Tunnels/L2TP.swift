import Bytes

// RFC 2661, section 3.1 (version 2), behind UDP:
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |T|L|x|x|S|x|O|P|x|x|x|x|  Ver  |          Length (opt)         |
//   |           Tunnel ID           |           Session ID          |
//   |             Ns (opt)          |             Nr (opt)          |
//   |      Offset Size (opt)        |    Offset pad... (opt)
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// and then PPP. T marks control messages, x is 0.
//
// RFC 3931, section 4.1 (version 3): over UDP flags and version (2), reserved (2), session (4), cookie (0, 4 or 8),
// sublayer (0 or 4), frame; over IP, protocol 115, without the first four bytes; session 0 is control. Nothing says how
// long the cookie is, whether there is a sublayer (its first bits: section 4.6), or what the frame is.

extension Decoder {
  mutating func l2tp(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome? {
    guard end &- at >= 8 else { return nil }
    guard p.holds(8, at: at) else { return cutTunnel(at, &h) }
    let flags = p.u16(at)
    if flags == 3 {
      guard p.u16(at &+ 2) == 0, p.u32(at &+ 4) != 0 else { return nil }
      guard let frame = pseudowire(p, at &+ 8, end) else {
        return p.byteCount < end && p.byteCount &- at < 64 ? cutTunnel(at, &h) : nil
      }
      return enter(.l2tp, frame.content, p, frame.at, end, &h)
    }
    guard flags & 0xb4ff == 2 else { return nil }
    var inner = at &+ 2
    var stop = end
    if flags & 0x4000 != 0 {
      stop = at &+ Int(p.u16(inner))
      guard stop <= end else { return nil }
      inner &+= 2
    }
    // Tunnel and session 0 are for what has no number yet.
    guard p.holds(4, at: inner), p.u16(inner) != 0, p.u16(inner &+ 2) != 0 else {
      return p.holds(4, at: inner) ? nil : cutTunnel(at, &h)
    }
    inner &+= flags & 0x0800 != 0 ? 8 : 4
    if flags & 0x0200 != 0 {
      guard stop &- inner >= 2 else { return nil }
      guard p.holds(2, at: inner) else { return cutTunnel(at, &h) }
      inner &+= 2 &+ Int(p.u16(inner))
    }
    guard stop &- inner >= 2 else { return nil }
    return enter(.l2tp, .type(EtherType.ppp), p, inner, stop, &h)
  }

  mutating func l2tpOverIP(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard enter(.tunnel, at: at, &h) else { return .damaged }
    let limit = min(p.byteCount, end)
    guard limit &- at >= 4 else { return cut(.tunnel, at: at, need: 4, end: end, &h) }
    guard p.u32(at) != 0 else { return .counted }
    guard let frame = pseudowire(p, at &+ 4, end) else {
      // 12 bytes of cookie and sublayer, 18 of Ethernet with a tag, and what tells IP.
      return limit &- at < 4 &+ 12 &+ 18 &+ 4 && limit < end
        ? cut(.tunnel, at: at, need: end &- at, end: end, &h) : .counted
    }
    h.scope.add(tunnel: .l2tp)
    switch frame.content {
    case .type(let type): return network(type, p, frame.at, end, &h)
    default: return rawIP(p, frame.at, end, &h)
    }
  }

  /// The frame behind a session, by trying the lengths that cookie and sublayer may have: an IP packet that ends with the
  /// datagram tells.
  private func pseudowire(_ p: RawSpan, _ at: Int, _ end: Int) -> (content: TunnelContent, at: Int)? {
    for skipped in stride(from: 0, through: 12, by: 4) {
      let start = at &+ skipped
      let limit = min(p.byteCount, end)
      if endsInIP(p, start, end, padding: 0) { return (.ip, start) }
      if limit &- start >= 4 {
        let ppp = p.u16(start) == 0xff03 ? 2 : 0
        let number = p.u16(start &+ ppp)
        if number == 0x0021 || number == 0x0057, endsInIP(p, start &+ ppp &+ 2, end, padding: 0) {
          return (.type(EtherType.ppp), start)
        }
      }
      var type = start &+ 12
      for _ in 0..<2 where limit &- type >= 4 && (p.u16(type) == 0x8100 || p.u16(type) == 0x88a8) { type &+= 4 }
      guard limit &- type >= 2 else { continue }
      let isIP = p.u16(type) == EtherType.ipv4 || p.u16(type) == EtherType.ipv6
      if isIP, endsInIP(p, type &+ 2, end, padding: 46) { return (.type(EtherType.transparentEthernet), start) }
    }
    return nil
  }

  /// Whether an IP packet starts here, behind which at most `padding` bytes stand.
  private func endsInIP(_ p: RawSpan, _ at: Int, _ end: Int, padding: Int) -> Bool {
    guard min(p.byteCount, end) &- at >= 6 else { return false }
    let space = end &- at
    switch p.u8(at) {
    case 0x45...0x4f: return Int(p.u16(at &+ 2)) >= 20 && 0...padding ~= space &- Int(p.u16(at &+ 2))
    case 0x60...0x6f: return 0...padding ~= space &- 40 &- Int(p.u16(at &+ 4))
    default: return false
    }
  }
}
