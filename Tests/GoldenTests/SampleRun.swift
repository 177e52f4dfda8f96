import Capture
import Classify
import Engine
import Foundation
import Regress
import Report
import Testing

/// The project's own folder, and what a person reads there.
enum Project {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Whether what is expected is to be written anew from what is seen.
  static let isRecording = ProcessInfo.processInfo.environment["WIRETAG_RECORD"] == "1"

  /// Names of the sample captures, sorted.
  static let samples: [String] = {
    let endings = [".pcap", ".pcapng", ".pcap.gz", ".pcapng.gz", ".pcap.zst", ".pcapng.zst"]
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.appending(path: "captures").path)
    return (names ?? []).filter { name in endings.contains { name.hasSuffix($0) } }.sorted()
  }()

  static func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: folder.appending(path: path)), as: UTF8.self)
  }
}

/// What one sample capture came to, as `wiretag read` and `wiretag explain` have it.
struct SampleRun {
  var flows: [FlowEvent] = []
  var stats = StatsEvent()
  var summary = RunSummary()

  init(_ sample: String) throws {
    let classifier = Classifier(catalogue: try Catalogue.shipped())
    var analyzer = Analyzer(classifier: classifier)
    var file = try CaptureFile.open(path: Project.folder.appending(path: "captures/\(sample)").path)
    var found: [FlowEvent] = []
    let events = AnalyzerEvents { found.append($0) }
    try analyzer.read(&file, events: events)
    analyzer.finish(events: events)
    stats = analyzer.stats
    for flow in found { summary.add(flow) }
    flows = found.sorted { $0.id < $1.id }
  }

  /// What a sample gives, as `wiretag regress` holds it against what is expected.
  static func comparison(_ sample: String, catalogue: Catalogue? = nil) throws -> Comparison {
    let folder = try CaptureFolder(Project.folder.appending(path: "captures").path)
    let expected = try #require(try ExpectationFile(ifAnyAt: folder.expectation(of: sample)), "nothing is expected")
    var options = AnalyzerOptions()
    options.shapeModel = try ShapeModel.shipped()
    let path = folder.path(of: sample)
    var file = try CaptureFile.open(path: path)
    let classifier = Classifier(catalogue: try catalogue ?? Catalogue.shipped())
    let findings = Findings(&file, name: path, classifier: classifier, options: options)
    return Comparison(expected: expected.expectation, found: findings.found)
  }
}
