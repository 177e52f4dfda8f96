import Report

/// An evasion report for a terminal.
public enum EvasionText {
  /// The columns of a line, unless told otherwise.
  public static let columns = 80
  /// Server names that are listed; further ones are counted.
  public static let listedNames = 20
  /// Groups of policies that stand beside each other, so that the numbers before them are never cut.
  static let groupsOfATable = 9

  /// The report as lines of text.
  /// - Parameters:
  ///   - report: what was found.
  ///   - width: columns of a line.
  ///   - explains: whether each way is told in a sentence, with its source.
  ///   - bold: marks headings; leaves text as it is unless told otherwise.
  /// - Returns: lines, each ended by a line feed; control characters of names are made visible.
  public static func text(
    _ report: EvasionReport, width: Int = columns, explains: Bool = false, bold: @escaping (String) -> String = { $0 }
  ) -> String {
    var lines = TextLines(width: width, bold: bold)
    guard !report.hellos.isEmpty else {
      let captures = report.captures.isEmpty ? "no capture" : report.captures.joined(separator: ", ")
      lines.prose(
        "No ClientHello was found in \(captures): nothing to rewrite. Give captures that hold the beginning of TLS or "
          + "QUIC connections.", first: "", indent: 0)
      return lines.text
    }
    lines.heading("Evasion check: \(report.rewrites.count) ways of sending \(count(report.hellos.count, "hello"))")
    hellos(report, &lines)
    let (groups, idle) = Group.groups(of: report)
    policies(report, groups, idle, &lines)
    var rest = groups[...]
    repeat {
      ways(report, rest.prefix(groupsOfATable), isFirst: rest.startIndex == 0, &lines)
      rest = rest.dropFirst(groupsOfATable)
    } while !rest.isEmpty
    findings(report, &lines)
    if explains {
      lines.heading("The ways")
      for row in report.rewrites { lines.prose("\(row.title). \(row.sentence) [\(row.source)]", indent: 4) }
    }
    lines.heading("Not tried: needs a network")
    for words in report.notTried { lines.prose(words + ".", indent: 4) }
    lines.section("What this does not say", report.limits)
    return lines.text
  }

  private static func hellos(_ report: EvasionReport, _ lines: inout TextLines) {
    var table = TextTable([
      TextColumn(title: "name", minimum: 20, maximum: 40, cut: .start), TextColumn(title: "over"),
      TextColumn(title: "stacks", isNumber: true), TextColumn(title: "bytes", isNumber: true),
      TextColumn(title: "tag", minimum: 9),
    ])
    let rows = NameRow.rows(of: report)
    table.rows = rows.prefix(listedNames).map { row in
      [
        TextLines.cell(row.name ?? "(no name)"), TextCell(row.carrier.rawValue), TextCell("\(row.stacks)"),
        TextCell(row.shortest == row.longest ? "\(row.shortest)" : "\(row.shortest)-\(row.longest)"), TextCell(row.tag),
      ]
    }
    lines.heading("Hellos")
    lines.table(table)
    if rows.count > listedNames { lines.prose("and \(count(rows.count - listedNames, "name")) more") }
    var left: [String] = []
    if report.repeatedHellos > 0 { left.append("\(report.repeatedHellos) like one of these") }
    if report.hellosNotKept > 0 { left.append("\(report.hellosNotKept) beyond the limit") }
    if !left.isEmpty { lines.prose("Not taken: " + left.joined(separator: ", ") + ".") }
  }

