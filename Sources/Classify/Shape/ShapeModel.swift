import Foundation

/// A scorecard of flow shapes: each answer to a question about the shape gives each tag some bits.
///
/// A tag's score is its base rate in bits and the bits of all answers; the probabilities are two to the power of the
/// scores, made to add up to 1. It is a multinomial logistic regression over bins, so every bit of a verdict is one
/// line of a table that a person can read and change. `wiretag train` writes it.
public struct ShapeModel: Sendable, Equatable {
  /// What the bins of one question are worth.
  public struct Row: Sendable, Equatable {
    /// The question.
    public var feature: ShapeFeature
    /// Where a bin ends and the next begins, rising.
    public var bounds: [Double]
    /// Bits by tag, in the order of `Tag.allCases`: where the answer is unknown, then a bin each, one more than bounds.
    public var bits: [SIMD4<Double>]
    /// Flows that the bits of each bin were learnt from.
    public var flows: [Int]

    /// A row of a card.
    public init(feature: ShapeFeature, bounds: [Double], bits: [SIMD4<Double>], flows: [Int]) {
      self.feature = feature
      self.bounds = bounds
      self.bits = bits
      self.flows = flows
    }

    /// The position in `bits` for an answer.
    public static func bin(of value: Double?, bounds: [Double]) -> Int {
      guard let value, !value.isNaN else { return 0 }
      var bin = 1
      for bound in bounds where value >= bound { bin += 1 }
      return bin
    }

    func bits(for features: borrowing FlowShapeFeatures) -> SIMD4<Double> {
      let bin = Self.bin(of: features[feature], bounds: bounds)
      return bin < bits.count ? bits[bin] : SIMD4(repeating: 0)
    }
  }

  /// The rows for one transport.
  public struct Card: Sendable, Equatable {
    /// Bits by tag before anything is seen: how often the tags occur, other at 0.
    public var priors: SIMD4<Double>
    /// Flows of each tag that it was learnt from, in the order of `Tag.allCases`.
    public var flows: [Int]
    /// The rows.
    public var rows: [Row]

    /// A card.
    public init(priors: SIMD4<Double>, flows: [Int], rows: [Row]) {
      self.priors = priors
      self.flows = flows
      self.rows = rows
    }

    /// Bits by tag: the base rates and all answers.
    public func scores(_ features: borrowing FlowShapeFeatures) -> SIMD4<Double> {
      // By position: a row that is copied counts the references of its lists.
      var sum = priors
      for i in rows.indices { sum += rows[i].bits(for: features) }
      return sum
    }
  }

  /// How often what the model claims of push, messaging and calling was right, where it could be measured.
  public struct Claim: Sendable, Equatable {
    /// The probability that the scores give.
    public var claimed: Double
    /// The share that was right.
    public var right: Double
    /// Flows that it was measured on.
    public var flows: Int

    /// A point of the line.
    public init(claimed: Double, right: Double, flows: Int) {
      self.claimed = claimed
      self.right = right
      self.flows = flows
    }
  }

  /// Evidence of fewer bits than this is told together.
  static let weakBits = 0.1

  /// The cards for TCP and UDP.
  public var tcp: Card, udp: Card
  /// The probability that a tag other than other must have to be said.
  public var clear: Double
  /// How far such a probability can be trusted: points of a line that never falls. Without any it is taken at its word.
  public var claims: [Claim]
  /// Where the figures are from.
  public var origin: String
  /// The command that wrote it.
  public var command: String

  /// A model.
  public init(tcp: Card, udp: Card, clear: Double, claims: [Claim] = [], origin: String, command: String) {
    self.tcp = tcp
    self.udp = udp
    self.clear = clear
    self.claims = claims
    self.origin = origin
    self.command = command
  }

  /// The probability of each tag, in the order of `Tag.allCases`: two to the power of the scores, shares of 1.
  public static func probabilities(_ scores: SIMD4<Double>) -> SIMD4<Double> {
    let highest = scores.max()
    var powers = SIMD4<Double>()
    for i in 0..<4 { powers[i] = exp2(scores[i] - highest) }
    return powers / powers.sum()
  }

  /// How far a probability of push, messaging or calling can be trusted: between the points of `claims` along the line,
  /// beyond them the nearest one's.
  public func trust(in probability: Double) -> Double {
    guard let first = claims.first, let last = claims.last else { return probability }
    guard probability > first.claimed else { return first.right }
    guard let next = claims.firstIndex(where: { $0.claimed >= probability }), next > 0 else { return last.right }
    let (a, b) = (claims[next - 1], claims[next])
    return a.right + (b.right - a.right) * (probability - a.claimed) / (b.claimed - a.claimed)
  }

