import Pages

extension CollateralPage {
  /// The heat map.
  static func matrix(_ collateral: Collateral, _ anchors: PageAnchors) -> Markup {
    let groups = collateral.rows
    guard !groups.isEmpty, !collateral.columns.isEmpty else {
      return missing("There is no matrix: no policy was replayed, or the captures hold nothing that is counted.")
    }
    let hasFallback = collateral.results.contains { $0.cells.contains { $0.fallenBack > 0 && $0.hit == 0 } }
    let fallback = hasFallback ? " \u{21A9}: cut, but its service goes on in another way." : ""
    return HeatMap(
      columns: collateral.columns.map { HeatMap.Column(name: short(CollateralWords.name($0)), group: short($0.group)) },
      rows: groups.flatMap { group, rows in rows.map { row($0, group, collateral, anchors) } },
      caption: "Share of each column that each row\u{2019}s policy hits, in percent",
      legend: "A figure above nothing leads to why.\(fallback)"
    ).markup
  }

  /// A name that leaves room for the others; the whole of it stands below.
  private static func short(_ name: String) -> String { TextMetrics.shortened(name, characters: 40) }

  private static func row(
    _ row: Collateral.Row, _ group: String, _ collateral: Collateral, _ anchors: PageAnchors
  ) -> HeatMap.Row {
    let marks = CollateralText.Marks(isUnicode: true)
    let policy = row.result.policy
    let cells = collateral.cells(of: row).map { index, column, cell in
      HeatMap.Cell(
        value: cell.hit, text: CollateralText.digits(cell, marks), title: title(row.policy, column, cell),
        link: isExplained(cell) ? "#" + anchors.cell(policy, index) : nil, isTarget: row.isTarget(index))
    }
    let name = row.policy.title.isEmpty ? row.policy.name : row.policy.title
    return HeatMap.Row(name: short(name), group: short(group), link: "#" + anchors.policy(policy), cells: cells)
  }

  /// Whether there is a row that says why.
  static func isExplained(_ cell: Cell) -> Bool { (cell.hit ?? 0) > 0 || cell.fallenBack > 0 }

  private static func title(_ policy: Policy, _ column: Column, _ cell: Cell) -> String {
    let share = cell.hit.map { Numbers.percent($0) + ", " } ?? ""
    let fallback = CollateralWords.fallback(cell).map { "; " + $0 } ?? ""
    return "\(policy.name), \(CollateralWords.spoken(column)): \(share)\(CollateralWords.amount(cell))\(fallback)"
  }

  /// The table of all policies.
  static func prices(_ collateral: Collateral, _ anchors: PageAnchors) -> Markup {
    let rows = collateral.rows.flatMap(\.rows)
    guard !rows.isEmpty else { return missing("No policy was replayed.") }
    return Table(
      caption: """
        What each policy hits of what it is meant to hit, and of everything else. Notifications for each iMessage: those \
        lost or late, over iMessages lost or late.
        """,
      columns: [
        .text("policy"), .text("meant to hit"), .number("of its target"), .number("of everything else"),
        .number("notifications for each iMessage"), .number("phones"), .number("flows"), .text("known from"),
      ],
      rows: rows.map { row in
        let result = row.result
        let targets = row.policy.target.map { collateral.spokenName(of: $0) }
        return [
          link(row, anchors), "\(CollateralWords.list(targets, limit: 4))",
          result.target.map { "\(Numbers.percent($0))" } ?? "",
          result.collateral.map { "\(Numbers.percent($0))" } ?? "",
          result.notificationsPerIMessage.map { "\(Numbers.significant($0, digits: 2))" } ?? "",
          share(result.phones), share(result.flows), "\(row.policy.standing.rawValue)",
        ]
      },
      narrow: .scrolls,
      note: """
        A dash stands where a policy names no target, where the traffic has none of it, and where no iMessage is hit. \
        Known from: \(standings(rows.map(\.policy.standing))).
        """
    ).markup
  }

  /// What the words for how well a rule is known stand for, those that occur.
  private static func standings(_ standings: [Policy.Standing]) -> String {
    Policy.Standing.allCases.filter { standings.contains($0) }
      .map { "\($0.rawValue), \(CollateralWords.standing($0))" }.joined(separator: "; ")
  }
}
