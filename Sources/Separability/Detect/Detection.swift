import Statistics
public import Truth

/// What shape tells of two kinds of traffic: sizes, directions, gaps, bursts, echoes and second flows.
///
/// The truth names what is judged; no feature comes from it. The same traffic and seed give the same answer.
public struct Detection: Sendable {
  /// What may be chosen.
  public struct Options: Sendable {
    /// The seed of the resamples.
    public var seed: UInt64 = 1
    /// How many resamples an interval is made of.
    public var resamples = 500
    /// Pushes that reach a phone in a day: 46 are the mean of Xue and others, FOCI 2023.
    public var pushesPerDay = 46.0
    /// The usual choice.
    public init() {}
  }

  /// Captures below which no interval is given: of fewer, drawing anew cannot say how captures differ.
  static let fewestCaptures = 4

  private let index: TrafficIndex
  private let options: Options
  private let names: (target: String, background: String)

  /// A study of the records of two kinds; a record of both counts as the target's.
  public init(
    traffic: LabelledTraffic, target: TrafficClass, background: TrafficClass, options: Options = Options()
  ) {
    index = TrafficIndex(
      traffic, roles: RecordRole.all(in: traffic, target: target, background: background))
    self.options = options
    names = (target.title, background.title)
  }

  /// A study with the usual choices but for the seed of the resamples.
  public init(traffic: LabelledTraffic, target: TrafficClass, background: TrafficClass, seed: UInt64) {
    var options = Options()
    options.seed = seed
    self.init(traffic: traffic, target: target, background: background, options: options)
  }

  /// All tasks, and the connection that shows both kinds best.
  public func result() -> DetectResult {
    var result = DetectResult()
    result.tasks = DetectionTask.allCases.map(task)
    result.timeline = TimelineChoice(index).timeline
    return result
  }

  private func task(_ kind: DetectionTask) -> DetectTask {
    let samples = kind.samples(in: index)
    let plan = FoldPlan(samples)
    let bootstrap =
      plan.captures >= Self.fewestCaptures && plan.kind != .time
      ? Bootstrap(repetitions: options.resamples, seed: options.seed) : nil
    var task = DetectTask()
    task.id = kind.rawValue
    task.title = kind.title(target: names.target, background: names.background)
    task.unit = kind.unit
    (task.positives, task.negatives) = (samples.positives, samples.negatives)
    (task.capturesWithBoth, task.captures) = (plan.capturesWithBoth, plan.captures)
    task.sizes = SizeHistogram.pair(samples, kind)
    guard plan.kind != .none else {
      task.notes = [
        samples.count == 0
          ? "Neither \(names.target) nor \(names.background) has a \(kind.unit) of this kind here, so it cannot be asked."
          : samples.positives == 0
            ? "There is none of \(names.target) to be found here, so it cannot be asked."
            : "There is none of \(names.background) to tell it from, so it cannot be asked."
      ]
      return task
    }
    let rules = FeatureRules(samples, plan, task: kind, bootstrap: bootstrap)
    task.features = rules.rows
    let (scores, naiveBayes) = ShapeClassifier.outOfFold(samples, plan, withNaiveBayes: true)
    let judged = Judgement(samples, scores, bootstrap)
    task.classifier = judged.result
    let rate = dailyRate(kind, samples)
    task.baseRates = judged.baseRates(perDay: rate.perDay)
    if kind.judgesRecords {
      let others = kind.others(in: index)
      task.kinds = KindTable.rows(samples, others, rules, index)
      task.alsoHit = KindTable.alsoHit(others, rules, index)
    }
    task.sensitivity = Sensitivity(
      task: kind, samples: samples, plan: plan, scores: scores, index: index, bootstrap: bootstrap
    ).rows()
    task.notes = notes(kind, samples, plan, rules, judged, naiveBayes, bootstrap) + [rate.note]
    return task
  }

