import Classify
import Yams

/// A mapping by its known keys.
struct PolicyFields<Key: Hashable> {
  /// Key and value, in the order of the file.
  var pairs: [(key: Key, value: Node)] = []

  subscript(key: Key) -> Node? { pairs.first { $0.key == key }?.value }
}

extension PolicyFile {
  /// The fields of a mapping; keys that are not known are problems.
  mutating func fields<Key: RawRepresentable & CaseIterable & Hashable>(
    _ node: Node, _ field: String?, _: Key.Type
  ) -> PolicyFields<Key>? where Key.RawValue == String {
    guard let mapping = node.mapping else {
      note(node, field, "must be keys with values, as {\(Self.exampleKey(Key.self)): ...}, not \(Self.described(node))")
      return nil
    }
    var fields = PolicyFields<Key>()
    for (key, value) in mapping {
      let name = key.scalar?.string ?? ""
      if let known = Key(rawValue: name) {
        fields.pairs.append((known, value))
      } else {
        let known = Key.allCases.map(\.rawValue)
        note(
          key, Self.path(field, name.isEmpty ? "?" : name),
          "is not known here; " + Self.suggestion(NearestWord.of(name, in: known), else: known))
      }
    }
    return fields
  }

  private static func exampleKey<Key: RawRepresentable & CaseIterable>(_: Key.Type) -> String
  where Key.RawValue == String { Key.allCases.first?.rawValue ?? "key" }

  /// "did you mean a or b", else "use a, b or c".
  static func suggestion(_ near: [String], else known: [String]) -> String {
    near.isEmpty ? "use \(list(known))" : "did you mean \(list(near))?"
  }

  /// "a, b or c".
  static func list(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " or " + last
  }

  /// The words of an enumeration: "a, b or c".
  static func list<Word: RawRepresentable & CaseIterable>(_: Word.Type) -> String where Word.RawValue == String {
    list(Word.allCases.map(\.rawValue))
  }

  /// "match.record".
  static func path(_ outer: String?, _ inner: String) -> String { outer.map { "\($0).\(inner)" } ?? inner }

  /// What stands at a node, for messages.
  static func described(_ node: Node) -> String {
    switch node {
    case .mapping: "keys with values"
    case .sequence(let items): items.isEmpty ? "an empty list" : "a list"
    case .scalar(let scalar): scalar.string.isEmpty ? "nothing" : "\"\(scalar.string.prefix(60))\""
    case .alias: "an alias"
    }
  }

  /// A word or a sentence.
  mutating func text(_ node: Node, _ field: String) -> String? {
    if let text = node.scalar?.string, !text.isEmpty { return text }
    note(node, field, "must be a word or a sentence, not \(Self.described(node))")
    return nil
  }

  /// True or false.
  mutating func flag(_ node: Node, _ field: String) -> Bool? {
    switch node.scalar?.string {
    case "true": return true
    case "false": return false
    default:
      note(node, field, "must be true or false, not \(Self.described(node))")
      return nil
    }
  }

  /// A number within limits.
  mutating func number(_ node: Node, _ field: String, in limits: ClosedRange<Double>) -> Double? {
    if let number = node.scalar.flatMap({ Double($0.string) }), limits.contains(number) { return number }
    note(
      node, field,
      "must be a number from \(Self.figure(limits.lowerBound)) to \(Self.figure(limits.upperBound)), not "
        + Self.described(node))
    return nil
  }

  /// A number of seconds above 0.
  mutating func seconds(_ node: Node, _ field: String) -> Double? {
    if let number = node.scalar.flatMap({ Double($0.string) }), number > 0, number <= Self.maximumSeconds {
      return number
    }
    note(
      node, field,
      "must be seconds above 0 and at most \(Self.figure(Self.maximumSeconds)), not \(Self.described(node))")
    return nil
  }

  /// Ten years.
  static let maximumSeconds = 315_360_000.0

  /// A whole number within limits.
  mutating func integer(_ node: Node, _ field: String, in limits: ClosedRange<Int>) -> Int? {
    if let number = node.scalar.flatMap({ Int($0.string) }), limits.contains(number) { return number }
    note(
      node, field,
      "must be a whole number from \(limits.lowerBound) to \(limits.upperBound), not \(Self.described(node))")
    return nil
  }

