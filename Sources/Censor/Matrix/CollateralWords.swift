import Pages

/// What the terminal, the page and an explanation say of cells and policies alike.
enum CollateralWords {
  /// What "hit" means, for a reader who has not seen the word.
  static let hit =
    "Hit means: of flows, cut, degraded or never begun; of messages, never arrived or more than a second late."
  /// What the mean over other columns is.
  static func collateral(_ collateral: Collateral) -> String {
    let columns = collateral.columns
    let isCarried = columns.contains { $0.kind == .messages } && columns.contains { ColumnTable.isCarrier($0.key) }
    return "Everything else is the mean over all other columns that this traffic has, each counted alike"
      + (isCarried
        ? "; the connections that carry the messages are left out of it, as the messages stand for them." : ".")
  }

  /// What nobody should read out of a matrix.
  static func limits(_ collateral: Collateral) -> [String] {
    var sentences = [
      "It says what rules would have done to the traffic of these captures. Nothing was blocked, changed or sent.",
      "A share is one of this traffic. Which services the captures hold, and how much of each, was chosen by who "
        + "recorded them; no country\u{2019}s traffic has these shares.",
      "That a rule hits nothing here does not prove it harmless: the captures may lack what it hits.",
      "The mean over everything else counts a service with two flows like one with two thousand. It puts policies in an "
        + "order; it does not count people.",
      "Figures are counts, without intervals: a few phones more or less would move them.",
      "What a rule looks for and does is taken from its source. Boxes change, and the lists of names and addresses that "
        + "censors use are mostly not public.",
      "What a phone does when it is cut is a model. What people do, such as another network or a tunnel, is not in it.",
      "That a rule is here does not say that anybody uses it, and what it would hit does not say that it is wise.",
    ]
    if collateral.bases.contains(where: { $0.basis == .verdict }) {
      sentences.append("Where Wiretag\u{2019}s verdict stands for truth, its errors are in the figures.")
    }
    return sentences
  }

  /// A column's name; its key where it has none.
  static func name(_ column: Column) -> String { column.name.isEmpty ? column.key : column.name }

  /// A column's name for a sentence, where a comma of its own would be misread: "iMessage (sent)".
  static func spoken(_ column: Column) -> String {
    let parts = name(column).split(separator: ", ", maxSplits: 1)
    guard parts.count == 2, let first = parts.first, let last = parts.last else { return name(column) }
    return "\(first) (\(last))"
  }

  /// A policy's title with the name that options take: "\u{201C}Reset by server name\u{201D} (tspu-sni-1)".
  static func called(_ policy: Policy) -> String {
    policy.title.isEmpty || policy.title == policy.name
      ? policy.name : "\u{201C}\(policy.title)\u{201D} (\(policy.name))"
  }

  /// A policy's title for a sentence; its name where it has none.
  static func titled(_ policy: Policy) -> String {
    policy.title.isEmpty ? policy.name : "\u{201C}\(policy.title)\u{201D}"
  }

  /// Where a rule is known from, as a sentence.
  static func origin(_ policy: Policy) -> String {
    let date = policy.date.isEmpty ? "" : ", read on \(policy.date)"
    let source = policy.source.isEmpty ? "" : ": \(policy.source)"
    guard policy.standing != .hypothetical else { return "Nobody is known to use it\(source)." }
    return "Known from \(standing(policy.standing))\(source)\(date)."
  }

  /// By what a figure is known, as a reader should weigh it.
  static func basis(_ basis: Cell.Basis) -> String {
    switch basis {
    case .messages:
      "messages that truth knows, through a model of what a phone does when it is cut"
    case .truth: "flows that a truth file names"
    case .verdict: "flows as Wiretag judges them, which no truth file confirms"
    }
  }

  /// How well a rule is known.
  static func standing(_ standing: Policy.Standing) -> String {
    switch standing {
    case .paper: "a published measurement"
    case .corpus: "a corpus extracted from papers, not read again"
    case .field: "field reports"
    case .lecture: "leaked or taught material"
    case .hypothetical: "nobody is known to use it"
    }
  }

