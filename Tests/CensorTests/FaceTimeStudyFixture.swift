import Censor
import Separability

/// Matrices and lab tables that are made up: their figures come from no traffic and say nothing about any.
struct MadeUpMatrix {
  /// What a policy does to a column.
  enum Entry {
    /// Of so many messages so many lost and late.
    case messages(lost: UInt64, late: UInt64, of: UInt64)
    /// Of so many flows so many cut.
    case flows(UInt64, of: UInt64, basis: Cell.Basis)
  }

  static let columns: [Column] = [
    Column(key: "apns", name: "push connections (APNs)", group: "Apple", kind: .flows),
    Column(key: "facetime", name: "FaceTime media", group: "Apple", kind: .flows),
    Column(key: "imessage-identity", name: "iMessage identity", group: "Apple", kind: .flows),
    Column(key: "apple-activation", name: "activation", group: "Apple", kind: .flows),
    Column(key: "imessage-attachments", name: "attachments", group: "Apple", kind: .flows),
    Column(key: "whatsapp-calls", name: "WhatsApp calls", group: "calls", kind: .flows),
    Column(key: "webrtc", name: "WebRTC calls", group: "calls", kind: .flows),
    Column(key: "imessage-sent", name: "iMessage, sent", group: "Apple", kind: .messages),
    Column(key: "imessage-received", name: "iMessage, received", group: "Apple", kind: .messages),
    Column(key: "notifications", name: "notifications", group: "Apple", kind: .messages),
    Column(key: "facetime-ringing", name: "FaceTime ringing", group: "Apple", kind: .messages),
    Column(key: "status", name: "status", group: "Apple", kind: .messages),
  ]

  /// By policy, by column.
  var entries: [String: [String: Entry]]

  subscript(policy: String, column: String) -> Entry? {
    get { entries[policy]?[column] }
    set { entries[policy, default: [:]][column] = newValue }
  }

  /// Sets messages by their share of 100.
  mutating func set(_ policy: String, _ columns: String..., percent: UInt64, of whole: UInt64 = 100) {
    for column in columns { self[policy, column] = .messages(lost: percent, late: 0, of: whole) }
  }

  /// Sets flows by their share of 20.
  mutating func set(_ policy: String, _ columns: String..., flows: UInt64) {
    for column in columns { self[policy, column] = .flows(flows, of: 20, basis: .truth) }
  }

  /// Takes a column away from all policies.
  mutating func remove(_ columns: String...) {
    for policy in entries.keys { for column in columns { entries[policy]?[column] = nil } }
  }

  /// Each policy of the study hits nothing at all, but for what is set.
  static func harmless() -> MadeUpMatrix {
    var matrix = MadeUpMatrix(entries: [:])
    for policy in FaceTimeStudy.policyNames {
      for column in columns {
        matrix[policy, column.key] =
          column.kind == .flows ? .flows(0, of: 20, basis: .truth) : .messages(lost: 0, late: 0, of: 100)
      }
    }
    return matrix
  }

  /// Figures as one would expect them.
  static func expected() -> MadeUpMatrix {
    var matrix = harmless()
    for policy in ["block-push-prefixes", "block-push-name", "block-17-8", "tspu-two-stage"] {
      matrix.set(policy, "imessage-sent", "imessage-received", percent: 97)
      matrix.set(policy, "notifications", percent: 96)
      matrix[policy, "facetime-ringing"] = .messages(lost: 4, late: 0, of: 4)
      matrix.set(policy, "apns", flows: 20)
    }
    matrix.set("block-port-5223", "imessage-sent", "imessage-received", "notifications", percent: 8)
    matrix.set("block-17-8", "facetime", "imessage-identity", "apple-activation", flows: 20)
    matrix["facetime-ports", "facetime"] = .flows(18, of: 20, basis: .truth)
    matrix.set("facetime-ports", "webrtc", flows: 3)
    matrix.set("facetime-relay-prefixes", "facetime", flows: 12)
    matrix.set("block-identity", "imessage-identity", flows: 20)
    matrix.set("block-activation", "apple-activation", flows: 20)
    matrix.set("block-attachments", "imessage-attachments", flows: 20)
    for policy in ["sent-imessage-shape", "sent-imessage-hold"] {
      matrix.set(policy, "imessage-sent", percent: 93)
      matrix.set(policy, "notifications", percent: 1)
      matrix.set(policy, "status", percent: 71)
    }
    matrix.set("received-imessage-hold", "imessage-received", percent: 88)
    matrix.set("received-imessage-hold", "notifications", percent: 24)
    matrix.set("perfect-record-imessage", "imessage-sent", "imessage-received", percent: 100)
    matrix.set("perfect-record-imessage", "notifications", percent: 62)
    return matrix
  }

