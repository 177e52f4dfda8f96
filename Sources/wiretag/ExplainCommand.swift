import ArgumentParser
import Classify
import Report

/// `wiretag explain`: why each flow got its tag.
struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say why each flow got its tag.",
    usage: "wiretag explain [<options>] <file> [-- <filter expression>]",
    discussion: """
      Each flow's evidence as an account: what was seen, what it speaks for, how many bits it weighs, then the \
      verdict, how sure it is, and what it does not say. Without --flow: the flows for which there is evidence, up to \
      \(Explainer.maximumFlows), in the order of their numbers.

      Examples:
        wiretag explain capture.pcapng
        wiretag explain capture.pcapng --flow 7
        wiretag explain capture.pcapng --tag push -- host 192.0.2.9
      """)

  @Argument(help: ArgumentHelp("The capture; - is standard input.", valueName: "file"))
  var file: String

  @Option(help: ArgumentHelp("Only this flow, by the flow_id that read prints.", valueName: "n"))
  var flow: UInt64?

  @Option(help: ArgumentHelp("Only flows with this tag.", valueName: "push|messaging|calling|other"))
  var tag: Tag?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write to this file instead of standard output ('-').", valueName: "file"))
  var output = "-"

  @OptionGroup var analysis: AnalysisOptions

  func validate() throws {
    if file.isEmpty { throw ValidationError("the file name is empty") }
    if flow == 0 { throw ValidationError("flows are numbered from 1") }
  }

  mutating func run() throws {
    let filter = try analysis.wholeFilter()
    let classifier = try makeClassifier(services: analysis.services)
    let explainer = Explainer(flow: flow, tag: tag)
    Signals.install()
    var run = FileRun(
      classifier: classifier, options: try analysis.analyzerOptions(), filter: filter, sink: explainer)
    try run.read([file], output: output)
    throw Stop.status(run.finish())
  }
}

/// Collects the flows to explain and prints their ledgers.
final class Explainer: RunSink {
  /// Flows that are explained in a run: those with the lowest numbers.
  static let maximumFlows = 100

  private let flow: UInt64?
  private let tag: Tag?
  private var output = OutputFile.standardOutput()
  private var kept: [FlowEvent] = []
  private var calls: [ConversationEvent] = []
  private var matching: UInt64 = 0
  private var highest: UInt64 = 0

  init(flow: UInt64?, tag: Tag?) {
    self.flow = flow
    self.tag = tag
  }

  var canProceed: Bool { output.failure == nil && !Signals.wantEnd }

  func open(_ path: String) throws {
    guard path != "-" else { return }
    do throws(OutputFailure) {
      output = try OutputFile.create(path)
    } catch {
      guard case .failed(let text) = error else { throw Stop.cannotStart("the output is closed") }
      throw Stop.cannotStart(text)
    }
  }

  func ended(_ flow: FlowEvent) {
    highest = max(highest, flow.id)
    let isWanted = self.flow.map { $0 == flow.id } ?? (!flow.verdict.evidence.isEmpty || flow.verdict.tag != .other)
    guard isWanted, tag == nil || tag == flow.verdict.tag else { return }
    matching += 1
    let place = kept.firstIndex { $0.id > flow.id } ?? kept.count
    if place < Self.maximumFlows { kept.insert(flow, at: place) }
    if kept.count > Self.maximumFlows { kept.removeLast() }
  }

  func ended(_ call: ConversationEvent) {
    if calls.count < Self.maximumFlows { calls.append(call) }
  }

  func packet(_ packet: PacketEvent) {}

  func finish(_ stats: StatsEvent) -> Bool {
    let style = Terminal.style(for: output)
    let ledger = Ledger(style: style)
    for (index, flow) in kept.enumerated() {
      if index > 0 { output.write(line: "") }
      for line in ledger.lines(flow) { output.write(line: line) }
    }
    // Of a single flow, the call that it belongs to; otherwise those of the flows that are explained.
    let explained = Set(kept.compactMap(\.conversation))
    let calls = calls.filter { explained.contains($0.id) || !explained.isDisjoint(with: $0.merged) }
    for line in CallOverview(style: style).lines(calls.sorted { $0.id < $1.id }, hidden: 0) { output.write(line: line) }
    output.finish()
    if case .failed(let text) = output.failure { say(text) }
    let hidden = matching - UInt64(kept.count)
    if hidden > 0 {
      let others = hidden == 1 ? "1 more flow is" : "\(hidden) more flows are"
      say("\(others) not explained here: choose with --flow N, --tag or --filter")
    }
    if kept.isEmpty { return explainAbsence() && (output.failure == nil || output.failure == .closed) }
    return output.failure == nil || output.failure == .closed
  }

  /// Says why nothing was printed; whether that is fine.
  private func explainAbsence() -> Bool {
    if let flow {
      let numbers = highest == 0 ? "there is none at all" : "flows are numbered 1 to \(highest)"
      say("there is no flow \(flow) here\(tag.map { " tagged \($0.rawValue)" } ?? ""): \(numbers)")
      return false
    }
    say("no flow here has evidence to explain")
    return true
  }
}
