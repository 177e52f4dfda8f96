import ArgumentParser
import Report
import Truth

/// `wiretag courier`: the messages inside Apple push connections whose secrets are known.
struct Courier: ParsableCommand {
  /// How messages are printed.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, jsonl
  }

  static let configuration = CommandConfiguration(
    commandName: "courier",
    abstract: "List the messages inside Apple push connections whose TLS secrets are known.",
    discussion: """
      Secrets come from the capture (pcapng with a Decryption Secrets Block: editcap --inject-secrets) or from a key \
      log. Both framings of the courier protocol are read: command, topic, direction, sizes, kind of message. Text, \
      handles and tokens are not printed, and what iMessage encrypts end to end stays so. Nothing of this reaches a \
      verdict.

      Examples:
        wiretag courier captures/imessage-conversation.pcapng
        wiretag courier --keylog keys.log mac.pcapng
        wiretag courier --format jsonl captures/shared-day.pcapng
      """)

  @Argument(help: ArgumentHelp("Captures (pcap, pcapng, also .gz and .zst).", valueName: "capture"))
  var files: [String]

  @OptionGroup var secrets: SecretOptions

  @Option(help: "table for a person, jsonl for a program.")
  var format = Format.table

  @Option(help: ArgumentHelp("A catalogue of your own beside the one that ships.", valueName: "file"))
  var services: String?

  mutating func run() throws {
    var reader = TrafficReader(
      classifier: try makeClassifier(services: services), keyLog: try secrets.load(), keepsMessages: true)
    Signals.install()
    let status = try readAll(files, into: &reader)
    let output = OutputFile.standardOutput()
    let listing = CourierText(style: Terminal.style(for: output))
    if format == .jsonl {
      for connection in reader.couriers { output.write(listing.json(connection, names: files.count > 1)) }
    } else {
      for (index, connection) in reader.couriers.enumerated() {
        if index > 0 { output.write(line: "") }
        for line in listing.lines(connection, names: files.count > 1) { output.write(line: line) }
      }
    }
    output.finish()
    if case .failed(let text) = output.failure {
      say(text)
      throw Stop.status(1)
    }
    if reader.couriers.isEmpty {
      say(
        "no courier connection could be opened: \(reader.connectionsWithSecrets) of \(reader.tlsConnections) TLS connections have known secrets; give them with --keylog"
      )
    }
    throw Stop.status(reader.couriers.isEmpty ? 1 : status)
  }
}

/// Where secrets come from beside the captures.
struct SecretOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("TLS secrets in the NSS key log format, as SSLKEYLOGFILE names one.", valueName: "file"))
  var keylog: String?

  /// The secrets.
  func load() throws -> TLSSecretsFile {
    guard let keylog else { return TLSSecretsFile() }
    do throws(TruthError) {
      let file = try TLSSecretsFile(path: keylog)
      for notice in file.notices { say(notice) }
      return file
    } catch {
      throw Stop.cannotStart(error.description)
    }
  }
}

/// Reads captures one after the other into a reader, and says what there is to say.
/// - Returns: the exit status: 1 where one of them could not be read.
/// - Throws: `Stop` where none could.
func readAll(_ paths: [String], into reader: inout TrafficReader, filter: String? = nil) throws -> Int32 {
  let progress = Progress()
  progress.bytesInAll = nil
  var status: Int32 = 0
  var hasRead = false
  for path in paths where !Signals.wantEnd {
    do {
      try reader.read(path: path, name: lastComponent(path), filter: filter) { packets in
        progress.update(packets: packets)
        return !Signals.wantEnd
      }
      hasRead = true
    } catch {
      Progress.clear()
      say("\(error)")
      status = 1
    }
  }
  Progress.clear()
  for notice in reader.notices { say(notice) }
  guard hasRead else { throw Stop.status(2) }
  return status
}

/// The last part of a path.
func lastComponent(_ path: String) -> String { path.split(separator: "/").last.map { String($0) } ?? path }
