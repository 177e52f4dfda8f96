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
    let lab = figures.cheapestLabRule(against: .sent)
    let labSent = lab.flatMap { figures.hit($0, .sent) }
    let labCost = lab.flatMap { figures.hit($0, .notifications) }
    let cost = cheapestPipeCost(figures)?.words ?? ""
    let free =
      media.flatMap { figures.hit($0.policy, .notifications) }.map {
        "; stopping FaceTime\u{2019}s calls costs \($0.words) of them"
      } ?? ""
    var sentence: String
    var follows = ["pipe-cost", "pipe-rules", "media-price"]
    switch outcome {
    case .unanswered:
      sentence =
        "Whether the shared connection is explanation enough cannot be answered from this traffic: it takes iMessages, notifications and FaceTime calls together with the rules on them."
    case .untested:
      sentence =
        "This traffic does not put it to the test: no rule on the push connection stops half of the iMessages."
    case .notShared:
      sentence =
        "No. Here most iMessages can be stopped on the push connection at \(cost) of the notifications, so that sharing it would keep no censor away."
      follows = ["pipe-cost", "pipe-rules"]
    case .noDifference:
      sentence =
        "No. Stopping iMessage on the push connection does cost \(cost) of the notifications, but FaceTime cannot be stopped for less here: the shared connection does not tell the two apart."
    case .enoughForKnownRules:
      sentence =
        "Enough against the rules that censors are known to use; not against every rule they could use. Stopping iMessage by address, name or port costs \(cost) of the notifications\(free)."
      if let labSent, let labCost {
        sentence +=
          " But a box that acts on single pieces stopped or delayed \(labSent.words) of the sent iMessages in the lab, at \(labCost.words) of the notifications."
      }
      follows += ["sent-measured"]
    case .enough:
      sentence =
        "Yes, as far as rules were tried. Stopping iMessage by address, name or port costs \(cost) of the notifications\(free), and no rule on single pieces came cheap in the lab."
      follows += ["sent-measured"]
    case .enoughWithoutRecords:
      sentence =
        "Yes for rules on addresses, names and ports: stopping iMessage by them costs \(cost) of the notifications\(free). What rules on single pieces cost was not measured."
    }
    var claims = [
      StudyClaim(
        "verdict", sentence, evidence: outcome == .enoughForKnownRules ? [Report.noRecordRule] : [], follows: follows,
        limit: "It says what a rule would cost, not why anybody chose one.", isAnswered: outcome != .unanswered)
    ]
    if outcome == .enoughForKnownRules || outcome == .enough || outcome == .enoughWithoutRecords {
      claims += [doubts(media.flatMap { figures.hit($0.policy, .ringing) }, figures)].compactMap { $0 }
    }
    return claims
  }

  /// The two objections: ringing, and the hosts for signing in.
  private static func doubts(_ ringing: StudyFigure?, _ figures: StudyFigures) -> StudyClaim? {
    var sentences: [String] = []
    var follows: [String] = []
    if let ringing, ringing.isFew {
      sentences.append(
        "That FaceTime rings over the same connection is true and no objection: a call can be cut while \(ringing.words) of the ringing is hit."
      )
      follows.append("media-rings")
    }
    if let identity = figures.hit("block-identity", .iMessages), identity.isFew {
      sentences.append(
        "Sign-in hosts are a way around the shared connection, but a slow one: at once it hits \(identity.words) of the iMessages, and it cannot spare FaceTime or strike it alone."
      )
      follows += ["identity-now", "identity-later"]
    }
    guard !sentences.isEmpty else { return nil }
    return StudyClaim("doubts", sentences.joined(separator: " "), evidence: [], follows: follows)
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
    "Do addresses, names and ports tell them apart?", "Do sizes and times give them away?",
    "Can a box stop the one and spare the other?",
  ]

  private static func identifyClaim(_ figures: StudyFigures) -> StudyClaim {
    let pipe = strongestPipeRule(figures)
    let media = bestMediaRule(figures)
    guard pipe != nil || media != nil else {
      return StudyClaim(
        "identify", "This cannot be answered from this traffic.", evidence: [], follows: ["pipe-cost", "media-reach"],
        isAnswered: false)
    }
    var sentences: [String] = []
    if let pipe {
      sentences.append(
        !pipe.iMessages.isMost
          ? "Not known of iMessage: the rules hit \(pipe.iMessages.words)."
          : pipe.notifications.isMost
            ? "Not iMessage from notifications: a rule that hits \(pipe.iMessages.words) of the one hits \(pipe.notifications.words) of the other."
            : "iMessage from notifications, in part: a rule hits \(pipe.iMessages.words) of the one and \(pipe.notifications.words) of the other."
      )
    }
    if let media {
      let cost = figures.hit(media.policy, .notifications)
      sentences.append(
        media.calls.isMost && (cost?.isFew ?? false)
          ? "FaceTime\u{2019}s calls, easily: \(media.calls.words) of their flows against \(cost?.words ?? "") of the notifications."
          : "FaceTime\u{2019}s calls: \(media.calls.words) of their flows\(cost.map { " against \($0.words) of the notifications" } ?? "")."
      )
    }
    return StudyClaim(
      "identify", sentences.joined(separator: " "), evidence: [],
      follows: ["pipe-cost", "media-reach", "media-price"])
  }

  private static func detectClaim(_ figures: StudyFigures) -> StudyClaim {
    guard let sent = figures.hit("sent-imessage-shape", .sent) ?? figures.hit("sent-imessage-hold", .sent) else {
      return StudyClaim(
        "detect", "This cannot be answered from this traffic.", evidence: [], follows: ["shape"], isAnswered: false)
    }
    var sentence =
      sent.isMost
      ? "A sent iMessage, yes: a rule on size hits \(sent.words). So iMessage is not undetectable."
      : "A sent iMessage, by the rule tried, at \(sent.words) only; a better rule may exist."
    var shown = [sent]
    let hold = "received-imessage-hold"
    if let received = figures.hit(hold, .received), let cost = figures.hit(hold, .notifications) {
      shown += [received, cost]
      sentence +=
        cost.isFew
        ? " A received one: \(received.words), at \(cost.words) of the notifications."
        : " A received one looks much like a notification: a rule on its size hits \(received.words), and \(cost.words) of the notifications."
    }
    return StudyClaim("detect", sentence, evidence: shown.map(\.evidence), follows: ["shape", "received"])
  }

  private static func actClaim(_ figures: StudyFigures) -> StudyClaim {
    func cost(_ kind: StudyFigures.Fate) -> StudyFigure? {
      figures.cheapestLabRule(against: kind).flatMap { figures.hit($0, .notifications) }
    }
    let (sent, received) = (cost(.sent), cost(.received))
    guard sent != nil || received != nil else {
      return StudyClaim(
        "act", "This was not measured.", evidence: [], follows: ["sent-measured", "received"], isAnswered: false)
    }
    func words(_ figure: StudyFigure?, _ what: String) -> String? {
      figure.map {
        $0.isFew
          ? "\(what): yes, at \($0.words) of the notifications."
          : "\(what): not for less than \($0.words) of the notifications."
      }
    }
    let answers = [words(sent, "What is sent"), words(received, "What is received")].compactMap { $0 }
    return StudyClaim(
      "act", "Measured in the lab. \(answers.joined(separator: " "))", evidence: [],
      follows: ["sent-measured", "received"])
  }

  /// The figure's bars: only rules that were run.
  static func bars(_ figures: StudyFigures) -> [Bar] {
    let rules: [(String, String, StudySubject)] =
      mediaRules.map { ($0.policy, $0.by, .calls) } + pipeRules.map { ($0.policy, $0.by, .iMessages) } + [
        ("tspu-two-stage", "addresses that boxes collected", .iMessages),
        ("block-identity", "the hosts for signing in", .iMessages),
        ("sent-imessage-shape", "the size of what is sent", .sent),
        ("received-imessage-hold", "the size of what is received", .received),
        ("perfect-record-imessage", "each iMessage, without error", .iMessages),
      ]
    return rules.compactMap { policy, title, subject in
      guard figures.isRun(policy) else { return nil }
      return Bar(
        policy: policy, title: title, target: subject.name, targetHit: figures.hit(policy, subject)?.value,
        notificationsHit: figures.hit(policy, .notifications)?.value)
    }
  }
}
