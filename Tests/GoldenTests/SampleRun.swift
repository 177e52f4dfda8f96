import Capture
import Classify
import Engine
import Foundation
import Report

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

  /// The objects of `--format jsonl`: flows by number, then the stats.
  func records() throws -> [[String: Any]] {
    var json = JSONLines()
    let lines = flows.map { json.line($0) } + [json.line(stats)]
    return try lines.map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
      guard let object else { throw CocoaError(.fileReadCorruptFile) }
      return object
    }
  }
}
