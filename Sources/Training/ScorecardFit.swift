import Classify
import Foundation

/// Learns a card by multinomial logistic regression over bins.
///
/// Two penalties keep it small: every bit costs (`ridge`), so that a bin with few flows says little, and neighbouring
/// bins that differ cost (`smoothness`), so that a tag's bits change gradually along a quantity. Base rates are not
/// penalized: they are given. The sum that is made small is convex and the method deterministic, so the same flows give
/// the same card.
struct ScorecardFit {
  /// What a squared bit, in natural units, costs in flows.
  static let ridge = 1.0
  /// What a squared difference of two neighbouring bins costs.
  static let smoothness = 2.0
  /// Flows of each tag that are assumed when base rates are counted.
  static let assumedFlows = 0.5
  static let maximumSteps = 80

  /// A flow as its bins, and how much of each tag has them.
  private struct Pattern {
    var columns: [Int]
    var weights = SIMD4<Double>(repeating: 0)
  }

  private let features: [ShapeFeature]
  private let firstColumn: [Int]
  private var patterns: [Pattern] = []
  private let priors: SIMD4<Double>
  private let columnCount: Int
  private var tagCounts = [Int](repeating: 0, count: 4)
  private var columnFlows: [Int]
  /// Columns whose next one is the neighbouring bin.
  private var neighbours: [Int] = []

  init(_ set: TrainingSet, isTCP: Bool, isWanted: (Int) -> Bool) {
    features = isTCP ? ShapeFeature.ofTCP : ShapeFeature.ofUDP
    var first: [Int] = []
    var columns = 0
    for feature in features {
      first.append(columns)
      let bins = feature.bounds.count + 2
      for bin in 1..<(bins - 1) { neighbours.append(columns + bin) }
      columns += bins
    }
    firstColumn = first
    columnCount = columns
    columnFlows = [Int](repeating: 0, count: columns)
    var places: [[Int]: Int] = [:]
    var sums = SIMD4<Double>(repeating: Self.assumedFlows)
    for (at, flow) in set.flows.enumerated()
    where flow.features.isTCP == isTCP && flow.features.packets > 0 && isWanted(at) {
      let bins = zip(features, first).map { $1 + ShapeModel.Row.bin(of: flow.features[$0], bounds: $0.bounds) }
      let place = places[bins] ?? patterns.count
      if place == patterns.count {
        places[bins] = place
        patterns.append(Pattern(columns: bins))
      }
      patterns[place].weights[flow.tag.place] += set.weights[at]
      sums[flow.tag.place] += set.weights[at]
      tagCounts[flow.tag.place] += 1
      for column in bins { columnFlows[column] += 1 }
    }
    var priors = SIMD4<Double>()
    for tag in 0..<4 { priors[tag] = log(sums[tag] / sums[Tag.other.place]) }
    self.priors = priors
  }

  /// The card.
  func card() -> ShapeModel.Card {
    let bits = solve()
    let toBits = 1 / log(2.0)
    let rows = zip(features, firstColumn).map { feature, first in
      let columns = first..<(first + feature.bounds.count + 2)
      return ShapeModel.Row(
        feature: feature, bounds: feature.bounds, bits: columns.map { bits[$0] * toBits },
        flows: columns.map { columnFlows[$0] })
    }
    return ShapeModel.Card(priors: priors * toBits, flows: tagCounts, rows: rows)
  }

  /// The loss at some bits, in natural units, and its gradient.
  private func loss(_ bits: [SIMD4<Double>], _ gradient: inout [SIMD4<Double>]) -> Double {
    var loss = 0.0
    for column in 0..<columnCount {
      gradient[column] = bits[column] * Self.ridge
      loss += (bits[column] * bits[column]).sum() * Self.ridge / 2
    }
    for column in neighbours where column + 1 < columnCount {
      let difference = bits[column + 1] - bits[column]
      loss += (difference * difference).sum() * Self.smoothness / 2
      gradient[column + 1] += difference * Self.smoothness
      gradient[column] -= difference * Self.smoothness
    }
    for pattern in patterns {
      var scores = priors
      for column in pattern.columns { scores += bits[column] }
      let highest = scores.max()
      var powers = SIMD4<Double>()
      for tag in 0..<4 { powers[tag] = exp(scores[tag] - highest) }
      let sum = powers.sum()
      let flows = pattern.weights.sum()
      loss += flows * (log(sum) + highest) - (pattern.weights * scores).sum()
      let slope = powers * (flows / sum) - pattern.weights
      for column in pattern.columns { gradient[column] += slope }
    }
    return loss
  }

  /// Limited-memory BFGS (Nocedal and Wright, Numerical Optimization, algorithm 7.4) with a backtracking line search.
  private func solve() -> [SIMD4<Double>] {
    let memory = 10
    var bits = [SIMD4<Double>](repeating: .zero, count: columnCount)
    var gradient = bits
    var value = loss(bits, &gradient)
    var steps: [(step: [SIMD4<Double>], change: [SIMD4<Double>], factor: Double)] = []
    for _ in 0..<Self.maximumSteps {
      var direction = gradient.map { -$0 }
      var shares = [Double](repeating: 0, count: steps.count)
      for i in steps.indices.reversed() {
        shares[i] = steps[i].factor * dot(steps[i].step, direction)
        add(steps[i].change, -shares[i], to: &direction)
      }
      if let last = steps.last {
        let scale = 1 / (last.factor * dot(last.change, last.change))
        for i in direction.indices { direction[i] *= scale }
      }
      for i in steps.indices {
        let share = steps[i].factor * dot(steps[i].change, direction)
        add(steps[i].step, shares[i] - share, to: &direction)
      }
      let slope = dot(gradient, direction)
      guard slope < -1e-7 else { break }
      var length = steps.isEmpty ? min(1, 1 / dot(gradient, gradient).squareRoot()) : 1.0
      var next = bits
      var nextGradient = gradient
      var nextValue = value
      for _ in 0..<30 {
        next = bits
        add(direction, length, to: &next)
        nextValue = loss(next, &nextGradient)
        if nextValue <= value + 1e-4 * length * slope { break }
        length /= 2
      }
      guard nextValue < value else { break }
      let step = zip(next, bits).map { $0 - $1 }
      let change = zip(nextGradient, gradient).map { $0 - $1 }
      let curvature = dot(step, change)
      if curvature > 1e-12 {
        steps.append((step, change, 1 / curvature))
        if steps.count > memory { steps.removeFirst() }
      }
      (bits, gradient, value) = (next, nextGradient, nextValue)
    }
    return bits
  }

  private func dot(_ a: [SIMD4<Double>], _ b: [SIMD4<Double>]) -> Double {
    var sum = SIMD4<Double>.zero
    for i in a.indices { sum += a[i] * b[i] }
    return sum.sum()
  }

  private func add(_ a: [SIMD4<Double>], _ factor: Double, to b: inout [SIMD4<Double>]) {
    for i in b.indices { b[i] += a[i] * factor }
  }
}