  var collateral: Collateral {
    var collateral = Collateral()
    collateral.captures = ["made-up.pcapng"]
    (collateral.flows, collateral.messages, collateral.phones) = (140, 500, 6)
    collateral.columns = Self.columns.filter { column in entries.values.contains { $0[column.key] != nil } }
    collateral.command = "wiretag censor --study facetime-vs-imessage made-up.pcapng"
    collateral.assumptions = ["These figures are made up and say nothing about any traffic."]
    for (index, name) in entries.keys.sorted().enumerated() {
      collateral.policies.append(
        Policy(
          name: name, title: name, about: "", group: "made up", source: "made up", date: "2026-01-01",
          standing: .hypothetical, match: .leaf(.hello(.tcp)), action: PolicyAction(.drop)))
      var result = PolicyResult(policy: index, cells: collateral.columns.map { cell(entries[name]?[$0.key]) })
      if let (messages, notifications) = counts(name), messages > 0 {
        result.notificationsPerIMessage = Double(notifications) / Double(messages)
      }
      collateral.results.append(result)
    }
    return collateral
  }

  private func cell(_ entry: Entry?) -> Cell {
    var cell = Cell()
    switch entry {
    case .messages(let lost, let late, let whole):
      cell.basis = .messages
      (cell.lost, cell.late) = (Share(lost, of: whole), Share(late, of: whole))
    case .flows(let hit, let whole, let basis):
      cell.basis = basis
      cell.flows = Share(hit, of: whole)
    case nil: break
    }
    return cell
  }

  private func counts(_ policy: String) -> (messages: UInt64, notifications: UInt64)? {
    func hit(_ column: String) -> UInt64? {
      guard case .messages(let lost, let late, _) = self[policy, column] else { return nil }
      return lost + late
    }
    guard let sent = hit("imessage-sent"), let notifications = hit("notifications") else { return nil }
    return (sent + (hit("imessage-received") ?? 0), notifications)
  }
}

/// A lab's table that is made up.
enum MadeUpLab {
  static func fate(_ lost: Int, _ late: Int, of sent: Int) -> ActTable.Fate {
    var fate = ActTable.Fate()
    (fate.sent, fate.lost, fate.late) = (sent, lost, late)
    return fate
  }

  /// A rule with percentages of 100 messages lost.
  static func rule(
    _ name: String, _ title: String, unit: String, received: Int, sent: Int, notifications: Int, others: Int
  ) -> ActTable.Rule {
    var rule = ActTable.Rule()
    (rule.name, rule.title, rule.unit) = (name, title, unit)
    rule.imessageIn = fate(received, 0, of: 100)
    rule.imessageOut = fate(sent, 0, of: 100)
    rule.notifications = fate(notifications, 0, of: 100)
    rule.otherServicesSent = fate(others, 0, of: 100)
    return rule
  }

  static func table(sentCost: Int = 2, receivedCost: Int = 19) -> ActTable {
    var table = ActTable()
    (table.made, table.repetitions) = ("2026-01-01", 12)
    var port = rule(
      "block-port-drop", "drop port 5223", unit: "port", received: 41, sent: 39, notifications: 38, others: 33)
    port.fallbackShare = Estimate(1)
    table.rules = [
      rule("control", "no rule", unit: "none", received: 0, sent: 0, notifications: 0, others: 0),
      rule(
        "drop-send", "drop sent records", unit: "record", received: 1, sent: 99, notifications: sentCost, others: 90),
      rule(
        "delay-incoming", "hold received records for 3 s", unit: "record", received: 95, sent: 0,
        notifications: receivedCost, others: 0),
      port,
      rule(
        "block-address", "drop the couriers\u{2019} addresses", unit: "address", received: 100, sent: 100,
        notifications: 100, others: 100),
    ]
    return table
  }
}
