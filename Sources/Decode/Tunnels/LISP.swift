import Bytes

// RFC 9300, section 5.1, behind UDP:
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |N|L|E|V|I|R|K|K|            Nonce/Map-Version                  |
//   |                 Instance ID/Locator-Status-Bits               |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// and then IPv4 or IPv6. With I the first three bytes of the second word are an instance. KK is the key of an encrypted
// packet (RFC 8061). RFC 9305, section 3: with P in the place of R the last byte of the first word says what follows.

extension Decoder {
  mutating func lisp(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome? {
    guard end &- at >= 8 else { return nil }
    guard p.holds(8, at: at) else { return cutTunnel(at, &h) }
    let flags = p.u32(at)
    let instance = flags & 0x0800_0000 != 0 ? p.u32(at &+ 4) >> 8 : 0
    // A nonce and a map version exclude each other; an echo request needs a nonce; without either the field is 0.
    guard flags & 0x0300_0000 == 0, flags & 0x9000_0000 != 0x9000_0000, flags & 0xa000_0000 != 0x2000_0000
    else { return nil }
    if flags & 0x0400_0000 != 0 {
      guard let type = nextProtocol(flags) else { return nil }
      return enter(.lisp, network: instance, .type(type), p, at &+ 8, end, &h)
    }
    guard flags & 0x9000_0000 != 0 || flags & 0xff_ffff == 0 else { return nil }
    let available = min(p.byteCount, end) &- at &- 8
    guard available >= 6 else { return end &- at >= 28 ? cutTunnel(at, &h) : nil }
    // The packet inside fills the datagram.
    let space = end &- at &- 8
    switch p.u8(at &+ 8) >> 4 {
    case 4 where Int(p.u16(at &+ 10)) == space || current.isFirstFragment: break
    case 6 where Int(p.u16(at &+ 12)) == space &- 40 || current.isFirstFragment: break
    default: return nil
    }
    return enter(.lisp, network: instance, .ip, p, at &+ 8, end, &h)
  }
}
