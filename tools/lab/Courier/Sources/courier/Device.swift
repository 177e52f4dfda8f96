import CourierProtocol

/// A message on its way from the courier to a device.
struct Delivery {
  var topic: String
  var kind: MessageKind
  /// What it belongs to where that is not the kind's own group.
  var group: String?
  /// Pairs the message with its arrival and its answers.
  var name: String
  /// The courier's number of the message (field 4).
  var number: UInt32
  var payload: Value
  /// Whether the device answers with a receipt of its own.
  var isConfirmed = false
  var characters: Int?

  /// What the truth says of it.
  var account: Account {
    Account(kind: kind, group: group, message: name, topic: topic, characters: characters)
  }
}

/// A device that the courier knows, connected or not; stays on the event loop.
final class Device {
  /// Deliveries kept for a device that is away; the oldest go first.
  static let mostStored = 1000

  let token: [UInt8]
  /// The person's name where an act or a message has named it.
  var name: String?
  var connection: Connection?
  /// Whether it was ever connected; the server plays the phones of people who never were.
  var wasConnected = false
  /// Whether the device has said which topics it wants.
  var isListening = false
  /// Whether deliveries wait until they are released.
  var isHeld = false
  var held: [Delivery] = []
  var stored: [Delivery] = []
  /// Sent and not yet acknowledged, in the order of sending.
  var unacked: [Delivery] = []
  /// UUID of the last message to each handle, which a read receipt is for.
  var lastSent: [String: [UInt8]] = [:]
  /// Names of messages whose receipts have not come yet.
  var unconfirmed: Set<String> = []
  /// Deliveries lost because too many were stored.
  var dropped = 0
  private var number: UInt32

  init(token: [UInt8]) {
    self.token = token
    // Message numbers begin anywhere, with all four bytes in use so that their packed size does not change.
    number = 0x4000_0000 | token.prefix(3).reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// The next message number.
  func nextNumber() -> UInt32 {
    number = number == .max ? 0x4000_0000 : number + 1
    return number
  }

  /// Keeps a delivery until the device comes back. Of an app's notifications only the newest is kept, as APNs does;
  /// messages are all kept.
  func store(_ delivery: Delivery) {
    if delivery.kind.group == "notification" {
      stored.removeAll { $0.kind.group == "notification" && $0.topic == delivery.topic }
    }
    stored.append(delivery)
    if stored.count > Self.mostStored {
      stored.removeFirst()
      dropped += 1
    }
  }

  /// The connection is gone: what was not acknowledged is stored again, before what came later.
  func left() {
    connection = nil
    isListening = false
    let later = stored
    stored = []
    for delivery in unacked + later { store(delivery) }
    unacked.removeAll()
    unconfirmed.removeAll()
  }
}
