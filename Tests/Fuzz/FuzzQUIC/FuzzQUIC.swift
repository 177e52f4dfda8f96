import Bytes
import Protocols
import QUICKeys

// The first byte chooses what the rest is: datagrams as they are, frames that are sealed here since no random packet
// passes the authentication, or a hello that is cut in two ways.

private let cache = FingerprintCache()

private func check(_ parser: borrowing DatagramParser) {
  precondition(parser.bufferedBytes <= 1 << 18, "buffers grow")
  precondition(parser.wantsMore || parser.bufferedBytes == 0, "memory kept after the end")
}

private func weight(_ parser: borrowing DatagramParser) -> Int {
  parser.facts.notes.count + (parser.facts.tls?.alpn.count ?? 0) + (parser.facts.quic?.transportParameters.count ?? 0)
}

/// Datagrams, each behind a length of 15 bits and the bit of its side.
private func feedDatagrams(_ input: RawSpan) -> Int {
  var parser = DatagramParser(clientPort: 50_000, serverPort: 443, cache: cache)
  var reader = ByteReader(input)
  while parser.wantsMore, let head = try? reader.u16() {
    guard let datagram = try? reader.take(min(Int(head & 0x7fff), reader.remaining)) else { break }
    parser.consume(datagram: datagram, from: head & 0x8000 == 0 ? .client : .server)
    check(parser)
  }
  return weight(parser)
}

private let versions: [(number: UInt32, protection: QUICInitialProtection, type: UInt8)] = [
  (1, .v1, 0xc0), (0x6b33_43cf, .v2, 0xd0), (0xff00_001d, .draft29, 0xc0), (0xff00_0017, .draft23, 0xc0),
  (0xfaceb001, .draft21, 0xc0), (0x5130_3530, .q050, 0xc0), (0x5430_3531, .t051, 0xc0), (0x1a2a_3a4a, .v1, 0xc0),
]

/// An Initial with the frames in `payload`: bits of `control` choose the version, the side and the connection ID.
private func sealed(_ payload: [UInt8], control: UInt8) -> [UInt8] {
  let version = versions[Int(control & 7)]
  let isServer = control & 8 != 0
  let id = [UInt8](repeating: 0x10 + (control >> 4 & 3), count: 8)
  let number = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: version.number >> $0) }
  let ids = isServer ? [0] + [8] + [UInt8](repeating: 0x5e, count: 8) : [8] + id + [0]
  let frames = payload + [UInt8](repeating: 0, count: max(0, (isServer ? 4 : 1170) - payload.count))
  let length = frames.count + 2 + QUICInitialKeys.tagLength
  let header =
    [version.type | 1] + number + ids + [0, 0x40 | UInt8(length >> 8 & 0x3f), UInt8(length & 255)] + [0, 1]
  let keys = QUICInitialKeys(version.protection, connectionID: id, sender: isServer ? .server : .client)
  return keys.seal(header: header, payload: frames, numberLength: 2) ?? []
}

/// Initials, each behind a byte of `sealed`'s control and a length of two bytes.
private func feedFrames(_ input: RawSpan) -> Int {
  var parser = DatagramParser(clientPort: 50_000, serverPort: 443, cache: cache)
  var reader = ByteReader(input)
  while parser.wantsMore, let control = try? reader.u8(), let length = try? reader.u16() {
    guard let payload = try? reader.take(min(Int(length & 0x3fff), reader.remaining, 8000)) else { break }
    let datagram = sealed(payload.array, control: control)
    parser.consume(datagram: datagram.rawSpan, from: control & 8 == 0 ? .client : .server)
    check(parser)
  }
  return weight(parser)
}

private func crypto(_ data: ArraySlice<UInt8>) -> [UInt8] {
  func integer(_ value: Int) -> [UInt8] { [0x80, 0, UInt8(value >> 8 & 255), UInt8(value & 255)] }
  return [6] + integer(data.startIndex) + integer(data.count) + data
}

/// A hello in one frame and in pieces from its end on, whose length is `size`, says the same.
private func compareCuts(_ input: [UInt8], size: Int) -> Int {
  let body = Array(input.prefix(1100))
  let hello = [1, 0, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
  var whole = DatagramParser(clientPort: 50_000, serverPort: 443)
  var pieces = DatagramParser(clientPort: 50_000, serverPort: 443)
  let one = sealed(crypto(hello[...]), control: 0)
  whole.consume(datagram: one.rawSpan, from: .client)
  var end = hello.count
  while end > 0, pieces.wantsMore {
    // As many as fit into a packet.
    var frames: [UInt8] = []
    while end > 0, frames.count < 600 {
      let start = max(end - size, 0)
      frames += crypto(hello[start..<end])
      end = start
    }
    let datagram = sealed(frames, control: 0)
    pieces.consume(datagram: datagram.rawSpan, from: .client)
    check(pieces)
  }
  precondition(whole.facts.tls == pieces.facts.tls, "a cut changed what was read")
  precondition(whole.facts.quic?.transportParameters == pieces.facts.quic?.transportParameters, "a cut changed it")
  return weight(whole)
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
    case 0: feedDatagrams(rest)
    case 1: feedFrames(rest)
    // At least 40 bytes, so that the pieces stay fewer than an assembler keeps.
    default: compareCuts(rest.array, size: 40 + Int(kind))
    }
  unsafe sink &+= result
  return 0
}
