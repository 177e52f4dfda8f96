import Bytes

//  RFC 3261, section 7.5, and RFC 7826, section 5: over a stream, a message is
//
//    start line CRLF  *(field CRLF)  CRLF  body of Content-Length bytes
//
//  CRLFs between messages keep the connection open (RFC 5626, section 4.4.1). In RTSP "$", a channel and two bytes of
//  length begin a frame of media between messages (RFC 7826, section 14).

/// Cuts a stream of SIP or RTSP into messages, fed in order in chunks of any size.
struct MessageFrames {
  /// The longest header that is waited for: SIP's are below 8 KiB in all but the longest routes.
  static let maximumHeaderLength = 1 << 14
  /// The most bytes of a body that are kept; a session description has one or two thousand. What is behind is skipped.
  static let maximumBodyLength = 1 << 14

  private var buffer: [UInt8] = []
  private var skipped = 0
  /// The length that the first message of the buffer has with its body, once its header is whole.
  private var needed = 0
  /// Whether the bytes were no messages: a header without end, or lost bytes.
  private(set) var isBroken = false
  /// Bytes that are kept.
  var bufferedBytes: Int { buffer.count }

  /// Bytes are lost: nothing more can be framed.
  mutating func skipGap() {
    buffer = []
    isBroken = true
  }

  /// Takes the next bytes and lends each message to `receive`: its header with the body, as much as is kept of it.
  mutating func consume(_ bytes: borrowing RawSpan, receive: (borrowing RawSpan) -> Void) {
    guard !isBroken else { return }
    let passed = min(skipped, bytes.byteCount)
    skipped &-= passed
    guard passed < bytes.byteCount else { return }
    if buffer.isEmpty {
      let end = cut(bytes, from: passed, receive)
      if !isBroken, end < bytes.byteCount { buffer = bytes.slice(end, bytes.byteCount).array }
    } else {
      let new = bytes.slice(passed, bytes.byteCount)
      buffer.append(new)
      // Without this a stream in single bytes would be searched anew with each.
      let canEnd = buffer.count >= needed && (needed > 0 || new.firstIndex(of: 0x0a) != nil || buffer[0] == 0x24)
      guard canEnd || buffer.count > Self.maximumHeaderLength &+ Self.maximumBodyLength else { return }
      var all = buffer
      buffer = []
      let end = cut(all.rawSpan, from: 0, receive)
      all.removeFirst(min(end, all.count))
      if !isBroken { buffer = all }
    }
  }

  /// Lends whole messages; returns where the first that is not whole begins.
  private mutating func cut(_ bytes: borrowing RawSpan, from start: Int, _ receive: (borrowing RawSpan) -> Void) -> Int
  {
    var at = start
    needed = 0
    while at < bytes.byteCount {
      let first = bytes.u8(at)
      if first == 0x0d || first == 0x0a || first == 0 {
        at &+= 1
        continue
      }
      let rest = bytes.slice(at, bytes.byteCount)
      if first == 0x24 {
        guard rest.byteCount >= 4 else { return at }
        let length = 4 &+ Int(rest.u16(2))
        skipped = max(length &- rest.byteCount, 0)
        at &+= min(length, rest.byteCount)
        continue
      }
      guard let header = Self.headerLength(of: rest) else {
        if rest.byteCount > Self.maximumHeaderLength { isBroken = true }
        return at
      }
      let body = Self.contentLength(rest.slice(0, header))
      let kept = min(body, Self.maximumBodyLength)
      guard rest.byteCount >= header &+ kept else {
        needed = header &+ kept
        return at
      }
      receive(rest.slice(0, header &+ kept))
      skipped = max(header &+ body &- rest.byteCount, 0)
      at &+= min(header &+ body, rest.byteCount)
    }
    return at
  }

  /// The length of a header up to and with its empty line; nil where that is not there.
  static func headerLength(of bytes: borrowing RawSpan) -> Int? {
    var at = 0
    while let end = bytes.firstIndex(of: 0x0a, from: at) {
      let isEmpty = end == at || end == at &+ 1 && bytes.u8(at) == 0x0d
      if isEmpty { return end &+ 1 }
      at = end &+ 1
    }
    return nil
  }

  /// The value of Content-Length, "l" for short; 0 where there is none.
  static func contentLength(_ header: borrowing RawSpan) -> Int {
    var at = 0
    while let end = header.firstIndex(of: 0x0a, from: at) {
      let line = header.slice(at, end &- at)
      at = end &+ 1
      guard line.has("content-length") || line.has("l"), let colon = line.firstIndex(of: 0x3a) else { continue }
      let name = line.slice(0, colon).trimmed()
      guard name.byteCount == 1 || name.byteCount == 14 else { continue }
      var value = line.slice(colon &+ 1, line.byteCount).trimmed()
      if value.byteCount > 0, value.u8(value.byteCount &- 1) == 0x0d {
        value = value.slice(0, value.byteCount &- 1).trimmed()
      }
      return value.decimal ?? 0
    }
    return 0
  }
}
