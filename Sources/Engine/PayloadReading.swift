import Bytes
import Decode
import Flows
import Protocols

/// What came of a packet that was read.
struct ReadingOutcome {
  /// Whether the facts have changed.
  var hasNews: Bool
  /// Whether further payload could change the facts.
  var wantsMore: Bool
  /// Whether the facts tell the flow's protocol, though more may follow.
  var isTelling: Bool
  /// Whether bytes of the stream that never came were given up.
  var hasGap: Bool
  /// Bytes that are kept for the flow.
  var heldBytes: Int
}

/// The state of reading one flow's payload: of a stream or of datagrams.
class PayloadReading {
  /// What the parser and the reassemblers held when it was last counted.
  var countedBytes = 0

  /// A copy of what was learned so far.
  var facts: FlowFacts { FlowFacts() }
  /// The connection IDs of a QUIC connection that was read.
  var connectionIDs: QUICConnectionIDs { QUICConnectionIDs() }

  /// Takes a packet's payload.
  func take(_ payload: RawSpan, _ touch: FlowTouch, from side: FlowSide) -> ReadingOutcome {
    ReadingOutcome(
      hasNews: false, wantsMore: false, isTelling: false, hasGap: false, heldBytes: 0)
  }
  /// Notes which evidence is there as of a packet, without copying the facts.
  /// - Returns: whether some of it is of a call.
  func note(_ arrivals: inout EvidenceArrivals, at packet: UInt64) -> Bool { false }
  /// What was learned, moved out, with what the reading itself has to add: the last thing asked of it.
  func takeFacts() -> FlowFacts { FlowFacts() }
  /// DNS answers read since the last call.
  func takeAnswers() -> [DNSAnswer] { [] }
  /// Addresses announced since the last call.
  func takeAnnouncements() -> [AnnouncedEndpoint] { [] }
}

/// Reads a TCP flow.
final class StreamReading: PayloadReading {
  private var parser: StreamParser
  private var fromClient: StreamReassembler
  private var fromServer: StreamReassembler

  init(_ table: borrowing FlowTable, _ record: UInt32, wantsFingerprints: Bool, cache: FingerprintCache) {
    let ends = table[record].serviceEnds
    parser = StreamParser(
      clientPort: ends.clientPort, serverPort: ends.serverPort, wantsFingerprints: wantsFingerprints, cache: cache)
    fromClient = StreamReassembler(start: table.startSequence(of: record, isClient: true))
    fromServer = StreamReassembler(start: table.startSequence(of: record, isClient: false))
  }

  /// Begins anew with another flow, in the memory that is there.
  func begin(_ table: borrowing FlowTable, _ record: UInt32, wantsFingerprints: Bool, cache: FingerprintCache) {
    let ends = table[record].serviceEnds
    countedBytes = 0
    parser = StreamParser(
      clientPort: ends.clientPort, serverPort: ends.serverPort, wantsFingerprints: wantsFingerprints, cache: cache)
    fromClient = StreamReassembler(start: table.startSequence(of: record, isClient: true))
    fromServer = StreamReassembler(start: table.startSequence(of: record, isClient: false))
  }

  override var facts: FlowFacts { parser.facts }

  override func note(_ arrivals: inout EvidenceArrivals, at packet: UInt64) -> Bool {
    parser.lend { facts in
      arrivals.note(facts, at: packet)
      return facts.isOfCall
    }
  }

  override func takeFacts() -> FlowFacts {
    var facts = parser.takeFacts()
    if fromClient.hasConflict || fromServer.hasConflict { facts.notes.append("overlapping segments disagree") }
    return facts
  }

  override func takeAnswers() -> [DNSAnswer] { parser.takeAnswers() }
  override func takeAnnouncements() -> [AnnouncedEndpoint] { parser.takeAnnouncements() }

  override func take(_ payload: RawSpan, _ touch: FlowTouch, from side: FlowSide) -> ReadingOutcome {
    var outcome =
      side == .client
      ? Self.take(payload, touch, from: side, &fromClient, &parser)
      : Self.take(payload, touch, from: side, &fromServer, &parser)
    outcome.heldBytes += fromClient.heldBytes + fromServer.heldBytes
    return outcome
  }

