import ArgumentParser
import Capture
import Classify
import Engine
import Regress
import Report

/// `wiretag regress`: holds captures against what is expected of them.
struct Regress: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare a folder of captures with what is expected of them.",
    usage: "wiretag regress [<options>] [<folder>]",
    discussion: """
      Every capture in the folder (.pcap, .pcapng or .cap, also .gz and .zst; folders in it too) is read and held \
      against <folder>/\(CaptureFolder.expectations)/NAME.yaml: flows, tags, services, confidence, kinds of evidence, \
      names, protocols, calls, totals. Flows are known by their ends, not by their numbers. What is taken out of an \
      expectation is not compared: tags alone are a good expectation too.

      --record makes the expectations of captures that have none, and renews those that no longer hold, after \
      printing what changes. Read what it prints. A renewed file keeps the comments at its head, its own tolerance \
      and its choice of fields.

      Exit status: 0 all as expected, or recorded; 1 something differs, has no expectation or cannot be compared; 2 \
      wrong usage, or nothing could be started.

      Examples:
        wiretag regress --record captures
        wiretag regress captures
        wiretag regress captures --junit regress.xml
        wiretag regress captures --only office --record
        wiretag regress --services my.yaml my-captures
      """)

  @Argument(help: ArgumentHelp("The folder of captures.", valueName: "folder"))
  var folder = "captures"

  @Flag(help: "Make and renew expectations from what is found, after printing what changes.")
  var record = false

  @Option(
    help: ArgumentHelp(
      "Only this capture: a path inside the folder, a file name, or one without its endings. May be repeated.",
      valueName: "name"))
  var only: [String] = []

  @Option(
    help: ArgumentHelp(
      "How far a confidence may move, where the expectation does not say it itself.", valueName: "0-1"))
  var tolerance = CaptureExpectation.defaultTolerance

  @Option(help: ArgumentHelp("Write the results as JUnit XML too, for a build server.", valueName: "file"))
  var junit: String?

  @Flag(help: "List all differences, not \(DifferenceList.shownDifferences) of a capture.")
  var all = false

  @Option(help: ArgumentHelp("A catalogue of your own beside the one that ships.", valueName: "file"))
  var services: String?

  func validate() throws {
    if folder.isEmpty || folder == "-" { throw ValidationError("a folder of captures is wanted") }
    guard (0...1).contains(tolerance) else { throw ValidationError("--tolerance takes a number from 0 to 1") }
    if junit == "" || junit == "-" { throw ValidationError("--junit takes the name of a file") }
    if record, junit != nil { throw ValidationError("--junit tells of a comparison; it does not go with --record") }
    if only.contains("") { throw ValidationError("--only takes the name of a capture") }
  }

  mutating func run() throws {
    do {
      var captures = try CaptureFolder(folder)
      try captures.keep(only: only)
      var options = AnalyzerOptions()
      do {
        options.shapeModel = try ShapeModel.shipped()
      } catch {
        throw Stop.cannotStart("\(error)")
      }
      let classifier = try makeClassifier(services: services)
      let report = try junit.map { path throws(RegressError) in try ReplacedFile(path) }
      Signals.install()
      var run = RegressRun(
        folder: captures, classifier: classifier, options: options, tolerance: tolerance, isRecording: record,
        limit: all ? nil : DifferenceList.shownDifferences)
      let isGood = run.compare()
      do {
        try report?.replace(with: JUnitReport().xml(run.results, folder: captures.name))
      } catch {
        say(error.description)
        throw Stop.status(1)
      }
      throw Stop.status(isGood ? 0 : 1)
    } catch let error as RegressError {
      throw Stop.cannotStart(error.description)
    }
  }
}

/// The captures of a folder, one after the other.
private struct RegressRun {
  let folder: CaptureFolder
  let classifier: Classifier
  let options: AnalyzerOptions
  let tolerance: Double
  let isRecording: Bool
  let limit: Int?
  private(set) var results: [CaptureResult] = []
  private let output = OutputFile.standardOutput()
  private let text: DifferenceText
  private let progress = Progress()
  private var packets: UInt64 = 0

