/// Counts of a sample in bins that lie side by side.
public struct Histogram: Sendable, Codable, Equatable {
  /// The bins' bounds, rising: bin i holds values from bound i to below bound i + 1, the last one its upper bound too.
  public let edges: [Double]
  /// How many values fell into each bin.
  public private(set) var counts: [Int]
  /// How many values lay below the first bound, and above the last or were no number.
  public private(set) var below = 0, above = 0

  /// The counts of values in bins of given bounds; nil with fewer than two bounds, or where they do not rise.
  public init?(_ values: [Double], edges: [Double]) {
    guard edges.count > 1, zip(edges, edges.dropFirst()).allSatisfy({ $0 < $1 }) else { return nil }
    self.edges = edges
    counts = [Int](repeating: 0, count: edges.count - 1)
    for value in values {
      if value < edges[0] {
        below += 1
      } else if value <= edges[edges.count - 1] {
        counts[min(EmpiricalDistribution.firstPlace(in: edges, above: value) - 1, counts.count - 1)] += 1
      } else {
        above += 1
      }
    }
  }

  /// Bounds of `count` bins of equal width; nil for no bin, or where the range is empty or not finite.
  public static func equalWidth(from low: Double, to high: Double, count: Int) -> [Double]? {
    guard count > 0, low < high, (high - low).isFinite else { return nil }
    let edges = (0...count).map { $0 == count ? high : low + (high - low) * Double($0) / Double(count) }
    return zip(edges, edges.dropFirst()).allSatisfy { $0 < $1 } ? edges : nil
  }

  /// Bounds of at most `count` bins that hold about equally many of the values; nil for no bin, or with fewer than two
  /// distinct values. Bounds that coincide are one.
  public static func quantiles(of values: [Double], count: Int) -> [Double]? {
    let distribution = EmpiricalDistribution(values)
    guard count > 0 else { return nil }
    var edges: [Double] = []
    for place in 0...count {
      guard let edge = distribution.quantile(Double(place) / Double(count)) else { return nil }
      if let last = edges.last, edge <= last { continue }
      edges.append(edge)
    }
    return edges.count > 1 ? edges : nil
  }

  /// All values counted, also those outside of the bins.
  public var total: Int { counts.reduce(below + above, +) }

  /// Each bin's share of all values, 0 to 1; nil for no value.
  public var shares: [Double]? {
    let total = self.total
    return total > 0 ? counts.map { Double($0) / Double(total) } : nil
  }

  /// Total variation against a histogram of the same bounds, 0 (the same shares) to 1 (no bin in common); nil where the
  /// bounds differ or one is empty. What lies below and above the bounds counts as a bin each.
  public func totalVariation(from other: Histogram) -> Double? {
    guard edges == other.edges, total > 0, other.total > 0 else { return nil }
    let own = [below] + counts + [above]
    let others = [other.below] + other.counts + [other.above]
    let sum = zip(own, others).reduce(0.0) {
      $0 + abs(Double($1.0) / Double(total) - Double($1.1) / Double(other.total))
    }
    return min(1, sum / 2)
  }

  /// The overlap coefficient: the area common to both histograms, 1 less total variation (Inman and Bradley,
  /// Communications in Statistics 18, 1989).
  public func overlap(with other: Histogram) -> Double? { totalVariation(from: other).map { 1 - $0 } }
}
