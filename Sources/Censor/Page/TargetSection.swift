import Pages

extension CollateralPage {
  /// For each target, what its policies cost.
  static func targets(_ collateral: Collateral, _ anchors: PageAnchors) -> Markup {
    guard !collateral.frontiers.isEmpty else {
      return missing("No target: the policies name none that this traffic has.")
    }
    return zip(collateral.frontiers, collateral.answers(called: CollateralWords.titled)).enumerated().map {
      index, pair -> Markup in
      let (frontier, answer) = pair
      let sentences = answer.sentences.map { "\($0)" as Markup }.joined(separator: " ")
      return """
        <h3 id="frontier-\(index)">\(Markup.name(answer.target, limit: 60))</h3>
        <p>\(sentences)</p>
        \(frontier.least.isEmpty ? "" : beside(plot(frontier, index, collateral), table(frontier, collateral, anchors)))
        """
    }.joined()
  }

  /// A figure and its table beside each other where there is room.
  private static func beside(_ figure: Markup, _ table: Markup) -> Markup {
    "<div class=\"pair\">\n\(figure)<div>\(table)</div></div>\n"
  }

  private static func plot(_ frontier: Frontier, _ index: Int, _ collateral: Collateral) -> Markup {
    let name = collateral.spokenName(of: frontier.target)
    let points = frontier.points.compactMap { point -> FrontierPlot.Point? in
      guard let row = collateral.row(of: point.policy) else { return nil }
      return FrontierPlot.Point(
        name: row.policy.name, x: point.collateral, y: point.hit, isOnFrontier: point.isBest && point.hit > 0,
        title:
          "\(CollateralWords.called(row.policy)): \(Numbers.percent(point.hit)) of \(name), "
          + "\(Numbers.percent(point.collateral)) of everything else")
    }
    let none = frontier.points.filter { $0.hit <= 0 }.count
    let rest =
      none > 0
      ? " \(Numbers.grouped(none)) \(none == 1 ? "policy leaves" : "policies leave") it alone and \(none == 1 ? "is" : "are") not drawn."
      : ""
    return Figure(
      id: "frontier-\(index)-plot",
      plot: FrontierPlot(
        title: "\(name), and everything else", points: points.filter { $0.y > 0 },
        xTitle: "share of everything else that is hit", yTitle: "share of \(name) that is hit",
        description: "Policies by what they hit of \(name) and of everything else."),
      caption: "No policy here hits more of it for as little as those on the line.\(rest)", size: .half
    ).markup
  }

  private static func table(_ frontier: Frontier, _ collateral: Collateral, _ anchors: PageAnchors) -> Markup {
    let points = frontier.points.filter { $0.hit > 0 }
      .sorted { ($1.hit, $0.collateral, $0.policy) < ($0.hit, $1.collateral, $1.policy) }
    return Table(
      caption: "Policies that hit any of it; \u{25CF} those on the line.",
      columns: [.text("policy"), .number("of it"), .number("of everything else")],
      rows: points.compactMap { point in
        guard let row = collateral.row(of: point.policy) else { return nil }
        let name = link(row, anchors)
        return [
          point.isBest ? "<span class=\"kind-a\">\(name)</span>" : name, "\(Numbers.percent(point.hit))",
          "\(Numbers.percent(point.collateral))",
        ]
      }, narrow: .scrolls
    ).markup
  }
}
