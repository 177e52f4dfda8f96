import Capture
import Pages

/// A policy or a column that is not there; a sentence says what is.
public struct CellExplanationError: Error, Sendable, CustomStringConvertible {
  /// What to do.
  public let description: String
}

/// Why a policy hits a service, in words.
public enum CellExplanation {
  /// The rule, how much it hits and of what, by what that is known, each reason with what it met, and who shares it.
  ///
  /// - Parameters:
  ///   - collateral: what was found.
  ///   - policy: the policy's name, in any case.
  ///   - column: the column's key or name, in any case.
  ///   - width: the columns that a line may take; at least 40.
  ///   - bold: marks headings; leaves text as it is unless told otherwise.
  /// - Returns: lines, each ended by a line feed; control characters of names are made visible.
  /// - Throws: `CellExplanationError` for a name that is not there; its sentence gives the nearest ones.
  public static func text(
    _ collateral: Collateral, policy: String, column: String, width: Int = CollateralText.columns,
    bold: @escaping (String) -> String = { $0 }
  ) throws(CellExplanationError) -> String {
    let row = try row(policy, collateral)
    let index = try self.index(of: column, collateral)
    let service = collateral.columns[index]
    let cell = row.result.cells.indices.contains(index) ? row.result.cells[index] : Cell()
    var lines = TextLines(width: width, bold: bold)
    lines.heading("\(CollateralWords.called(row.policy)) and \(CollateralWords.name(service))")
    for sentence in answer(row, index, service, cell) { lines.prose(sentence) }
    lines.section("The rule", rule(row.policy))
    reasons(service, cell, &lines)
    if cell.basis != nil {
      lines.section("Counted", counts(cell))
      lines.section("Who shares what it looks at", sharing(service, cell, row, collateral))
    }
    lines.section("By what it is known", cell.basis.map { known($0, collateral) } ?? [])
    lines.section("Of this policy", row.result.notes)
    return lines.text
  }

  private static func row(_ name: String, _ collateral: Collateral) throws(CellExplanationError) -> Collateral.Row {
    let rows = collateral.rows.flatMap(\.rows)
    if let row = rows.first(where: { $0.policy.name == name })
      ?? rows.first(where: { $0.policy.name.lowercased() == name.lowercased() })
    {
      return row
    }
    throw error("policy", name, among: rows.map(\.policy.name), otherwise: "policies")
  }

  private static func index(of name: String, _ collateral: Collateral) throws(CellExplanationError) -> Int {
    let (columns, word) = (collateral.columns, name.lowercased())
    if let index = columns.firstIndex(where: { $0.key == name })
      ?? columns.firstIndex(where: { $0.key.lowercased() == word || $0.name.lowercased() == word })
    {
      return index
    }
    throw error("service", name, among: columns.flatMap { [$0.key, $0.name] }, otherwise: "services in this traffic")
  }

  /// The most names that an error lists.
  private static let listedNames = 40

  private static func error(
    _ what: String, _ name: String, among names: [String], otherwise: String
  ) -> CellExplanationError {
    let known = names.reduce(into: [String]()) { known, next in
      let isThere = known.contains { $0.lowercased() == next.lowercased() }
      if !next.isEmpty && !isThere { known.append(next) }
    }
    let near = nearestNames(to: name, among: known)
    let hint =
      near.isEmpty
      ? known.isEmpty ? "there are no \(otherwise)" : "\(otherwise): \(listed(known))"
      : "did you mean \(near.joined(separator: ", or "))?"
    return CellExplanationError(description: TextLines.plain("no \(what) '\(name)'; \(hint)"))
  }

  private static func listed(_ names: [String]) -> String {
    names.prefix(listedNames).joined(separator: ", ") + (names.count > listedNames ? ", \u{2026}" : "")
  }

  /// Whether it is hit, and how much of it.
  static func answer(_ row: Collateral.Row, _ index: Int, _ column: Column, _ cell: Cell) -> [String] {
    let name = CollateralWords.spoken(column)
    guard let hit = cell.hit, cell.basis != nil else {
      return ["Not known: this traffic has nothing of \(name)."]
    }
    var sentences: [String] = []
    let aim = row.isTarget(index) ? "what the policy is meant to hit" : "not what the policy is meant to hit"
    let isAimed = !row.targets.isEmpty
    if hit > 0 {
      sentences.append(
        "\(Numbers.percent(hit)) of \(name) is hit: \(CollateralWords.amount(cell))\(isAimed ? "; \(aim)" : "").")
    } else {
      sentences.append("Nothing of \(name) is hit: \(CollateralWords.amount(cell)).")
    }
    if let fallback = CollateralWords.fallback(cell) { sentences.append(fallback + ".") }
    return sentences
  }

  static func rule(_ policy: Policy) -> [String] {
    ([policy.about] + policy.sentences + [CollateralWords.origin(policy)]).filter { !$0.isEmpty }
  }

  private static func reasons(_ column: Column, _ cell: Cell, _ lines: inout TextLines) {
    guard !cell.reasons.isEmpty else { return }
    lines.heading("Why")
    for reason in cell.reasons {
      lines.prose("\(reason.matcher): \(CollateralWords.counted(reason.count, unit(column)))")
      for example in reason.examples { lines.prose(example, first: "    ", indent: 4) }
    }
  }

  /// What a column's reasons count.
  static func unit(_ column: Column) -> String { column.kind == .messages ? "message" : "flow" }

  /// Counts beside the share itself.
  static func counts(_ cell: Cell) -> [String] {
    var sentences: [String] = []
    func add(_ share: Share, _ what: String, _ format: (UInt64) -> String = Numbers.grouped) {
      guard share.whole > 0, let value = share.value else { return }
      sentences.append("\(what): \(format(share.part)) of \(format(share.whole)) (\(Numbers.percent(value)))")
    }
    if cell.basis == .messages {
      add(cell.lost, "Messages that never arrive")
      add(cell.late, "Messages that arrive more than a second late")
    }
    add(cell.flows, "Flows that are cut, degraded or never begin")
    add(cell.conversations, "Calls and other groups of flows of which one is hit")
    add(cell.bytes, "Bytes that do not arrive") { Numbers.bytes(Double($0)) }
    add(cell.phones, "Phones of which something is hit")
    return sentences
  }

  private static func sharing(
    _ column: Column, _ cell: Cell, _ row: Collateral.Row, _ collateral: Collateral
  ) -> [String] {
    guard !cell.sharedWith.isEmpty else { return [] }
    return cell.sharedWith.map { shared in
      guard let other = collateral.cells(of: row).first(where: { CollateralWords.name($0.column) == shared }),
        let hit = other.cell.hit
      else { return shared }
      return "\(shared): \(hit > 0 ? "\(Numbers.percent(hit)) of it is hit, too" : "not hit by this policy")"
    }
  }

  private static func known(_ basis: Cell.Basis, _ collateral: Collateral) -> [String] {
    ["The figure counts \(CollateralWords.basis(basis)).", CollateralWords.hit]
      + (basis == .messages ? collateral.assumptions : [])
  }
}
