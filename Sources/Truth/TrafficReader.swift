import Bytes
import Capture
public import Classify
import Courier
import Decode
public import Engine
import Protocols
public import Report
import TLSDecryption

/// Sees what a reader of traffic sees. Used from one thread.
public protocol TrafficObserver: AnyObject {
  /// Every packet of a flow, with its payload, borrowed for the call.
  func visit(_ packet: PacketVisit, _ payload: RawSpan)
  /// A flow has ended.
  func ended(_ flow: FlowEvent)
}

/// Reads captures into labelled traffic: verdicts as ever, and beside them what decryption, truth files and labels say.
public struct TrafficReader {
  /// What was read so far.
  public private(set) var traffic = LabelledTraffic()
  /// Courier connections, each with its messages, in the order in which they ended.
  public private(set) var couriers: [CourierListing] = []
  /// TLS connections, and those of them that were opened.
  public private(set) var tlsConnections = 0, connectionsWithSecrets = 0
  /// What a person should know, a sentence each.
  public private(set) var notices: [String] = []

  private let classifier: Classifier
  private let keyLog: TLSSecrets
  private let labels: LabelTable?
  private let keepsMessages: Bool

  /// A reader that has read nothing.
  /// - Parameters:
  ///   - classifier: gives the verdicts.
  ///   - keyLog: secrets beside those that captures bring.
  ///   - labels: a person's labels; they count more than a truth file, and that more than verdicts.
  ///   - keepsMessages: whether `couriers` is wanted.
  public init(
    classifier: Classifier, keyLog: TLSSecretsFile = TLSSecretsFile(), labels: LabelTable? = nil,
    keepsMessages: Bool = false
  ) {
    self.classifier = classifier
    self.keyLog = keyLog.secrets
    self.labels = labels
    self.keepsMessages = keepsMessages
  }

  /// Reads a capture to its end.
  /// - Parameters:
  ///   - path: where it is; "-" for standard input.
  ///   - name: what it is called in results.
  ///   - filter: packets that are read, in the language of pcap-filter; nil for all.
  ///   - observer: sees packets and flows as they come; flows are numbered afresh in each capture. With one, flows of which
  ///     no truth can be known are left out of `traffic`.
  ///   - proceed: asked once a batch with the packets so far; false ends the reading.
  /// - Throws: `CaptureError` where nothing can be read of it; `TruthError` where the truth beside it cannot be.
  public mutating func read(
    path: String, name: String, filter: String? = nil, observer: (any TrafficObserver)? = nil,
    proceed: @escaping (UInt64) -> Bool = { _ in true }
  ) throws {
    let truth = path == "-" ? nil : try TruthFile.beside(path)
    if let truth, let line = truth.brokenLines.first {
      notices.append("\(name): the truth file's line \(line) cannot be read")
    }
    let secrets = SecretsBox(keyLog)
    var source = SecretsReader(file: try CaptureFile.open(path: path, filter: filter), secrets: secrets)
    let collector = FlowCollector(
      secrets: secrets, limit: max(0, LabelledTraffic.maximumRecords - traffic.records.count),
      needsSecrets: truth == nil && labels == nil && observer != nil)
    var events = AnalyzerEvents { flow in
      collector.end(flow)
      observer?.ended(flow)
    }
    if let observer { events.visit = { packet, payload in observer.visit(packet, payload) } }
    events.payload = { event, payload in collector.take(event, payload) }
    events.proceed = { packets, _ in proceed(packets) }
    var analyzer = Analyzer(classifier: classifier, options: AnalyzerOptions())
    do throws(CaptureError) {
      try analyzer.read(&source, events: events)
    } catch {
      // What was read before the damage stays.
      notices.append(error.description)
    }
    analyzer.finish(events: events)
    for notice in source.file.notices { notices.append(notice) }
    if secrets.brokenLines > 0 {
      notices.append("\(name): \(secrets.brokenLines) lines of the secrets in it are no key log")
    }
    add(collector, name: name, truth: truth)
  }

  private mutating func add(_ collector: FlowCollector, name: String, truth: TruthFile?) {
    let capture = traffic.captures.count
    traffic.captures.append(name)
    traffic.recordsNotKept += collector.notKept
    var records: [LabelledRecord] = []
    // Flows that end together end in no fixed order.
    for (event, follower) in collector.ended.sorted(by: { $0.0.id < $1.0.id }) {
      var flow = LabelledFlow(event, follower, capture: capture)
      let number = Int32(clamping: traffic.flows.count)
      var own = follower.pieces.map { LabelledRecord($0, flow: number) }
      label(&own, decrypted: follower)
      let ends = TruthFile.Ends(flow)
      if let truth {
        flow.trueTag = truth.flows[ends]?.first?.tag
        flow.trueService = truth.flows[ends]?.first?.service
        if let messages = truth.messages[ends] {
          label(&own, follower.pieces, messages, name: "\(name), \(ends.client):\(ends.clientPort)")
        }
      }
      markFirstOfKinds(&own)
      if flow.unit == .record {
        tlsConnections += 1
        if own.contains(where: { $0.plaintext >= 0 }) { connectionsWithSecrets += 1 }
      }
      records += own
      if keepsMessages, follower.courier.framing != nil {
        couriers.append(CourierListing(event, follower, capture: name))
      }
      traffic.flows.append(flow)
    }
    records.sort { $0.time < $1.time }
    if let labels { _ = labels.label(&records, in: &traffic) }
    traffic.records += records
  }

