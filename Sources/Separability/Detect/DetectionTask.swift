import Truth

/// The questions that are asked of shape.
enum DetectionTask: String, CaseIterable, Sendable {
  case sent, incoming, record, burst, minute, connection

  /// Whether single records are judged.
  var judgesRecords: Bool { self == .sent || self == .incoming || self == .record }

  /// What is judged, in a word.
  var unit: String { judgesRecords ? "record" : rawValue }

  /// The direction of what is judged; nil for both.
  var isUp: Bool? { self == .sent ? true : self == .incoming ? false : nil }

  /// What is judged, in the background and in the target, for one task.
  func samples(in index: TrafficIndex) -> Samples {
    switch self {
    case .burst: return WindowFeatures.samples(.burst, in: index)
    case .minute: return WindowFeatures.samples(.minute, in: index)
    case .connection: return WindowFeatures.samples(.connection, in: index)
    case .sent, .incoming, .record: break
    }
    let (positives, negatives) = records(in: index)
    return samples(
      positives: Samples.thinned(positives, to: Samples.maximumRows),
      negatives: Samples.thinned(negatives, to: Samples.maximumRows), in: index,
      notKept: max(0, positives.count - Samples.maximumRows) + max(0, negatives.count - Samples.maximumRows))
  }

  /// Records of neither, and of the target what is no content, on connections that are judged: what a rule also hits.
  func others(in index: TrafficIndex) -> Samples {
    guard judgesRecords else { return Samples(features: features) }
    let (positives, negatives) = records(in: index)
    var isJudged = [Bool](repeating: false, count: index.traffic.records.count)
    for record in positives + negatives { isJudged[Int(record)] = true }
    let others = index.judgedFlows.flatMap { flow in
      index.order[index.places(of: flow)].filter { number in
        !isJudged[Int(number)] && (isUp == nil || index.traffic.records[Int(number)].isUp == isUp)
      }
    }
    return samples(positives: [], negatives: Samples.thinned(others, to: Samples.maximumRows), in: index, notKept: 0)
  }

  /// Record numbers of target and background for this task.
  ///
  /// Where some of a class is content, only that counts; what the phone sends for the background are acks, so of it
  /// everything counts.
  private func records(in index: TrafficIndex) -> (positives: [Int32], negatives: [Int32]) {
    let records = index.traffic.records
    func chosen(_ role: RecordRole, contentOnly: Bool) -> [Int32] {
      var content: [Int32] = []
      var all: [Int32] = []
      for number in records.indices where index.roles[number].contains(role) {
        guard isUp == nil || records[number].isUp == isUp, records[number].flow >= 0,
          Int(records[number].flow) < index.traffic.flows.count
        else { continue }
        all.append(Int32(clamping: number))
        if index.roles[number].contains(.content) { content.append(Int32(clamping: number)) }
      }
      return contentOnly && !content.isEmpty ? content : all
    }
    return (
      chosen(.target, contentOnly: self != .record), chosen(.background, contentOnly: self == .incoming)
    )
  }

  /// The features of this task's unit.
  private var features: [Feature] {
    switch self {
    case .sent, .incoming: RecordFeatures.all.enumerated().filter { $0.offset != 1 }.map(\.element)
    case .record: RecordFeatures.all
    case .burst: Array(WindowFeatures.all.dropLast())
    case .minute, .connection: WindowFeatures.all
    }
  }

  private func samples(positives: [Int32], negatives: [Int32], in index: TrafficIndex, notKept: Int) -> Samples {
    let rows = (positives.map { ($0, true) } + negatives.map { ($0, false) }).sorted { $0.0 < $1.0 }
    var samples = Samples(features: features)
    samples.records = rows.map(\.0)
    samples.isPositive = rows.map(\.1)
    samples.captures = rows.map { index.captures[Int(index.traffic.records[Int($0.0)].flow)] }
    samples.times = rows.map { index.traffic.records[Int($0.0)].time }
    samples.columns = RecordFeatures.columns(of: samples.records, in: index)
    if isUp != nil { samples.columns.remove(at: 1) }
    samples.notKept = notKept
    return samples
  }
}
