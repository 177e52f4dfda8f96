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
    let parts = rules.map { "\($0.hit.words) by \($0.rule.by)" }
    var sentence = "Rules on a call\u{2019}s own traffic hit, of its flows, \(listed(parts))."
    var evidence = rules.map(\.hit.evidence) + [Report.mediaForm]
    if let name = rules.first(where: { $0.rule.policy == "facetime-name" }), name.hit.isFew {
      sentence += " Between iPhones a call looks up no name."
      evidence.append(Report.onePipe)
    }
    return StudyClaim(
      "media-reach", sentence, evidence: evidence,
      limits: caution(
        rules.map(\.hit),
        "What calls look like today is not published: ports are from Apple\u{2019}s documents, the form is that of 2013.",
        "A call straight between two phones passes no relay."
      ))
  }

  private static func price(_ best: MediaRule, _ figures: StudyFigures) -> StudyClaim {
    let shown = [StudySubject.iMessages, .notifications].compactMap { figures.hit(best.policy, $0) }
    guard !shown.isEmpty else {
      return unanswered(
        "media-price", "Whether the rule by \(best.by) costs iMessages or notifications", figures,
        policies: [best.policy], subjects: [.iMessages, .notifications])
    }
    let words = listed(shown.map { "\($0.words) of the \($0.name)" })
    let sentence: String
    if shown.contains(where: { !$0.isFew }) {
      sentence = "The rule by \(best.by) hits \(words) as well: the calls do not stand alone here."
    } else if best.calls.isMost {
      sentence =
        "The rule by \(best.by) hits \(words): FaceTime can be blocked without touching the push connection."
    } else {
      sentence = "The rule by \(best.by) hits \(words), but stops few calls: \(best.calls.words) of their flows."
    }
    return StudyClaim(
      "media-price", sentence, evidence: shown.map(\.evidence) + [best.calls.evidence], limits: caution(shown))
  }

  private static func rings(_ best: MediaRule, _ figures: StudyFigures) -> StudyClaim {
    guard let ringing = figures.hit(best.policy, .ringing) else {
      return unanswered(
        "media-rings", "Whether the called phone still rings", figures, policies: [best.policy], subjects: [.ringing])
    }
    let sentence =
      ringing.isFew && !best.calls.isMost
      ? "The called phone would still ring (\(ringing.words) of the ringing is hit), and most calls would go on."
      : ringing.isFew
        ? "The called phone would still ring (\(ringing.words) of the ringing is hit), and the call then fail. \u{201C}User unavailable\u{201D} may mean that; but blocked sign-in hosts may say the same, and no report tells whether phones rang."
        : "The ringing is hit too, by \(ringing.words): the called phone would often not ring, which \u{201C}User unavailable\u{201D} fits as well."
    return StudyClaim(
      "media-rings", sentence, evidence: [ringing.evidence, best.calls.evidence, Report.blocked],
      limits: caution([ringing]))
  }

  /// Most columns that a sentence names.
  private static let maximumOthers = 3

  private static func others(_ best: MediaRule, _ figures: StudyFigures) -> StudyClaim? {
    let own = Set([StudySubject.calls, .connections].flatMap(\.keys))
    let columns = figures.collateral.columns.filter { $0.kind == .flows && !own.contains($0.key) }
    let hits = columns.compactMap { column in figures.hit(best.policy, column: column) }
    guard let sample = hits.first else { return nil }
    let hit = hits.filter { $0.value > 0 }.sorted { $0.value > $1.value }
    let limit = "Game Center and SharePlay, which share ports and relays, are not in this traffic."
    guard !hit.isEmpty else {
      return StudyClaim(
        "media-others", "Of the \(counted(hits.count)) other kinds of traffic read here it hits none.",
        evidence: [
          StudyEvidence(
            .replay, rule: best.policy, column: "each other column of flows",
            figure: "0\u{A0}% of each of \(hits.count)",
            basis: sample.evidence.basis)
        ], limits: [limit])
    }
    let named = hit.prefix(maximumOthers)
    let more = hit.count - named.count
    let rest = more > 0 ? ", and less of \(counted(more)) more kinds of traffic" : ""
    return StudyClaim(
      "media-others", "It also hits \(listed(named.map { "\($0.words) of \($0.name)" }))\(rest).",
      evidence: named.map(\.evidence), limits: caution(Array(named), limit))
  }
}
