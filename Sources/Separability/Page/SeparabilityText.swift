import Pages
import Report

/// The study for a terminal: the answers and compact tables, no line longer than 80 columns.
public enum SeparabilityText {
  /// The columns that a line may take.
  public static let columns = 80

  /// The study as lines of text.
  ///
  /// - Parameters:
  ///   - study: what was found.
  ///   - bold: marks headings; leaves text as it is unless told otherwise.
  /// - Returns: text that ends with a line feed; control characters of names are made visible.
  public static func text(_ study: Study, bold: (String) -> String = { $0 }) -> String {
    let names = SeparabilityPage.Names(study)
    var lines = wrapped("\(names.target) and \(names.background): what tells them apart").map(bold)
    for (title, sentences) in [
      ("Identify", study.answers.identify), ("Detect", study.answers.detect), ("Act", study.answers.act),
    ] {
      lines += ["", bold(title)]
      lines += (sentences.isEmpty ? ["No answer: nothing was there to measure."] : sentences).flatMap {
        wrapped($0, indent: 2)
      }
    }
    lines += table(
      "Identifiers", ["identifier", "bits", "best error", "what it says"],
      study.identify.rows.map { row in
        [
          row.identifier, (row.bitsOnPhone ?? row.bitsOverall).map { Numbers.decimal($0.value, places: 3) } ?? "-",
          row.bestError.map(Numbers.percent) ?? "-", row.sentence,
        ]
      }, numeric: [1, 2], bold)
    lines += table(
      "Shape", ["question", "best feature", "AUC", "classifier's AUC"],
      study.detect.tasks.map { task in
        [
          task.id, task.features.first?.feature ?? "-",
          task.features.first?.auc.map { EstimateText.line(EstimateText.decimal($0)) } ?? "-",
          task.classifier?.auc.map { EstimateText.line(EstimateText.decimal($0)) } ?? "-",
        ]
      }, numeric: [2, 3], bold)
    for task in study.detect.tasks {
      lines += table(
        "Base rates: \(task.title)", ["target's share", "precision", "recall", "false alarms a day"],
        task.baseRates.map { row in
          [
            SeparabilityPage.fraction(row.share),
            row.precision.map { EstimateText.line(EstimateText.share($0)) } ?? "-",
            row.recall.map { EstimateText.line(EstimateText.share($0)) } ?? "-",
            row.falseAlarmsPerPhoneDay.map { EstimateText.line(EstimateText.count($0)) } ?? "-",
          ]
        }, numeric: [1, 2, 3], bold)
      lines += task.notes.flatMap { wrapped($0, indent: 2) }
    }
    lines += table(
      "Coull and Dyer", ["question", "theirs", "ours", "figure"],
      (study.actions?.rows ?? []).map { row in
        [row.question, row.theirs, row.ours, row.figure.map { EstimateText.line(EstimateText.decimal($0)) } ?? "-"]
      }, numeric: [3], bold)
    lines += table(
      "Act: lost of sent, incoming and notifications", ["rule", "sent", "incoming", "notified", "broken a phone"],
      (study.act?.rules ?? []).map { rule in
        [
          rule.title.isEmpty ? rule.name : rule.title, lost(rule.imessageOut), lost(rule.imessageIn),
          lost(rule.notifications),
          rule.connectionsBrokenPerPhone.map { EstimateText.count($0).value } ?? "-",
        ]
      }, numeric: [1, 2, 3, 4], bold)
    lines += table(
      "Defences", ["defence", "bytes", "delay", "AUC sent", "AUC incoming"],
      study.defences.map { row in
        [
          row.name, Numbers.significant(row.bytes) + "x", Numbers.seconds(row.delayMedian),
          row.sent.map { EstimateText.line(EstimateText.decimal($0)) } ?? "-",
          row.incoming.map { EstimateText.line(EstimateText.decimal($0)) } ?? "-",
        ]
      }, numeric: [1, 2, 3, 4], bold)
    if !study.limits.isEmpty {
      lines += ["", bold("Limits")]
      lines += study.limits.flatMap { wrapped($0, indent: 2) }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func lost(_ fate: ActTable.Fate?) -> String {
    guard let fate, fate.sent > 0 else { return "-" }
    return Numbers.percent(fate.lostShare?.value ?? Double(fate.lost) / Double(fate.sent))
  }

  /// Text in lines of at most the terminal's columns.
  private static func wrapped(_ text: String, indent: Int = 0) -> [String] {
    let margin = String(repeating: " ", count: indent)
    return brokenLines(plain(text), to: columns - indent).map { margin + $0 }
  }

  private static func plain(_ text: String) -> String {
    String(Markup.visible(text).map { $0 == "\u{A0}" ? " " : $0 })
  }

  /// A heading and columns; text is wrapped in its column. Nothing for no rows.
  private static func table(
    _ title: String, _ heads: [String], _ rows: [[String]], numeric: Set<Int>, _ bold: (String) -> String
  ) -> [String] {
    guard !rows.isEmpty else { return [] }
    let cells = rows.map { row in row.map { TextMetrics.shortened(plain($0), characters: 120) } }
    var widths = heads.indices.map { column in
      cells.reduce(heads[column].count) { max($0, column < $1.count ? $1[column].count : 0) }
    }
    let room = columns - 2 * (heads.count - 1)
    // The widest column gives way until the row fits; numbers keep theirs as long as text has more than eight.
    while widths.reduce(0, +) > room {
      let text = widths.indices.filter { !numeric.contains($0) && widths[$0] > 8 }
      guard let widest = (text.isEmpty ? Array(widths.indices) : text).max(by: { widths[$0] < widths[$1] }),
        widths[widest] > 1
      else { break }
      widths[widest] -= 1
    }
    func render(_ row: [String]) -> [String] {
      let parts = widths.indices.map { column in brokenLines(column < row.count ? row[column] : "", to: widths[column])
      }
      return (0..<(parts.map(\.count).max() ?? 0)).map { line in
        let columns = widths.indices.map { column -> String in
          let text = line < parts[column].count ? parts[column][line] : ""
          let space = String(repeating: " ", count: max(widths[column] - text.count, 0))
          return numeric.contains(column) ? space + text : text + space
        }
        var whole = columns.joined(separator: "  ")
        while whole.last == " " { whole.removeLast() }
        return whole
      }
    }
    return [""] + wrapped(title).map(bold) + render(heads) + cells.flatMap(render)
  }
}
