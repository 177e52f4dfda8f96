import Censor
import Classify
import Engine
import Report
import Synchronization

/// Takes what an analysis finds and prints it in the format that was asked for.
///
/// A class, because the analysis's callbacks share it; it is used from one thread.
final class Reporter: RunSink {
  let format: Format
  let tag: Tag?
  /// Policies that look on, where some were asked for.
  var watch: PolicyWatch?
  private let title: String
  private let showsAll: Bool
  private var output = OutputFile.standardOutput()
  private var style = TextStyle()
  private var summary: RunSummary
  private var json: JSONLines
  private var csv = CSV()
  private var spool: PacketSpool?

  init(title: String, options: OutputOptions) {
    self.title = title
    format = options.format
    tag = options.tag
    showsAll = options.all
    json = JSONLines(includesShape: options.shape)
    summary = RunSummary(flowsPerTag: showsAll ? RunSummary.allFlows : RunSummary.shownFlows)
  }

  /// Opens where the output goes, and begins it.
  func open(_ path: String) throws {
    if path != "-" {
      do throws(OutputFailure) {
        output = try OutputFile.create(path)
      } catch {
        throw Stop.cannotStart(words(error))
      }
    }
    style = Terminal.style(for: output)
    if format == .csv { output.write(csv.header()) }
  }

  /// Keeps packets until their flows have ended.
  func keepPackets() throws {
    do throws(OutputFailure) {
      spool = try PacketSpool()
    } catch {
      throw Stop.cannotStart(words(error))
    }
  }

  /// Whether it makes sense to go on: the output takes what is written, and nobody asked for the end.
  /// May be asked by another thread than the one that prints.
  var canProceed: Bool { !hasFailed.load(ordering: .relaxed) && !Signals.wantEnd }

  private let hasFailed = Atomic(false)

  private func noteFailure() {
    if output.failure != nil || spool?.failure != nil { hasFailed.store(true, ordering: .relaxed) }
  }

  var isSelective: Bool { format == .table || tag != nil }

  /// Counts a flow that has ended.
  /// - Returns: whether the flow itself is to be printed.
  func wants(_ flow: FlowCount) -> Bool {
    spool?.flowEnded(flow.id, tag: flow.tag, service: flow.service)
    if format == .table { return summary.add(flow) }
    return tag == nil || flow.tag == tag
  }

  /// Prints a flow that has ended and that is wanted.
  func ended(_ flow: FlowEvent) {
    switch format {
    case .table: summary.keep(flow)
    case .jsonl: output.write(json.line(flow))
    case .csv: output.write(csv.line(flow))
    }
    noteFailure()
  }

  /// Prints a flow that goes on and whose tag has just been decided.
  func decided(_ flow: FlowEvent) {
    guard tag == nil || flow.verdict.tag == tag else { return }
    switch format {
    case .table: output.write(line: FlowLine(style: Terminal.style(for: output)).line(flow))
    case .jsonl: output.write(json.decision(flow))
    case .csv: break
    }
    noteFailure()
  }

  /// Prints what a policy would do.
  func acted(_ act: PolicyAct) {
    guard tag == nil || act.tag == nil || act.tag == tag else { return }
    switch format {
    case .table: output.write(line: act.line(Terminal.style(for: output)))
    case .jsonl: output.write(act.json())
    case .csv: break
    }
    noteFailure()
  }

  /// Prints a call whose last flow has ended.
  func ended(_ call: ConversationEvent) {
    guard tag == nil || tag == .calling else { return }
    switch format {
    case .table: summary.add(call)
    case .jsonl: output.write(json.line(call))
    case .csv: break
    }
  }

  /// Keeps a packet.
  func packet(_ packet: PacketEvent) {
    spool?.add(packet)
    noteFailure()
  }

  /// Writes what waits, for a reader who watches.
  func flush() {
    output.flush()
    noteFailure()
  }

  /// Prints the packets and what closes the output.
  /// - Returns: whether everything was printed; a line said why not.
  func finish(_ stats: StatsEvent) -> Bool {
    Progress.clear()
    if format == .table {
      style = Terminal.style(for: output)
      var table = FlowOverview(title: title, style: style)
      table.showsAll = showsAll
      table.onlyTag = tag
      for line in table.lines(summary, stats) { output.write(line: line) }
      if let watch {
        output.write(line: "")
        for line in watch.summary(style) { output.write(line: line) }
      }
    }
    replayPackets()
    if format == .jsonl {
      let line = json.line(stats)
      output.write(watch?.adding(to: line) ?? line)
    }
    output.finish()
    if let failure = spool?.failure { say(failure) }
    if case .failed(let text) = output.failure { say(text) }
    return spool?.failure == nil && (output.failure == nil || output.failure == .closed)
  }

  /// A blank line between what was printed live and the summary.
  func separate() { if format == .table { output.write(line: "") } }

  private func replayPackets() {
    guard spool != nil else { return }
    let line = FlowLine(style: style)
    if format == .table { output.write(line: "") }
    spool?.replay { packet in
      if tag == nil || packet.tag == tag {
        if format == .table { output.write(line: line.line(packet)) } else { output.write(json.line(packet)) }
      }
      return output.failure == nil
    }
  }

  private func words(_ failure: OutputFailure) -> String {
    if case .failed(let text) = failure { return text }
    return "the output is closed"
  }
}
