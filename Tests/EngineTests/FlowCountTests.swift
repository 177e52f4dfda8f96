import Bytes
import Capture
import Classify
import Decode
import Engine
import Foundation
import Protocols
import Report
import Testing

/// A run that only counts flows judges them without reasons: sums may not differ from those of a run that reports them.
@Suite struct FlowCountTests {
  private static let captures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "captures")

  /// What a flow adds to sums, in a form that can be compared; the service's number is known in one run only.
  private func text(_ count: FlowCount) -> String {
    "\(count.tag) \(count.service ?? "-") \(count.isSharedFate) \(count.application?.rawValue ?? "-") "
      + "\(count.transport) \(count.packets) \(count.bytes) \(count.start) \(count.end)"
  }

  private func counts(of path: String, _ classifier: Classifier, _ options: AnalyzerOptions, counting: Bool) throws
    -> (flows: [UInt64: String], counted: Int)
  {
    var flows: [UInt64: String] = [:]
    var counted = 0
    var file = try CaptureFile.open(path: path)
    var analyzer = Analyzer(classifier: classifier, options: options)
    var events = AnalyzerEvents { if !counting { flows[$0.id] = text(FlowCount($0)) } }
    if counting {
      events.wantsFlow = { count in
        flows[count.id] = text(count)
        counted += count.serviceNumber >= 0 ? 1 : 0
        return false
      }
    }
    try analyzer.read(&file, events: events)
    analyzer.finish(events: events)
    return (flows, counted)
  }

  @Test(arguments: [false, true])
  func samplesCountAsTheyAreReported(withShape: Bool) throws {
    let classifier = Classifier(catalogue: try Catalogue.shipped())
    var options = AnalyzerOptions()
    if withShape { options.shapeModel = try ShapeModel.shipped() }
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.captures.path)
      .filter { $0.hasSuffix(".pcapng") }.sorted()
    #expect(files.count >= 20)
    var counted = 0
    for file in files {
      let path = Self.captures.appending(path: file).path
      let reported = try counts(of: path, classifier, options, counting: false)
      let sums = try counts(of: path, classifier, options, counting: true)
      #expect(!sums.flows.isEmpty, "\(file)")
      #expect(sums.flows == reported.flows, "\(file)")
      counted += sums.counted
    }
    #expect(counted >= 100, "hardly any flow was judged without its reasons")
  }
}
