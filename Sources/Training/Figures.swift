public import Classify
import Foundation

/// How right judgements are, and how right they claim to be.
public struct Figures: Sendable {
  /// By truth and by what was said, in the order of `Tag.allCases`.
  public private(set) var confusion = [[Double]](repeating: [0, 0, 0, 0], count: 4)
  /// The curve of confidences: a row for each part of the claims that was made.
  public private(set) var curve: [CurveRow] = []
  /// Mean squared difference of confidence and outcome.
  public private(set) var brier = 0.0
  /// Mean difference of confidence and outcome over the rows of the curve.
  public private(set) var calibrationError = 0.0
  /// Mean bits that the truth costs under the judgements: 0 where each is certain and right.
  public private(set) var bits = 0.0
  /// How many judgements there are.
  public let count: Int

  /// Claims of about the same confidence.
  public struct CurveRow: Sendable, Equatable {
    /// The confidences: from, and below.
    public var from: Double, below: Double
    /// Judgements, what they weigh, their mean confidence, and the share that was right.
    public var flows = 0, weight = 0.0, claimed = 0.0, right = 0.0
  }
  /// Where a row of the curve ends and the next begins.
  public static let curveBounds = [0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0001]

  /// Figures on judgements; each counts as one, or as what its flow weighs.
  public init(_ judgements: [Judgement], weighted: Bool) {
    count = judgements.count
    curve = zip(Self.curveBounds, Self.curveBounds.dropFirst()).map { CurveRow(from: $0, below: $1) }
    var all = 0.0
    for judgement in judgements {
      let weight = weighted ? judgement.weight : 1
      let right = judgement.truth == judgement.said ? 1.0 : 0
      confusion[judgement.truth.place][judgement.said.place] += weight
      all += weight
      brier += weight * (judgement.confidence - right) * (judgement.confidence - right)
      bits -= weight * log2(max(judgement.chances[judgement.truth.place], 1e-12))
      guard let row = curve.firstIndex(where: { judgement.confidence < $0.below }) else { continue }
      curve[row].flows += 1
      curve[row].weight += weight
      curve[row].claimed += weight * judgement.confidence
      curve[row].right += weight * right
    }
    guard all > 0 else { return }
    brier /= all
    bits /= all
    curve = curve.filter { $0.weight > 0 }
    calibrationError = curve.reduce(0) { $0 + abs($1.claimed - $1.right) } / all
    for i in curve.indices {
      curve[i].claimed /= curve[i].weight
      curve[i].right /= curve[i].weight
    }
  }

  private var sum: Double { confusion.joined().reduce(0, +) }
  /// The share that is right.
  public var accuracy: Double { sum > 0 ? (0..<4).reduce(0) { $0 + confusion[$1][$1] } / sum : 0 }
  /// Of what was said to be a tag, the share that is; nil where it was never said.
  public func precision(_ tag: Tag) -> Double? {
    let said = confusion.reduce(0) { $0 + $1[tag.place] }
    return said > 0 ? confusion[tag.place][tag.place] / said : nil
  }
  /// Of what is a tag, the share that was said to be; nil where there is none.
  public func recall(_ tag: Tag) -> Double? {
    let all = confusion[tag.place].reduce(0, +)
    return all > 0 ? confusion[tag.place][tag.place] / all : nil
  }
  /// The harmonic mean of both; 0 where nothing is right.
  public func f1(_ tag: Tag) -> Double {
    guard let precision = precision(tag), let recall = recall(tag), precision + recall > 0 else { return 0 }
    return 2 * precision * recall / (precision + recall)
  }
  /// The mean of all tags' F1.
  public var macroF1: Double { Tag.allCases.reduce(0) { $0 + f1($1) } / 4 }
}
