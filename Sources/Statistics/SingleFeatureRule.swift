/// The best rule on one feature that a person can say in a sentence: at least, at most, from ... to, or outside of.
public struct SingleFeatureRule: Sendable, Codable, Equatable {
  /// Which values the rule calls positive.
  public enum Shape: String, Sendable, Codable, Hashable, CaseIterable {
    /// Those not below `low`.
    case atLeast
    /// Those not above `high`.
    case atMost
    /// Those from `low` to `high`, both included.
    case inside
    /// All but those from `low` to `high`.
    case outside
  }

  /// Which values the rule calls positive.
  public let shape: Shape
  /// The bounds, both observed values, in the feature's unit; nil where the shape has none on that side.
  public let low: Double?, high: Double?
  /// The share of the positives, and of the negatives, that the rule calls positive on the data that it was found on.
  public let truePositiveRate: Double, falsePositiveRate: Double

  /// The mean of the two classes' errors on the data that the rule was found on, 0 to 0.5.
  public var balancedError: Double { (1 - truePositiveRate + falsePositiveRate) / 2 }

  /// What the rule says of a value; what is no number is not positive.
  public func isPositive(_ value: Double) -> Bool {
    guard !value.isNaN else { return false }
    let within = value >= (low ?? -.infinity) && value <= (high ?? .infinity)
    return shape == .outside ? !within : within
  }

  /// The rule in words, the bounds without needless digits: "at least 412 bytes".
  public func sentence(unit: String) -> String {
    let tail = unit.isEmpty ? "" : " \(unit)"
    switch (shape, low, high) {
    case (.atLeast, let low?, _): return "at least \(Self.figure(low))\(tail)"
    case (.atMost, _, let high?): return "at most \(Self.figure(high))\(tail)"
    case (_, let low?, let high?):
      let span = low == high ? Self.figure(low) : "\(Self.figure(low)) to \(Self.figure(high))"
      if shape == .outside { return low == high ? "not \(span)\(tail)" : "not from \(span)\(tail)" }
      return low == high ? "exactly \(span)\(tail)" : "from \(span)\(tail)"
    default: return "any\(tail)"
    }
  }

  private static func figure(_ value: Double) -> String {
    if let whole = Int(exactly: value) { return String(whole) }
    guard value.isFinite, abs(value) < 1e9 else { return String(value) }
    // Three decimals, or as many as two digits need; never an exponent.
    var places = 3
    while places < 9, abs(value) * power(places) < 10 { places += 1 }
    let scaled = (value * power(places)).rounded() / power(places)
    guard abs(scaled) < 0.0001, scaled != 0 else { return String(scaled) }
    let digits = String(Int((abs(value) * power(places)).rounded()))
    return (value < 0 ? "-0." : "0.") + String(repeating: "0", count: places - digits.count) + digits
  }

  private static func power(_ places: Int) -> Double { (0..<places).reduce(1) { value, _ in value * 10 } }

  /// The rule of least balanced error among the given shapes, by an exact search over the distinct values; nil where a
  /// class is missing or no shape is given. Of equals the simplest, in the order of `Shape`, is taken.
  ///
  /// Values that are no number are left out. The search costs n log n; intervals are the maximum subarray of each
  /// value's share of positives less that of negatives (Bentley, "Programming Pearls", column 8).
  public static func best(
    values: [Double], positive: [Bool], among shapes: Set<Shape> = Set(Shape.allCases)
  ) -> SingleFeatureRule? {
    let sorted = zip(values, positive).filter { !$0.0.isNaN }.sorted { $0.0 < $1.0 }
    let positives = Double(sorted.count(where: \.1))
    let negatives = Double(sorted.count) - positives
    guard positives > 0, negatives > 0 else { return nil }

    var steps: [Step] = []
    for (value, isPositive) in sorted {
      if steps.last?.value != value { steps.append(Step(value: value)) }
      if isPositive { steps[steps.count - 1].positives += 1 } else { steps[steps.count - 1].negatives += 1 }
    }
    // Whole numbers, so that equal rules compare as equal: the gain times positives times negatives.
    let gains = steps.map { $0.positives * negatives - $0.negatives * positives }
    let most = Self.largestRun(gains)
    let least = Self.largestRun(gains.map { -$0 })

    var best: SingleFeatureRule?
    var bestGain = -Double.infinity
    for shape in Shape.allCases where shapes.contains(shape) {
      let run: ClosedRange<Int>
      switch shape {
      case .atLeast: run = Self.largestEnd(gains)
      case .atMost: run = Self.largestStart(gains)
      case .inside: run = most
      case .outside: run = least
      }
      let gain = gains[run].reduce(0, +) * (shape == .outside ? -1 : 1)
      guard gain > bestGain else { continue }
      bestGain = gain
      let inRun = steps[run].reduce(into: Step(value: 0)) {
        $0.positives += $1.positives
        $0.negatives += $1.negatives
      }
      let (caught, wrong) =
        shape == .outside
        ? (positives - inRun.positives, negatives - inRun.negatives) : (inRun.positives, inRun.negatives)
      best = SingleFeatureRule(
        shape: shape, low: shape == .atMost ? nil : steps[run.lowerBound].value,
        high: shape == .atLeast ? nil : steps[run.upperBound].value, truePositiveRate: caught / positives,
        falsePositiveRate: wrong / negatives)
    }
    return best
  }

  private struct Step {
    var value: Double
    var positives = 0.0
    var negatives = 0.0
  }

  private static func largestEnd(_ gains: [Double]) -> ClosedRange<Int> {
    var sum = 0.0
    var best = -Double.infinity
    var start = 0
    for place in gains.indices.reversed() {
      sum += gains[place]
      if sum > best { (best, start) = (sum, place) }
    }
    return start...(gains.count - 1)
  }

  private static func largestStart(_ gains: [Double]) -> ClosedRange<Int> {
    var sum = 0.0
    var best = -Double.infinity
    var end = 0
    for place in gains.indices {
      sum += gains[place]
      if sum > best { (best, end) = (sum, place) }
    }
    return 0...end
  }

  private static func largestRun(_ gains: [Double]) -> ClosedRange<Int> {
    var sum = 0.0
    var start = 0
    var best = -Double.infinity
    var run = 0...0
    for place in gains.indices {
      if sum <= 0 { (sum, start) = (0, place) }
      sum += gains[place]
      if sum > best { (best, run) = (sum, start...place) }
    }
    return run
  }
}
