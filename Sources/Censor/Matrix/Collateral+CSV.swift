import Report

extension Collateral {
  /// The columns of the comma-separated values, in order.
  ///
  /// `hit` is the share that `Cell.hit` gives, 0 to 1, empty of nothing. Each share is two columns: what is hit of it
  /// (`flows_hit`, `conversations_hit`, `bytes_lost`, `messages_lost`, `messages_late`, `phones_hit`) and the whole.
  /// `reasons` are "matcher (count: examples)", joined with "; ", as are the names in `shared_with`.
  public static let csvColumns = [
    "policy", "policy_title", "policy_group", "standing", "column", "column_name", "column_group", "kind", "is_target",
    "basis", "hit", "flows_hit", "flows", "fallen_back", "conversations_hit", "conversations", "bytes_lost", "bytes",
    "messages_lost", "messages_late", "messages", "phones_hit", "phones", "reasons", "shared_with",
  ]

  /// The matrix as comma-separated values (RFC 4180: a header line, CR LF, quotes where needed), a line a policy and
  /// column.
  ///
  /// Text is made harmless as in the values of flows: control characters are written as `\xNN`, and a field that a
  /// spreadsheet would run as a formula gets an apostrophe in front. Who needs the exact text takes the JSON.
  public func csv() -> [UInt8] {
    var table = SeparatedValues()
    table.line(Self.csvColumns)
    for row in rows.flatMap(\.rows) {
      for (index, column, cell) in cells(of: row) { table.line(fields(row, index, column, cell)) }
    }
    return table.buffer.bytes
  }

  private func fields(_ row: Row, _ index: Int, _ column: Column, _ cell: Cell) -> [String] {
    let policy = row.policy
    let names = [
      policy.name, policy.title, policy.group, policy.standing.rawValue, column.key, column.name, column.group,
      column.kind.rawValue, row.isTarget(index) ? "true" : "false", cell.basis?.rawValue ?? "",
    ]
    let counts = [
      cell.flows.part, cell.flows.whole, cell.fallenBack, cell.conversations.part, cell.conversations.whole,
      cell.bytes.part, cell.bytes.whole, cell.lost.part, cell.late.part, cell.lost.whole, cell.phones.part,
      cell.phones.whole,
    ]
    let reasons = cell.reasons.map { reason in
      let examples = reason.examples.isEmpty ? "" : ": " + reason.examples.joined(separator: ", ")
      return "\(reason.matcher) (\(reason.count)\(examples))"
    }
    return names + [SeparatedValues.decimal(cell.hit)] + counts.map { String($0) }
      + [reasons.joined(separator: "; "), cell.sharedWith.joined(separator: "; ")]
  }
}

/// Lines of comma-separated values under construction.
private struct SeparatedValues {
  private(set) var buffer = RecordBuffer()

  mutating func line(_ fields: [String]) {
    for (index, text) in fields.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      buffer.append(csvField: text)
    }
    buffer.append("\r\n")
  }

  /// A number of at most six decimals; nothing for none.
  static func decimal(_ number: Double?) -> String {
    guard let number, number.isFinite else { return "" }
    var buffer = RecordBuffer()
    buffer.append(number, places: 6)
    return String(decoding: buffer.bytes, as: UTF8.self)
  }
}
