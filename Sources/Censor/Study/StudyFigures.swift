import Pages
import Separability

/// What a study asks about in the columns of a matrix.
struct StudySubject {
  /// Columns: those that the traffic has are counted together, or the first of them stands for all.
  let keys: [String]
  let isSum: Bool
  /// What people call it.
  let name: String

  init(_ keys: String..., name: String, isSum: Bool = true) {
    (self.keys, self.name, self.isSum) = (keys, name, isSum)
  }

  static let iMessages = StudySubject("imessage-sent", "imessage-received", name: "iMessages")
  static let sent = StudySubject("imessage-sent", name: "sent iMessages")
  static let received = StudySubject("imessage-received", name: "received iMessages")
  static let notifications = StudySubject("notifications", name: "notifications")
  static let ringing = StudySubject("facetime-ringing", name: "FaceTime\u{2019}s ringing")
  static let status = StudySubject("status", name: "messages of Apple\u{2019}s other services")
  static let connections = StudySubject("apns", name: "push connections")
  static let calls = StudySubject("facetime", name: "FaceTime\u{2019}s media flows")
  static let identity = StudySubject("imessage-identity", name: "visits to the sign-in hosts")
  static let activation = StudySubject("apple-activation", name: "activations")
  static let attachments = StudySubject(
    "imessage-attachments", "icloud-content", name: "transfers of attachments", isSum: false)
}

/// A share that is hit, with what it rests on.
struct StudyFigure {
  /// 0 to 1.
  let value: Double
  /// Of how many.
  let whole: UInt64
  /// What it is a share of, for people.
  let name: String
  let evidence: StudyEvidence

  /// "12 %".
  var words: String { Numbers.percent(value) }
  /// Fewer than this are few.
  static let few = 0.05
  /// As many as this, or more, are most.
  static let most = 0.5
  var isFew: Bool { value < Self.few }
  var isMost: Bool { value >= Self.most }
  /// Below this a count says little.
  static let enough: UInt64 = 10
}

/// The numbers that a study may use: cells of a matrix, and the lab's measurements.
struct StudyFigures {
  let collateral: Collateral
  let act: ActTable?

  /// Whether a policy was run.
  func isRun(_ policy: String) -> Bool { collateral.policies.contains { $0.name == policy } }

  /// What a policy does to a subject; nil where it was not run or the traffic has nothing of the subject.
  func hit(_ policy: String, _ subject: StudySubject) -> StudyFigure? {
    var columns: [(column: Column, cell: Cell)] = []
    for key in subject.keys {
      guard let column = collateral.columns.first(where: { $0.key == key }), let cell = collateral.cell(policy, key),
        cell.hit != nil
      else { continue }
      columns.append((column, cell))
      if !subject.isSum { break }
    }
    guard let basis = columns.first?.cell.basis else { return nil }
    // What is known in different ways is not added up.
    columns.removeAll { $0.cell.basis != basis }
    let cells = columns.map(\.cell)
    let name = columns.map { $0.column.name }.joined(separator: " + ")
    let counts: Share
    let figure: String
    switch basis {
    case .messages:
      let lost = cells.reduce(0) { $0 &+ $1.lost.part }
      let late = cells.reduce(0) { $0 &+ $1.late.part }
      counts = Share(lost &+ late, of: cells.reduce(0) { $0 &+ $1.lost.whole })
      figure = "\(Self.of(counts)): \(Self.grouped(lost)) lost, \(Self.grouped(late)) late"
    case .truth, .verdict:
      counts = Share(
        cells.reduce(0) { $0 &+ $1.flows.part }, of: cells.reduce(0) { $0 &+ $1.flows.whole })
      let calls = Share(
        cells.reduce(0) { $0 &+ $1.conversations.part }, of: cells.reduce(0) { $0 &+ $1.conversations.whole })
      let fallenBack = cells.reduce(0) { $0 &+ $1.fallenBack }
      figure =
        "\(Self.of(counts)) flows"
        + (calls.whole > 0 ? "; \(Self.of(calls)) calls" : "")
        + (fallenBack > 0 ? "; \(Self.grouped(fallenBack)) more went on in another way" : "")
    }
    guard let value = counts.value else { return nil }
    return StudyFigure(
      value: value, whole: counts.whole, name: subject.name,
      evidence: StudyEvidence(
        .replay, rule: policy, column: name, figure: "\(Numbers.percent(value)) (\(figure))",
        basis: Self.words(basis)))
  }

