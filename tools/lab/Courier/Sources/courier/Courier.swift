import ArgumentParser
import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// The command line: one program, a courier or a phone.
@main
struct CourierCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "courier",
    abstract: "Speak Apple's courier protocol as a model: a courier, or a phone.",
    discussion: """
      Steered by JSON lines on standard input, one act after the other; prints answers, the truth of everything it \
      sends, and events, as JSON lines on standard output. Verbs and fields: tools/lab/Courier/README.md.
      """,
    subcommands: [ServerCommand.self, PhoneCommand.self])
}

/// What both need.
struct CommonOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Append TLS secrets to this file, in NSS key log format.", valueName: "file"))
  var keys: String

  @Option(help: ArgumentHelp("Everything that is drawn depends on this number.", valueName: "n"))
  var seed: UInt64

  /// Runs an agent on an event loop of its own until it is told to end.
  func run<Agent: Steered>(_ make: (any EventLoop, Secrets) async throws -> Agent) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    do {
      await Control.run(try await make(group.next(), try Secrets(path: keys)))
    } catch {
      Output.log("\(error)")
      throw ExitCode.failure
    }
    Control.leave()
  }
}

/// `courier server`.
struct ServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "server", abstract: "Be the courier.")

  @Option(help: ArgumentHelp("Listen on this address; may be given again.", valueName: "address"))
  var address: [String]

  @Option(help: ArgumentHelp("Listen on this port; may be given again.", valueName: "port"))
  var port = [5223, 443]

  @Option(help: ArgumentHelp("The certificate, with its chain.", valueName: "file"))
  var certificate: String

  @Option(help: ArgumentHelp("The certificate's key.", valueName: "file"))
  var key: String

  @Option(help: ArgumentHelp("Speak only this version of TLS.", valueName: "1.2|1.3"))
  var tls: String?

  @Option(help: ArgumentHelp("Accept this ALPN name; may be given again, the best first.", valueName: "name"))
  var alpn = ["apns-pack-v1", "apns-security-v3"]

  @Option(help: ArgumentHelp("A person whose phone the server plays; may be given again.", valueName: "name"))
  var person: [String] = []

  @Option(help: ArgumentHelp("The relay that calls are given.", valueName: "address:port"))
  var relay = "198.18.16.99:3478"

  @Option(help: ArgumentHelp("The host that attachments are sent to.", valueName: "name"))
  var contentHost = "cvws.icloud-content.com"

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if address.isEmpty { throw ValidationError("--address is missing") }
    if let port = port.first(where: { !(1...65535).contains($0) }) { throw ValidationError("\(port) is no port") }
    if (try? RelayAddress(relay)) == nil { throw ValidationError("--relay takes an address and a port") }
  }

  func run() async throws {
    try await common.run { loop, secrets in
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
        privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
      configuration.minimumTLSVersion = try tls.map(Transport.version) ?? .tlsv12
      configuration.maximumTLSVersion = try tls.map(Transport.version) ?? .tlsv13
      configuration.applicationProtocols = alpn
      configuration.keyLogCallback = { line in secrets.add(line.readableBytesView) }
      let server = Server(
        tls: try NIOSSLContext(configuration: configuration), seed: common.seed, relay: try RelayAddress(relay),
        contentHost: contentHost, people: person, loop: loop)
      try await server.listen(addresses: address, ports: port)
      return server
    }
  }
}

/// `courier phone`.
struct PhoneCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "phone", abstract: "Be a phone.")

  @Option(help: ArgumentHelp("Whose phone it is.", valueName: "name"))
  var name: String

  @Option(help: ArgumentHelp("The certificates that may vouch for the courier.", valueName: "file"))
  var authority: String

  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard !name.isEmpty, name.utf8.count <= 64, name.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x40 })
    else {
      throw ValidationError("--name takes up to 64 ASCII characters without spaces and @")
    }
  }

  func run() async throws {
    try await common.run { loop, secrets in
      Phone(name: name, seed: common.seed, authority: authority, secrets: secrets, loop: loop)
    }
  }
}
