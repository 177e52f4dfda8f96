import Report

/// An evasion report for a terminal: no line longer than 80 columns.
public enum EvasionText {
  /// The columns that a line may take.
  public static let columns = 80
  /// Server names that are listed; further ones are counted.
  public static let listedNames = 20
  /// Groups of policies that stand beside each other.
  static let groupsOfATable = 9

  /// The report as lines of text.
  /// - Parameters:
  ///   - report: what was found.
  ///   - explains: whether each way is told in a sentence, with its source.
  ///   - bold: marks headings; leaves text as it is unless told otherwise.
  /// - Returns: text that ends with a line feed; control characters of names are made visible.
  public static func text(
    _ report: EvasionReport, explains: Bool = false, bold: (String) -> String = { $0 }
  ) -> String {
    guard !report.hellos.isEmpty else {
      return wrapped(
        "No ClientHello was found in \(list(report.captures)): nothing to rewrite. Give captures that hold the "
          + "beginning of TLS or QUIC connections."
      ).joined(separator: "\n") + "\n"
    }
    var lines = wrapped(
      "Evasion check: \(report.rewrites.count) ways of sending \(count(report.hellos.count, "hello"))"
    ).map(bold)
    lines += hellos(report, bold)
    let groups = Group.groups(of: report)
    lines += policies(report, groups, bold)
    var rest = groups[...]
    repeat {
      lines += ways(report, rest.prefix(groupsOfATable), isFirst: rest.startIndex == 0, bold)
      rest = rest.dropFirst(groupsOfATable)
    } while !rest.isEmpty
    lines += findings(report, bold)
    if explains {
      lines += ["", bold("The ways")]
      for row in report.rewrites {
        lines += wrapped("\(row.title). \(row.sentence) [\(row.source)]", first: "  ", indent: "    ")
      }
    }
    lines += ["", bold("Not tried: needs a network")]
    lines += report.notTried.flatMap { wrapped($0 + ".", first: "  ", indent: "    ") }
    lines += ["", bold("What this does not say")]
    lines += report.limits.flatMap { wrapped($0, first: "  ", indent: "  ") }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func hellos(_ report: EvasionReport, _ bold: (String) -> String) -> [String] {
    var table = TextTable([
      TextColumn(title: "name", minimum: 20, maximum: 40, cut: .start), TextColumn(title: "over"),
      TextColumn(title: "stacks", isNumber: true), TextColumn(title: "bytes", isNumber: true),
      TextColumn(title: "tag", minimum: 9),
    ])
    table.indent = 2
    let rows = NameRow.rows(of: report)
    table.rows = rows.prefix(listedNames).map { row in
      [
        TextCell(printable(row.name ?? "(no name)")), TextCell(row.carrier.rawValue), TextCell("\(row.stacks)"),
        TextCell(row.shortest == row.longest ? "\(row.shortest)" : "\(row.shortest)-\(row.longest)"), TextCell(row.tag),
      ]
    }
    var lines = ["", bold("Hellos")] + table.lines(style)
    if rows.count > listedNames { lines.append("  and \(count(rows.count - listedNames, "name")) more") }
    var left: [String] = []
    if report.repeatedHellos > 0 { left.append("\(report.repeatedHellos) like one of these") }
    if report.hellosNotKept > 0 { left.append("\(report.hellosNotKept) beyond the limit") }
    if !left.isEmpty { lines += wrapped("Not taken: " + left.joined(separator: ", ") + ".", first: "  ", indent: "  ") }
    return lines
  }

  /// The hellos with one name over one carrier.
  private struct NameRow {
    var name: String?
    var carrier: RecordedHello.Carrier
    var tag: String
    var stacks = 0
    var shortest: Int, longest: Int

    static func rows(of report: EvasionReport) -> [NameRow] {
      var rows: [NameRow] = []
      for hello in report.hellos {
        let at =
          rows.firstIndex { $0.name == hello.serverName && $0.carrier == hello.carrier && $0.tag == hello.tag }
          ?? rows.count
        if at == rows.count {
          rows.append(
            NameRow(
              name: hello.serverName, carrier: hello.carrier, tag: hello.tag, shortest: hello.length,
              longest: hello.length))
        }
        rows[at].stacks += 1
        (rows[at].shortest, rows[at].longest) = (
          min(rows[at].shortest, hello.length), max(rows[at].longest, hello.length)
        )
      }
      return rows
    }
  }

  /// Policies that every way changes alike.
  struct Group {
    var letter: String
    /// Indices into the report's policies.
    var policies: [Int]
    var outcomes: [EvasionReport.Outcome]

    static func groups(of report: EvasionReport) -> [Group] {
      var groups: [Group] = []
      for (index, policy) in report.policies.enumerated() {
        let outcomes = report.outcomes.map { $0.indices.contains(index) ? $0[index] : EvasionReport.Outcome() }
        let same = groups.firstIndex { group in
          let other = report.policies[group.policies[0]]
          return group.outcomes == outcomes && other.isAimed == policy.isAimed && other.abilities == policy.abilities
        }
        if let same {
          groups[same].policies.append(index)
        } else {
          groups.append(Group(letter: letters(groups.count), policies: [index], outcomes: outcomes))
        }
      }
      return groups
    }

    /// A, B, .. Z, AA, AB, ..
    private static func letters(_ number: Int) -> String {
      let last = String(UnicodeScalar(UInt8(ascii: "A") + UInt8(number % 26)))
      return number < 26 ? last : letters(number / 26 - 1) + last
    }
  }

  private static func policies(_ report: EvasionReport, _ groups: [Group], _ bold: (String) -> String) -> [String] {
    var lines = ["", bold("Policies")]
    for group in groups {
      let rows = group.policies.map { report.policies[$0] }
      guard let first = rows.first else { continue }
      let names = rows.map(\.name).joined(separator: ", ")
      let met =
        first.matched == 0
        ? "met none of the hellos as recorded"
        : "met \(count(first.matched, "hello"))" + (first.isAimed ? ", aimed at the recorded names" : "")
      let letter = group.letter.count < 2 ? group.letter + " " : group.letter
      lines += wrapped("\(names): \(met); \(first.abilities).", first: "  \(letter) ", indent: "     ")
    }
    if groups.isEmpty { lines.append("  None looks at hellos.") }
    if groups.contains(where: { report.policies[$0.policies[0]].isAimed }) {
      lines += wrapped(
        "Aimed: no recorded hello met the policy's own list, so each hello's name was put in its place to test the box.",
        first: "  ", indent: "  ")
    }
    if report.otherPolicies > 0 {
      lines += wrapped(
        "\(report.otherPolicies) more look at addresses, ports, lengths or verdicts, which no way of sending changes.",
        first: "  ", indent: "  ")
    }
    return lines
  }

  private static func ways(
    _ report: EvasionReport, _ groups: ArraySlice<Group>, isFirst: Bool, _ bold: (String) -> String
  ) -> [String] {
    var columns = [
      TextColumn(title: "way", minimum: 20, maximum: 34), TextColumn(title: "read", isNumber: true),
      TextColumn(title: "tagged", isNumber: true),
    ]
    columns += groups.map { TextColumn(title: $0.letter, minimum: 1) }
    var table = TextTable(columns)
    table.indent = 2
    table.rows = report.rewrites.enumerated().compactMap { index, row in
      guard row.tried > 0 else { return nil }
      let isRead = !row.isReadByServers || row.read == row.tried
      return [
        TextCell(row.title), TextCell("\(row.read)/\(row.tried)" + (isRead ? "" : "!")),
        TextCell("\(row.sameVerdict)/\(row.tried)"),
      ]
        + groups.map { TextCell($0.outcomes.indices.contains(index) ? mark($0.outcomes[index]) : "") }
    }
    var lines = ["", bold(isFirst ? "What met the rewritten hellos" : "The same, further policies")]
    lines += table.lines(style)
    guard isFirst else { return lines }
    lines += wrapped(
      "read, tagged: hellos whose name Wiretag read as a server does, and whose tag and service stayed. Letters: # the "
        + "policy still met all, ~ some, - none; + it met some that it did not meet before; blank: not applicable.",
      first: "  ", indent: "  ")
    let left = report.rewrites.filter { $0.tried == 0 }.map(\.title)
    if !left.isEmpty {
      lines += wrapped("Applicable to none of the hellos: \(left.joined(separator: "; ")).", first: "  ", indent: "  ")
    }
    return lines
  }

  /// What a policy made of a way, in at most two signs.
  static func mark(_ outcome: EvasionReport.Outcome) -> String {
    let sign = outcome.of == 0 ? "" : outcome.matched == outcome.of ? "#" : outcome.matched == 0 ? "-" : "~"
    return sign + (outcome.new > 0 ? "+" : "")
  }

  private static func findings(_ report: EvasionReport, _ bold: (String) -> String) -> [String] {
    var lines = ["", bold("Wiretag's own parser")]
    lines += wrapped(
      report.isReadWhole
        ? "It read every hello that a server would put together."
        : "It did not read all that a server would put together:", first: "  ", indent: "  ")
    for row in report.rewrites {
      for finding in row.findings {
        lines += wrapped("\(row.title): \(printable(finding))", first: "  - ", indent: "    ")
      }
    }
    return lines
  }

  private static let style = TextStyle(width: columns, isUnicode: false)

  private static func count(_ number: Int, _ word: String) -> String {
    "\(number) \(word)" + (number == 1 ? "" : "s")
  }

  private static func list(_ names: [String]) -> String {
    names.isEmpty ? "no capture" : names.map(printable).joined(separator: ", ")
  }

  /// Prose in lines of at most 80 columns; a word that is longer is cut.
  private static func wrapped(_ text: String, first: String = "", indent: String = "") -> [String] {
    var lines: [String] = []
    var line = first
    var isFresh = true
    for word in text.split(separator: " ") {
      let word = word.prefix(columns - max(first.count, indent.count))
      if !isFresh, line.count + 1 + word.count > columns {
        lines.append(line)
        line = indent + word
      } else {
        line += (isFresh ? "" : " ") + word
      }
      isFresh = false
    }
    return lines + [line]
  }
}
