import Classify
import Yams

extension PolicyFile {
  /// A leaf over names as written.
  mutating func name(
    _ kind: NameMatch.Kind, _ node: Node, _ field: String, _ make: (NameMatch) -> Leaf
  ) -> Formula? {
    let values = texts(node, field).compactMap { text in
      switch kind {
      case .exact, .suffix:
        return checked(text.node, field) { () throws(CatalogueWording) in
          try Identifier.Kind.sniSuffix.normalized(text.text)
        }
      case .substring:
        if text.text.utf8.count <= 253 { return text.text }
        note(text.node, field, "\"\(text.text.prefix(40))...\" is longer than a host name can be (253 bytes)")
        return nil
      case .regex: return expression(text.text, text.node, field)
      }
    }
    guard !values.isEmpty, let match = match(kind, values) else { return nil }
    return .leaf(make(match))
  }

  /// A leaf over names in QUIC; the box must open Initials.
  mutating func quicName(_ kind: NameMatch.Kind, _ node: Node, _ field: String) -> Formula? {
    needsQUIC(node, field)
    return name(kind, node, field, Leaf.quicSNI)
  }

  /// Notes that a box which does not open Initials sees no names in them.
  mutating func needsQUIC(_ node: Node, _ field: String) {
    if !box.opensQUIC { note(node, field, "needs a box that opens QUIC; add box: {opens-quic: true}") }
  }

  /// A leaf over the names that the catalogue has of services.
  mutating func namesOf(_ node: Node, _ field: String, _ make: (NameMatch) -> Leaf) -> Formula? {
    let names = names(of: node, field)
    var parts: [Formula] = []
    if !names.exact.isEmpty, let match = match(.exact, names.exact) { parts.append(.leaf(make(match))) }
    if !names.suffix.isEmpty, let match = match(.suffix, names.suffix) { parts.append(.leaf(make(match))) }
    return Self.joined(parts, Formula.any)
  }

  /// The longest expression; longer ones cost time at every name.
  static let maximumExpression = 256

  private mutating func expression(_ text: String, _ node: Node, _ field: String) -> String? {
    guard text.utf8.count <= Self.maximumExpression else {
      note(node, field, "the expression is longer than \(Self.maximumExpression) bytes; split it into several")
      return nil
    }
    do {
      _ = try NameMatch(.regex, [text])
      return text
    } catch {
      note(node, field, "\(error.description); check brackets and backslashes, as '^[0-9]+-courier'")
      return nil
    }
  }

  private func match(_ kind: NameMatch.Kind, _ values: [String]) -> NameMatch? {
    guard var match = try? NameMatch(kind, values) else { return nil }
    match.ignoresCase = comparison.ignoresCase
    match.ignoresTrailingDot = comparison.ignoresTrailingDot
    return match
  }
}
