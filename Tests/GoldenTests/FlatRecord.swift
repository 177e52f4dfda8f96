import Foundation

/// A record as lines that a person reads and a diff shows well: a title, then a name and a value a line.
///
/// How much evidence weighs (`bits`, `margin`) is left out: the catalogue's own tests hold it.
struct FlatRecord: Equatable {
  /// How far a confidence may move before it counts as a difference: calibration is measured again from time to time.
  static let confidenceTolerance = 0.06

  var title: String
  var lines: [String]

  /// A `flow` or `stats` object of the record format.
  init(_ record: [String: Any]) {
    var rest = record
    let type = rest.removeValue(forKey: "event_type") as? String ?? "?"
    title = type
    if type == "flow" {
      let parts = ["flow_id", "proto", "src_ip", "src_port", "dest_ip", "dest_port"].map { name in
        rest.removeValue(forKey: name).map { "\($0)" } ?? "?"
      }
      title = "flow \(parts[0])  \(parts[1]) \(parts[2]) \(parts[3]) > \(parts[4]) \(parts[5])"
    }
    rest.removeValue(forKey: "margin")
    // Both repeat the first and the last packet's time.
    rest.removeValue(forKey: "timestamp")
    if var counters = rest["flow"] as? [String: Any] {
      counters.removeValue(forKey: "age")
      rest["flow"] = counters
    }
    let first = ["app_proto", "tag", "service", "confidence", "decided_at_packet", "carries", "evidence", "conflicts"]
    let order = first.filter { rest[$0] != nil } + rest.keys.filter { !first.contains($0) }.sorted()
    lines = order.flatMap { Self.lines(of: $0, rest[$0] ?? "") }
  }

  /// A record of an expected file: a title, then indented lines.
  init(parsing block: Substring) {
    var rows = block.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    title = rows.isEmpty ? "" : rows.removeFirst()
    lines = rows
  }

  var text: String { ([title] + lines.map { "  \($0)" }).joined(separator: "\n") + "\n" }

  /// Lines that only one of two records has; confidences within the tolerance are alike.
  func differences(from expected: FlatRecord) -> [String] {
    let now = lines.filter { !isAlike($0, in: expected) }
    let before = expected.lines.filter { !expected.isAlike($0, in: self) }
    return Self.unmatched(before, in: now).map { "- \($0)" } + Self.unmatched(now, in: before).map { "+ \($0)" }
  }

  private func isAlike(_ line: String, in other: FlatRecord) -> Bool {
    guard let value = Self.confidence(line), let match = other.lines.compactMap(Self.confidence).first else {
      return false
    }
    return abs(value - match) <= Self.confidenceTolerance
  }

  private static func unmatched(_ lines: [String], in others: [String]) -> [String] {
    var left = others
    return lines.filter { line in
      guard let place = left.firstIndex(of: line) else { return true }
      left.remove(at: place)
      return false
    }
  }

  private static func confidence(_ line: String) -> Double? {
    line.hasPrefix("confidence ") ? Double(line.dropFirst(11)) : nil
  }

  private static func lines(of name: String, _ value: Any) -> [String] {
    switch value {
    case let object as [String: Any]:
      return object.keys.sorted().flatMap { lines(of: "\(name).\($0)", object[$0] ?? "") }
    case let rows as [[String: Any]]:
      // By kind, not by weight, so that a new weight moves no line.
      return rows.map { row in "\(name) \(phrase(row))" }.sorted()
    case let values as [Any]:
      return values.isEmpty ? [] : ["\(name) \(values.map { "\($0)" }.joined(separator: ", "))"]
    default:
      return ["\(name) \(value)"]
    }
  }

  private static func phrase(_ row: [String: Any]) -> String {
    var words = [row["source"], row["value"]].compactMap { $0.map { "\($0)" } }
    if !words.isEmpty { words.append(">") }
    words += [row["tag"], row["service"]].compactMap { $0.map { "\($0)" } }
    if let note = row["note"] { words.append("(\(note))") }
    return words.joined(separator: " ")
  }
}
