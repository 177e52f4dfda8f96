import Bytes

// RFC 7348, section 5:
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |R|R|R|R|I|R|R|R|            Reserved                           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                VXLAN Network Identifier (VNI) |   Reserved    |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// The group policy extension sets the first bit and puts a group in the last two bytes of the first word, with two bits
// before it (draft-smith-vxlan-group-policy).

// VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe, port 4790) sets P, 0x04, and puts the next protocol in the last byte of the first
// word; LISP-GPE (RFC 9305, section 3) does the same on LISP's port. O, 0x01, marks what is no user's.

extension Decoder {
  mutating func vxlan(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome? {
    guard end &- at >= 8 else { return nil }
    guard p.holds(8, at: at) else { return cutTunnel(at, &h) }
    let flags = p.u32(at)
    let identifier = p.u32(at &+ 4)
    guard flags == 0x0800_0000 || flags & 0xffb7_0000 == 0x8800_0000, identifier & 0xff == 0 else { return nil }
    return enter(.vxlan, network: identifier >> 8, .type(EtherType.transparentEthernet), p, at &+ 8, end, &h)
  }

  mutating func vxlanGPE(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome? {
    guard end &- at >= 8 else { return nil }
    guard p.holds(8, at: at) else { return cutTunnel(at, &h) }
    let flags = p.u32(at)
    let identifier = p.u32(at &+ 4)
    // Without P it is plain VXLAN; early drafts had no P.
    let type = flags == 0x0800_0000 ? EtherType.transparentEthernet : nextProtocol(flags)
    guard let type, flags & 0xfbff_ff00 == 0x0800_0000 else { return nil }
    guard identifier & 0xff == 0 else { return nil }
    return enter(.vxlan, network: identifier >> 8, .type(type), p, at &+ 8, end, &h)
  }
  /// The EtherType for the next protocol of a VXLAN-GPE or LISP-GPE header, if we read it.
  func nextProtocol(_ flags: UInt32) -> UInt16? {
    switch flags & 0xff {
    case 1: return EtherType.ipv4
    case 2: return EtherType.ipv6
    case 3: return EtherType.transparentEthernet
    case 4: return EtherType.networkService
    case 5: return EtherType.mplsUnicast
    default: return nil
    }
  }
}
