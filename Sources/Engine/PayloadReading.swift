import Bytes
import Decode
import Flows
import Protocols

/// The state of reading one flow's payload: of a stream or of datagrams.
class PayloadReading {
  /// What the parser and the reassemblers held when it was last counted.
  var countedBytes = 0

  /// What was learned so far.
  var facts: FlowFacts { FlowFacts() }
  /// The facts with what the reading itself has to add.
  var finishedFacts: FlowFacts { facts }
  /// Whether further payload could change the facts.
  var wantsMore: Bool { false }
  /// Whether the facts tell the flow's protocol, though more may follow.
  var isTelling: Bool { false }
  /// The connection IDs of a QUIC connection that was read.
  var connectionIDs: QUICConnectionIDs { QUICConnectionIDs() }
  /// Bytes that are kept for this flow.
  var heldBytes: Int { 0 }

  /// Takes a packet's payload.
  /// - Returns: whether bytes of the stream that never came were given up.
  func take(_ payload: RawSpan, _ touch: FlowTouch, from side: FlowSide) -> Bool { false }
  /// Whether the facts have changed since the last call.
  func takeNews() -> Bool { false }
  /// DNS answers read since the last call.
  func takeAnswers() -> [DNSAnswer] { [] }
  /// Addresses announced since the last call.
  func takeAnnouncements() -> [AnnouncedEndpoint] { [] }
}

/// Reads a TCP flow.
final class StreamReading: PayloadReading {
  var parser: StreamParser
  var fromClient: StreamReassembler
  var fromServer: StreamReassembler

  init(parser: StreamParser, client: StreamReassembler, server: StreamReassembler) {
    self.parser = parser
    fromClient = client
    fromServer = server
  }

  override var facts: FlowFacts { parser.facts }
  override var wantsMore: Bool { parser.wantsMore }
  override var heldBytes: Int { parser.bufferedBytes + fromClient.heldBytes + fromServer.heldBytes }

  override var finishedFacts: FlowFacts {
    var facts = parser.facts
    if fromClient.hasConflict || fromServer.hasConflict { facts.notes.append("overlapping segments disagree") }
    return facts
  }

  override func takeNews() -> Bool {
    defer { parser.hasNews = false }
    return parser.hasNews
  }

  override func takeAnswers() -> [DNSAnswer] { parser.takeAnswers() }
  override func takeAnnouncements() -> [AnnouncedEndpoint] { parser.takeAnnouncements() }

  override func take(_ payload: RawSpan, _ touch: FlowTouch, from side: FlowSide) -> Bool {
    // Data on a SYN (TCP Fast Open, RFC 7413) begins one behind its sequence number.
    let sequence = touch.sequence &+ (touch.flags.contains(.syn) ? 1 : 0)
    var stream = StreamReassembler(start: nil)
    // Moved out and back: a copy of what it holds would be made at the first change otherwise.
    if side == .client { swap(&stream, &fromClient) } else { swap(&stream, &fromServer) }
    defer { if side == .client { swap(&stream, &fromClient) } else { swap(&stream, &fromServer) } }
    switch stream.admit(sequence: sequence, length: Int(touch.payloadLength)) {
    case .old: return false
    case .next(let offset, let count):
      parser.consume(payload.slice(offset, count), from: side)
      if Int(touch.payloadCaptured) < Int(touch.payloadLength) { parser.skipGap(from: side) }
      drain(&stream, side)
      return false
    case .early:
      guard !stream.hold(sequence: sequence, payload) else { return false }
      _ = stream.skipGap()
      parser.skipGap(from: side)
      drain(&stream, side)
      return true
    }
  }

  private func drain(_ stream: inout StreamReassembler, _ side: FlowSide) {
    while parser.wantsMore, let held = stream.takeHeld() { parser.consume(held.rawSpan, from: side) }
  }
}

/// Reads a UDP flow.
final class DatagramsReading: PayloadReading {
  var parser: DatagramParser

  init(parser: consuming DatagramParser) { self.parser = parser }

  override var facts: FlowFacts { parser.facts }
  override var wantsMore: Bool { parser.wantsMore }
  override var isTelling: Bool { parser.isTelling }
  override var heldBytes: Int { parser.bufferedBytes }
  override var connectionIDs: QUICConnectionIDs { parser.connectionIDs }

  override func take(_ payload: RawSpan, _ touch: FlowTouch, from side: FlowSide) -> Bool {
    parser.consume(
      datagram: payload, from: side, isCut: touch.payloadCaptured < touch.payloadLength, at: touch.timestamp)
    return false
  }

  override func takeNews() -> Bool {
    defer { parser.hasNews = false }
    return parser.hasNews
  }

  override func takeAnswers() -> [DNSAnswer] { parser.takeAnswers() }
  override func takeAnnouncements() -> [AnnouncedEndpoint] { parser.takeAnnouncements() }
}
