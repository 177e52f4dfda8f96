extension Frontier {
  /// Targets of which it is always asked, where the traffic has them.
  private static let alwaysAsked = ["imessage-sent", "imessage-received", "facetime"]

  /// A frontier for every column that some policy is meant to hit.
  static func all(of collateral: Collateral) -> [Frontier] {
    let wanted = Set(collateral.policies.flatMap(\.target) + alwaysAsked)
    return collateral.columns.filter { wanted.contains($0.key) && !ColumnTable.isCarrier($0.key) }.map {
      Frontier(target: $0.key, points: points($0.key, collateral))
    }
  }

  /// Every policy by what it hits of a column, and of all others.
  static func points(_ target: String, _ collateral: Collateral) -> [Point] {
    let hasMessages = collateral.columns.contains { $0.kind == .messages }
    var points: [Point] = []
    for result in collateral.results {
      var hit: Double?
      var others: [Double] = []
      for (cell, column) in zip(result.cells, collateral.columns) {
        guard let value = cell.hit else { continue }
        if column.key == target {
          hit = value
        } else if !ColumnTable.areKin(column.key, target), !(hasMessages && ColumnTable.isCarrier(column.key)) {
          others.append(value)
        }
      }
      guard let hit else { continue }
      let mean = others.isEmpty ? 0 : others.reduce(0, +) / Double(others.count)
      points.append(Point(policy: result.policy, hit: hit, collateral: mean, isBest: false))
    }
    for at in points.indices where points[at].hit > 0 {
      points[at].isBest = !points.contains {
        $0.hit >= points[at].hit && $0.collateral <= points[at].collateral
          && ($0.hit > points[at].hit || $0.collateral < points[at].collateral)
      }
    }
    return points
  }
}
