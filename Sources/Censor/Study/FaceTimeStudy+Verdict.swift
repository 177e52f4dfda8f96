extension FaceTimeStudy {
  /// The answer in a word.
  static func outcome(_ figures: StudyFigures) -> Outcome {
    guard let pipe = strongestPipeRule(figures), let media = bestMediaRule(figures),
      let mediaPrice = price(media.policy, figures)
    else { return .unanswered }
    guard pipe.iMessages.isMost else { return .untested }
    guard cheapestPipeCost(figures)?.isMost ?? false else { return .notShared }
    guard media.calls.isMost, mediaPrice < StudyFigure.few else { return .noDifference }
    guard figures.act != nil else { return .enoughWithoutRecords }
    guard let rule = figures.cheapestLabRule(against: .sent), let cost = figures.hit(rule, .notifications), cost.isFew
    else { return .enough }
    return .enoughForKnownRules
  }

  /// The least that a rule costs in notifications which hits most iMessages on the push connection.
  private static func cheapestPipeCost(_ figures: StudyFigures) -> StudyFigure? {
    pipeRules.compactMap { rule in
      figures.hit(rule.policy, .iMessages).flatMap { hit in
        hit.isMost ? figures.hit(rule.policy, .notifications) : nil
      }
    }.min { $0.value < $1.value }
  }

  static func verdictClaims(_ outcome: Outcome, _ figures: StudyFigures) -> [StudyClaim] {
    let media = bestMediaRule(figures)
    let mediaCost = media.flatMap { figures.hit($0.policy, .notifications) }
    let lab = figures.cheapestLabRule(against: .sent)
    let labSent = lab.flatMap { figures.hit($0, .sent) }
    let labCost = lab.flatMap { figures.hit($0, .notifications) }
    let pipe = strongestPipeRule(figures)
    let pipeCost = cheapestPipeCost(figures)
    let cost = "Blocking iMessage by address, name or port costs \(pipeCost?.words ?? "") of the notifications or more"
    let free = mediaCost.map { "; blocking FaceTime\u{2019}s calls costs \($0.words) of them" } ?? ""
    let costs = [pipeCost, mediaCost].compactMap { $0?.evidence }
    var sentence: String
    var evidence: [StudyEvidence]
    switch outcome {
    case .unanswered:
      sentence =
        "Whether the shared connection is explanation enough cannot be answered from this traffic: it takes iMessages, notifications and FaceTime calls, and the rules on them."
      evidence = []
    case .untested:
      sentence =
        "This traffic does not put it to the test: no rule on the push connection hits half of the iMessages."
      evidence = [pipe?.iMessages.evidence].compactMap { $0 }
    case .notShared:
      sentence =
        "No. Here most iMessages can be stopped on the push connection at \(pipeCost?.words ?? "") of the notifications: sharing it would keep no censor away."
      evidence = [pipeCost?.evidence].compactMap { $0 }
    case .noDifference:
      sentence =
        "No. \(cost), but FaceTime cannot be stopped for less here: the shared connection does not tell the two apart."
      evidence = costs
    case .enoughForKnownRules:
      sentence =
        "Enough against the rules that censors are known to use; not against every rule they could use. \(cost)\(free)."
      evidence = costs + [Report.noRecordRule]
      if let labSent, let labCost {
        sentence +=
          " But a rule on the size of single messages hit \(labSent.words) of the sent iMessages in the lab, and \(labCost.words) of the notifications."
        evidence += [labSent.evidence, labCost.evidence]
      }
    case .enough:
      sentence = "Yes, as far as rules were tried. \(cost)\(free). No rule on single messages came cheap in the lab."
      evidence = costs + [labSent, labCost].compactMap { $0?.evidence }
    case .enoughWithoutRecords:
      sentence =
        "Yes for rules on addresses, names and ports. \(cost)\(free). What rules on single messages cost was not measured."
      evidence = costs
    }
    var claims = [
      StudyClaim("verdict", sentence, evidence: evidence, isAnswered: outcome != .unanswered)
    ]
    if outcome == .enoughForKnownRules || outcome == .enough || outcome == .enoughWithoutRecords {
      claims += [doubts(media.flatMap { figures.hit($0.policy, .ringing) }, figures)].compactMap { $0 }
    }
    return claims
  }

  /// The two objections: ringing, and the hosts for signing in.
  private static func doubts(_ ringing: StudyFigure?, _ figures: StudyFigures) -> StudyClaim? {
    var sentences: [String] = []
    var evidence: [StudyEvidence] = []
    if let ringing, ringing.isFew {
      sentences.append(
        "That FaceTime rings over the same connection is no objection: a call can be cut with \(ringing.words) of its ringing hit."
      )
      evidence.append(ringing.evidence)
    }
    if let identity = figures.hit("block-identity", .iMessages), identity.isFew {
      sentences.append(
        "Blocking the sign-in hosts is a slow way around (at once it hits \(identity.words) of the iMessages), and one that cannot tell iMessage from FaceTime."
      )
      evidence += [identity.evidence, Report.renewal, Report.signIn]
    }
    guard !sentences.isEmpty else { return nil }
    return StudyClaim("doubts", sentences.joined(separator: " "), evidence: evidence)
  }

  /// The three questions that are never to be mixed up.
  static func questionSteps(_ figures: StudyFigures) -> [Step] {
    [
      Step(id: "identify", title: "Identify", claims: [identifyClaim(figures)]),
      Step(id: "detect", title: "Detect", claims: [detectClaim(figures)]),
      Step(id: "act", title: "Act", claims: [actClaim(figures)]),
    ]
  }

  /// What each question asks, in the order of `questions`.
  static let questionWords = [
    "Do addresses, names and ports tell them apart?", "Do sizes give them away?",
    "Can a box stop the one and spare the other?",
  ]

  private static func identifyClaim(_ figures: StudyFigures) -> StudyClaim {
    let pipe = strongestPipeRule(figures)
    let media = bestMediaRule(figures)
    var sentences: [String] = []
    var evidence: [StudyEvidence] = []
    if let pipe {
      sentences.append(
        !pipe.iMessages.isMost
          ? "iMessages: not known; the rules hit \(pipe.iMessages.words) of them."
          : pipe.notifications.isMost
            ? "iMessages from notifications: no. A rule that hits \(pipe.iMessages.words) of the former hits \(pipe.notifications.words) of the latter."
            : "iMessages from notifications: in part. A rule hits \(pipe.iMessages.words) of the former and \(pipe.notifications.words) of the latter."
      )
      evidence += [pipe.iMessages.evidence, pipe.notifications.evidence]
    }
    if let media {
      let cost = figures.hit(media.policy, .notifications)
      let isApart = media.calls.isMost && (cost?.isFew ?? false)
      sentences.append(
        "FaceTime\u{2019}s calls: \(isApart ? "yes. " : "")A rule hits \(media.calls.words) of their flows\(cost.map { ", and \($0.words) of the notifications" } ?? "")."
      )
      evidence += [media.calls.evidence] + [cost?.evidence].compactMap { $0 }
    }
    guard !sentences.isEmpty else {
      return StudyClaim("identify", "This cannot be answered from this traffic.", evidence: [], isAnswered: false)
    }
    return StudyClaim("identify", sentences.joined(separator: " "), evidence: evidence)
  }

  private static func detectClaim(_ figures: StudyFigures) -> StudyClaim {
    guard let sent = sentRule(figures)?.sent else {
      return StudyClaim("detect", "This cannot be answered from this traffic.", evidence: [], isAnswered: false)
    }
    var sentence =
      sent.isMost
      ? "A sent iMessage: yes. A rule on size hits \(sent.words): iMessage is not undetectable."
      : "A sent iMessage: hardly, by the rule tried, which hits \(sent.words)."
    var shown = [sent]
    if let received = figures.hit(receivedPolicy, .received), let cost = figures.hit(receivedPolicy, .notifications) {
      sentence +=
        cost.isFew
        ? " A received one: a rule hits \(received.words), and \(cost.words) of the notifications."
        : " A received one looks much like a notification: a rule on its size hits \(received.words), and \(cost.words) of the notifications."
      shown += [received, cost]
    }
    return StudyClaim("detect", sentence, evidence: shown.map(\.evidence))
  }

  private static func actClaim(_ figures: StudyFigures) -> StudyClaim {
    func cost(_ kind: StudyFigures.Fate) -> StudyFigure? {
      figures.cheapestLabRule(against: kind).flatMap { figures.hit($0, .notifications) }
    }
    func words(_ figure: StudyFigure?, _ what: String) -> String? {
      figure.map {
        $0.isFew
          ? "\(what): yes, for \($0.words) of the notifications."
          : "\(what): not for less than \($0.words) of the notifications."
      }
    }
    let costs = [cost(.sent), cost(.received)]
    let answers = zip(costs, ["What is sent", "What is received"]).compactMap { words($0, $1) }
    guard !answers.isEmpty else {
      return StudyClaim("act", "This was not measured.", evidence: [], isAnswered: false)
    }
    return StudyClaim(
      "act", "\(answers.joined(separator: " ")) Measured in the lab.",
      evidence: costs.compactMap { $0?.evidence })
  }

  /// The figure's bars: only rules that were run.
  static func bars(_ figures: StudyFigures) -> [Bar] {
    let list = (twoStagePolicy, "addresses that boxes collected")
    let isAgainstCalls = isTwoStageAgainstCalls(figures)
    let rules: [(String, String, StudySubject)] =
      mediaRules.map { ($0.policy, $0.by, .calls) } + (isAgainstCalls ? [(list.0, list.1, .calls)] : [])
      + pipeRules.map { ($0.policy, $0.by, .iMessages) } + (isAgainstCalls ? [] : [(list.0, list.1, .iMessages)]) + [
        ("block-identity", "the hosts for signing in", .iMessages),
        ("perfect-record-imessage", "truth: a box that never errs", .iMessages),
        ("sent-imessage-shape", "size", .sent), ("received-imessage-hold", "size", .received),
      ]
    return rules.compactMap { policy, title, subject in
      guard figures.isRun(policy) else { return nil }
      return Bar(
        policy: policy, title: title, target: subject.name, targetHit: figures.hit(policy, subject)?.value,
        notificationsHit: figures.hit(policy, .notifications)?.value)
    }
  }
}
