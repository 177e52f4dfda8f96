import Bytes
import Protocols

// Steps of a flow: two bytes of side, encapsulation and length, then a datagram. Even first bytes are datagrams, odd ones
// a stream with frames in it.

private func readDatagrams(_ input: RawSpan, isAnnounced: Bool) -> Int {
  var conversation = RTPConversation(isAnnounced: isAnnounced)
  var at = 0
  var time: Int64 = 0
  while input.holds(2, at: at) {
    let head = Int(input.u16(at))
    let datagram = input.slice(at + 2, head & 0x3ff)
    at += 2 + datagram.byteCount
    time += Int64(head >> 10 & 15) * 10_000_000
    let wasSure = conversation.isSure
    let revision = conversation.revision
    let facts = conversation.facts
    let reading = conversation.consume(datagram, from: head & 0x8000 == 0 ? .client : .server, at: time)
    precondition(!wasSure || conversation.isSure, "a proof is taken back")
    precondition(!(conversation.isSure && conversation.isDisproved), "proved and disproved")
    precondition(reading != .mine || conversation.isSure, "claimed without proof")
    precondition(revision != conversation.revision || facts == conversation.facts, "the facts changed unseen")
    precondition(reading == .notMine || RTPConversation.canBegin(datagram), "taken, but no RTP")
    precondition(conversation.facts.streams.count <= RTPFacts.maximumStreams, "streams grow")
  }
  return conversation.facts.streams.count
}

nonisolated(unsafe) private var sink = 0

/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  // Safe: libFuzzer lends `size` bytes at `data` for the length of this call.
  let buffer = unsafe UnsafeRawBufferPointer(start: data, count: size)
  let bytes = unsafe buffer.bytes
  guard bytes.byteCount > 1 else { return 0 }
  let kind = bytes.u8(0)
  let rest = bytes.slice(1, bytes.byteCount)
  let result = readDatagrams(rest, isAnnounced: kind % 4 == 2)
  unsafe sink &+= result
  return 0
}
