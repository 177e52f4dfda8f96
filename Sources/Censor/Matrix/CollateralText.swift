import Pages
import Report

/// The collateral matrix for a terminal.
public enum CollateralText {
  /// The columns that a line takes where nothing tells.
  public static let columns = TextStyle.defaultWidth

  /// The matrix, what each policy costs, the frontiers, and what all of it rests on.
  ///
  /// - Parameters:
  ///   - collateral: what was found.
  ///   - width: the columns that a line may take; at least 40.
  ///   - isUnicode: whether characters beyond ASCII may be used for marks.
  ///   - bold: marks headings and targets; leaves text as it is unless told otherwise.
  /// - Returns: lines, each ended by a line feed; control characters of names are made visible.
  public static func text(
    _ collateral: Collateral, width: Int = columns, isUnicode: Bool = true,
    bold: @escaping (String) -> String = { $0 }
  ) -> String {
    var lines = TextLines(width: width, bold: bold)
    let marks = Marks(isUnicode: isUnicode)
    lines.heading("What each policy would have hit")
    lines.prose(traffic(collateral))
    matrix(collateral, marks, &lines)
    costs(collateral, marks, &lines)
    for (frontier, answer) in zip(collateral.frontiers, collateral.answers()) {
      lines.section("What hitting \(collateral.spokenName(of: frontier.target)) costs others", answer.sentences)
      self.frontier(frontier, collateral, &lines)
    }
    lines.section(
      "By what it is known",
      collateral.bases.map {
        "\(CollateralWords.list($0.columns.map(CollateralWords.spoken))): \(CollateralWords.basis($0.basis))."
      })
    lines.section("Assumptions", collateral.assumptions)
    lines.section("To bear in mind", collateral.notices + notes(collateral))
    return lines.text
  }

  /// Signs of the matrix.
  struct Marks {
    let isUnicode: Bool
    /// Nothing of this in the traffic; cut, but goes on in another way.
    var nothing: String { isUnicode ? "\u{2013}" : "-" }
    var fallback: String { isUnicode ? "\u{21A9}" : "~" }
    let target: Character = "*"
    var turn: String { isUnicode ? "\u{2510}" : "." }
    var stem: String { isUnicode ? "\u{2502}" : "|" }
  }

  /// A share in three columns; never rounded to none or all.
  static func digits(_ cell: Cell, _ marks: Marks) -> String {
    guard let hit = cell.hit else { return marks.nothing }
    return switch hit * 100 {
    case ...0: cell.fallenBack > 0 ? marks.fallback : "0"
    case ..<1: "<1"
    case 100...: "100"
    case 99.5...: ">99"
    default: Numbers.decimal(hit * 100, places: 0)
    }
  }

  /// What was read, in one sentence.
  static func traffic(_ collateral: Collateral) -> String {
    let captures =
      collateral.captures.count == 1 ? "one capture" : "\(Numbers.grouped(collateral.captures.count)) captures"
    let policies =
      collateral.policies.count == 1 ? "One policy" : "\(Numbers.grouped(collateral.policies.count)) policies"
    let messages =
      collateral.messages > 0 ? ", \(CollateralWords.counted(collateral.messages, "message")) that truth knows" : ""
    return """
      \(policies) replayed over \(captures): \(CollateralWords.counted(collateral.flows, "flow")) of \
      \(CollateralWords.counted(collateral.phones, "phone"))\(messages).
      """
  }

  private static func costs(_ collateral: Collateral, _ marks: Marks, _ lines: inout TextLines) {
    let rows = collateral.rows.flatMap(\.rows)
    guard !rows.isEmpty else { return }
    lines.heading("What each policy costs")
    var table = TextTable([
      TextColumn(title: "policy", minimum: 12, cut: .middle),
      TextColumn(title: "target", isNumber: true), TextColumn(title: "else", isNumber: true),
      TextColumn(title: "alerts/iMessage", isNumber: true, dropOrder: 3),
      TextColumn(title: "phones", isNumber: true, dropOrder: 2),
      TextColumn(title: "flows", isNumber: true, dropOrder: 1),
      TextColumn(title: "what it is", minimum: 24, wraps: true, dropOrder: 0),
    ])
    table.rows = rows.map { row in
      let (policy, result) = (row.policy, row.result)
      return [
        policy.name, result.target.map(Numbers.percent), result.collateral.map(Numbers.percent),
        result.notificationsPerIMessage.map { Numbers.significant($0, digits: 2) }, of(result.phones),
        result.flows.value.map(Numbers.percent), policy.title,
      ].map { TextLines.cell($0 ?? marks.nothing) }
    }
    lines.table(table)
    lines.prose(
      """
      target: share of what the policy is meant to hit that is hit; else: of everything else; alerts/iMessage: notifications lost or late for each iMessage lost or late; phones: clients of which \
      something is hit. \(CollateralWords.collateral(collateral))
      """)
  }

  private static func of(_ share: Share) -> String? {
    share.whole == 0 ? nil : "\(Numbers.grouped(share.part)) of \(Numbers.grouped(share.whole))"
  }

  private static func frontier(_ frontier: Frontier, _ collateral: Collateral, _ lines: inout TextLines) {
    guard !frontier.least.isEmpty else { return }
    var table = TextTable([
      TextColumn(title: "policy", minimum: 12, cut: .middle), TextColumn(title: "hit", isNumber: true),
      TextColumn(title: "else", isNumber: true),
      TextColumn(title: "what it is", minimum: 20, wraps: true, dropOrder: 0),
    ])
    for point in frontier.least where collateral.policies.indices.contains(point.policy) {
      let policy = collateral.policies[point.policy]
      table.rows.append(
        [policy.name, Numbers.percent(point.hit), Numbers.percent(point.collateral), policy.title]
          .map { TextLines.cell($0) })
    }
    lines.table(table)
    lines.prose("No policy here hits as much of it for less than these.")
    let rest = frontier.points.filter { !$0.isBest && $0.hit > 0 }.count
    let none = frontier.points.filter { $0.hit <= 0 }.count
    let others = [
      rest > 0
        ? "\(Numbers.grouped(rest)) \(rest == 1 ? "other hits" : "others hit") no more of it for as much or more" : nil,
      none > 0 ? "\(Numbers.grouped(none)) \(none == 1 ? "leaves" : "leave") it alone" : nil,
    ].compactMap { $0 }
    if !others.isEmpty { lines.prose(others.joined(separator: "; ") + ".") }
  }

  /// What is to be said of single policies; the same of several at once.
  static func notes(_ collateral: Collateral) -> [String] {
    var texts: [(note: String, names: [String])] = []
    for row in collateral.rows.flatMap(\.rows) {
      for note in row.result.notes {
        if let at = texts.firstIndex(where: { $0.note == note }) {
          texts[at].names.append(row.policy.name)
        } else {
          texts.append((note, [row.policy.name]))
        }
      }
    }
    return texts.map { "\(CollateralWords.list($0.names)): \($0.note)" }
  }
}
