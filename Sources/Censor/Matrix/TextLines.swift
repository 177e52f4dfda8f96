import Pages
import Report

/// Lines for a terminal under construction: no line is longer than its width or ends with a blank.
struct TextLines {
  let width: Int
  let bold: (String) -> String
  private(set) var lines: [String] = []

  init(width: Int, bold: @escaping (String) -> String) {
    self.width = max(width, TextStyle.minimumWidth)
    self.bold = bold
  }

  /// All lines, each ended.
  var text: String { lines.map { $0 + "\n" }.joined() }

  /// A line as it is.
  mutating func add(_ line: String) {
    var line = TextLines.spaced(line)
    while line.last == " " { line.removeLast() }
    lines.append(line)
  }

  /// An empty line, and a heading.
  mutating func heading(_ text: String) {
    if !lines.isEmpty { lines.append("") }
    lines += brokenLines(TextLines.plain(text), to: width).map { bold(TextLines.spaced($0)) }
  }

  /// A paragraph; `first` stands before its first line, and blanks before the others.
  mutating func prose(_ text: String, first: String = "  ", indent: Int = 2) {
    let margin = String(repeating: " ", count: indent)
    for (index, line) in brokenLines(TextLines.plain(text), to: width - indent).enumerated() {
      add((index == 0 ? first : margin) + line)
    }
  }

  /// A heading with a paragraph for each sentence; nothing for none.
  mutating func section(_ title: String, _ sentences: [String]) {
    guard !sentences.isEmpty else { return }
    heading(title)
    for sentence in sentences { prose(sentence) }
  }

  /// Columns; numbers stand at the right.
  mutating func table(_ table: TextTable) {
    var table = table
    table.indent = 2
    for line in table.lines(TextStyle(width: width)) { add(line) }
  }

  /// Text that a terminal shows and does not obey; blanks at which no line ends stay.
  static func plain(_ text: String) -> String {
    text.split(separator: "\u{A0}", omittingEmptySubsequences: false).map { printable(String($0)) }
      .joined(separator: "\u{A0}")
  }

  /// Text for a cell of a table.
  static func cell(_ text: String) -> TextCell { TextCell(spaced(plain(text))) }

  private static func spaced(_ text: String) -> String { String(text.map { $0 == "\u{A0}" ? " " : $0 }) }
}
