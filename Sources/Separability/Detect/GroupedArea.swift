import Statistics

/// The area under a ROC curve of observations in groups, for any number of times that each group is drawn.
///
/// It counts once, for each pair of groups, how often a positive of the one scores above a negative of the other (Mann
/// and Whitney, ties as a half). The area of a resample of groups is then a sum over pairs of groups.
struct GroupedArea: Sendable {
  private let groups: Int
  /// By group of the positive and group of the negative.
  private let wins: [Double]
  private let positives: [Double], negatives: [Double]

  /// Groups are any numbers; scores that are not a number are left out.
  init(scores: [Double], isPositive: [Bool], groups: [Int32]) {
    var places: [Int32: Int] = [:]
    for group in groups where places[group] == nil { places[group] = places.count }
    let groupCount = places.count
    let codes = groups.map { places[$0] ?? 0 }
    self.groups = groupCount
    var wins = [Double](repeating: 0, count: groupCount * groupCount)
    var positives = [Double](repeating: 0, count: groupCount)
    var negatives = positives
    let order = scores.indices.filter { !scores[$0].isNaN }.sorted { scores[$0] < scores[$1] }
    var start = 0
    while start < order.count {
      var end = start
      while end < order.count, scores[order[end]] == scores[order[start]] { end += 1 }
      let tied = order[start..<end]
      // The tied negatives count half while the tied positives are asked.
      for row in tied where !isPositive[row] { negatives[codes[row]] += 0.5 }
      for row in tied where isPositive[row] {
        positives[codes[row]] += 1
        let first = codes[row] * groupCount
        for group in 0..<groupCount { wins[first + group] += negatives[group] }
      }
      for row in tied where !isPositive[row] { negatives[codes[row]] += 0.5 }
      start = end
    }
    self.wins = wins
    self.positives = positives
    self.negatives = negatives
  }

  /// The area where each group counts so many times; nil where a class is missing.
  func area(times: [Double]) -> Double? {
    var sum = 0.0
    var positive = 0.0
    var negative = 0.0
    for group in 0..<groups where times[group] > 0 {
      positive += times[group] * positives[group]
      negative += times[group] * negatives[group]
      var won = 0.0
      for other in 0..<groups { won += times[other] * wins[group * groups + other] }
      sum += times[group] * won
    }
    return positive > 0 && negative > 0 ? sum / (positive * negative) : nil
  }

  /// The area of everything, each group once.
  var area: Double? { area(times: [Double](repeating: 1, count: groups)) }

  /// The area with its interval, turned so that it is at least 0.5 where `turned`; with one group there is no interval.
  func estimate(_ bootstrap: Bootstrap?, turned: Bool = false) -> Estimate? {
    Self.estimate([(self, 1)], bootstrap, turned: turned)
  }

  /// The weighted mean of areas over the same groups, such as of kinds of positives in given shares.
  static func estimate(_ parts: [(area: GroupedArea, share: Double)], _ bootstrap: Bootstrap?, turned: Bool = false)
    -> Estimate?
  {
    guard let groups = parts.first?.area.groups, parts.allSatisfy({ $0.area.groups == groups }) else { return nil }
    func mean(_ times: [Double]) -> Double? {
      var sum = 0.0
      for part in parts where part.share > 0 {
        guard let area = part.area.area(times: times) else { return nil }
        sum += part.share * area
      }
      return sum
    }
    guard let value = mean([Double](repeating: 1, count: groups)) else { return nil }
    let isTurned = turned && value < 0.5
    let interval = bootstrap?.interval(groupCount: groups) { drawn in
      var times = [Double](repeating: 0, count: groups)
      for group in drawn { times[group] += 1 }
      return mean(times)
    }
    guard let interval else { return Estimate(isTurned ? 1 - value : value) }
    return isTurned
      ? Estimate(1 - value, low: 1 - interval.high, high: 1 - interval.low)
      : Estimate(value, low: interval.low, high: interval.high)
  }
}

/// A share of rows, with the wider of two intervals: of resampled groups, and of the number of rows (Wilson).
///
/// Resampling alone would call a share of 0 or 1 certain, however few rows it was seen on.
enum GroupedShare {
  static func estimate(_ isHit: [Bool], groups: [Int32], _ bootstrap: Bootstrap?) -> Estimate? {
    var places: [Int32: Int] = [:]
    for group in groups where places[group] == nil { places[group] = places.count }
    var hits = [Double](repeating: 0, count: places.count)
    var totals = hits
    for (row, group) in groups.enumerated() {
      let place = places[group] ?? 0
      totals[place] += 1
      if isHit[row] { hits[place] += 1 }
    }
    let total = isHit.count
    let hit = isHit.count(where: \.self)
    guard total > 0, let wilson = ConfidenceInterval.wilson(successes: hit, trials: total) else { return nil }
    guard let bootstrap else { return Estimate(wilson.estimate) }
    let interval = bootstrap.interval(groupCount: totals.count) { drawn in
      let sum = drawn.reduce(0.0) { $0 + totals[$1] }
      return sum > 0 ? drawn.reduce(0.0) { $0 + hits[$1] } / sum : nil
    }
    guard let interval else { return Estimate(wilson.estimate) }
    return Estimate(
      wilson.estimate, low: min(wilson.low, interval.low), high: max(wilson.high, interval.high))
  }
}
