// How the rewrites send a hello: segments and records over TCP, Initials over UDP.

import Bytes
import QUICKeys

extension Rewrite {
  /// Sends a message over TCP; nil where it is too short to be cut.
  func stream(_ message: [UInt8], of hello: RecordedHello) -> Flight? {
    let size = Flight.segmentSize(isV4: hello.server.isV4)
    guard message.count > 8, let middle = middle(of: message, hello) else { return nil }
    let one = Flight.records(message, version: hello.recordVersion)
    let stream = one.flatMap(\.self)
    // Of a message longer than one record the name lies in the first, as long as it is no odder than that.
    let header = 5
    let cut = middle + header
    func flight(_ segments: [Flight.Segment]) -> Flight { Flight(content: .segments(segments)) }
    switch self {
    case .unchanged: return hello.pieces.isEmpty ? nil : flight(Flight.segments(hello.pieces))
    case .splitInName: return flight(Flight.segments(stream, cuts: [cut], size: size))
    case .firstByte: return flight(Flight.segments(stream, cuts: [1], size: size))
    case .smallSegments: return flight(Flight.segments(stream, size: Self.smallSegmentLength))
    case .swappedSegments:
      let segments = Flight.segments(stream, cuts: [cut], size: size)
      return flight(segments.filter { $0.offset >= cut } + segments.filter { $0.offset < cut })
    case .reversedSegments: return flight(Flight.segments(stream, size: Self.reversedSegmentLength).reversed())
    case .overlapWithDecoy: return decoyFirst(stream, header, HelloMessage(message)?.namePlace, size).map(flight)
    case .recordsSplitInName, .recordsAndSegments, .smallRecords:
      let records =
        self == .smallRecords
        ? Flight.records(message, version: hello.recordVersion, size: Self.smallRecordLength)
        : Flight.records(message, version: hello.recordVersion, cuts: [middle])
      let ends = self == .recordsAndSegments ? Array(records.map(\.count).sums) : []
      return flight(Flight.segments(records.flatMap(\.self), cuts: ends, size: size))
    case .fragments, .fragmentsReversed:
      var made = flight(Flight.segments(stream, size: size))
      made.fragmentation = Flight.Fragmentation(count: Self.fewFragments, isReversed: self == .fragmentsReversed)
      return made
    case .fragments45, .fragments46:
      let count = self == .fragments45 ? 45 : 46
      guard PacketForge.canCut(payload: stream.count, carrier: .tcp, into: count) else { return nil }
      var made = flight([Flight.Segment(offset: 0, bytes: stream)])
      made.fragmentation = Flight.Fragmentation(count: count)
      return made
    default: return flight(Flight.segments(stream, size: size))
    }
  }

  /// The second part first, from the name's beginning on, its part of the name in other letters; then the first.
  private func decoyFirst(
    _ stream: [UInt8], _ header: Int, _ place: Range<Int>?, _ size: Int
  ) -> [Flight.Segment]? {
    guard let place, place.count >= 2 else { return nil }
    let start = place.lowerBound + header
    let cut = start + place.count / 2
    guard cut < stream.count else { return nil }
    var decoy = stream
    for i in start..<cut { decoy[i] = decoy[i] == UInt8(ascii: "x") ? UInt8(ascii: "y") : UInt8(ascii: "x") }
    let late = Flight.segments(decoy, cuts: [start], size: size).filter { $0.offset >= start }
    return late + Flight.segments(Array(stream[..<cut]), size: size)
  }

  /// Sends a message over QUIC; nil where it does not fit.
  func datagrams(_ message: [UInt8], of hello: RecordedHello) -> Flight? {
    guard var origin = hello.origin, message.count > 8 else { return nil }
    switch self {
    case .unchanged: return hello.pieces.isEmpty ? nil : Flight(content: .datagrams(hello.pieces))
    case .unknownVersion: (origin.version, origin.protection) = (0x1a2a_3a4a, .v1)
    case .version2:
      guard origin.version != InitialWriter.version2 else { return nil }
      (origin.version, origin.protection) = (InitialWriter.version2, .v2)
    default: break
    }
    let writer = InitialWriter(origin, length: hello.pieces.first?.count ?? 0)
    guard let middle = middle(of: message, hello) else { return nil }
    var datagrams = writer.datagrams(groups(message, middle, writer, hello))
    if self == .randomFirst {
      var random = StableRandom(message)
      // The two high bits say a QUIC packet of neither kind: no server takes it for one.
      let first = random.bytes(1)[0] & 0x3f
      datagrams?.insert([first] + random.bytes(99), at: 0)
    }
    guard let datagrams else { return nil }
    var flight = Flight(content: .datagrams(datagrams))
    switch self {
    case .fragments, .fragmentsReversed:
      flight.fragmentation = Flight.Fragmentation(count: Self.fewFragments, isReversed: self == .fragmentsReversed)
    case .fragments45, .fragments46:
      flight.fragmentation = Flight.Fragmentation(count: self == .fragments45 ? 45 : 46)
    case .lowSourcePort:
      guard hello.serverPort > 1 else { return nil }
      flight.clientPort = min(hello.clientPort, hello.serverPort - 1)
    default: break
    }
    return flight
  }

  /// The frames of each datagram.
  private func groups(
    _ message: [UInt8], _ middle: Int, _ writer: InitialWriter, _ hello: RecordedHello
  ) -> [[InitialWriter.Frame]] {
    let first = InitialWriter.Frame.crypto(0, Array(message[..<middle]))
    let second = InitialWriter.Frame.crypto(middle, Array(message[middle...]))
    switch self {
    case .framesReversed: return writer.packed([second, first])
    case .twoDatagrams: return writer.packed([first]) + writer.packed([second])
    case .datagramsReversed: return writer.packed([second]) + writer.packed([first])
    case .framesWithPings, .framesShuffled:
      // Chromium makes up to 20 pieces; no assembler need expect more.
      let size = max(48, message.count / 16)
      var pieces = Flight.segments(message, size: size).map { InitialWriter.Frame.crypto($0.offset, $0.bytes) }
      if self == .framesShuffled {
        var random = StableRandom(hello.handshake)
        pieces.shuffle(using: &random)
      }
      return writer.packed(pieces.enumerated().flatMap { [$0.element, .ping, .padding(1 + $0.offset % 3)] })
    default: return writer.packed([.crypto(0, message)])
    }
  }

  /// The middle of the server name in a message; of the message where none was sent; nil where it is not clear where
  /// the name lies and the way cuts there.
  private func middle(of message: [UInt8], _ hello: RecordedHello) -> Int? {
    if let place = HelloMessage(message)?.namePlace { return place.lowerBound + place.count / 2 }
    return hello.serverName == nil || !cutsInName ? message.count / 2 : nil
  }

  /// Whether it cuts within the server name.
  private var cutsInName: Bool {
    switch self {
    case .splitInName, .swappedSegments, .recordsSplitInName, .recordsAndSegments, .framesReversed, .twoDatagrams,
      .datagramsReversed:
      true
    default: false
    }
  }
}

extension [Int] {
  /// The sums of the first one, two, .. numbers.
  fileprivate var sums: [Int] {
    var sum = 0
    return map { number in
      sum += number
      return sum
    }
  }
}
