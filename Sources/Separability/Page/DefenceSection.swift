import Pages

extension SeparabilityPage {
  /// What it would cost to close the leak.
  static func defences(_ study: Study, _ names: Names) -> Markup {
    guard !study.defences.isEmpty else {
      return missing("No defence was applied: there was too little traffic of both kinds.")
    }
    let rows = study.defences
    var markup: Markup = """
      <p>Each defence was applied to the recorded traffic, and the classifier was trained anew on what came out. \
      An AUC of 0.5 means that it guesses.</p>

      """
    markup += Figure.row(
      [
        scatter(rows, "defences-sent", "Sent messages", .target, .triangle, \.sent),
        scatter(rows, "defences-incoming", "Incoming messages", .target, .disc, \.incoming),
      ].compactMap { $0 })
    markup +=
      Table(
        caption: "Defences: what is left to detect, and what they cost.",
        columns: [
          .text("defence"), .text("what it does"), .number("bytes, times"), .number("more bytes a day"),
          .number("delay: median, 95th"), .number("AUC, sent"), .number("AUC, incoming"),
          .number("false alarms a phone and day"), .text("remark"),
        ],
        rows: rows.map { row in
          [
            "\(row.name)", "\(row.what)", "\(Numbers.significant(row.bytes))", "\(Numbers.bytes(row.extraBytesPerDay))",
            delays(row.delayMedian, row.delayHigh),
            EstimateText.cell(row.sent.map { EstimateText.decimal($0) }),
            EstimateText.cell(row.incoming.map { EstimateText.decimal($0) }),
            EstimateText.cell(row.falseAlarmsPerPhoneDay.map { EstimateText.count($0) }), "\(row.note)",
          ]
        },
        note: "False alarms are those of a censor who wants to find 90 % of the sent messages. "
          + EstimateText.note(rows.flatMap { [$0.sent, $0.incoming, $0.falseAlarmsPerPhoneDay] })
      ).markup
    return markup
  }

  private static func scatter(
    _ rows: [DefenceRow], _ id: String, _ title: String, _ ink: Drawing.Ink, _ shape: Drawing.Shape,
    _ value: (DefenceRow) -> Estimate?
  ) -> Figure? {
    let points = rows.compactMap { row in
      value(row).map { ScatterPlot.Point(row.name, x: row.bytes, y: $0.value, low: $0.low, high: $0.high) }
    }.filter { $0.x.isFinite && $0.x > 0 && $0.y.isFinite }
    guard points.count > 1 else { return nil }
    let most = points.map(\.x).max() ?? 1
    let least = min(points.map(\.x).min() ?? 1, 1)
    // Both figures have one scale, so that they can be compared.
    let lowest = rows.flatMap { [$0.sent, $0.incoming] }.compactMap { $0.map { $0.low ?? $0.value } }
      .filter(\.isFinite).reduce(0.5, min)
    let words = points.map {
      "\($0.name): \(Numbers.significant($0.x)) times the bytes, AUC \(Numbers.decimal($0.y, places: 2))"
    }
    return Figure(
      id: id,
      plot: ScatterPlot(
        title: "\(title): what is left to detect, against bytes", summary: words.joined(separator: "; ") + ".",
        x: Axis(
          "bytes, times those without a defence" + (most > 4 ? " (logarithmic)" : ""),
          from: least * (most > 4 ? 0.8 : 0.97),
          to: most * (most > 4 ? 1.4 : 1.05), isLogarithmic: most > 4),
        y: Axis("AUC of the classifier", from: max(lowest - 0.05, 0), to: 1) { Numbers.decimal($0, places: 1) },
        points: points, ink: ink, shape: shape, level: .init(0.5, "guessing (0.5)")),
      caption: points.contains { $0.low != nil }
        ? "Lines are 95 % intervals." : "No intervals: \(EstimateText.noInterval).",
      size: .half)
  }
}
