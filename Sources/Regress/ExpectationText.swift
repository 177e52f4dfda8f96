import Report

extension CaptureExpectation {
  /// The file: a key a line, a flow a block, so that a review shows what changed line by line.
  /// - Parameters:
  ///   - capture: the name of the capture, for the comment of a first file.
  ///   - old: the file that this one renews; what a person put into it stays.
  /// - Returns: the text.
  public func yaml(capture: String, renewing old: ExpectationFile? = nil) -> String {
    var text = (old?.head ?? Self.head(capture)).map { $0 + "\n" }.joined()
    if let line = old?.toleranceLine { text += line + "\n" }
    if let damage { text += "damage: \(Self.scalar(damage))\n" }
    if let totals {
      text += "totals:\n"
      Self.write(totals, to: &text)
    }
    if let conversations {
      text += conversations.isEmpty ? "conversations: []\n" : "conversations:\n"
      for call in conversations { Self.write(call, first: "", to: &text) }
    }
    if let flows {
      text += flows.isEmpty ? "flows: []\n" : "flows:\n"
      for flow in flows { Self.write(flow, first: "flow: \(flow.title)", to: &text) }
    }
    return text
  }

  private static func head(_ capture: String) -> [String] {
    [
      "# What wiretag regress expects of \(printable(capture)). What is taken out is not compared; comments up here stay.",
      "# How far a confidence may move, where this file is to say it:",
      "# tolerance: \(defaultTolerance)",
    ]
  }

  private static func write(_ record: Record, first: String? = nil, to text: inout String) {
    var mark = first == nil ? "  " : "- "
    func line(_ words: String) {
      text += mark + words + "\n"
      mark = "  "
    }
    if let first, !first.isEmpty { line(first) }
    for statement in record.statements {
      let name = statement.field.rawValue
      // Flows of a call are long words: one a line.
      if statement.field == .flows, case .list(let titles) = statement.value, !titles.isEmpty {
        line("\(name):")
        for title in titles { line("- \(title)") }
      } else {
        line("\(name): \(words(statement.value))")
      }
    }
  }

  private static func words(_ value: FieldValue) -> String {
    switch value {
    case .none: "~"
    case .word(let word): scalar(word)
    case .number(let number): decimal(number)
    case .list(let values): sequence(values)
    case .named(let entries):
      "{"
        + entries.map { entry in
          let value = entry.values.count == 1 ? scalar(entry.values[0]) : sequence(entry.values)
          return "\(scalar(entry.name)): \(value)"
        }.joined(separator: ", ") + "}"
    }
  }

  private static func sequence(_ values: [String]) -> String {
    "[" + values.map(scalar).joined(separator: ", ") + "]"
  }

  /// A word as YAML 1.1 and 1.2 read it back, in quotes where it could be taken for something else.
  static func scalar(_ word: String) -> String {
    let isPlain =
      word.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: " "):
          true
        default: "._-/()+".utf8.contains(byte)
        }
      }
    let begins = word.utf8.first.map { !" -+(.".utf8.contains($0) } ?? false
    // Counts are numbers in lists too.
    if !word.isEmpty, word.utf8.count < 19, word.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return word }
    let isNumeric = word.utf8.allSatisfy { "0123456789._-+eExXoO".utf8.contains($0) }
    let reserved = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
    if isPlain, begins, word.utf8.last != UInt8(ascii: " "), !isNumeric, !reserved.contains(word.lowercased()) {
      return word
    }
    // Words are printable, so that a backslash and a quote are all there is to escape.
    var quoted = "\""
    for scalar in word.unicodeScalars {
      if scalar == "\"" || scalar == "\\" { quoted.unicodeScalars.append("\\") }
      quoted.unicodeScalars.append(scalar)
    }
    return quoted + "\""
  }
}

/// A number without needless digits: "5", "0.983".
func decimal(_ number: Double) -> String {
  guard let whole = Int64(exactly: number) else { return "\(number)" }
  return "\(whole)"
}