  private static func policies(_ report: EvasionReport, _ groups: [Group], _ idle: [Int], _ lines: inout TextLines) {
    lines.heading("Policies")
    for group in groups {
      let rows = group.policies.map { report.policies[$0] }
      guard let first = rows.first else { continue }
      let met =
        first.matched == 0
        ? "met none of the hellos as recorded"
        : "met \(count(first.matched, "hello"))" + (first.isAimed ? ", aimed at the recorded names" : "")
      let letter = group.letter.count < 2 ? group.letter + " " : group.letter
      lines.prose(
        "\(rows.map(\.name).joined(separator: ", ")): \(met); \(first.abilities).", first: "  \(letter) ", indent: 5)
    }
    if !idle.isEmpty {
      let names = idle.map { report.policies[$0].name }.joined(separator: ", ")
      lines.prose("Met none of the hellos in any way: \(names).")
    }
    if report.policies.isEmpty { lines.prose("None looks at hellos.") }
    if groups.contains(where: { report.policies[$0.policies[0]].isAimed }) {
      lines.prose(
        "Aimed: no recorded hello met the policy's own list, so each hello's name was put in its place to test the box."
      )
    }
    if report.otherPolicies > 0 {
      let look = report.otherPolicies == 1 ? "1 more looks" : "\(report.otherPolicies) more look"
      lines.prose("\(look) at addresses, ports, lengths or verdicts only, which no way of sending changes.")
    }
  }

  private static func ways(
    _ report: EvasionReport, _ groups: ArraySlice<Group>, isFirst: Bool, _ lines: inout TextLines
  ) {
    var columns = [
      TextColumn(title: "way", minimum: 20, maximum: 34), TextColumn(title: "read", isNumber: true),
      TextColumn(title: "tagged", isNumber: true),
    ]
    columns += groups.map { TextColumn(title: $0.letter, minimum: 1) }
    var table = TextTable(columns)
    table.rows = report.rewrites.enumerated().compactMap { index, row in
      guard row.tried > 0 else { return nil }
      let isRead = !row.isReadByServers || row.read == row.tried
      return [
        TextCell(row.title), TextCell("\(row.read)/\(row.tried)" + (isRead ? "" : "!")),
        TextCell("\(row.sameVerdict)/\(row.tried)"),
      ]
        + groups.map { TextCell($0.outcomes.indices.contains(index) ? mark($0.outcomes[index]) : "") }
    }
    lines.heading(isFirst ? "What met the rewritten hellos" : "The same, further policies")
    lines.table(table)
    guard isFirst else { return }
    lines.prose(
      "read, tagged: hellos whose name Wiretag read as a server does, and whose tag and service stayed. Letters: # the "
        + "policy still met all, ~ some, - none; + it met some that it did not meet before; blank: nothing to meet.")
    let left = report.rewrites.filter { $0.tried == 0 }.map(\.title)
    if !left.isEmpty { lines.prose("Applicable to none of the hellos: \(left.joined(separator: "; ")).") }
  }

  /// What a policy made of a way, in at most two signs.
  static func mark(_ outcome: EvasionReport.Outcome) -> String {
    let sign = outcome.of == 0 ? "" : outcome.matched == outcome.of ? "#" : outcome.matched == 0 ? "-" : "~"
    return sign + (outcome.new > 0 ? "+" : "")
  }

  private static func findings(_ report: EvasionReport, _ lines: inout TextLines) {
    lines.heading("Wiretag's own parser")
    lines.prose(
      report.isReadWhole
        ? "It read every hello that a server would put together."
        : "It did not read all that a server would put together:")
    for row in report.rewrites {
      for finding in row.findings { lines.prose("\(row.title): \(finding)", first: "  - ", indent: 4) }
    }
  }

  private static func count(_ number: Int, _ word: String) -> String {
    "\(number) \(word)" + (number == 1 ? "" : "s")
  }
}

extension EvasionText {
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
        rows[at].shortest = min(rows[at].shortest, hello.length)
        rows[at].longest = max(rows[at].longest, hello.length)
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

    /// The groups, and policies that meet no hello in any way.
    static func groups(of report: EvasionReport) -> (groups: [Group], idle: [Int]) {
      var groups: [Group] = []
      var idle: [Int] = []
      for (index, policy) in report.policies.enumerated() {
        let outcomes = report.outcomes.map { $0.indices.contains(index) ? $0[index] : EvasionReport.Outcome() }
        guard outcomes.contains(where: { $0.matched + $0.new > 0 }) else {
          idle.append(index)
          continue
        }
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
      return (groups, idle)
    }

    /// A, B, .. Z, AA, AB, ..
    private static func letters(_ number: Int) -> String {
      let last = String(UnicodeScalar(UInt8(ascii: "A") + UInt8(number % 26)))
      return number < 26 ? last : letters(number / 26 - 1) + last
    }
  }
}
