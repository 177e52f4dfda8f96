import Statistics

/// The classifier: logistic regression with an L2 penalty on features cut into bins, of held-out rows.
///
/// It is fixed beforehand; naive Bayes on the same bins is computed only to say whether the choice matters.
enum ShapeClassifier {
  /// Bins of a feature, by quantiles of the training rows.
  static let bins = 16
  /// Rows that a fold learns from at most, and at least of each class.
  static let maximumTraining = 8_000, minimumOfClass = 2

  /// What it is, in words.
  static let method =
    "logistic regression with an L2 penalty (C = 1, classes weighed equally) on features cut into \(bins) quantile bins"

  /// Log-odds of each row by a model that did not see its fold, by logistic regression and by naive Bayes; nil where the
  /// fold's training rows lack a class.
  static func outOfFold(_ samples: Samples, _ plan: FoldPlan, withNaiveBayes: Bool = false)
    -> (scores: [Double?], naiveBayes: [Double?])
  {
    var scores = [Double?](repeating: nil, count: samples.count)
    var bayes = scores
    for fold in plan.numbers {
      let training = plan.training(without: fold, samples, limit: maximumTraining)
      let isPositive = training.map { samples.isPositive[$0] }
      let positives = isPositive.count(where: \.self)
      guard min(positives, training.count - positives) >= minimumOfClass,
        let matrix = matrix(samples, training)
      else { continue }
      let binned = BinnedFeatures(fitting: matrix, bins: bins)
      guard
        let model = LogisticRegression(
          binned.oneHot(matrix), positive: isPositive, classWeights: .balanced, tolerance: 1e-6, iterationLimit: 50)
      else { continue }
      let offsets = binned.binCounts.reduce(into: [0]) { $0.append(($0.last ?? 0) + $1) }
      let naive =
        withNaiveBayes
        ? CategoricalNaiveBayes(
          binned.codes(matrix), categoryCounts: binned.binCounts, classes: isPositive.map { $0 ? 1 : 0 }, classCount: 2,
          evenPrior: true) : nil
      for row in plan.folds.indices where plan.folds[row] == fold {
        let codes = binned.codes(samples.columns.map { $0[row] })
        var score = model.intercept
        for (feature, code) in codes.enumerated() { score += model.coefficients[offsets[feature] + code] }
        scores[row] = score
        if let naive {
          let logs = naive.logProbabilities(codes)
          bayes[row] = min(max(logs[1] - logs[0], -1e6), 1e6)
        }
      }
    }
    return (scores, bayes)
  }

  private static func matrix(_ samples: Samples, _ rows: [Int]) -> FeatureMatrix? {
    var values: [Double] = []
    values.reserveCapacity(rows.count * samples.columns.count)
    for row in rows {
      for column in samples.columns { values.append(column[row]) }
    }
    return FeatureMatrix(values: values, columns: samples.columns.count)
  }
}
