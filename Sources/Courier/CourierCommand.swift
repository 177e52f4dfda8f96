/// A command of the push connection by its number; the names are those of Apple's own programs.
struct CourierCommand: Equatable, Sendable {
  let number: UInt8

  static let connect = CourierCommand(number: 0x07)
  static let connected = CourierCommand(number: 0x08)
  static let filter = CourierCommand(number: 0x09)
  static let notification = CourierCommand(number: 0x0a)
  static let ack = CourierCommand(number: 0x0b)
  static let keepAlive = CourierCommand(number: 0x0c)
  static let keepAliveResponse = CourierCommand(number: 0x0d)
  static let noStorage = CourierCommand(number: 0x0e)
  static let flush = CourierCommand(number: 0x0f)
  static let scopedToken = CourierCommand(number: 0x11)
  static let scopedTokenResponse = CourierCommand(number: 0x12)
  static let setState = CourierCommand(number: 0x14)
  static let redirect = CourierCommand(number: 0x17)
  static let taskControl = CourierCommand(number: 0x18)
  static let taskNotification = CourierCommand(number: 0x19)
  static let subscribe = CourierCommand(number: 0x1d)
  static let channelUpdate = CourierCommand(number: 0x1e)
  static let presence = CourierCommand(number: 0x20)
  static let filterUpdate = CourierCommand(number: 0x21)

  /// No command has had a higher number; a higher one means that the place in the stream was lost.
  static let highestPlausible: UInt8 = 0x3f

  var isKnown: Bool { entry != nil }
  var isPlausible: Bool { number > 0 && number <= Self.highestPlausible }
  var name: String { entry?.name ?? "Command 0x" + String(number >> 4, radix: 16) + String(number & 15, radix: 16) }
  var kind: String { entry?.kind ?? "courier.unknown" }

  /// Whether a side is known to send it.
  func isSent(byClient: Bool) -> Bool {
    switch self {
    case .connect, .keepAlive, .scopedToken, .setState: byClient
    case .connected, .keepAliveResponse, .noStorage, .scopedTokenResponse, .redirect, .filterUpdate: !byClient
    default: isKnown
    }
  }

  /// Whether a side begins with it. What comes first refers to no entry of a table.
  func isFirst(ofClient: Bool) -> Bool { self == (ofClient ? .connect : .connected) }

  private var entry: (name: String, kind: String)? {
    switch self {
    case .connect: ("Connect", "courier.connect")
    case .connected: ("Connected", "courier.connected")
    case .filter: ("Filter", "courier.filter")
    case .notification: ("Notification", "courier.notification")
    case .ack: ("Ack", "courier.ack")
    case .keepAlive: ("KeepAlive", "courier.keep_alive")
    case .keepAliveResponse: ("KeepAliveResponse", "courier.keep_alive_response")
    case .noStorage: ("NoStorage", "courier.no_storage")
    case .flush: ("Flush", "courier.flush")
    case .scopedToken: ("AppTokenGenerate", "courier.scoped_token")
    case .scopedTokenResponse: ("AppTokenGenerateResponse", "courier.scoped_token_response")
    case .setState: ("SetState", "courier.set_state")
    case .redirect: ("Redirect", "courier.redirect")
    case .taskControl: ("TaskControl", "courier.task_control")
    case .taskNotification: ("TaskNotification", "courier.task_notification")
    case .subscribe: ("PubSubChannelSubscribe", "courier.subscribe")
    case .channelUpdate: ("PubSubChannelUpdate", "courier.channel_update")
    case .presence: ("PresenceActivity", "courier.presence")
    case .filterUpdate: ("FilterUpdate", "courier.filter_update")
    default: nil
    }
  }
}
