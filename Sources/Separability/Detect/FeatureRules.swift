import Statistics

/// Rules on a single feature: found on some captures, judged on others.
struct FeatureRules {
  /// Rows that a rule is found on at most.
  static let maximumTraining = 12_000
  /// Bins over which the overlap of two distributions is taken: quantiles of both together.
  static let overlapBins = 24

  /// One row a feature, the best first.
  private(set) var rows: [FeatureRow] = []
  /// The rule of the first row, found on everything: its feature, and the rule.
  private(set) var best: (feature: Int, rule: SingleFeatureRule)?
  /// What a rule on that feature, found on the other folds, says of each row; nil where none was found.
  private(set) var bestHeldOut: [Bool?] = []
  /// The same where the feature too is chosen on the other folds.
  private(set) var heldOut: [Bool?] = []

  init(_ samples: Samples, _ plan: FoldPlan, task: DetectionTask, bootstrap: Bootstrap?) {
    let everything = plan.kind == .none ? [] : plan.training(without: -1, samples, limit: Self.maximumTraining)
    let ruleOfAll = samples.columns.map { Self.rule($0, samples, everything) }
    var flags = [[Bool?]](
      repeating: [Bool?](repeating: nil, count: samples.count), count: samples.features.count)
    heldOut = [Bool?](repeating: nil, count: samples.count)
    for fold in plan.numbers {
      let training = plan.training(without: fold, samples, limit: Self.maximumTraining)
      let rules = samples.columns.map { Self.rule($0, samples, training) }
      let chosen = Self.best(rules)
      for row in plan.folds.indices where plan.folds[row] == fold {
        for (feature, rule) in rules.enumerated() {
          flags[feature][row] = rule?.isPositive(samples.columns[feature][row])
        }
        if let chosen { heldOut[row] = flags[chosen][row] }
      }
    }
    for (place, feature) in samples.features.enumerated() {
      var row = FeatureRow()
      row.feature = feature.title
      let area = GroupedArea(scores: samples.columns[place], isPositive: samples.isPositive, groups: samples.captures)
      row.auc = area.estimate(bootstrap, turned: true)
      if let rule = ruleOfAll[place] { row.rule = Self.sentence(rule, feature, task) }
      row.hits = Self.share(flags[place], samples, positive: true, bootstrap)
      row.falseAlarms = Self.share(flags[place], samples, positive: false, bootstrap)
      row.overlap = Self.overlap(samples.columns[place], samples.isPositive)
      rows.append(row)
    }
    // Equals stay in the features' order, the plainest first.
    let sorted = rows.enumerated().sorted {
      (-Self.merit($0.element), $0.offset) < (-Self.merit($1.element), $1.offset)
    }
    rows = sorted.map(\.element)
    if let first = sorted.first?.offset, let rule = ruleOfAll[first] {
      best = (first, rule)
      bestHeldOut = flags[first]
    }
  }

  private static func merit(_ row: FeatureRow) -> Double {
    guard let hits = row.hits?.value, let alarms = row.falseAlarms?.value else { return (row.auc?.value ?? 0.5) - 10 }
    return hits - alarms
  }

  private static func rule(_ column: [Double], _ samples: Samples, _ rows: [Int]) -> SingleFeatureRule? {
    SingleFeatureRule.best(values: rows.map { column[$0] }, positive: rows.map { samples.isPositive[$0] })
  }

  private static func best(_ rules: [SingleFeatureRule?]) -> Int? {
    var best: Int?
    var least = 0.5
    for (place, rule) in rules.enumerated() {
      guard let rule, rule.balancedError < least else { continue }
      (best, least) = (place, rule.balancedError)
    }
    return best
  }

  /// Of the rows of one class the share that is flagged, of those for which there was a rule.
  static func share(_ flags: [Bool?], _ samples: Samples, positive: Bool, _ bootstrap: Bootstrap?) -> Estimate? {
    var hits: [Bool] = []
    var groups: [Int32] = []
    for (row, flag) in flags.enumerated() where samples.isPositive[row] == positive {
      guard let flag else { continue }
      hits.append(flag)
      groups.append(samples.captures[row])
    }
    return GroupedShare.estimate(hits, groups: groups, bootstrap)
  }

  /// A rule as a sentence: "up, at least 412 bytes"; of other features with their name.
  static func sentence(_ rule: SingleFeatureRule, _ feature: Feature, _ task: DetectionTask) -> String {
    let words = rule.sentence(unit: feature.unit)
    guard feature == RecordFeatures.all[0] else { return "\(feature.name): \(words)" }
    return switch task.isUp {
    case true: "up, \(words)"
    case false: "down, \(words)"
    default: "either way, \(words)"
    }
  }

  private static func overlap(_ column: [Double], _ isPositive: [Bool]) -> Double? {
    guard let matrix = FeatureMatrix(values: column, columns: 1) else { return nil }
    let bins = BinnedFeatures(fitting: matrix, bins: overlapBins)
    let table = ClassTable(values: column.map { bins.codes(CollectionOfOne($0))[0] }, positive: isPositive)
    return table.totalVariation.map { $0 > 1 - 1e-12 ? 0 : 1 - $0 }
  }
}
