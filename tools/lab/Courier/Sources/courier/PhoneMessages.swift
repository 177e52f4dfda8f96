import CourierPayloads
import CourierProtocol

/// What a phone says. What is drawn depends on the seed and on the number of the act only.
struct PhoneMessages {
  let name: String
  let seed: UInt64
  private let token: [UInt8]
  private var acts = 0

  init(name: String, seed: UInt64) {
    self.name = name
    self.seed = seed
    token = Person.token(name)
  }

  private mutating func generator() -> SeededGenerator {
    acts += 1
    return SeededGenerator(seed: Person.seed(seed, name, "act", "\(acts)"))
  }

  /// A message number, with all four bytes in use.
  private func number(_ random: inout SeededGenerator) -> UInt32 {
    0x4000_0000 | UInt32(truncatingIfNeeded: random.next() & 0x3FFF_FFFF)
  }

  mutating func connect(_ settings: ConnectSettings) -> Command {
    var random = generator()
    var device = Commands.DeviceDescription()
    if settings.interface == .cellular { device.carrier = "26202" }
    return Commands.connect(
      token: token, device: device, milliseconds: Clock.nanoseconds() / 1_000_000, using: &random)
  }

  func setState() -> Command { Commands.setState() }

  func filter(topics: Int) -> Command { Commands.filter(token: token, topics: Topic.list(topics)) }

  func keepAlive() -> Command { Commands.keepAlive(minutes: 15) }

  func ack(_ number: UInt32) -> Command { Commands.ack(token: token, number: number) }

  func scopedToken(_ topic: String) -> Command { Commands.scopedTokenRequest(token: token, topic: Topic(topic)) }

  mutating func subscribe(_ topic: String) -> Command {
    var random = generator()
    return Commands.subscribe(token: token, topic: Topic(topic), number: number(&random))
  }

  /// The receipt for a message; nil if the message does not say whose it is.
  func receipt(_ kind: MessageKind, for incoming: Incoming) -> Outgoing? {
    guard let sender = incoming.sender.flatMap(Person.name), let uuid = incoming.uuid else { return nil }
    var random = SeededGenerator(seed: Person.seed(seed, name, kind.rawValue, incoming.name))
    return outgoing(Letter(kind: kind, sender: name, receiver: sender, about: uuid), &random)
  }

  /// The message that an act asks for; `lastReceived` knows what a read receipt is for.
  mutating func outgoing(_ verb: String, _ fields: inout Fields, lastReceived: [String: [UInt8]]) throws -> Outgoing {
    var random = generator()
    switch verb {
    case "imessage":
      let kind = try fields.word("kind", Letter.Message.self)?.kind ?? .text
      var letter = try self.letter(kind, to: try fields.required("to"), &fields)
      if kind == .read {
        guard let uuid = lastReceived[Person.handle(letter.receiver)] else {
          throw Complaint("nothing of \(letter.receiver)'s has come that could be read")
        }
        letter.about = uuid
      }
      return outgoing(letter, &random)
    case "facetime":
      let act = try fields.word("act", FaceTimeAct.self) ?? .ring
      return outgoing(try letter(act.kind, to: try fields.required("to"), &fields), &random)
    case "status":
      let status = try fields.word("kind", Status.self) ?? .findmy
      // To a friend, or to the person's own devices.
      let receiver = try fields.string("to")
      var letter = try self.letter(status.kind, to: receiver ?? name, &fields)
      if receiver == nil { (letter.ownDevices, letter.devices) = (letter.devices, 0) }
      return outgoing(letter, &random)
    case "lookup":
      // The length of a question for one person's keys is assumed.
      let bytes = try fields.integer("bytes", in: 0...12000) ?? 220
      let (uuid, number) = (random.bytes(16), number(&random))
      let payload = CourierRequest.lookup(uuid: uuid, number: number, bytes: bytes, using: &random)
      return request(.lookup, .identity, payload, uuid, number)
    case "authorize_upload", "authorize_download":
      let isUpload = verb == "authorize_upload"
      let bytes = try fields.integer("bytes", in: 0...100_000_000) ?? 1_800_000
      let (uuid, number) = (random.bytes(16), number(&random))
      let payload = CourierRequest.attachment(
        isUpload ? .uploadAuthorization : .downloadAuthorization, uuid: uuid, number: number, bytes: bytes,
        using: &random)
      return request(isUpload ? .uploadRequest : .downloadRequest, .madrid, payload, uuid, number)
    case "facetime_relay":
      let participants = try fields.integer("participants", in: 1...32) ?? 2
      _ = try fields.string("to")
      let (uuid, number) = (random.bytes(16), number(&random))
      let session = random.uuid()
      let payload = CourierRequest.relay(
        uuid: uuid, number: number, session: session, participants: participants, using: &random)
      return request(.relayRequest, .quickRelay, payload, uuid, number)
    default: throw Complaint("there is no '\(verb)' here")
    }
  }

