/// A matrix of rows by columns whose cells are coloured by a share and say it in figures, too.
///
/// It is an HTML table and not a drawing: forty rows by thirty columns on a phone are only readable where the names of
/// row and column stay in sight while the cells scroll, a reader's own text size makes the cells grow instead of the
/// picture shrink, the header is repeated on each sheet of paper, and a screen reader says row and column of a cell.
public struct HeatMap: Sendable {
  /// What one row has in one column.
  public struct Cell: Sendable {
    /// The share that colours it, 0 to 1, held at the ends; nil, or no number, where there was nothing to measure.
    public var value: Double?
    /// What stands in it, of up to four characters; empty reads as a dash.
    public var text: String
    /// What it says in a sentence, shown beside the pointer and read to those who do not see it.
    public var title: String
    /// A place of the same page, "#cell-3-4"; anything that does not begin with "#" is no link.
    public var link: String?
    /// Whether the column is what the row is meant to hit: drawn as an outline.
    public var isTarget: Bool

    /// What one row has in one column.
    public init(value: Double?, text: String, title: String, link: String? = nil, isTarget: Bool = false) {
      (self.value, self.text, self.title, self.link, self.isTarget) = (value, text, title, link, isTarget)
    }
  }

  /// A column's header.
  public struct Column: Sendable {
    /// Its name, and what it and its neighbours of the same word stand under; empty for no group.
    public var name: String, group: String
    /// A column's header.
    public init(name: String, group: String = "") { (self.name, self.group) = (name, group) }
  }

  /// One row.
  public struct Row: Sendable {
    /// Its name, and what it and its neighbours of the same word stand under; empty for no group.
    public var name: String, group: String
    /// A place of the same page, as a cell's.
    public var link: String?
    /// A cell a column; what is missing was not measured, what is beyond the columns is left out.
    public var cells: [Cell]
    /// One row.
    public init(name: String, group: String = "", link: String? = nil, cells: [Cell]) {
      (self.name, self.group, self.link, self.cells) = (name, group, link, cells)
    }
  }

  /// The columns from left to right; up to thirty fit a wide window and a sheet of paper, more scroll.
  public var columns: [Column]
  /// The rows from top to bottom.
  public var rows: [Row]
  /// What it shows, and what the colour means: a sentence each.
  public var caption: String, legend: String

  /// A matrix.
  public init(columns: [Column], rows: [Row], caption: String, legend: String) {
    (self.columns, self.rows, self.caption, self.legend) = (columns, rows, caption, legend)
  }

  /// Upper ends of the steps of colour; finer at the lower end, where a few percent of a busy service are many people.
  static let steps = [0, 0.05, 0.2, 0.4, 0.6, 0.8, 1]

  /// The step of a share: 0 for nothing at all, `steps.count - 1` at most; nil where it is no number.
  static func step(_ value: Double?) -> Int? {
    guard let value, !value.isNaN else { return nil }
    return steps.firstIndex { value <= $0 } ?? steps.count - 1
  }

  /// The matrix with its legend as an element; nothing where it has no rows or no columns.
  public var markup: Markup {
    guard !rows.isEmpty, !columns.isEmpty else { return "" }
    let layout = Layout(self)
    return """
      <div class="heat-map \(layout.style)" style="--cell:\(layout.cell)rem;--names:\(layout.names)rem;--all:\(layout.total)rem">
      <p class="caption">\(caption)</p>
      <p class="note">\(legend)</p>
      \(key)<div class="scroll" role="group" aria-label="Table, scrolls both ways" tabindex="0">
      <table class="heat" aria-label="\(caption)">
      \(head(layout))\(body)</table>
      </div>
      </div>

      """
  }

