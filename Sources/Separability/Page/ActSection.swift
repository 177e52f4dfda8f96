import Pages

extension SeparabilityPage {
  /// What rules did to live connections.
  static func act(_ study: Study, _ names: Names) -> Markup {
    guard let table = study.act, !table.rules.isEmpty else {
      return missing(
        "Nothing was measured for this pair: the lab\u{2019}s experiment covers iMessage and notifications.")
    }
    let measured = table.rules.filter { !fates($0).compactMap(\.1).isEmpty }
    let others = table.rules.filter { fates($0).compactMap(\.1).isEmpty }
    var markup: Markup = """
      <p>Rules of the kernel\u{2019}s own packet filter stood on the access path of phones with a live connection\
      \(table.made.isEmpty ? "" : ", on \(table.made)"). Each was tried on \(Numbers.grouped(table.repetitions)) phones. \
      Lost means never delivered; late means delayed by more than a second.</p>

      """
    if !measured.isEmpty {
      markup += Figure.row([
        bars(measured, "act-lost", "Lost messages", "share of messages lost") {
          $0.lostShare ?? share($0.lost, of: $0.sent)
        },
        bars(measured, "act-late", "Late messages", "share of messages late by more than a second") {
          $0.lateShare ?? share($0.late, of: $0.sent)
        },
      ])
    }
    markup +=
      Table(
        caption: "What each rule hit.",
        columns: [
          .text("rule"), .text("acts on"), .text("messages"), .number("sent"), .number("lost"), .number("late"),
          .number("delay: median, 95th"),
        ], rows: measured.flatMap(fateRows),
        note: EstimateText.note(
          measured.flatMap { rule in fates(rule).flatMap { [$0.1?.lostShare, $0.1?.lateShare] } })
      ).markup
    markup +=
      Table(
        caption: "What became of the connections.",
        columns: [
          .text("rule"), .number("broken connections a phone"), .number("seconds to recover: median, 95th"),
          .number("phones that went on by port 443"), .text("remarks"),
        ],
        rows: measured.map { rule in
          [
            "\(rule.title.isEmpty ? rule.name : rule.title)",
            EstimateText.cell(rule.connectionsBrokenPerPhone.map { EstimateText.count($0) }),
            rule.recoverSeconds.map { delays($0.median, $0.p95) } ?? "",
            EstimateText.cell(rule.fallbackShare.map { EstimateText.share($0) }),
            "\((rule.notes ?? []).joined(separator: " "))",
          ]
        }, note: EstimateText.note(measured.flatMap { [$0.connectionsBrokenPerPhone, $0.fallbackShare] })
      ).markup
    markup +=
      Table(
        caption: "Rules without a result.", columns: [.text("rule"), .text("why")],
        rows: others.map { rule in
          [
            "\(rule.title.isEmpty ? rule.name : rule.title)",
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
      let what: Markup = rule.what.isEmpty ? "" : "<p>\(rule.what)</p>\n"
      let lines = rule.commands.map { "\($0)" as Markup }.joined(separator: "\n")
      return "<h4>\(rule.title.isEmpty ? rule.name : rule.title)</h4>\n\(what)<pre>\(lines)</pre>\n"
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

  private static func share(_ part: Int, of whole: Int) -> Estimate? {
    whole > 0 ? Estimate(Double(part) / Double(whole)) : nil
  }

  private static func bars(
    _ rules: [ActTable.Rule], _ id: String, _ title: String, _ axis: String, value: (ActTable.Fate) -> Estimate?
  ) -> Figure {
    let groups = rules.map { rule in
      BarIntervalPlot.Group(
        rule.title.isEmpty ? rule.name : rule.title,
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

  private static func delays(_ median: Double?, _ high: Double?) -> Markup {
    guard let median else { return "" }
    return high.map { "\(Numbers.seconds(median)), \(Numbers.seconds($0))" } ?? "\(Numbers.seconds(median))"
  }

  private static func fateRows(_ rule: ActTable.Rule) -> [[Markup]] {
    fates(rule).compactMap { name, fate in
      guard let fate else { return nil }
      return [
        "\(rule.title.isEmpty ? rule.name : rule.title)", "\(rule.unit)", "\(name)", "\(Numbers.grouped(fate.sent))",
        EstimateText.cell((fate.lostShare ?? share(fate.lost, of: fate.sent)).map { EstimateText.share($0) }),
        EstimateText.cell((fate.lateShare ?? share(fate.late, of: fate.sent)).map { EstimateText.share($0) }),
        delays(fate.delayMedian, fate.delayHigh),
      ]
    }
  }
}
