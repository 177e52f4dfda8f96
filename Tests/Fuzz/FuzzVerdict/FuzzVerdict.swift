import Bytes
import Capture
import Classify
import Engine
import Report

/// Loaded once: it is no input.
private let classifier = try? Classifier(catalogue: Catalogue.shipped())

/// The whole way from a capture in memory to the records of its flows: each one line, no packet counted twice.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzVerdict(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  guard let classifier else { preconditionFailure("the shipped catalogue does not load") }
  // Safe: libFuzzer lends `size` bytes for the call.
  let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
  guard var file = try? CaptureFile.open(bytes: bytes) else { return 0 }
  var options = AnalyzerOptions()
  options.maximumFlows = 64
  options.wantsPackets = true
  var analyzer = Analyzer(classifier: classifier, options: options)
  var printers = Printers(width: Int(bytes.last ?? 0))
  var flows: UInt64 = 0
  var packets: UInt64 = 0
  var events = AnalyzerEvents { flow in
    flows += 1
    packets += flow.packetsToServer + flow.packetsToClient
    precondition((0...1).contains(flow.verdict.confidence))
    printers.print(flow)
  }
  events.packet = { printers.print($0) }
  events.flowDecided = { printers.print(decided: $0) }
  do throws(CaptureError) { try analyzer.read(&file, events: events) } catch {}
  analyzer.finish(events: events)
  let stats = analyzer.stats
  precondition(packets <= stats.packets, "flows hold more packets than were read")
  precondition(stats.flows.values.reduce(0, +) == flows)
  printers.print(stats)
  return 0
}

/// Every form of output; what a capture says must not reach a terminal as anything but text.
private struct Printers {
  private var records = JSONLines(includesShape: true)
  private var table = CSV()
  private var summary = RunSummary()
  private let style: TextStyle

  init(width: Int) { style = TextStyle(width: width, isUnicode: width & 1 == 0) }

  mutating func print(_ flow: FlowEvent) {
    check(records.line(flow))
    // Rows end in CR LF (RFC 4180, section 2).
    let row = table.line(flow)
    precondition(row.suffix(2) == [0x0d, 0x0a])
    check(row.dropLast(2) + [0x0a])
    summary.add(flow)
    check(Ledger(style: style).lines(flow))
    check([FlowLine(style: style).line(flow)])
  }

  mutating func print(decided flow: FlowEvent) { check(records.decision(flow)) }

  mutating func print(_ packet: PacketEvent) {
    check(records.line(packet))
    check([FlowLine(style: style).line(packet)])
  }

  mutating func print(_ stats: StatsEvent) {
    check(records.line(stats))
    check(FlowOverview(title: "capture", style: style).lines(summary, stats))
  }

  private func check(_ line: [UInt8]) {
    precondition(line.last == 0x0a && line.dropLast().allSatisfy { $0 >= 0x20 }, "a record is one line of text")
  }

  private func check(_ lines: [String]) {
    precondition(lines.allSatisfy { $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f } }, "a line is one line of text")
  }
}
