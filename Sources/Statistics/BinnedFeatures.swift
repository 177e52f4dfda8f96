/// Features cut into bins of about equal share, fitted on training data only, with a bin of its own for "missing".
///
/// The bounds are quantiles as scikit-learn's `KBinsDiscretizer(strategy="quantile")` takes them; a feature with no more
/// distinct values than bins gets one bin for each value, and a value that fills several bins at the lower or upper end
/// has one of its own.
public struct BinnedFeatures: Sendable, Codable, Equatable {
  /// Of each feature the inner bounds, rising: bin i holds values from bound i - 1 to below bound i.
  public let edges: [[Double]]

  /// Bounds from training data, in which numbers that are not finite are missing; `bins` is at least 1.
  public init(fitting data: FeatureMatrix, bins: Int) {
    edges = (0..<data.columns).map { column in
      Self.edges(
        of: EmpiricalDistribution((0..<data.rows).map { data.values[$0 * data.columns + column] }).sorted,
        bins: max(1, bins))
    }
  }

  private static func edges(of sorted: [Double], bins: Int) -> [Double] {
    guard let low = sorted.first, bins > 1 else { return [] }
    var distinct = [low]
    for value in sorted where value != distinct[distinct.count - 1] {
      distinct.append(value)
      if distinct.count > bins { break }
    }
    if distinct.count <= bins { return Array(distinct.dropFirst()) }
    let second = distinct[1]
    var edges: [Double] = []
    for place in 1..<bins {
      guard let quantile = EmpiricalDistribution.quantile(Double(place) / Double(bins), ofSorted: sorted) else { break }
      // A bound at the smallest value would leave the bin below it empty.
      let edge = quantile <= low ? second : quantile
      if let last = edges.last, edge <= last { continue }
      edges.append(edge)
    }
    return edges
  }

  /// How many bins each feature has, the one for "missing" included.
  public var binCounts: [Int] { edges.map { $0.count + 2 } }
  /// How many columns the one-hot form has.
  public var columns: Int { edges.reduce(0) { $0 + $1.count + 2 } }

  /// The bins of a row's features, each counted from 0, the last one for "missing"; features that the row has not are
  /// missing.
  public func codes(_ row: some Collection<Double>) -> [Int] {
    var codes: [Int] = []
    codes.reserveCapacity(edges.count)
    var values = row.makeIterator()
    for edges in edges {
      guard let value = values.next(), value.isFinite else {
        codes.append(edges.count + 1)
        continue
      }
      codes.append(EmpiricalDistribution.firstPlace(in: edges, above: value))
    }
    return codes
  }

  /// The bins of every row.
  public func codes(_ data: FeatureMatrix) -> [[Int]] { (0..<data.rows).map { codes(data[$0]) } }

  /// A column for each bin of each feature, 1 where the row's value lies in it and 0 elsewhere.
  public func oneHot(_ data: FeatureMatrix) -> FeatureMatrix {
    let columns = self.columns
    var values = [Double](repeating: 0, count: data.rows * columns)
    for row in 0..<data.rows {
      var first = row * columns
      for (feature, code) in codes(data[row]).enumerated() {
        values[first + code] = 1
        first += edges[feature].count + 2
      }
    }
    return FeatureMatrix(unchecked: values, columns: columns)
  }
}
