import Pages
import Separability

extension FaceTimeStudy {
  /// What a rule on the push connection costs.
  static func pipeClaims(_ figures: StudyFigures) -> [StudyClaim] {
    [pipeCost(figures), pipeRulesAgree(figures), pipeMeasured(figures), pipeAndFaceTime(figures)].compactMap { $0 }
  }

  private static let pipeLimit =
    "The share depends on the mix in these captures and on how a phone is taken to reconnect."

  private static func pipeCost(_ figures: StudyFigures) -> StudyClaim {
    guard let rule = strongestPipeRule(figures) else { return pipeByFlows(figures) }
    let ringing = figures.hit(rule.policy, .ringing)
    let ratio = figures.notificationsPerIMessage(rule.policy)
    let (hit, cost) = (rule.iMessages, rule.notifications)
    let sentence: String
    if !hit.isMost {
      sentence =
        "No rule on the push connection hits half of the iMessages here. The strongest, on \(rule.by), hits \(hit.words) of them and \(cost.words) of the notifications."
    } else if cost.isMost {
      let rings = ringing.map { ", and \($0.words) of FaceTime\u{2019}s ringing" } ?? ""
      let each = ratio.map { ": \($0.words) for each iMessage" } ?? ""
      sentence =
        "A rule on \(rule.by) hits \(hit.words) of the iMessages. It also hits \(cost.words) of all notifications\(each)\(rings)."
    } else {
      sentence =
        "A rule on \(rule.by) hits \(hit.words) of the iMessages but only \(cost.words) of the notifications: here the two do not share one fate."
    }
    let shown = [hit, cost] + (hit.isMost && cost.isMost ? [ringing].compactMap { $0 } : [])
    let each = hit.isMost && cost.isMost ? ratio.map { [$0.evidence] } ?? [] : []
    return StudyClaim(
      "pipe-cost", sentence, evidence: shown.map(\.evidence) + each, limit: caution(shown, pipeLimit))
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
      "A rule on \(rule.by) cuts \(rule.connections.words) of the push connections. What each of them carries, notifications or iMessages, cannot be answered from this traffic: no truth file names it.",
      evidence: [rule.connections.evidence], limit: caution([rule.connections], pipeLimit), isAnswered: false)
  }

  private static func pipeRulesAgree(_ figures: StudyFigures) -> StudyClaim? {
    let all = pipeRules.compactMap { rule in
      figures.hit(rule.policy, .iMessages).flatMap { hit in
        figures.hit(rule.policy, .notifications).map { (by: rule.by, hit: hit, cost: $0) }
      }
    }
    guard all.count > 1 else { return nil }
    let strong = all.filter(\.hit.isMost)
    let weak = all.filter { !$0.hit.isMost }
    guard let cheapest = strong.min(by: { $0.cost.value < $1.cost.value }) else { return nil }
    var sentence =
      strong.count == 1
      ? "It is the only one of the \(counted(all.count)) rules tried on the connection that hits half of the iMessages."
      : "Of the \(counted(all.count)) rules tried on the connection, \(counted(strong.count)) hit half of the iMessages or more; each of them costs \(cheapest.cost.words) of the notifications or more."
    let parts = weak.map { "on \($0.by) \($0.hit.words) of iMessages and \($0.cost.words) of notifications" }
    if !parts.isEmpty { sentence += " The \(weak.count == 1 ? "other hits" : "others hit"), \(listed(parts))." }
    let shown = (strong.count == 1 ? [] : [cheapest.cost]) + weak.flatMap { [$0.hit, $0.cost] }
    return StudyClaim(
      "pipe-rules", sentence, evidence: shown.map(\.evidence), follows: ["pipe-cost"],
      limit: caution(
        shown,
        "A name is seen only when a connection begins, so that such a rule waits for the next one; a phone goes on by another port."
      ))
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
      "Measured on live connections in the lab: with the push servers\u{2019} addresses blocked, \(address.iMessages.words) of the iMessages to the phones and \(address.notifications.words) of the notifications were lost or late"
    var shown = [address.iMessages, address.notifications]
    var evidence = shown.map(\.evidence)
    if let port = parts("block-port-drop") {
      sentence +=
        "; with their port blocked, \(port.iMessages.words) and \(port.notifications.words)"
      shown += [port.iMessages, port.notifications]
      evidence += [port.iMessages.evidence, port.notifications.evidence]
      if let share = figures.labRule("block-port-drop")?.fallbackShare?.value, share.isFinite {
        let words = Numbers.percent(share)
        sentence += ", as \(words) of the phones went on by another port"
        evidence.append(
          StudyEvidence(
            .lab, rule: "block-port-drop", column: "phones that went on by port 443", figure: words,
            basis: figures.labBasis))
      }
    }
    return StudyClaim(
      "pipe-measured", sentence + ".", evidence: evidence,
      limit: "Two minutes, the lab\u{2019}s phones and servers; late is more than a second.")
  }

  private static func pipeAndFaceTime(_ figures: StudyFigures) -> StudyClaim {
    guard let rule = strongestPipeRule(figures), let ringing = figures.hit(rule.policy, .ringing) else {
      return unanswered(
        "pipe-facetime", "Whether FaceTime could have been blocked by its ringing", figures,
        policies: pipeRules.map(\.policy), subjects: [.ringing, .iMessages, .notifications])
    }
    let sentence: String
    if !ringing.isMost {
      sentence = "FaceTime\u{2019}s ringing is hit by \(ringing.words) only: this rule would not stop its calls."
    } else if rule.notifications.isMost {
      sentence =
        "So FaceTime could be stopped this way, as its ringing is hit by \(ringing.words); but notifications and iMessages would go with it. Nobody reported that: FaceTime was hardly blocked by the push connection."
    } else {
      sentence =
        "FaceTime\u{2019}s ringing is hit by \(ringing.words) at a cost of \(rule.notifications.words) of the notifications: from this traffic, FaceTime may have been blocked on the push connection."
    }
    return StudyClaim(
      "pipe-facetime", sentence, evidence: [ringing.evidence, rule.notifications.evidence, Report.notBlocked],
      limit: caution([ringing], "That nobody reported it is no measurement."))
  }
}
