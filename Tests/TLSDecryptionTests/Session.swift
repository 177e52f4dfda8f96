import Bytes
import Protocols

@testable import TLSDecryption

/// A recorded session: a key log, then chunks of both sides in the order in which they came.
///
///     2: bytes of the key log | key log | 2: head | chunk | 2: head | chunk ...
///
/// A head has the chunk's length in its low 13 bits; 0x8000 is the server, 0x4000 a gap before the chunk, 0x2000 a
/// chunk that comes byte by byte. It is also the form of the fuzz target's input.
struct Session {
  struct Chunk {
    var side: FlowSide
    var bytes: [UInt8]
    var isBehindGap = false
  }

  var secrets = TLSSecrets()
  var chunks: [Chunk] = []

  init(chunks: [Chunk] = []) { self.chunks = chunks }

  init(parsing input: [UInt8]) {
    guard input.count >= 2 else { return }
    var at = 2 + (Int(input[0]) << 8 | Int(input[1]))
    _ = secrets.add(keyLog: Array(input[2..<min(at, input.count)]))
    while at + 2 <= input.count {
      let head = Int(input[at]) << 8 | Int(input[at + 1])
      let bytes = Array(input[at + 2..<min(at + 2 + head & 0x1fff, input.count)])
      let side: FlowSide = head & 0x8000 == 0 ? .client : .server
      let parts = head & 0x2000 == 0 ? [bytes] : bytes.map { [$0] }
      for (place, part) in parts.enumerated() {
        chunks.append(Chunk(side: side, bytes: part, isBehindGap: head & 0x4000 != 0 && place == 0))
      }
      at += 2 + bytes.count
    }
  }

  /// The same bytes in chunks of another length.
  func cut(to length: Int) -> Session {
    var session = self
    session.chunks = chunks.flatMap { chunk in
      stride(from: 0, to: chunk.bytes.count, by: length).map {
        Chunk(side: chunk.side, bytes: Array(chunk.bytes[$0..<min($0 + length, chunk.bytes.count)]))
      }
    }
    return session
  }

  /// The same, a record a chunk.
  func cutToRecords() -> Session {
    var session = self
    session.chunks = chunks.flatMap { chunk in
      var parts: [Chunk] = []
      var at = 0
      while at + 5 <= chunk.bytes.count {
        let length = Int(chunk.bytes[at + 3]) << 8 | Int(chunk.bytes[at + 4])
        let end = min(at + 5 + length, chunk.bytes.count)
        parts.append(Chunk(side: chunk.side, bytes: Array(chunk.bytes[at..<end])))
        at = end
      }
      return parts
    }
    return session
  }

  struct Reading {
    var connection = TLSConnection()
    var records: [(event: TLSRecordEvent, text: [UInt8])] = []
    var largestBuffer = 0

    /// What a side said, record by record.
    func said(_ side: FlowSide) -> [String] {
      records.filter { $0.event.side == side && $0.event.type == .applicationData && $0.event.isDecrypted }
        .map { String(decoding: $0.text, as: UTF8.self) }
    }
  }

  func read(_ connection: TLSConnection = TLSConnection(), secrets: TLSSecrets? = nil) -> Reading {
    var reading = Reading(connection: connection)
    var records: [(event: TLSRecordEvent, text: [UInt8])] = []
    for chunk in chunks {
      if chunk.isBehindGap { reading.connection.skipGap(from: chunk.side) }
      reading.connection.consume(chunk.bytes.rawSpan, from: chunk.side, secrets: secrets ?? self.secrets) {
        records.append(($0, $1.array))
      }
      reading.largestBuffer = max(reading.largestBuffer, reading.connection.bufferedBytes)
    }
    reading.records = records
    return reading
  }
}

/// Bytes from hexadecimal digits; white space between them is passed over.
func hex(_ text: String) -> [UInt8] {
  let digits = text.compactMap { $0.hexDigitValue.map { UInt8($0) } }
  return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