  /// A number or a range of two, as 5-8.
  mutating func range(_ node: Node, _ field: String, in limits: ClosedRange<Int>) -> ClosedRange<Int>? {
    let bounds = (node.scalar?.string ?? "").split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    if (1...2).contains(bounds.count), let low = bounds[0], let high = bounds[bounds.count - 1], low <= high,
      limits.contains(low), limits.contains(high)
    {
      return low...high
    }
    note(
      node, field,
      "must be a whole number or a range such as 5-8, from \(limits.lowerBound) to \(limits.upperBound), not "
        + Self.described(node))
    return nil
  }

  /// A range of lengths, by its three keys.
  mutating func lengths(
    _ lengths: Node?, atLeast: Node?, atMost: Node?, at place: Node, _ field: String, in limits: ClosedRange<Int>
  ) -> ClosedRange<Int>? {
    if let lengths {
      if let other = atLeast ?? atMost {
        note(other, field, "has both lengths and a bound; use lengths: 444-800, or at-least and at-most")
        return nil
      }
      return range(lengths, "\(field).lengths", in: limits)
    }
    guard atLeast != nil || atMost != nil else {
      note(place, field, "says no length; add lengths: 444-800, at-least: 444 or at-most: 800")
      return nil
    }
    let low = atLeast.map { integer($0, "\(field).at-least", in: limits) } ?? limits.lowerBound
    let high = atMost.map { integer($0, "\(field).at-most", in: limits) } ?? limits.upperBound
    guard let low, let high else { return nil }
    guard low <= high else {
      note(place, field, "has at-least above at-most; exchange them")
      return nil
    }
    return low...high
  }

  /// One word of an enumeration.
  mutating func word<Word: RawRepresentable & CaseIterable>(_ node: Node, _ field: String, as _: Word.Type) -> Word?
  where Word.RawValue == String {
    if let found = node.scalar.flatMap({ Word(rawValue: $0.string) }) { return found }
    let known = Word.allCases.map(\.rawValue)
    note(node, field, "is \(Self.described(node)); use \(Self.list(known))")
    return nil
  }

  /// Words of an enumeration.
  mutating func words<Word: RawRepresentable & CaseIterable>(_ node: Node, _ field: String, as: Word.Type) -> [Word]
  where Word.RawValue == String {
    texts(node, field).compactMap { word($0.node, field, as: Word.self) }
  }

  /// A day, as 2026-11-22.
  mutating func day(_ node: Node, _ field: String) -> String? {
    let text = node.scalar?.string ?? ""
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    if parts.map(\.utf8.count) == [4, 2, 2], let month = Int(parts[1]), let day = Int(parts[2]), Int(parts[0]) != nil,
      (1...12).contains(month), (1...31).contains(day)
    {
      return text
    }
    note(node, field, "must be a day, as 2026-11-22, not \(Self.described(node))")
    return nil
  }

  /// The words of a list, or one word. A list may hold lists, because an alias puts one inside another.
  mutating func texts(_ node: Node, _ field: String) -> [(text: String, node: Node)] {
    var found: [(String, Node)] = []
    gather(node, field, depth: 0, into: &found)
    if found.isEmpty, valuesRead <= Self.maximumValues { note(node, field, "needs at least one value") }
    return found
  }

  private mutating func gather(_ node: Node, _ field: String, depth: Int, into found: inout [(String, Node)]) {
    switch node {
    case .scalar(let scalar) where !scalar.string.isEmpty:
      valuesRead += 1
      if valuesRead == Self.maximumValues + 1 {
        note(node, field, "is beyond the \(Self.maximumValues) values of a file; use several files")
      }
      if valuesRead <= Self.maximumValues { found.append((scalar.string, node)) }
    case .sequence(let items) where depth < Self.maximumDepth:
      for item in items {
        if valuesRead > Self.maximumValues { return }
        gather(item, field, depth: depth + 1, into: &found)
      }
    default: note(node, field, "must be a list of words, not \(Self.described(node))")
    }
  }

  /// A figure without a needless ".0".
  static func figure(_ number: Double) -> String {
    Int(exactly: number).map { "\($0)" } ?? "\(number)"
  }
}
