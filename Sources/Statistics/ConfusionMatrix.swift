/// How often each class was taken for each: a row for what it is, a column for what was said.
public struct ConfusionMatrix: Sendable, Codable, Equatable {
  /// The classes' names, in the order of rows and columns.
  public let classes: [String]
  /// The counts, or weights, by truth and by what was said.
  public private(set) var counts: [[Double]]

  /// A matrix of zeros.
  public init(classes: [String]) {
    self.classes = classes
    counts = [[Double]](repeating: [Double](repeating: 0, count: classes.count), count: classes.count)
  }

  /// The matrix of what is and what was said, which belong together by place.
  public init(classes: [String], truth: [Int], predicted: [Int]) {
    self.init(classes: classes)
    for (truth, predicted) in zip(truth, predicted) { add(truth: truth, predicted: predicted) }
  }

  /// Counts one observation; numbers that name no class are not counted.
  public mutating func add(truth: Int, predicted: Int, weight: Double = 1) {
    guard counts.indices.contains(truth), counts.indices.contains(predicted) else { return }
    counts[truth][predicted] += weight
  }

  /// What all observations weigh.
  public var total: Double { counts.reduce(0) { $1.reduce($0, +) } }
  /// The share that was said right, 0 to 1; nil for no observation.
  public var accuracy: Double? {
    let total = self.total
    return total > 0 ? counts.indices.reduce(0.0) { $0 + counts[$1][$1] } / total : nil
  }
  /// Of a class's observations the share that was said right; nil for none, or no such class.
  public func recall(_ one: Int) -> Double? {
    guard counts.indices.contains(one) else { return nil }
    let total = counts[one].reduce(0, +)
    return total > 0 ? counts[one][one] / total : nil
  }
  /// Of what was said to be a class the share that is; nil for none, or no such class.
  public func precision(_ one: Int) -> Double? {
    guard counts.indices.contains(one) else { return nil }
    let total = counts.reduce(0) { $0 + $1[one] }
    return total > 0 ? counts[one][one] / total : nil
  }
  /// The mean of the recalls of the classes that were observed, 0 to 1; nil for none.
  public var balancedAccuracy: Double? {
    let recalls = counts.indices.compactMap(recall)
    return recalls.isEmpty ? nil : recalls.reduce(0, +) / Double(recalls.count)
  }
}
