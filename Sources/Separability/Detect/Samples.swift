/// A number by which something is judged.
struct Feature: Sendable, Equatable {
  /// "record size", and "bytes"; "" for no unit.
  let name: String, unit: String
  /// Whether it is known only after what is judged has passed.
  var needsFuture = false
  /// Name and unit as rows show them.
  var title: String { unit.isEmpty ? name : "\(name), \(unit)" }
}

/// What is judged: features in columns, and what each row truly is. No feature comes from the truth.
struct Samples: Sendable {
  var features: [Feature]
  /// Of each feature the values of all rows.
  var columns: [[Double]]
  /// Whether a row is of the target.
  var isPositive: [Bool] = []
  /// The capture of each row, its time in nanoseconds, and its record; a window's record is its first one.
  var captures: [Int32] = [], times: [Int64] = [], records: [Int32] = []
  /// Rows that were left out since there were more than `maximumRows`.
  var notKept = 0

  /// The most rows of each class that are judged; of more, every so-manieth is taken.
  static let maximumRows = 200_000

  init(features: [Feature]) {
    self.features = features
    columns = [[Double]](repeating: [], count: features.count)
  }

  var count: Int { isPositive.count }
  var positives: Int { isPositive.count(where: \.self) }
  var negatives: Int { count - positives }

  /// Every so-manieth of some numbers, at most `limit`.
  static func thinned<Element>(_ elements: [Element], to limit: Int) -> [Element] {
    guard elements.count > limit, limit > 0 else { return elements }
    return (0..<limit).map { elements[$0 * elements.count / limit] }
  }

  /// Some of the rows.
  func selecting(_ rows: [Int]) -> Samples {
    var samples = Samples(features: features)
    samples.columns = columns.map { column in rows.map { column[$0] } }
    samples.isPositive = rows.map { isPositive[$0] }
    samples.captures = rows.map { captures[$0] }
    samples.times = rows.map { times[$0] }
    samples.records = rows.map { records[$0] }
    return samples
  }

  /// Some of the features.
  func selecting(features wanted: (Feature) -> Bool) -> Samples {
    var samples = self
    let kept = features.indices.filter { wanted(features[$0]) }
    samples.features = kept.map { features[$0] }
    samples.columns = kept.map { columns[$0] }
    return samples
  }
}
