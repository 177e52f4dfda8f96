import Bytes
import Protocols

// The first byte chooses what the rest is: datagrams or chunks of both sides, the begin of a stream, or record lengths.
// The second one chooses the port. Datagrams and chunks follow a head of two bytes: the side, and a length of 11 bits.

private let ports: [UInt16] = [443, 5222, 8801, 4244, 8000, 64_738, 9000, 40_000]

/// Hands each piece on until there are no more.
private func pieces(_ input: RawSpan, _ take: (RawSpan, FlowSide) -> Void) {
  var at = 0
  while input.holds(2, at: at) {
    let head = input.u16(at)
    let piece = input.slice(at + 2, Int(head & 0x07ff))
    take(piece, head & 0x8000 == 0 ? .client : .server)
    at += 2 + piece.byteCount
  }
}

private func readDatagrams(_ input: RawSpan, _ port: UInt16) -> Int {
  var conversation = MessengerConversation(serverPort: port, clientPort: 50_000)
  var revision = 0
  var wasSure = false
  var count = 0
  pieces(input) { datagram, side in
    let alone = MessengerSignature.recognize(
      datagram: datagram, from: side, serverPort: port, clientPort: 50_000, ordinal: count)
    precondition((alone?.mediaOffset ?? 0) <= datagram.byteCount, "media behind the end")
    let signature = conversation.signature(after: datagram, from: side)
    precondition((conversation.mediaOffset ?? 0) <= datagram.byteCount, "media behind the end")
    precondition(conversation.revision >= revision && conversation.revision <= revision + 1, "one step at a time")
    precondition(!wasSure || signature?.strength == .sure, "what was sure is so no more")
    revision = conversation.revision
    wasSure = signature?.strength == .sure
    count += 1
  }
  return revision
}

private func readStream(_ input: RawSpan, _ port: UInt16) -> Int {
  var sum = 0
  for side in [FlowSide.client, .server] {
    let whole = MessengerSignature.recognize(stream: input, from: side, serverPort: port)
    // What has no need of more bytes needs none after them either.
    if case .needMore = whole { precondition(input.byteCount < MessengerSignature.maximumLength, "without end") }
    for count in 0..<min(input.byteCount, 64) {
      if case .mine = MessengerSignature.recognize(stream: input.slice(0, count), from: side, serverPort: port) {
        sum += 1
      }
    }
  }
  return sum
}

private func readChunks(_ input: RawSpan, _ port: UInt16) -> Int {
  var stream = MessengerStream(serverPort: port)
  var found = 0
  pieces(input) { chunk, side in
    if stream.consume(chunk, from: side) != nil { found += 1 }
  }
  return found
}

private func readShape(_ input: RawSpan) -> Int {
  var records: [Int16] = []
  var at = 0
  while input.holds(2, at: at), records.count < 64 {
    records.append(Int16(bitPattern: input.u16(at)))
    at += 2
  }
  guard let shape = APNsShape(records: records.span) else { return 0 }
  precondition((0...1).contains(shape.score))
  return shape.reasons.description.utf8.count
}

nonisolated(unsafe) private var sink = 0

/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  // Safe: libFuzzer lends `size` bytes at `data` for the length of this call.
  let buffer = unsafe UnsafeRawBufferPointer(start: data, count: size)
  let bytes = unsafe buffer.bytes
  guard bytes.byteCount > 2 else { return 0 }
  let port = ports[Int(bytes.u8(1)) % ports.count]
  let rest = bytes.slice(2, bytes.byteCount)
  let result =
    switch bytes.u8(0) % 4 {
    case 0: readDatagrams(rest, port)
    case 1: readStream(rest, port)
    case 2: readChunks(rest, port)
    default: readShape(rest)
    }
  unsafe sink &+= result
  return 0
}
