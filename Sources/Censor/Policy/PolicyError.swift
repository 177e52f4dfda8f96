/// Why a policy file is refused, or a policy not found: a line for each problem, with the place and what to do.
public struct PolicyError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The most problems that are told of one file.
  public static let maximumProblems = 50

  /// One problem.
  public struct Problem: Sendable, Equatable, CustomStringConvertible {
    /// The file; nil for names that were asked for.
    public let file: String?
    /// Its line, from 1; nil where the whole file is meant.
    public let line: Int?
    /// The policy that it is in, where it has a name.
    public let policy: String?
    /// The field, with those around it: "match.record.lengths".
    public let field: String?
    /// What is wrong and what to do.
    public let text: String
    /// "FILE:LINE: policy "NAME": field: text".
    public var description: String {
      var parts: [String] = []
      if let file { parts.append(line.map { "\(file):\($0)" } ?? file) }
      if let policy { parts.append("policy \"\(policy)\"") }
      if let field { parts.append(field) }
      return (parts + [text]).joined(separator: ": ")
    }
  }

  /// The problems, in the order of the file.
  public let problems: [Problem]
  /// How many more there are than are told.
  public let untold: Int

  init(_ problems: [Problem]) {
    self.problems = Array(problems.prefix(Self.maximumProblems))
    untold = max(0, problems.count - Self.maximumProblems)
  }

  init(file: String? = nil, line: Int? = nil, _ text: String) {
    self.init([Problem(file: file, line: line, policy: nil, field: nil, text: text)])
  }

  /// One line a problem.
  public var description: String {
    let rest = untold == 0 ? [] : ["and \(untold) more problem\(untold == 1 ? "" : "s")"]
    return (problems.map(\.description) + rest).joined(separator: "\n")
  }
}

/// The words of a list that are nearest to a word that is not in it.
enum NearestWord {
  /// Longer words are not compared: the time grows with the square.
  static let maximumLength = 64

  /// At most three words, nearest first: those with few letters different, and those that begin alike.
  static func of(_ word: String, in known: some Sequence<String>) -> [String] {
    let word = word.lowercased()
    guard (1...maximumLength).contains(word.utf8.count) else { return [] }
    let allowed = max(1, word.utf8.count / 3)
    let near = known.compactMap { other -> (word: String, distance: Int)? in
      let candidate = other.lowercased()
      guard candidate.utf8.count <= maximumLength else { return nil }
      let distance = distance(Array(word.utf8), Array(candidate.utf8))
      if distance <= allowed { return (other, distance) }
      return word.utf8.count >= 3 && (candidate.hasPrefix(word) || word.hasPrefix(candidate))
        ? (other, allowed + distance) : nil
    }
    return near.sorted { $0.distance == $1.distance ? $0.word < $1.word : $0.distance < $1.distance }
      .prefix(3).map(\.word)
  }

  /// Insertions, deletions and replacements of one byte, and exchanges of two neighbours (optimal string alignment).
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var before: [Int] = []
    var row = Array(0...right.count)
    for i in left.indices {
      var next = [i + 1]
      for j in right.indices {
        var best = min(row[j] + (left[i] == right[j] ? 0 : 1), row[j + 1] + 1, next[j] + 1)
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { best = min(best, before[j - 1] + 1) }
        next.append(best)
      }
      (before, row) = (row, next)
    }
    return row[right.count]
  }
}
