import Classify
import Decode
import Flows
import Protocols
import Report

/// A flow that has ended, with all that its report and its verdict rest on, so that it can be judged on another thread.
struct FlowEnding: Sendable {
  /// What the table kept of it.
  var flow: FlowRecord
  var reason: EndReason
  /// Name of the capture, where a run reads several.
  var capture: String?
  var observation: FlowObservation
  var arrivals = EvidenceArrivals()
  /// Number of the call that it belongs to.
  var conversation: UInt64?
  var wasAnnounced = false
  /// Its shape, where it is to be reported or the model is to be asked: one or none, apart, since few flows have one.
  var shapes: [ShapeMeter] = []
  /// Whether the model is to be asked.
  var isForModel = false
}

/// From ended flows to verdicts. It looks at nothing but the flow that it is given.
struct VerdictStage: Sendable {
  let classifier: Classifier
  let model: ShapeModel?
  let isBlind: Bool
  private let wantsShape: Bool
  private var scratch = Classifier.Scratch()
  /// Flows that were delivered, by their tag's place.
  private(set) var flowsByTag = [4 of UInt64](repeating: 0)

  init(classifier: Classifier, options: AnalyzerOptions) {
    self.classifier = classifier
    model = options.shapeModel
    isBlind = options.isBlind
    wantsShape = options.wantsShape
  }

  /// The probability from which on shape says a tag beside other evidence. Below it no more than half of what the model
  /// named in captures that it had not seen was right.
  static let clearShape = 0.75

  /// Judges a flow that has ended, and delivers it.
  mutating func deliver(_ ending: consuming FlowEnding, _ events: borrowing AnalyzerEvents) {
    guard let wants = events.wantsFlow, !isBlind else { return deliver(event(of: ending), events) }
    let count = count(of: ending)
    flowsByTag[count.tag.index] &+= 1
    if wants(count) { events.flowEnded(event(of: ending)) }
  }

  /// Delivers a flow that was judged.
  mutating func deliver(_ event: consuming FlowEvent, _ events: borrowing AnalyzerEvents) {
    flowsByTag[event.verdict.tag.index] &+= 1
    if let wants = events.wantsFlow, !wants(FlowCount(event)) { return }
    events.flowEnded(event)
  }

  /// What a flow adds to sums.
  private mutating func count(of ending: borrowing FlowEnding) -> FlowCount {
    let outcome = classifier.outcome(on: ending.observation, scratch: &scratch) {
      ending.isForModel ? Self.evidence(of: ending, model, classifier) : ending.observation.shapeEvidence
    }
    return FlowCount(
      id: ending.flow.id, tag: outcome.tag, service: classifier.name(ofService: outcome.service),
      serviceNumber: outcome.service,
      isSharedFate: classifier.isSharedFate(service: outcome.service, tag: outcome.tag),
      application: ending.observation.facts.application, transport: ending.flow.key.transport,
      packets: ending.flow.packets, bytes: ending.flow.a.bytes &+ ending.flow.b.bytes, start: ending.flow.start,
      end: ending.flow.lastSeen)
  }

  /// The flow as it is reported, with its verdict.
  func event(of ending: consuming FlowEnding) -> FlowEvent {
    let verdict = verdict(on: ending)
    var event = FlowEvent(ending.flow, reason: ending.reason)
    event.capture = ending.capture
    event.applicationAtPacket = ending.arrivals.application
    event.helloAtPacket = ending.arrivals.hello
    event.requestAtPacket = ending.arrivals.request
    event.decidedAtPacket = ending.arrivals.decision(of: verdict, packets: ending.flow.packets)
    event.verdict = verdict
    event.wasAnnounced = ending.wasAnnounced
    event.conversation = ending.conversation
    if wantsShape { event.shape = ending.shapes.first ?? ShapeMeter() }
    if ending.observation.facts.hasRareFacts, ending.observation.facts.rtp != nil {
      event.media = ending.flow.mediaKinds(of: ending.observation.facts)
    }
    swap(&event.facts, &ending.observation.facts)
    swap(&event.names, &ending.observation.names)
    event.process = ending.observation.process
    return event
  }

  private func verdict(on ending: borrowing FlowEnding) -> Verdict {
    guard ending.isForModel, let model else { return classifier.verdict(on: ending.observation) }
    if isBlind { return Verdict(model.verdict(on: Self.features(of: ending))) }
    return classifier.verdict(on: ending.observation) { Self.evidence(of: ending, model, classifier) }
  }

  private static func features(of ending: borrowing FlowEnding) -> FlowShapeFeatures {
    FlowShapeFeatures(
      isTCP: ending.observation.isTCP, nanoseconds: ending.flow.lastSeen &- ending.flow.start,
      shape: ending.shapes.first ?? ShapeMeter())
  }

  private static func evidence(
    of ending: borrowing FlowEnding, _ model: ShapeModel?, _ classifier: Classifier
  ) -> [ShapeEvidence] {
    model?.evidence(for: features(of: ending), priors: classifier.priors, clear: clearShape) ?? []
  }
}
