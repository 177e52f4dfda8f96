import Statistics

/// What held-out scores are worth: the curve, its operating points, and what base rates make of them.
struct Judgement: Sendable {
  /// The most points of the curve that are kept.
  static let maximumPoints = 200
  /// Shares of the target among what is judged.
  static let shares = [0.5, 0.2, 0.05, 0.01, 0.001]

  private(set) var result: ClassifierResult?
  /// Rows without a score.
  let unjudged: Int
  /// Whether a threshold parts the classes.
  private(set) var isPerfect = false

  init(_ samples: Samples, _ scores: [Double?], _ bootstrap: Bootstrap?) {
    let rows = scores.indices.filter { scores[$0] != nil }
    unjudged = samples.count - rows.count
    let values = rows.compactMap { scores[$0] }
    let isPositive = rows.map { samples.isPositive[$0] }
    let captures = rows.map { samples.captures[$0] }
    guard let curve = ROC(scores: values, positive: isPositive) else { return }
    var result = ClassifierResult()
    result.method = ShapeClassifier.method
    result.auc = GroupedArea(scores: values, isPositive: isPositive, groups: captures).estimate(bootstrap)
    result.roc = Self.thinned(curve.corners).map { .init(falseAlarms: $0.falsePositiveRate, hits: $0.truePositiveRate) }
    isPerfect = curve.area == 1
    // Of points with as many hits the first has the fewest false alarms.
    let last = { (limit: Double) in
      let most = curve.truePositiveRate(atFalsePositiveRate: limit)
      return curve.points.first { $0.truePositiveRate >= most }
    }
    let points = [
      ("at most 1 % false alarms", last(0.01)),
      ("at most 0.6 % false alarms, as the Great Firewall is said to tolerate", last(0.006)),
      ("most hits less false alarms", curve.best),
    ]
    for (name, point) in points {
      guard let point else { continue }
      let threshold = point.threshold ?? .infinity
      func share(_ wanted: Bool) -> Estimate? {
        let chosen = values.indices.filter { isPositive[$0] == wanted }
        return GroupedShare.estimate(
          chosen.map { values[$0] >= threshold }, groups: chosen.map { captures[$0] }, bootstrap)
      }
      guard let hits = share(true), let alarms = share(false) else { continue }
      result.operatingPoints.append(.init(name: name, hits: hits, falseAlarms: alarms))
    }
    self.result = result
  }

  private static func thinned(_ points: [ROC.Point]) -> [ROC.Point] {
    guard points.count > maximumPoints, let last = points.last else { return points }
    return Samples.thinned(points, to: maximumPoints - 1) + [last]
  }

  /// Precision and false alarms of the first operating point for each share.
  func baseRates(perDay: Double) -> [BaseRateRow] {
    guard let point = result?.operatingPoints.first else { return [] }
    return Self.shares.map { share in
      var row = BaseRateRow()
      row.share = share
      row.recall = point.hits
      row.precision = Self.precision(point.hits, point.falseAlarms, share)
      row.falseAlarmsPerPhoneDay = Self.daily(point.falseAlarms, perDay: perDay, share: share)
      return row
    }
  }

  private static func precision(_ hits: Estimate, _ alarms: Estimate, _ share: Double) -> Estimate? {
    func of(_ hits: Double, _ alarms: Double) -> Double? {
      BaseRate.precision(truePositiveRate: hits, falsePositiveRate: alarms, baseRate: share)
    }
    guard let value = of(hits.value, alarms.value) else { return nil }
    guard let hitsLow = hits.low, let hitsHigh = hits.high, let alarmsLow = alarms.low, let alarmsHigh = alarms.high,
      let low = of(hitsLow, alarmsHigh), let high = of(hitsHigh, alarmsLow)
    else { return Estimate(value) }
    return Estimate(value, low: low, high: high)
  }

  /// False alarms of one phone in a day of so many observations.
  static func daily(_ alarms: Estimate, perDay: Double, share: Double) -> Estimate {
    func of(_ rate: Double) -> Double {
      BaseRate.falseAlarms(falsePositiveRate: rate, eventsPerDay: perDay, baseRate: share)
    }
    return Estimate(of(alarms.value), low: alarms.low.map(of), high: alarms.high.map(of))
  }
}

/// Distributions of size of both classes over the same bins, equally wide on a logarithmic axis.
enum SizeHistogram {
  /// How many bins there are.
  static let bins = 36

  static func pair(_ samples: Samples, _ task: DetectionTask) -> HistogramPair? {
    let sizes: [Double] =
      task.judgesRecords
      ? samples.columns.first ?? []
      : zip(samples.columns[4], samples.columns[5]).map { $0 + $1 }
    guard let low = sizes.min(), let high = sizes.max(), low < high else { return nil }
    let first = max(1, low.rounded(.down))
    let ratio = (high + 1) / first
    var edges = (0...bins).map { (first * Power.raise(ratio, Double($0) / Double(bins))).rounded() }
    edges = edges.reduce(into: []) { edges, edge in
      if let last = edges.last, edge <= last { return }
      edges.append(edge)
    }
    if let last = edges.last, last <= high { edges[edges.count - 1] = (high + 1).rounded(.up) }
    let target = zip(sizes, samples.isPositive).filter(\.1).map(\.0)
    let background = zip(sizes, samples.isPositive).filter { !$1 }.map(\.0)
    guard let ofTarget = Histogram(target, edges: edges), let ofBackground = Histogram(background, edges: edges) else {
      return nil
    }
    var pair = HistogramPair()
    pair.quantity = task.judgesRecords ? "record size, bytes" : "bytes of a \(task.unit)"
    pair.edges = edges
    pair.isLogarithmic = true
    pair.target = ofTarget.shares ?? [Double](repeating: 0, count: edges.count - 1)
    pair.background = ofBackground.shares ?? [Double](repeating: 0, count: edges.count - 1)
    pair.overlap = ofTarget.overlap(with: ofBackground) ?? 0
    return pair
  }
}
