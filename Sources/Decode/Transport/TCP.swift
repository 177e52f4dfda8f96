import Bytes

// RFC 9293, section 3.1:
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |          Source Port          |       Destination Port        |
//   |                        Sequence Number                        |
//   |                    Acknowledgment Number                      |
//   |  Data |       |C|E|U|A|P|R|S|F|                               |
//   | Offset| Rsrvd |W|C|R|C|S|S|Y|I|            Window             |
//   |           Checksum            |         Urgent Pointer        |
//   |                           [Options]                           |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

extension Decoder {
  func tcp(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    guard min(p.byteCount, end) &- at >= 20 else { return cutPorts(.tcp, p, at, end, need: 20, &h) }
    let ports = p.u32(at)
    h.sourcePort = UInt16(truncatingIfNeeded: ports >> 16)
    h.destinationPort = UInt16(truncatingIfNeeded: ports)
    h.tcpSequence = p.u32(at &+ 4)
    h.tcpAcknowledgment = p.u32(at &+ 8)
    let word = p.u32(at &+ 12)
    h.tcpFlags = TCPFlags(rawValue: UInt8(truncatingIfNeeded: word >> 16))
    h.tcpWindow = UInt16(truncatingIfNeeded: word)
    var headerLength = Int(word >> 28) &* 4
    if headerLength < 20 {
      h.damage = Damage(.tcp, .badLength, at: at)
      headerLength = end &- at
    } else if headerLength > min(p.byteCount, end) &- at {
      _ = cut(.tcp, at: at, need: headerLength, end: end, &h)
    }
    setPayload(p, at &+ headerLength, end, &h)
    return .flow
  }

  /// Notes where the transport payload lies.
  @inline(__always)
  func setPayload(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) {
    let limit = min(p.byteCount, end)
    let start = min(at, limit)
    h.payloadOffset = Int32(clamping: start)
    h.payloadCaptured = Int32(clamping: limit &- start)
    h.payloadLength = Int32(clamping: max(end &- at, 0))
  }

  /// A TCP or UDP header that is not all there: still a flow if its ports are.
  @inline(never)
  func cutPorts(
    _ layer: Damage.Layer, _ p: RawSpan, _ at: Int, _ end: Int, need: Int, _ h: inout Headers
  ) -> DecodeOutcome {
    let available = min(p.byteCount, end) &- at
    let outcome = cut(layer, at: at, need: need, end: end, &h)
    guard available >= 4 else { return outcome }
    h.sourcePort = p.u16(at)
    h.destinationPort = p.u16(at &+ 2)
    if layer == .tcp {
      if available >= 8 { h.tcpSequence = p.u32(at &+ 4) }
      if available >= 12 { h.tcpAcknowledgment = p.u32(at &+ 8) }
      if available >= 14 { h.tcpFlags = TCPFlags(rawValue: p.u8(at &+ 13)) }
      if available >= 16 { h.tcpWindow = p.u16(at &+ 14) }
    }
    setPayload(p, at &+ need, end, &h)
    return .flow
  }
}
