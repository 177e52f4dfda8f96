import Bytes
import Dispatch
import Flows
import Report
import Synchronization

/// The stages on threads of their own: one reads and decodes, one keeps flows and reads payloads, one judges and
/// reports. Each does its part in the order of the packets, so that the result is that of one thread.
///
/// `@unchecked` holds since `stage` and `verdicts` are each touched by one thread only while messages are under way,
/// and by the caller only when `drain` has returned.
final class Pipeline: @unchecked Sendable {
  /// Chunks under way at most, and bundles of findings: what bounds the memory.
  static let maximumChunks = 6
  static let maximumBundles = 16
  /// Findings that are handed on together.
  static let bundle = 64

  enum Message: Sendable {
    case begin(capture: String?)
    case packets(PacketChunk)
    case advance(to: Int64)
    case finish
    case drain
    case stop
  }

  private let messages = Handover<Message>(capacity: Pipeline.maximumChunks)
  private let spare = Mutex<[PacketChunk]>([])
  private let outlet: FindingsOutlet
  private let stage: StageBox
  private let flowsAreDone = DispatchSemaphore(value: 0)

  /// Starts the threads.
  init(_ stage: StageBox, events: AnalyzerEvents) {
    self.stage = stage
    outlet = FindingsOutlet(stage.stage.verdicts, events)
    stage.stage.outlet = outlet
    let events = EventsBox(events: events)
    Self.start("wiretag flows") { [self] in
      while handle(messages.take(), events.events) {}
      flowsAreDone.signal()
    }
    Self.start("wiretag verdicts") { [outlet] in outlet.run() }
  }

  private static func start(_ label: String, _ body: @escaping @Sendable () -> Void) {
    DispatchQueue(label: label, qos: .userInitiated).async(execute: body)
  }

  /// A chunk to fill.
  func chunk() -> PacketChunk { spare.withLock { $0.popLast() } ?? PacketChunk() }

  func put(_ message: Message) { messages.put(message) }

  /// Waits until everything that was put has been analysed and delivered.
  func drain() {
    messages.put(.drain)
    outlet.drained.wait()
  }

  /// Ends the threads.
  func stop() {
    messages.put(.stop)
    flowsAreDone.wait()
    stage.stage.outlet = nil
    outlet.stop()
    stage.stage.verdicts = outlet.verdicts
  }

  private func handle(_ message: Message, _ events: borrowing AnalyzerEvents) -> Bool {
    switch message {
    case .begin(let capture): stage.stage.begin(capture: capture)
    case .packets(let chunk):
      read(chunk, events)
      chunk.reset()
      spare.withLock { $0.append(chunk) }
    case .advance(let time): stage.stage.advance(to: time, events: events)
    case .finish: stage.stage.finish(events: events)
    case .drain: outlet.flush(andSay: true)
    case .stop: return false
    }
    return true
  }

  private func read(_ chunk: PacketChunk, _ events: borrowing AnalyzerEvents) {
    for (number, name) in chunk.processes where stage.stage.processes[number] == nil {
      stage.stage.processes[number] = name
    }
    let payloads = chunk.payloads
    for i in 0..<chunk.count {
      stage.stage.apply(&chunk.batches[i], bytes: payloads.rawSpan, events: events)
      if let tick = chunk.ticks[i] { stage.stage.advance(to: tick, events: events) }
    }
  }
}

/// The flow stage, where two threads can reach it, one after the other.
final class StageBox {
  var stage: FlowStage
  /// The table's hash seed, which never changes.
  let seed: UInt64

  init(_ stage: consuming FlowStage) {
    seed = stage.table.seed
    self.stage = stage
  }
}

/// Callbacks of a caller who waits. `@unchecked` holds since they are called by one thread at a time.
private struct EventsBox: @unchecked Sendable {
  let events: AnalyzerEvents
}

/// What the flow stage has found, on its way to verdicts and to the caller.
///
/// `@unchecked` holds since `bundle` belongs to the thread of the flows, `verdicts` and `events` to that of the
/// verdicts until it has stopped.
final class FindingsOutlet: @unchecked Sendable {
  enum Finding: Sendable {
    /// A flow that still is to be judged.
    case ended(FlowEnding)
    /// A flow of a call, judged already.
    case judged(FlowEvent)
    case call(ConversationEvent)
  }
  private enum Bundle: Sendable {
    case findings([Finding])
    case drain
    case stop
  }

  private var bundle: [Finding] = []
  private let bundles = Handover<Bundle>(capacity: Pipeline.maximumBundles)
  fileprivate var verdicts: VerdictStage
  private let events: AnalyzerEvents
  /// Signalled when all that was found before a request is delivered.
  let drained = DispatchSemaphore(value: 0)

  init(_ verdicts: VerdictStage, _ events: AnalyzerEvents) {
    self.verdicts = verdicts
    self.events = events
  }

  func put(_ finding: consuming Finding) {
    bundle.append(finding)
    if bundle.count >= Pipeline.bundle { flush() }
  }

  func flush(andSay: Bool = false) {
    if !bundle.isEmpty {
      bundles.put(.findings(bundle))
      bundle = []
      bundle.reserveCapacity(Pipeline.bundle)
    }
    if andSay { bundles.put(.drain) }
  }

  fileprivate func stop() {
    flush()
    bundles.put(.stop)
    drained.wait()
  }

  fileprivate func run() {
    while true {
      switch bundles.take() {
      case .drain: drained.signal()
      case .stop:
        drained.signal()
        return
      case .findings(let findings):
        for finding in findings { deliver(finding) }
      }
    }
  }

  private func deliver(_ finding: Finding) {
    switch finding {
    case .ended(let ending): verdicts.deliver(ending, events)
    case .judged(let event): verdicts.deliver(event, events)
    case .call(let call): events.conversationEnded?(call)
    }
  }
}
