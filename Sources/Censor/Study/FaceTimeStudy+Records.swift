import Pages
import Separability

extension FaceTimeStudy {
  /// What rules on single records, and lists of addresses, cost.
  static func recordClaims(_ figures: StudyFigures) -> [StudyClaim] {
    [shape(figures), sentMeasured(figures), received(figures), perfect(figures)].compactMap { $0 }
  }

  private static func shape(_ figures: StudyFigures) -> StudyClaim {
    let policies = ["sent-imessage-shape", "sent-imessage-hold"]
    guard
      let policy = policies.first(where: { figures.hit($0, .sent) != nil && figures.hit($0, .notifications) != nil }),
      let sent = figures.hit(policy, .sent), let notifications = figures.hit(policy, .notifications)
    else {
      return unanswered(
        "shape", "What a rule on the size of encrypted pieces hits", figures, policies: policies,
        subjects: [.sent, .notifications])
    }
    let status = figures.hit(policy, .status)
    let others = status.map { " and \($0.words) of the \($0.name), such as Find My" } ?? ""
    let opening =
      "An iMessage that a phone sends is larger than its receipt for a notification, and encryption hides no sizes."
    let sentence: String
    if sent.isMost && notifications.isFew {
      sentence =
        "\(opening) A rule that stops pieces of that size hits \(sent.words) of the sent iMessages and \(notifications.words) of the notifications\(others)."
    } else if sent.isMost {
      sentence =
        "\(opening) A rule that stops pieces of that size hits \(sent.words) of the sent iMessages, but also \(notifications.words) of the notifications\(others)."
    } else {
      sentence =
        "A rule that stops sent pieces of an iMessage\u{2019}s size hits \(sent.words) of the sent iMessages here, and \(notifications.words) of the notifications\(others)."
    }
    let shown = [sent, notifications] + (status.map { [$0] } ?? [])
    return StudyClaim(
      "shape", sentence, evidence: shown.map(\.evidence) + [Report.sizes],
      limit: caution(shown, "Sizes are those of the samples; a real phone sends large pieces of unknown kinds as well.")
    )
  }

  private static func sentMeasured(_ figures: StudyFigures) -> StudyClaim? {
    guard let act = figures.act else {
      return StudyClaim(
        "sent-measured",
        "What such a rule does to a live connection cannot be answered: the lab\u{2019}s table is not at hand.",
        evidence: [], isAnswered: false)
    }
    guard let rule = figures.cheapestLabRule(against: .sent), let sent = figures.hit(rule, .sent),
      let notifications = figures.hit(rule, .notifications)
    else {
      return StudyClaim(
        "sent-measured", "In the lab no rule hit half of the sent iMessages.",
        evidence: [
          StudyEvidence(.lab, rule: "all", column: "sent iMessages", figure: "none at half", basis: figures.labBasis)
        ],
        limit: "\(counted(act.rules.count)) rules were tried.")
    }
    let others = figures.hit(rule, .others)
    let rest = others.map { " It also hit \($0.words) of what other Apple services sent." } ?? ""
    let shown = [sent, notifications] + (others.map { [$0] } ?? [])
    return StudyClaim(
      "sent-measured",
      "Measured in the lab: \u{201C}\(rule.title)\u{201D} hit \(sent.words) of the sent iMessages and \(notifications.words) of the notifications.\(rest) \(notifications.isFew ? "The shared connection does not protect what is sent." : "Even the cheapest rule costs notifications.")",
      evidence: shown.map(\.evidence),
      limit:
        "The box knew where each sent message began. Apple\u{2019}s servers may end a line that stands still sooner.")
  }

  private static func received(_ figures: StudyFigures) -> StudyClaim {
    let policy = "received-imessage-hold"
    let replayed = figures.hit(policy, .received).flatMap { hit in
      figures.hit(policy, .notifications).map { (hit: hit, cost: $0) }
    }
    let measured = figures.cheapestLabRule(against: .received).flatMap { rule in
      figures.hit(rule, .received).flatMap { hit in
        figures.hit(rule, .notifications).map { (rule: rule, hit: hit, cost: $0) }
      }
    }
    guard replayed != nil || measured != nil else {
      return unanswered(
        "received", "What acting on received iMessages costs", figures, policies: [policy],
        subjects: [.received, .notifications])
    }
    var sentences: [String] = []
    var shown: [StudyFigure] = []
    if let measured {
      sentences.append(
        "Of the lab\u{2019}s rules that hit half of the received iMessages the cheapest, \u{201C}\(measured.rule.title)\u{201D}, hit \(measured.hit.words) of them and \(measured.cost.words) of the notifications."
      )
      shown += [measured.hit, measured.cost]
    }
    if let replayed {
      sentences.append(
        "\(measured == nil ? "Holding back what is as large as a received iMessage" : "In the replay such a rule") hits \(replayed.hit.words) and \(replayed.cost.words)."
      )
      shown += [replayed.hit, replayed.cost]
    }
    let costs = [measured?.cost, replayed?.cost].compactMap { $0 }
    sentences.append(
      costs.allSatisfy { !$0.isFew }
        ? "What comes in is of one size with notifications, and waits in one line with them."
        : costs.allSatisfy(\.isFew)
          ? "So received iMessages can be hit apart as well." : "Measurement and replay differ here.")
    return StudyClaim(
      "received", sentences.joined(separator: " "), evidence: shown.map(\.evidence),
      limit: caution(shown, "A better rule may exist than those tried."))
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
      ? "A box that never errs and stops each iMessage\u{2019}s piece hits \(hit.words) of the iMessages and \(cost.words) of the notifications: what protects iMessage here is that it is hard to tell, not that it is shared."
      : "Even a box that never errs would, by stopping each iMessage\u{2019}s piece, hit \(hit.words) of the iMessages and \(cost.words) of the notifications: what is missing in a connection holds up all that follows."
    return StudyClaim(
      "perfect", sentence, evidence: [hit.evidence, cost.evidence],
      limit: caution([hit, cost], "No such box exists: it is told the truth."))
  }

  static func listClaims(_ figures: StudyFigures) -> [StudyClaim] {
    let policy = "tspu-two-stage"
    guard let hit = figures.hit(policy, .iMessages), let cost = figures.hit(policy, .notifications) else {
      return [
        unanswered(
          "two-stage", "What a list of addresses that boxes collect would hit", figures, policies: [policy],
          subjects: [.iMessages, .notifications])
      ]
    }
    let calls = figures.hit(policy, .calls)
    let opening =
      "Russia\u{2019}s boxes, says a lecture of about 2021, do not act on a guess: they report addresses, and lists of these are blocked later."
    let result: String
    if hit.isFew {
      result = "Here such a list hits \(hit.words) of the iMessages and \(cost.words) of the notifications."
    } else if cost.isFew {
      result = "Here such a list hits \(hit.words) of the iMessages and only \(cost.words) of the notifications."
    } else {
      result =
        "For iMessage that list is the list of push servers: \(hit.words) of the iMessages are hit, and \(cost.words) of the notifications."
    }
    let media = calls.map { " Of FaceTime\u{2019}s picture and sound it hits \($0.words)." } ?? ""
    let shown = [hit, cost] + (calls.map { [$0] } ?? [])
    return [
      StudyClaim(
        "two-stage", "\(opening) \(result)\(media)", evidence: [Report.twoStages] + shown.map(\.evidence),
        limit: caution(shown, "What the boxes recognise, and how long a list takes, is assumed."))
    ]
  }
}
