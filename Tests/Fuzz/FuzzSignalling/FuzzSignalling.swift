import Bytes
import Protocols

// The first byte chooses a protocol and how it comes: as one datagram of it, as a stream in chunks, or a datagram or a
// stream whose protocol is to be recognised.

private let kinds: [SignallingKind] = [.sip, .rtsp, .mgcp, .megaco, .h323, .skinny, .iax2, .bfcp, .ike, .esp]
private let maximumBuffer = 1 << 16

private func check(_ conversation: inout SignallingConversation) -> Int {
  let facts = conversation.facts
  precondition(facts.methods.count <= CallFacts.maximumMethods && facts.media.count <= CallLog.maximumMedia)
  for text in [facts.caller, facts.callee, facts.callID, facts.userAgent] {
    guard let text else { continue }
    precondition(text.utf8.count <= 4 * CallLog.maximumTextLength, "a text grows")
    precondition(!text.unicodeScalars.contains { $0.value < 0x20 }, "a control character gets through")
  }
  let announcements = conversation.takeAnnouncements()
  precondition(announcements.count <= CallLog.maximumAnnouncements)
  precondition(conversation.takeAnnouncements().isEmpty)
  return announcements.count
}

private func readDatagram(_ input: RawSpan, _ kind: SignallingKind) -> Int {
  var conversation = SignallingConversation(kind)
  _ = conversation.consume(datagram: input, from: .client)
  _ = conversation.consume(datagram: input, from: .server)
  return check(&conversation)
}

private func readStream(_ input: RawSpan, _ kind: SignallingKind, chunk: Int) -> Int {
  var whole = SignallingConversation(kind)
  var pieces = SignallingConversation(kind)
  whole.consume(stream: input, from: .client)
  var at = 0
  while at < input.byteCount {
    pieces.consume(stream: input.slice(at, chunk), from: .client)
    precondition(pieces.bufferedBytes <= maximumBuffer, "buffers grow")
    at += chunk
  }
  // What is longer than a cap may be given up sooner or later.
  if input.byteCount < 4096 { precondition(whole.facts == pieces.facts, "a cut changed what was read") }
  pieces.skipGap(from: .client)
  return check(&whole) + check(&pieces)
}

private func recognize(_ input: RawSpan, isStream: Bool) -> Int {
  guard input.byteCount > 4 else { return 0 }
  let ports = (input.u16(0), input.u16(2))
  let rest = input.slice(4, input.byteCount)
  guard isStream else { return SignallingKind(datagram: rest, ports: ports).map { readDatagram(rest, $0) } ?? 0 }
  var end = 1
  while end <= min(rest.byteCount, 512) {
    switch SignallingKind.recognize(stream: rest.slice(0, end), ports: ports) {
    case .mine(let kind): return readStream(rest, kind, chunk: end)
    case .needMore: end += 1
    case .notMine: return 0
    }
  }
  return 0
}

nonisolated(unsafe) private var sink = 0

/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  // Safe: libFuzzer lends `size` bytes at `data` for the length of this call.
  let buffer = unsafe UnsafeRawBufferPointer(start: data, count: size)
  let bytes = unsafe buffer.bytes
  guard bytes.byteCount > 1 else { return 0 }
  let head = Int(bytes.u8(0))
  let rest = bytes.slice(1, bytes.byteCount)
  let result =
    switch head {
    case 0..<10: readDatagram(rest, kinds[head])
    case 10..<20: readStream(rest, kinds[head - 10], chunk: 1)
    case 20..<30: readStream(rest, kinds[head - 20], chunk: 13)
    case 30: recognize(rest, isStream: false)
    default: recognize(rest, isStream: true)
    }
  unsafe sink &+= result
  return 0
}
