import CourierProtocol
import NIOCore
import NIOPosix
import NIOSSL

/// A phone: one courier connection at a time, and what the device does on it by itself.
actor Phone: Steered, ConnectionOwner {
  /// A connection that is being opened.
  struct Attempt {
    var id: ConnectionID
    var failure: String?
  }

  /// What has come back for a message that was sent.
  struct Exchange {
    /// What the message belongs to.
    var group: String
    var isAcked = false
    var status = 0
    var serverAcks = 0
    var isDelivered = false
    var isRead = false
    var answer: Value?
  }

  /// Exchanges that are remembered; the oldest go first.
  static let mostExchanges = 512

  let loop: any EventLoop
  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.executor.asUnownedSerialExecutor() }

  let name: String
  let secrets: Secrets
  let authority: String
  let waiters: Waiters
  var messages: PhoneMessages

  var settings: ConnectSettings?
  var attempt: Attempt?
  var connection: Connection?
  var lastID: ConnectionID = 0
  /// Whether the courier's answers to a connect are complete.
  var isSettled = false
  /// Why the last connection ended.
  var lastEnd = "not connected"
  var greeting: Command?
  var exchanges: [String: Exchange] = [:]
  var exchangeOrder: [String] = []
  /// Message numbers of the courier's acks by our message's name.
  var unacked: [UInt32: String] = [:]
  var arrivals: [CommandID: Int] = [:]
  var isNegotiating = false
  /// UUID of the last message from each sender, which a read receipt is for.
  var lastReceived: [String: [UInt8]] = [:]
  var reconnecting: Task<Void, Never>?

  init(name: String, seed: UInt64, authority: String, secrets: Secrets, loop: any EventLoop) {
    self.name = name
    self.authority = authority
    self.secrets = secrets
    self.loop = loop
    waiters = Waiters(loop: loop)
    messages = PhoneMessages(name: name, seed: seed)
  }

  func secured(_ id: ConnectionID, _ channel: any Channel, alpn: String?, tls: String) {
    guard attempt?.id == id else { return }
    guard let framing = Framing(alpn: alpn ?? "") else {
      attempt?.failure = "the server chose the ALPN name '\(alpn ?? "")', which names no framing"
      channel.close(promise: nil)
      waiters.check()
      return
    }
    connection = Connection(id, channel, side: .phone, framing: framing, tls: tls)
    waiters.check()
  }

  func received(_ id: ConnectionID, _ bytes: ByteBuffer) {
    guard let connection, connection.id == id else { return }
    do {
      for command in try connection.receive(bytes) { handle(command) }
    } catch {
      Output.log("\(name): \(connection.remote): \(error); the connection is closed")
      lastEnd = "\(error)"
      connection.close()
    }
    waiters.check()
  }

  func written(_ id: ConnectionID, _ bytes: Int) {
    if connection?.id == id { connection?.wrote(bytes) }
  }

  func ended(_ id: ConnectionID, _ reason: String) {
    if attempt?.id == id, attempt?.failure == nil { attempt?.failure = reason }
    if let connection, connection.id == id {
      let port = connection.remotePort
      self.connection = nil
      let wasSettled = isSettled
      isSettled = false
      isNegotiating = false
      greeting = nil
      unacked.removeAll()
      lastEnd = reason
      if wasSettled {
        Output.event([
          "what": "disconnected", "phone": .string(name), "reason": .string(reason), "port": JSON(port),
        ])
        if settings?.reconnects == true { reconnect() }
      }
    }
    waiters.check()
  }

  /// Sends on the present connection.
  func send(_ command: Command, _ account: Account) throws {
    guard let connection else { throw Complaint("not connected (\(lastEnd))") }
    try connection.send(command, account, owner: self)
  }

  /// Sends, where nobody waits to hear of a failure.
  func sendQuietly(_ command: Command, _ account: Account) {
    do {
      try send(command, account)
    } catch {
      Output.log("\(name): \(account.kind.rawValue) not sent: \(error)")
    }
  }

  /// Remembers an exchange under its name.
  func open(_ exchange: String, _ group: String) {
    if exchanges.updateValue(Exchange(group: group), forKey: exchange) == nil { exchangeOrder.append(exchange) }
    while exchangeOrder.count > Self.mostExchanges {
      exchanges[exchangeOrder.removeFirst()] = nil
    }
  }
}
