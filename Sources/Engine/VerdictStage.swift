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
  private var scale = Classifier.Scale()
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

  /// Judges a flow that has ended, and delivers it where it is wanted.
  mutating func deliver(_ ending: consuming FlowEnding, _ events: borrowing AnalyzerEvents) {
    guard let wants = events.wantsFlow, !isBlind else { return deliver(event(of: ending), events) }
    let count = count(ending.flow, ending.observation, shape: ending.isForModel ? ending.shapes.first : nil)
    if wants(count) { events.flowEnded(event(of: ending)) }
  }

  /// Delivers a flow that was judged.
  mutating func deliver(_ event: consuming FlowEvent, _ events: borrowing AnalyzerEvents) {
    flowsByTag[event.verdict.tag.index] &+= 1
    if let wants = events.wantsFlow, !wants(FlowCount(event)) { return }
    events.flowEnded(event)
  }

  /// Counts a flow that has ended.
  /// - Parameters:
  ///   - flow: what the table kept of it.
  ///   - observation: what its verdict rests on.
  ///   - shape: its shape, where the model is to be asked.
  /// - Returns: what it adds to sums.
  mutating func count(
    _ flow: borrowing FlowRecord, _ observation: borrowing FlowObservation, shape: ShapeMeter?
  ) -> FlowCount {
    if classifier.weigh(observation, on: &scale) {
      if let shape {
        let length = flow.lastSeen &- flow.start
        let features = FlowShapeFeatures(isTCP: observation.isTCP, nanoseconds: length, shape: shape)
        if let evidence = model?.evidence(for: features, priors: classifier.priors, clear: Self.clearShape) {
          classifier.add(evidence, to: &scale)
        }
      } else {
        classifier.add(observation.shapeEvidence, to: &scale)
      }
    }
    let outcome = classifier.outcome(of: &scale)
    flowsByTag[outcome.tag.index] &+= 1
    return FlowCount(
      id: flow.id, tag: outcome.tag, service: classifier.name(ofService: outcome.service),
      serviceNumber: outcome.service,
      isSharedFate: classifier.isSharedFate(service: outcome.service, tag: outcome.tag),
      application: observation.facts.application, transport: flow.key.transport, packets: flow.packets,
      bytes: flow.a.bytes &+ flow.b.bytes, start: flow.start, end: flow.lastSeen)
  }

  /// The flow as it is reported, with its verdict.
  func event(of ending: consuming FlowEnding) -> FlowEvent {
    let verdict = verdict(on: ending)
    var event = FlowEvent(ending.flow, reason: ending.reason)
    event.capture = ending.capture
    event.applicationAtPacket = UInt64(ending.arrivals.application)
    event.helloAtPacket = UInt64(ending.arrivals.hello)
    event.requestAtPacket = UInt64(ending.arrivals.request)
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
    guard ending.isForModel, let model, let shape = ending.shapes.first else {
      return classifier.verdict(on: ending.observation)
    }
    let isTCP = ending.observation.isTCP
    let length = ending.flow.lastSeen &- ending.flow.start
    func features() -> FlowShapeFeatures { FlowShapeFeatures(isTCP: isTCP, nanoseconds: length, shape: shape) }
    if isBlind { return Verdict(model.verdict(on: features())) }
    return classifier.verdict(on: ending.observation) {
      model.evidence(for: features(), priors: classifier.priors, clear: Self.clearShape)
    }
  }
}
