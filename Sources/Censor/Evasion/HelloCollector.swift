import Bytes
import Capture
import Classify
import Decode
import Engine
import Flows
import Protocols
import Report

/// Gathers the ClientHellos of captures, each server name of a stack once.
///
/// Used from one thread.
final class HelloCollector {
  /// The most flows that are followed at a time; a hello of a further one is not looked for.
  static let maximumFlows = 8_192

  private enum Flow {
    case stream(StreamReassembler, StreamHello)
    case datagrams(InitialReader)
    /// Nothing more is wanted of it.
    case done
  }

  private let limit: Int
  private var flows: [UInt64: Flow] = [:]
  private var keys: Set<String> = []
  private(set) var hellos: [RecordedHello] = []
  /// Hellos that are like others, or beyond the limit, or in flows beyond `maximumFlows`.
  private(set) var repeated = 0, notKept = 0, flowsNotFollowed = 0
  private var capture = ""
  /// Where the server is, by flow: known when the flow ends.
  private var waiting: [UInt64: (hello: RecordedHello, isTurned: Bool)] = [:]

  init(limit: Int) { self.limit = limit }

  /// Reads a capture's hellos.
  func read(_ source: inout CaptureFile, name: String, classifier: Classifier) throws(CaptureError) {
    capture = name
    let first = hellos.count
    var options = AnalyzerOptions()
    options.wantsFingerprints = false
    var analyzer = Analyzer(classifier: classifier, options: options)
    var events = AnalyzerEvents { self.end($0.id, $0) }
    events.payload = { self.take($0, $1) }
    defer {
      // Flows that are still open end here, also those of a cut file.
      analyzer.finish(events: events)
      flows = [:]
      waiting = [:]
      // Flows end in no fixed order.
      hellos[first...].sort { $0.flow < $1.flow }
    }
    try analyzer.read(&source, events: events)
  }

  /// Takes a hello that comes from no capture.
  func take(_ hello: RecordedHello) { hellos.append(hello) }

  private func take(_ event: PayloadEvent, _ payload: RawSpan) {
    // Over UDP nobody knows who opened a flow; only a client's Initials can be opened with the keys that are tried.
    guard event.side == .client || event.transport == .udp else { return }
    if flows[event.flow] == nil {
      guard flows.count < Self.maximumFlows else {
        flowsNotFollowed += 1
        return
      }
      flows[event.flow] =
        event.transport == .tcp
        ? .stream(StreamReassembler(start: event.start), StreamHello()) : .datagrams(InitialReader())
    }
    switch flows[event.flow] {
    case .stream(var stream, var hello):
      // So that both are changed in place.
      flows[event.flow] = .done
      Self.order(event, payload, &stream, &hello)
      if let message = hello.handshake {
        keep(event, message, .tcp) {
          $0.recordVersion = hello.recordVersion
          $0.pieces = hello.pieces
        }
      } else if !hello.isHopeless {
        flows[event.flow] = .stream(stream, hello)
      }
    case .datagrams(var reader):
      flows[event.flow] = .done
      reader.take(payload)
      if let message = reader.handshake {
        keep(event, message, .quic) {
          $0.origin = reader.origin
          $0.pieces = reader.datagrams
        }
      } else if !reader.isHopeless {
        flows[event.flow] = .datagrams(reader)
      }
    case .done, nil: break
    }
  }

  private static func order(
    _ event: PayloadEvent, _ payload: RawSpan, _ stream: inout StreamReassembler, _ hello: inout StreamHello
  ) {
    switch stream.admit(sequence: event.sequence, length: event.length) {
    case .old: return
    case .next(let offset, let count):
      hello.take(payload.slice(offset, count).array)
      if payload.byteCount < event.length { hello.giveUp() }
    case .early:
      if !stream.hold(sequence: event.sequence, payload) { hello.giveUp() }
    }
    while let held = stream.takeHeld() { hello.take(held) }
  }

