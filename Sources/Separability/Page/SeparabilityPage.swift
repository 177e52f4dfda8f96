import Foundation
import Pages

/// The study as one self-contained page: the three answers first, then what they rest on.
public enum SeparabilityPage {
  /// The page in UTF-8, well-formed as XML too; carries the study's JSON in the element `data`.
  ///
  /// Parts that the study lacks are replaced by a sentence that says so.
  public static func html(_ study: Study) -> [UInt8] {
    let names = Names(study)
    var page = HTMLDocument(title: "\(names.target) and \(names.background): what tells them apart")
    page.opening = summary(of: study, names) + answers(of: study)
    page.sections = [
      .init(
        id: "identify", title: "Identify: do names and addresses tell them apart?", link: "Identify",
        body: identify(study, names)),
      .init(
        id: "detect", title: "Detect: do sizes and times tell them apart?", link: "Detect", body: detect(study, names)),
      .init(id: "timeline", title: "One connection in time", link: "In time", body: timeline(study, names)),
      .init(
        id: "actions", title: "Beside Coull and Dyer\u{2019}s measurement", link: "Coull and Dyer", body: actions(study)
      ),
      .init(id: "act", title: "Act: what does a filter hit?", link: "Act", body: act(study, names)),
      .init(id: "defences", title: "Defences and their price", link: "Defences", body: defences(study, names)),
      .init(id: "method", title: "Method, assumptions, limits", link: "Method and limits", body: method(study)),
      .init(id: "captures", title: "What was read", link: "Captures", body: captures(study, names)),
    ]
    page.closing = "<p>Made by Wiretag. The page carries its data as JSON in the element <code>data</code>.</p>\n"
    page.data = json(study)
    return page.html()
  }

  /// What the two kinds are called in sentences and in labels.
  struct Names {
    let target: String, background: String

    init(_ study: Study) {
      func short(_ summary: ClassSummary, _ other: String) -> String {
        let name = summary.title.isEmpty ? summary.name : summary.title
        return name.isEmpty ? other : TextMetrics.shortened(name, characters: 60)
      }
      target = short(study.target, "the target")
      background = short(study.background, "the background")
    }

    /// The kinds in text, in the colours and with the signs that they have in the figures.
    var targetMark: Markup { "<span class=\"kind-a\">\(Markup.name(target))</span>" }
    var backgroundMark: Markup { "<span class=\"kind-b\">\(Markup.name(background))</span>" }
  }

  private static func json(_ study: Study) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return (try? encoder.encode(study)).map { Array($0) } ?? Array("null".utf8)
  }

  private static func summary(of study: Study, _ names: Names) -> Markup {
    let hours = study.captures.reduce(0) { $0 + ($1.hours.isFinite ? $1.hours : 0) }
    guard study.target.records + study.background.records > 0 else {
      return "<p class=\"summary\">No record of \(names.targetMark) or \(names.backgroundMark) was found.</p>\n"
    }
    let captures = study.captures.count == 1 ? "one capture" : "\(Numbers.grouped(study.captures.count)) captures"
    return """
      <p class="summary">\(Numbers.grouped(study.target.records)) records of \(names.targetMark) and \
      \(Numbers.grouped(study.background.records)) of \(names.backgroundMark) in \(captures)\
      \(hours > 0 ? " of \(Numbers.seconds(hours * 3600)) in all" : "").</p>

      """
  }

  private static func answers(of study: Study) -> Markup {
    let cards: [(String, String, [String])] = [
      ("Identify", "Do names and addresses tell them apart?", study.answers.identify),
      ("Detect", "Do sizes and times tell them apart?", study.answers.detect),
      ("Act", "What does a filter hit that acts on it?", study.answers.act),
    ]
    let markup = cards.map { title, question, sentences -> Markup in
      let first: Markup =
        sentences.first.map { "<p class=\"first\">\($0)</p>" }
        ?? "<p class=\"none\">No answer: nothing was there to measure.</p>"
      return """
        <div class="answer"><h2>\(title)</h2><p class="question">\(question)</p>
        \(first)\(sentences.dropFirst().map { "<p>\($0)</p>" as Markup }.joined())</div>

        """
    }
    return "<div class=\"answers\">\n\(markup.joined())</div>\n"
  }

  /// Says why a part is not there.
  static func missing(_ sentence: String) -> Markup { "<p class=\"missing\">\(sentence)</p>\n" }

  /// Sentences as a list; nothing for none.
  static func list(_ sentences: [String]) -> Markup {
    guard !sentences.isEmpty else { return "" }
    return "<ul>\n\(sentences.map { "<li>\($0)</li>" as Markup }.joined(separator: "\n"))\n</ul>\n"
  }

  /// Half of a page's identifiers come from names: lets only letters and digits through.
  static func anchor(_ name: String, _ index: Int) -> String {
    let letters = name.lowercased().unicodeScalars.filter { ("a"..."z").contains($0) || ("0"..."9").contains($0) }
    return String(String.UnicodeScalarView(letters.prefix(20))) + "-\(index)"
  }
}
