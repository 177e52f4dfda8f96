/// A sentence of a study with what it rests on and what it cannot say.
public struct StudyClaim: Sendable, Equatable, Encodable {
  /// Its word in records and in tests: "pipe-cost".
  public var id: String
  /// The sentence, or a few, for a person who knows nothing of the field.
  public var sentence: String
  /// Where its numbers are from: each of them is in one of these.
  public var evidence: [StudyEvidence]
  /// What it cannot say, a sentence each; empty where its evidence says all.
  public var limits: [String]
  /// Whether the traffic or the lab had what it takes to answer.
  public var isAnswered: Bool

  /// A claim.
  public init(
    _ id: String, _ sentence: String, evidence: [StudyEvidence], limits: [String] = [], isAnswered: Bool = true
  ) {
    self.id = id
    self.sentence = sentence
    self.evidence = evidence
    self.limits = limits
    self.isAnswered = isAnswered
  }
}

/// A figure that a sentence rests on.
public struct StudyEvidence: Sendable, Hashable, Encodable {
  /// Where a figure comes from.
  public enum Source: String, Sendable, Encodable {
    /// A cell of the collateral matrix: what a policy would have done to recorded traffic.
    case replay
    /// The lab's measurement of rules on live connections.
    case lab
    /// What others have written.
    case report
  }

  /// Where it comes from.
  public var source: Source
  /// The policy's name, the lab's rule or the writing.
  public var rule: String
  /// What it is a share of: columns of the matrix by their names, kinds of message in the lab.
  public var column: String
  /// The figure with its counts: "100 % (12 of 12: 10 lost, 2 late)".
  public var figure: String
  /// By what it is known.
  public var basis: String

  /// A figure.
  public init(_ source: Source, rule: String, column: String, figure: String, basis: String) {
    self.source = source
    self.rule = rule
    self.column = column
    self.figure = figure
    self.basis = basis
  }
}
