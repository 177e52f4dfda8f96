import Pages

extension SeparabilityPage {
  /// What rules did to live connections.
  static func act(_ study: Study, _ names: Names) -> Markup {
    guard let table = study.act, !table.rules.isEmpty else {
      return missing(
        "Nothing was measured for this pair: the lab\u{2019}s experiment covers iMessage and notifications.")
    }
    let measured = table.rules.filter { !fates($0).compactMap(\.1).isEmpty }
    let unmeasured = table.rules.filter { fates($0).compactMap(\.1).isEmpty }
    let phones = table.repetitions > 0 ? " Each was tried on \(Numbers.grouped(table.repetitions)) phones." : ""
    let date = table.made.isEmpty ? "" : ", on \(table.made)"
    var markup: Markup = """
      <p>Rules of the kernel\u{2019}s own packet filter stood on the access path of phones with a live connection\(date).\
      \(phones) Lost means never delivered; late means delayed by more than a second.</p>

      """
    if !measured.isEmpty {
      markup += Figure.row([
        bars(measured, "act-lost", "Lost messages", "share of messages lost") { lost($0) },
        bars(measured, "act-late", "Late messages", "share of messages late by more than a second") { late($0) },
      ])
    }
    let reason = "too few phones for an interval"
    let others = "other Apple services, sent"
    let all = series.map(\.name) + (measured.contains { $0.otherServicesSent != nil } ? [others] : [])
    markup +=
      Table(
        caption: "What part of each kind was hit.",
        columns: [.text("rule")]
          + all.flatMap { [.number("\($0): lost"), .number("\($0): late")] },
        rows: measured.map { rule in
          ["\(called(rule))"]
            + (fates(rule) + [(others, rule.otherServicesSent)]).filter { all.contains($0.0) }.flatMap { _, fate in
              [
                EstimateText.cell(lost(fate).map { EstimateText.share($0) }),
                EstimateText.cell(late(fate).map { EstimateText.share($0) }),
              ]
            }
        },
        note: EstimateText.note(
          measured.flatMap { rule in fates(rule).flatMap { [lost($0.1), late($0.1)] } }, reason: reason)
      ).markup
    markup +=
      Table(
        caption: "Delays of what arrived, median and 95th percentile, and what became of the connections.",
        columns: [.text("rule"), .number("messages counted")] + series.map { .number("delay: \($0.name)") } + [
          .number("broken connections a phone"), .number("time to recover"), .number("phones that went on by port 443"),
          .text("remarks"),
        ],
        rows: measured.map { rule in
          let all = fates(rule)
          let count = all.reduce(0) { $0 + ($1.1?.sent ?? 0) }
          return ["\(called(rule))", "\(Numbers.grouped(count))"]
            + all.map { $0.1.map { delays($0.delayMedian, $0.delayHigh) } ?? "" } + [
              EstimateText.cell(rule.connectionsBrokenPerPhone.map { EstimateText.count($0) }),
              rule.recoverSeconds.map { delays($0.median, $0.p95) } ?? "",
              EstimateText.cell(rule.fallbackShare.map { EstimateText.share($0) }),
              "\((rule.notes ?? []).joined(separator: " "))",
            ]
        },
        note: EstimateText.note(
          measured.flatMap { [$0.connectionsBrokenPerPhone, $0.fallbackShare] }, reason: reason)
      ).markup
    markup +=
      Table(
        caption: "Rules without a result.", columns: [.text("rule"), .text("why")],
        rows: unmeasured.map { rule in
          [
            "\(called(rule))",
            "\(rule.notes.map { $0.joined(separator: " ") } ?? "not run")",
          ]
        }
      ).markup
    let commands = commandList(table.rules)
    if !commands.isEmpty { markup += "<h3>The rules</h3>\n\(commands)" }
    return markup
  }

  private static func commandList(_ rules: [ActTable.Rule]) -> Markup {
    rules.filter { !$0.commands.isEmpty }.map { rule -> Markup in
      let what: Markup = rule.what.isEmpty ? "" : "<p>\(rule.what); acts on: \(rule.unit)</p>\n"
      let lines = rule.commands.map { "\($0)" as Markup }.joined(separator: "\n")
      return "<h4>\(called(rule))</h4>\n\(what)<pre>\(lines)</pre>\n"
    }.joined()
  }

  private static let series: [(name: String, ink: Drawing.Ink)] = [
    ("iMessage, sent", .third), ("iMessage, incoming", .target), ("notifications", .background),
  ]

  private static func fates(_ rule: ActTable.Rule) -> [(String, ActTable.Fate?)] {
    [
      (series[0].name, rule.imessageOut), (series[1].name, rule.imessageIn), (series[2].name, rule.notifications),
    ]
  }

  private static func called(_ rule: ActTable.Rule) -> String { rule.title.isEmpty ? rule.name : rule.title }

  private static func lost(_ fate: ActTable.Fate?) -> Estimate? {
    fate.flatMap { $0.lostShare ?? share($0.lost, of: $0.sent) }
  }

  private static func late(_ fate: ActTable.Fate?) -> Estimate? {
    fate.flatMap { $0.lateShare ?? share($0.late, of: $0.sent) }
  }

  private static func share(_ part: Int, of whole: Int) -> Estimate? {
    whole > 0 ? Estimate(Double(part) / Double(whole)) : nil
  }

  private static func bars(
    _ rules: [ActTable.Rule], _ id: String, _ title: String, _ axis: String, value: (ActTable.Fate) -> Estimate?
  ) -> Figure {
    let groups = rules.map { rule in
      BarIntervalPlot.Group(
        called(rule),
        fates(rule).map { _, fate in
          fate.flatMap(value).map { .init($0.value, low: $0.low, high: $0.high) }
        })
    }
    let words = groups.map { group in
      let values = zip(series, group.values).compactMap { one, value in
        value.map { "\(one.name) \(Numbers.percent($0.value))" }
      }
      return "\(group.name): \(values.joined(separator: ", "))"
    }
    let hasIntervals = groups.contains { $0.values.contains { $0?.low != nil } }
    return Figure(
      id: id,
      plot: BarIntervalPlot(
        title: title, summary: words.joined(separator: "; ") + ".", axis: .share(axis), series: series, groups: groups),
      caption: hasIntervals ? "Lines are 95 % intervals." : "No intervals: too few phones for one.", size: .half)
  }

  /// A median with its 95th percentile.
  static func delays(_ median: Double?, _ high: Double?) -> Markup {
    guard let median else { return "" }
    return high.map { "\(Numbers.seconds(median)) <span class=\"interval\">95th: \(Numbers.seconds($0))</span>" }
      ?? "\(Numbers.seconds(median))"
  }
}
