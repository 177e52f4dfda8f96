import Statistics
import Truth

/// Sizes and detection by kind of message.
enum KindTable {
  /// A kind: its class and its name as the truth calls them.
  private struct Key: Hashable, Comparable {
    var kind: String
    var messageClass: String
    static func < (a: Key, b: Key) -> Bool { (a.kind, a.messageClass) < (b.kind, b.messageClass) }
  }

  private struct Numbers: Hashable {
    var kind: UInt16
    var messageClass: UInt16
  }

  private static func byKind(_ samples: Samples, _ rows: some Sequence<Int>, _ index: TrafficIndex) -> [(Key, [Int])] {
    var rowsOf: [Numbers: [Int]] = [:]
    for row in rows {
      let record = index.traffic.records[Int(samples.records[row])]
      rowsOf[Numbers(kind: record.kind, messageClass: record.messageClass), default: []].append(row)
    }
    let names = index.traffic.names
    func name(_ number: UInt16) -> String { names.indices.contains(Int(number)) ? names[Int(number)] : "" }
    return rowsOf.map { (Key(kind: name($0.kind), messageClass: name($0.messageClass)), $1) }.sorted { $0.0 < $1.0 }
  }

  /// Rows for what is judged, the target's first, each with how well its size tells it from the other class.
  static func rows(_ samples: Samples, _ others: Samples, _ rules: FeatureRules, _ index: TrafficIndex) -> [KindRow] {
    guard let sizes = samples.columns.first else { return [] }
    var rows: [KindRow] = []
    for isTarget in [true, false] {
      let own = samples.isPositive.indices.filter { samples.isPositive[$0] == isTarget }
      let other = samples.isPositive.indices.filter { samples.isPositive[$0] != isTarget }
      for (key, members) in byKind(samples, own, index) {
        let values = EmpiricalDistribution(members.map { sizes[$0] })
        var row = KindRow()
        row.kind = key.kind.isEmpty ? "(no kind known)" : title(key)
        row.isTarget = isTarget
        row.count = members.count
        row.low = values.quantile(0.05) ?? 0
        row.median = values.median ?? 0
        row.high = values.quantile(0.95) ?? 0
        let scores = members.map { sizes[$0] } + other.map { sizes[$0] }
        let isOwn = members.map { _ in true } + other.map { _ in false }
        row.auc =
          GroupedArea(scores: scores, isPositive: isOwn, groups: [Int32](repeating: 0, count: scores.count))
          .estimate(nil, turned: true)?.value
        let flags = members.compactMap { rules.bestHeldOut.indices.contains($0) ? rules.bestHeldOut[$0] : nil }
        row.flagged = flags.isEmpty ? nil : Double(flags.count(where: \.self)) / Double(flags.count)
        rows.append(row)
      }
    }
    return rows
  }

  /// Acks are of a class: "courier.ack of imessage"; other kinds begin with theirs.
  private static func title(_ key: Key) -> String {
    guard !key.messageClass.isEmpty, !key.kind.hasPrefix(key.messageClass) else { return key.kind }
    return "\(key.kind) of \(key.messageClass)"
  }

  /// What the best rule flags of everything else on the same connections, the most first.
  static func alsoHit(_ others: Samples, _ rules: FeatureRules, _ index: TrafficIndex) -> [AlsoHitRow] {
    guard let best = rules.best, others.columns.indices.contains(best.feature) else { return [] }
    var rows: [AlsoHitRow] = []
    for (key, members) in byKind(others, others.isPositive.indices, index) {
      var row = AlsoHitRow()
      row.name = key.kind.isEmpty ? "(not known)" : title(key)
      row.count = members.count
      row.flagged = members.count { best.rule.isPositive(others.columns[best.feature][$0]) }
      rows.append(row)
    }
    return rows.enumerated().sorted { (-$0.element.flagged, $0.offset) < (-$1.element.flagged, $1.offset) }
      .map(\.element)
  }
}
