import Foundation

// Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008, chapter 13 (multinomial and Bernoulli,
// Laplace smoothing). The smoothing equals scikit-learn's `MultinomialNB`, `BernoulliNB` and `CategoricalNB`.

/// How often classes were seen in training; classes are numbers from 0.
struct ClassPrior: Sendable {
  let counts: [Double]
  /// Natural logarithms of the classes' shares, or of equal shares; minus infinity for a class that was not seen.
  let logarithms: [Double]

  /// Nil where no observation is of a class from 0 to below `classCount`.
  init?(_ classes: [Int], classCount: Int, isEven: Bool) {
    guard classCount > 0 else { return nil }
    var counts = [Double](repeating: 0, count: classCount)
    for one in classes where one >= 0 && one < classCount { counts[one] += 1 }
    let total = counts.reduce(0, +)
    guard total > 0 else { return nil }
    let seen = Double(counts.count { $0 > 0 })
    self.counts = counts
    logarithms = counts.map { $0 > 0 ? (isEven ? -log(seen) : log($0 / total)) : -.infinity }
  }

  /// Log-probabilities from joint ones.
  static func normalised(_ joint: [Double]) -> [Double] {
    guard let largest = joint.max(), largest.isFinite else { return joint }
    let scale = largest + log(joint.reduce(0.0) { $0 + exp($1 - largest) })
    return joint.map { $0 - scale }
  }

  /// The place of the largest number, the first of equals; 0 for none.
  static func largest(_ numbers: [Double]) -> Int {
    var best = 0
    for place in numbers.indices where numbers[place] > numbers[best] { best = place }
    return best
  }

  static let leastSmoothing = 1e-10
}

/// Naive Bayes on counts, such as how many packets of each length were seen.
public struct MultinomialNaiveBayes: Sendable {
  private let prior: ClassPrior
  private let weights: [[Double]]

  /// Learns from rows of counts (not negative) and their classes, numbered from 0 to below `classCount`.
  ///
  /// `smoothing` is added to each count (Laplace: 1; at least 1e-10), `evenPrior` gives each class seen the same share.
  /// Nil without a row, or where a class is out of range or a count is negative or not finite.
  public init?(
    _ data: FeatureMatrix, classes: [Int], classCount: Int, smoothing: Double = 1, evenPrior: Bool = false
  ) {
    guard data.rows > 0, classes.count == data.rows, classes.allSatisfy({ $0 >= 0 && $0 < classCount }),
      data.values.allSatisfy({ $0 >= 0 && $0.isFinite }),
      let prior = ClassPrior(classes, classCount: classCount, isEven: evenPrior)
    else { return nil }
    let smoothing = max(smoothing, ClassPrior.leastSmoothing)
    var sums = [[Double]](repeating: [Double](repeating: smoothing, count: data.columns), count: classCount)
    for (row, one) in classes.enumerated() {
      for (column, value) in data[row].enumerated() where value != 0 { sums[one][column] += value }
    }
    self.prior = prior
    weights = sums.map { sums in
      let total = log(sums.reduce(0, +))
      return sums.map { log($0) - total }
    }
  }

  /// The natural logarithm of each class's probability; features that the row has not count as 0.
  public func logProbabilities(_ row: some Sequence<Double>) -> [Double] {
    var joint = prior.logarithms
    for (column, value) in row.enumerated() where value != 0 {
      for one in joint.indices where column < weights[one].count { joint[one] += value * weights[one][column] }
    }
    return ClassPrior.normalised(joint)
  }

  /// The most probable class, the first of equals.
  public func predict(_ row: some Sequence<Double>) -> Int { ClassPrior.largest(logProbabilities(row)) }
}

/// Naive Bayes on whether features are there ("binomial"), such as whether a length was seen at all.
public struct BernoulliNaiveBayes: Sendable {
  private let prior: ClassPrior
  /// By class: the sum over features of the logarithm that a feature is absent, and what a present one adds.
  private let absent: [Double], weights: [[Double]]