  /// What the colours mean, and those of the signs that occur.
  private var key: Markup {
    let cells = rows.flatMap { $0.cells.prefix(columns.count) }
    var entries = HeatMap.steps.enumerated().map { step, upper -> Markup in
      let text = step == 0 ? "nothing" : "up to \(Numbers.percent(upper))"
      return "<li><span class=\"h\(step)\"></span>\(text)</li>"
    }
    if cells.contains(where: { HeatMap.step($0.value) == nil })
      || rows.contains(where: { $0.cells.count < columns.count })
    {
      entries.append("<li><span class=\"hn\">\u{2013}</span>not in this traffic</li>")
    }
    if cells.contains(where: \.isTarget) {
      entries.append("<li><span class=\"h0 hit\"></span>what the row is meant to hit</li>")
    }
    return "<ul class=\"heat-key\" aria-label=\"Colours and signs\">\n\(entries.joined(separator: "\n"))\n</ul>\n"
  }

  /// Runs of neighbours under one word.
  static func runs(_ groups: [String]) -> [(name: String, range: Range<Int>)] {
    var runs: [(name: String, range: Range<Int>)] = []
    for (index, group) in groups.enumerated() {
      if let last = runs.last, last.name == group {
        runs[runs.count - 1].range = last.range.lowerBound..<index + 1
      } else {
        runs.append((group, index..<index + 1))
      }
    }
    return runs
  }

  private var columnRuns: [(name: String, range: Range<Int>)] { HeatMap.runs(columns.map(\.group)) }

  private func head(_ layout: Layout) -> Markup {
    let runs = columnRuns
    let spans = runs.map { "<colgroup span=\"\($0.range.count)\"></colgroup>" as Markup }.joined()
    let groups = runs.map { run -> Markup in
      if run.name.isEmpty { return "<td class=\"first\" colspan=\"\(run.range.count)\"></td>" }
      if layout.isMerged(run) {
        return """
          <th scope="col" rowspan="2" class="turned first"><span><b>\(run.name)</b> \(columns[run.range.lowerBound].name)\
          </span></th>
          """
      }
      return """
        <th scope="colgroup" class="group first" colspan="\(run.range.count)"><span>\(run.name)</span></th>
        """
    }.joined(separator: "\n")
    let names = runs.filter { !layout.isMerged($0) }.flatMap { run in
      run.range.map { index -> Markup in
        let classes = (layout.isTurned ? "turned" : "level") + (index == run.range.lowerBound ? " first" : "")
        return "<th scope=\"col\" class=\"\(classes)\"><span>\(columns[index].name)</span></th>"
      }
    }.joined(separator: "\n")
    let groupRow: Markup =
      runs.allSatisfy(\.name.isEmpty) ? "" : "<tr><td class=\"corner\"></td>\n\(groups)</tr>\n"
    return """
      <colgroup></colgroup>\(spans)
      <thead>
      \(groupRow)<tr><td class="corner"></td>
      \(names)</tr>
      </thead>

      """
  }

  private var body: Markup {
    let starts = Set(columnRuns.map(\.range.lowerBound))
    return HeatMap.runs(rows.map(\.group)).map { run -> Markup in
      let lines = rows[run.range].map { row -> Markup in
        let cells = columns.indices.map { index in
          let cell = row.cells.indices.contains(index) ? row.cells[index] : Cell(value: nil, text: "", title: "")
          return HeatMap.markup(of: cell, isFirst: starts.contains(index))
        }.joined(separator: "\n")
        return "<tr><th scope=\"row\">\(HeatMap.linked("\(row.name)", to: row.link))</th>\n\(cells)</tr>\n"
      }.joined()
      let caption: Markup =
        run.name.isEmpty
        ? ""
        : "<tr><th scope=\"rowgroup\" class=\"group\" colspan=\"\(columns.count + 1)\"><span>\(run.name)</span></th></tr>\n"
      return "<tbody>\n\(caption)\(lines)</tbody>\n"
    }.joined()
  }

