import Bytes

//  RFC 9000, sections 12.4 and 19: what an Initial may hold
//
//   00 PADDING           | nothing
//   01 PING              | nothing
//   02 ACK               | largest | delay | ranges | first range | ranges x (gap, length)
//   03 ACK with ECN      | the same | ECT(0) | ECT(1) | CE
//   06 CRYPTO            | offset | length | data
//   1c CONNECTION_CLOSE  | error | frame type | length | reason
//
//   (each a variable-length integer)

/// A frame that matters here.
enum QUICFrame: ~Escapable {
  /// A piece of the handshake.
  case crypto(offset: Int, data: RawSpan)
  /// The end, with its error.
  case close(UInt64)
}

/// Walks the frames of an Initial's payload.
struct QUICFrames: ~Escapable {
  private let payload: RawSpan
  private var reader: ByteReader

  @_lifetime(copy payload)
  init(_ payload: RawSpan) {
    self.payload = payload
    reader = ByteReader(payload)
  }

  /// The next frame that matters; nil at the end.
  /// - Throws: `truncated` where a frame ends behind the payload; `malformed` for one that no Initial may hold.
  @_lifetime(copy self)
  mutating func next() throws(ParseError) -> QUICFrame? {
    while !reader.isAtEnd {
      let type = try reader.u8()
      switch type {
      case 0x00: try skipPadding()
      case 0x01: continue
      case 0x02, 0x03: try skipAcknowledgment(hasECN: type == 0x03)
      case 0x06:
        let offset = try reader.quicLength()
        return .crypto(offset: offset, data: try reader.take(reader.quicLength()))
      case 0x1c:
        let error = try reader.quicInteger()
        _ = try reader.quicInteger()
        try reader.skip(reader.quicLength())
        return .close(error)
      default: throw .malformed(.type, at: reader.offset &- 1)
      }
    }
    return nil
  }

  /// Moves past padding, which most of an Initial may be, in steps of eight bytes.
  @_lifetime(self: copy self)
  private mutating func skipPadding() throws(ParseError) {
    var end = reader.offset
    while payload.holds(8, at: end), payload.u64(end) == 0 { end &+= 8 }
    try reader.skip(end &- reader.offset)
  }

  @_lifetime(self: copy self)
  private mutating func skipAcknowledgment(hasECN: Bool) throws(ParseError) {
    _ = try reader.quicInteger()
    _ = try reader.quicInteger()
    var ranges = try reader.quicInteger()
    _ = try reader.quicInteger()
    // Each takes two bytes, so that a wrong count ends with the payload.
    while ranges > 0 {
      _ = try reader.quicInteger()
      _ = try reader.quicInteger()
      ranges &-= 1
    }
    if hasECN { for _ in 0..<3 { _ = try reader.quicInteger() } }
  }
}
