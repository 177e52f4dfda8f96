import CourierPayloads
import CourierProtocol

/// What the courier says. What is drawn depends on the seed and on the message only, not on what else goes on.
struct ServerMessages {
  let seed: UInt64
  /// Bytes in the body of a lookup's answer. Assumed: keys and tokens of two devices.
  var lookupAnswerBytes = 1800
  /// Where attachments are put.
  let contentHost: String

  private func generator(_ words: String...) -> SeededGenerator {
    SeededGenerator(seed: Person.seed(seed, "server", words.joined(separator: "|")))
  }

  func connected(token: [UInt8], to address: [UInt8]) -> Command {
    Commands.connected(token: token, milliseconds: Clock.nanoseconds() / 1_000_000, address: address)
  }

  func noStorage(_ token: [UInt8]) -> Command { Commands.noStorage(token: token) }
  func ack(_ number: UInt32) -> Command { Commands.serverAck(number: number) }
  func keepAliveResponse() -> Command { Commands.keepAliveResponse() }
  func flush(padding: Int) -> Command { Commands.flush(padding: padding) }
  func redirect(_ host: String) -> Command { Commands.redirect(host: host) }

  func scopedToken(answering command: Command) -> Command {
    let topic = command.data(2) ?? []
    var random = generator("scoped token", Incoming.text(command.data(1) ?? []), Incoming.text(topic))
    return Commands.scopedTokenResponse(topic: topic, token: random.bytes(32))
  }

  func channelUpdate(answering command: Command) -> Command {
    let number = command.number(1) ?? 0
    var random = generator("channel", "\(number)")
    // The length of a channel's state is assumed.
    return Commands.channelUpdate(number: number, payload: random.bytes(96))
  }

  /// A delivery as the device gets it.
  func message(_ delivery: Delivery, to token: [UInt8], storage: Storage?) -> Command {
    Commands.down(
      token: token, topic: Topic(delivery.topic), payload: delivery.payload, number: delivery.number,
      time: Clock.nanoseconds(), isStored: storage != nil, isLast: storage == .last)
  }

  /// The courier's own answer to a message; nil if it is for somebody else.
  func answer(_ incoming: Incoming, number: @autoclosure () -> UInt32, relay: RelayAddress) -> Delivery? {
    guard let uuid = incoming.uuid, let topic = incoming.topic else { return nil }
    var random = generator("answer", incoming.name)
    let kind: MessageKind
    let payload: Value
    switch incoming.kind {
    case .lookup:
      kind = .lookupAnswer
      payload = CourierRequest.answer(uuid: uuid, bytes: lookupAnswerBytes, using: &random)
    case .uploadRequest, .downloadRequest:
      let isUpload = incoming.kind == .uploadRequest
      kind = isUpload ? .uploadAnswer : .downloadAnswer
      payload = CourierRequest.attachmentAnswer(
        isUpload ? .uploadAuthorization : .downloadAuthorization, uuid: uuid, host: contentHost, using: &random)
    case .relayRequest:
      kind = .relayAnswer
      let participants = min(max(incoming.payload?["qgmc"]?.integer ?? 2, 1), 32)
      payload = CourierRequest.relayAnswer(
        uuid: uuid, session: incoming.payload?["qids"]?.text ?? "", relay: relay.bytes, port: Int64(relay.port),
        participants: participants, using: &random)
    default: return nil
    }
    return Delivery(topic: topic.name, kind: kind, name: incoming.name, number: number(), payload: payload)
  }

  /// The word for one device that the message was taken.
  func serverAck(_ incoming: Incoming, _ target: Incoming.Target, number: UInt32) -> Delivery {
    Delivery(
      topic: incoming.topic?.name ?? "", kind: .serverAck, group: incoming.kind.group, name: incoming.name,
      number: number,
      payload: IncomingMessage.serverAck(uuid: incoming.uuid ?? [], token: target.token, number: incoming.number))
  }

  /// A message as its receiver gets it.
  func forward(_ incoming: Incoming, _ target: Incoming.Target, from token: [UInt8], number: UInt32) -> Delivery {
    let payload = IncomingMessage.payload(
      from: incoming.payload ?? .dictionary([]), for: target.entry, senderToken: token, time: Clock.nanoseconds())
    return Delivery(
      topic: incoming.topic?.name ?? "", kind: incoming.kind, name: incoming.name, number: number, payload: payload,
      isConfirmed: incoming.kind.isConfirmed, characters: incoming.characters)
  }

  /// A message of a person whose phone the server plays; `about` is the message that a receipt is for.
  func letter(_ letter: Letter, number: UInt32) -> Delivery {
    var random = generator("letter", letter.sender, letter.receiver, letter.kind.rawValue, "\(number)")
    let sent = 0x4000_0000 | UInt32(truncatingIfNeeded: random.next() & 0x3FFF_FFFF)
    let (payload, uuid) = letter.payload(number: sent, using: &random)
    let entry = payload["dtl"]?.elements?.first ?? .dictionary([])
    return Delivery(
      topic: letter.topic.name, kind: letter.kind, name: Incoming.text(uuid), number: number,
      payload: IncomingMessage.payload(
        from: payload, for: entry, senderToken: Person.token(letter.sender), time: Clock.nanoseconds()),
      isConfirmed: letter.kind.isConfirmed, characters: letter.textLength)
  }

  /// An app's notification.
  func notification(
    _ alert: Alert, topic: String, characters: Int, script: Script, number: UInt32, token: [UInt8]
  ) -> Delivery {
    var random = generator("alert", Incoming.text(token), "\(number)")
    let json = alert.json(characters: characters, script: script, using: &random)
    return Delivery(
      topic: topic, kind: MessageKind(alert), name: Incoming.name(token, number), number: number, payload: .data(json),
      characters: alert == .silent ? nil : characters)
  }

}

/// Whether a message comes from storage, and whether it is the last that does.
enum Storage { case more, last }

extension MessageKind {
  init(_ alert: Alert) {
    self =
      switch alert {
      case .short: .shortAlert
      case .chat: .chatAlert
      case .rich: .richAlert
      case .silent: .silentPush
      }
  }

  /// What a notification of an app is, by its JSON.
  init(json: [UInt8]) {
    let text = String(decoding: json, as: UTF8.self)
    self =
      if text.contains(#""content-available":1"#) {
        .silentPush
      } else if text.contains(#""media-url":"#) {
        .richAlert
      } else if text.contains(#""category":"message""#) {
        .chatAlert
      } else {
        .shortAlert
      }
  }
}