  private static func markup(of cell: Cell, isFirst: Bool) -> Markup {
    var classes = step(cell.value).map { "h\($0)" } ?? "hn"
    if cell.isTarget { classes += " hit" }
    if isFirst { classes += " first" }
    let target = cell.isTarget ? "what the row is meant to hit" : ""
    let sentence = cell.title.isEmpty || target.isEmpty ? cell.title + target : "\(cell.title) (\(target))"
    let title: Markup = sentence.isEmpty ? "" : " title=\"\(sentence)\""
    let text: Markup = cell.text.isEmpty ? "\u{2013}" : "\(cell.text)"
    return "<td class=\"\(classes)\"\(title)>\(linked(text, to: cell.link))</td>"
  }

  private static func linked(_ content: Markup, to link: String?) -> Markup {
    guard let link, link.hasPrefix("#"), link.count > 1 else { return content }
    return "<a href=\"\(link)\">\(content)</a>"
  }
}

extension HeatMap {
  /// How wide things are, in root em, by the measured names.
  struct Layout {
    /// Width of a page's text, of what a window of 80 em has room for, and of a sheet of paper that stands upright.
    static let text = 60.0, window = 74.0, paper = 53.0
    /// The least that four characters need, and the most that a cell is wide below an upright name.
    static let least = 1.7, most = 3.0
    /// The most of such a cell on a phone and on paper; the style sheet says it, too.
    static let compact = 2.1
    /// Font sizes of names and of headers.
    static let nameSize = 0.85, headSize = 0.8
    /// Between groups of columns, and around the text of a name.
    static let gap = 0.55, margin = 0.75

    /// Least width of a cell, width of the rows' names, which wrap, and of the whole.
    private(set) var cell = 0.0, names = 0.0, total = 0.0
    /// Whether the columns' names stand upright, as they are longer than a cell may be wide.
    private(set) var isTurned = false
    /// Whether a sheet of paper has to lie on its side.
    private(set) var isBroad = false

    init(_ map: HeatMap) {
      let longest = map.rows.map { TextMetrics.width(Markup.visible($0.name), size: Layout.nameSize) }.max() ?? 0
      names = Layout.up(min(max(longest + Layout.margin, 6), map.columns.count > 20 ? 13 : 16))
      let runs = HeatMap.runs(map.columns.map(\.group))
      let room = (Layout.text - names - Double(runs.count) * Layout.gap) / Double(max(map.columns.count, 1))
      let word = (map.columns.map { Layout.longestWord($0.name) }.max() ?? 0) + 0.4
      isTurned = word > room
      cell = Layout.up(isTurned ? min(max(room - 0.05, Layout.least), Layout.most) : max(word, Layout.most))
      total = width(of: runs, cell: cell)
      isBroad = width(of: runs, cell: isTurned ? min(cell, Layout.compact) : cell) > Layout.paper
    }

    /// Width of the whole with cells of a width.
    private func width(of runs: [(name: String, range: Range<Int>)], cell: Double) -> Double {
      runs.reduce(names) { sum, run in
        let cells = Double(run.range.count) * cell
        // A merged name stands in two lines.
        return sum + Layout.up(max(cells, isMerged(run) ? 2.2 : Layout.captionWidth(run.name))) + Layout.gap
      }
    }

    private static func up(_ width: Double) -> Double { (width * 20).rounded(.up) / 20 }

    /// Whether a group of one column gives its caption to the column's name, as it is longer than the column is wide.
    func isMerged(_ run: (name: String, range: Range<Int>)) -> Bool {
      isTurned && run.range.count == 1 && Layout.captionWidth(run.name) > cell
    }

    private static func captionWidth(_ text: String) -> Double { longestWord(text) * TextMetrics.boldFactor + 0.3 }

    /// Where the matrix need not scroll: in the text's width, in a wide window; and how a sheet lies.
    var style: String {
      let screen = total <= Layout.text ? "fits" : total <= Layout.window ? "fits-wide" : "scrolls"
      return isBroad ? screen + " broad" : screen
    }

    private static func longestWord(_ text: String) -> Double {
      Markup.visible(text).split(separator: " ").map { TextMetrics.width(String($0), size: headSize) }.max() ?? 0
    }
  }
}
