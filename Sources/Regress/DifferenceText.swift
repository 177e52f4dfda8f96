import Classify
public import Report

/// Results as text for a person: a heading a capture, then what differs.
public struct DifferenceText: Sendable {
  private enum Look: String {
    case heading = "1"
    case expected = "31"
    case found = "32"
    case faint = "2"
  }

  private let isColored: Bool

  /// Text in a style.
  public init(style: TextStyle = TextStyle()) { isColored = style.isColored }

  /// The heading of a capture, and below it what differs.
  public func lines(_ result: CaptureResult) -> [String] {
    [paint(printable(result.name), .heading) + "  " + headline(result)] + details(result)
  }

  /// What came of a capture, in a sentence.
  func headline(_ result: CaptureResult) -> String {
    let flows = counted(result.flowCount, "flow")
    switch result.outcome {
    case .asExpected: return "as expected, \(flows)"
    case .different(let differences): return "DIFFERS: \(extent(differences, of: result.flowCount))"
    case .notExpected: return "NO EXPECTATION: run with --record, then read \(printable(result.expectation))"
    case .recorded(let tags):
      let counts = Tag.allCases.filter { tags[$0] ?? 0 > 0 }.map { "\(tags[$0] ?? 0) \($0.rawValue)" }
      return "recorded \(flows)" + (counts.isEmpty ? "" : ": " + counts.joined(separator: ", "))
    case .renewed(let differences): return "renewed: \(extent(differences, of: result.flowCount)) changed"
    case .failed(let reason): return "CANNOT BE COMPARED: \(printable(reason))"
    case .captureGone:
      return "NO CAPTURE for \(printable(result.expectation)): put it back, or delete the expectation"
    case .notReached: return "not reached: the run was ended"
    }
  }

  /// What differs, indented below a heading.
  func details(_ result: CaptureResult) -> [String] {
    let differences: DifferenceList
    switch result.outcome {
    case .different(let found), .renewed(let found): differences = found
    default: return []
    }
    var lines = pattern(differences)
    for difference in differences.listed {
      lines.append("  " + printable(difference.title))
      lines.append("    " + printable(difference.sentence))
      for line in difference.expected { lines.append(paint("    - \(printable(line))", .expected)) }
      for line in difference.found { lines.append(paint("    + \(printable(line))", .found)) }
    }
    if differences.hidden > 0 {
      lines.append(paint("  and \(counted(differences.hidden, "more difference")): --all lists them", .faint))
    }
    return lines
  }

  /// One line on all captures: how many there are, and what came of them.
  public func summary(_ results: [CaptureResult]) -> String {
    var asExpected = 0
    var written = 0
    var differing = 0
    var flows = 0
    var others: [(String, Int)] = [
      ("without expectation (run with --record)", 0), ("not compared", 0), ("gone", 0), ("not reached", 0),
    ]
    for result in results {
      flows += result.flowCount
      switch result.outcome {
      case .asExpected: asExpected += 1
      case .recorded, .renewed: written += 1
      case .different: differing += 1
      case .notExpected: others[0].1 += 1
      case .failed: others[1].1 += 1
      case .captureGone: others[2].1 += 1
      case .notReached: others[3].1 += 1
      }
    }
    var parts: [String] = []
    if asExpected > 0 { parts.append("\(asExpected) as expected") }
    if written > 0 { parts.append("\(written) recorded") }
    if differing > 0 { parts.append(differing == 1 ? "1 differs" : "\(differing) differ") }
    parts += others.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
    return paint("\(counted(results.count, "capture")), \(counted(flows, "flow")): ", .heading)
      + parts.joined(separator: ", ")
  }

  /// "3 of 50 flows, 1 conversation, totals".
  private func extent(_ differences: DifferenceList, of flows: Int) -> String {
    var parts: [String] = []
    if differences.flows > 0 { parts.append("\(differences.flows) of \(counted(flows, "flow"))") }
    if differences.conversations > 0 { parts.append(counted(differences.conversations, "conversation")) }
    if differences.concernsTheWhole { parts.append("the capture as a whole") }
    return parts.joined(separator: ", ")
  }

  /// What many differences have in common, which is the first thing to know: one broken row, one broken parser.
  private func pattern(_ differences: DifferenceList) -> [String] {
    guard differences.flows > 1 else { return [] }
    func line(_ title: String, _ counts: [(words: String, count: Int)]) -> [String] {
      guard !counts.isEmpty else { return [] }
      let order = counts.sorted { ($1.count, $0.words) < ($0.count, $1.words) }
      return ["  \(title): " + order.map { "\($0.words) (\(counted($0.count, "flow")))" }.joined(separator: ", ")]
    }
    return line("tags", differences.moves.map { ("\($0.key.from) -> \($0.key.to)", $0.value) })
      + line("lost evidence", differences.lostEvidence.map { (printable($0.key), $0.value) })
  }

  private func paint(_ text: String, _ look: Look) -> String {
    isColored ? "\u{1b}[\(look.rawValue)m\(text)\u{1b}[0m" : text
  }
}
