public import Capture
public import Classify
public import Engine
import Bytes
import Decode
import Flows
import Protocols
import Report

/// What an analysis finds in one capture, in the form of an expectation.
public struct Findings: Sendable {
  /// What was found; every field is said.
  public private(set) var found = CaptureExpectation()
  /// Flows that were found, by tag.
  public private(set) var flowsByTag: [Tag: Int] = [:]
  /// Whether there are more flows than are compared; what was found is then not whole.
  public private(set) var isTooLong = false
  /// Whether the caller wanted no more.
  public private(set) var isInterrupted = false
  /// Packets that were read.
  public private(set) var packets: UInt64 = 0

  /// How many flows were found.
  public var flowCount: Int { flowsByTag.values.reduce(0, +) }

  /// Analyses a capture to its end. What is wrong with it behind its beginning is `found.damage`.
  /// - Parameters:
  ///   - source: lends the packets.
  ///   - name: what errors call the source; taken out of the sentence of a damage.
  ///   - classifier: judges the flows.
  ///   - options: of the analysis.
  ///   - proceed: asked once a batch, with the packets so far; false ends the run.
  public init<Source: PacketSource & ~Copyable>(
    _ source: inout Source, name: String, classifier: Classifier, options: AnalyzerOptions,
    proceed: @escaping (UInt64) -> Bool = { _ in true }
  ) {
    let collector = Collector()
    var events = AnalyzerEvents { collector.add($0) }
    events.conversationEnded = { collector.add($0) }
    events.proceed = { packets, _ in
      collector.wantsMore = proceed(packets)
      return collector.wantsMore && !collector.isTooLong
    }
    var analyzer = Analyzer(classifier: classifier, options: options)
    do throws(CaptureError) {
      try analyzer.read(&source, events: events)
    } catch {
      let sentence = error.description
      found.damage = printable(sentence.hasPrefix("\(name): ") ? String(sentence.dropFirst(name.count + 2)) : sentence)
    }
    analyzer.finish(events: events)
    let stats = analyzer.stats
    packets = stats.packets
    isInterrupted = !collector.wantsMore
    isTooLong = collector.isTooLong
    for flow in collector.flows { flowsByTag[flow.tag, default: 0] += 1 }
    found.totals = Record(stats)
    (found.flows, found.conversations) = collector.records()
  }
}

/// Keeps what is compared of flows and calls while a run goes on.
private final class Collector {
  struct Flow {
    var id: UInt64
    var tag: Tag
    var packets: UInt64
    var record: Record
  }

  private(set) var flows: [Flow] = []
  private var calls: [ConversationEvent] = []
  private(set) var isTooLong = false
  var wantsMore = true

  func add(_ flow: FlowEvent) {
    guard flows.count < CaptureExpectation.maximumFlows else {
      isTooLong = true
      return
    }
    flows.append(
      Flow(
        id: flow.id, tag: flow.verdict.tag, packets: flow.packetsToServer &+ flow.packetsToClient, record: Record(flow))
    )
  }

  /// Each call has a flow of its own, so that there are no more of them than of flows.
  func add(_ call: ConversationEvent) {
    if calls.count < CaptureExpectation.maximumFlows { calls.append(call) }
  }

  /// Flows in the order of their first packets, numbered where several have the same ends; calls by their first flow.
  func records() -> (flows: [Record], conversations: [Record]) {
    flows.sort { $0.id < $1.id }
    var counts: [String: Int] = [:]
    var places: [UInt64: Int] = [:]
    for index in flows.indices {
      let title = flows[index].record.title
      counts[title, default: 0] += 1
      flows[index].record.title = FlowTitle.text(title, number: counts[title] ?? 1)
      places[flows[index].id] = index
    }
    let conversations = calls.sorted { $0.id < $1.id }.map { call in
      var call = call
      call.settle()
      return Record(call, flows: call.flows.compactMap { places[$0].map { flows[$0] } })
    }
    return (flows.map(\.record), conversations)
  }
}

extension Record {
  /// Names of a kind that are kept of a flow.
  private static let maximumNames = 8

  fileprivate init(_ flow: FlowEvent) {
    self.init(FlowTitle.text(flow))
    let verdict = flow.verdict
    say(.tag, .word(verdict.tag.rawValue))
    say(.service, FieldValue(verdict.service.map(printable)))
    say(.confidence, .number((verdict.confidence * 1_000).rounded() / 1_000))
    say(.decidedAt, FieldValue(flow.decidedAtPacket))
    say(.appProto, FieldValue(flow.facts.application?.rawValue))
    let supporting = verdict.evidence.filter { $0.tag == verdict.tag && $0.bits > 0 }
    say(
      .evidence,
      .list(Evidence.Source.allCases.filter { source in supporting.contains { $0.source == source } }.map(\.rawValue)))
    let kinds: [(String, [String])] = [
      ("sni", flow.facts.tls?.serverName.map { [$0] } ?? []),
      ("http_host", flow.facts.http?.host.map { [$0] } ?? []),
      ("certificate", flow.facts.tls?.certificateNames ?? []),
      ("dns", flow.names),
      ("question", flow.facts.dnsQuestions),
    ]
    say(
      .names,
      .named(
        kinds.filter { !$0.1.isEmpty }.map { name, values in
          FieldValue.Entry(name: name, values: values.prefix(Self.maximumNames).map(printable))
        }))
    say(.carries, .list(verdict.carries.map { printable($0.service) }))
    if let ja4 = flow.facts.tls?.ja4 { say(.ja4, .word(ja4)) }
    say(.packets, .list(["\(flow.packetsToServer)", "\(flow.packetsToClient)"]))
  }

  /// A call has no tag of its own: it is what most packets of its flows are.
  fileprivate init(_ call: ConversationEvent, flows: [Collector.Flow]) {
    self.init(flows.first?.record.title ?? "no flow")
    var packets: [Tag: UInt64] = [:]
    for flow in flows { packets[flow.tag, default: 0] &+= flow.packets }
    let tag = Tag.allCases.max { packets[$0] ?? 0 < packets[$1] ?? 0 }
    say(.tag, FieldValue(flows.isEmpty ? nil : tag?.rawValue))
    say(.service, FieldValue(call.service.map(printable)))
    say(.media, .list(call.media.map(printable)))
    say(.direction, FieldValue(call.direction?.rawValue))
    say(.flowCount, FieldValue(call.flowCount))
    say(.flows, .list(flows.map(\.record.title)))
  }

  fileprivate init(_ stats: StatsEvent) {
    self.init("totals")
    say(.packets, FieldValue(stats.packets))
    say(.bytes, FieldValue(stats.bytes))
    say(
      .flows,
      .named(Tag.allCases.map { FieldValue.Entry(name: $0.rawValue, values: ["\(stats.flows[$0] ?? 0)"]) }))
    say(.withoutFlow, FieldValue(stats.packetsWithoutFlow))
    say(.decodeErrors, FieldValue(stats.decodeErrors))
    say(.limits, FieldValue(stats.limits))
  }
}
