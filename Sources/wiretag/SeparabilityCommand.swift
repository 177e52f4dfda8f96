import ArgumentParser
import Foundation
import Regress
import Report
import Separability
import Truth

/// `wiretag separability`: what tells two kinds of traffic apart, and what it would let a censor do.
struct Separability: ParsableCommand {
  /// How the study is printed.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json
  }

  static let configuration = CommandConfiguration(
    abstract: "Identify, detect, act: what tells two kinds of traffic apart, in numbers.",
    usage: "wiretag separability [--between <a,b>] [<options>] <capture or folder> ...",
    discussion: """
      Three questions, three answers. Identify: do addresses, ports, names and fingerprints tell the one from the \
      other? Detect: do sizes, directions and times? Act: what can a box on the path do with it, and whom does it hit?

      What each record was must be known: by decryption (secrets inside a pcapng, or --keylog), by a truth file \
      beside the capture (NAME.truth.jsonl, as the lab writes them), or by a table of your own (--labels). Services \
      and tags may be named too; where no truth says which flows are theirs, Wiretag's verdicts do, and the study \
      says so. Nothing of the truth reaches a verdict.

      A kind is a class of messages (imessage, notifications, facetime, status, identity), a kind of message \
      (imessage.text), a service (whatsapp), the media of its calls (facetime-media), or a tag (calling).

      A folder stands for the captures in it. Each capture counts as one phone: rules are judged on captures that \
      they were not learnt from, and intervals come from drawing captures anew.

      Examples:
        wiretag separability captures --report report.html
        wiretag separability captures --between facetime-media,notifications
        wiretag separability --keylog keys.log mac-monday.pcapng mac-tuesday.pcapng
        wiretag separability phone.pcapng --labels labels.tsv --format json
      """)

  @Argument(help: ArgumentHelp("Captures, or folders of them.", valueName: "capture"))
  var files: [String]

  @Option(
    help: ArgumentHelp(
      "The two kinds of traffic; the first is the one that a censor looks for.", valueName: "a,b"))
  var between = "imessage,notifications"

  @OptionGroup var secrets: SecretOptions

  @Option(
    help: ArgumentHelp(
      "Your own labels: tab-separated, the first line naming start, end and class, and if wanted kind, direction (up, down), client, server, port.",
      valueName: "file"))
  var labels: String?

  @Option(help: ArgumentHelp("Write the study as a page: one HTML file that needs nothing else.", valueName: "file"))
  var report: String?

  @Option(help: "table for a person, json for a program: the whole study as one object.")
  var format = Format.table

  @Option(
    help: ArgumentHelp(
      "What acting does, as tools/lab/act measured it, instead of the measurement that ships.", valueName: "file"))
  var act: String?

  @Option(help: ArgumentHelp("Only packets that match, in the language of pcap-filter(7).", valueName: "expression"))
  var filter: String?

  @Option(help: ArgumentHelp("From what random choices are drawn: the same seed gives the same study.", valueName: "n"))
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("A catalogue of your own beside the one that ships.", valueName: "file"))
  var services: String?

  func validate() throws {
    if files.isEmpty { throw ValidationError("a capture or a folder of captures is wanted") }
    if kinds == nil { throw ValidationError("--between takes two kinds of traffic, as in imessage,notifications") }
    if report == "" || report == "-" { throw ValidationError("--report takes the name of a file") }
  }

  private var kinds: (target: String, background: String)? {
    let words = between.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    guard words.count == 2, words.allSatisfy({ !$0.isEmpty }) else { return nil }
    return (words[0], words[1])
  }

  mutating func run() throws {
    guard let kinds else { return }
    do {
      let table = try labels.map { path throws(TruthError) in try LabelTable(path: path) }
      let measured = try ActTable.measured(path: act)
      let page = try report.map { path throws(RegressError) in try ReplacedFile(path) }
      var reader = TrafficReader(
        classifier: try makeClassifier(services: services), keyLog: try secrets.load(), labels: table)
      Signals.install()
      let status = try readAll(try captures(in: files)) { path, name, proceed in
        try reader.read(path: path, name: name, filter: filter, proceed: proceed)
      }
      for notice in reader.notices { say(notice) }
      var maker = try StudyMaker(reader.traffic, target: kinds.target, background: kinds.background)
      maker.act = measured
      maker.command = command
      maker.seed = seed
      let study = maker.study()
      let isPrinted = print(study)
      try page?.replace(with: String(decoding: SeparabilityPage.html(study), as: UTF8.self))
      throw Stop.status(isPrinted ? status : 1)
    } catch let error as RegressError {
      throw Stop.cannotStart(error.description)
    } catch let error as TruthError {
      throw Stop.cannotStart(error.description)
    } catch let error as StudyError {
      throw Stop.cannotStart(error.description)
    }
  }

  private func print(_ study: Study) -> Bool {
    let output = OutputFile.standardOutput()
    switch format {
    case .json:
      output.write(study.json())
    case .table:
      let style = Terminal.style(for: output)
      for line in SeparabilityText.text(study, bold: { style.paint($0, .heading) })
        .split(separator: "\n", omittingEmptySubsequences: false)
      {
        output.write(line: String(line))
      }
    }
    output.finish()
    guard case .failed(let text) = output.failure else { return true }
    say(text)
    return false
  }

  /// The command as a person would type it again.
  private var command: String {
    var words = ["wiretag", "separability"]
    if between != "imessage,notifications" { words += ["--between", between] }
    if let keylog = secrets.keylog { words += ["--keylog", lastComponent(keylog)] }
    if let labels { words += ["--labels", lastComponent(labels)] }
    if let filter { words += ["--filter", "'\(filter)'"] }
    if let act { words += ["--act", lastComponent(act)] }
    if seed != 1 { words += ["--seed", "\(seed)"] }
    return (words + files.map { lastComponent($0) }).joined(separator: " ")
  }
}