  // Static, so that each object's part is accessed once a packet: every access is checked at run time.
  private static func take(
    _ payload: RawSpan, _ touch: FlowTouch, from side: FlowSide, _ stream: inout StreamReassembler,
    _ parser: inout StreamParser
  ) -> ReadingOutcome {
    var hasGap = false
    // Data on a SYN (TCP Fast Open, RFC 7413) begins one behind its sequence number.
    let sequence = touch.sequence &+ (touch.flags.contains(.syn) ? 1 : 0)
    switch stream.admit(sequence: sequence, length: Int(touch.payloadLength)) {
    case .old: break
    case .next(let offset, let count):
      parser.consume(payload.slice(offset, count), from: side)
      if Int(touch.payloadCaptured) < Int(touch.payloadLength) { parser.skipGap(from: side) }
      drain(&stream, &parser, side)
    case .early:
      guard !stream.hold(sequence: sequence, payload) else { break }
      hasGap = true
      _ = stream.skipGap()
      parser.skipGap(from: side)
      drain(&stream, &parser, side)
    }
    let hasNews = parser.hasNews
    parser.hasNews = false
    return ReadingOutcome(
      hasNews: hasNews, wantsMore: parser.wantsMore, isTelling: false, hasGap: hasGap,
      heldBytes: parser.bufferedBytes)
  }

  private static func drain(_ stream: inout StreamReassembler, _ parser: inout StreamParser, _ side: FlowSide) {
    while parser.wantsMore, let held = stream.takeHeld() { parser.consume(held.rawSpan, from: side) }
  }
}

/// Reads a UDP flow.
final class DatagramsReading: PayloadReading {
  private var parser: DatagramParser

  init(_ flow: borrowing FlowRecord, isAnnounced: Bool, wantsFingerprints: Bool, cache: FingerprintCache) {
    let ends = flow.serviceEnds
    parser = DatagramParser(
      clientPort: ends.clientPort, serverPort: ends.serverPort, wantsFingerprints: wantsFingerprints,
      isAnnounced: isAnnounced, cache: cache)
  }

  /// Begins anew with another flow, in the memory that is there.
  func begin(_ flow: borrowing FlowRecord, isAnnounced: Bool, wantsFingerprints: Bool, cache: FingerprintCache) {
    let ends = flow.serviceEnds
    countedBytes = 0
    parser = DatagramParser(
      clientPort: ends.clientPort, serverPort: ends.serverPort, wantsFingerprints: wantsFingerprints,
      isAnnounced: isAnnounced, cache: cache)
  }

  override var facts: FlowFacts { parser.facts }
  override var connectionIDs: QUICConnectionIDs { parser.connectionIDs }

  override func note(_ arrivals: inout EvidenceArrivals, at packet: UInt64) -> Bool {
    parser.lend { facts in
      arrivals.note(facts, at: packet)
      return facts.isOfCall
    }
  }

  override func takeFacts() -> FlowFacts { parser.takeFacts() }
  override func takeAnnouncements() -> [AnnouncedEndpoint] { parser.takeAnnouncements() }

  override func take(_ payload: RawSpan, _ touch: FlowTouch, from side: FlowSide) -> ReadingOutcome {
    Self.take(payload, touch, from: side, &parser)
  }

  private static func take(
    _ payload: RawSpan, _ touch: FlowTouch, from side: FlowSide, _ parser: inout DatagramParser
  ) -> ReadingOutcome {
    parser.consume(
      datagram: payload, from: side, isCut: touch.payloadCaptured < touch.payloadLength, at: touch.timestamp)
    let hasNews = parser.hasNews
    parser.hasNews = false
    return ReadingOutcome(
      hasNews: hasNews, wantsMore: parser.wantsMore, isTelling: parser.isTelling,
      hasGap: false, heldBytes: parser.bufferedBytes)
  }
}