  /// What a flow of this shape is.
  /// - Parameters:
  ///   - features: the flow's shape.
  ///   - threshold: the probability that a tag other than other must have, where it is not the model's.
  /// - Returns: the likeliest tag where it is clear, else other; with all that spoke.
  public func verdict(on features: FlowShapeFeatures, clear threshold: Double? = nil) -> ShapeVerdict {
    let card = features.isTCP ? tcp : udp
    let scores = card.scores(features)
    let chances = Self.probabilities(scores)
    let isKnown = features.packets > 0
    var best = Tag.other
    for tag in Tag.allCases where isKnown && chances[tag.position] > chances[best.position] { best = tag }
    let isClear = isKnown && chances[best.position] >= (threshold ?? clear)
    if best != .other, !isClear { best = .other }
    var rival = best == .other ? Tag.push : .other
    for tag in Tag.allCases where tag != best && scores[tag.position] > scores[rival.position] { rival = tag }
    let lead = { (bits: SIMD4<Double>) in bits[best.position] - bits[rival.position] }
    let base = lead(card.priors)
    let evidence = Self.told(
      card.rows.map { row in
        ShapeEvidence(
          tag: best, bits: lead(row.bits(for: features)), sentence: row.feature.says(features[row.feature]))
      }, of: best)
    return ShapeVerdict(
      tag: best, confidence: best == .other ? chances[best.position] : trust(in: chances[best.position]),
      margin: evidence.reduce(base) { $0 + $1.bits }, base: base,
      evidence: evidence,
      probabilities: Dictionary(
        uniqueKeysWithValues: Tag.allCases.map { ($0, chances[$0.position]) }
      ), isClear: isClear)
  }

  /// What the shape adds to other evidence: nothing where no tag is clear, else one piece for the tag that is, with the
  /// features that spoke.
  /// - Parameters:
  ///   - features: the flow's shape.
  ///   - priors: bits that the tags have already where the evidence is added; the sum of both then gives the tag the
  ///     confidence of the model's own verdict against the strongest of the others.
  ///   - threshold: the probability that the tag must have, where it is not the model's.
  /// - Returns: one piece or none.
  public func evidence(
    for features: FlowShapeFeatures, priors: [Tag: Double] = [:], clear threshold: Double? = nil
  ) -> [ShapeEvidence] {
    // Most flows show nothing that is clear: only for the others the words are put together.
    let chances = Self.probabilities((features.isTCP ? tcp : udp).scores(features))
    var others = chances
    others[Tag.other.position] = 0
    let strongest = others.max()
    guard strongest >= (threshold ?? clear), strongest >= chances[Tag.other.position] else { return [] }
    let verdict = verdict(on: features, clear: threshold)
    guard verdict.tag != .other else { return [] }
    let rival = priors.filter { $0.key != verdict.tag }.values.max() ?? 0
    let trusted = min(max(verdict.confidence, 0.001), 0.999)
    let spoke = verdict.evidence.filter { $0.bits > 0 }.prefix(3).map(\.sentence)
    return [
      ShapeEvidence(
        tag: verdict.tag, bits: log2(trusted / (1 - trusted)) + rival - (priors[verdict.tag] ?? 0),
        sentence: spoke.joined(separator: "; "))
    ]
  }

  /// Strongest first; what is weak, and what is more than can be told, in one piece at the end.
  private static func told(_ all: [ShapeEvidence], of tag: Tag) -> [ShapeEvidence] {
    let ranked = all.enumerated().sorted {
      abs($0.element.bits) == abs($1.element.bits)
        ? $0.offset < $1.offset : abs($0.element.bits) > abs($1.element.bits)
    }.map(\.element)
    let strong = ranked.count { abs($0.bits) >= weakBits }
    let count =
      ranked.count == strong && strong <= ShapeVerdict.maximumEvidence
      ? strong : min(strong, ShapeVerdict.maximumEvidence - 1)
    let rest = ranked.dropFirst(count)
    guard !rest.isEmpty else { return ranked }
    let sum = rest.reduce(0) { $0 + $1.bits }
    return ranked.prefix(count) + [
      ShapeEvidence(tag: tag, bits: sum, sentence: "\(rest.count) weaker signs together")
    ]
  }
}
