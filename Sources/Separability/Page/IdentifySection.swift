import Pages

extension SeparabilityPage {
  static func identify(_ study: Study, _ names: Names) -> Markup {
    let result = study.identify
    guard !result.rows.isEmpty else {
      return missing("No identifier could be compared: no flow had records of both kinds.")
    }
    var markup: Markup = ""
    if result.connections > 0 {
      markup += """
        <p>\(Numbers.grouped(result.sharedConnections)) of \(Numbers.grouped(result.connections)) connections carried \
        both kinds. On these were \(Numbers.grouped(result.targetOnShared)) records of \(names.targetMark) and \
        \(Numbers.grouped(result.backgroundOnShared)) of \(names.backgroundMark).</p>

        """
    }
    markup += """
      <p>Mutual information says how much an identifier tells about the kind, if both kinds were equally frequent: \
      0 bits is nothing, 1 bit is all. The best rule\u{2019}s error is 50 % where nothing can be told.</p>

      """
    let rows = result.rows.map { row -> [Markup] in
      [
        Markup.name(row.identifier), "\(row.sentence)",
        EstimateText.cell(row.bitsOnPhone.map { EstimateText.decimal($0, places: 3) }),
        EstimateText.cell(row.bitsOverall.map { EstimateText.decimal($0, places: 3) }),
        row.bitsByChance.map { "\(Numbers.decimal($0, places: 3))" } ?? "",
        row.bestError.map { "\(Numbers.percent($0))" } ?? "", "\(Numbers.grouped(row.known))",
      ]
    }
    markup +=
      Table(
        caption:
          "Identifiers, one by one. Information below \u{201C}by chance\u{201D} is what shuffled labels give, too.",
        columns: [
          .text("identifier"), .text("what it says"), .number("bits, on one phone"), .number("bits, all captures"),
          .number("by chance"), .number("best rule\u{2019}s error"), .number("records"),
        ], rows: rows, note: EstimateText.note(result.rows.flatMap { [$0.bitsOnPhone, $0.bitsOverall] })
      ).markup
    let values = result.rows.flatMap { row in
      let shown = min(row.values.count, 3)
      return row.values.prefix(3).enumerated().map { index, value -> [Markup] in
        let more = index == 0 && row.distinct > shown ? " (\(shown) of \(Numbers.grouped(row.distinct)))" : ""
        return [
          "\(row.identifier)\(more)", "<code>\(Markup.name(value.value, limit: 72))</code>",
          "\(Numbers.percent(value.target))", "\(Numbers.percent(value.background))",
        ]
      }
    }
    markup +=
      Table(
        caption: "The most frequent values, and the share of each kind\u{2019}s records that have them.",
        columns: [.text("identifier"), .text("value"), .number(names.target), .number(names.background)], rows: values
      ).markup
    return markup
  }
}
