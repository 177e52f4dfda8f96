import Foundation

// Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", 2nd edition, 4.4 (Newton's method) and 3.4.1
// (the L2 penalty). The objective is scikit-learn's: half the squared weights plus C times the weighted log-losses.

/// A linear model of the log-odds of two classes.
public struct LogisticRegression: Sendable, Codable, Equatable {
  /// What each observation weighs by its class.
  public enum ClassWeights: Sendable, Codable, Equatable {
    /// All the same.
    case equal
    /// Each class weighs half of the number of observations.
    case balanced
    /// As given, each at least 0.
    case values(negative: Double, positive: Double)
  }

  /// The log-odds of a row of zeros, and what each feature adds for 1 of its unit.
  public let intercept: Double, coefficients: [Double]
  /// Newton steps that were taken.
  public let iterations: Int
  /// Whether the last step was below the tolerance.
  public let converged: Bool

  /// Fits the model by Newton's method; nil without both classes, where counts do not fit, or where a number is not
  /// finite.
  ///
  /// - Parameters:
  ///   - data: The features, all finite; one-hot features need not leave one out, the penalty settles them.
  ///   - positive: The class of each row.
  ///   - weights: What each row weighs, at least 0; nil for 1 each.
  ///   - strength: The inverse of the penalty on the coefficients (scikit-learn's C), above 0.
  ///   - classWeights: What the classes weigh.
  ///   - tolerance: The change of a coefficient, as a share of its size and 1, that ends the search.
  ///   - iterationLimit: The most steps.
  public init?(
    _ data: FeatureMatrix, positive: [Bool], weights: [Double]? = nil, strength: Double = 1,
    classWeights: ClassWeights = .equal, tolerance: Double = 1e-8, iterationLimit: Int = 100
  ) {
    guard positive.count == data.rows, weights?.count ?? data.rows == data.rows, strength > 0, strength.isFinite,
      data.values.allSatisfy(\.isFinite), weights?.allSatisfy({ $0 >= 0 && $0.isFinite }) ?? true,
      let rows = CollapsedRows(data, positive: positive, weights: weights, classWeights: classWeights)
    else { return nil }

    let size = data.columns + 1
    var solution = [Double](repeating: 0, count: size)
    var loss = rows.loss(solution, strength: strength)
    var iterations = 0
    var converged = false
    while iterations < iterationLimit, !converged {
      iterations += 1
      var (gradient, curvature) = rows.derivatives(solution, strength: strength)
      guard let step = Cholesky.solve(&curvature, &gradient, size: size) else { break }
      // Newton's step may overshoot far from the minimum: halve it until the loss falls.
      var share = 1.0
      var next = solution
      var nextLoss = loss
      for _ in 0..<40 {
        next = zip(solution, step).map { $0 - share * $1 }
        nextLoss = rows.loss(next, strength: strength)
        if nextLoss <= loss + abs(loss) * 1e-14 { break }
        share /= 2
      }
      guard nextLoss <= loss + abs(loss) * 1e-14 else { break }
      converged = zip(solution, next).allSatisfy { abs($1 - $0) <= tolerance * (1 + abs($1)) }
      solution = next
      loss = nextLoss
    }
    guard solution.allSatisfy(\.isFinite) else { return nil }
    intercept = solution[data.columns]
    coefficients = Array(solution.prefix(data.columns))
    self.iterations = iterations
    self.converged = converged
  }

  /// The log-odds of "positive", by the natural logarithm; features that the row has not count as 0.
  public func score(_ row: some Sequence<Double>) -> Double {
    zip(coefficients, row).reduce(intercept) { $0 + $1.0 * $1.1 }
  }

  /// The probability of "positive", 0 to 1, where the classes are as frequent as their weights in training say.
  public func probability(_ row: some Sequence<Double>) -> Double { 1 / (1 + exp(-score(row))) }
}

/// Training rows with equal ones put together, each as its places that are not 0.
private struct CollapsedRows {
  private let columns: Int
  /// Row r has the entries from `starts[r]` to below `starts[r + 1]`.
  private var starts = [0]
  private var entryColumns: [Int] = []
  private var entryValues: [Double] = []
  /// What the positives and the negatives of each row weigh.
  private var positiveWeights: [Double] = []
  private var negativeWeights: [Double] = []

