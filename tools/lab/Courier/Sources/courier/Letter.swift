import CourierPayloads
import CourierProtocol

/// A message from one person to another, as an act asks for it: what becomes an identity services' payload.
struct Letter {
  var kind: MessageKind
  var sender: String
  var receiver: String
  var characters = 40
  var script = Script.latin
  /// Devices of the receiver, and further ones of the sender.
  var devices = 1
  var ownDevices = 0
  /// Bytes of what is encrypted where the kind has no text; of the file where it is an attachment.
  var bytes: Int?
  /// The message that a receipt is for.
  var about: [UInt8]?

  /// Kinds that `imessage` and `incoming` send.
  enum Message: String, CaseIterable {
    case text, tapback, edit, attachment, read
    case typingStart = "typing_start"
    case typingStop = "typing_stop"

    var kind: MessageKind {
      switch self {
      case .text: .text
      case .tapback: .tapback
      case .edit: .edit
      case .attachment: .attachment
      case .read: .read
      case .typingStart: .typingStart
      case .typingStop: .typingStop
      }
    }
  }

  /// The payload as it leaves the sender's device, and the 16 bytes that name it.
  func payload(number: UInt32, using random: inout SeededGenerator) -> (payload: Value, uuid: [UInt8]) {
    let uuid = about ?? random.bytes(16)
    let clear = clearBytes(using: &random)
    var message = OutgoingMessage(
      command, sender: Person.handle(sender), uuid: uuid, number: number, destinations: destinations, clearBytes: clear)
    switch kind {
    case .typingStart, .typingStop:
      message.wantsNoResponse = true
      message.expiresAtOnce = true
    case .delivered, .read: message.wantsNoResponse = true
    default: break
    }
    let payload = message.payload(using: &random)
    guard clear != nil, let entries = payload["dtl"]?.elements else { return (payload, uuid) }
    let note = Note(kind: kind, characters: textLength ?? 0)
    let noted = entries.map { entry in
      entry["P"]?.bytes.map { entry.setting("P", .data(note.written(into: $0))) } ?? entry
    }
    return (payload.setting("dtl", .array(noted)), uuid)
  }

  /// Characters of the text, where there is one.
  var textLength: Int? {
    switch kind {
    case .text, .edit, .tapback: characters
    default: nil
    }
  }

  /// Whether the courier says for each device that it took the message.
  var isAckedPerDevice: Bool {
    switch kind {
    case .typingStart, .typingStop, .delivered, .read: false
    default: true
    }
  }

  /// All devices that it goes to.
  var destinations: [Destination] {
    let receivers = (0..<devices).map { destination(receiver, $0) }
    return receivers + (0..<ownDevices).map { destination(sender, $0 + 1) }
  }

  var topic: Topic {
    switch kind {
    case .ring, .join, .leave, .update: .faceTime
    case .findMy: Topics.findMy
    case .focus: Topics.focus
    case .alloy: Topics.alloy
    default: .madrid
    }
  }

  private func destination(_ name: String, _ device: Int) -> Destination {
    let session = Person.digest("session", name, "\(device)") + Person.digest("session", name, "\(device)", "more")
    return Destination(
      handle: Person.handle(name), token: Person.token(name, device: device), session: Array(session.prefix(46)))
  }

  private var command: IDSCommand {
    switch kind {
    case .delivered: .delivered
    case .read: .read
    case .edit: .edit
    case .ring, .join: .faceTimeJoin
    case .leave: .faceTimeLeave
    case .update: .faceTimeUpdate
    case .focus: .statusKeys
    case .findMy, .alloy: .alloy
    default: .message
    }
  }

  /// Bytes of what is encrypted; nil where nothing is. Lengths of FaceTime's and of status messages are assumed.
  private func clearBytes(using random: inout SeededGenerator) -> Int? {
    let body: MessageBody
    switch kind {
    case .text: body = .text(script.text(characters, using: &random))
    case .typingStop: body = .typingStop
    case .tapback: body = .tapback(quoting: script.text(characters, using: &random))
    case .edit: body = .edit(script.text(characters, using: &random))
    case .attachment: body = .attachment(name: "IMG_0421.HEIC", bytes: bytes ?? 1_800_000)
    case .ring: return bytes ?? 620
    case .join: return bytes ?? 420
    case .update: return bytes ?? 260
    case .leave: return bytes ?? 120
    case .findMy: return bytes ?? 310
    case .focus: return bytes ?? 380
    case .alloy: return bytes ?? 240
    default: return nil
    }
    return body.compressed(from: Person.handle(sender), to: [Person.handle(receiver)], using: &random)
  }
}

/// Topics that the lab uses beside iMessage's and FaceTime's, and their names by hash.
enum Topics {
  // Two names as in rustpush; the third, seen in decompilations, stands for the many other alloy services.
  static let findMy = Topic("com.apple.private.alloy.fmf")
  static let focus = Topic("com.apple.private.alloy.status.keysharing")
  static let alloy = Topic("com.apple.private.alloy.coreduet.sync")

  private static let known = Dictionary(
    (Topic.apple + [findMy, focus, alloy]).map { ($0.hash, $0) }
  ) { first, _ in first }

  /// The topic behind a hash, if devices send to it.
  static func topic(_ hash: [UInt8]?) -> Topic? { hash.flatMap { known[$0] } }
}
