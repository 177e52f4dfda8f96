import Statistics
public import Truth

/// What defences would cost and bring: each is applied to the recorded traffic, and the detection is trained anew on what
/// comes out, as by a censor who knows the defence.
public struct DefenceStudy: Sendable {
  /// The share of sent messages that is to be found where false alarms are counted.
  static let hits = 0.9

  private let index: TrafficIndex
  private let options: Detection.Options

  /// A study of the connections that hold target or background.
  public init(
    traffic: LabelledTraffic, target: TrafficClass, background: TrafficClass,
    options: Detection.Options = Detection.Options()
  ) {
    index = TrafficIndex(
      traffic, roles: RecordRole.all(in: traffic, target: target, background: background))
    self.options = options
  }

  /// A study with the usual choices but for the seed of the resamples.
  public init(traffic: LabelledTraffic, target: TrafficClass, background: TrafficClass, seed: UInt64) {
    var options = Detection.Options()
    options.seed = seed
    self.init(traffic: traffic, target: target, background: background, options: options)
  }

  /// One row a defence, "none" first; empty where there is nothing to defend.
  public func rows() -> [DefenceRow] {
    let sent = DetectionTask.sent.samples(in: index)
    let incoming = DetectionTask.incoming.samples(in: index)
    guard sent.positives + incoming.positives > 0, sent.negatives + incoming.negatives > 0 else { return [] }
    return Defence.all.map(row)
  }

  private func row(_ defence: Defence) -> DefenceRow {
    var row = DefenceRow()
    row.name = defence.name
    row.what = defence.what
    if case .constantRate(let seconds) = defence {
      fill(&row, ConstantRate(interval: Int64(seconds) * 1_000_000_000))
      return row
    }
    guard let defended = defence.applied(to: index, seed: options.seed) else { return row }
    let after = TrafficIndex(defended.traffic, roles: defended.roles)
    price(&row, defended.delays, bytes: Self.bytes(of: after, on: index.judgedFlows))
    if case .cover(let perDay) = defence {
      // Short captures hold more decoys than their time would.
      row.extraBytesPerDay = Double(perDay) * CoverTraffic.meanBytes(in: index)
      let before = Self.bytes(of: index, on: index.judgedFlows)
      let days = index.phoneDays
      row.bytes = before > 0 ? 1 + row.extraBytesPerDay * days / before : 1
    }
    judge(&row, defence, after)
    return row
  }

  private static func bytes(of index: TrafficIndex, on flows: [Int]) -> Double {
    flows.reduce(0.0) { sum, flow in
      index.order[index.places(of: flow)].reduce(sum) { $0 + Double(index.traffic.records[Int($1)].size) }
    }
  }

  private func price(_ row: inout DefenceRow, _ delays: [Double], bytes: Double) {
    let before = Self.bytes(of: index, on: index.judgedFlows)
    let days = index.phoneDays
    row.bytes = before > 0 ? bytes / before : 1
    row.extraBytesPerDay = days > 0 ? (bytes - before) / days : 0
    let late = EmpiricalDistribution(delays)
    row.delayMedian = late.median ?? 0
    row.delayHigh = late.quantile(0.95) ?? 0
    row.note = "Bytes a day are for the pace of the recorded connections, which may be faster than a person's day."
  }

  private func fill(_ row: inout DefenceRow, _ rate: ConstantRate) {
    let cost = rate.cost(of: index)
    price(&row, cost.delays, bytes: cost.bytes)
    row.extraBytesPerDay = 2 * Double(ConstantRate.size) * 86_400e9 / Double(rate.interval)
    let days = index.phoneDays
    if days > 0 { row.extraBytesPerDay -= Self.bytes(of: index, on: index.judgedFlows) / days }
    row.incoming = Estimate(0.5)
    row.sent = Estimate(0.5)
    row.falseAlarmsPerPhoneDay = Estimate(Self.hits * options.pushesPerDay)
    row.note =
      "0.5 by construction: all records are alike. That there is a connection, and other flows, remain to be seen."
  }

  /// How far size alone tells the classes apart.
  private func bySize(_ samples: Samples) -> Double? {
    guard let sizes = samples.columns.first else { return nil }
    return GroupedArea(scores: sizes, isPositive: samples.isPositive, groups: samples.captures)
      .estimate(nil, turned: true)?.value
  }

