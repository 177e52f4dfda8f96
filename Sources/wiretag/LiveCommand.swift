import ArgumentParser
import Capture
import Censor
import Classify
import Engine
import Report

/// `wiretag live`: analyses an interface.
struct Live: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Analyze an interface while packets come.",
    discussion: """
      Prints each flow when its tag is decided, and a summary at the end: after Ctrl-C, -c or --duration. Words after \
      the options are a filter expression. With --format jsonl, a "decision" object comes when a tag is decided and \
      the "flow" object when the flow has ended.

      With --policy it also says what a censor's rules would do to this link, act by act as it happens, and whom they \
      would have hit at the end; nothing is sent or blocked. wiretag censor --list lists the rules.

      Root rights are given up once the interface and the output files are open: to --user, else to who called sudo, \
      else to nobody.

      Examples:
        sudo wiretag live -i eth0
        sudo wiretag live -i any tcp port 5223 or udp port 443
        sudo wiretag live -i wlan0 --duration 60 -w seen.pcapng --format jsonl -o flows.jsonl
        sudo wiretag live -i eth0 --policy block-push-name --policy 'tspu-*'
      """)

  @Option(name: .shortAndLong, help: ArgumentHelp("The interface, or any.", valueName: "name"))
  var interface: String

  @Option(
    name: [.customShort("s"), .customLong("snaplen")],
    help: ArgumentHelp("The most bytes kept of a packet.", valueName: "bytes"))
  var snapshotLength = 262_144

  @Option(
    name: [.customShort("B"), .customLong("buffer")],
    help: ArgumentHelp("The kernel's buffer for packets, in MiB.", valueName: "MiB"))
  var buffer = 64

  @Option(
    help: ArgumentHelp(
      "Share the interface's packets with the others that name this number, each flow whole in one of them (Linux).",
      valueName: "group"))
  var fanout: UInt16?

  @Flag(name: .customLong("no-promiscuous"), help: "Only packets from and to this machine.")
  var isNotPromiscuous = false

  @Option(name: [.customShort("c"), .customLong("count")], help: ArgumentHelp("End after n packets.", valueName: "n"))
  var count: UInt64?

  @Option(help: ArgumentHelp("End after so many seconds.", valueName: "seconds"))
  var duration: Double?

  @Option(
    name: [.customShort("w"), .customLong("write")],
    help: ArgumentHelp("Write the packets to a pcapng file too.", valueName: "file"))
  var write: String?

  @Option(help: ArgumentHelp("Go on as this user when everything is open.", valueName: "name"))
  var user: String?

  @Flag(name: .customLong("keep-privileges"), help: "Keep root rights.")
  var keepsPrivileges = false

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Say what this policy would do: a name, a group, or a pattern with *. May be repeated.", valueName: "name"))
  var policy: [String] = []

  @Option(help: ArgumentHelp("Policies of your own, all of them if --policy picks none.", valueName: "file"))
  var policies: String?

  @OptionGroup var output: OutputOptions
  @OptionGroup var analysis: AnalysisOptions

  @Argument(help: ArgumentHelp("Only packets that match, as --filter.", valueName: "expression"))
  var expression: [String] = []

  func validate() throws {
    if interface.isEmpty { throw ValidationError("-i takes the name of an interface; wiretag interfaces lists them") }
    if !(1...262_144).contains(snapshotLength) {
      throw ValidationError("--snaplen takes a number of bytes from 1 to 262144")
    }
    if !(1...2_047).contains(buffer) { throw ValidationError("--buffer takes a number of MiB from 1 to 2047") }
    if count == 0 { throw ValidationError("-c takes a number of packets from 1") }
    if let duration, !(duration > 0 && duration <= 3_155_760_000) {
      throw ValidationError("--duration takes a number of seconds above 0")
    }
    if user != nil && keepsPrivileges { throw ValidationError("--user and --keep-privileges exclude each other") }
    if let write, write.isEmpty || write == "-" { throw ValidationError("-w takes the name of a file") }
    if !policy.isEmpty || policies != nil, output.format == .csv {
      throw ValidationError("--policy goes with --format table or jsonl: csv has rows for flows only")
    }
    if !policy.isEmpty || policies != nil, analysis.blind || analysis.withoutFingerprints {
      throw ValidationError("--policy looks at what --blind and --no-fingerprints leave out")
    }
    if let write, write == output.output { throw ValidationError("-w and --output name the same file") }
  }

  mutating func run() throws {
    let filter = try analysis.wholeFilter(words: expression)
    let catalogue = try makeCatalogue(services: analysis.services)
    let reporter = Reporter(title: interface, options: output)
    reporter.watch = try makeWatch(catalogue, reporter)
    var options = try analysis.analyzerOptions()
    options.maximumPackets = count
    var live = LiveOptions()
    live.snapshotLength = snapshotLength
    live.bufferBytes = buffer << 20
    live.isPromiscuous = !isNotPromiscuous
    live.filter = filter
    live.fanoutGroup = fanout
    Signals.install()
    throw Stop.status(
      try runLive(
        interface, live, write: write, output: output.output,
        privileges: keepsPrivileges ? .keep : .drop(to: user), duration: duration,
        classifier: Classifier(catalogue: catalogue), options: options, reporter: reporter))
  }

  /// A watch for the policies that were named; nil for none.
  private func makeWatch(_ catalogue: Catalogue, _ reporter: Reporter) throws -> PolicyWatch? {
    guard !policy.isEmpty || policies != nil else { return nil }
    do throws(PolicyError) {
      let picked = try PolicyBook.picked(policy, file: policies, catalogue: catalogue)
      return try PolicyWatch(picked) { [unowned reporter] in reporter.acted($0) }
    } catch {
      for line in error.description.split(whereSeparator: \.isNewline) { say(String(line)) }
      throw Stop.status(2)
    }
  }
}
