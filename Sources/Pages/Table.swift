/// A table with headers; on a phone each row becomes a card, or the table scrolls in a box of its own.
public struct Table: Sendable {
  /// A column.
  public struct Column: Sendable {
    /// Its header, and whether it holds numbers, which stand right-aligned.
    public var title: String, isNumeric: Bool
    /// A column of text.
    public static func text(_ title: String) -> Column { Column(title: title, isNumeric: false) }
    /// A column of numbers.
    public static func number(_ title: String) -> Column { Column(title: title, isNumeric: true) }
  }

  /// How it fits on a narrow screen.
  public enum Narrow: Sendable { case cards, scrolls }

  /// A table of at most so many rows stays on one sheet of paper.
  static let short = 10

  /// What it shows.
  public var caption: Markup
  /// The columns; the first one's cells are the rows' headers.
  public var columns: [Column]
  /// Cells, as many a row as there are columns; an empty one reads as a dash.
  public var rows: [[Markup]]
  /// How it fits on a narrow screen.
  public var narrow: Narrow
  /// What stands below.
  public var note: Markup

  /// A table; columns that are empty in every row are left out.
  public init(
    caption: Markup, columns: [Column], rows: [[Markup]], narrow: Narrow = .cards, note: Markup = ""
  ) {
    let kept = columns.indices.filter { index in
      index == 0 || rows.contains { $0.indices.contains(index) && !$0[index].isEmpty }
    }
    self.caption = caption
    self.columns = kept.map { columns[$0] }
    self.rows = rows.map { row in kept.map { row.indices.contains($0) ? row[$0] : Markup() } }
    (self.narrow, self.note) = (narrow, note)
  }

  /// The table as an element; nothing where it has no rows.
  public var markup: Markup {
    guard !rows.isEmpty else { return "" }
    let head =
      columns.map {
        "<th scope=\"col\" role=\"columnheader\" class=\"\($0.isNumeric ? "n" : "t")\">\($0.title)</th>" as Markup
      }
      .joined()
    let body = rows.map { "<tr role=\"row\">\(cells(of: $0))</tr>" as Markup }.joined(separator: "\n")
    let title: Markup = narrow == .cards ? "<caption>\(caption)</caption>" : ""
    let table: Markup = """
      <table role="table" class="\(narrow == .cards ? "cards" : "wide")\(rows.count <= Table.short ? " short" : "")">
      \(title)
      <thead role="rowgroup"><tr role="row">\(head)</tr></thead>
      <tbody role="rowgroup">
      \(body)
      </tbody>
      </table>

      """
    let box: Markup = narrow == .cards ? table : Table.scrolling(table, caption: caption)
    return box + (note.isEmpty ? "" : "<p class=\"note\">\(note)</p>\n")
  }

  /// A table of one's own making that scrolls inside a box; its caption stays in place above.
  public static func scrolling(_ table: Markup, caption: Markup) -> Markup {
    """
    <div class="scrolling"><p class="caption">\(caption)</p>
    <div class="scroll" role="group" aria-label="Table, scrolls sideways" tabindex="0">
    \(table)</div></div>

    """
  }

  private func cells(of row: [Markup]) -> Markup {
    zip(columns, row).enumerated().map { index, pair in
      let (column, cell) = pair
      let content: Markup = cell.isEmpty ? "<span class=\"none\" title=\"not known\">\u{2013}</span>" : cell
      return index == 0
        ? "<th scope=\"row\" role=\"rowheader\" class=\"t\">\(content)</th>"
        : "<td role=\"cell\" class=\"\(column.isNumeric ? "n" : "t")\" data-label=\"\(column.title)\"><span>\(content)</span></td>"
    }.joined()
  }
}
