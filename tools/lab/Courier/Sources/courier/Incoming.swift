import CourierPayloads
import CourierProtocol

extension Command {
  /// The bytes of a field.
  func data(_ id: UInt8) -> [UInt8]? { self[id]?.bytes }

  /// A number, which the older framing may carry as bytes.
  func integer(_ id: UInt8) -> Int? { self[id]?.integer }

  /// The courier's number of a message.
  func number(_ id: UInt8) -> UInt32? { integer(id).flatMap(UInt32.init(exactly:)) }

  /// A text, which the older framing carries as bytes.
  func text(_ id: UInt8) -> String? {
    self[id].flatMap { $0.text ?? $0.bytes.map { String(decoding: $0, as: UTF8.self) } }
  }
}

extension Value {
  /// A number; of at most eight bytes if it stands as bytes.
  var integer: Int? {
    switch self {
    case .integer(let integer): Int(exactly: integer)
    case .data(let data) where data.count <= 8: Int(exactly: data.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    default: nil
    }
  }

  var isTrue: Bool {
    switch self {
    case .bool(let bool): bool
    case .integer(let integer): integer != 0
    default: false
    }
  }
}

/// A message as its receiver reads it: a device, or the courier that passes it on.
struct Incoming {
  /// A device that a message is meant for.
  struct Target {
    var handle: String
    var token: [UInt8]
    /// The message's entry for this device.
    var entry: Value
  }

  /// Recipients that are read of one message.
  static let mostTargets = 64

  let kind: MessageKind
  /// Pairs the message with its answers.
  let name: String
  let uuid: [UInt8]?
  let payload: Value?
  let sender: String?
  let topic: Topic?
  let number: UInt32
  let targets: [Target]
  let wantsNoResponse: Bool
  let characters: Int?

  /// Reads a message; the fields of topic and token stand the other way round on the way down, so the reader counts.
  init(_ command: Command, reader: Side) {
    let payload = command[3]
    self.payload = payload
    topic = Topics.topic(command.data(reader == .server ? 1 : 2))
    let token = command.data(reader == .server ? 2 : 1) ?? []
    number = command.number(4) ?? 0
    uuid = payload?["U"]?.bytes.flatMap { $0.count == 16 ? $0 : nil }
    name = uuid.map(Self.text) ?? Self.name(token, number)
    sender = payload?["sP"]?.text
    targets = (payload?["dtl"]?.elements ?? []).prefix(Self.mostTargets).compactMap {
      guard let handle = $0["tP"]?.text, let token = $0["t"]?.bytes, token.count == 32 else { return nil }
      return Target(handle: handle, token: token, entry: $0)
    }
    wantsNoResponse = payload?["nr"]?.isTrue ?? false
    let note = Note((payload?["P"] ?? targets.first?.entry["P"])?.bytes)
    kind = Self.kind(payload, note)
    characters = note.flatMap { [.text, .edit, .tapback].contains($0.kind) ? $0.characters : nil }
  }

  private static func kind(_ payload: Value?, _ note: Note?) -> MessageKind {
    if let json = payload?.bytes { return MessageKind(json: json) }
    guard let payload, let command = payload["c"]?.number.flatMap(IDSCommand.init) else { return .other }
    switch command {
    case .httpRequest: return .lookup
    case .httpResponse: return .lookupAnswer
    case .delivered: return .delivered
    case .read: return .read
    // The server names the place (mR).
    case .uploadAuthorization: return payload["mR"] == nil ? .uploadRequest : .uploadAnswer
    case .downloadAuthorization: return payload["mR"] == nil ? .downloadRequest : .downloadAnswer
    // The server gives allocations (qal).
    case .quickRelay: return payload["qal"] == nil ? .relayRequest : .relayAnswer
    case .serverAck: return .serverAck
    case .message: return note?.kind ?? .typingStart
    default: return note?.kind ?? .other
    }
  }

  /// Bytes in hexadecimal.
  static func text(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// The name of a message that has no UUID: the beginning of its device's token, and the courier's number.
  static func name(_ token: [UInt8], _ number: UInt32) -> String {
    text(Array(token.prefix(4))) + "-" + String(number, radix: 16)
  }
}
