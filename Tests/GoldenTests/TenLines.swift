import Capture
import Classify
import Engine
import Report

/// The example of README.md and of the documentation: what is printed there is compiled and run here.
/// - Returns: what the example prints.
func tenLines() throws -> [String] {
  var printed: [String] = []
  func print(_ items: Any...) { printed.append(items.map { "\($0)" }.joined(separator: " ")) }

  let classifier = Classifier(catalogue: try Catalogue.shipped())
  var analyzer = Analyzer(classifier: classifier)
  var file = try CaptureFile.open(path: "captures/first-look.pcapng")
  let events = AnalyzerEvents { flow in
    print(flow.verdict.tag, flow.verdict.service ?? "-", flow.verdict.confidence, flow.destination)
  }
  try analyzer.read(&file, events: events)
  analyzer.finish(events: events)
  return printed
}
