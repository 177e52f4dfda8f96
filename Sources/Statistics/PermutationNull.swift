/// What the information would be if the value told nothing: the estimate over labels shuffled within their groups.
///
/// Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses", 3rd edition, 2005; the p value counts the observed
/// labelling among the shuffled ones (Phipson and Smyth, 2010), so that it is never 0.
public struct PermutationNull: Sendable, Codable, Equatable {
  /// The estimate on the true labels, in bits.
  public var observed: Double
  /// Mean and 95th percentile over the shuffled labels, in bits.
  public var mean: Double, percentile95: Double
  /// The share of labellings, the true one included, that give at least the observed estimate.
  public var pValue: Double
  /// How many shuffled labellings had an answer.
  public var repetitions: Int
  /// What is left of the estimate after the bias that the shuffled labels show, in bits, never below 0.
  public var excess: Double { max(0, observed - mean) }

  /// Which estimate the labels are shuffled for.
  public enum Estimate: String, Sendable, Codable, Hashable {
    /// One table over all observations.
    case pooled
    /// The mean over the groups' own tables.
    case withinGroups
  }

  /// Shuffles the labels within groups and estimates anew, `repetitions` times; nil where the true labels have no
  /// answer (nothing observed, or under the balanced prior a class missing).
  ///
  /// `groups` nil is one group of all. The arrays belong together by place; what one has over the others is not used.
  public init?<Value: Hashable, Group: Hashable>(
    values: [Value], positive: [Bool], groups: [Group]?, estimate: Estimate = .pooled, prior: Prior = .balanced,
    repetitions: Int = 1_000, seed: UInt64 = 1
  ) {
    let count = min(values.count, positive.count, groups?.count ?? .max)
    // Observations in the order of their groups, so that a group is a range.
    let groupCodes = groups.map { Self.codes(Array($0.prefix(count))) } ?? [Int](repeating: 0, count: count)
    let order = (0..<count).sorted { (groupCodes[$0], $0) < (groupCodes[$1], $1) }
    var ranges: [Range<Int>] = []
    var start = 0
    for place in 0..<count where place + 1 == count || groupCodes[order[place]] != groupCodes[order[place + 1]] {
      ranges.append(start..<(place + 1))
      start = place + 1
    }
    let tables = estimate == .pooled ? (count > 0 ? [0..<count] : []) : ranges
    let counting = Counting(values: order.map { values[$0] }, tables: tables)
    var labels = order.map { positive[$0] }
    guard let observed = counting.bits(labels, prior) else { return nil }
    self.observed = observed

    var generator = SeededGenerator(seed: seed)
    var shuffled: [Double] = []
    shuffled.reserveCapacity(max(0, repetitions))
    for _ in 0..<max(0, repetitions) {
      for range in ranges { generator.shuffle(&labels, in: range) }
      if let bits = counting.bits(labels, prior) { shuffled.append(bits) }
    }
    // Equal tables may differ in the last bits, since rows add up in the order of their first value.
    let reached = shuffled.count { $0 >= observed - 1e-12 }
    self.repetitions = shuffled.count
    pValue = Double(reached + 1) / Double(shuffled.count + 1)
    let distribution = EmpiricalDistribution(shuffled)
    mean = distribution.mean ?? 0
    percentile95 = distribution.quantile(0.95) ?? 0
  }

  static func codes<Value: Hashable>(_ values: [Value]) -> [Int] {
    var places: [Value: Int] = [:]
    return values.map { value in
      if let place = places[value] { return place }
      places[value] = places.count
      return places.count - 1
    }
  }

  /// The values as row numbers of their tables, made once for all labellings.
  private struct Counting {
    let rowOf: [Int]
    let tables: [(members: Range<Int>, rows: Range<Int>)]
    let rowCount: Int

    init<Value: Hashable>(values: [Value], tables: [Range<Int>]) {
      var rowOf: [Int] = []
      rowOf.reserveCapacity(values.count)
      var parts: [(members: Range<Int>, rows: Range<Int>)] = []
      var used = 0
      for members in tables {
        let codes = PermutationNull.codes(Array(values[members]))
        rowOf += codes.map { $0 + used }
        let rows = used..<(used + (codes.max().map { $0 + 1 } ?? 0))
        parts.append((members, rows))
        used = rows.upperBound
      }
      self.rowOf = rowOf
      self.tables = parts
      rowCount = used
    }

    func bits(_ labels: [Bool], _ prior: Prior) -> Double? {
      var rows = [ClassTable.Row](repeating: ClassTable.Row(positive: 0, negative: 0), count: rowCount)
      for (row, label) in zip(rowOf, labels) {
        if label { rows[row].positive += 1 } else { rows[row].negative += 1 }
      }
      let parts = tables.map { ClassTable(rows: Array(rows[$0.rows])) }
      return MutualInformation.within(tables: parts, prior)?.bits
    }
  }
}