  /// Learns from rows in which a number above 0 means "there"; otherwise as `MultinomialNaiveBayes`.
  public init?(
    _ data: FeatureMatrix, classes: [Int], classCount: Int, smoothing: Double = 1, evenPrior: Bool = false
  ) {
    guard data.rows > 0, classes.count == data.rows, classes.allSatisfy({ $0 >= 0 && $0 < classCount }),
      let prior = ClassPrior(classes, classCount: classCount, isEven: evenPrior)
    else { return nil }
    let smoothing = max(smoothing, ClassPrior.leastSmoothing)
    var present = [[Double]](repeating: [Double](repeating: smoothing, count: data.columns), count: classCount)
    for (row, one) in classes.enumerated() {
      for (column, value) in data[row].enumerated() where value > 0 { present[one][column] += 1 }
    }
    var absent = [Double](repeating: 0, count: classCount)
    var weights = present
    for one in present.indices {
      let total = prior.counts[one] + 2 * smoothing
      for column in present[one].indices {
        let isAbsent = log((total - present[one][column]) / total)
        absent[one] += isAbsent
        weights[one][column] = log(present[one][column] / total) - isAbsent
      }
    }
    self.prior = prior
    self.absent = absent
    self.weights = weights
  }

  /// The natural logarithm of each class's probability; features that the row has not are absent.
  public func logProbabilities(_ row: some Sequence<Double>) -> [Double] {
    var joint = zip(prior.logarithms, absent).map { $0 + $1 }
    for (column, value) in row.enumerated() where value > 0 {
      for one in joint.indices where column < weights[one].count { joint[one] += weights[one][column] }
    }
    return ClassPrior.normalised(joint)
  }

  /// The most probable class, the first of equals.
  public func predict(_ row: some Sequence<Double>) -> Int { ClassPrior.largest(logProbabilities(row)) }
}

/// Naive Bayes on categories, such as the bins of `BinnedFeatures`.
public struct CategoricalNaiveBayes: Sendable {
  private let prior: ClassPrior
  /// By class, feature and category.
  private let weights: [[[Double]]]

  /// Learns from rows of categories, numbered from 0 to below `categoryCounts` of their feature; otherwise as
  /// `MultinomialNaiveBayes`. Nil also where a category is out of range.
  public init?(
    _ rows: [[Int]], categoryCounts: [Int], classes: [Int], classCount: Int, smoothing: Double = 1,
    evenPrior: Bool = false
  ) {
    guard !rows.isEmpty, classes.count == rows.count, classes.allSatisfy({ $0 >= 0 && $0 < classCount }),
      categoryCounts.allSatisfy({ $0 >= 0 }),
      rows.allSatisfy({ row in
        row.count == categoryCounts.count && zip(row, categoryCounts).allSatisfy { $0 >= 0 && $0 < $1 }
      }),
      let prior = ClassPrior(classes, classCount: classCount, isEven: evenPrior)
    else { return nil }
    let smoothing = max(smoothing, ClassPrior.leastSmoothing)
    let empty = categoryCounts.map { [Double](repeating: smoothing, count: $0) }
    var counts = [[[Double]]](repeating: empty, count: classCount)
    for (row, one) in zip(rows, classes) {
      for (feature, category) in row.enumerated() { counts[one][feature][category] += 1 }
    }
    self.prior = prior
    weights = counts.map { features in
      features.map { counts in
        let total = log(counts.reduce(0, +))
        return counts.map { log($0) - total }
      }
    }
  }

  /// The natural logarithm of each class's probability; a category that training did not number says nothing.
  public func logProbabilities(_ row: [Int]) -> [Double] {
    var joint = prior.logarithms
    for one in joint.indices {
      for (category, weights) in zip(row, weights[one]) where category >= 0 && category < weights.count {
        joint[one] += weights[category]
      }
    }
    return ClassPrior.normalised(joint)
  }

  /// The most probable class, the first of equals.
  public func predict(_ row: [Int]) -> Int { ClassPrior.largest(logProbabilities(row)) }
}
