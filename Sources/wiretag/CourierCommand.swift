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
    let status = try readAll(files) { path, name, proceed in
      try reader.read(path: path, name: name, proceed: proceed)
    }
    for notice in reader.notices { say(notice) }
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
