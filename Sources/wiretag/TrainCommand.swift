import ArgumentParser
import Bytes
import Classify
import Decode
import Engine
import Foundation
import Report
import Training

extension TrainingSet.Grouping: ExpressibleByArgument {}

/// `wiretag train`: learns the shape model from labelled flows.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Learn the shape model from labelled flows, and say how good it is.",
    usage: "wiretag train --labels <file> [<options>] <capture or folder> ...",
    discussion: """
      The model judges a flow by sizes, times and directions of its packets alone. The labels are a table with \
      tab-separated columns, of which the first line names file, proto, ip_a, port_a, ip_b, port_b and tag (push, \
      messaging, calling, other, or ? for flows to leave out); more columns do no harm. Names under file are taken \
      from the folder of the table, or from a folder that is given; only captures with labels are read.

      What is printed is measured out of fold: each capture is judged by a model that saw neither it nor any capture \
      that shares a flow with it. The model that is written has learnt from all flows. The same captures and labels \
      give the same model.

      Examples:
        wiretag train --labels corpus/labels.tsv corpus
        wiretag train --labels labels.tsv --output shape.yaml calls/*.pcap
        wiretag train --labels corpus/labels.tsv --group folder corpus
      """)

  @Option(help: ArgumentHelp("The labels.", valueName: "file"))
  var labels: String

  @Option(help: ArgumentHelp("Parts that the captures are dealt out to, from 2 to 100.", valueName: "n"))
  var folds = 10

  @Option(help: ArgumentHelp("What is held out together: a capture, or a whole folder.", valueName: "file|folder"))
  var group = TrainingSet.Grouping.file

  @Option(
    help: ArgumentHelp("The probability that a tag other than other must have to be said.", valueName: "0.25-1"))
  var clear = 0.5

  @Option(help: ArgumentHelp("The day that the model says it was made on.", valueName: "YYYY-MM-DD"))
  var date: String?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write the model to this file; without it, only figures.", valueName: "file")
  )
  var output: String?

  @Argument(help: ArgumentHelp("Captures, or folders of captures.", valueName: "capture or folder"))
  var captures: [String]

  func validate() throws {
    guard (2...100).contains(folds) else { throw ValidationError("--folds takes a number from 2 to 100") }
    guard (0.25...1).contains(clear) else { throw ValidationError("--clear takes a number from 0.25 to 1") }
    if output == "" || output == "-" { throw ValidationError("--output takes the name of a file") }
    if captures.contains("") || captures.contains("-") {
      throw ValidationError("captures are files or folders: standard input has no name to look its labels up by")
    }
    if let date, date.wholeMatch(of: /\d{4}-\d{2}-\d{2}/) == nil {
      throw ValidationError("--date takes a day as YYYY-MM-DD")
    }
  }

  mutating func run() throws {
    do {
      let table = try LabelTable(path: labels)
      let inputs = try LabelledCaptures(table: table, labels: labels, arguments: captures)
      let collector = ShapeCollector(table: table, names: inputs.names)
      let status = try read(inputs.paths, collector)
      guard !Signals.wantEnd else { throw Stop.status(status) }
      let set = try TrainingSet(collector.flows, grouping: group)
      let day = date ?? String(dateAndTime().prefix(10))
      let run = try CrossValidation(
        set, folds: folds, clear: clear, origin: "wiretag train, \(day)",
        command: "wiretag train --labels \(lastPart(labels)) --folds \(folds) --group \(group.rawValue) "
          + captures.map { lastPart($0) }.joined(separator: " "))
      try write(run)
      throw Stop.status(status)
    } catch let error as TrainingError {
      throw Stop.cannotStart(error.description)
    }
  }

  private func read(_ paths: [String], _ collector: ShapeCollector) throws -> Int32 {
    var options = AnalyzerOptions()
    options.wantsFingerprints = false
    let classifier = try makeClassifier(services: nil)
    Signals.install()
    var run = FileRun(classifier: classifier, options: options, filter: nil, sink: collector)
    collector.onlyPath = paths.count == 1 ? paths.first : nil
    try run.read(paths, output: output ?? "-")
    return run.finish()
  }

  private func write(_ run: CrossValidation) throws {
    if let output {
      do throws(OutputFailure) {
        let file = try OutputFile.create(output)
        file.write(Array(run.model.yaml.utf8))
        file.finish()
        if let failure = file.failure { throw failure }
      } catch {
        guard case .failed(let text) = error else { throw Stop.cannotStart("the output is closed") }
        throw Stop.cannotStart(text)
      }
    }
    let page = OutputFile.standardOutput()
    for line in TrainingReport(run, grouping: group).lines { page.write(line: line) }
    page.finish()
    guard case .failed(let text) = page.failure else { return }
    say(text)
    throw Stop.status(1)
  }

  /// Now, in UTC, as ISO 8601.
  private func dateAndTime() -> String { Date.now.formatted(.iso8601) }
}

