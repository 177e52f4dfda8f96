import Bytes

//  RFC 4571, section 2                              RFC 7826, section 14: RTP inside RTSP
//
//    0                   1                   2        0                   1                   2
//   +-------------------------------+--------        +---------------+---------------+-----------------+----
//   |            LENGTH             | RTP ...         |  "$" = 0x24   |   channel     |     LENGTH      | RTP
//   +-------------------------------+--------        +---------------+---------------+-----------------+----

/// Cuts a TCP stream into the datagrams of RTP, RTCP, STUN or DTLS that are framed in it.
package struct RTPFrames {
  /// How they are framed.
  package enum Framing: Equatable {
    /// Two bytes of length (RFC 4571).
    case length
    /// A dollar sign, a channel and two bytes of length (RFC 7826, section 14).
    case interleaved
    var headerLength: Int { self == .length ? 2 : 4 }
  }

  /// The longest frame that is kept until it is whole; of longer ones nothing is read.
  package static let maximumLength = 1 << 13

  private let framing: Framing
  private var buffer: [UInt8] = []
  private var skipped = 0
  /// Whether the bytes were no frames.
  package private(set) var isBroken = false
  /// Bytes that are kept.
  package var bufferedBytes: Int { buffer.count }

  package init(_ framing: Framing) { self.framing = framing }

  /// Whether first bytes are a frame with an RTP, RTCP or STUN header in it; nil where more bytes are needed.
  static func canBegin(_ bytes: borrowing RawSpan, _ framing: Framing) -> Bool? {
    let start = framing.headerLength
    guard bytes.byteCount >= start &+ 2 else { return nil }
    if framing == .interleaved, bytes.u8(0) != 0x24 { return false }
    let length = Int(bytes.u16(start &- 2))
    guard length >= 8, length <= maximumLength else { return false }
    let body = bytes.slice(start, length)
    switch MultiplexedRange(body) {
    case .rtp:
      return length < RTPHeader.minimumLength ? false : body.byteCount < length ? nil : RTPConversation.canBegin(body)
    case .rtcp: return body.byteCount < length ? nil : RTPConversation.canBegin(body)
    case .stun: return body.byteCount < 8 ? nil : body.u32(4) == 0x2112_a442
    default: return false
    }
  }

  /// Takes the next bytes and lends each whole frame's content to `receive`.
  package mutating func consume(_ bytes: borrowing RawSpan, receive: (borrowing RawSpan) -> Void) {
    guard !isBroken else { return }
    let passed = min(skipped, bytes.byteCount)
    skipped &-= passed
    var rest = buffer
    buffer = []
    rest.append(bytes.slice(passed, bytes.byteCount))
    let header = framing.headerLength
    var offset = 0
    while rest.rawSpan.holds(header, at: offset) {
      if framing == .interleaved, rest.rawSpan.u8(offset) != 0x24 {
        isBroken = true
        return
      }
      let length = Int(rest.rawSpan.u16(offset &+ header &- 2))
      if rest.rawSpan.holds(header &+ length, at: offset) {
        receive(rest.rawSpan.slice(offset &+ header, length))
        offset &+= header &+ length
      } else if length > Self.maximumLength {
        skipped = header &+ length &- (rest.count &- offset)
        return
      } else {
        break
      }
    }
    rest.removeFirst(offset)
    buffer = rest
  }
}
