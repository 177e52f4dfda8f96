import Bytes
import Protocols
import TLSDecryption

// A session as SessionTests reads it: a key log, then chunks of both sides, so that seeds carry the secrets that open
// them. What the connection's own randoms find besides comes from a table that is always there.

/// RFC 8448, section 3.
private let table: TLSSecrets = {
  let random = "cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7"
  var secrets = TLSSecrets()
  let log = """
    CLIENT_HANDSHAKE_TRAFFIC_SECRET \(random) b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21
    SERVER_HANDSHAKE_TRAFFIC_SECRET \(random) b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38
    CLIENT_TRAFFIC_SECRET_0 \(random) 9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5
    SERVER_TRAFFIC_SECRET_0 \(random) a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643
    """
  let report = secrets.add(keyLog: Array(log.utf8))
  precondition(report.secrets == 4)
  return secrets
}()

/// A record and a hello of each side, and a plaintext.
private let mostBuffered = 2 * (TLSRecordHeader.byteCount + TLSRecordHeader.maximumLength + 1 << 16) + 1 << 15

nonisolated(unsafe) private var sink = 0

/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  // Safe: libFuzzer lends `size` bytes at `data` for the length of this call.
  let buffer = unsafe UnsafeRawBufferPointer(start: data, count: size)
  var reader = ByteReader(unsafe buffer.bytes)
  guard let length = try? reader.u16(), let log = try? reader.take(min(Int(length), reader.remaining)) else { return 0 }
  var secrets = table
  let report = secrets.add(keyLog: log.array)
  precondition(report.brokenLines.count <= TLSSecrets.maximumBrokenLines)
  var connection = TLSConnection()
  var result = report.secrets
  func feed(_ bytes: RawSpan, _ side: FlowSide) {
    connection.consume(bytes, from: side, secrets: secrets) { event, text in
      precondition(event.side == side)
      precondition(event.obstacle != nil || event.plaintextLength == text.byteCount, "a length lies")
      precondition(event.obstacle == nil || text.byteCount == 0, "a closed record has content")
      precondition(event.length <= TLSRecordHeader.maximumLength)
      result &+= text.byteCount
    }
    precondition(connection.bufferedBytes <= mostBuffered, "buffers grow")
  }
  while let head = try? reader.u16() {
    let side: FlowSide = head & 0x8000 == 0 ? .client : .server
    if head & 0x4000 != 0 { connection.skipGap(from: side) }
    guard let chunk = try? reader.take(min(Int(head & 0x1fff), reader.remaining)) else { break }
    if head & 0x2000 != 0 {
      for place in 0..<chunk.byteCount { feed(chunk.slice(place, 1), side) }
    } else {
      feed(chunk, side)
    }
  }
  unsafe sink &+= result &+ connection.openedRecords
  return 0
}
