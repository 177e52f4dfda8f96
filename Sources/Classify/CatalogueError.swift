/// What is wrong with a value, without the place.
public struct CatalogueWording: Error {
  /// What is wrong, and what to write instead.
  public let text: String
  init(_ text: String) { self.text = text }
}

/// Why a catalogue file is refused: a line for each problem, with the place and what to do.
public struct CatalogueError: Error, Equatable, CustomStringConvertible {
  /// The most problems that are told of one file.
  public static let maximumProblems = 20

  /// One problem.
  public struct Problem: Sendable, Equatable, CustomStringConvertible {
    /// The file.
    public let file: String
    /// Its line, from 1; nil where the whole file is meant.
    public let line: Int?
    /// What is wrong and what to do.
    public let text: String
    /// "FILE:LINE: text".
    public var description: String { "\(file):\(line.map { "\($0):" } ?? "") \(text)" }
  }
  /// The problems, in the order of the file.
  public let problems: [Problem]
  /// How many more there are than are told.
  public let untold: Int

  init(_ problems: [Problem]) {
    self.problems = Array(problems.prefix(Self.maximumProblems))
    untold = max(0, problems.count - Self.maximumProblems)
  }

  init(file: String, line: Int? = nil, _ text: String) {
    self.init([Problem(file: file, line: line, text: text)])
  }

  /// One line a problem.
  public var description: String {
    let rest = untold == 0 ? [] : ["and \(untold) more problem\(untold == 1 ? "" : "s")"]
    return (problems.map(\.description) + rest).joined(separator: "\n")
  }
}
