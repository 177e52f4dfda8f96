import Pages

extension FaceTimeStudy {
  /// What a rule on the picture and sound of calls costs.
  static func mediaClaims(_ figures: StudyFigures) -> [StudyClaim] {
    guard let best = bestMediaRule(figures) else {
      return [
        unanswered(
          "media-reach", "What a rule on FaceTime\u{2019}s picture and sound hits", figures,
          policies: mediaRules.map(\.policy), subjects: [.calls])
      ]
    }
    return [reach(figures), price(best, figures), rings(best, figures), others(best, figures)].compactMap { $0 }
  }

  private typealias MediaRule = (policy: String, by: String, calls: StudyFigure)

  private static func reach(_ figures: StudyFigures) -> StudyClaim {
    let rules = mediaRules.compactMap { rule in
      figures.hit(rule.policy, .calls).map { (rule: rule, hit: $0) }
    }
    var sentence =
      "Of the flows with FaceTime\u{2019}s picture and sound, a rule hits, "
      + listed(rules.map { "by \($0.rule.by), \($0.hit.words)" }) + "."
    if let name = rules.first(where: { $0.rule.policy == "facetime-name" }), name.hit.isFew {
      sentence += " Calls between Apple devices ask for no name."
    }
    return StudyClaim(
      "media-reach", sentence, evidence: rules.map(\.hit.evidence),
      limit: caution(
        rules.map(\.hit),
        "Ports and form of the media are Apple\u{2019}s documents and observations of 2013; today\u{2019}s are not published. A direct call meets no relay."
      ))
  }

  private static func price(_ best: MediaRule, _ figures: StudyFigures) -> StudyClaim {
    let iMessages = figures.hit(best.policy, .iMessages)
    let notifications = figures.hit(best.policy, .notifications)
    let shown = [iMessages, notifications].compactMap { $0 }
    guard !shown.isEmpty else {
      return unanswered(
        "media-price", "Whether that rule costs iMessages or notifications", figures, policies: [best.policy],
        subjects: [.iMessages, .notifications])
    }
    let words = listed(shown.map { "\($0.words) of the \($0.name)" })
    let sentence: String
    if shown.contains(where: { !$0.isFew }) {
      sentence = "The rule on \(best.by) hits \(words) as well: the calls do not stand alone here."
    } else if best.calls.isMost {
      sentence =
        "The rule on \(best.by) hits \(words). FaceTime can be blocked without touching the push connection."
    } else {
      sentence = "The rule on \(best.by) hits \(words), but stops few calls: \(best.calls.words) of their flows."
    }
    return StudyClaim(
      "media-price", sentence, evidence: shown.map(\.evidence) + [best.calls.evidence], limit: caution(shown))
  }

  private static func rings(_ best: MediaRule, _ figures: StudyFigures) -> StudyClaim {
    guard let ringing = figures.hit(best.policy, .ringing) else {
      return unanswered(
        "media-rings", "Whether the called phone still rings", figures, policies: [best.policy], subjects: [.ringing])
    }
    let sentence =
      ringing.isFew
      ? "The called phone would still ring (\(ringing.words) of the ringing is hit), and the call would then fail. \u{201C}User unavailable\u{201D} fits a call that cannot be set up; but the reports do not say whether the other phone rang, and blocked sign-in hosts could show the same words."
      : "The ringing is hit too, by \(ringing.words): the called phone would often not ring at all, which \u{201C}User unavailable\u{201D} fits as well."
    return StudyClaim(
      "media-rings", sentence, evidence: [ringing.evidence, Report.blocked, Report.proxied],
      limit: caution(
        [ringing],
        "No packets of a blocked call are public. One user\u{2019}s detour for Apple\u{2019}s addresses and for apple.com fits relays and hosts alike."
      ))
  }

  /// Most columns that a sentence names.
  private static let maximumOthers = 3

  private static func others(_ best: MediaRule, _ figures: StudyFigures) -> StudyClaim? {
    let own = Set(
      [StudySubject.calls, .iMessages, .notifications, .ringing, .status, .connections].flatMap(\.keys))
    let columns = figures.collateral.columns.filter { $0.kind == .flows && !own.contains($0.key) }
    let hits = columns.compactMap { column in figures.hit(best.policy, column: column) }
    guard let sample = hits.first else { return nil }
    let hit = hits.filter { $0.value > 0 }.sorted { $0.value > $1.value }
    guard let first = hit.first else {
      return StudyClaim(
        "media-others", "It hits none of the \(counted(hits.count)) other kinds of traffic read here.",
        evidence: [
          StudyEvidence(
            .replay, rule: best.policy, column: "each other column of flows",
            figure: "0\u{A0}% of each of \(hits.count)", basis: sample.evidence.basis)
        ],
        limit: caution([], "Game Center and SharePlay, which share ports and relays with FaceTime, are not among them.")
      )
    }
    let named = hit.prefix(maximumOthers)
    let more = hit.count - named.count
    let rest = more > 0 ? "; \(counted(more)) more kinds are hit less" : ""
    return StudyClaim(
      "media-others",
      "It is not free: \(listed(named.map { "\($0.words) of \($0.name)" })) \(hit.count == 1 && first.value < 1 ? "is" : "are") hit too\(rest).",
      evidence: named.map(\.evidence),
      limit: caution(
        Array(named), "Game Center and SharePlay, which share ports and relays with FaceTime, are not in this traffic.")
    )
  }
}
