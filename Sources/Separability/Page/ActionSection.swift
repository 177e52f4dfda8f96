import Pages

extension SeparabilityPage {
  /// Coull and Dyer's questions beside the same on this traffic.
  static func actions(_ study: Study) -> Markup {
    guard let actions = study.actions else {
      return missing("Not repeated here: this traffic has too few iMessage messages with known actions.")
    }
    let source: Markup = """
      <p>Coull and Dyer measured in 2014, on iMessage traffic alone, how well sizes tell what a user does (\u{201C}Traffic \
      Analysis of Encrypted Messaging Services: Apple iMessage and Beyond\u{201D}, ACM SIGCOMM Computer Communication \
      Review 44(5)). The same was done on this traffic.</p>

      """
    let table = Table(
      caption:
        "Their figures and ours. Ours are of modelled or recorded traffic of today, theirs of real traffic of 2014.",
      columns: [
        .text("question"), .text("theirs"), .text("ours"), .number("our figure"), .number("samples"), .text("method"),
        .text("what it can speak to"),
      ],
      rows: actions.rows.map { row in
        [
          "\(row.question)", "\(row.theirs)", "\(row.ours)",
          EstimateText.cell(row.figure.map { EstimateText.decimal($0) }),
          row.samples > 0 ? "\(Numbers.grouped(row.samples))" : "", "\(row.method)", "\(row.remark)",
        ]
      }, note: EstimateText.note(actions.rows.map(\.figure)))
    let differences: Markup =
      actions.differences.isEmpty ? "" : "<h3>Why the figures differ</h3>\n\(list(actions.differences))"
    return source + table.markup + confusion(actions) + differences
  }

  private static func confusion(_ actions: ActionStudy) -> Markup {
    guard !actions.actions.isEmpty, actions.confusion.contains(where: { $0.contains { $0 > 0 } }) else { return "" }
    let head = actions.actions.map { "<th scope=\"col\" class=\"n\">\(Markup.name($0, limit: 40))</th>" as Markup }
      .joined()
    let rows = zip(actions.actions, actions.confusion).enumerated().map { index, pair -> Markup in
      let total = max(pair.1.reduce(0, +), 1)
      let cells = pair.1.prefix(actions.actions.count).enumerated().map { column, count -> Markup in
        let share = Double(count) / Double(total)
        return """
          <td class="shaded\(column == index ? " own" : "")" style="--share:\(0.45 * share)">\(Numbers.grouped(count)) \
          <span class="interval">\(Numbers.percent(share))</span></td>
          """
      }
      return "<tr><th scope=\"row\">\(Markup.name(pair.0, limit: 40))</th>\(cells.joined())</tr>\n"
    }
    return Table.scrolling(
      """
      <table class="wide">
      <thead><tr><th scope="col">happened \u{2193} said \u{2192}</th>\(head)</tr></thead>
      <tbody>
      \(rows.joined())</tbody></table>

      """,
      caption: """
        Confusion of the five actions: rows are what happened, columns what was said. The share is of the row; framed \
        cells are right.
        """)
  }
}
