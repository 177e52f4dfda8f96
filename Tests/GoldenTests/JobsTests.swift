import Capture
import Classify
import Engine
import Foundation
import Report
import Testing

@Suite("Several threads say what one says")
struct JobsTests {
  /// Every line, in its order, over all samples in one run.
  private func lines(jobs: Int, isSeries: Bool, maximumPackets: UInt64? = nil) throws -> [String] {
    var options = AnalyzerOptions()
    options.shapeModel = try ShapeModel.shipped()
    options.jobs = jobs
    options.maximumPackets = maximumPackets
    let found = Lines()
    var events = AnalyzerEvents { found.add($0) }
    events.conversationEnded = { found.add($0) }
    var analyzer = Analyzer(classifier: Classifier(catalogue: try Catalogue.shipped()), options: options)
    for sample in Project.samples {
      var file = try CaptureFile.open(path: Project.folder.appending(path: "captures/\(sample)").path)
      try analyzer.read(&file, capture: sample, events: events)
      if !isSeries { analyzer.finish(events: events) }
    }
    analyzer.finish(events: events)
    found.add(analyzer.stats)
    return found.lines
  }

  @Test(arguments: [false, true])
  func theSameLinesInTheSameOrder(isSeries: Bool) throws {
    let alone = try lines(jobs: 1, isSeries: isSeries)
    #expect(alone.count > 300)
    #expect(try lines(jobs: 3, isSeries: isSeries) == alone)
  }

  @Test(arguments: [UInt64(1), 15, 16, 17, 5000])
  func theSameWhereTheReadingStopsEarly(packets: UInt64) throws {
    #expect(
      try lines(jobs: 2, isSeries: false, maximumPackets: packets)
        == lines(jobs: 1, isSeries: false, maximumPackets: packets))
  }
}

/// The lines of a run. Callbacks come from one thread at a time.
private final class Lines {
  private var json = JSONLines(includesShape: true)
  private(set) var lines: [String] = []

  func add(_ flow: FlowEvent) { lines.append(String(decoding: json.line(flow), as: UTF8.self)) }
  func add(_ call: ConversationEvent) { lines.append(String(decoding: json.line(call), as: UTF8.self)) }
  func add(_ stats: StatsEvent) { lines.append(String(decoding: json.line(stats), as: UTF8.self)) }
}
