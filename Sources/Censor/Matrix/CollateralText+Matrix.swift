import Pages
import Report

extension CollateralText {
  /// Columns that a cell takes: three digits, and a sign or a blank.
  private static let cell = 4
  /// What stands before a policy's name; names of groups stand further left.
  private static let margin = "    "

  /// The matrix, in as many blocks as the width wants; each column's name stands on a stair above it.
  static func matrix(_ collateral: Collateral, _ marks: Marks, _ lines: inout TextLines) {
    let groups = collateral.rows
    guard !groups.isEmpty, !collateral.columns.isEmpty else { return }
    let names = groups.flatMap(\.rows).map { TextLines.plain($0.policy.name).count }
    let label = min(max(names.max() ?? 0, 8), max(lines.width / 3, 12))
    let blocks = blocks(collateral.columns, room: lines.width - margin.count - 2 - label)
    for (number, block) in blocks.enumerated() {
      let part = blocks.count > 1 ? ", \(number + 1) of \(blocks.count)" : ""
      lines.heading("Share that is hit, in percent\(part)")
      let places = places(of: block, in: collateral.columns, from: margin.count + label + 1)
      for line in stairs(places, collateral.columns, marks) { lines.add(line) }
      let shown = groups.map { group, rows in (group, rows.filter { says($0, block) }) }
      for (group, rows) in shown where !rows.isEmpty {
        if !group.isEmpty { lines.add("  " + TextMetrics.shortened(TextLines.plain(group), characters: label + 1)) }
        for row in rows { lines.add(line(row, places, label: label, marks, lines.bold)) }
      }
      let left = groups.reduce(0) { $0 + $1.rows.count } - shown.reduce(0) { $0 + $1.1.count }
      if left > 0 {
        lines.prose(
          "\(Numbers.grouped(left)) \(left == 1 ? "policy that hits" : "policies that hit") none of these "
            + "\(left == 1 ? "is" : "are") left out.")
      }
    }
    lines.add("")
    for (mark, meaning) in [
      (String(marks.target), "the policy is meant to hit this"), ("0", "nothing of it is hit"),
      (marks.fallback, "cut, but its service goes on in another way"), (marks.nothing, "nothing of it in the traffic"),
    ] { lines.prose(meaning, first: "  \(mark) ", indent: 4) }
    lines.prose(CollateralWords.hit)
  }

  /// Whether a row has something to say of columns: it hits one, or is meant to.
  private static func says(_ row: Collateral.Row, _ columns: [Int]) -> Bool {
    columns.contains { column in
      guard row.result.cells.indices.contains(column) else { return false }
      let cell = row.result.cells[column]
      return (cell.hit ?? 0) > 0 || cell.fallenBack > 0 || row.isTarget(column)
    }
  }

  /// Columns by blocks; those of a group stay together where one block can hold them.
  private static func blocks(_ columns: [Column], room: Int) -> [[Int]] {
    var blocks: [[Int]] = []
    var used = 0
    var at = 0
    while at < columns.count {
      var end = at
      while end < columns.count, columns[end].group == columns[at].group { end += 1 }
      let needed = (end - at) * cell + 1
      if blocks.isEmpty || used + needed > room && (needed <= room || used + cell > room) {
        blocks.append([])
        used = 0
      }
      for index in at..<end {
        if used + cell > room, used > 0 {
          blocks.append([])
          used = 0
        }
        blocks[blocks.count - 1].append(index)
        used += cell
      }
      used += 1
      at = end
    }
    return blocks
  }

  /// Where the last digit of each column stands; a blank more between groups.
  private static func places(of block: [Int], in columns: [Column], from start: Int) -> [(column: Int, at: Int)] {
    var at = start + 2
    var places: [(column: Int, at: Int)] = []
    for (position, index) in block.enumerated() {
      if position > 0, columns[index].group != columns[block[position - 1]].group { at += 1 }
      places.append((index, at))
      at += cell
    }
    return places
  }

  /// Names from the last to the first, each ending above its column, with stems for those named already.
  private static func stairs(_ places: [(column: Int, at: Int)], _ columns: [Column], _ marks: Marks) -> [String] {
    places.indices.reversed().map { index in
      let place = places[index]
      let name = TextMetrics.shortened(
        TextLines.plain(CollateralWords.name(columns[place.column])), characters: max(place.at - 2, 4))
      var line = String(repeating: " ", count: max(place.at - 1 - name.count, 0)) + name + " " + marks.turn
      for next in places[(index + 1)...] {
        line += String(repeating: " ", count: max(next.at - line.count, 0)) + marks.stem
      }
      return line
    }
  }

  private static func line(
    _ row: Collateral.Row, _ places: [(column: Int, at: Int)], label: Int, _ marks: Marks, _ bold: (String) -> String
  ) -> String {
    let name = TextMetrics.shortened(TextLines.plain(row.policy.name), characters: label)
    var line = margin + name
    // What bold adds takes no place on the terminal.
    var used = line.count
    for (column, at) in places {
      let cell = row.result.cells.indices.contains(column) ? row.result.cells[column] : Cell()
      let digits = digits(cell, marks)
      line += String(repeating: " ", count: max(at + 1 - digits.count - used, 0))
      used = at + 1
      if row.isTarget(column) {
        line += bold(digits + String(marks.target))
        used += 1
      } else {
        line += digits
      }
    }
    return line
  }
}
