import Statistics
public import Truth

/// Coull and Dyer's experiment (ACM SIGCOMM CCR 44(5), 2014): what payload lengths tell of iMessage traffic in which
/// there is nothing else.
///
/// Run as they did: user actions by a table of lengths, the operating system by naive Bayes, the length of a text by a
/// straight line, in ten folds of one closed world; and once more with whole captures held out.
public struct ActionExperiment: Sendable {
  /// Their five actions and the kinds that they are here.
  static let actions = [
    ("start typing", "imessage.typing_start"), ("stop typing", "imessage.typing_stop"), ("text", "imessage.text"),
    ("attachment", "imessage.attachment"), ("read", "imessage.read"),
  ]
  /// Folds of the closed world.
  static let folds = 10
  /// Samples below which the experiment is not run.
  static let minimumSamples = 20
  /// The most samples of a question; of more, every so-manieth is taken.
  static let maximumSamples = 100_000

  let traffic: LabelledTraffic
  let seed: UInt64
  let bootstrap: Bootstrap
  let samples: [Sample]

  /// A payload that one of the five actions made.
  struct Sample {
    var action: Int
    var length: Int
    var isUp: Bool
    var capture: Int
    var flow: Int
    var textLength: Int
    var devices: Int
    var script: String?
  }

  /// The experiment on what of the traffic is one of the five actions.
  ///
  /// `script` says in which script ("latin") the text of a record, named by its place, is written, where that is known.
  public init(
    traffic: LabelledTraffic, seed: UInt64 = 1, resamples: Int = 500, script: ((_ record: Int) -> String?)? = nil
  ) {
    self.traffic = traffic
    self.seed = seed
    bootstrap = Bootstrap(repetitions: resamples, seed: seed)
    var actionOf = [Int](repeating: -1, count: traffic.names.count)
    for (number, name) in traffic.names.enumerated() {
      actionOf[number] = Self.actions.firstIndex { $0.1 == name } ?? -1
    }
    var samples: [Sample] = []
    for (number, record) in traffic.records.enumerated() {
      let action = actionOf.indices.contains(Int(record.kind)) ? actionOf[Int(record.kind)] : -1
      guard action >= 0, traffic.flows.indices.contains(Int(record.flow)) else { continue }
      samples.append(
        Sample(
          action: action, length: Int(record.size), isUp: record.isUp, capture: traffic.capture(of: record),
          flow: Int(record.flow), textLength: Int(record.textLength), devices: Int(record.devices),
          script: script?(number)))
    }
    self.samples = Samples.thinned(samples, to: Self.maximumSamples)
  }

  /// Their questions beside ours; nil where there are too few of the actions.
  public func result() -> ActionStudy? {
    let kinds = Set(samples.map(\.action))
    guard samples.count >= Self.minimumSamples, kinds.count > 1 else { return nil }
    var study = ActionStudy()
    study.actions = Self.actions.map(\.0)
    let closed = ClosedWorld.folds(samples.map(\.action), count: Self.folds, seed: seed)
    let said = guesses(closed)
    study.confusion = confusion(said)
    study.rows = [
      actionRow(said), otherCapturesRow(), framingRow(), languageRow(), lengthRow(),
    ]
    study.differences = differences(kinds) + confusions(study.confusion)
    return study
  }

  private func guesses(_ folds: [Int]) -> [Int?] {
    let keys = samples.map { LengthLookup.Key(length: $0.length, isOutgoing: $0.isUp) }
    return CrossValidation.outOfFold(folds: folds) { training in
      LengthLookup(
        training.map { keys[$0] }, classes: training.map { samples[$0].action }, classCount: Self.actions.count)
    } predict: { table, sample in
      table.predict(keys[sample])
    }
  }

  private func confusion(_ said: [Int?]) -> [[Int]] {
    var counts = [[Int]](
      repeating: [Int](repeating: 0, count: Self.actions.count), count: Self.actions.count)
    for (sample, guess) in zip(samples, said) {
      if let guess { counts[sample.action][guess] += 1 }
    }
    return counts
  }

  /// The mean over actions of the share that was said right, as theirs had as many of each; with its interval.
  private func meanRecall(_ said: [Int?]) -> Estimate? {
    let captures = Set(samples.map(\.capture)).sorted()
    var placeOf: [Int: Int] = [:]
    for (place, capture) in captures.enumerated() { placeOf[capture] = place }
    let width = Self.actions.count
    var right = [Double](repeating: 0, count: captures.count * width)
    var all = right
    for (sample, guess) in zip(samples, said) {
      guard let guess, let capture = placeOf[sample.capture] else { continue }
      all[capture * width + sample.action] += 1
      if guess == sample.action { right[capture * width + sample.action] += 1 }
    }
    func mean(_ drawn: [Int]) -> Double? {
      var recalls: [Double] = []
      for action in 0..<width {
        let total = drawn.reduce(0.0) { $0 + all[$1 * width + action] }
        if total > 0 { recalls.append(drawn.reduce(0.0) { $0 + right[$1 * width + action] } / total) }
      }
      return recalls.isEmpty ? nil : recalls.reduce(0, +) / Double(recalls.count)
    }
    guard let value = mean(Array(captures.indices)) else { return nil }
    guard let interval = bootstrap.interval(groupCount: captures.count, statistic: mean) else { return Estimate(value) }
    return Estimate(value, low: interval.low, high: interval.high)
  }

