import Bytes
import Protocols

// The first byte chooses what the rest is: a stream in chunks, a hello of either kind, a certificate.

/// Feeds a stream: chunk lengths and sides come from the input itself, as `length side` before each chunk.
private func feedStream(_ input: RawSpan, serverPort: UInt16, cache: FingerprintCache?) -> Int {
  var parser = StreamParser(clientPort: 50_000, serverPort: serverPort, cache: cache)
  var reader = ByteReader(input)
  while parser.wantsMore, !reader.isAtEnd {
    guard let head = try? reader.u16() else { break }
    let side: FlowSide = head & 0x8000 == 0 ? .client : .server
    if head & 0x4000 != 0 { parser.skipGap(from: side) }
    let repeats = head & 0x2000 != 0
    let length = min(Int(head & 0x1fff), reader.remaining)
    guard var chunk = try? reader.sub(length) else { break }
    if repeats {
      while let byte = try? chunk.take(1) { parser.consume(byte, from: side) }
    } else {
      parser.consume(chunk.rest(), from: side)
    }
    precondition(parser.bufferedBytes <= 1 << 18, "buffers grow")
    precondition(parser.wantsMore || parser.bufferedBytes == 0, "memory kept after the end")
  }
  return parser.facts.notes.count + (parser.facts.tls?.alpn.count ?? 0)
}

/// Any cut of a stream of one side gives the facts of the whole.
private func compareCuts(_ input: RawSpan) -> Int {
  guard input.byteCount > 6, input.u8(0) == 22, input.u8(5) == 1 else { return 0 }
  var whole = StreamParser(clientPort: 1, serverPort: 443)
  var bytewise = whole
  whole.consume(input, from: .client)
  for i in 0..<input.byteCount { bytewise.consume(input.slice(i, 1), from: .client) }
  precondition(whole.facts.tls == bytewise.facts.tls, "a cut changed what was read")
  return whole.facts.tls?.alpn.count ?? 0
}

private func readHello(_ input: RawSpan, cache: FingerprintCache) -> Int {
  var reader = ByteReader(input)
  var server = reader
  var ssl2 = reader
  var result = 0
  if let hello = try? ClientHello(parsing: &reader) {
    precondition(cache.ja3(of: hello) == JA3.fingerprint(of: hello), "the cache lies")
    precondition(cache.ja4(of: hello, over: .quic) == JA4.fingerprint(of: hello, over: .quic), "the cache lies")
    result += hello.alpn.count + hello.supportedVersions.count + (hello.serverName?.utf8.count ?? 0)
  }
  if let hello = try? ServerHello(parsing: &server) {
    precondition(cache.ja3s(of: hello).utf8.count == 32)
    result += hello.alpn?.utf8.count ?? 0
  }
  if let hello = try? SSL2ClientHello(parsing: &ssl2) { result += hello.cipherSpecCount }
  return result
}

private let cache = FingerprintCache()
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
    switch bytes.u8(0) % 5 {
    case 0: feedStream(rest, serverPort: 443, cache: cache)
    case 1: feedStream(rest, serverPort: 25, cache: nil)
    case 2: compareCuts(rest)
    case 3: readHello(rest, cache: cache)
    default: CertificateNames(der: rest.array).names.count
    }
  unsafe sink &+= result
  return 0
}
