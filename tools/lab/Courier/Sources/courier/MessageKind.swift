/// What a message is, as the truth names it.
enum MessageKind: String, CaseIterable {
  case connect = "courier.connect"
  case connected = "courier.connected"
  case setState = "courier.set_state"
  case filter = "courier.filter"
  case noStorage = "courier.no_storage"
  case ack = "courier.ack"
  case keepAlive = "courier.keep_alive"
  case keepAliveResponse = "courier.keep_alive_response"
  case flush = "courier.flush"
  case redirect = "courier.redirect"
  case scopedToken = "courier.scoped_token"
  case scopedTokenResponse = "courier.scoped_token_response"
  case subscribe = "courier.subscribe"
  case channelUpdate = "courier.channel_update"

  case shortAlert = "notification.short"
  case chatAlert = "notification.chat"
  case richAlert = "notification.rich"
  case silentPush = "notification.silent"

  case text = "imessage.text"
  case typingStart = "imessage.typing_start"
  case typingStop = "imessage.typing_stop"
  case tapback = "imessage.tapback"
  case edit = "imessage.edit"
  case attachment = "imessage.attachment"
  case delivered = "imessage.delivered"
  case read = "imessage.read"
  case uploadRequest = "imessage.upload_request"
  case uploadAnswer = "imessage.upload_answer"
  case downloadRequest = "imessage.download_request"
  case downloadAnswer = "imessage.download_answer"

  case ring = "facetime.ring"
  case join = "facetime.join"
  case leave = "facetime.leave"
  case update = "facetime.update"
  case relayRequest = "facetime.relay_request"
  case relayAnswer = "facetime.relay_answer"

  case lookup = "identity.lookup"
  case lookupAnswer = "identity.lookup_answer"
  case serverAck = "courier.server_ack"

  case findMy = "status.findmy"
  case focus = "status.focus"
  case alloy = "status.alloy"
  case other = "other"

  /// The part before the dot: what the message belongs to.
  var group: String { String(rawValue.prefix { $0 != "." }) }

  /// Whether the receiving device tells the sender that it was delivered.
  var isConfirmed: Bool {
    switch self {
    case .text, .tapback, .edit, .attachment: true
    default: false
    }
  }

  /// A byte for the kind; stands in the modelled ciphertext where a receiver would decrypt.
  var code: UInt8 { UInt8(clamping: (Self.allCases.firstIndex(of: self) ?? 0)) }

  init(code: UInt8) {
    let all = Self.allCases
    self = Int(code) < all.count ? all[Int(code)] : .other
  }
}
