/// What a flow looks like, and how far that can be trusted.
public struct ShapeVerdict: Sendable, Equatable {
  /// The most pieces of evidence that are told one by one.
  public static let maximumEvidence = 8

  /// The tag. Other where no tag is clear.
  public var tag: Tag
  /// Probability that the tag is right, as measured on labelled flows; 0 to 1. Low where the tag is other because none
  /// is clear.
  public var confidence: Double
  /// Bits by which the tag leads the next likely one: `base` and all of `evidence`. Negative where the tag is other
  /// because a likelier one is not clear.
  public var margin: Double
  /// Bits by which the tag leads before the flow is looked at: how often the two occur.
  public var base: Double
  /// What moved it, strongest first, each for or against the verdict's tag; what is weak is told together.
  public var evidence: [ShapeEvidence]
  /// The probability of each tag by the scores alone; the sum is 1.
  public var probabilities: [Tag: Double]
  /// Whether a tag was clear: its probability by the scores is at least the threshold.
  public var isClear: Bool

  /// A verdict.
  public init(
    tag: Tag, confidence: Double, margin: Double, base: Double, evidence: [ShapeEvidence],
    probabilities: [Tag: Double], isClear: Bool
  ) {
    self.tag = tag
    self.confidence = confidence
    self.margin = margin
    self.base = base
    self.evidence = evidence
    self.probabilities = probabilities
    self.isClear = isClear
  }
}

extension Verdict {
  /// What shape alone says of a flow: no service, and the features that spoke as evidence.
  public init(_ shape: ShapeVerdict) {
    self.init(
      tag: shape.tag, confidence: shape.confidence, margin: shape.margin,
      evidence: shape.evidence.map {
        Evidence(.shape, value: $0.sentence, tag: $0.tag, service: nil, bits: $0.bits)
      })
  }
}
