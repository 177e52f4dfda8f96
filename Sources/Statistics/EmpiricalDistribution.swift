/// The values of a sample in order: quantiles, mean and cumulative shares, for example of delays in seconds.
public struct EmpiricalDistribution: Sendable, Equatable {
  /// The finite values, rising.
  public let sorted: [Double]
  /// How many values were not finite and are left out.
  public let dropped: Int

  /// The distribution of a sample; infinite values and such as are no number are left out and counted.
  public init(_ values: [Double]) {
    sorted = values.filter(\.isFinite).sorted()
    dropped = values.count - sorted.count
  }

  /// How many values there are.
  public var count: Int { sorted.count }
  /// Smallest and largest value, nil for none.
  public var range: ClosedRange<Double>? {
    guard let low = sorted.first, let high = sorted.last else { return nil }
    return low...high
  }
  /// The mean, nil for no value.
  public var mean: Double? { sorted.isEmpty ? nil : sorted.reduce(0, +) / Double(sorted.count) }
  /// The middle value, nil for no value.
  public var median: Double? { quantile(0.5) }

  /// The value below which a share `p` (0 to 1, clamped) lies, nil for no value.
  ///
  /// Between two values it is linear: type 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", The
  /// American Statistician 50(4), 1996, which NumPy and R take unasked.
  public func quantile(_ p: Double) -> Double? { Self.quantile(p, ofSorted: sorted) }

  /// The share of values not above `value`, 0 to 1; nil for no value.
  public func cumulative(_ value: Double) -> Double? {
    sorted.isEmpty ? nil : Double(Self.firstPlace(in: sorted, above: value)) / Double(sorted.count)
  }

  /// The figures that a report tells.
  public var summary: Summary? {
    guard let range, let mean, let median, let late = quantile(0.95) else { return nil }
    return Summary(
      count: count, mean: mean, median: median, percentile95: late, minimum: range.lowerBound,
      maximum: range.upperBound)
  }

  /// Count, mean and quantiles of a sample, in the unit of its values.
  public struct Summary: Sendable, Codable, Equatable {
    /// How many values there are.
    public var count: Int
    /// The mean.
    public var mean: Double
    /// The middle value, and the value that one in twenty exceeds.
    public var median: Double, percentile95: Double
    /// Smallest and largest value.
    public var minimum: Double, maximum: Double
  }

  static func quantile(_ p: Double, ofSorted sorted: [Double]) -> Double? {
    guard let last = sorted.indices.last else { return nil }
    let position = (p > 0 ? min(p, 1) : 0) * Double(last)
    let lower = min(Int(position), last)
    let upper = min(lower + 1, last)
    return sorted[lower] + (position - Double(lower)) * (sorted[upper] - sorted[lower])
  }

  /// The first place whose value is above `value`, so the count of those not above.
  static func firstPlace(in sorted: [Double], above value: Double) -> Int {
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] > value { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
