import Foundation
import Pages

/// The study as one self-contained page: the answer and the argument, then the cells that each sentence rests on.
public enum FaceTimeStudyPage {
  /// The page in UTF-8, well-formed as XML too; carries the study as JSON in the element `data`.
  public static func html(_ study: FaceTimeStudy) -> [UInt8] {
    var page = HTMLDocument(title: FaceTimeStudy.title)
    let numbers = study.numbers
    page.opening = """
      <p>\(sentences(study.background, numbers))</p>
      <p>\(FaceTimeStudy.question) \(study.method)</p>
      <p class="summary">\(sentences(study.verdict, numbers))</p>
      \(cards(study, numbers))
      """
    page.sections = [
      .init(id: "argument", title: "Step by step", body: steps(study, numbers)),
      .init(id: "rests", title: "What each sentence rests on", body: rests(study, numbers)),
    ]
    page.closing = "<p>Made by Wiretag. The page carries its data as JSON in the element <code>data</code>.</p>\n"
    page.data = json(study)
    return page.html()
  }

  private static func json(_ study: FaceTimeStudy) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return (try? encoder.encode(study)).map { Array($0) } ?? Array("null".utf8)
  }

  /// Sentences one after the other, each with a link to what it rests on.
  private static func sentences(_ claims: [StudyClaim], _ numbers: [String: Int]) -> Markup {
    claims.map { claim -> Markup in
      let number = numbers[claim.id] ?? 0
      return """
        <span id="s-\(number)"\(claim.isAnswered ? "" : " class=\"none\"" as Markup)>\(claim.sentence)</span>\
        <sup style="line-height:0"><a href="#r-\(number)" aria-label="What sentence \(number) rests on">\(number)</a></sup>
        """
    }.joined(separator: " ")
  }

  private static func cards(_ study: FaceTimeStudy, _ numbers: [String: Int]) -> Markup {
    let cards = zip(study.questions, FaceTimeStudy.questionWords).map { step, question -> Markup in
      """
      <div class="answer"><h2>\(step.title)</h2><p class="question">\(question)</p>
      <p>\(sentences(step.claims, numbers))</p></div>

      """
    }
    return "<div class=\"answers\">\n\(cards.joined())</div>\n"
  }

  private static func steps(_ study: FaceTimeStudy, _ numbers: [String: Int]) -> Markup {
    let argument = study.steps.map { step -> Markup in
      "<h3 id=\"\(step.id)\">\(step.title)</h3>\n<p>\(sentences(step.claims, numbers))</p>\n"
    }.joined()
    let unknown: Markup = "<h3 id=\"unknown\">What nobody knows</h3>\n<p>\(sentences(study.unknown, numbers))</p>\n"
    return argument + figure(study) + unknown
  }

  private static func figure(_ study: FaceTimeStudy) -> Markup {
    guard study.bars.contains(where: { $0.targetHit != nil || $0.notificationsHit != nil }) else { return "" }
    return Figure(
      id: "bars", plot: RulePricePlot(study.bars),
      caption: "Replay over the captures read. Numbers in percent; a dash where the traffic has none of it."
    ).markup
  }

  private static func rests(_ study: FaceTimeStudy, _ numbers: [String: Int]) -> Markup {
    let rows = study.claims.map { claim -> [Markup] in
      let number = numbers[claim.id] ?? 0
      var lines = claim.evidence.map { evidence -> Markup in
        """
        <span style="display:block"><code>\(evidence.rule)</code>, \(evidence.column): <strong>\(evidence.figure)</strong> \
        <span class="none">(\(evidence.basis))</span></span>
        """
      }
      let follows = claim.follows.compactMap { id -> Markup? in
        numbers[id].map { "<a href=\"#r-\($0)\">\($0)</a>" }
      }
      if !follows.isEmpty {
        lines.append(
          "<span style=\"display:block\">what sentences \(follows.joined(separator: ", ")) rest on</span>")
      }
      return [
        "<a id=\"r-\(number)\" href=\"#s-\(number)\">\(number)</a>",
        lines.isEmpty ? "nothing was there to rest on" : lines.joined(separator: "\n"), "\(claim.limit)",
      ]
    }
    let table = Table(
      caption: "Policy, lab rule or writing; column; figure; by what it is known.",
      columns: [.text("sentence"), .text("rests on"), .text("what it cannot say")], rows: rows
    ).markup
    var more: Markup = ""
    if !study.assumptions.isEmpty {
      let items = study.assumptions.map { "<li>\($0)</li>" as Markup }.joined(separator: "\n")
      more += "<h3>How the replay was done</h3>\n<ul>\n\(items)\n</ul>\n"
    }
    if !study.command.isEmpty { more += "<h3>The command that made this page</h3>\n<pre>\(study.command)</pre>\n" }
    return table + more
  }
}
