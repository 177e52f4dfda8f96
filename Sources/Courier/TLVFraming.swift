import Bytes

// The framing of ALPN `apns-security-v2` and `-v3` (pypush `transport.py`; pushproxy's documentation of 2012):
//
//   command (1) | length (4, big-endian) | field ...
//   field: id (1) | length (2, big-endian) | value
//
// It has no memory: each command stands for itself.

/// The beginning of a command: what it is and how long.
struct CommandHead: Equatable {
  let command: CourierCommand
  /// Bytes of the head and of the body.
  let headLength: Int, bodyLength: Int
  var length: Int { headLength &+ bodyLength }
}

/// An answer to "what begins here?".
enum HeadReading: Equatable {
  case head(CommandHead)
  case needsMore
  /// No further byte can make it a command.
  case broken
  /// A command longer than `CourierConnection.maximumBodyLength`.
  case tooLong
}

enum TLVFraming {
  static func head(_ bytes: RawSpan, at offset: Int) -> HeadReading {
    guard bytes.holds(1, at: offset) else { return .needsMore }
    let command = CourierCommand(number: bytes.u8(offset))
    guard command.isPlausible else { return .broken }
    guard bytes.holds(5, at: offset) else { return .needsMore }
    let length = Int(bytes.u32(offset &+ 1))
    guard length <= CourierConnection.maximumBodyLength else { return .tooLong }
    return .head(CommandHead(command: command, headLength: 5, bodyLength: length))
  }

  /// Reads the fields of a body. Returns whether they fill it exactly.
  static func read(_ body: RawSpan, of command: CourierCommand, into content: inout CommandContent) -> Bool {
    var at = 0
    while at < body.byteCount {
      guard body.holds(3, at: at) else { return false }
      let key = FieldKey(number: body.u8(at))
      let count = Int(body.u16(at &+ 1))
      guard body.holds(count, at: at &+ 3) else { return false }
      let value = body.slice(at &+ 3, count)
      content.note(key, .bytes(value), at: .command)
      if command == .notification, key == FieldKey(number: 3), content.payloadLength == nil {
        content.payloadLength = count
        content.readPayload(value)
      }
      at = at &+ 3 &+ count
    }
    return true
  }
}