  private func overall(_ said: [Int?]) -> String {
    let judged = zip(samples, said).filter { $1 != nil }
    guard !judged.isEmpty else { return "none could be judged" }
    let right = judged.count { $0.action == $1 }
    return "\(Sentence.figure(100 * Double(right) / Double(judged.count))) % of all \(judged.count)"
  }

  private func actionRow(_ said: [Int?]) -> ActionStudy.Row {
    var row = ActionStudy.Row()
    row.question = "user action"
    row.theirs = "a hash table keyed by payload length: 96 % over five actions"
    row.method = "a table from record length and direction to action, ten folds of all captures together"
    row.figure = meanRecall(said)
    row.ours = row.figure.map { "\(Sentence.percent($0)) (mean of the actions); \(overall(said))" } ?? "not judged"
    row.samples = samples.count
    row.remark =
      "A closed world like theirs: each fold was trained on records of the same connections. It checks the lab against"
      + " their table; it does not say that iMessage is told from notifications."
    return row
  }

  private func otherCapturesRow() -> ActionStudy.Row {
    var row = ActionStudy.Row()
    row.question = "user action, unseen captures"
    row.theirs = "not asked"
    row.method = "the same table, judged on captures that it was not trained on"
    row.samples = samples.count
    guard Set(samples.map(\.capture)).count > 1 else {
      row.ours = "cannot be asked"
      row.remark = "There is only one capture with these actions."
      return row
    }
    let said = guesses(CrossValidation.groups(samples.map(\.capture), folds: FoldPlan.maximumFolds))
    row.figure = meanRecall(said)
    row.ours = row.figure.map { "\(Sentence.percent($0)) (mean of the actions); \(overall(said))" } ?? "not judged"
    row.remark = "A length that was not seen in training counts as the nearest that was."
    return row
  }

  /// What was taken for something else in more than a tenth of its samples.
  private func confusions(_ counts: [[Int]]) -> [String] {
    counts.enumerated().flatMap { truth, row in
      row.enumerated().compactMap { said, count in
        let all = row.reduce(0, +)
        guard said != truth, count * 10 > all else { return nil }
        let names = (truth: Self.actions[truth].0, said: Self.actions[said].0)
        return
          "\(count) of \(all) \(names.truth) were taken for \(names.said): their records have the same lengths here."
      }
    }
  }

  private func differences(_ kinds: Set<Int>) -> [String] {
    var sentences = [
      "Theirs were an iPhone and a Mac before 2014; ours is one model of today's protocol, made from published descriptions."
        + " It agrees with them only as far as the model is right.",
      "Their payloads were of TLS 1.0 to 1.2; ours are mostly TLS 1.3, which adds 22 bytes to each message and nothing"
        + " that varies, so lengths are told to the byte.",
      "Messages now are encrypted for each device with pair-ec in steps of 16 bytes after gzip; theirs were not in steps,"
        + " so a length tells less of a text, and short texts share a length.",
      "Today's framing sends a header's fields once and then by reference (caches), so the first record of a kind on a"
        + " connection is longer than the later ones; theirs did not depend on what went before.",
      "A message goes to each of the recipient's devices in one record, so that its length grows with devices; theirs went"
        + " to one.",
      "They had as many of each action; ours are as frequent as in the captures, so the mean over actions is compared.",
      "Neither experiment has any traffic but iMessage in it: that a length is a text's does not say that it is not an"
        + " alert's.",
    ]
    let missing = Self.actions.indices.filter { !kinds.contains($0) }.map { Self.actions[$0].0 }
    if !missing.isEmpty { sentences.append("Not in these captures: \(missing.joined(separator: ", ")).") }
    if let unknown = traffic.names.firstIndex(of: "imessage.message") {
      let count = traffic.records.count { Int($0.kind) == unknown }
      if count > 0 {
        sentences.append("\(count) messages could be a text or an attachment as far as is known; they were left out.")
      }
    }
    return sentences
  }
}

/// Folds in which each class is dealt out evenly, as in an experiment that mixes all that was recorded.
enum ClosedWorld {
  /// The fold of each observation, from 0 to below `count`.
  static func folds(_ classes: [Int], count: Int, seed: UInt64) -> [Int] {
    var generator = SeededGenerator(seed: seed)
    var order = Array(classes.indices)
    for place in order.indices.reversed() where place > 0 {
      order.swapAt(place, generator.index(below: place + 1))
    }
    var folds = [Int](repeating: 0, count: classes.count)
    var dealt: [Int: Int] = [:]
    for observation in order {
      let place = dealt[classes[observation], default: 0]
      folds[observation] = place % max(1, count)
      dealt[classes[observation]] = place + 1
    }
    return folds
  }
}
