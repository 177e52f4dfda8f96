import ArgumentParser

@main
struct Wiretag: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "wiretag", abstract: "placeholder")
}
