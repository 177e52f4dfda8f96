import CourierProtocol
import NIOCore
import NIOPosix
import NIOSSL

extension Phone {
  /// Connects, by the fallback port too if there is one, up to the last stored message.
  func establish() async throws {
    guard let settings else { throw Complaint("nobody said where to connect") }
    do {
      try await secure(settings, port: settings.port)
    } catch let failure as Unreachable {
      guard let port = settings.fallbackPort else { throw Complaint(failure.description) }
      Output.event([
        "what": "fallback", "phone": .string(name), "port": JSON(port), "reason": .string(failure.description),
      ])
      do {
        try await secure(settings, port: port)
      } catch let failure as Unreachable {
        throw Complaint(failure.description)
      }
    }
    do {
      try await greet(settings)
    } catch {
      connection?.close()
      throw error
    }
  }

  /// A port that cannot be reached: the reason to try another. A port that accepts and then stalls is none, as on a
  /// device.
  private struct Unreachable: Error, CustomStringConvertible {
    let description: String
  }

  /// TCP and TLS.
  private func secure(_ settings: ConnectSettings, port: Int) async throws {
    lastID += 1
    let id = lastID
    attempt = Attempt(id: id)
    defer { if attempt?.id == id { attempt = nil } }
    let context = try NIOSSLContext(configuration: tlsConfiguration(settings))
    let (patience, milliseconds) = Transport.patience(seconds: settings.patience)
    // The same seconds limit the SYNs: a fallback is only tried when TCP does not come about within them.
    let limit = settings.fallbackPort == nil ? settings.timeout : min(settings.wait, settings.timeout)
    let owner = self
    let channel: any Channel
    do {
      let address = try SocketAddress(ipAddress: settings.address, port: port)
      channel = try await ClientBootstrap(group: loop)
        .connectTimeout(.milliseconds(Int64(limit * 1000)))
        .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        .channelOption(patience, value: milliseconds)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            let tls = try NIOSSLClientHandler(context: context, serverHostname: settings.sni)
            try channel.pipeline.syncOperations.addHandlers(
              SocketHandler(), tls, PlaintextHandler(owner: owner, id: id))
          }
        }
        .connect(to: address).get()
    } catch {
      throw Unreachable(description: "\(settings.address) port \(port): \(error)")
    }
    do {
      try await waiters.wait(settings.timeout, for: "TLS handshake with \(settings.address) port \(port)") {
        if let failure = self.attempt?.failure {
          throw Unreachable(description: "\(settings.address) port \(port): \(failure)")
        }
        return self.connection?.id == id
      }
    } catch {
      channel.close(promise: nil)
      throw error
    }
  }

  private func tlsConfiguration(_ settings: ConnectSettings) throws -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.trustRoots = .file(authority)
    configuration.applicationProtocols = settings.offers
    configuration.minimumTLSVersion = try settings.tls.map(Transport.version) ?? .tlsv12
    configuration.maximumTLSVersion = try settings.tls.map(Transport.version) ?? .tlsv13
    if let ciphers = settings.ciphers { configuration.cipherSuites = ciphers.joined(separator: ":") }
    configuration.keyLogCallback = { [secrets] line in secrets.add(line.readableBytesView) }
    return configuration
  }

  /// What is said first: connect, state, topics; and what was stored for this phone arrives.
  private func greet(_ settings: ConnectSettings) async throws {
    func lost() throws { if connection == nil { throw Complaint("connection lost: \(lastEnd)") } }
    greeting = nil
    isSettled = false
    try send(messages.connect(settings), Account(kind: .connect))
    try await waiters.wait(settings.timeout, for: "answer to connect") {
      try lost()
      return self.greeting != nil
    }
    if let status = greeting?.integer(1), status != 0 { throw Complaint("the courier refuses: status \(status)") }
    try send(messages.setState(), Account(kind: .setState))
    try send(messages.filter(topics: settings.topics), Account(kind: .filter))
    try await waiters.wait(settings.timeout, for: "end of the stored messages") {
      try lost()
      return self.isSettled
    }
    if settings.negotiates { negotiate() }
  }

  /// A keep-alive of the phone's own.
  func negotiate() {
    isNegotiating = true
    sendQuietly(messages.keepAlive(), Account(kind: .keepAlive))
  }

  /// Connects again and again, with growing pauses, until it works or the phone is told to leave.
  func reconnect() {
    guard reconnecting == nil else { return }
    reconnecting = Task {
      var round = 0
      while !Task.isCancelled, let settings, connection == nil {
        let pause = settings.backOff[min(round, settings.backOff.count - 1)]
        round += 1
        do {
          try await Task.sleep(for: .seconds(pause))
          try await establish()
          Output.event([
            "what": "connected", "phone": .string(name), "attempts": JSON(round),
            "port": JSON(connection?.remotePort ?? 0),
          ])
        } catch is CancellationError {
          break
        } catch {
          Output.event(["what": "unreachable", "phone": .string(name), "reason": .string("\(error)")])
        }
      }
      reconnecting = nil
      waiters.check()
    }
  }

  /// Leaves, for good or until the next `connect`.
  func leave(_ how: Ending) async throws {
    settings?.reconnects = false
    reconnecting?.cancel()
    guard let connection else { return }
    // Told to leave is no loss: no event.
    isSettled = false
    lastEnd = "disconnected as told"
    try await Transport.end(connection.channel, how)
    try await waiters.wait(6, for: "end of the connection") { self.connection == nil }
  }
}
