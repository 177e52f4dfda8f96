import Foundation
import Pages

/// The study as one self-contained page: the answer and the argument, then the cells that each sentence rests on.
public enum FaceTimeStudyPage {
  /// The page in UTF-8, well-formed as XML too; carries the study as JSON in the element `data`.
  public static func html(_ study: FaceTimeStudy) -> [UInt8] {
    var page = HTMLDocument(title: FaceTimeStudy.title)
    let evidence = study.evidence
    let places = Dictionary(uniqueKeysWithValues: evidence.enumerated().map { ($0.element, $0.offset + 1) })
    page.opening = """
      <p>\(sentences(study.background, places)) \(FaceTimeStudy.question)</p>
      <p class="summary" style="color:var(--ink)">\(sentences(study.verdict, places))</p>
      \(cards(study, places))
      \(figure(study))
      """
    page.sections = [
      .init(id: "argument", title: "Step by step", body: steps(study, places)),
      .init(id: "rests", title: "What each sentence rests on", body: rests(study, evidence)),
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

  /// Sentences one after the other, each with links to what it rests on.
  private static func sentences(_ claims: [StudyClaim], _ places: [StudyEvidence: Int]) -> Markup {
    claims.map { claim -> Markup in
      let links = FaceTimeStudy.ranges(claim.evidence.compactMap { places[$0] }).map { range -> Markup in
        "<a href=\"#r-\(range.lowerBound)\">\(FaceTimeStudy.words(range))</a>"
      }
      let marks: Markup =
        links.isEmpty
        ? ""
        : "<sup style=\"line-height:0;white-space:nowrap;overflow-wrap:normal\">\(links.joined(separator: ",\u{200B}"))</sup>"
      return "<span id=\"s-\(claim.id)\">\(claim.sentence)</span>\(marks)"
    }.joined(separator: " ")
  }

  private static func limits(_ claims: [StudyClaim]) -> Markup {
    let words = FaceTimeStudy.limits(of: claims)
    return words.isEmpty ? "" : "<p class=\"small\">Limits: \(words)</p>\n"
  }

  private static func cards(_ study: FaceTimeStudy, _ places: [StudyEvidence: Int]) -> Markup {
    let cards = zip(study.questions, FaceTimeStudy.questionWords).map { step, question -> Markup in
      """
      <div class="answer"><h2>\(step.title)</h2><p class="question">\(question)</p>
      <p>\(sentences(step.claims, places))</p></div>

      """
    }
    return "<div class=\"answers\">\n\(cards.joined())</div>\n"
  }

  private static func steps(_ study: FaceTimeStudy, _ places: [StudyEvidence: Int]) -> Markup {
    func part(_ id: String, _ title: String, _ body: Markup) -> Markup {
      "<div><h3 id=\"\(id)\" style=\"margin-top:.9rem\">\(title)</h3>\n\(body)</div>\n"
    }
    var parts = study.steps.map { step in
      part(step.id, step.title, "<p>\(sentences(step.claims, places))</p>\n\(limits(step.claims))")
    }
    parts.append(
      part(
        "unknown", "What nobody knows",
        "<p>\(sentences(study.unknown, places)) \(FaceTimeStudy.limits(of: study.background))</p>\n"))
    return "<div class=\"pair\">\n\(parts.joined())</div>\n"
  }

  private static func figure(_ study: FaceTimeStudy) -> Markup {
    guard study.bars.contains(where: { $0.targetHit != nil || $0.notificationsHit != nil }) else {
      return "<p class=\"note\">\(study.method)</p>\n"
    }
    return Figure(
      id: "bars", plot: RulePricePlot(study.bars),
      caption:
        "\(study.method) The rule that Russia uses is not published; the lab\u{2019}s iPhones are models (<a href=\"#unknown\">what nobody knows</a>)."
    ).markup
  }

  private static func rests(_ study: FaceTimeStudy, _ evidence: [StudyEvidence]) -> Markup {
    let table = Table(
      caption: "A rule that was replayed, a rule of the lab, or a writing, and what it says of what.",
      columns: [.text("rule or writing"), .text("of what"), .text("figure"), .text("known by")],
      rows: evidence.enumerated().map { index, one in
        [
          "<span id=\"r-\(index + 1)\">\(index + 1).</span> \(one.rule)", "\(one.column)", "\(one.figure)",
          "\(one.basis)",
        ]
      },
      note:
        "Replay of messages and of flows: truth files name them. Lab: live connections of the project\u{2019}s own phones and servers. Lost: not there at the end; late: by more than a second."
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