  /// How much of the two kinds one phone has to be judged in a day, and where that is from.
  private func dailyRate(_ kind: DetectionTask, _ samples: Samples) -> (perDay: Double, note: String) {
    let pushes = Sentence.figure(options.pushesPerDay)
    switch kind {
    case .sent, .incoming:
      return (
        options.pushesPerDay,
        "False alarms a day are for \(pushes) pushes a day (mean of Xue and others, FOCI 2023), each with one record"
          + " \(kind == .sent ? "up" : "down")."
      )
    case .record:
      let negatives = (0..<samples.count).filter { !samples.isPositive[$0] }
      let pushed = negatives.count { row in
        let role = index.roles[Int(samples.records[row])]
        return role.contains(.content) && !index.traffic.records[Int(samples.records[row])].isUp
      }
      let each = pushed > 0 ? Double(negatives.count) / Double(pushed) : 1
      return (
        options.pushesPerDay * each,
        "False alarms a day are for \(pushes) pushes a day (mean of Xue and others, FOCI 2023) of"
          + " \(Sentence.figure(each)) records each, as many as here."
      )
    case .burst, .minute, .connection:
      let days = index.phoneDays
      let perDay = days > 0 ? Double(samples.count + samples.notKept) / days : 0
      return (
        perDay,
        "False alarms a day are for \(Sentence.figure(perDay)) \(kind.unit)s a phone and day, the rate seen here over"
          + " \(Sentence.figure(days * 24)) hours; a lab's clock may run faster than a person's day."
      )
    }
  }

  private func notes(
    _ kind: DetectionTask, _ samples: Samples, _ plan: FoldPlan, _ rules: FeatureRules, _ judged: Judgement,
    _ naiveBayes: [Double?], _ bootstrap: Bootstrap?
  ) -> [String] {
    var notes: [String] = []
    if plan.kind == .time {
      let held =
        plan.capturesWithBoth == 1 ? "Only one capture holds both kinds" : "No capture holds both kinds"
      notes.append(
        "\(held): cross-validation by capture was not possible. Rules and classifier were judged on fifths of the time"
          + " that they were not trained on; this speaks for these captures only, and there are no intervals.")
    } else {
      notes.append(
        "Rules and classifier were judged on captures that they were not trained on"
          + (plan.captures > FoldPlan.maximumFolds ? ", a tenth of them at a time." : ", one at a time."))
      if plan.capturesWithBoth < 2 {
        notes.append(
          "Fewer than two captures hold both kinds, so what differs between captures may pass for what differs between"
            + " kinds.")
      }
      if plan.captures < 10 {
        notes.append("With \(plan.captures) captures the intervals are rather too narrow than too wide.")
      }
    }
    if judged.unjudged > 0 {
      notes.append("\(judged.unjudged) could not be judged: without their captures one of the kinds is missing.")
    }
    if let hits = FeatureRules.share(rules.heldOut, samples, positive: true, bootstrap),
      let alarms = FeatureRules.share(rules.heldOut, samples, positive: false, bootstrap)
    {
      notes.append(
        "Where the training captures also choose the feature of the best rule: \(Sentence.percent(hits)) hits,"
          + " \(Sentence.percent(alarms)) false alarms.")
    }
    if let area = Judgement(samples, naiveBayes, nil).result?.auc {
      notes.append("Naive Bayes on the same bins: AUC \(Sentence.figure(area.value)).")
    }
    if judged.isPerfect {
      notes.append(
        "The classifier made no error here, so the interval of its AUC only says that the captures agree; those of hits"
          + " and false alarms say what so many can exclude.")
    }
    notes.append("Times between messages are those of these captures; who writes more seldom leaves longer gaps.")
    if kind.judgesRecords {
      notes.append(
        "The classifier also uses what follows a record within a second and the next records, so a box that judges by it"
          + " does so afterwards; a rule on size alone can judge at once.")
    }
    if samples.notKept > 0 {
      notes.append(
        "Of more than \(Samples.maximumRows) of a kind every so-manieth was judged; \(samples.notKept) were not.")
    }
    return notes
  }
}

extension DetectionTask {
  /// What is asked, in a sentence's part.
  func title(target: String, background: String) -> String {
    switch self {
    case .sent: "messages of \(target) that the phone sends, against all that it sends because of \(background)"
    case .incoming: "messages of \(target) that reach the phone, against \(background) that reach it"
    case .record: "any record of \(target), against any of \(background)"
    case .burst: "bursts with \(target) in them, against bursts with \(background) only"
    case .minute: "minutes with \(target) in them, against minutes with \(background) only"
    case .connection: "connections that carry \(target), against those that carry \(background) only"
    }
  }
}

/// Numbers in sentences.
enum Sentence {
  /// A number with three significant digits, without needless zeros.
  static func figure(_ value: Double) -> String {
    guard value.isFinite else { return "no number" }
    let magnitude = abs(value)
    let scale = magnitude >= 100 ? 1.0 : magnitude >= 10 ? 10 : magnitude >= 1 ? 100 : 1_000
    let rounded = (value * scale).rounded() / scale
    return Int(exactly: rounded).map { String($0) } ?? String(rounded)
  }

  /// A share as per cent.
  static func percent(_ estimate: Estimate) -> String { "\(figure(estimate.value * 100)) %" }
}
