import ArgumentParser
import Classify
import Report

/// `wiretag services`: the catalogue.
struct Services: ParsableCommand {
  /// How the catalogue is printed.
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, jsonl
  }

  static let configuration = CommandConfiguration(
    abstract: "Print the catalogue: what is known of each service, with sources.",
    discussion: """
      Without a name, a line a service. With one, each identifier of the services that match: its value, how well it \
      is known, from which source, read when.

      Examples:
        wiretag services
        wiretag services APNs
        wiretag services push.apple.com
        wiretag services --tag calling --format jsonl
      """)

  @Argument(help: ArgumentHelp("A service, or a part of its name or of an identifier.", valueName: "name"))
  var name: String?

  @Option(help: "table for a person, jsonl for a program.")
  var format = Format.table

  @Option(help: ArgumentHelp("Only services with this tag.", valueName: "push|messaging|calling|other"))
  var tag: Tag?

  @Option(help: ArgumentHelp("A catalogue of your own beside the one that ships.", valueName: "file"))
  var services: String?

  mutating func run() throws {
    let catalogue = try makeCatalogue(services: services)
    let found = matches(catalogue.services.filter { tag == nil || $0.tag == tag })
    guard !found.isEmpty else {
      say("no service\(tag.map { " tagged \($0.rawValue)" } ?? "")\(name.map { " matches '\($0)'" } ?? "")")
      throw Stop.status(1)
    }
    let output = OutputFile.standardOutput()
    if format == .jsonl {
      for service in found { output.write(ServiceListing.jsonLine(service)) }
    } else {
      let listing = ServiceListing(style: Terminal.style(for: output))
      if name == nil {
        for line in listing.overview(found) { output.write(line: line) }
      } else {
        for (index, service) in found.enumerated() {
          if index > 0 { output.write(line: "") }
          for line in listing.detail(service) { output.write(line: line) }
        }
      }
    }
    output.finish()
    guard case .failed(let text) = output.failure else { return }
    say(text)
    throw Stop.status(1)
  }

  /// The service of exactly that name, in any case; else those with the word in the name; else in an identifier.
  private func matches(_ services: [Service]) -> [Service] {
    guard let word = name?.lowercased() else { return services }
    let exact = services.filter { $0.name.lowercased() == word }
    if !exact.isEmpty { return exact }
    let named = services.filter { $0.name.lowercased().contains(word) }
    if !named.isEmpty { return named }
    return services.filter { $0.identifiers.contains { $0.value.lowercased().contains(word) } }
  }
}
