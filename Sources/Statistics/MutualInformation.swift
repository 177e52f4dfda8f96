import Foundation

// Cover and Thomas, "Elements of Information Theory", 2nd edition, 2.3 (mutual information) and 2.5 (conditional).
// The bias of the plug-in estimate: Miller, "Note on the bias of information estimates", 1955; Paninski, "Estimation of
// Entropy and Mutual Information", Neural Computation 15, 2003, section 3.

/// What a value tells of the class, in bits: 0 is nothing, 1 (classes of equal weight) is everything.
public enum MutualInformation {
  /// The plug-in estimate on a table; nil for an empty table, or (balanced) where a class was not seen.
  ///
  /// It is too high by chance alone, by about (values - 1) / (2 ln 2 observations) bits: compare it with
  /// `corrected(_:)` or with the null of `permutationNull`.
  public static func bits(_ table: ClassTable, _ prior: Prior = .balanced) -> Double? {
    guard let table = prior == .balanced ? table.balanced : table else { return nil }
    let totals = table.totals
    let total = totals.total
    guard total > 0 else { return nil }
    var sum = 0.0
    for row in table.rows where row.total > 0 {
      if row.positive > 0 { sum += row.positive * log2(row.positive * total / (row.total * totals.positive)) }
      if row.negative > 0 { sum += row.negative * log2(row.negative * total / (row.total * totals.negative)) }
    }
    return max(0, sum / total)
  }

  /// The estimate on the counts as observed, less the bias that Miller and Madow give; never below 0, nil for an empty
  /// table. The rows must be counts, not weights.
  public static func corrected(_ table: ClassTable) -> Double? {
    guard let plain = bits(table, .observed) else { return nil }
    let totals = table.totals
    var values = 0.0
    var cells = 0.0
    for row in table.rows {
      if row.total > 0 { values += 1 }
      if row.positive > 0 { cells += 1 }
      if row.negative > 0 { cells += 1 }
    }
    let classes = (totals.positive > 0 ? 1.0 : 0) + (totals.negative > 0 ? 1 : 0)
    return max(0, plain + (values + classes - cells - 1) / (2 * totals.total * log(2)))
  }

  /// Information within groups: what the value tells whoever knows the group already.
  public struct Conditional: Sendable, Codable, Equatable {
    /// The mean over the groups, each weighing what its observations weigh, in bits.
    public var bits: Double
    /// Groups in the mean.
    public var groups: Int
    /// Groups that have no answer and are not in the mean: balanced, those that hold one class only.
    public var skippedGroups: Int
  }

  /// The mean information within each group (for example a capture), nil where no group has an answer.
  ///
  /// A group of one class tells 0 bits under the observed prior, and is skipped under the balanced one. The arrays
  /// belong together by place; each observation weighs 1 where `weights` is nil.
  public static func within<Value: Hashable, Group: Hashable>(
    groups: [Group], values: [Value], positive: [Bool], weights: [Double]? = nil, _ prior: Prior = .balanced
  ) -> Conditional? {
    let count = min(groups.count, values.count, positive.count, weights?.count ?? .max)
    var places: [Group: Int] = [:]
    var members: [[Int]] = []
    for index in 0..<count {
      let place = places[groups[index], default: members.count]
      if place == members.count {
        places[groups[index]] = place
        members.append([])
      }
      members[place].append(index)
    }
    let tables = members.map { indices in
      ClassTable(
        values: indices.map { values[$0] }, positive: indices.map { positive[$0] },
        weights: weights.map { weights in indices.map { weights[$0] } })
    }
    return within(tables: tables, prior)
  }

  /// The mean information of tables, one for each group, weighted by what each holds; nil where none has an answer.
  public static func within(tables: [ClassTable], _ prior: Prior = .balanced) -> Conditional? {
    var result = Conditional(bits: 0, groups: 0, skippedGroups: 0)
    var weight = 0.0
    for table in tables {
      guard let bits = bits(table, prior) else {
        result.skippedGroups += 1
        continue
      }
      let total = table.totals.total
      result.groups += 1
      result.bits += bits * total
      weight += total
    }
    guard weight > 0 else { return nil }
    result.bits /= weight
    return result
  }
}