  /// What a policy does to a column that is no subject of its own, by the column's own name.
  func hit(_ policy: String, column: Column) -> StudyFigure? {
    hit(policy, StudySubject(column.key, name: column.name))
  }

  /// Notifications that are lost or late for each iMessage that is.
  func notificationsPerIMessage(_ policy: String) -> (words: String, evidence: StudyEvidence)? {
    guard
      let ratio = collateral.results.first(where: {
        collateral.policies.indices.contains($0.policy) && collateral.policies[$0.policy].name == policy
      })?.notificationsPerIMessage, ratio.isFinite
    else { return nil }
    let words = Numbers.significant(ratio, digits: 2)
    return (
      words,
      StudyEvidence(
        .replay, rule: policy, column: "notifications for each iMessage", figure: words,
        basis: Self.words(.messages))
    )
  }

  static func words(_ basis: Cell.Basis) -> String {
    switch basis {
    case .messages: "replay of messages"
    case .truth: "replay of flows"
    case .verdict: "replay of flows that Wiretag judged"
    }
  }

  private static func of(_ share: Share) -> String { "\(grouped(share.part)) of \(grouped(share.whole))" }

  private static func grouped(_ number: UInt64) -> String { Numbers.grouped(Int(clamping: number)) }
}

extension StudyFigures {
  /// Messages that the lab counted.
  enum Fate: String {
    case sent = "sent iMessages"
    case received = "received iMessages"
    case notifications = "notifications"
    case others = "what other Apple services sent"
  }

  /// A rule of the lab by its name.
  func labRule(_ name: String) -> ActTable.Rule? { act?.rules.first { $0.name == name } }

  /// What a rule did in the lab.
  func hit(_ rule: ActTable.Rule, _ kind: Fate) -> StudyFigure? {
    let fate: ActTable.Fate? =
      switch kind {
      case .sent: rule.imessageOut
      case .received: rule.imessageIn
      case .notifications: rule.notifications
      case .others: rule.otherServicesSent
      }
    guard let fate, fate.sent > 0, fate.lost >= 0, fate.late >= 0 else { return nil }
    let hit = fate.lost &+ fate.late
    let value = Double(hit) / Double(fate.sent)
    let counts = "\(Numbers.grouped(hit)) of \(Numbers.grouped(fate.sent))"
    return StudyFigure(
      value: value, whole: UInt64(clamping: fate.sent), name: kind.rawValue,
      evidence: StudyEvidence(
        .lab, rule: rule.title.isEmpty ? rule.name : "\(rule.name) (\(rule.title))", column: kind.rawValue,
        figure:
          "\(Numbers.percent(value)) (\(counts): \(Numbers.grouped(fate.lost)) lost, \(Numbers.grouped(fate.late)) late)",
        basis: labBasis))
  }

  /// How the lab's figures are known.
  var labBasis: String {
    guard let act else { return "" }
    let phones = act.repetitions > 0 ? ", \(Numbers.grouped(act.repetitions)) phones" : ""
    return "lab\(phones)\(act.made.isEmpty ? "" : ", \(act.made)")"
  }

  /// Of the rules that hit most messages of a kind the one that costs the fewest notifications; of such whose cost does
  /// not differ by a hundredth, the one that loses most.
  func cheapestLabRule(against kind: Fate) -> ActTable.Rule? {
    func lost(_ rule: ActTable.Rule) -> Int {
      (kind == .sent ? rule.imessageOut?.lost : rule.imessageIn?.lost) ?? 0
    }
    return (act?.rules ?? []).filter { rule in
      rule.unit != "none" && hit(rule, kind)?.isMost == true && hit(rule, .notifications) != nil
    }.min { one, other in
      let costs = [one, other].map { Int(((hit($0, .notifications)?.value ?? 1) * 100).rounded(.down)) }
      return (costs[0], -lost(one)) < (costs[1], -lost(other))
    }
  }
}