/// The captures that have labels, among those that were named.
private struct LabelledCaptures {
  /// Where they are, in the order of their names.
  private(set) var paths: [String] = []
  /// What the labels call each of the paths.
  private(set) var names: [String: String] = [:]

  init(table: LabelTable, labels: String, arguments: [String]) throws {
    let base = URL(filePath: labels).deletingLastPathComponent()
    let files = table.files
    for argument in arguments {
      guard FileManager.default.fileExists(atPath: argument) else {
        throw Stop.cannotStart("\(argument): no such file or folder")
      }
      let isFolder = try? URL(filePath: argument).resourceValues(forKeys: [.isDirectoryKey]).isDirectory
      let path = Self.whole(URL(filePath: argument))
      for file in files {
        let fromBase = Self.whole(base.appending(path: file))
        if isFolder == true {
          let own = Self.whole(URL(filePath: argument).appending(path: file))
          let found = [own, fromBase].first {
            $0.hasPrefix(path + "/") && FileManager.default.fileExists(atPath: $0)
          }
          if let found { add(found, file) }
        } else if path == fromBase || path.hasSuffix("/" + file) {
          add(path, file)
        }
      }
    }
    guard !paths.isEmpty else {
      throw Stop.cannotStart(
        "none of these captures has a label: \(labels) names, for one, \(files.first ?? "no file") under file")
    }
    paths.sort { (names[$0] ?? "", $0) < (names[$1] ?? "", $1) }
  }

  private mutating func add(_ path: String, _ name: String) {
    guard names.updateValue(name, forKey: path) == nil else { return }
    paths.append(path)
  }

  private static func whole(_ url: URL) -> String { url.standardizedFileURL.path(percentEncoded: false).trimmed }
}

extension String {
  /// Without slashes at the end.
  fileprivate var trimmed: String {
    var text = self[...]
    while text.count > 1, text.last == "/" { text = text.dropLast() }
    return String(text)
  }
}

/// Keeps the shapes of the labelled flows of a run.
private final class ShapeCollector: RunSink {
  private let table: LabelTable
  private let names: [String: String]
  private(set) var flows: [LabelledShape] = []
  /// The capture of flows that name none: the only one.
  var onlyPath: String?

  init(table: LabelTable, names: [String: String]) {
    self.table = table
    self.names = names
  }

  var canProceed: Bool { !Signals.wantEnd }

  func open(_ path: String) throws {}

  func ended(_ flow: FlowEvent) {
    guard let path = flow.capture ?? onlyPath, let name = names[path] else { return }
    let isTCP = flow.transport == .tcp
    let tag = table.tag(
      file: name, isTCP: isTCP, flow.source, flow.sourcePort, flow.destination, flow.destinationPort)
    guard let tag else { return }
    flows.append(
      LabelledShape(
        file: name,
        identity:
          "\(isTCP) \(flow.source) \(flow.sourcePort) \(flow.destination) \(flow.destinationPort) \(flow.start)",
        tag: tag, isTCP: isTCP, nanoseconds: flow.end &- flow.start, shape: flow.shape))
  }

  func ended(_ call: ConversationEvent) {}

  func packet(_ packet: PacketEvent) {}

  func finish(_ stats: StatsEvent) -> Bool { true }
}
