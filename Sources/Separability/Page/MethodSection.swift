import Pages

extension SeparabilityPage {
  /// How it was done and what it cannot say.
  static func method(_ study: Study) -> Markup {
    let parts: [(String, [String])] = [
      ("Method", study.method), ("Assumptions", study.assumptions), ("Limits", study.limits),
    ]
    var markup = parts.filter { !$0.1.isEmpty }.map { "<h3>\($0.0)</h3>\n\(list($0.1))" as Markup }.joined()
    if markup.isEmpty { markup = missing("The study gives no account of its method.") }
    guard !study.command.isEmpty else { return markup }
    return markup + "<h3>The command that made this page</h3>\n<pre>\(study.command)</pre>\n"
  }

  /// The captures, and what is in them.
  static func captures(_ study: Study, _ names: Names) -> Markup {
    guard !study.captures.isEmpty else { return missing("No capture was read.") }
    let basis = [study.target, study.background].filter { !$0.basis.isEmpty }
    let known: Markup =
      basis.isEmpty
      ? ""
      : "<p>\(basis.map { "\($0.title.isEmpty ? $0.name : $0.title) is known by \($0.basis)." }.joined(separator: " "))</p>\n"
    return known
      + Table(
        caption: "Captures, their records of both kinds, and where their labels come from.",
        columns: [
          .text("capture"), .number("hours"), .number("flows"), .number("records"), .number(names.target),
          .number(names.background), .text("labels"),
        ],
        rows: study.captures.map { capture in
          [
            Markup.name(capture.name), "\(Numbers.significant(capture.hours, digits: 2))",
            "\(Numbers.grouped(capture.flows))", "\(Numbers.grouped(capture.records))",
            "\(Numbers.grouped(capture.target))", "\(Numbers.grouped(capture.background))", "\(capture.labels)",
          ]
        }
      ).markup
  }
}
