import Protocols

/// Class and kind of a message: what the courier itself could say of it.
///
/// The words are those of the lab's truth files where no encryption inside the payload hides the difference: a text, a
/// tapback, an attachment and the end of typing are all `imessage.message`.
struct CourierKind: Equatable {
  var messageClass: CourierClass
  var kind: String

  /// The kind of a notification (command 0x0a).
  init(_ content: CommandContent, topic: CourierTopicHash?, from side: FlowSide) {
    let entry = topic.flatMap { TopicTable.shared.entries[$0] }
    if let command = content.idsCommand {
      self = Self.identityServices(command, content, entry, side)
    } else if let entry, entry.messageClass != .notification {
      self.init(messageClass: entry.messageClass, kind: Self.topicKind(entry))
    } else if entry != nil || content.hasAPS {
      self.init(messageClass: .notification, kind: Self.push(content))
    } else {
      self.init(messageClass: .unknown, kind: "courier.notification")
    }
  }

  private init(messageClass: CourierClass, kind: String) {
    self.messageClass = messageClass
    self.kind = kind
  }

  private static func push(_ content: CommandContent) -> String {
    guard content.hasAPS else { return "notification.other" }
    return content.hasAlert || !content.isContentAvailable ? "notification.alert" : "notification.background"
  }

  private static func topicKind(_ entry: TopicTable.Entry) -> String {
    switch entry.messageClass {
    case .status: statusKinds[entry.what] ?? "status.other"
    case .imessage: "imessage.other"
    case .facetime: "facetime.other"
    case .identity: "identity.other"
    default: "notification.other"
    }
  }

  private static func identityServices(
    _ command: Int, _ content: CommandContent, _ entry: TopicTable.Entry?, _ side: FlowSide
  ) -> CourierKind {
    if command == 255 {
      return CourierKind(messageClass: entry?.messageClass ?? .unknown, kind: "courier.server_ack")
    }
    if let kind = identityKind(command, side) { return CourierKind(messageClass: .identity, kind: kind) }
    guard let entry else { return CourierKind(messageClass: .unknown, kind: "courier.ids_message") }
    let kind =
      switch entry.messageClass {
      case .imessage: messageKind(command, content, side)
      case .facetime: callKind(command, side)
      default: topicKind(entry)
      }
    return CourierKind(messageClass: entry.messageClass, kind: kind)
  }

  /// Commands of identity services that every topic may carry.
  private static func identityKind(_ command: Int, _ side: FlowSide) -> String? {
    switch command {
    case 32: "identity.re_register"
    case 34: "identity.devices_updated"
    case 66: "identity.handles_updated"
    case 92: "identity.error"
    case 96: "identity.lookup"
    case 97: "identity.lookup_answer"
    case 130: "identity.peers_invalidated"
    default: nil
    }
  }

  private static func messageKind(_ command: Int, _ content: CommandContent, _ side: FlowSide) -> String {
    switch command {
    case 100: content.ciphertexts > 0 ? "imessage.message" : "imessage.typing_start"
    case 101: "imessage.delivered"
    case 102: "imessage.read"
    case 150: side == .client ? "imessage.upload_request" : "imessage.upload_answer"
    case 151: side == .client ? "imessage.download_request" : "imessage.download_answer"
    case 140...149: "imessage.sms_relay"
    default: messageKinds[command] ?? "imessage.other"
    }
  }

  private static func callKind(_ command: Int, _ side: FlowSide) -> String {
    switch command {
    case 200: side == .client ? "facetime.relay_request" : "facetime.relay_answer"
    case 207: "facetime.join"
    case 208: "facetime.leave"
    case 209: "facetime.update"
    default: "facetime.other"
    }
  }

  private static let messageKinds: [Int: String] = [
    103: "imessage.unschedule", 105: "imessage.played", 106: "imessage.saved", 107: "imessage.delivered_reflected",
    109: "imessage.delivered_certified", 111: "imessage.mark_unread", 113: "imessage.notify_anyway",
    118: "imessage.edit", 120: "imessage.delivery_failure", 122: "imessage.extension_update",
    131: "imessage.profile_share", 138: "imessage.background", 160: "imessage.flush_queue", 180: "imessage.settings",
    181: "imessage.delete_sync", 182: "imessage.undelete_sync", 190: "imessage.group_metadata",
    196: "imessage.link_preview",
  ]

  private static let statusKinds: [String: String] = [
    "findmy": "status.findmy", "focus": "status.focus", "alloy": "status.alloy", "icloud": "status.icloud",
    "presence": "status.presence", "account": "status.account", "wallet": "status.wallet", "service": "status.service",
  ]
}
