import Bytes
import Courier
import Protocols

// Pieces of plaintext, each behind a head of two bytes: the side, whether a gap is before it, and a length of 11 bits.

/// One input of libFuzzer: a conversation.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // Safe: libFuzzer owns the bytes for the time of the call.
  let input = unsafe UnsafeRawBufferPointer(start: start, count: count).bytes
  var connection = CourierConnection()
  var at = 0, record = 0, taken = 0, read = 0
  while input.holds(2, at: at) {
    let head = input.u16(at)
    let side: FlowSide = head & 0x8000 == 0 ? .client : .server
    let piece = input.slice(at + 2, Int(head & 0x07ff))
    at += 2 + piece.byteCount
    record += 1
    taken += piece.byteCount
    if head & 0x4000 != 0 { connection.skipGap(from: side) }
    connection.consume(piece, from: side, record: record) { message in
      read += message.length
      precondition(message.firstRecord <= message.lastRecord && message.lastRecord <= record, "records out of order")
      precondition(!message.kind.isEmpty && !message.messageClass.isEmpty && !message.commandName.isEmpty, "no name")
    }
    precondition(connection.bufferedBytes <= 2 * (CourierConnection.maximumBodyLength + 8), "too much buffered")
    guard !connection.isForeign else {
      precondition(connection.framing == nil && connection.bufferedBytes == 0, "foreign, and read")
      return 0
    }
    let seen = read + connection.bufferedBytes + connection.damage.bytesPassedOver
    precondition(seen == taken, "a byte was lost or counted twice")
  }
  return 0
}
