/// A set of small numbers: a bit each.
struct NumberSet: Equatable {
  private var words: [UInt64] = []

  /// Adds a number; negative ones are left out.
  mutating func insert(_ number: Int) {
    guard number >= 0 else { return }
    let word = number >> 6
    while words.count <= word { words.append(0) }
    words[word] |= 1 << UInt64(number & 63)
  }

  /// Adds all numbers of another set.
  mutating func formUnion(_ other: NumberSet) {
    while words.count < other.words.count { words.append(0) }
    for word in other.words.indices { words[word] |= other.words[word] }
  }

  /// How many numbers there are.
  var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }
}