  init(
    folder: CaptureFolder, classifier: Classifier, options: AnalyzerOptions, tolerance: Double, isRecording: Bool,
    limit: Int?
  ) {
    self.folder = folder
    self.classifier = classifier
    self.options = options
    self.tolerance = tolerance
    self.isRecording = isRecording
    self.limit = limit
    text = DifferenceText(style: Terminal.style(for: output))
  }

  /// Compares or records all, and prints what comes of each.
  /// - Returns: whether nobody needs to look.
  mutating func compare() -> Bool {
    progress.bytesInAll = sizeInAll(folder.captures.map { folder.path(of: $0) })
    let clock = ContinuousClock()
    for capture in folder.captures {
      guard !Signals.wantEnd, output.failure == nil else {
        add(CaptureResult(capture, expectation: folder.expectation(of: capture), .notReached))
        continue
      }
      let start = clock.now
      var (result, file) = examined(capture)
      let spent = (clock.now - start).components
      result.seconds = Double(spent.seconds) + Double(spent.attoseconds) / 1e18
      add(result)
      if let file { write(file, result) }
    }
    for capture in folder.orphans {
      add(CaptureResult(capture, expectation: folder.expectation(of: capture), .captureGone))
    }
    Progress.clear()
    if results.count > 1 { output.write(line: "") }
    output.write(line: text.summary(results))
    output.finish()
    if case .failed(let reason) = output.failure { say(reason) }
    return results.allSatisfy(\.isGood) && (output.failure == nil || output.failure == .closed)
  }

  private mutating func add(_ result: CaptureResult) {
    results.append(result)
    Progress.clear()
    for line in text.lines(result) { output.write(line: line) }
    output.flush()
  }

  /// Writes an expectation, after what changes was printed.
  private mutating func write(_ file: String, _ result: CaptureResult) {
    do throws(RegressError) {
      try ReplacedFile(result.expectation, makesFolders: true).replace(with: file)
    } catch {
      results[results.count - 1].outcome = .failed(error.description)
      output.write(line: "  NOT WRITTEN: \(error.description)")
    }
  }

  /// Reads a capture and its expectation.
  /// - Returns: what came of it, and the text of the expectation where it is to be written.
  private mutating func examined(_ capture: String) -> (CaptureResult, String?) {
    var result = CaptureResult(capture, expectation: folder.expectation(of: capture), .asExpected)
    do throws(RegressError) {
      let expected = try ExpectationFile(ifAnyAt: result.expectation)
      let findings = try findings(folder.path(of: capture))
      guard !findings.isInterrupted else {
        result.outcome = .notReached
        return (result, nil)
      }
      result.flowCount = findings.flowCount
      guard let expected else {
        result.outcome = isRecording ? .recorded(findings.flowsByTag) : .notExpected
        return (result, isRecording ? findings.found.yaml(capture: lastPart(capture)) : nil)
      }
      let comparison = Comparison(expected: expected.expectation, found: findings.found, tolerance: tolerance)
      guard !comparison.differences.isEmpty else { return (result, nil) }
      let differences = DifferenceList(comparison, limit: limit)
      result.outcome = isRecording ? .renewed(differences) : .different(differences)
      return (result, isRecording ? comparison.renewed.yaml(capture: lastPart(capture), renewing: expected) : nil)
    } catch {
      result.outcome = .failed(error.description)
      return (result, nil)
    }
  }

  private mutating func findings(_ path: String) throws(RegressError) -> Findings {
    let (progress, before) = (progress, packets)
    defer {
      progress.bytesBefore &+= progress.position
      progress.position = 0
    }
    let findings: Findings
    do throws(CaptureError) {
      var source = WatchedFile(file: try CaptureFile.open(path: path), progress: progress)
      findings = Findings(&source, name: path, classifier: classifier, options: options) { packets in
        progress.update(packets: before &+ packets)
        return !Signals.wantEnd
      }
      for notice in source.file.notices { say(notice) }
    } catch {
      throw RegressError(error.description)
    }
    packets &+= findings.packets
    guard !findings.isTooLong else {
      throw RegressError(
        "\(path): has more than the \(CaptureExpectation.maximumFlows) flows that are compared; cut it into parts (editcap -i)"
      )
    }
    return findings
  }
}
