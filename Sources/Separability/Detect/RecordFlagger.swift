import Statistics
public import Truth

/// A rule learnt from labelled traffic, as a box would use it: it flags records by what it has seen up to each of them.
///
/// Records are judged by a rule that was learnt on other captures. What follows a record is no feature, since a box must
/// act before it is there.
public struct RecordFlagger: Sendable {
  /// Which records of the traffic are flagged, by their index.
  public let isFlagged: [Bool]
  /// Of the background's and the target's content: how many were flagged of how many.
  public let falseAlarms: (part: Int, whole: Int), found: (part: Int, whole: Int)

  /// Learns a rule and judges all records of the connections that hold target or background; nil where the traffic does
  /// not allow it.
  /// - Parameters:
  ///   - traffic: labelled traffic of at least two captures that hold both kinds.
  ///   - target: what is looked for, as a word of `TrafficClass`.
  ///   - background: what must be left alone.
  ///   - isUp: only records to the server, or to the client; nil for both.
  ///   - falsePositiveRate: the share of the background's content, among what the rule was learnt on, that it may flag.
  public init?(
    _ traffic: LabelledTraffic, target: String, background: String, isUp: Bool?, falsePositiveRate: Double
  ) {
    guard let target = TrafficClass(target, in: traffic), let background = TrafficClass(background, in: traffic)
    else { return nil }
    let roles = RecordRole.all(in: traffic, target: target, background: background)
    let index = TrafficIndex(traffic, roles: roles)
    let rows = index.judgedFlows.flatMap { index.order[index.places(of: $0)] }.filter {
      isUp == nil || traffic.records[Int($0)].isUp == isUp
    }
    let columns = zip(RecordFeatures.all, RecordFeatures.columns(of: rows, in: index))
      .filter { !$0.0.needsFuture }.map(\.1)
    let captures = rows.map { index.captures[Int(traffic.records[Int($0)].flow)] }
    let folds = CrossValidation.groups(captures, folds: FoldPlan.maximumFolds)
    var flagged = [Bool](repeating: false, count: traffic.records.count)
    var (alarms, hits) = ((part: 0, whole: 0), (part: 0, whole: 0))
    var isLearnt = false
    for fold in Set(folds).sorted() {
      let training = rows.indices.filter {
        folds[$0] != fold && roles[Int(rows[$0])].contains(.content)
          && !roles[Int(rows[$0])].isDisjoint(with: [.target, .background])
      }
      let thinned = Samples.thinned(training, to: ShapeClassifier.maximumTraining)
      guard
        let rule = Rule(columns, thinned, isTarget: { roles[Int(rows[$0])].contains(.target) })?
          .limited(to: falsePositiveRate)
      else { continue }
      isLearnt = true
      for row in rows.indices where folds[row] == fold {
        let isHit = rule.score(columns, row) > rule.threshold
        let role = roles[Int(rows[row])]
        flagged[Int(rows[row])] = isHit
        guard role.contains(.content) else { continue }
        if role.contains(.target) {
          hits = (hits.part + (isHit ? 1 : 0), hits.whole + 1)
        } else if role.contains(.background) {
          alarms = (alarms.part + (isHit ? 1 : 0), alarms.whole + 1)
        }
      }
    }
    guard isLearnt else { return nil }
    (isFlagged, falseAlarms, found) = (flagged, alarms, hits)
  }

  /// Logistic regression on binned features, with a threshold.
  private struct Rule {
    let binned: BinnedFeatures
    let offsets: [Int]
    let model: LogisticRegression
    let background: [Double]
    var threshold = 0.0

    init?(_ columns: [[Double]], _ training: [Int], isTarget: (Int) -> Bool) {
      let isPositive = training.map(isTarget)
      let positives = isPositive.count(where: \.self)
      guard min(positives, training.count - positives) >= ShapeClassifier.minimumOfClass,
        let matrix = FeatureMatrix(
          values: training.flatMap { row in columns.map { $0[row] } }, columns: columns.count)
      else { return nil }
      let binned = BinnedFeatures(fitting: matrix, bins: ShapeClassifier.bins)
      guard
        let model = LogisticRegression(
          binned.oneHot(matrix), positive: isPositive, classWeights: .balanced, tolerance: 1e-6, iterationLimit: 50)
      else { return nil }
      self.binned = binned
      self.model = model
      let offsets = binned.binCounts.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1) }
      self.offsets = offsets
      background = zip(training, isPositive).filter { !$1 }.map {
        Self.score(binned, offsets, model, columns, $0.0)
      }.sorted()
    }

    /// The rule with the lowest threshold that flags no larger share of the background.
    func limited(to share: Double) -> Rule {
      var rule = self
      let allowed = Int(share * Double(background.count))
      rule.threshold = background[max(0, background.count - 1 - allowed)]
      return rule
    }

    func score(_ columns: [[Double]], _ row: Int) -> Double { Self.score(binned, offsets, model, columns, row) }

    private static func score(
      _ binned: BinnedFeatures, _ offsets: [Int], _ model: LogisticRegression, _ columns: [[Double]], _ row: Int
    ) -> Double {
      var score = model.intercept
      for (feature, code) in binned.codes(columns.map { $0[row] }).enumerated() {
        score += model.coefficients[offsets[feature] + code]
      }
      return score
    }
  }
}
