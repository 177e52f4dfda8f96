import Pages
import Report

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
    let evidence = study.evidence
    let places = Dictionary(uniqueKeysWithValues: evidence.enumerated().map { ($0.element, $0.offset + 1) })
    func paragraph(_ claims: [StudyClaim]) -> [String] {
      wrapped(
        claims.map { claim in
          let ranges = FaceTimeStudy.ranges(claim.evidence.compactMap { places[$0] }).map(FaceTimeStudy.words)
          return ranges.isEmpty ? claim.sentence : "\(claim.sentence) [\(ranges.joined(separator: ","))]"
        }.joined(separator: " "), indent: 2)
    }
    func limits(_ claims: [StudyClaim]) -> [String] {
      let words = FaceTimeStudy.limits(of: claims)
      return words.isEmpty ? [] : wrapped("Limits: \(words)", indent: 4)
    }
    var lines = wrapped(FaceTimeStudy.title).map(bold)
    lines += [""] + paragraph(study.background) + [""] + wrapped(FaceTimeStudy.question, indent: 2)
    lines += [""] + wrapped(study.method, indent: 2)
    lines += ["", bold("The answer")] + paragraph(study.verdict)
    for (step, question) in zip(study.questions, FaceTimeStudy.questionWords) {
      lines += ["", bold("\(step.title): \(question)")] + paragraph(step.claims)
    }
    for step in study.steps { lines += ["", bold(step.title)] + paragraph(step.claims) + limits(step.claims) }
    lines += ["", bold("What nobody knows")] + paragraph(study.unknown) + limits(study.background)
    lines += ["", bold("What each sentence rests on")]
    for (index, one) in evidence.enumerated() {
      let label = "  [\(index + 1)] "
      var rest = wrapped("\(one.rule): \(one.column): \(one.figure) (\(one.basis))", indent: 7)
      if let first = rest.first {
        rest[0] = label + String(repeating: " ", count: max(0, 7 - label.count)) + first.dropFirst(7)
      }
      lines += rest
    }
    if !study.assumptions.isEmpty {
      lines += ["", bold("How the replay was done")] + study.assumptions.flatMap { wrapped($0, indent: 2) }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func wrapped(_ text: String, indent: Int = 0) -> [String] {
    let margin = String(repeating: " ", count: indent)
    return brokenLines(Markup.visible(text), to: columns - indent).filter { !$0.isEmpty }.map { line in
      margin + String(line.map { $0 == "\u{A0}" ? " " : $0 })
    }
  }
}