  private func keep(
    _ event: PayloadEvent, _ message: [UInt8], _ carrier: RecordedHello.Carrier, _ change: (inout RecordedHello) -> Void
  ) {
    guard let said = Self.whatItSays(message, carrier) else { return }
    var hello = RecordedHello(
      carrier: carrier, serverName: said.name, handshake: message, server: IPAddress(high: 0, low: 0), clientPort: 0,
      serverPort: 0, stack: said.stack, capture: capture, flow: event.flow)
    change(&hello)
    guard !keys.contains(hello.key) else {
      repeated += 1
      return
    }
    guard hellos.count + waiting.count < limit else {
      notKept += 1
      return
    }
    keys.insert(hello.key)
    // Flow events may call the client the destination, where nobody knows who opened the flow.
    waiting[event.flow] = (hello, isTurned: !event.isToDestination)
  }

  /// Name and stack of a message; nil where it cannot be read.
  static func whatItSays(_ message: [UInt8], _ carrier: RecordedHello.Carrier) -> (name: String?, stack: String)? {
    var reader = ByteReader(message.rawSpan)
    guard (try? reader.skip(4)) != nil, let hello = try? ClientHello(parsing: &reader) else { return nil }
    return (hello.serverName, JA4.fingerprint(of: hello, over: carrier == .tcp ? .tcp : .quic))
  }

  private func end(_ id: UInt64, _ event: FlowEvent) {
    flows[id] = nil
    guard let (found, isTurned) = waiting.removeValue(forKey: id) else { return }
    var hello = found
    hello.server = isTurned ? event.source : event.destination
    hello.serverPort = isTurned ? event.sourcePort : event.destinationPort
    hello.clientPort = isTurned ? event.destinationPort : event.sourcePort
    hellos.append(hello)
  }
}

/// Puts a ClientHello together from the records of a stream.
struct StreamHello {
  /// The most bytes of a stream in which a hello must have ended.
  static let maximumBytes = 1 << 16

  /// The chunks so far; at the end cut behind the hello's last record.
  private(set) var pieces: [[UInt8]] = []
  /// The version of the first record.
  private(set) var recordVersion: UInt16 = 0x0301
  /// The message with its header, once it is whole.
  private(set) var handshake: [UInt8]?
  /// Whether it is no hello, or too long a one.
  private(set) var isHopeless = false
  private var stream: [UInt8] = []

  mutating func giveUp() {
    isHopeless = true
    pieces = []
    stream = []
  }

  /// Takes the next bytes of the stream.
  mutating func take(_ bytes: [UInt8]) {
    guard !isHopeless, handshake == nil else { return }
    guard stream.count + bytes.count <= Self.maximumBytes else { return giveUp() }
    stream += bytes
    pieces.append(bytes)
    switch Self.read(stream) {
    case .more: return
    case .other: return giveUp()
    case .hello(let message, let end, let version):
      (handshake, recordVersion) = (message, version)
      cut(behind: end)
    }
  }

  /// Lets go of what was sent behind the hello.
  private mutating func cut(behind end: Int) {
    var left = end
    pieces = pieces.compactMap { piece in
      let part = Array(piece.prefix(left))
      left -= part.count
      return part.isEmpty ? nil : part
    }
  }

  private enum Reading {
    /// More is needed.
    case more
    /// It is no hello.
    case other
    /// The message, where its last record ends, and the version of its first.
    case hello([UInt8], end: Int, version: UInt16)
  }

  private static func read(_ stream: [UInt8]) -> Reading {
    // Else what began as something else would be kept up to the cap.
    if let first = stream.first, first != TLSContentType.handshake.rawValue { return .other }
    var reader = ByteReader(stream.rawSpan)
    var message: [UInt8] = []
    var version: UInt16?
    while reader.remaining >= TLSRecordHeader.byteCount {
      guard let header = try? TLSRecordHeader(parsing: &reader), header.type == .handshake else { return .other }
      let first = version ?? header.version.rawValue
      version = first
      guard let fragment = try? reader.take(header.length) else { return .more }
      message.append(fragment)
      if let type = message.first, type != TLSHandshakeType.clientHello.rawValue { return .other }
      guard message.count >= 4 else { continue }
      let length = 4 + (Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3]))
      if message.count >= length {
        return .hello(Array(message.prefix(length)), end: reader.offset, version: first)
      }
    }
    return .more
  }
}