  /// Labels records with the courier messages that were read in them.
  private mutating func label(_ records: inout [LabelledRecord], decrypted follower: FlowFollower) {
    guard !follower.messages.isEmpty else { return }
    var places: [Int64: Int] = [:]
    for (at, piece) in follower.pieces.enumerated() where piece.ordinal > 0 { places[piece.place] = at }
    for timed in follower.messages {
      let message = timed.message
      let messageClass = traffic.number(of: message.messageClass)
      let kind = traffic.number(of: message.kind)
      for ordinal in message.firstRecord...max(message.firstRecord, message.lastRecord) {
        guard let at = places[FlowFollower.Piece.place(ordinal, isUp: message.side == .client)] else { continue }
        // A record with several messages is the first one's, unless that is only the connection's own.
        guard records[at].source == .none || traffic.className(records[at]) == "courier" else { continue }
        records[at].messageClass = messageClass
        records[at].kind = kind
        records[at].source = .decryption
        records[at].message = message.messageID ?? 0
        records[at].devices = UInt8(clamping: message.devices ?? 0)
        if let topic = message.topic { records[at].topic = traffic.number(of: topic.name ?? topic.hash.description) }
      }
    }
  }

  /// Labels records with what a truth file says of their connection; where both know, the file may only say more.
  private mutating func label(
    _ records: inout [LabelledRecord], _ pieces: [FlowFollower.Piece], _ messages: [TruthFile.Message], name: String
  ) {
    var places: [Int64: Int] = [:]
    for (at, piece) in pieces.enumerated() where piece.ordinal > 0 { places[piece.place] = at }
    if places.isEmpty { places = TruthAlignment(pieces, messages).places }
    var contradictions = 0
    for message in messages {
      for ordinal in message.records {
        guard let at = places[FlowFollower.Piece.place(ordinal, isUp: message.isUp)] else { continue }
        if records[at].source == .decryption, traffic.className(records[at]) != message.messageClass {
          contradictions += 1
          continue
        }
        if records[at].source == .none { records[at].source = .file }
        records[at].messageClass = traffic.number(of: message.messageClass)
        records[at].kind = traffic.number(of: message.kind)
        if let length = message.textLength { records[at].textLength = Int32(clamping: length) }
        if let script = message.script { records[at].script = traffic.number(of: script) }
        if let devices = message.devices { records[at].devices = UInt8(clamping: devices) }
      }
    }
    if contradictions > 0 {
      notices.append("\(name): \(contradictions) records are something else inside than the truth file says")
    }
  }

  private func markFirstOfKinds(_ records: inout [LabelledRecord]) {
    var seen: Set<UInt32> = []
    for at in records.indices where records[at].kind != 0 {
      let key = UInt32(records[at].kind) << 1 | (records[at].isUp ? 1 : 0)
      records[at].isFirstOfKind = seen.insert(key).inserted
    }
  }
}

/// The secrets that are known at a moment of the reading. Used from one thread.
private final class SecretsBox {
  var value: TLSSecrets
  var brokenLines = 0
  private var taken = 0

  init(_ keyLog: TLSSecrets) { value = keyLog }

  /// The type of secrets in the form of a TLS key log (pcapng, section 4.7).
  private static let keyLogType: UInt32 = 0x544c_534b

  func take(_ secrets: [DecryptionSecrets]) {
    guard secrets.count > taken else { return }
    for secret in secrets[taken...] where secret.type == Self.keyLogType {
      brokenLines += value.add(keyLog: secret.data).brokenLineCount
    }
    taken = secrets.count
  }
}

/// A file that hands on the secrets that it brings before the packets behind them.
private struct SecretsReader: ~Copyable, PacketSource {
  var file: CaptureFile
  let secrets: SecretsBox

  var bytes: RawSpan { @_lifetime(borrow self) get { file.bytes } }

  mutating func next(_ batch: inout PacketBatch) throws(CaptureError) -> BatchOutcome {
    let outcome = try file.next(&batch)
    secrets.take(file.secrets)
    return outcome
  }
}

/// Follows the flows of a capture. Used from one thread.
private final class FlowCollector {
  private var open: [UInt64: FlowFollower] = [:]
  private(set) var ended: [(FlowEvent, FlowFollower)] = []
  private let secrets: SecretsBox
  private var left: Int
  private(set) var notKept = 0
  /// Whether content is only followed where there are secrets that could open it.
  private let needsSecrets: Bool

  init(secrets: SecretsBox, limit: Int, needsSecrets: Bool) {
    self.secrets = secrets
    self.needsSecrets = needsSecrets
    left = limit
  }

  private var isFollowing: Bool { !needsSecrets || secrets.value.count > 0 }

  func take(_ event: PayloadEvent, _ payload: RawSpan) {
    guard isFollowing else { return }
    if let follower = open[event.flow] {
      follower.take(event, payload, secrets.value)
    } else {
      let follower = FlowFollower(isStream: event.transport == .tcp, limit: left)
      open[event.flow] = follower
      follower.take(event, payload, secrets.value)
    }
  }

  func end(_ event: FlowEvent) {
    guard isFollowing else { return }
    let follower = open.removeValue(forKey: event.id) ?? FlowFollower(isStream: event.transport == .tcp, limit: 0)
    follower.finish(secrets.value)
    left = max(0, left - follower.pieces.count)
    notKept += follower.notKept
    ended.append((event, follower))
  }
}