  private func judge(_ row: inout DefenceRow, _ defence: Defence, _ after: TrafficIndex) {
    var bySize: [String] = []
    for task in [DetectionTask.incoming, .sent] {
      let samples = task.samples(in: after)
      let plan = FoldPlan(samples)
      guard plan.kind != .none else { continue }
      let bootstrap =
        plan.captures >= Detection.fewestCaptures && plan.kind == .captures
        ? Bootstrap(repetitions: options.resamples, seed: options.seed) : nil
      let scores = ShapeClassifier.outOfFold(samples, plan).scores
      let judged = DefendedJudgement(
        samples, scores, isDecoy: samples.records.map { after.roles[Int($0)].contains(.decoy) }, bootstrap)
      var decoys = 0.0
      if case .cover(let perDay) = defence { decoys = Double(perDay) }
      if decoys == 0, let area = self.bySize(samples) {
        bySize.append("\(task.rawValue) \(Sentence.figure(area))")
      }
      if task == .incoming {
        row.incoming = judged.area(decoyShare: 0)
        continue
      }
      row.sent = judged.area(decoyShare: decoys / (decoys + options.pushesPerDay))
      row.falseAlarmsPerPhoneDay = judged.falseAlarms(
        atHits: Self.hits, pushes: options.pushesPerDay, decoys: decoys)
      if decoys > 0 {
        row.note +=
          " AUC and alarms are for \(Sentence.figure(options.pushesPerDay)) acks and \(Sentence.figure(decoys)) decoys a day."
        if let alone = judged.area(decoyShare: 1) {
          row.note +=
            " Sends against decoys alone: AUC \(Sentence.figure(alone.value)); decoys come at random times, sends in"
            + " conversations."
        }
      }
      if plan.kind == .time {
        row.note += " Cross-validated by time within captures, since too few hold both kinds."
      }
    }
    if !bySize.isEmpty { row.note += " AUC by size alone: \(bySize.joined(separator: ", "))." }
  }
}

/// Held-out scores where the negatives are of two sorts, whose shares a day has otherwise than the sample.
struct DefendedJudgement {
  private let scores: [Double], isPositive: [Bool], isDecoy: [Bool], groups: [Int32]
  private let bootstrap: Bootstrap?

  init(_ samples: Samples, _ scores: [Double?], isDecoy: [Bool], _ bootstrap: Bootstrap?) {
    let rows = scores.indices.filter { scores[$0] != nil }
    self.scores = rows.compactMap { scores[$0] }
    isPositive = rows.map { samples.isPositive[$0] }
    self.isDecoy = rows.map { isDecoy[$0] }
    groups = rows.map { samples.captures[$0] }
    self.bootstrap = bootstrap
  }

  /// The area where decoys are such a share of the negatives.
  func area(decoyShare: Double) -> Estimate? {
    func part(_ decoys: Bool) -> GroupedArea {
      GroupedArea(
        scores: scores.indices.map { !isPositive[$0] && isDecoy[$0] != decoys ? .nan : scores[$0] },
        isPositive: isPositive, groups: groups)
    }
    guard decoyShare > 0 else { return part(false).estimate(bootstrap) }
    return GroupedArea.estimate([(part(false), 1 - decoyShare), (part(true), decoyShare)], bootstrap)
  }

  /// False alarms of a day with so many acks and decoys, at the highest threshold that still finds such a share.
  func falseAlarms(atHits wanted: Double, pushes: Double, decoys: Double) -> Estimate? {
    let hits = scores.indices.filter { isPositive[$0] }.map { scores[$0] }.sorted(by: >)
    guard !hits.isEmpty else { return nil }
    let threshold = hits[min(hits.count - 1, max(0, Int((wanted * Double(hits.count)).rounded(.up)) - 1))]
    func share(_ decoys: Bool) -> Estimate? {
      let rows = scores.indices.filter { !isPositive[$0] && isDecoy[$0] == decoys }
      return GroupedShare.estimate(
        rows.map { scores[$0] >= threshold }, groups: rows.map { groups[$0] }, bootstrap)
    }
    guard let acks = share(false) else { return nil }
    let ofAcks = Judgement.daily(acks, perDay: pushes, share: 0)
    guard decoys > 0, let rate = share(true) else { return ofAcks }
    let ofDecoys = Judgement.daily(rate, perDay: decoys, share: 0)
    var sum = Estimate(ofAcks.value + ofDecoys.value)
    if let low = ofAcks.low, let other = ofDecoys.low { sum.low = low + other }
    if let high = ofAcks.high, let other = ofDecoys.high { sum.high = high + other }
    return sum
  }
}
