/// A column of a `TextTable`.
public struct TextColumn: Sendable {
  /// Its heading.
  public var title: String
  /// Whether its cells stand at the right: numbers.
  public var isNumber = false
  /// The width it may be cut down to, and the width it never exceeds.
  public var minimum = 4, maximum = Int.max
  /// Which part of a cell may be cut off.
  public var cut = Cut.end
  /// Whether a cell that is too long goes on below instead: prose.
  public var wraps = false
  /// Where room is short, the column with the lowest value goes first; `nil` stays.
  public var dropOrder: Int?
  /// Blanks before it.
  public var gap = 2

  /// A column; see its properties.
  public init(
    title: String, isNumber: Bool = false, minimum: Int = 4, maximum: Int = .max, cut: Cut = .end, wraps: Bool = false,
    dropOrder: Int? = nil, gap: Int = 2
  ) {
    self.title = title
    self.isNumber = isNumber
    (self.minimum, self.maximum) = (minimum, maximum)
    self.cut = cut
    self.wraps = wraps
    self.dropOrder = dropOrder
    self.gap = gap
  }
}

/// A cell of a `TextTable`: printable text and its look.
public struct TextCell: Sendable {
  var text: String
  var paint = Paint.plain
  /// Which part may be cut off, where it is not the column's.
  var cut: Cut?

  /// A cell; text must be printable.
  public init(_ text: String, _ paint: Paint = .plain, cut: Cut? = nil) {
    self.text = text
    self.paint = paint
    self.cut = cut
  }
}

/// Rows in columns that never exceed the width of the terminal: columns shrink, then go, then shrink further.
public struct TextTable: Sendable {
  var columns: [TextColumn]
  /// Rows; a cell that is missing is empty.
  public var rows: [[TextCell]] = []
  /// Blanks before each row.
  public var indent = 1

  /// A table without rows.
  public init(_ columns: [TextColumn]) { self.columns = columns }

  /// The lines of the table.
  public func lines(_ style: TextStyle, heading: Bool = true) -> [String] {
    let widths = layout(style.width)
    var lines: [String] = []
    if heading { lines.append(line(columns.map { TextCell($0.title, .faint) }, widths, style)) }
    return lines + rows.flatMap { row in folded(row, widths, style).map { line($0, widths, style) } }
  }

  /// The width of each column; `nil` for one that was dropped.
  private func layout(_ width: Int) -> [Int?] {
    var widths: [Int?] = columns.indices.map { index in
      let cells = rows.map { index < $0.count ? Report.columns(of: $0[index].text) : 0 }
      return min(max(Report.columns(of: columns[index].title), cells.max() ?? 0), columns[index].maximum, width)
    }
    func excess() -> Int {
      var total = indent
      for (column, width) in zip(columns, widths) {
        if let width { total += width + (total == indent ? 0 : column.gap) }
      }
      return total - width
    }
    func shrink(_ minimum: (Int) -> Int) {
      while excess() > 0 {
        let slack = columns.indices.map { (widths[$0] ?? 0) - minimum($0) }
        guard let widest = slack.indices.max(by: { slack[$0] < slack[$1] }), slack[widest] > 0 else { return }
        widths[widest]? -= 1
      }
    }
    let natural = widths
    // A number that is cut is another number.
    func least(_ index: Int) -> Int { columns[index].isNumber ? natural[index] ?? 0 : columns[index].minimum }
    shrink(least)
    while excess() > 0 {
      let candidates = columns.indices.filter { widths[$0] != nil && columns[$0].dropOrder != nil }
      guard let first = candidates.min(by: { columns[$0].dropOrder ?? 0 < columns[$1].dropOrder ?? 0 }) else { break }
      widths[first] = nil
      for index in columns.indices where widths[index] != nil { widths[index] = natural[index] }
      shrink(least)
    }
    shrink { _ in 1 }
    return widths
  }

  /// A row, and the rows below it that its long cells go on in.
  private func folded(_ cells: [TextCell], _ widths: [Int?], _ style: TextStyle) -> [[TextCell]] {
    guard columns.contains(where: \.wraps) else { return [cells] }
    let parts = cells.indices.map { index in
      guard index < columns.count, columns[index].wraps, let width = widths[index] else { return [cells[index].text] }
      return wrapped(cells[index].text, to: width, ellipsis: style.ellipsis)
    }
    return (0..<(parts.map(\.count).max() ?? 1)).map { depth in
      cells.indices.map { index in
        TextCell(depth < parts[index].count ? parts[index][depth] : "", cells[index].paint, cut: cells[index].cut)
      }
    }
  }

  private func line(_ cells: [TextCell], _ widths: [Int?], _ style: TextStyle) -> String {
    var line = String(repeating: " ", count: indent)
    var pending = 0
    var isFirst = true
    for (index, column) in columns.enumerated() {
      guard let width = widths[index] else { continue }
      let cell = index < cells.count ? cells[index] : TextCell("")
      let text = fitted(cell.text, to: width, cut: cell.cut ?? column.cut, ellipsis: style.ellipsis)
      let blanks = width - Report.columns(of: text)
      pending += isFirst ? 0 : column.gap
      isFirst = false
      if column.isNumber { pending += blanks }
      if !text.isEmpty {
        line += String(repeating: " ", count: pending) + style.paint(text, cell.paint)
        pending = 0
      } else if column.isNumber {
        pending += width - blanks
      }
      if !column.isNumber { pending += blanks }
    }
    return line
  }
}
