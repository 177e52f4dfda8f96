import Pages

extension CollateralPage {
  /// Each policy with its rule, and why it hits what it hits; those that hit nothing behind the others.
  static func policies(_ collateral: Collateral, _ anchors: PageAnchors) -> Markup {
    guard !collateral.policies.isEmpty else { return missing("No policy was replayed.") }
    var idle: [Int] = []
    var markup: Markup = ""
    for (group, rows) in collateral.rows {
      let firing = rows.filter { row in collateral.cells(of: row).contains { isExplained($0.cell) } }
      let titles = Set(firing.map(\.result.policy))
      idle += rows.map(\.result.policy).filter { !titles.contains($0) }
      guard !firing.isEmpty else { continue }
      markup += "<h3>\(group.isEmpty ? "Policies" : Markup.name(group, limit: 60))</h3>\n"
      markup += firing.map { policy($0, collateral, anchors) }.joined()
    }
    let known = Set(collateral.results.map(\.policy))
    return markup + self.idle(idle + collateral.policies.indices.filter { !known.contains($0) }, collateral, anchors)
  }

  private static func policy(_ row: Collateral.Row, _ collateral: Collateral, _ anchors: PageAnchors) -> Markup {
    let policy = row.policy
    let about: Markup = policy.about.isEmpty ? "" : "<p>\(policy.about)</p>\n"
    return """
      <h4 id="\(anchors.policy(row.result.policy))">\(heading(policy))</h4>
      \(about)<p class="small">\(policy.sentences.joined(separator: " ")) \(CollateralWords.origin(policy))</p>
      \(cells(row, collateral, anchors))\(list(row.result.notes))
      """
  }

  /// Title and name.
  private static func heading(_ policy: Policy) -> Markup {
    let name: Markup = "<code>\(Markup.name(policy.name, limit: 60))</code>"
    guard !policy.title.isEmpty, policy.title != policy.name else { return name }
    return "\(Markup.name(policy.title, limit: 80)) <span class=\"none\">\(name)</span>"
  }

  private static func cells(_ row: Collateral.Row, _ collateral: Collateral, _ anchors: PageAnchors) -> Markup {
    let cells = collateral.cells(of: row)
    let hit = cells.filter { isExplained($0.cell) }
    let names = Set(cells.map { CollateralWords.name($0.column) })
    let table = Table(
      caption: "What it hits, and why.",
      columns: [
        .text("service or messages"), .number("hit"), .text("of what"), .text("why"), .text("known by"),
      ],
      rows: hit.sorted { ($1.cell.hit ?? 0, $0.index) < ($0.cell.hit ?? 0, $1.index) }.map { index, column, cell in
        let anchor = anchors.cell(row.result.policy, index)
        let target: Markup = row.isTarget(index) ? " <span class=\"interval\">its target</span>" : ""
        return [
          "<span id=\"\(anchor)\">\(Markup.name(CollateralWords.name(column), limit: 60))</span>\(target)",
          "\(cell.hit.map(Numbers.percent) ?? "")", amounts(cell),
          why(cell, column, carried: cell.sharedWith.filter { !names.contains($0) }),
          "\(cell.basis?.rawValue ?? "")",
        ]
      }
    ).markup
    return table + sharing(hit) + alone(cells, row)
  }

  /// Which columns one matcher hits together.
  private static func sharing(_ hit: [(index: Int, column: Column, cell: Cell)]) -> Markup {
    var columns: [(matcher: String, names: [String])] = []
    for (_, column, cell) in hit {
      for reason in cell.reasons {
        if let at = columns.firstIndex(where: { $0.matcher == reason.matcher }) {
          columns[at].names.append(CollateralWords.spoken(column))
        } else {
          columns.append((reason.matcher, [CollateralWords.spoken(column)]))
        }
      }
    }
    return columns.filter { $0.names.count > 1 }.map { matcher, names -> Markup in
      "<p>Hit alike, by \u{201C}\(matcher)\u{201D}: \(CollateralWords.list(names)).</p>\n"
    }.joined()
  }

  /// What it leaves alone of what it is meant to hit, and of the rest.
  private static func alone(_ cells: [(index: Int, column: Column, cell: Cell)], _ row: Collateral.Row) -> Markup {
    let spared = cells.filter { !isExplained($0.cell) && $0.cell.basis != nil }
    let missed = spared.filter { row.isTarget($0.index) }.map { CollateralWords.spoken($0.column) }
    var markup: Markup = ""
    if !missed.isEmpty {
      markup += "<p>Of what it is meant to hit, it leaves alone: \(CollateralWords.list(missed)).</p>\n"
    }
    guard spared.count > missed.count else { return markup }
    let others = spared.filter { !row.isTarget($0.index) }.map { CollateralWords.spoken($0.column) }
    // The matrix says which they are; a list of most of its columns says nothing more.
    let words =
      others.count <= CollateralAnswer.namedColumns
      ? CollateralWords.list(others) : "the other \(Numbers.grouped(others.count)) columns of the matrix"
    return markup + "<p class=\"small\">Left alone: \(words).</p>\n"
  }

  private static func amounts(_ cell: Cell) -> Markup {
    var lines = [CollateralWords.amount(cell)]
    if let fallback = CollateralWords.fallback(cell) { lines.append(fallback) }
    for (share, noun) in [(cell.conversations, "call"), (cell.phones, "phone")] where share.whole > 0 {
      lines.append("\(Numbers.grouped(share.part)) of \(CollateralWords.counted(share.whole, noun))")
    }
    return lines.map { block("\($0)") }.joined()
  }

  private static func why(_ cell: Cell, _ column: Column, carried: [String]) -> Markup {
    let reasons = cell.reasons.map { reason -> Markup in
      let examples = reason.examples.map { "<code>\(Markup.name($0, limit: 72))</code>" as Markup }
        .joined(separator: ", ")
      let met: Markup = reason.examples.isEmpty ? "" : " (\(examples))"
      let count = CollateralWords.counted(reason.count, CellExplanation.unit(column))
      return block("\(reason.matcher): \(count)\(met)")
    }
    let rides: Markup =
      carried.isEmpty
      ? "" : block("<span class=\"none\">also on these flows: \(CollateralWords.list(carried))</span>")
    return reasons.joined() + rides
  }

  /// A line of a cell.
  private static func block(_ content: Markup) -> Markup { "<span style=\"display:block\">\(content)</span>" }

  /// Policies that hit nothing, in short.
  private static func idle(_ policies: [Int], _ collateral: Collateral, _ anchors: PageAnchors) -> Markup {
    guard !policies.isEmpty else { return "" }
    let table = Table(
      caption: "Policies that hit nothing in this traffic. That says more of the traffic than of them.",
      columns: [.text("policy"), .text("what it does"), .text("known from"), .text("remarks")],
      rows: policies.map { index in
        let policy = collateral.policies[index]
        let notes = collateral.results.first { $0.policy == index }?.notes ?? ["It was not replayed."]
        return [
          "<span id=\"\(anchors.policy(index))\">\(heading(policy))</span>",
          "\(policy.about.isEmpty ? policy.sentences.joined(separator: " ") : policy.about)",
          "\(CollateralWords.origin(policy))", "\(notes.joined(separator: " "))",
        ]
      }
    ).markup
    return "<h3>Policies that hit nothing</h3>\n\(table)"
  }
}
