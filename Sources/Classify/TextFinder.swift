/// Parts of texts and their rows, found in any case of letters.
struct TextFinder: Sendable {
  private var parts: [(part: [UInt8], row: Int32)] = []

  /// Adds a part.
  mutating func add(_ part: String, row: Int32) { parts.append((part.lowercased().utf8.map(\.self), row)) }

  /// Calls for the row of each part that a text holds.
  func find(in text: String, _ found: (Int32) -> Void) {
    let text = text.utf8Span.span
    for (part, row) in parts where Self.holds(text, part) { found(row) }
  }

  private static func holds(_ text: Span<UInt8>, _ part: [UInt8]) -> Bool {
    guard part.count <= text.count else { return false }
    for begin in 0...(text.count - part.count) {
      var i = 0
      while i < part.count, NameTable.lowered(text[begin + i]) == part[i] { i += 1 }
      if i == part.count { return true }
    }
    return false
  }
}
