import Bytes
import Protocols

// The first byte chooses what the rest is: datagrams, or a handshake message and the cuts to make in it.

/// Datagrams, each after its length in 15 bits and a bit for the side.
private func readDatagrams(_ input: RawSpan) -> Int {
  var conversation = DTLSConversation()
  var reader = ByteReader(input)
  while let head = try? reader.u16(), let datagram = try? reader.take(min(Int(head & 0x7fff), reader.remaining)) {
    let isOver = conversation.isDone
    let canBegin = DTLSConversation.canBegin(datagram)
    let isMine = conversation.read(datagram: datagram, from: head & 0x8000 == 0 ? .client : .server)
    precondition(isMine || !canBegin, "what can begin a connection is not taken")
    precondition(conversation.bufferedBytes <= 1 << 17, "buffers grow")
    precondition(!isOver || conversation.isDone)
    precondition(!conversation.isDone || conversation.bufferedBytes == 0, "memory kept after the end")
  }
  precondition(conversation.facts.srtpProfiles.count <= DTLSConversation.maximumProfiles)
  if let fingerprint = conversation.tls?.ja4 { precondition(fingerprint.utf8.count == 36) }
  return conversation.notes.count + (conversation.tls?.alpn.count ?? 0)
}

private func record(_ body: [UInt8], _ type: UInt8, _ range: Range<Int>) -> [UInt8] {
  func bytes(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
  let fragment =
    [type] + bytes(body.count, 3) + [0, 0] + bytes(range.lowerBound, 3) + bytes(range.count, 3) + body[range]
  return [22, 0xfe, 0xfd] + [UInt8](repeating: 0, count: 8) + bytes(fragment.count, 2) + fragment
}

/// Fragments in any order, with overlaps, say what the whole message says.
private func compareCuts(_ input: RawSpan, _ type: UInt8) -> Int {
  var reader = ByteReader(input)
  guard let cuts = try? reader.u8(), let list = try? reader.take(min(2 * Int(cuts & 15), reader.remaining)) else {
    return 0
  }
  let body = reader.rest().array
  guard !body.isEmpty, body.count < 1 << 13 else { return 0 }
  var ranges: [Range<Int>] = []
  for i in 0..<list.byteCount / 2 {
    let start = Int(list.u8(2 * i)) * body.count / 256
    ranges.append(start..<min(start + 1 + Int(list.u8(2 * i + 1)) * 4, body.count))
  }
  // Whatever the cuts leave out comes last, backwards.
  for start in stride(from: 0, to: body.count, by: 200).reversed() {
    ranges.append(start..<min(start + 200, body.count))
  }
  var whole = DTLSConversation()
  var pieces = DTLSConversation()
  _ = whole.read(datagram: record(body, type, 0..<body.count).rawSpan, from: .client)
  for range in ranges { _ = pieces.read(datagram: record(body, type, range).rawSpan, from: .client) }
  precondition(whole.tls == pieces.tls && whole.facts == pieces.facts, "a cut changed what was read")
  precondition(pieces.bufferedBytes == 0, "memory kept after the end")
  return whole.tls?.alpn.count ?? 0
}

nonisolated(unsafe) private var sink = 0

/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  // Safe: libFuzzer lends `size` bytes at `data` for the length of this call.
  let buffer = unsafe UnsafeRawBufferPointer(start: data, count: size)
  let bytes = unsafe buffer.bytes
  guard bytes.byteCount > 1 else { return 0 }
  let rest = bytes.slice(1, bytes.byteCount)
  let result =
    switch bytes.u8(0) % 4 {
    case 0: compareCuts(rest, 1)
    case 1: compareCuts(rest, 2)
    default: readDatagrams(rest)
    }
  unsafe sink &+= result
  return 0
}
