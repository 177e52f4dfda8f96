import Bytes

//  RFC 1006, section 6 (RFC 2126 keeps it)
//
//    0                   1                   2                   3
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |      vrsn = 3 | reserved = 0  |          packet length        |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
//   packet length: with these four bytes

/// Cuts a stream into TPKT packets, fed in order in chunks of any size.
struct TPKTFrames {
  /// The length of the header.
  static let headerLength = 4
  /// The longest packet that is kept until it is whole; H.225.0 with tunnelled H.245 has some thousand bytes.
  static let maximumLength = 1 << 14

  private var buffer: [UInt8] = []
  private var skipped = 0
  /// Whether the bytes were no packets, or bytes are lost.
  private(set) var isBroken = false
  /// Bytes that are kept.
  var bufferedBytes: Int { buffer.count }

  /// Bytes are lost: nothing more can be framed.
  mutating func skipGap() {
    buffer = []
    isBroken = true
  }

  /// Whether a header stands here.
  static func isHeader(_ bytes: borrowing RawSpan, at offset: Int) -> Bool {
    bytes.holds(headerLength, at: offset) && bytes.u8(offset) == 3 && bytes.u8(offset &+ 1) == 0
      && bytes.u16(offset &+ 2) >= 4
  }

  /// Takes the next bytes and lends each packet without its header to `receive`.
  mutating func consume(_ bytes: borrowing RawSpan, receive: (borrowing RawSpan) -> Void) {
    guard !isBroken else { return }
    let passed = min(skipped, bytes.byteCount)
    skipped &-= passed
    var all = buffer
    buffer = []
    all.append(bytes.slice(passed, bytes.byteCount))
    var at = 0
    while all.count &- at >= Self.headerLength {
      guard Self.isHeader(all.rawSpan, at: at) else {
        isBroken = true
        return
      }
      let length = Int(all.rawSpan.u16(at &+ 2))
      if all.count &- at >= length {
        receive(all.rawSpan.slice(at &+ Self.headerLength, length &- Self.headerLength))
        at &+= length
      } else if length > Self.maximumLength {
        skipped = length &- (all.count &- at)
        return
      } else {
        break
      }
    }
    all.removeFirst(at)
    buffer = all
  }
}
