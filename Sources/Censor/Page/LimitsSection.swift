import Pages

extension CollateralPage {
  /// What rests on truth, and what on verdicts.
  static func known(_ collateral: Collateral) -> Markup {
    let bases = collateral.bases
    guard !bases.isEmpty else { return missing("Nothing was counted.") }
    let table = Table(
      caption: "By what each column\u{2019}s figures are known.",
      columns: [.text("known by"), .text("what that means"), .text("columns")],
      rows: bases.map { basis, columns in
        [
          "\(basis.rawValue)", "\(CollateralWords.basis(basis).capitalizedFirst).",
          "\(CollateralWords.list(columns.map(CollateralWords.spoken)))",
        ]
      }
    ).markup
    let absent = collateral.absent
    guard !absent.isEmpty else { return table }
    return table
      + "<p>Nothing of this in the traffic: \(CollateralWords.list(absent.map(CollateralWords.spoken))).</p>\n"
  }

  /// What nobody should read out of the page.
  static func limits(_ collateral: Collateral) -> Markup {
    var markup = list(CollateralWords.limits(collateral))
    if !collateral.assumptions.isEmpty {
      markup += "<h3 id=\"limits-assumptions\">Assumptions of the replay</h3>\n\(list(collateral.assumptions))"
    }
    if !collateral.notices.isEmpty {
      markup += "<h3 id=\"limits-notices\">To bear in mind</h3>\n\(list(collateral.notices))"
    }
    return markup
  }

  /// The captures, and how to make the page again.
  static func read(_ collateral: Collateral) -> Markup {
    guard !collateral.captures.isEmpty else { return missing("No capture was read.") }
    let counts = Table(
      caption: "What was in the captures.",
      columns: [
        .text("captures"), .number("packets"), .number("bytes"), .number("flows"), .number("phones"),
        .number("messages that truth knows"),
      ],
      rows: [
        [
          "\(Numbers.grouped(collateral.captures.count))", "\(Numbers.grouped(collateral.packets))",
          "\(Numbers.bytes(Double(collateral.bytes)))", "\(Numbers.grouped(collateral.flows))",
          "\(Numbers.grouped(collateral.phones))", "\(Numbers.grouped(collateral.messages))",
        ]
      ]
    ).markup
    let names = collateral.captures.map { "<code>\(Markup.name($0, limit: 72))</code>" as Markup }.joined(
      separator: ", ")
    let command: Markup =
      collateral.command.isEmpty
      ? "" : "<h3>The command that made this page</h3>\n<pre>\(collateral.command)</pre>\n"
    return counts + "<p>\(names)</p>\n" + command
  }
}
