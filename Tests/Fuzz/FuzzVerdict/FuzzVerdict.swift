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
  var analyzer = Analyzer(classifier: classifier, options: options)
  var lines = JSONLines()
  var flows: UInt64 = 0
  var packets: UInt64 = 0
  let events = AnalyzerEvents { flow in
    flows += 1
    packets += flow.packetsToServer + flow.packetsToClient
    let line = lines.line(flow)
    precondition(line.last == 0x0a && line.dropLast().allSatisfy { $0 >= 0x20 }, "a record is one line of text")
    precondition((0...1).contains(flow.verdict.confidence))
  }
  do throws(CaptureError) { try analyzer.read(&file, events: events) } catch {}
  analyzer.finish(events: events)
  let stats = analyzer.stats
  precondition(packets <= stats.packets, "flows hold more packets than were read")
  precondition(stats.flows.values.reduce(0, +) == flows)
  return 0
}
