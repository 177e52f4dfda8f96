import ArgumentParser
import Capture
import Classify
import Engine
import Report

/// `wiretag read`: analyses captures.
struct Read: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Analyze captures: pcap and pcapng, also in gzip or zstd.",
    usage: "wiretag read [<options>] <file> ... [-- <filter expression>]",
    discussion: """
      Everything after -- is a filter expression, so that it cannot be taken for a file. With --format jsonl, flows \
      come in the order in which they end, then the packets with --packets, then one stats object.

      Examples:
        wiretag read capture.pcapng
        wiretag read --format jsonl *.pcap.gz > flows.jsonl
        tcpdump -w - | wiretag read -
        wiretag read --tag push capture.pcap -- host 192.0.2.9 and tcp
        wiretag read --continue ring_00001.pcap ring_00002.pcap
      """)

  @Argument(help: ArgumentHelp("Captures; - is standard input.", valueName: "file"))
  var files: [String]

  @Flag(
    name: .customLong("continue"), help: "Take the files as one rotated series: flows go on from one to the next.")
  var isSeries = false

  @Flag(help: "Print each packet too, with the tag that its flow ended with (table and jsonl).")
  var packets = false

  @Option(
    help: ArgumentHelp(
      "Threads to work with: from 2 on, reading, flows and verdicts each have one. The output is the same.",
      valueName: "count"))
  var jobs = 1

  @OptionGroup var output: OutputOptions
  @OptionGroup var analysis: AnalysisOptions

  func validate() throws {
    if packets && output.format == .csv {
      throw ValidationError("--packets goes with --format table or jsonl, not csv")
    }
    if files.count(where: { $0 == "-" }) > 1 { throw ValidationError("standard input (-) can be read only once") }
    if jobs < 1 { throw ValidationError("--jobs must be at least 1") }
    if files.contains("") { throw ValidationError("a file name is empty") }
  }

  mutating func run() throws {
    var options = try analysis.analyzerOptions()
    options.wantsPackets = packets
    options.jobs = jobs
    options.wantsShape = output.shape
    let filter = try analysis.wholeFilter()
    let classifier = try makeClassifier(services: analysis.services)
    let isOne = files.count == 1
    let reporter = Reporter(
      title: isOne ? (files[0] == "-" ? "standard input" : lastPart(files[0])) : "\(files.count) captures",
      options: output)
    if packets { try reporter.keepPackets() }
    Signals.install()
    var run = FileRun(classifier: classifier, options: options, filter: filter, sink: reporter)
    run.isSeries = isSeries
    try run.read(files, output: output.output)
    throw Stop.status(run.finish())
  }
}

/// The last part of a path.
func lastPart(_ path: String) -> String {
  path.split(separator: "/").last.map { String($0) } ?? path
}
