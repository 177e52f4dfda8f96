import ArgumentParser
import Capture
import Report

/// `wiretag interfaces`: what can be captured here.
struct Interfaces: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List what can be captured here, and what is missing if nothing can.",
    discussion: """
      Exit status 1 where this user may not capture; a line says what to do.

      Examples:
        wiretag interfaces
        sudo wiretag interfaces --all
      """)

  @Flag(help: "Also what is switched off or carries no network packets: log groups, buses.")
  var all = false

  mutating func run() throws {
    let output = OutputFile.standardOutput()
    let found: [Interface]
    do throws(CaptureError) {
      found = try interfaces()
    } catch {
      throw Stop.cannotStart(error.description)
    }
    let shown = found.filter { all || $0.isCapturable }
    let rows = shown.map { interface in
      InterfaceListing.Row(
        name: interface.name, state: state(interface), addresses: interface.addresses, about: interface.description,
        isCapturable: interface.isCapturable)
    }
    for line in InterfaceListing(style: Terminal.style(for: output)).lines(rows) { output.write(line: line) }
    output.finish()
    if case .failed(let text) = output.failure {
      say(text)
      throw Stop.status(1)
    }
    if shown.isEmpty { say("there is no interface that carries network packets; --all lists the others") }
    guard case .missing(let text) = captureRights() else { return }
    say(text)
    throw Stop.status(1)
  }

  private func state(_ interface: Interface) -> String {
    var words = [interface.isUp ? (interface.isRunning ? "up" : "up, no carrier") : "down"]
    if interface.isLoopback { words.append("loopback") }
    if interface.isWireless { words.append("wireless") }
    return words.joined(separator: ", ")
  }
}
