import CourierProtocol
import NIOCore

extension Server {
  /// One command of a device.
  func handle(_ command: Command, _ id: ConnectionID) throws {
    guard let link = links[id] else { return }
    guard let device = link.device else {
      guard command.id == .connect else { throw Complaint("command \(command.number) before connect") }
      try greet(command, id, link.connection)
      return
    }
    switch command.id {
    case .filter: listens(device)
    case .notification: route(command, from: device)
    case .ack: acknowledged(command, by: device)
    case .keepAlive: send(messages.keepAliveResponse(), Account(kind: .keepAliveResponse), to: device)
    case .scopedTokenRequest:
      send(messages.scopedToken(answering: command), Account(kind: .scopedTokenResponse), to: device)
    case .channelSubscribe: send(messages.channelUpdate(answering: command), Account(kind: .channelUpdate), to: device)
    default: break
    }
  }

  /// Sends on the device's connection, if it has one.
  func send(_ command: Command, _ account: Account, to device: Device) {
    guard let connection = device.connection else { return }
    do {
      try connection.send(command, account, owner: self)
    } catch {
      Output.log("\(connection.remote): \(account.kind.rawValue) not sent: \(error)")
      connection.close()
    }
  }

  private func greet(_ command: Command, _ id: ConnectionID, _ connection: Connection) throws {
    guard let token = command.data(1), token.count == 32 else { throw Complaint("connect without a token of 32 bytes") }
    let device = device(token)
    if let old = device.connection {
      // The device has come back before its old connection was seen to end.
      links[old.id]?.device = nil
      device.left()
      old.close()
    }
    device.connection = connection
    device.wasConnected = true
    links[id]?.device = device
    send(
      messages.connected(token: token, to: connection.channel.remoteAddress?.bytes ?? []), Account(kind: .connected),
      to: device)
  }

  /// The device has named its topics: what was stored for it goes out, then the word that this was all.
  private func listens(_ device: Device) {
    guard !device.isListening else { return }
    device.isListening = true
    let stored = device.stored
    device.stored = []
    for (number, delivery) in stored.enumerated() {
      transmit(delivery, to: device, storage: number == stored.count - 1 ? .last : .more)
    }
    send(messages.noStorage(device.token), Account(kind: .noStorage), to: device)
  }

  private func acknowledged(_ command: Command, by device: Device) {
    guard let number = command.number(4) else { return }
    device.unacked.removeAll { $0.number == number }
  }

  /// Sends a delivery, or keeps it while the device is away or held.
  func deliver(_ delivery: Delivery, to device: Device) {
    if device.isHeld {
      device.held.append(delivery)
      if device.held.count > Device.mostStored {
        device.held.removeFirst()
        device.dropped += 1
      }
    } else if device.connection != nil, device.isListening {
      transmit(delivery, to: device, storage: nil)
    } else {
      device.store(delivery)
    }
  }

  private func transmit(_ delivery: Delivery, to device: Device, storage: Storage?) {
    device.unacked.append(delivery)
    if delivery.isConfirmed { device.unconfirmed.insert(delivery.name) }
    send(messages.message(delivery, to: device.token, storage: storage), delivery.account, to: device)
  }

  /// A message of a device: acknowledged, then answered by the courier or passed on.
  private func route(_ command: Command, from device: Device) {
    let incoming = Incoming(command, reader: .server)
    send(
      messages.ack(incoming.number), Account(kind: .ack, group: incoming.kind.group, message: incoming.name), to: device
    )
    if let sender = incoming.sender.flatMap(Person.name), device.name == nil { device.name = sender }
    if let answer = messages.answer(incoming, number: device.nextNumber(), relay: relay) {
      deliver(answer, to: device)
      return
    }
    if !incoming.wantsNoResponse {
      for target in incoming.targets {
        deliver(messages.serverAck(incoming, target, number: device.nextNumber()), to: device)
      }
    }
    if incoming.kind.isConfirmed, let receiver = incoming.targets.first, device.lastSent.count < Device.mostStored {
      device.lastSent[receiver.handle] = incoming.uuid
    }
    if incoming.kind == .delivered { device.unconfirmed.remove(incoming.name) }
    var served: Set<[UInt8]> = []
    for target in incoming.targets {
      guard let name = Person.name(target.handle), served.insert(target.token).inserted else { continue }
      // Only phones are real; a person's further devices take what they get in silence.
      guard target.token == Person.token(name) else { continue }
      if let remote = remotes[name] ?? (phone(name).wasConnected ? nil : Remote()) {
        answer(incoming, as: name, remote, to: device)
      } else {
        let receiver = phone(name)
        deliver(
          messages.forward(incoming, target, from: device.token, number: receiver.nextNumber()), to: receiver)
      }
    }
  }

  /// The receipt of a person whose phone the server plays.
  private func answer(_ incoming: Incoming, as name: String, _ remote: Remote, to device: Device) {
    guard incoming.kind.isConfirmed, let sender = incoming.sender.flatMap(Person.name) else { return }
    answersDue += 1
    let token = device.token
    loop.scheduleTask(in: .microseconds(Int64(remote.answersAfter * 1_000_000))) {
      self.assumeIsolated {
        $0.answersDue -= 1
        let device = $0.device(token)
        let receipt = $0.messages.letter(
          Letter(kind: .delivered, sender: name, receiver: sender, about: incoming.uuid), number: device.nextNumber())
        $0.deliver(receipt, to: device)
        $0.waiters.check()
      }
    }
  }
}
