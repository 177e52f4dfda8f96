import Classify
import Decode

/// The columns of a matrix, found as traffic comes.
struct ColumnTable {
  /// Columns of messages that truth knows on push connections, in the order of the matrix.
  static let messageColumns: [(column: Column, holds: @Sendable (TraceMessage) -> Bool)] = [
    (
      Column(key: "imessage-sent", name: "iMessage, sent", group: "Apple's push connection", kind: .messages),
      { $0.messageClass == "imessage" && $0.isContent && $0.isUp }
    ),
    (
      Column(key: "imessage-received", name: "iMessage, received", group: "Apple's push connection", kind: .messages),
      { $0.messageClass == "imessage" && $0.isContent && !$0.isUp }
    ),
    (
      Column(key: "notifications", name: "notifications", group: "Apple's push connection", kind: .messages),
      { $0.messageClass == "notification" && $0.isContent }
    ),
    (
      Column(key: "facetime-ringing", name: "FaceTime ringing", group: "Apple's push connection", kind: .messages),
      { $0.kind == "facetime.ring" }
    ),
    (
      Column(key: "status", name: "status and Find My, sent", group: "Apple's push connection", kind: .messages),
      { $0.kind.hasPrefix("status.") && $0.isUp }
    ),
  ]

  /// The most columns of services tagged other; the rest share one.
  static let maximumOthers = 10
  /// The column that gathers them.
  static let rest = Column(key: "everything-else", name: "everything else", group: "other", kind: .flows)

  /// The service by which a flow is counted: what truth says, else the verdict.
  static func service(of flow: FlowSight) -> (name: String, isTrue: Bool) {
    if let name = flow.trueService, flow.trueTag != "?" { return (name, true) }
    return (flow.service ?? "unknown \(flow.transport == .tcp ? "TCP" : "UDP")", false)
  }

  /// A service's word: "iMessage identity (IDS)" is "imessage-identity".
  static func key(_ service: String) -> String {
    let bare = service.split(separator: "(").first.map(String.init) ?? service
    var key = ""
    for letter in bare.lowercased() {
      if letter.isLetter || letter.isNumber {
        key.append(letter)
      } else if !key.isEmpty, key.last != "-" {
        key.append("-")
      }
    }
    return key.hasSuffix("-") ? String(key.dropLast()) : key
  }

  /// Under what a service stands.
  static func group(_ tag: String) -> String {
    switch tag {
    case "push", "messaging", "calling": tag
    default: "other"
    }
  }

  /// Columns whose figures are another's too: messages stand for the connection that carries them.
  static func isCarrier(_ key: String) -> Bool { key == "apns" }

  /// Columns that a rule against the one is meant to hit as well.
  static func areKin(_ a: String, _ b: String) -> Bool {
    a == b
      || a.hasPrefix("imessage-") && b.hasPrefix("imessage-") && a != "imessage-identity" && b != "imessage-identity"
  }
}
