import Pages

/// The study for a terminal; no line is longer than 80 columns.
public enum FaceTimeStudyText {
  /// The columns that a line may take.
  public static let columns = 80

  /// The study as lines of text.
  ///
  /// - Parameters:
  ///   - study: the study.
  ///   - bold: marks headings; leaves text as it is unless told otherwise.
  /// - Returns: text that ends with a line feed; control characters of names are made visible.
  public static func text(_ study: FaceTimeStudy, bold: (String) -> String = { $0 }) -> String {
    let numbers = study.numbers
    func paragraph(_ claims: [StudyClaim]) -> [String] {
      wrapped(claims.map { "\($0.sentence) [\(numbers[$0.id] ?? 0)]" }.joined(separator: " "), indent: 2)
    }
    var lines = wrapped(FaceTimeStudy.title).map(bold)
    lines += [""] + paragraph(study.background) + [""] + wrapped(FaceTimeStudy.question, indent: 2)
    lines += [""] + wrapped(study.method, indent: 2)
    lines += ["", bold("The answer")] + paragraph(study.verdict)
    for (step, question) in zip(study.questions, FaceTimeStudy.questionWords) {
      lines += ["", bold("\(step.title): \(question)")] + paragraph(step.claims)
    }
    for step in study.steps { lines += ["", bold(step.title)] + paragraph(step.claims) }
    lines += ["", bold("What nobody knows")] + paragraph(study.unknown)
    lines += ["", bold("What each sentence rests on")]
    for claim in study.claims {
      let number = numbers[claim.id] ?? 0
      var parts = claim.evidence.map { "\($0.rule), \($0.column): \($0.figure) (\($0.basis))" }
      let follows = claim.follows.compactMap { numbers[$0] }
      if !follows.isEmpty { parts.append("sentences \(follows.map { "[\($0)]" }.joined(separator: ", "))") }
      if !claim.limit.isEmpty { parts.append("Limit: \(claim.limit)") }
      if parts.isEmpty { parts = ["nothing was there to rest on"] }
      let label = "[\(number)] "
      for (index, part) in parts.enumerated() {
        var rest = wrapped(part, indent: 7)
        if index == 0, let first = rest.first {
          rest[0] = "  " + label + String(repeating: " ", count: max(0, 5 - label.count)) + first.dropFirst(7)
        }
        lines += rest
      }
    }
    if !study.assumptions.isEmpty {
      lines += ["", bold("How the replay was done")] + study.assumptions.flatMap { wrapped($0, indent: 2) }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func wrapped(_ text: String, indent: Int = 0) -> [String] {
    let margin = String(repeating: " ", count: indent)
    let width = columns - indent
    var lines: [String] = []
    var line = ""
    // A number keeps its unit: a no-break space is no place for a line's end.
    for word in Markup.visible(text).split(separator: " ") {
      var word = word
      if !line.isEmpty, line.count + 1 + word.count <= width {
        line += " " + word
        continue
      }
      if !line.isEmpty { lines.append(line) }
      while word.count > width {
        lines.append(String(word.prefix(width)))
        word = word.dropFirst(width)
      }
      line = String(word)
    }
    if !line.isEmpty { lines.append(line) }
    return lines.map { margin + String($0.map { $0 == "\u{A0}" ? " " : $0 }) }
  }
}
