import ArgumentParser
import Classify
import Engine

/// How flows are printed.
enum Format: String, ExpressibleByArgument, CaseIterable {
  case table, jsonl, csv
}

extension Tag: ExpressibleByArgument {}

/// What the verbs that analyse have in common.
struct AnalysisOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A catalogue of your own beside the one that ships.", valueName: "file"))
  var services: String?

  @Option(
    name: .customLong("max-flows"),
    help: ArgumentHelp("The most flows open at a time; beyond it the longest idle one is ended.", valueName: "n"))
  var maximumFlows = AnalyzerOptions().maximumFlows

  @Option(
    help: ArgumentHelp(
      "The most memory to take, such as 300M or 2G; beyond it the oldest undecided flows are read no further, then idle flows end early.",
      valueName: "size"))
  var memory: MemorySize?

  @Flag(name: .customLong("no-fingerprints"), help: "Leave out JA3, JA3S and JA4, which cost more than all the rest.")
  var withoutFingerprints = false

  @Flag(help: "Judge by sizes and times alone (TLS record lengths too): no content, name, address or port.")
  var blind = false

  @Option(help: ArgumentHelp("Only packets that match, in the language of pcap-filter(7).", valueName: "expression"))
  var filter: String?

  @Option(name: .customLong(Self.trailingFilterName), help: .private)
  var trailingFilter: String?

  static let trailingFilterName = "trailing-filter"

  /// Takes the words after `--` of the verbs whose arguments are files for one filter expression: the parser of
  /// arguments knows one list of words without dashes only.
  static func splitTrailingFilter(_ arguments: [String]) -> [String] {
    let verbs = [Read._commandName, Explain._commandName]
    guard let verb = arguments.first, verbs.contains(verb), let end = arguments.firstIndex(of: "--") else {
      return arguments
    }
    let words = arguments[(end + 1)...].joined(separator: " ")
    return arguments[..<end] + (words.isEmpty ? [] : ["--\(trailingFilterName)=\(words)"])
  }

  func validate() throws {
    guard (1...1_000_000_000).contains(maximumFlows) else {
      throw ValidationError("--max-flows takes a number from 1 to 1000000000")
    }
    if let memory, memory.bytes < Self.leastMemory {
      throw ValidationError("--memory must be at least \(Self.leastMemory >> 20)M")
    }
  }

  /// The catalogue and the buffers, and room for some ten thousand flows.
  private static let leastMemory = AnalyzerOptions.memoryBesidesFlows + (16 << 20)

  /// The filter: given by the option, or by words that `splitTrailingFilter` or the verb took; not by both.
  func wholeFilter(words: [String] = []) throws -> String? {
    let trailing = trailingFilter ?? words.joined(separator: " ")
    guard filter == nil || trailing.isEmpty else {
      throw Stop.usage("the filter is given twice: by --filter and by '\(trailing)'")
    }
    return trailing.isEmpty ? filter : trailing
  }

  func analyzerOptions() throws -> AnalyzerOptions {
    var options = AnalyzerOptions()
    do {
      options.shapeModel = try ShapeModel.shipped()
    } catch {
      throw Stop.cannotStart("\(error)")
    }
    options.isBlind = blind
    options.maximumFlows = maximumFlows
    options.maximumMemory = memory?.bytes
    options.wantsFingerprints = !withoutFingerprints
    return options
  }
}

/// What the verbs that print flows have in common.
struct OutputOptions: ParsableArguments {
  @Option(help: "table for a person, jsonl for a program, csv for a spreadsheet.")
  var format = Format.table

  @Option(help: ArgumentHelp("Only flows with this tag.", valueName: "push|messaging|calling|other"))
  var tag: Tag?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write to this file instead of standard output ('-').", valueName: "file"))
  var output = "-"

  @Flag(help: "List flows tagged other one by one as well, and up to 1,000 of each tag.")
  var all = false

  @Flag(help: "With jsonl: also the sizes, gaps and record lengths of a flow's first packets, and histograms of all.")
  var shape = false
}
