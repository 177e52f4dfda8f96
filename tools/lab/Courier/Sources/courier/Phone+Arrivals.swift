import CourierProtocol

extension Phone {
  /// One command of the courier.
  func handle(_ command: Command) {
    if let id = command.id { arrivals[id, default: 0] += 1 }
    switch command.id {
    case .connected: greeting = command
    case .noStorage: isSettled = true
    case .notification: arrived(command)
    case .ack: acknowledged(command)
    case .keepAliveResponse: heartbeat()
    case .redirect: redirected(command)
    case .flush:
      Output.event([
        "what": "received", "phone": .string(name), "kind": .string(MessageKind.flush.rawValue),
        "plaintext": JSON(command.data(2)?.count ?? 0),
      ])
    default: break
    }
  }

  private func acknowledged(_ command: Command) {
    guard let number = command.number(4), let exchange = unacked.removeValue(forKey: number) else { return }
    exchanges[exchange]?.isAcked = true
    exchanges[exchange]?.status = command.integer(8) ?? 0
  }

  /// A notification: acknowledged at once, reported, and answered where a device answers.
  private func arrived(_ command: Command) {
    let incoming = Incoming(command, reader: .phone)
    let group = incoming.kind == .serverAck ? exchanges[incoming.name]?.group : nil
    sendQuietly(
      messages.ack(incoming.number), Account(kind: .ack, group: group ?? incoming.kind.group, message: incoming.name)
    )
    Output.event([
      "what": "received", "phone": .string(name), "kind": .string(incoming.kind.rawValue),
      "message": .string(incoming.name), "stored": .bool(command.integer(7) != nil),
    ])
    switch incoming.kind {
    case .serverAck: exchanges[incoming.name]?.serverAcks += 1
    case .delivered: exchanges[incoming.name]?.isDelivered = true
    case .read: exchanges[incoming.name]?.isRead = true
    case .lookupAnswer, .relayAnswer, .uploadAnswer, .downloadAnswer:
      exchanges[incoming.name]?.answer = incoming.payload
    case let kind where kind.isConfirmed:
      lastReceived[incoming.sender ?? ""] = incoming.uuid
      guard let receipt = messages.receipt(.delivered, for: incoming) else { return }
      do {
        try transmit(receipt)
      } catch {
        Output.log("\(name): \(receipt.account.kind.rawValue) not sent: \(error)")
      }
    default: break
    }
  }

  private func heartbeat() {
    if isNegotiating {
      isNegotiating = false
      return
    }
    Output.event([
      "what": "received", "phone": .string(name), "kind": .string(MessageKind.keepAliveResponse.rawValue),
    ])
    if settings?.negotiates == true { negotiate() }
  }

  /// The courier sends the phone elsewhere: it goes if it was told where that is.
  private func redirected(_ command: Command) {
    let host = command.text(2) ?? ""
    Output.event(["what": "redirected", "phone": .string(name), "host": .string(host)])
    guard let address = settings?.redirects[host] else { return }
    settings?.address = address
    isSettled = false
    lastEnd = "redirected to \(host)"
    connection?.close()
    guard reconnecting == nil else { return }
    reconnecting = Task {
      do {
        try await waiters.wait(6, for: "end of the connection") { self.connection == nil }
        try await establish()
        Output.event([
          "what": "connected", "phone": .string(name), "attempts": 1,
          "port": JSON(connection?.remotePort ?? 0),
        ])
      } catch {
        Output.event(["what": "unreachable", "phone": .string(name), "reason": .string("\(error)")])
      }
      reconnecting = nil
      waiters.check()
    }
  }
}
