import Separability

extension FaceTimeStudy {
  /// What rules on single records cost.
  static func recordClaims(_ figures: StudyFigures) -> [StudyClaim] {
    [shape(figures), sentMeasured(figures), received(figures), perfect(figures)].compactMap { $0 }
  }

  /// Policies that act on what is as long as a sent iMessage.
  static let sentPolicies = ["sent-imessage-shape", "sent-imessage-hold"]
  /// The policy that acts on what is as long as a received one.
  static let receivedPolicy = "received-imessage-hold"

  /// The first policy on sent iMessages that has both figures.
  static func sentRule(
    _ figures: StudyFigures
  ) -> (policy: String, sent: StudyFigure, notifications: StudyFigure)? {
    sentPolicies.lazy.compactMap { policy in
      figures.hit(policy, .sent).flatMap { sent in
        figures.hit(policy, .notifications).map { (policy, sent, $0) }
      }
    }.first
  }

  private static func shape(_ figures: StudyFigures) -> StudyClaim {
    guard let (policy, sent, notifications) = sentRule(figures) else {
      return unanswered(
        "shape", "What a rule on sizes hits", figures, policies: sentPolicies, subjects: [.sent, .notifications])
    }
    let status = figures.hit(policy, .status)
    let others = status.map { ", and \($0.words) of the \($0.name), such as Find My" } ?? ""
    let opening = "Encryption hides what is said, not how long it is: each message becomes a record, whose size shows."
    let sentence: String
    if sent.isMost && notifications.isFew {
      sentence =
        "\(opening) A rule on the size of sent iMessages hits \(sent.words) of them and \(notifications.words) of the notifications\(others)."
    } else if sent.isMost {
      sentence =
        "\(opening) A rule on the size of sent iMessages hits \(sent.words) of them, but also \(notifications.words) of the notifications\(others)."
    } else {
      sentence =
        "\(opening) A rule on the size of sent iMessages hits only \(sent.words) of them here, and \(notifications.words) of the notifications\(others)."
    }
    let shown = [sent, notifications] + (status.map { [$0] } ?? [])
    return StudyClaim(
      "shape", sentence, evidence: shown.map(\.evidence) + [Report.sizes],
      limits: caution(shown, "Sizes are those of the samples; real phones also send large records of unknown kinds.")
    )
  }

  private static func sentMeasured(_ figures: StudyFigures) -> StudyClaim {
    guard figures.act != nil else {
      return StudyClaim(
        "sent-measured",
        "What such a rule does to live connections cannot be answered: the lab\u{2019}s table is not at hand.",
        evidence: [], isAnswered: false)
    }
    guard let rule = figures.cheapestLabRule(against: .sent), let sent = figures.hit(rule, .sent),
      let notifications = figures.hit(rule, .notifications)
    else {
      return StudyClaim(
        "sent-measured", "In the lab no rule hit half of the sent iMessages.",
        evidence: [
          StudyEvidence(
            .lab, rule: "all", column: "sent iMessages", figure: "less than half by each", basis: figures.labBasis)
        ])
    }
    let others = figures.hit(rule, .others)
    let rest = others.map { ", and \($0.words) of what other Apple services sent" } ?? ""
    let shown = [sent, notifications] + (others.map { [$0] } ?? [])
    return StudyClaim(
      "sent-measured",
      "In the lab, \u{201C}\(rule.title)\u{201D} hit \(sent.words) of the sent iMessages, \(notifications.words) of the notifications\(rest). \(notifications.isFew ? "The shared connection does not protect what is sent." : "No other was cheaper.")",
      evidence: shown.map(\.evidence),
      limits: ["The lab\u{2019}s rule knew the sizes in use."])
  }

