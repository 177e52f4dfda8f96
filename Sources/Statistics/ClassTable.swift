/// Whether the classes weigh what was observed, or each a half.
public enum Prior: String, Sendable, Codable, Hashable {
  /// Each observation weighs the same, so a rare class counts little.
  case observed
  /// Each class weighs a half in all: what an observer gains who has no prior knowledge.
  case balanced
}

/// How often each value was seen with each of two classes.
public struct ClassTable: Sendable, Codable, Equatable {
  /// One value's counts; weights may make them fractions.
  public struct Row: Sendable, Codable, Equatable {
    /// Observations, or their weight, of the positive and of the negative class.
    public var positive: Double, negative: Double
    /// Counts of one value; what is below 0 or not finite counts as 0.
    public init(positive: Double, negative: Double) {
      self.positive = positive > 0 && positive.isFinite ? positive : 0
      self.negative = negative > 0 && negative.isFinite ? negative : 0
    }
    /// What both classes weigh together.
    public var total: Double { positive + negative }
  }

  /// The counts, a row for each value.
  public let rows: [Row]

  /// A table of given counts.
  public init(rows: [Row]) { self.rows = rows }

  /// The table of observed values, its rows in the order in which the values were first seen.
  ///
  /// `values`, `positive` and `weights` (each 1 where nil) belong together by place; what one has over the others is
  /// not used.
  public init<Value: Hashable>(values: [Value], positive: [Bool], weights: [Double]? = nil) {
    var places: [Value: Int] = [:]
    var rows: [Row] = []
    for index in 0..<min(values.count, positive.count, weights?.count ?? .max) {
      let place = places[values[index], default: rows.count]
      if place == rows.count {
        places[values[index]] = place
        rows.append(Row(positive: 0, negative: 0))
      }
      let weight = weights.map { $0[index] > 0 && $0[index].isFinite ? $0[index] : 0 } ?? 1
      if positive[index] { rows[place].positive += weight } else { rows[place].negative += weight }
    }
    self.rows = rows
  }

  /// What the positive and the negative class weigh.
  public var totals: Row {
    rows.reduce(into: Row(positive: 0, negative: 0)) {
      $0.positive += $1.positive
      $0.negative += $1.negative
    }
  }

  /// The table with each class weighing a half; nil where a class was not seen.
  public var balanced: ClassTable? {
    let totals = self.totals
    guard totals.positive > 0, totals.negative > 0 else { return nil }
    return ClassTable(
      rows: rows.map {
        Row(positive: $0.positive / totals.positive / 2, negative: $0.negative / totals.negative / 2)
      })
  }

  /// Total variation of the two classes' distributions over the values, 0 (the same) to 1 (no value in common); nil
  /// where a class was not seen.
  public var totalVariation: Double? {
    let totals = self.totals
    guard totals.positive > 0, totals.negative > 0 else { return nil }
    let sum = rows.reduce(0.0) { $0 + abs($1.positive / totals.positive - $1.negative / totals.negative) }
    return min(1, sum / 2)
  }

  /// The error of the best possible rule on the values, 0 (every observation told) to 0.5 (a coin, balanced).
  ///
  /// Balanced it is half of what total variation leaves of 1; nil where a class (balanced) or everything is missing.
  public func bayesError(_ prior: Prior = .balanced) -> Double? {
    switch prior {
    case .balanced: return totalVariation.map { 0.5 * (1 - $0) }
    case .observed:
      let total = totals.total
      guard total > 0 else { return nil }
      return rows.reduce(0.0) { $0 + min($1.positive, $1.negative) } / total
    }
  }
}
