/// What a client sends first: pieces of a stream or datagrams, in the order in which they leave.
struct Flight: Equatable {
  /// A part of a stream.
  struct Segment: Equatable {
    /// Where in the stream it begins.
    var offset: Int
    var bytes: [UInt8]
  }

  /// What is sent.
  enum Content: Equatable {
    case segments([Segment])
    case datagrams([[UInt8]])
  }

  /// How packets with payload are cut by IP.
  struct Fragmentation: Equatable {
    /// Fragments of each packet.
    var count: Int
    /// Whether the last leaves first.
    var isReversed = false
  }

  var content: Content
  var fragmentation: Fragmentation?
  /// A client's port instead of the recorded one.
  var clientPort: UInt16?

  /// Packets with payload, fragments counted.
  var packets: Int {
    let parts = fragmentation?.count ?? 1
    return switch content {
    case .segments(let segments): segments.count * parts
    case .datagrams(let datagrams): datagrams.count * parts
    }
  }

  /// Payload bytes of a full TCP segment over Ethernet, without options.
  static func segmentSize(isV4: Bool) -> Int { isV4 ? 1_460 : 1_440 }

  /// Parts of a stream in order: cut at places, and wherever a part is longer than a segment.
  static func segments(_ stream: [UInt8], cuts: [Int] = [], size: Int) -> [Segment] {
    var segments: [Segment] = []
    let size = max(size, 1)
    var start = 0
    for cut in cuts.filter({ 0 < $0 && $0 < stream.count }).sorted() + [stream.count] {
      while start < cut {
        let end = min(cut, start + size)
        segments.append(Segment(offset: start, bytes: Array(stream[start..<end])))
        start = end
      }
    }
    return segments
  }

  /// Parts of a stream that were sent as they are.
  static func segments(_ pieces: [[UInt8]]) -> [Segment] {
    var offset = 0
    return pieces.map { piece in
      defer { offset += piece.count }
      return Segment(offset: offset, bytes: piece)
    }
  }

  /// A message in TLS records, cut at places of the message and wherever a record would be longer than `size`.
  static func records(_ message: [UInt8], version: UInt16, cuts: [Int] = [], size: Int = 1 << 14) -> [[UInt8]] {
    segments(message, cuts: cuts, size: min(size, 1 << 14)).map { part in
      var record: [UInt8] = [22]
      record.put16(Int(version))
      record.put16(part.bytes.count)
      return record + part.bytes
    }
  }
}
