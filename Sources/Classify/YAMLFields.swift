import Yams

/// A YAML mapping by the words of its keys. `Node.Mapping` compares whole nodes at each look-up, tags resolved by
/// regular expressions: ten times the time of everything else.
struct YAMLFields {
  /// Key and value, in the order of the file.
  let pairs: [(key: Node, value: Node)]
  private let byWord: [String: Node]

  /// The fields of a node; nil where it is no mapping.
  init?(_ node: Node?) {
    guard let mapping = node?.mapping else { return nil }
    pairs = mapping.map { ($0.key, $0.value) }
    byWord = Dictionary(pairs.map { ($0.key.scalar?.string ?? "", $0.value) }) { first, _ in first }
  }

  subscript(word: String) -> Node? { byWord[word] }
}