  /// How much of a cell is hit, in counts: "4 of 9 flows", "12 of 40 messages lost, 3 late".
  static func amount(_ cell: Cell) -> String {
    switch cell.basis {
    case nil: return "nothing of this in the traffic"
    case .messages:
      let (lost, late) = (Numbers.grouped(cell.lost.part), Numbers.grouped(cell.late.part))
      return "\(lost) of \(counted(cell.lost.whole, "message")) lost, \(late) late"
    case .truth, .verdict: return "\(Numbers.grouped(cell.flows.part)) of \(counted(cell.flows.whole, "flow"))"
    }
  }

  /// Flows that went on in another way: "2 cut flows go on in another way"; nil for none.
  static func fallback(_ cell: Cell) -> String? {
    switch cell.fallenBack {
    case 0: nil
    case 1: "1 flow is cut, and its service goes on in another way"
    default: "\(counted(cell.fallenBack, "flow")) are cut, and their service goes on in another way"
    }
  }

  /// "1 flow", "2 flows".
  static func counted(_ number: UInt64, _ noun: String) -> String {
    "\(Numbers.grouped(number)) \(noun)\(number == 1 ? "" : "s")"
  }

  /// "A, B and C"; of more than `limit`, the rest as a number.
  static func list(_ words: [String], limit: Int = .max, more: String = "more") -> String {
    var words = words
    if words.count > limit { words = words.prefix(limit) + ["\(Numbers.grouped(words.count - limit)) \(more)"] }
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " and " + last
  }
}

extension Numbers {
  /// A count in groups of three.
  static func grouped(_ number: UInt64) -> String { grouped(Int(clamping: number)) }
}

extension Collateral {
  /// A policy with its result, and the indices of its target's columns.
  struct Row {
    let policy: Policy, result: PolicyResult
    let targets: Set<Int>

    /// Whether a column is what the policy is meant to hit.
    func isTarget(_ column: Int) -> Bool { targets.contains(column) }
  }

  /// The rows that can be shown: policies that have a result, those of a group together, groups as they first appear.
  var rows: [(group: String, rows: [Row])] {
    var groups: [(group: String, rows: [Row])] = []
    for result in results where policies.indices.contains(result.policy) {
      let row = row(result)
      if let at = groups.firstIndex(where: { $0.group == row.policy.group }) {
        groups[at].rows.append(row)
      } else {
        groups.append((row.policy.group, [row]))
      }
    }
    return groups
  }

  private func row(_ result: PolicyResult) -> Row {
    let policy = policies[result.policy]
    let targets = columns.indices.filter {
      policy.target.contains(columns[$0].key) || policy.target.contains(columns[$0].group)
    }
    return Row(policy: policy, result: result, targets: Set(targets))
  }

  /// The row of a policy, by its index.
  func row(of policy: Int) -> Row? {
    policies.indices.contains(policy) ? results.first { $0.policy == policy }.map(row) : nil
  }

  /// Each column with its cell; columns without one are left out.
  func cells(of row: Row) -> [(index: Int, column: Column, cell: Cell)] {
    zip(columns.indices, zip(columns, row.result.cells)).map { ($0, $1.0, $1.1) }
  }

  /// The name of a column by its key; the key where there is no such column.
  func name(of key: String) -> String { columns.first { $0.key == key }.map(CollateralWords.name) ?? key }

  /// The same for a sentence.
  func spokenName(of key: String) -> String { columns.first { $0.key == key }.map(CollateralWords.spoken) ?? key }

  /// By what each column's figures are known, in the order of `Cell.Basis`.
  var bases: [(basis: Cell.Basis, columns: [Column])] {
    Cell.Basis.allCases.compactMap { basis in
      let known = columns.indices.filter { index in
        results.contains { $0.cells.indices.contains(index) && $0.cells[index].basis == basis }
      }
      return known.isEmpty ? nil : (basis, known.map { columns[$0] })
    }
  }

  /// Columns of which the traffic has nothing.
  var absent: [Column] {
    columns.indices.filter { index in
      !results.contains { $0.cells.indices.contains(index) && $0.cells[index].basis != nil }
    }.map { columns[$0] }
  }
}

extension String {
  /// The text with its first letter as a capital.
  var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
