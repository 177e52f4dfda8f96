import Pages
import Separability

extension FaceTimeStudy {
  /// What a rule on the push connection costs.
  static func pipeClaims(_ figures: StudyFigures) -> [StudyClaim] {
    [pipeCost(figures), pipeRulesAgree(figures), pipeMeasured(figures), pipeAndFaceTime(figures)].compactMap { $0 }
  }

  private static let pipeLimit = "Shares depend on the captures\u{2019} mix and on how phones are taken to reconnect."

  private static func pipeCost(_ figures: StudyFigures) -> StudyClaim {
    guard let rule = strongestPipeRule(figures) else { return pipeByFlows(figures) }
    let (hit, cost) = (rule.iMessages, rule.notifications)
    var shown = [hit, cost]
    var evidence: [StudyEvidence] = []
    let sentence: String
    if !hit.isMost {
      sentence =
        "No rule on the push connection hits half of the iMessages here. The strongest, on \(rule.by), hits \(hit.words) of them and \(cost.words) of the notifications."
    } else if cost.isMost {
      let ratio = figures.notificationsPerIMessage(rule.policy)
      let ringing = figures.hit(rule.policy, .ringing)
      shown += [ringing].compactMap { $0 }
      evidence += [ratio?.evidence].compactMap { $0 }
      let parts =
        [
          "\(hit.words) of the iMessages",
          "\(cost.words) of all notifications\(ratio.map { " (\($0.words) for each iMessage)" } ?? "")",
        ] + (ringing.map { ["\($0.words) of FaceTime\u{2019}s ringing"] } ?? [])
      sentence = "A rule on \(rule.by) hits \(listed(parts))."
    } else {
      sentence =
        "A rule on \(rule.by) hits \(hit.words) of the iMessages but only \(cost.words) of the notifications: here the two do not share one fate."
    }
    return StudyClaim(
      "pipe-cost", sentence, evidence: shown.map(\.evidence) + evidence, limits: caution(shown, pipeLimit))
  }

  /// Where no truth names messages: what becomes of the connections that carry them.
  private static func pipeByFlows(_ figures: StudyFigures) -> StudyClaim {
    let rules = pipeRules.compactMap { rule in
      figures.hit(rule.policy, .connections).map { (by: rule.by, connections: $0) }
    }
    guard let rule = rules.max(by: { $0.connections.value < $1.connections.value }) else {
      return unanswered(
        "pipe-cost", "What a rule on the push connection costs", figures, policies: pipeRules.map(\.policy),
        subjects: [.iMessages, .notifications, .connections])
    }
    return StudyClaim(
      "pipe-cost",
      "A rule on \(rule.by) cuts \(rule.connections.words) of the push connections. How many notifications and iMessages that is cannot be answered from this traffic: no truth file names them.",
      evidence: [rule.connections.evidence], limits: caution([rule.connections], pipeLimit), isAnswered: false)
  }

  private static func pipeRulesAgree(_ figures: StudyFigures) -> StudyClaim? {
    let all = pipeRules.compactMap { rule in
      figures.hit(rule.policy, .iMessages).flatMap { hit in
        figures.hit(rule.policy, .notifications).map { (policy: rule.policy, by: rule.by, hit: hit, cost: $0) }
      }
    }
    let strong = all.filter(\.hit.isMost)
    let weak = all.filter { !$0.hit.isMost }
    guard all.count > 1, let cheapest = strong.min(by: { $0.cost.value < $1.cost.value }) else { return nil }
    var sentence =
      strong.count == 1
      ? "Of \(counted(all.count)) rules on the connection only that one hits half of the iMessages."
      : "Of \(counted(all.count)) rules on the connection, \(counted(strong.count)) hit half of the iMessages or more, each for \(cheapest.cost.words) of the notifications or more."
    let parts = weak.map { "on \($0.by) \($0.hit.words) and \($0.cost.words)" }
    if !parts.isEmpty { sentence += " The \(weak.count == 1 ? "other hits" : "others hit") less: \(listed(parts))." }
    let shown =
      strong.flatMap { [$0.hit, $0.cost] } + weak.flatMap { [$0.hit, $0.cost] }
    var limits = caution(shown)
    if weak.contains(where: { $0.policy == "block-17-8" }) { limits.append("A rule on IPv4 addresses sees no IPv6.") }
    return StudyClaim("pipe-rules", sentence, evidence: shown.map(\.evidence), limits: limits)
  }

  private static func pipeMeasured(_ figures: StudyFigures) -> StudyClaim? {
    func parts(_ name: String) -> (iMessages: StudyFigure, notifications: StudyFigure)? {
      guard let rule = figures.labRule(name), let hit = figures.hit(rule, .received),
        let cost = figures.hit(rule, .notifications)
      else { return nil }
      return (hit, cost)
    }
    guard let address = parts("block-address") else { return nil }
    var sentence =
      "The lab measured, for the addresses, \(address.iMessages.words) of the received iMessages and \(address.notifications.words) of the notifications"
    var evidence = [address.iMessages.evidence, address.notifications.evidence]
    if let port = parts("block-port-drop") {
      sentence += "; for the port, \(port.iMessages.words) and \(port.notifications.words)"
      evidence += [port.iMessages.evidence, port.notifications.evidence]
      if let share = figures.labRule("block-port-drop")?.fallbackShare?.value, share.isFinite {
        let words = Numbers.percent(share)
        sentence += ", as \(words) of the phones went on by another"
        evidence.append(
          StudyEvidence(
            .lab, rule: "block-port-drop", column: "phones that went on by port 443", figure: words,
            basis: figures.labBasis))
      }
    }
    if let standing = parts("block-name"), let broken = parts("block-name-reconnect") {
      sentence +=
        "; for the name, \(standing.iMessages.words) and \(standing.notifications.words) while connections stood, \(broken.iMessages.words) and \(broken.notifications.words) once they broke"
      evidence += [standing, broken].flatMap { [$0.iMessages.evidence, $0.notifications.evidence] }
    }
    return StudyClaim(
      "pipe-measured", sentence + ".", evidence: evidence,
      limits: ["In the replay rules are there from the beginning; in the lab they came while connections stood."])
  }

  private static func pipeAndFaceTime(_ figures: StudyFigures) -> StudyClaim {
    guard let rule = strongestPipeRule(figures), let ringing = figures.hit(rule.policy, .ringing) else {
      return unanswered(
        "pipe-facetime", "Whether FaceTime could have been blocked by its ringing", figures,
        policies: pipeRules.map(\.policy), subjects: [.ringing, .iMessages, .notifications])
    }
    let sentence: String
    if !ringing.isMost {
      sentence = "FaceTime\u{2019}s ringing is hit by \(ringing.words) only: this would not stop its calls."
    } else if rule.notifications.isMost {
      sentence =
        "FaceTime, too, could be stopped this way, with \(ringing.words) of its ringing hit; but \(rule.notifications.words) of the notifications would go with it, and nobody reported such a loss. It was hardly the way."
    } else {
      sentence =
        "FaceTime, too, could be stopped this way, with \(ringing.words) of its ringing hit, for \(rule.notifications.words) of the notifications: from this traffic it may have been the way."
    }
    return StudyClaim(
      "pipe-facetime", sentence, evidence: [ringing.evidence, rule.notifications.evidence, Report.notBlocked],
      limits: caution([ringing], "No report is no measurement."))
  }
}
