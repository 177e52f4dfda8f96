import ArgumentParser
import Capture
import Censor
import Classify
import Regress
import Report
import Separability
import Truth

/// `wiretag censor`: what each of a censor's rules would have hit.
struct Censor: ParsableCommand {
  /// How the matrix is printed.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, csv
  }

  /// A study that runs over the matrix.
  enum Study: String, ExpressibleByArgument, CaseIterable {
    case faceTimeAgainstIMessage = "facetime-vs-imessage"
  }

  static let configuration = CommandConfiguration(
    abstract: "What a censor's rules would have hit: policies by services, and what each costs others.",
    usage: "wiretag censor [<options>] <capture or folder> ...",
    discussion: """
      Plays policies over captures, in the packets' own time, and counts service by service what each would have cut, \
      slowed or kept from beginning. Wiretag blocks nothing: it says what would have happened.

      A flow is hit from the packet at which the box would have acted; later flows meet what the box remembers; a \
      service that is known to go on in another way is counted apart. Where truth is known (secrets in the capture or \
      --keylog, a truth file beside it) messages are counted: lost, or more than a second late. Every figure says by \
      what it is known.

      Policies are data: those that ship have their sources, and --policies reads your own (the format is described in \
      the documentation, Policies). --policy takes names, groups and patterns: tspu-*, China.

      Examples:
        wiretag censor captures --report matrix.html
        wiretag censor captures --explain block-push-name,notifications
        wiretag censor captures --study facetime-vs-imessage --report answer.html
        wiretag censor phone.pcapng --policies mine.yaml --format csv
        wiretag censor captures --evasions
        wiretag censor --list
      """)

  @Argument(help: ArgumentHelp("Captures, or folders of them.", valueName: "capture"))
  var files: [String] = []

  @Option(help: ArgumentHelp("Policies of your own, in place of those that ship.", valueName: "file"))
  var policies: String?

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Only these: a name, a group, or a pattern with *. With --policies, also of those that ship. May be repeated.",
      valueName: "name"))
  var policy: [String] = []

  @Flag(help: "List the policies with what they do and where they are known from.")
  var list = false

  @Option(help: ArgumentHelp("Why a policy hits a service, in words.", valueName: "policy,service"))
  var explain: String?

  @Option(help: ArgumentHelp("Answer a question from the matrix.", valueName: "facetime-vs-imessage"))
  var study: Study?

  @Flag(
    help:
      "Rewrite the captures' ClientHellos as evaders do, and say which policies and whether Wiretag still read them.")
  var evasions = false

  @Option(help: ArgumentHelp("Write a page: one HTML file that needs nothing else.", valueName: "file"))
  var report: String?

  @Option(help: ArgumentHelp("Write what became of each message, as CSV.", valueName: "file"))
  var messages: String?

  @Option(help: "table for a person, json and csv for a program.")
  var format = Format.table

  @Option(
    help: ArgumentHelp(
      "Switch the rules on at this moment of the capture, as 2026-01-31T12:00:00Z; from the beginning if not given.",
      valueName: "time"))
  var begin: String?

  @Flag(
    name: .customLong("break"),
    help: "Break push connections that stand at --begin, so that phones have to say hello to the rules.")
  var breaksFirst = false

  @OptionGroup var secrets: SecretOptions

  @Option(help: ArgumentHelp("Your own labels, as of wiretag separability.", valueName: "file"))
  var labels: String?

  @Option(help: ArgumentHelp("Only packets that match, in the language of pcap-filter(7).", valueName: "expression"))
  var filter: String?

  @Option(
    help: ArgumentHelp("From what random choices are drawn: the same seed gives the same figures.", valueName: "n"))
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("A catalogue of your own beside the one that ships.", valueName: "file"))
  var services: String?

  func validate() throws {
    if files.isEmpty, !list { throw ValidationError("a capture or a folder of captures is wanted") }
    if report == "" || report == "-" { throw ValidationError("--report takes the name of a file") }
    if messages == "" || messages == "-" { throw ValidationError("--messages takes the name of a file") }
    if explain != nil, explained == nil {
      throw ValidationError("--explain takes a policy and a service, as in block-push-name,notifications")
    }
    if evasions, study != nil || explain != nil || report != nil || messages != nil || format == .csv {
      throw ValidationError("--evasions goes with --policy, --policies and --format table or json only")
    }
    if explain != nil, study != nil { throw ValidationError("--explain and --study exclude each other") }
    if breaksFirst, begin == nil { throw ValidationError("--break needs --begin") }
    if begin != nil, beginTime == nil { throw ValidationError("--begin takes a time as 2026-01-31T12:00:00Z") }
  }

  private var explained: (policy: String, column: String)? {
    let words = (explain ?? "").split(separator: ",", maxSplits: 1).map(String.init)
    return words.count == 2 ? (words[0], words[1]) : nil
  }

  /// Nanoseconds since 1970.
  private var beginTime: Int64? { begin.flatMap { LabelTable.nanoseconds($0) } }

  mutating func run() throws {
    do {
      let catalogue = try makeCatalogue(services: services)
      let picked = try PolicyBook.picked(policy, file: policies, catalogue: catalogue)
      var rules = LearntRules(for: picked)
      let policies = rules.marked(picked)
      if list { return try print(PolicyListing.text(policies)) }
      if evasions { return try checkEvasions(policies, Classifier(catalogue: catalogue)) }
      let table = try labels.map { path throws(TruthError) in try LabelTable(path: path) }
      let page = try report.map { path throws(RegressError) in try ReplacedFile(path) }
      let listing = try messages.map { path throws(RegressError) in try ReplacedFile(path) }
      var reader = TraceReader(
        classifier: Classifier(catalogue: catalogue), keyLog: try secrets.load(), labels: table,
        wantsRecords: !rules.isEmpty)
      let rows = MessageListing()
      var maker = CollateralMaker(
        policies, recovery: try RecoveryBook.shipped(), begin: beginTime ?? .min, breaksFirst: breaksFirst, seed: seed,
        listing: listing == nil ? nil : { rows.add($0) })
      Signals.install()
      // Rules are learnt from all captures, so those with anything to learn from wait for the last.
      var waiting: [Trace] = []
      let status = try readAll(try captures(in: files)) { path, name, proceed in
        let trace = try reader.read(path: path, name: name, filter: filter, proceed: proceed)
        if trace.canTeach { waiting.append(trace) } else { maker.add(trace) }
      }
      rules.learn(from: reader.traffic)
      for at in waiting.indices {
        rules.mark(&waiting[at])
        maker.add(waiting[at])
        waiting[at] = Trace()
      }
      for notice in reader.notices { say(notice) }
      var collateral = maker.collateral()
      collateral.command = command
      collateral.notices += rules.notices + reader.notices
      try print(try text(of: collateral))
      try page?.replace(with: try html(of: collateral))
      try listing?.replace(with: rows.text)
      throw Stop.status(status)
    } catch let error as RegressError {
      throw Stop.cannotStart(error.description)
    } catch let error as TruthError {
      throw Stop.cannotStart(error.description)
    } catch let error as PolicyError {
      for line in error.description.split(whereSeparator: \.isNewline) { say(String(line)) }
      throw Stop.status(2)
    }
  }

  private func checkEvasions(_ policies: [Policy], _ classifier: Classifier) throws {
    var check = EvasionCheck(classifier: classifier, policies: policies)
    Signals.install()
    let status = try readAll(try captures(in: files)) { path, name, proceed in
      var file = try CaptureFile.open(path: path, filter: filter)
      defer { for notice in file.notices { say(notice) } }
      _ = proceed(0)
      try check.read(&file, name: name)
    }
    let report = try check.report()
    let style = Terminal.style(for: OutputFile.standardOutput())
    try print(
      format == .json
        ? String(decoding: report.json(), as: UTF8.self)
        : EvasionText.text(report, width: style.width, bold: { style.paint($0, .heading) }))
    throw Stop.status(status)
  }

  private func text(of collateral: Collateral) throws -> String {
    let style = Terminal.style(for: OutputFile.standardOutput())
    if let explained {
      return try CellExplanation.text(collateral, policy: explained.policy, column: explained.column)
    }
    if study != nil { return FaceTimeStudyText.text(FaceTimeStudy(collateral, act: try ActTable.measured(path: nil))) }
    switch format {
    case .json: return String(decoding: collateral.json(), as: UTF8.self)
    case .csv: return String(decoding: collateral.csv(), as: UTF8.self)
    case .table:
      return CollateralText.text(collateral, width: style.width, bold: { style.paint($0, .heading) })
    }
  }

  private func html(of collateral: Collateral) throws -> String {
    guard study != nil else { return String(decoding: CollateralPage.html(collateral), as: UTF8.self) }
    return String(
      decoding: FaceTimeStudyPage.html(FaceTimeStudy(collateral, act: try ActTable.measured(path: nil))), as: UTF8.self)
  }

  private func print(_ text: String) throws {
    let output = OutputFile.standardOutput()
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) { output.write(line: String(line)) }
    output.finish()
    guard case .failed(let text) = output.failure else { return }
    say(text)
    throw Stop.status(1)
  }

  /// The command as a person would type it again.
  private var command: String {
    var words = ["wiretag", "censor"]
    if let policies { words += ["--policies", lastComponent(policies)] }
    for name in policy { words += ["--policy", name] }
    if let study { words += ["--study", study.rawValue] }
    if let begin { words += ["--begin", begin] }
    if breaksFirst { words.append("--break") }
    if let keylog = secrets.keylog { words += ["--keylog", lastComponent(keylog)] }
    if let labels { words += ["--labels", lastComponent(labels)] }
    if let filter { words += ["--filter", "'\(filter)'"] }
    if seed != 1 { words += ["--seed", "\(seed)"] }
    return (words + files.map { lastComponent($0) }).joined(separator: " ")
  }
}
