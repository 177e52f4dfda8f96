// Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006. Variance of the area: DeLong and
// others, Biometrics 44, 1988, by the mid-ranks of Sun and Xu, IEEE Signal Processing Letters 21(11), 2014.

/// How well scores tell two classes apart, over every threshold: a score at or above the threshold says "positive".
public struct ROC: Sendable, Codable, Equatable {
  /// A threshold and what it gives.
  public struct Point: Sendable, Codable, Equatable {
    /// The threshold in the unit of the scores; nil is above every score, so that nothing is positive.
    public var threshold: Double?
    /// The share of negatives and of positives at or above the threshold, 0 to 1.
    public var falsePositiveRate: Double, truePositiveRate: Double
  }

  /// The points from (0, 0) to (1, 1), one for each distinct score.
  public let points: [Point]
  /// How many observations are positive and negative.
  public let positives: Int, negatives: Int
  /// The area under the curve: the chance that a positive scores above a negative, ties as a half (Mann and Whitney).
  public let area: Double
  /// The variance of the area by DeLong, for independent observations; nil where a class has fewer than two.
  public let areaVariance: Double?
  /// The mean of precision over the steps of recall, without interpolation, at the observed shares of the classes.
  public let averagePrecision: Double

  /// The curve of scores; nil where a class is missing or a score is not a number.
  ///
  /// `scores` and `positive` belong together by place. Infinite scores count as the largest finite ones.
  public init?(scores: [Double], positive: [Bool]) {
    let count = min(scores.count, positive.count)
    guard !scores.prefix(count).contains(where: \.isNaN) else { return nil }
    let largest = Double.greatestFiniteMagnitude
    let sorted = zip(scores, positive).map { (score: min(max($0, -largest), largest), positive: $1) }
      .sorted { $0.score > $1.score }
    let positives = sorted.count(where: \.positive)
    let negatives = count - positives
    guard positives > 0, negatives > 0 else { return nil }

    var points = [Point(threshold: nil, falsePositiveRate: 0, truePositiveRate: 0)]
    var truePositives = 0
    var falsePositives = 0
    var area = 0.0
    var precisionSum = 0.0
    // Sums and sums of squares of each observation's share of the other class that it beats.
    var positiveSquares = 0.0
    var negativeSquares = 0.0
    var start = 0
    while start < count {
      var end = start
      while end < count, sorted[end].score == sorted[start].score { end += 1 }
      let tiedPositives = sorted[start..<end].count(where: \.positive)
      let tiedNegatives = end - start - tiedPositives
      let beaten = (Double(negatives - falsePositives) - Double(tiedNegatives) / 2) / Double(negatives)
      let beating = (Double(truePositives) + Double(tiedPositives) / 2) / Double(positives)
      area += Double(tiedPositives) * beaten
      positiveSquares += Double(tiedPositives) * beaten * beaten
      negativeSquares += Double(tiedNegatives) * beating * beating
      truePositives += tiedPositives
      falsePositives += tiedNegatives
      precisionSum += Double(tiedPositives) * Double(truePositives) / Double(truePositives + falsePositives)
      points.append(
        Point(
          threshold: sorted[start].score, falsePositiveRate: Double(falsePositives) / Double(negatives),
          truePositiveRate: Double(truePositives) / Double(positives)))
      start = end
    }
    self.points = points
    self.positives = positives
    self.negatives = negatives
    self.area = area / Double(positives)
    averagePrecision = precisionSum / Double(positives)
    if positives > 1, negatives > 1 {
      let mean = self.area
      let p = Double(positives)
      let n = Double(negatives)
      let ofPositives = max(0, positiveSquares - p * mean * mean) / (p - 1)
      let ofNegatives = max(0, negativeSquares - n * mean * mean) / (n - 1)
      areaVariance = ofPositives / p + ofNegatives / n
    } else {
      areaVariance = nil
    }
  }

  /// The largest true positive rate of a threshold whose false positive rate is not above `rate`.
  public func truePositiveRate(atFalsePositiveRate rate: Double) -> Double {
    points.last { $0.falsePositiveRate <= rate }?.truePositiveRate ?? 0
  }

  /// The point whose true positive rate exceeds its false positive rate most (Youden, Cancer 3, 1950); of equals the
  /// one of fewest false positives.
  public var best: Point {
    var best = Point(threshold: nil, falsePositiveRate: 0, truePositiveRate: 0)
    for point in points
    where point.truePositiveRate - point.falsePositiveRate > best.truePositiveRate - best.falsePositiveRate {
      best = point
    }
    return best
  }

  /// The points at which the curve turns: drawn, they give the same line as all points.
  public var corners: [Point] {
    points.enumerated().filter { place, point in
      guard place > 0, place + 1 < points.count else { return true }
      let before = points[place - 1]
      let after = points[place + 1]
      let cross =
        (point.falsePositiveRate - before.falsePositiveRate) * (after.truePositiveRate - point.truePositiveRate)
        - (point.truePositiveRate - before.truePositiveRate) * (after.falsePositiveRate - point.falsePositiveRate)
      return abs(cross) > 1e-15
    }.map(\.element)
  }

  /// The area alone for observations that weigh different amounts, as a resample makes them; nil where a class is
  /// missing. `order` are the places by rising score, in runs of equal scores.
  static func area(runs: [Range<Int>], order: [Int], positive: [Bool], weight: (Int) -> Double) -> Double? {
    var below = 0.0
    var positives = 0.0
    var sum = 0.0
    for run in runs {
      var tiedPositives = 0.0
      var tiedNegatives = 0.0
      for place in run {
        let observation = order[place]
        if positive[observation] {
          tiedPositives += weight(observation)
        } else {
          tiedNegatives += weight(observation)
        }
      }
      sum += tiedPositives * (below + tiedNegatives / 2)
      below += tiedNegatives
      positives += tiedPositives
    }
    guard positives > 0, below > 0 else { return nil }
    return sum / (positives * below)
  }
}
