import Classify
import Flows
import Report

/// A flow that has ended, with all that its verdict rests on, so that it can be judged on another thread.
struct FlowEnding: Sendable {
  /// The flow as it is reported, but for what the verdict and the observation bring.
  var event = FlowEvent()
  var observation: FlowObservation
  var arrivals = EvidenceArrivals()
  /// Its shape, where the model is to be asked: one or none, apart, since few flows have one.
  var shapes: [ShapeMeter] = []
}

/// From ended flows to verdicts. It looks at nothing but the flow that it is given.
struct VerdictStage: Sendable {
  let classifier: Classifier
  let model: ShapeModel?
  let isBlind: Bool
  /// Flows that were delivered, by their tag's place.
  private(set) var flowsByTag = [4 of UInt64](repeating: 0)

  init(classifier: Classifier, options: AnalyzerOptions) {
    self.classifier = classifier
    model = options.shapeModel
    isBlind = options.isBlind
  }

  /// The probability from which on shape says a tag beside other evidence. Below it no more than half of what the model
  /// named in captures that it had not seen was right.
  static let clearShape = 0.75

  /// Counts a flow that is delivered.
  mutating func count(_ event: borrowing FlowEvent) { flowsByTag[event.verdict.tag.index] &+= 1 }

  /// The flow with its verdict.
  func event(of ending: consuming FlowEnding) -> FlowEvent {
    var event = FlowEvent()
    swap(&event, &ending.event)
    event.verdict = verdict(on: ending)
    let packets = event.packetsToServer &+ event.packetsToClient
    event.applicationAtPacket = ending.arrivals.application
    event.helloAtPacket = ending.arrivals.hello
    event.requestAtPacket = ending.arrivals.request
    event.decidedAtPacket = ending.arrivals.decision(of: event.verdict, packets: packets)
    swap(&event.facts, &ending.observation.facts)
    swap(&event.names, &ending.observation.names)
    event.process = ending.observation.process
    return event
  }

  private func verdict(on ending: borrowing FlowEnding) -> Verdict {
    // The model is looked at last: to hold it costs more than to judge most flows.
    guard let shape = ending.shapes.first, let model else { return classifier.verdict(on: ending.observation) }
    let isTCP = ending.observation.isTCP
    let length = ending.event.end &- ending.event.start
    func features() -> FlowShapeFeatures { FlowShapeFeatures(isTCP: isTCP, nanoseconds: length, shape: shape) }
    if isBlind { return Verdict(model.verdict(on: features())) }
    return classifier.verdict(on: ending.observation) {
      model.evidence(for: features(), priors: classifier.priors, clear: Self.clearShape)
    }
  }
}