  private static func received(_ figures: StudyFigures) -> StudyClaim {
    let replayed = figures.hit(receivedPolicy, .received).flatMap { hit in
      figures.hit(receivedPolicy, .notifications).map { (hit: hit, cost: $0) }
    }
    let measured = figures.cheapestLabRule(against: .received).flatMap { rule in
      figures.hit(rule, .received).flatMap { hit in
        figures.hit(rule, .notifications).map { (rule: rule, hit: hit, cost: $0) }
      }
    }
    guard replayed != nil || measured != nil else {
      return unanswered(
        "received", "What acting on received iMessages costs", figures, policies: [receivedPolicy],
        subjects: [.received, .notifications])
    }
    var sentences: [String] = []
    var shown: [StudyFigure] = []
    if let measured {
      sentences.append(
        "Of received iMessages the lab\u{2019}s cheapest rule, \u{201C}\(measured.rule.title)\u{201D}, hit \(measured.hit.words), and \(measured.cost.words) of the notifications."
      )
      shown += [measured.hit, measured.cost]
    }
    if let replayed {
      sentences.append(
        measured == nil
          ? "Holding back what has the size of a received iMessage hits \(replayed.hit.words) of them and \(replayed.cost.words) of the notifications."
          : "Replayed, such a rule hits \(replayed.hit.words) and \(replayed.cost.words)."
      )
      shown += [replayed.hit, replayed.cost]
    }
    let costs = [measured?.cost, replayed?.cost].compactMap { $0 }
    sentences.append(
      costs.allSatisfy { !$0.isFew }
        ? "What comes in has the sizes of notifications and waits in line with them."
        : costs.allSatisfy(\.isFew)
          ? "So received iMessages can be hit apart as well." : "Measurement and replay differ here.")
    return StudyClaim(
      "received", sentences.joined(separator: " "), evidence: shown.map(\.evidence),
      limits: caution(shown, "Better rules may exist."))
  }

  private static func perfect(_ figures: StudyFigures) -> StudyClaim? {
    let policy = "perfect-record-imessage"
    guard let hit = figures.hit(policy, .iMessages), let cost = figures.hit(policy, .notifications) else {
      return figures.isRun(policy)
        ? unanswered(
          "perfect", "What a box that never errs would cost", figures, policies: [policy],
          subjects: [.iMessages, .notifications]) : nil
    }
    let sentence =
      cost.isFew
      ? "A box that never errs and stops each iMessage would hit \(hit.words) of the iMessages and \(cost.words) of the notifications: what protects iMessage then is that it is hard to tell, not that it is shared."
      : "Even a box that never errs would, by stopping each iMessage, hit \(hit.words) of them and \(cost.words) of the notifications: a gap in a connection holds up all that follows."
    return StudyClaim(
      "perfect", sentence, evidence: [hit.evidence, cost.evidence],
      limits: caution([hit, cost], "No such box exists."))
  }

  /// The policy that recognises first and blocks addresses later.
  static let twoStagePolicy = "tspu-two-stage"

  /// Whether it is FaceTime's calls that it recognises.
  static func isTwoStageAgainstCalls(_ figures: StudyFigures) -> Bool {
    let target = figures.collateral.policies.first { $0.name == twoStagePolicy }?.target ?? []
    return StudySubject.calls.keys.allSatisfy(target.contains)
  }

  /// What a list of addresses costs that boxes have collected.
  static func listClaims(_ figures: StudyFigures) -> [StudyClaim] {
    let policy = twoStagePolicy
    guard let hit = figures.hit(policy, .iMessages), let cost = figures.hit(policy, .notifications) else {
      return [
        unanswered(
          "two-stage", "What a list of addresses that boxes collect would hit", figures, policies: [policy],
          subjects: [.iMessages, .notifications])
      ]
    }
    let calls = figures.hit(policy, .calls)
    let isAgainstCalls = isTwoStageAgainstCalls(figures)
    let opening =
      "Russia\u{2019}s boxes, says a lecture of about 2021, do not act on guesses: they report addresses, and lists of these are blocked later."
    let result: String
    if isAgainstCalls {
      result =
        "Aimed at calls, such a list hits \(hit.words) of the iMessages and \(cost.words) of the notifications\(calls.map { ", and \($0.words) of the flows of FaceTime\u{2019}s calls" } ?? ""). For iMessage it would be the list of push servers."
    } else if hit.isFew {
      result = "Here such a list hits \(hit.words) of the iMessages and \(cost.words) of the notifications."
    } else if cost.isFew {
      result = "Here such a list hits \(hit.words) of the iMessages and only \(cost.words) of the notifications."
    } else {
      result =
        "For iMessage these are the push servers: \(hit.words) of the iMessages are hit and \(cost.words) of the notifications."
    }
    let media =
      isAgainstCalls ? "" : calls.map { " Of the flows of FaceTime\u{2019}s calls it hits \($0.words)." } ?? ""
    let shown = [hit, cost] + (calls.map { [$0] } ?? [])
    return [
      StudyClaim(
        "two-stage", "\(opening) \(result)\(media)", evidence: [Report.twoStages] + shown.map(\.evidence),
        limits: caution(shown, "What boxes recognise is assumed. A list comes minutes later; short calls end before."))
    ]
  }
}
