import CourierPayloads
import CourierProtocol
import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension Server {
  /// Seconds in which an exchange has to be over where the request does not say.
  static let patience = 10.0

  func act(_ verb: String, _ fields: Fields) async throws -> [String: JSON] {
    var fields = fields
    switch verb {
    case "person":
      let name = try fields.required("name")
      let remote = Remote(answersAfter: try fields.seconds("answers_after") ?? Remote().answersAfter)
      try fields.end()
      remotes[name] = remote
      return [:]
    case "notify":
      let device = phone(try fields.required("phone"))
      let delivery = messages.notification(
        try fields.word("kind", Alert.self) ?? .short, topic: try fields.string("topic") ?? "com.example.news",
        characters: try fields.integer("characters", in: 0...4096) ?? 40,
        script: try fields.word("script", Script.self) ?? .latin, number: device.nextNumber(), token: device.token)
      return try await deliver(delivery, to: device, &fields)
    case "incoming":
      let name = try fields.required("phone")
      let device = phone(name)
      var letter = Letter(
        kind: try fields.word("kind", Letter.Message.self)?.kind ?? .text, sender: try fields.required("from"),
        receiver: name)
      if let characters = try fields.integer("characters", in: 0...8000) { letter.characters = characters }
      if let script = try fields.word("script", Script.self) { letter.script = script }
      letter.bytes = try fields.integer("bytes", in: 0...100_000_000)
      if letter.kind == .read {
        guard let uuid = device.lastSent[Person.handle(letter.sender)] else {
          throw Complaint("\(name) has sent \(letter.sender) nothing that could be read")
        }
        letter.about = uuid
      }
      // One of the receiver's devices hears of it, however many there are.
      _ = try fields.integer("devices", in: 1...20)
      // So that the receipt finds somebody who takes it.
      if remotes[letter.sender] == nil { remotes[letter.sender] = Remote() }
      return try await deliver(messages.letter(letter, number: device.nextNumber()), to: device, &fields)
    case "lookups":
      messages.lookupAnswerBytes = try fields.integer("bytes", in: 0...14000) ?? 1800
      try fields.end()
      return [:]
    case "keepalive":
      let device = try connected(&fields)
      try fields.end()
      send(messages.keepAliveResponse(), Account(kind: .keepAliveResponse), to: device)
      try await arrived(device, Self.patience)
      return [:]
    case "flush":
      let device = try connected(&fields)
      let sizes = try fields.integers("sizes", in: 0...4096, most: 32) ?? [64, 128, 256, 512]
      try fields.end()
      for size in sizes { send(messages.flush(padding: size), Account(kind: .flush), to: device) }
      try await arrived(device, Self.patience)
      return [:]
    case "redirect":
      let device = try connected(&fields)
      let host = try fields.required("host")
      try fields.end()
      send(messages.redirect(host), Account(kind: .redirect), to: device)
      return [:]
    case "drop":
      let device = try connected(&fields)
      let how = try fields.word("how", Ending.self) ?? .close
      try fields.end()
      guard let connection = device.connection else { return [:] }
      try await Transport.end(connection.channel, how)
      try await waiters.wait(6, for: "end of the connection") { device.connection?.id != connection.id }
      return [:]
    case "hold":
      let device = phone(try fields.required("phone"))
      try fields.end()
      device.isHeld = true
      return [:]
    case "release":
      let device = phone(try fields.required("phone"))
      let seconds = try fields.seconds("timeout") ?? Self.patience
      try fields.end()
      device.isHeld = false
      let held = device.held
      device.held = []
      for delivery in held { deliver(delivery, to: device) }
      try await settle(device, seconds)
      return ["released": JSON(held.count)]
    case "settle":
      let seconds = try fields.seconds("timeout") ?? Self.patience
      try fields.end()
      try await settle(nil, seconds)
      return [:]
    case "phones":
      try fields.end()
      return ["phones": .object(Dictionary(devices.values.compactMap(state)) { $1 })]
    default: throw Complaint("there is no '\(verb)' here")
    }
  }

  private func connected(_ fields: inout Fields) throws -> Device {
    let name = try fields.required("phone")
    let device = phone(name)
    guard device.connection != nil, device.isListening else { throw Complaint("\(name) is not connected") }
    return device
  }

  /// Delivers and waits for the ack, and for the receipt where the device sends one.
  private func deliver(_ delivery: Delivery, to device: Device, _ fields: inout Fields) async throws
    -> [String: JSON]
  {
    let waits = try fields.bool("wait") ?? true
    let seconds = try fields.seconds("timeout") ?? Self.patience
    try fields.end()
    deliver(delivery, to: device)
    var answer: [String: JSON] = ["message": .string(delivery.name)]
    if device.isHeld {
      answer["held"] = true
    } else if device.connection == nil || !device.isListening {
      answer["stored"] = true
    } else if waits {
      try await settle(device, seconds, only: delivery)
    }
    return answer
  }

  /// Waits until nothing is on its way to the device (to any device if nil), or this delivery is over.
  private func settle(_ device: Device?, _ seconds: Double, only delivery: Delivery? = nil) async throws {
    try await waiters.wait(seconds, for: "ack or receipt") {
      if let device, let delivery {
        return !device.unacked.contains { $0.number == delivery.number }
          && !device.unconfirmed.contains(delivery.name)
          && (!delivery.isConfirmed || device.unacked.isEmpty)
      }
      let all = device.map { [$0] } ?? Array(self.devices.values)
      return self.answersDue == 0 && all.allSatisfy { $0.unacked.isEmpty && $0.unconfirmed.isEmpty }
    }
  }

  /// Waits until the device's TCP has acknowledged all that was sent: for commands that no command answers.
  private func arrived(_ device: Device, _ seconds: Double) async throws {
    let deadline = Clock.now() + seconds
    while let connection = device.connection, Clock.now() < deadline {
      #if os(Linux)
        guard let options = connection.channel as? any SocketOptionProvider,
          let info = try? await options.getTCPInfo().get(), info.tcpi_unacked > 0
        else { return }
        try await Task.sleep(for: .milliseconds(2))
      #else
        return
      #endif
    }
    if device.connection != nil { throw Complaint("no acknowledgement within \(seconds) s") }
  }

  private func state(_ device: Device) -> (String, JSON)? {
    guard let name = device.name else { return nil }
    var state: [String: JSON] = [
      "connected": .bool(device.connection != nil && device.isListening), "stored": JSON(device.stored.count),
      "unacked": JSON(device.unacked.count), "held": JSON(device.held.count), "dropped": JSON(device.dropped),
    ]
    state["remote"] = device.connection.map { .string($0.remote) }
    return (name, .object(state))
  }
}
