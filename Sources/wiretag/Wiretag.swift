import ArgumentParser
import Capture
import Report

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// wiretag may hold: the command line. A file a verb; what touches the stages is in Analysis.swift.

/// The command and its verbs.
struct Wiretag: ParsableCommand {
  static let version = "0.1.0"
  static let configuration = CommandConfiguration(
    commandName: "wiretag",
    abstract: "Tags every flow and packet push, messaging, calling or other, and says why.",
    discussion: """
      wiretag reads captures or an interface, names the service of each flow, and weighs the evidence. Where one \
      connection carries several services, it says that they share their fate.

      Examples:
        wiretag read capture.pcapng
        wiretag explain capture.pcapng --flow 7
        wiretag live -i eth0 tcp port 5223

      Records go to standard output, messages to standard error. Exit status: 0 done; 1 some input was damaged or \
      no capture, or output could not be written, what came before is printed; 2 wrong usage, or nothing could be \
      started.
      """,
    version: "wiretag \(version)",
    subcommands: [
      Read.self, Live.self, Explain.self, Separability.self, Censor.self, Courier.self, Interfaces.self, Services.self,
      Regress.self,
      Train.self,
    ])

  mutating func run() throws {
    throw Stop.usage("a command is missing: one of \(Self.verbs.joined(separator: ", "))")
  }

  static var verbs: [String] { configuration.subcommands.map { $0._commandName } }

  /// Refuses a first word that is no command: the parser would count it among unexpected arguments.
  static func checkVerb(_ arguments: [String]) throws {
    guard let word = arguments.first, !word.hasPrefix("-"), word != "help", !verbs.contains(word) else { return }
    let meant = nearestNames(to: word, among: verbs).first.map { "; did you mean \($0)?" } ?? ""
    throw Stop.usage("unknown command '\(word)': the commands are \(verbs.joined(separator: ", "))\(meant)")
  }
}

/// Why the program ends other than well.
enum Stop: Error {
  /// Wrong usage: status 2, with a hint at the help.
  case usage(String)
  /// The run could not start: status 2.
  case cannotStart(String)
  /// The messages are out already.
  case status(Int32)
}

@main
enum Program {
  static func main() {
    _ = signal(SIGPIPE, SIG_IGN)
    exit(status(of: Array(CommandLine.arguments.dropFirst())))
  }

  private static func status(of arguments: [String]) -> Int32 {
    do {
      try Wiretag.checkVerb(arguments)
      var command = try Wiretag.parseAsRoot(AnalysisOptions.splitTrailingFilter(arguments))
      try command.run()
      return 0
    } catch Stop.usage(let text) {
      say("\(text) (\(hint(arguments)))")
      return 2
    } catch Stop.cannotStart(let text) {
      say(text)
      return 2
    } catch Stop.status(let status) {
      return status
    } catch {
      guard Wiretag.exitCode(for: error) == .success else {
        say("\(Wiretag.message(for: error)) (\(hint(arguments)))")
        return 2
      }
      return help(Wiretag.fullMessage(for: error))
    }
  }

  private static func help(_ text: String) -> Int32 {
    let output = OutputFile.standardOutput()
    output.write(line: text)
    output.finish()
    guard case .failed(let text) = output.failure else { return 0 }
    say(text)
    return 1
  }

  private static func hint(_ arguments: [String]) -> String {
    guard let verb = arguments.first, Wiretag.verbs.contains(verb) else { return "see wiretag --help" }
    return "see wiretag \(verb) --help"
  }
}

/// Says one line to the person at standard error.
func say(_ text: String) {
  let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
  Progress.clear()
  Terminal.writeError("wiretag: " + printable(line) + "\n")
}
