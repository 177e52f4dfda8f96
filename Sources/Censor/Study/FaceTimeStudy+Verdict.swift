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

  /// Rules on the push connection that hit most iMessages, with what they cost.
  private static func strongPipeRules(_ figures: StudyFigures) -> [(kind: String, cost: StudyFigure)] {
    pipeRules.compactMap { rule in
      guard figures.hit(rule.policy, .iMessages)?.isMost == true else { return nil }
      return figures.hit(rule.policy, .notifications).map { (rule.kind, $0) }
    }
  }

  /// The least that one of them costs.
  private static func cheapestPipeCost(_ figures: StudyFigures) -> StudyFigure? {
    strongPipeRules(figures).map(\.cost).min { $0.value < $1.value }
  }

  static func verdictClaims(_ outcome: Outcome, _ figures: StudyFigures) -> [StudyClaim] {
    let media = bestMediaRule(figures)
    let mediaCost = media.flatMap { figures.hit($0.policy, .notifications) }
    let lab = figures.cheapestLabRule(against: .sent)
    let labSent = lab.flatMap { figures.hit($0, .sent) }
    let labCost = lab.flatMap { figures.hit($0, .notifications) }
    let labOthers = lab.flatMap { figures.hit($0, .others) }
    let pipe = strongestPipeRule(figures)
    let pipeCost = cheapestPipeCost(figures)
    let kinds = strongPipeRules(figures).map(\.kind)
    let ways = ["address", "name", "port"].filter(kinds.contains)
    let cost = "Blocking iMessage by \(listed(ways, "or")) costs \(pipeCost?.words ?? "") of the notifications or more"
    let free = mediaCost.map { "; blocking FaceTime\u{2019}s calls, \($0.words)" } ?? ""
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
        "Enough against the rules that censors are known to use, but not against every rule. \(cost)\(free)."
      evidence = costs + [Report.noRecordRule]
      if let labSent, let labCost {
        sentence +=
          " In the lab, though, a rule on size hit \(labSent.words) of the sent iMessages for \(labCost.words) of the notifications\(labOthers.map { " and \($0.words) of what other Apple services sent" } ?? "")."
        evidence += [labSent, labCost, labOthers].compactMap { $0?.evidence }
      }
    case .enough:
      sentence = "Yes, as far as rules were tried. \(cost)\(free). No rule on single messages came cheap in the lab."
      evidence = costs + [labSent, labCost].compactMap { $0?.evidence }
    case .enoughWithoutRecords:
      sentence =
        "Yes, for rules on addresses, names and ports. \(cost)\(free). What rules on single messages cost was not measured."
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
        "FaceTime\u{2019}s ringing is no objection: calls can be cut with \(ringing.words) of their ringing hit."
      )
      evidence.append(ringing.evidence)
    }
    if let identity = figures.hit("block-identity", .iMessages), identity.isFew,
      let visits = figures.hit("block-identity", .identity), visits.isMost
    {
      sentences.append(
        "Blocking sign-in hosts is slow (\(identity.words) of the iMessages at once) and hits FaceTime alike."
      )
      evidence += [visits.evidence, identity.evidence, Report.renewal, Report.signIn]
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
    "Can a box stop one and spare the other? In the lab:",
  ]

  private static func identifyClaim(_ figures: StudyFigures) -> StudyClaim {
    let pipe = strongestPipeRule(figures)
    let media = bestMediaRule(figures)
    var sentences: [String] = []
    var evidence: [StudyEvidence] = []
    if let pipe {
      sentences.append(
        !pipe.iMessages.isMost
          ? "iMessages: hardly tried; the rules hit \(pipe.iMessages.words) of them."
          : pipe.notifications.isMost
            ? "iMessages from notifications: no; a rule that hits \(pipe.iMessages.words) of the former hits \(pipe.notifications.words) of the latter."
            : "iMessages from notifications: in part; a rule hits \(pipe.iMessages.words) of the former and \(pipe.notifications.words) of the latter."
      )
      evidence += [pipe.iMessages.evidence, pipe.notifications.evidence]
    }
    if let media {
      let cost = figures.hit(media.policy, .notifications)
      let isApart = media.calls.isMost && (cost?.isFew ?? false)
      sentences.append(
        "FaceTime\u{2019}s calls: \(isApart ? "yes; " : "a rule hits ")\(media.calls.words) of their flows\(cost.map { " for \($0.words) of the notifications" } ?? "")."
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
      ? "Sent iMessages: yes; a rule on size hits \(sent.words). So iMessage is not undetectable."
      : "Sent iMessages: hardly, by the rule tried, which hits \(sent.words)."
    var shown = [sent]
    if let received = figures.hit(receivedPolicy, .received), let cost = figures.hit(receivedPolicy, .notifications) {
      sentence +=
        cost.isFew
        ? " Received ones: a rule hits \(received.words), and \(cost.words) of the notifications."
        : " Received ones look much like notifications: a rule hits \(received.words) of the former and \(cost.words) of the latter."
      shown += [received, cost]
    }
    return StudyClaim("detect", sentence, evidence: shown.map(\.evidence))
  }

  private static func actClaim(_ figures: StudyFigures) -> StudyClaim {
    func cost(_ kind: StudyFigures.Fate, _ of: StudyFigures.Fate) -> StudyFigure? {
      figures.cheapestLabRule(against: kind).flatMap { figures.hit($0, of) }
    }
    let costs = [cost(.sent, .notifications), cost(.received, .notifications)]
    let others = cost(.sent, .others)
    var answers: [String] = []
    if let sent = costs[0] {
      let more = others.map { " and \($0.words) of what other Apple services sent" } ?? ""
      answers.append(
        sent.isFew
          ? "What is sent: yes, for \(sent.words) of the notifications\(more)."
          : "What is sent: not for less than \(sent.words) of the notifications\(more).")
    }
    if let received = costs[1] {
      answers.append(
        received.isFew
          ? "What is received: yes, for \(received.words) of the notifications."
          : "What is received: not for less than \(received.words) of the notifications.")
    }
    guard !answers.isEmpty else {
      return StudyClaim("act", "This was not measured.", evidence: [], isAnswered: false)
    }
    let shown = costs + (costs[0] == nil ? [] : [others])
    return StudyClaim(
      "act", "\(answers.joined(separator: " "))", evidence: shown.compactMap { $0?.evidence })
  }

  /// The figure's bars: only rules that were run.
  static func bars(_ figures: StudyFigures) -> [Bar] {
    let rules: [(String, String, StudySubject)] =
      mediaRules.map { ($0.policy, $0.by, .calls) } + pipeRules.map { ($0.policy, $0.by, .iMessages) } + [
        ("block-identity", "the hosts for signing in", .iMessages),
        ("sent-imessage-shape", "size, the sent ones", .sent),
        ("received-imessage-hold", "size, the received ones", .received),
        ("perfect-record-imessage", "truth: a box that never errs", .iMessages),
      ]
    return rules.compactMap { policy, title, subject in
      guard figures.isRun(policy) else { return nil }
      return Bar(
        policy: policy, title: title, target: subject.name, targetHit: figures.hit(policy, subject)?.value,
        notificationsHit: figures.hit(policy, .notifications)?.value)
    }
  }
}
