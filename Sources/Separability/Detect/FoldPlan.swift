import Statistics

/// What is held out together when rules and classifiers are judged.
struct FoldPlan: Sendable {
  /// How rows are held out.
  enum Kind: Sendable, Equatable {
    /// Whole captures: the answer holds for captures that were not seen.
    case captures
    /// Fifths of a capture's time, since too few captures hold both kinds: the answer holds for the same phones.
    case time
    /// Not at all: one of the kinds is missing.
    case none
  }

  /// The most folds; of more captures several share one.
  static let maximumFolds = 10
  /// Captures of each class that allow to hold out captures where fewer than two hold both.
  static let minimumCaptures = 3
  /// The parts into which a capture's time is cut.
  static let timeParts = 5

  let kind: Kind
  /// The fold of each row.
  let folds: [Int]
  /// Captures with rows, and with rows of both classes.
  let captures: Int, capturesWithBoth: Int

  init(_ samples: Samples) {
    var positive: Set<Int32> = []
    var negative: Set<Int32> = []
    for row in 0..<samples.count {
      if samples.isPositive[row] {
        positive.insert(samples.captures[row])
      } else {
        negative.insert(samples.captures[row])
      }
    }
    captures = positive.union(negative).count
    capturesWithBoth = positive.intersection(negative).count
    guard !positive.isEmpty, !negative.isEmpty else {
      kind = .none
      folds = []
      return
    }
    // Without any capture there still are others of both classes to learn from.
    if capturesWithBoth >= 2 || min(positive.count, negative.count) >= Self.minimumCaptures {
      kind = .captures
      folds = CrossValidation.groups(samples.captures, folds: Self.maximumFolds)
    } else {
      kind = .time
      folds = Self.timeFolds(samples)
    }
  }

  private static func timeFolds(_ samples: Samples) -> [Int] {
    var spans: [Int32: (first: Int64, last: Int64)] = [:]
    for row in 0..<samples.count {
      let time = samples.times[row]
      let span = spans[samples.captures[row]] ?? (time, time)
      spans[samples.captures[row]] = (min(span.first, time), max(span.last, time))
    }
    return (0..<samples.count).map { row in
      guard let span = spans[samples.captures[row]], span.last > span.first else { return 0 }
      let share = Double(samples.times[row] - span.first) / Double(span.last - span.first)
      return min(timeParts - 1, Int(share * Double(timeParts)))
    }
  }

  /// The rows to learn from for a fold: at most `limit`, each class thinned evenly.
  func training(without fold: Int, _ samples: Samples, limit: Int) -> [Int] {
    let rows = folds.indices.filter { folds[$0] != fold }
    guard rows.count > limit else { return rows }
    return [true, false].flatMap { wanted in
      let ofClass = rows.filter { samples.isPositive[$0] == wanted }
      return Samples.thinned(ofClass, to: limit / 2)
    }
  }

  /// The folds' numbers, rising.
  var numbers: [Int] { Set(folds).sorted() }
}
