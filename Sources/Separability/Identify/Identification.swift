import Pages
import Statistics
import Truth

/// Asks of each identifier what it tells of a record's kind.
///
/// A record has the identifiers of its flow. What counts for a censor is one phone's traffic: there a capture is one
/// phone, so information is measured within captures that hold both kinds, both weighing the same; over all captures
/// together it also measures which captures were made.
struct Identification {
  /// Shufflings of the labels; fewer where there are many records.
  static let repetitions = 400
  /// Records above which each shuffling costs too much for so many.
  static let manyRecords = 20_000
  /// Values that are listed of an identifier.
  static let listedValues = 6

  private let traffic: LabelledTraffic
  /// Indices of records of either kind.
  private let chosen: [Int]
  private let isTarget: [Bool]
  private let seed: UInt64

  init(
    _ traffic: LabelledTraffic, target: (LabelledRecord) -> Bool, background: (LabelledRecord) -> Bool, seed: UInt64
  ) {
    self.traffic = traffic
    self.seed = seed
    var chosen: [Int] = []
    var labels: [Bool] = []
    for (at, record) in traffic.records.enumerated() {
      let isTarget = target(record)
      guard isTarget != background(record) else { continue }
      chosen.append(at)
      labels.append(isTarget)
    }
    self.chosen = chosen
    isTarget = labels
  }

  func result() -> IdentifyResult {
    var result = IdentifyResult()
    countShared(&result)
    result.rows = Identifier.allCases.compactMap { row($0) }
    return result
  }

  private func countShared(_ result: inout IdentifyResult) {
    var counts = [(target: Int, background: Int)](repeating: (0, 0), count: traffic.flows.count)
    for (at, label) in zip(chosen, isTarget) {
      let flow = Int(traffic.records[at].flow)
      if label { counts[flow].target += 1 } else { counts[flow].background += 1 }
    }
    for flow in counts where flow.target + flow.background > 0 {
      result.connections += 1
      guard flow.target > 0, flow.background > 0 else { continue }
      result.sharedConnections += 1
      result.targetOnShared += flow.target
      result.backgroundOnShared += flow.background
    }
  }

  private func row(_ identifier: Identifier) -> IdentifierRow? {
    guard !chosen.isEmpty else { return nil }
    var numbers: [String?: Int] = [:]
    var names: [String?] = []
    let ofFlow = traffic.flows.map { flow in
      let value = identifier.value(of: flow)
      if let known = numbers[value] { return known }
      numbers[value] = names.count
      names.append(value)
      return names.count - 1
    }
    let values = chosen.map { ofFlow[Int(traffic.records[$0].flow)] }
    var row = IdentifierRow()
    row.identifier = identifier.rawValue
    row.known = values.count { names[$0] != nil }
    row.distinct = Set(values).count { names[$0] != nil }
    guard row.known > 0 else { return nil }
    let table = ClassTable(values: values, positive: isTarget)
    row.bitsOverall = MutualInformation.bits(table).map { Estimate($0) }
    row.values = shares(values, names)
    measureOnPhone(values, &row)
    row.sentence = Self.sentence(row)
    return row
  }

  /// Within captures that hold both kinds.
  private func measureOnPhone(_ values: [Int], _ row: inout IdentifierRow) {
    var kinds: [Int: (Bool, Bool)] = [:]
    let captures = chosen.map { traffic.capture(of: traffic.records[$0]) }
    for (capture, label) in zip(captures, isTarget) {
      let known = kinds[capture] ?? (false, false)
      kinds[capture] = label ? (true, known.1) : (known.0, true)
    }
    let kept = captures.indices.filter { kinds[captures[$0]] ?? (false, false) == (true, true) }
    guard !kept.isEmpty else { return }
    let (ownValues, labels, groups) = (
      kept.map { values[$0] }, kept.map { isTarget[$0] }, kept.map { captures[$0] }
    )
    guard let within = MutualInformation.within(groups: groups, values: ownValues, positive: labels) else { return }
    row.bitsOnPhone = Estimate(within.bits)
    let null = PermutationNull(
      values: ownValues, positive: labels, groups: groups, estimate: .withinGroups,
      repetitions: kept.count > Self.manyRecords ? Self.repetitions / 8 : Self.repetitions, seed: seed)
    row.bitsByChance = null?.percentile95
    var (error, weight) = (0.0, 0.0)
    for capture in Set(groups) {
      let members = groups.indices.filter { groups[$0] == capture }
      let table = ClassTable(values: members.map { ownValues[$0] }, positive: members.map { labels[$0] })
      guard let best = table.bayesError() else { continue }
      error += best * Double(members.count)
      weight += Double(members.count)
    }
    if weight > 0 { row.bestError = error / weight }
  }

  private func shares(_ values: [Int], _ names: [String?]) -> [IdentifierRow.ValueShare] {
    var counts: [Int: (target: Double, background: Double)] = [:]
    var totals = (target: 0.0, background: 0.0)
    for (value, label) in zip(values, isTarget) {
      if label {
        counts[value, default: (0, 0)].target += 1
        totals.target += 1
      } else {
        counts[value, default: (0, 0)].background += 1
        totals.background += 1
      }
    }
    let shares = counts.map { value, count in
      IdentifierRow.ValueShare(
        value: names[value] ?? "(none)", target: totals.target > 0 ? count.target / totals.target : 0,
        background: totals.background > 0 ? count.background / totals.background : 0)
    }
    return Array(
      shares.sorted { ($1.target + $1.background, $0.value) < ($0.target + $0.background, $1.value) }
        .prefix(Self.listedValues))
  }

  /// What a row says, in words.
  static func sentence(_ row: IdentifierRow) -> String {
    guard let bits = row.bitsOnPhone?.value else {
      return "no capture holds both kinds, so that one phone's traffic says nothing"
    }
    let words = "\(Numbers.decimal(bits, places: 2)) bits"
    if row.distinct <= 1, bits == 0 { return "the same for both: 0 bits" }
    if bits < 0.005 { return "the same for both on one phone: \(bits == 0 ? "0" : "less than 0.01") bits" }
    if bits >= 0.99 { return "tells them apart by itself: \(words) of 1" }
    if let chance = row.bitsByChance, bits <= chance {
      return "\(words), no more than chance gives (up to \(Numbers.decimal(chance, places: 2)))"
    }
    let error = row.bestError.map { "; the best rule on it errs in \(Int(($0 * 100).rounded())) of 100 cases" } ?? ""
    return "\(words) of 1\(error)"
  }
}