  /// What a person learns from an answer of the courier's.
  func report(_ answer: Value) -> [String: JSON] {
    var report: [String: JSON] = [:]
    if let url = answer["mR"]?.text { report["url"] = .string(url) }
    if let allocation = answer["qal"]?.elements?.first, let address = allocation["qrip"]?.bytes,
      let port = allocation["qrp"]?.number
    {
      report["relay"] = .string(RelayAddress(bytes: address, port: UInt16(clamping: port)).text)
    }
    return report
  }

  private func letter(_ kind: MessageKind, to receiver: String, _ fields: inout Fields) throws -> Letter {
    var letter = Letter(kind: kind, sender: name, receiver: receiver)
    if let characters = try fields.integer("characters", in: 0...8000) { letter.characters = characters }
    if let script = try fields.word("script", Script.self) { letter.script = script }
    if let devices = try fields.integer("devices", in: 1...20) { letter.devices = devices }
    if let own = try fields.integer("own_devices", in: 0...9) { letter.ownDevices = own }
    letter.bytes = try fields.integer("bytes", in: 0...100_000_000)
    if kind.group != "imessage", let bytes = letter.bytes, bytes > 12000 { throw Complaint("'bytes' is over 12000") }
    return letter
  }

  private func outgoing(_ letter: Letter, _ random: inout SeededGenerator) -> Outgoing {
    let number = number(&random)
    let (payload, uuid) = letter.payload(number: number, using: &random)
    let devices = letter.destinations.count
    let account = Account(
      kind: letter.kind, message: Incoming.text(uuid), topic: letter.topic.name, characters: letter.textLength,
      devices: devices)
    return Outgoing(
      name: Incoming.text(uuid),
      command: Commands.up(token: token, topic: letter.topic, payload: payload, number: number), account: account,
      serverAcks: letter.isAckedPerDevice ? devices : 0, isConfirmed: letter.kind.isConfirmed && letter.devices > 0)
  }

  private func request(
    _ kind: MessageKind, _ topic: Topic, _ payload: Value, _ uuid: [UInt8], _ number: UInt32
  ) -> Outgoing {
    Outgoing(
      name: Incoming.text(uuid), command: Commands.up(token: token, topic: topic, payload: payload, number: number),
      account: Account(kind: kind, message: Incoming.text(uuid), topic: topic.name), isAnswered: true)
  }

  private enum FaceTimeAct: String, CaseIterable {
    case ring, join, leave, update

    var kind: MessageKind {
      switch self {
      case .ring: .ring
      case .join: .join
      case .leave: .leave
      case .update: .update
      }
    }
  }

  private enum Status: String, CaseIterable {
    case findmy, focus, alloy

    var kind: MessageKind {
      switch self {
      case .findmy: .findMy
      case .focus: .focus
      case .alloy: .alloy
      }
    }
  }
}