  init?(
    _ data: FeatureMatrix, positive: [Bool], weights: [Double]?, classWeights: LogisticRegression.ClassWeights
  ) {
    columns = data.columns
    let positives = Double(positive.count(where: \.self))
    let negatives = Double(positive.count) - positives
    let classWeight: (negative: Double, positive: Double)
    switch classWeights {
    case .equal: classWeight = (1, 1)
    case .balanced: classWeight = (Double(data.rows) / (2 * negatives), Double(data.rows) / (2 * positives))
    case .values(let negative, let positive): classWeight = (negative, positive)
    }
    guard positives > 0, negatives > 0, classWeight.negative.isFinite, classWeight.positive.isFinite else { return nil }

    var places: [ArraySlice<Double>: Int] = [:]
    for row in 0..<data.rows {
      let values = data[row]
      let place = places[values, default: positiveWeights.count]
      if place == positiveWeights.count {
        places[values] = place
        for (column, value) in values.enumerated() where value != 0 {
          entryColumns.append(column)
          entryValues.append(value)
        }
        starts.append(entryColumns.count)
        positiveWeights.append(0)
        negativeWeights.append(0)
      }
      let weight = weights?[row] ?? 1
      if positive[row] {
        positiveWeights[place] += weight * classWeight.positive
      } else {
        negativeWeights[place] += weight * classWeight.negative
      }
    }
    guard positiveWeights.contains(where: { $0 > 0 }), negativeWeights.contains(where: { $0 > 0 }) else { return nil }
  }

  private func score(_ row: Int, _ solution: [Double]) -> Double {
    var score = solution[columns]
    for entry in starts[row]..<starts[row + 1] { score += entryValues[entry] * solution[entryColumns[entry]] }
    return score
  }

  func loss(_ solution: [Double], strength: Double) -> Double {
    var sum = 0.0
    for row in positiveWeights.indices {
      let score = score(row, solution)
      // log(1 + exp(score)) without overflow.
      let tail = log1p(exp(-abs(score)))
      sum += positiveWeights[row] * (tail + max(0, -score)) + negativeWeights[row] * (tail + max(0, score))
    }
    return strength * sum + solution.prefix(columns).reduce(0.0) { $0 + $1 * $1 } / 2
  }

  /// Gradient and the lower triangle of the second derivatives, row after row, the intercept last.
  func derivatives(_ solution: [Double], strength: Double) -> (gradient: [Double], curvature: [Double]) {
    let size = columns + 1
    var gradient = [Double](repeating: 0, count: size)
    var curvature = [Double](repeating: 0, count: size * size)
    for row in positiveWeights.indices {
      let weight = positiveWeights[row] + negativeWeights[row]
      let score = score(row, solution)
      let small = exp(-abs(score))
      let probability = score >= 0 ? 1 / (1 + small) : small / (1 + small)
      let slope = strength * (weight * probability - positiveWeights[row])
      let bend = strength * weight * small / ((1 + small) * (1 + small))
      gradient[columns] += slope
      curvature[columns * size + columns] += bend
      let entries = starts[row]..<starts[row + 1]
      for entry in entries {
        let column = entryColumns[entry]
        let bent = bend * entryValues[entry]
        gradient[column] += slope * entryValues[entry]
        curvature[columns * size + column] += bent
        // Columns rise within a row, so this fills the lower triangle.
        for other in entries.lowerBound...entry {
          curvature[column * size + entryColumns[other]] += bent * entryValues[other]
        }
      }
    }
    for column in 0..<columns {
      gradient[column] += solution[column]
      curvature[column * size + column] += 1
    }
    return (gradient, curvature)
  }
}

/// Linear equations with a symmetric positive matrix.
enum Cholesky {
  /// Solves `matrix` x = `right` by the lower triangle, row after row; nil where the matrix is not positive.
  ///
  /// Both arguments are used as working space.
  static func solve(_ matrix: inout [Double], _ right: inout [Double], size: Int) -> [Double]? {
    for row in 0..<size {
      for column in 0...row {
        var sum = matrix[row * size + column]
        for place in 0..<column { sum -= matrix[row * size + place] * matrix[column * size + place] }
        if row == column {
          guard sum > 0, sum.isFinite else { return nil }
          matrix[row * size + row] = sum.squareRoot()
        } else {
          matrix[row * size + column] = sum / matrix[column * size + column]
        }
      }
    }
    for row in 0..<size {
      for place in 0..<row { right[row] -= matrix[row * size + place] * right[place] }
      right[row] /= matrix[row * size + row]
    }
    for row in (0..<size).reversed() {
      for place in (row + 1)..<max(size, row + 1) { right[row] -= matrix[place * size + row] * right[place] }
      right[row] /= matrix[row * size + row]
    }
    return right
  }
}
