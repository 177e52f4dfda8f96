/// Percentile intervals by drawing whole groups, such as captures, with replacement: observations of one group are not
/// independent, so drawing single ones would give bounds that are too narrow.
///
/// Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13; for groups Davison and Hinkley, "Bootstrap
/// Methods and their Application", 1997, section 3.8. With fewer than some ten groups the bounds are too narrow still.
public struct Bootstrap: Sendable {
  /// How many resamples are drawn.
  public var repetitions: Int
  /// The confidence of the intervals, 0 to 1.
  public var confidence: Double
  /// The seed; the same seed gives the same bounds.
  public var seed: UInt64

  /// A bootstrap of so many resamples.
  public init(repetitions: Int = 1_000, confidence: Double = 0.95, seed: UInt64 = 1) {
    self.repetitions = max(0, repetitions)
    self.confidence = confidence > 0 && confidence < 1 ? confidence : 0.95
    self.seed = seed
  }

  /// The interval of any statistic of drawn groups, numbered from 0; a group drawn twice is named twice.
  ///
  /// Where the statistic is nil for a resample, that is left out and counted. Nil with fewer than two groups, where
  /// the statistic of all groups is nil, or where it is for every resample.
  public func interval(groupCount: Int, statistic: (_ drawn: [Int]) throws -> Double?) rethrows -> ConfidenceInterval? {
    guard groupCount > 1 else { return nil }
    return try interval(resamples: draws(groupCount: groupCount), groupCount: groupCount, statistic: statistic)
  }

  /// The interval of any statistic of observations, whose groups are drawn; the statistic gets the observations' places.
  public func interval<Group: Hashable>(
    groups: [Group], statistic: (_ observations: [Int]) throws -> Double?
  ) rethrows -> ConfidenceInterval? {
    let codes = PermutationNull.codes(groups)
    var members = [[Int]](repeating: [], count: (codes.max() ?? -1) + 1)
    for (observation, code) in codes.enumerated() { members[code].append(observation) }
    return try interval(groupCount: members.count) { drawn in try statistic(drawn.flatMap { members[$0] }) }
  }

  /// The interval of the area under the ROC curve; nil as for `interval`, or where a score is not a number.
  public func areaUnderROC<Group: Hashable>(
    scores: [Double], positive: [Bool], groups: [Group]
  ) -> ConfidenceInterval? {
    let count = min(scores.count, positive.count, groups.count)
    guard !scores.prefix(count).contains(where: \.isNaN) else { return nil }
    let codes = PermutationNull.codes(Array(groups.prefix(count)))
    let groupCount = (codes.max() ?? -1) + 1
    let order = (0..<count).sorted { scores[$0] < scores[$1] }
    var runs: [Range<Int>] = []
    var start = 0
    for place in 0..<count where place + 1 == count || scores[order[place]] != scores[order[place + 1]] {
      runs.append(start..<(place + 1))
      start = place + 1
    }
    return interval(groupCount: groupCount) { drawn in
      let times = Self.times(drawn, groupCount: groupCount)
      return ROC.area(runs: runs, order: order, positive: positive) { times[codes[$0]] }
    }
  }

  /// The interval of the mean; nil as for `interval`. Without groups each value is its own.
  public func mean(_ values: [Double], groups: [Int]? = nil) -> ConfidenceInterval? {
    let count = min(values.count, groups?.count ?? .max)
    let codes = PermutationNull.codes(groups.map { Array($0.prefix(count)) } ?? Array(0..<count))
    let groupCount = (codes.max() ?? -1) + 1
    var sums = [Double](repeating: 0, count: groupCount)
    var counts = [Double](repeating: 0, count: groupCount)
    for (value, code) in zip(values, codes) {
      sums[code] += value
      counts[code] += 1
    }
    return interval(groupCount: groupCount) { drawn in
      var sum = 0.0
      var weight = 0.0
      for group in drawn {
        sum += sums[group]
        weight += counts[group]
      }
      return sum / weight
    }
  }

  /// The interval of the quantile `p` (0 to 1) as `EmpiricalDistribution.quantile` gives it; values that are not finite
  /// are left out. Nil as for `interval`. Without groups each value is its own.
  public func quantile(_ p: Double, of values: [Double], groups: [Int]? = nil) -> ConfidenceInterval? {
    let kept = values.indices.prefix(min(values.count, groups?.count ?? .max)).filter { values[$0].isFinite }
    let codes = PermutationNull.codes(kept.map { groups?[$0] ?? $0 })
    let groupCount = (codes.max() ?? -1) + 1
    let order = kept.indices.sorted { values[kept[$0]] < values[kept[$1]] }
    let sorted = order.map { (value: values[kept[$0]], group: codes[$0]) }
    return interval(groupCount: groupCount) { drawn in
      let times = Self.times(drawn, groupCount: groupCount)
      let total = sorted.reduce(0.0) { $0 + times[$1.group] }
      let position = (p > 0 ? min(p, 1) : 0) * (total - 1)
      let lower = position.rounded(.down)
      var passed = 0.0
      var atLower: Double?
      for (value, group) in sorted where times[group] > 0 {
        passed += times[group]
        if atLower == nil, passed > lower { atLower = value }
        if let atLower, passed > lower + 1 || passed >= total {
          return atLower + (position - lower) * (value - atLower)
        }
      }
      return atLower
    }
  }

  /// The drawn groups of each resample, made one at a time: all of them would fill memory where groups are many.
  func draws(groupCount: Int) -> some Sequence<[Int]> {
    sequence(state: (SeededGenerator(seed: seed), repetitions)) { state -> [Int]? in
      guard state.1 > 0 else { return nil }
      state.1 -= 1
      return (0..<groupCount).map { _ in state.0.index(below: groupCount) }
    }
  }

  /// The interval of a statistic over given resamples.
  func interval(
    resamples: some Sequence<[Int]>, groupCount: Int, statistic: ([Int]) throws -> Double?
  ) rethrows -> ConfidenceInterval? {
    guard let estimate = try statistic(Array(0..<groupCount)), estimate.isFinite else { return nil }
    var values: [Double] = []
    var skipped = 0
    for drawn in resamples {
      if let value = try statistic(drawn), value.isFinite { values.append(value) } else { skipped += 1 }
    }
    values.sort()
    guard let low = EmpiricalDistribution.quantile((1 - confidence) / 2, ofSorted: values),
      let high = EmpiricalDistribution.quantile((1 + confidence) / 2, ofSorted: values)
    else { return nil }
    return ConfidenceInterval(
      estimate: estimate, low: low, high: high, confidence: confidence, resamples: values.count,
      skipped: skipped)
  }

  private static func times(_ drawn: [Int], groupCount: Int) -> [Double] {
    var times = [Double](repeating: 0, count: groupCount)
    for group in drawn { times[group] += 1 }
    return times
  }
}
