import CourierProtocol
import NIOCore
import NIOPosix
import NIOSSL

/// The courier: devices connect to it, it routes their messages, and it plays the people who are nowhere connected.
actor Server: Steered, ConnectionOwner {
  /// Connections at a time; more are closed at once.
  static let mostConnections = 1024
  /// Devices that are known; what is meant for more is lost.
  static let mostDevices = 10_000
  /// Seconds from the first packet to the filter command.
  static let secondsToListen: Int64 = 15

  /// A connection, and whose it is once it has said so.
  struct Link {
    var connection: Connection
    var device: Device?
  }

  /// A person whose phone the server plays.
  struct Remote {
    /// Seconds until the phone answers that a message was delivered; 0.15 is assumed.
    var answersAfter = 0.15
  }

  let loop: any EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.executor.asUnownedSerialExecutor() }

  let tls: NIOSSLContext
  let relay: RelayAddress
  let waiters: Waiters
  var messages: ServerMessages
  var listeners: [any Channel] = []
  var links: [ConnectionID: Link] = [:]
  var devices: [[UInt8]: Device] = [:]
  var remotes: [String: Remote] = [:]
  /// Receipts that remote people have still to send.
  var answersDue = 0
  private var lastID: ConnectionID = 0
  private var accepted = 0

  init(
    tls: NIOSSLContext, seed: UInt64, relay: RelayAddress, contentHost: String, people: [String], loop: any EventLoop
  ) {
    self.tls = tls
    self.relay = relay
    self.loop = loop
    waiters = Waiters(loop: loop)
    messages = ServerMessages(seed: seed, contentHost: contentHost)
    for name in people { remotes[name] = Remote() }
  }

  /// Listens on every port of every address.
  func listen(addresses: [String], ports: [Int]) async throws {
    let (patience, milliseconds) = Transport.patience(seconds: 30)
    let owner = self
    for address in addresses {
      for port in ports {
        let place = try SocketAddress(ipAddress: address, port: port)
        do {
          let listener = try await ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(patience, value: milliseconds)
            .childChannelInitializer { [tls] channel in
              channel.eventLoop.makeCompletedFuture {
                guard let id = owner.assumeIsolated({ $0.accept(channel) }) else {
                  throw Complaint("more than \(Self.mostConnections) connections")
                }
                try channel.pipeline.syncOperations.addHandlers(
                  SocketHandler(), NIOSSLServerHandler(context: tls), PlaintextHandler(owner: owner, id: id))
              }
            }
            .bind(to: place).get()
          listeners.append(listener)
        } catch {
          throw Complaint("\(address) port \(port): \(error)")
        }
      }
    }
  }

  /// A number for a connection that has just been accepted; nil if there are too many.
  private func accept(_ channel: any Channel) -> ConnectionID? {
    guard accepted < Self.mostConnections else { return nil }
    accepted += 1
    lastID += 1
    let id = lastID
    // As Apple's: who does not say in time what it wants is let go.
    loop.scheduleTask(in: .seconds(Self.secondsToListen)) {
      self.assumeIsolated {
        if $0.links[id]?.device?.isListening != true { channel.close(promise: nil) }
      }
    }
    return id
  }

  func secured(_ id: ConnectionID, _ channel: any Channel, alpn: String?, tls: String) {
    guard let framing = Framing(alpn: alpn ?? "") else {
      Output.log("\(Transport.text(channel.remoteAddress)): no ALPN name of the courier's; the connection is closed")
      channel.close(promise: nil)
      return
    }
    links[id] = Link(connection: Connection(id, channel, side: .server, framing: framing, tls: tls))
  }

  func received(_ id: ConnectionID, _ bytes: ByteBuffer) {
    guard let link = links[id] else { return }
    do {
      for command in try link.connection.receive(bytes) { try handle(command, id) }
    } catch {
      Output.log("\(link.connection.remote): \(error); the connection is closed")
      link.connection.close()
    }
    waiters.check()
  }

  func written(_ id: ConnectionID, _ bytes: Int) {
    links[id]?.connection.wrote(bytes)
  }

  func ended(_ id: ConnectionID, _ reason: String) {
    accepted -= 1
    if let device = links.removeValue(forKey: id)?.device, device.connection?.id == id { device.left() }
    waiters.check()
  }

  func end() async {
    for listener in listeners { try? await listener.close().get() }
    for link in links.values.sorted(by: { $0.connection.id < $1.connection.id }) {
      link.connection.close()
    }
    try? await waiters.wait(3, for: "end of the connections") { self.links.isEmpty }
  }

  /// The device behind a token; a new one if nobody has used the token yet.
  func device(_ token: [UInt8]) -> Device {
    if let device = devices[token] { return device }
    let device = Device(token: token)
    if devices.count < Self.mostDevices { devices[token] = device }
    return device
  }

  /// The phone of a person.
  func phone(_ name: String) -> Device {
    let device = device(Person.token(name))
    device.name = name
    return device
  }
}
