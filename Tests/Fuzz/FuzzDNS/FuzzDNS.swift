import Bytes
import Protocols

// The first byte chooses what the rest is: a message, a stream in chunks, or steps of a name cache.

private func readMessage(_ input: RawSpan) -> Int {
  guard let message = try? DNSMessage(parsing: input) else { return 0 }
  precondition(message.questions.allSatisfy { $0.name.utf8.count <= 4 * DNSName.maximumLength })
  precondition(message.answers.count + message.additionals.count <= DNSMessage.maximumRecords)
  return message.addresses.count
}

private func readStream(_ input: RawSpan, chunk: Int) -> Int {
  var whole = StreamParser(clientPort: 40_000, serverPort: 53)
  var pieces = whole
  whole.consume(input, from: .server)
  var offset = 0
  while offset < input.byteCount {
    pieces.consume(input.slice(offset, chunk), from: .server)
    precondition(pieces.bufferedBytes <= 1 << 16, "buffers grow")
    offset += chunk
  }
  if whole.facts.application == .dns {
    precondition(whole.facts.dnsQuestions == pieces.facts.dnsQuestions, "a cut changed what was read")
    precondition(whole.takeAnswers() == pieces.takeAnswers(), "a cut changed what was read")
  }
  return whole.facts.dnsQuestions.count
}

/// Each step is four bytes: what, who, which address, and how much time passes.
private func useCache(_ input: RawSpan) -> Int {
  var reader = ByteReader(input)
  guard let capacity = try? reader.u8() else { return 0 }
  var cache = NameCache(capacity: Int(capacity))
  var now: Int64 = 0
  var found = 0
  while let step = try? reader.u32() {
    let client = IPAddress(v4: step >> 16 & 7)
    let server = IPAddress(v4: step >> 8 & 7)
    now &+= Int64(step & 255) &* 10_000_000_000
    if step >> 24 & 1 == 0 {
      let answer = DNSAnswer(name: "n\(step >> 19 & 7)", address: server, timeToLive: step >> 25)
      cache.learn(client: client, answers: [answer], at: now)
      precondition(cache.names(client: client, server: server, at: now).first == answer.name, "just learned")
    }
    let names = cache.names(client: client, server: server, at: now)
    let others = cache.namesToldToOthers(client: client, server: server, at: now)
    precondition(names.count <= NameCache.maximumNames && Set(names).count == names.count)
    precondition(others.count <= NameCache.maximumNames && Set(others).count == others.count)
    found += names.count + others.count
  }
  return found
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
  let result =
    switch kind % 3 {
    case 0: readMessage(rest)
    case 1: readStream(rest, chunk: 1 + Int(kind / 3))
    default: useCache(rest)
    }
  unsafe sink &+= result
  return 0
}
