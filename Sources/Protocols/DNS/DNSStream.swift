import Bytes

//  RFC 1035, section 4.2.2: over TCP two bytes of length stand before each message; RFC 7766: many messages a stream
//
//   +--------+--------+-----------------+--------+--------+----
//   | length          | message         | length          | ...
//   +--------+--------+-----------------+--------+--------+----

/// Cuts one side of a DNS stream into messages, fed in order in chunks of any size. A message that lies whole in a
/// chunk is lent from there; one that is cut is copied, at most the 65,535 bytes that its length field allows.
struct DNSStream {
  private var length = 0
  private var lengthBytes = 0
  private var buffer: [UInt8] = []

  /// Bytes that are kept.
  var bufferedBytes: Int { buffer.count }

  /// Takes the next bytes; `receive` returns whether to go on.
  /// - Returns: whether all were taken.
  mutating func consume(_ bytes: borrowing RawSpan, receive: (borrowing RawSpan) -> Bool) -> Bool {
    var offset = 0
    while offset < bytes.byteCount {
      if lengthBytes < 2 {
        length = length << 8 | Int(bytes.u8(offset))
        lengthBytes &+= 1
        offset &+= 1
        continue
      }
      let count = min(length &- buffer.count, bytes.byteCount &- offset)
      let part = bytes.slice(offset, count)
      offset &+= count
      if buffer.isEmpty, count == length {
        guard end(part, receive) else { return false }
        continue
      }
      buffer.append(part)
      if buffer.count >= length {
        let message = buffer
        guard end(message.rawSpan, receive) else { return false }
      }
    }
    return true
  }

  private mutating func end(_ message: borrowing RawSpan, _ receive: (borrowing RawSpan) -> Bool) -> Bool {
    length = 0
    lengthBytes = 0
    buffer = []
    return receive(message)
  }
}
