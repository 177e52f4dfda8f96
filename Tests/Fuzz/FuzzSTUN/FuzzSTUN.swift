import Bytes
import Protocols

// The first byte chooses what the rest is: datagrams, or a stream and the size of its pieces.

/// Datagrams, each after its length in 15 bits and a bit for the side.
private func readDatagrams(_ input: RawSpan) -> Int {
  var conversation = STUNConversation()
  var reader = ByteReader(input)
  var announced: Set<AnnouncedEndpoint> = []
  while let head = try? reader.u16(), let datagram = try? reader.take(min(Int(head & 0x7fff), reader.remaining)) {
    let wasSure = conversation.isSure
    let revision = conversation.revision
    let canBegin = STUNConversation.canBegin(datagram)
    let isMine = conversation.read(datagram: datagram, from: head & 0x8000 == 0 ? .client : .server)
    precondition(isMine || !canBegin || wasSure, "what can begin a flow is not taken")
    precondition(isMine || conversation.revision == revision, "facts of a stranger")
    precondition(conversation.isSure || !wasSure)
    if let inner = conversation.inner {
      precondition(isMine && inner.lowerBound >= 4 && inner.upperBound <= datagram.byteCount, "an inner range outside")
    }
    for endpoint in conversation.takeAnnouncements() {
      precondition(announced.insert(endpoint).inserted, "announced twice")
    }
  }
  precondition(announced.count <= STUNConversation.maximumAnnouncements)
  precondition(conversation.facts.attributes.count <= STUNFacts.maximumAttributes)
  precondition(conversation.facts.messageTypes.count <= STUNFacts.maximumTypes)
  precondition(conversation.facts.peers.count <= STUNFacts.maximumPeers)
  precondition(conversation.notes.count <= 2)
  return announced.count + Int(conversation.facts.messages)
}

/// Any cut of a stream gives the same frames.
private func readStream(_ input: RawSpan, piece: Int) -> Int {
  var whole = STUNStream()
  var pieces = STUNStream()
  var frames: [[UInt8]] = []
  var same: [[UInt8]] = []
  var conversation = STUNConversation()
  let isGood = whole.consume(input, from: .client) {
    frames.append($0.array)
    _ = conversation.read(datagram: $0, from: .client)
  }
  var offset = 0
  var isSame = true
  while offset < input.byteCount, isSame {
    isSame = pieces.consume(input.slice(offset, piece), from: .client) { same.append($0.array) }
    precondition(pieces.bufferedBytes < STUNStream.maximumBufferedBytes, "buffers grow")
    offset += piece
  }
  if isGood, isSame { precondition(frames == same, "a cut changed the frames") }
  if !frames.isEmpty { precondition(STUNStream.recognize(input) == .mine, "read, but not recognized") }
  return frames.count
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
  let result = kind & 1 == 0 ? readDatagrams(rest) : readStream(rest, piece: 1 + Int(kind / 2))
  unsafe sink &+= result
  return 0
}
