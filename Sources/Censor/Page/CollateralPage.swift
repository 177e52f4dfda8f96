import Pages

/// The collateral matrix as one self-contained page: the answers first, then the matrix, then why each cell is what it
/// is.
public enum CollateralPage {
  /// The page in UTF-8, well-formed as XML too; carries the matrix as JSON in the element `data`.
  ///
  /// A policy stands at the anchor of its name, a cell at that of the policy's name and the column's key: `#block-17-8`,
  /// `#block-17-8-notifications`. Parts that the matrix lacks are replaced by a sentence that says so.
  public static func html(_ collateral: Collateral) -> [UInt8] {
    let anchors = PageAnchors(collateral, reserved: sections + ["data", "frontier"])
    var page = HTMLDocument(title: "What each rule would have hit")
    page.opening = summary(collateral) + answers(collateral)
    page.sections = [
      .init(id: "matrix", title: "The matrix", body: matrix(collateral, anchors)),
      .init(
        id: "targets", title: "What hitting each service costs others", link: "Targets",
        body: targets(collateral, anchors)),
      .init(id: "prices", title: "What each policy costs", link: "Prices", body: prices(collateral, anchors)),
      .init(
        id: "policies", title: "Policy by policy, and why", link: "Policies and why",
        body: policies(collateral, anchors)),
      .init(id: "known", title: "By what it is known", link: "Truth and verdicts", body: known(collateral)),
      .init(id: "limits", title: "What this does not say", link: "Limits", body: limits(collateral)),
      .init(id: "read", title: "What was read", link: "Captures", body: read(collateral)),
    ]
    page.closing = "<p>Made by Wiretag. The page carries its data as JSON in the element <code>data</code>.</p>\n"
    page.data = collateral.json()
    return page.html()
  }

  private static let sections = ["matrix", "targets", "prices", "policies", "known", "limits", "read"]

  /// Answers that stand before everything else; those of further targets, and what they rest on, stand with the frontiers.
  private static let openingAnswers = 6, openingSentences = 4

  private static func summary(_ collateral: Collateral) -> Markup {
    """
    <p class="summary">\(CollateralText.traffic(collateral)) Wiretag blocked nothing: it says what would have happened.</p>
    <p>\(CollateralWords.hit) \(CollateralWords.collateral(collateral))</p>

    """
  }

  private static func answers(_ collateral: Collateral) -> Markup {
    let cards = zip(collateral.answers(called: CollateralWords.titled), collateral.frontiers).prefix(openingAnswers)
      .enumerated().map {
        index, pair -> Markup in
        let (answer, frontier) = pair
        let first: Markup = answer.sentences.first.map { "<p class=\"first\">\($0)</p>" } ?? ""
        let rest = answer.sentences.dropFirst().prefix(openingSentences - 1).map { "<p>\($0)</p>" as Markup }.joined()
        let more: Markup =
          frontier.least.isEmpty ? "" : "<p><a href=\"#frontier-\(index)\">More on this</a></p>"
        return """
          <div class="answer"><h2>\(Markup.name(answer.target, limit: 60))</h2>
          <p class="question">What does hitting it cost others?</p>
          \(first)\(rest)\(more)</div>

          """
      }
    guard !cards.isEmpty else {
      return missing("No target: the policies name none that this traffic has.")
    }
    return "<div class=\"answers\">\n\(cards.joined())</div>\n"
  }

  /// Says why a part is not there.
  static func missing(_ sentence: String) -> Markup { "<p class=\"missing\">\(sentence)</p>\n" }

  /// Sentences as a list; nothing for none.
  static func list(_ sentences: [String]) -> Markup {
    guard !sentences.isEmpty else { return "" }
    return "<ul>\n\(sentences.map { "<li>\($0)</li>" as Markup }.joined(separator: "\n"))\n</ul>\n"
  }

  /// A policy's name that leads to what is said of it.
  static func link(_ row: Collateral.Row, _ anchors: PageAnchors) -> Markup {
    let policy = row.policy
    let name: Markup =
      policy.title.isEmpty || policy.title == policy.name
      ? "" : " <span class=\"interval\">\(Markup.name(policy.name, limit: 48))</span>"
    let title = policy.title.isEmpty ? policy.name : policy.title
    return "<a href=\"#\(anchors.policy(row.result.policy))\">\(Markup.name(title, limit: 80))</a>\(name)"
  }

  /// Part of whole, and the share.
  static func share(_ share: Share) -> Markup {
    guard let value = share.value else { return "" }
    return """
      \(Numbers.percent(value)) <span class="interval">\(Numbers.grouped(share.part)) of \
      \(Numbers.grouped(share.whole))</span>
      """
  }
}
