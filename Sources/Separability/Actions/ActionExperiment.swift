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

  private let traffic: LabelledTraffic
  private let seed: UInt64
  private let bootstrap: Bootstrap
  private let samples: [Sample]

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

  private struct ScriptStream: Hashable {
    var flow: Int
    var isUp: Bool
    var script: Int
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

  /// Payloads by which a connection is judged at once.
  static let packets = 5
  /// The most such groups of payloads.
  static let maximumGroups = 2_000

  private func framingRow() -> ActionStudy.Row {
    var row = ActionStudy.Row()
    row.question = "operating system"
    row.theirs = "binomial naive Bayes on payload lengths: 100 % (iOS and OS X)"
    row.method =
      "the same on the framing (today's and the older one), \(Self.packets) payloads of a connection at a time"
    row.remark =
      "There are no two operating systems here, but one model of the protocol: the framing stands in. Theirs differed in"
      + " compression, ours differ in header compression."
    var groups: [(isOlder: Bool, capture: Int, keys: Set<LengthLookup.Key>)] = []
    var pending: [Int: Set<LengthLookup.Key>] = [:]
    var counts: [Int: Int] = [:]
    for sample in samples {
      guard let framing = traffic.flows[sample.flow].framing, framing == "pack" || framing == "tlv" else { continue }
      pending[sample.flow, default: []].insert(.init(length: sample.length, isOutgoing: sample.isUp))
      counts[sample.flow, default: 0] += 1
      if counts[sample.flow] == Self.packets {
        groups.append((framing == "tlv", sample.capture, pending[sample.flow] ?? []))
        pending[sample.flow] = nil
        counts[sample.flow] = nil
      }
    }
    groups = Samples.thinned(groups, to: Self.maximumGroups)
    row.samples = groups.count
    let older = groups.count(where: \.isOlder)
    guard min(older, groups.count - older) >= 2 else {
      row.ours = "cannot be asked"
      row.remark = "Only one framing is here, and not two operating systems."
      return row
    }
    var columns: [LengthLookup.Key: Int] = [:]
    for group in groups {
      for key in group.keys.sorted(by: { ($0.length, $0.isOutgoing ? 0 : 1) < ($1.length, $1.isOutgoing ? 0 : 1) })
      where columns[key] == nil { columns[key] = columns.count }
    }
    let rows = groups.map { group in
      var row = [Double](repeating: 0, count: columns.count)
      for key in group.keys { if let column = columns[key] { row[column] = 1 } }
      return row
    }
    guard let matrix = FeatureMatrix(rows: rows) else { return row }
    func right(_ folds: [Int]) -> [Bool?] {
      let said = CrossValidation.outOfFold(folds: folds) { training in
        BernoulliNaiveBayes(
          matrix.selecting(training), classes: training.map { groups[$0].isOlder ? 1 : 0 }, classCount: 2)
      } predict: { model, place in
        model.predict(matrix[place])
      }
      return said.enumerated().map { place, guess in guess.map { ($0 == 1) == groups[place].isOlder } }
    }
    func share(_ answers: [Bool?]) -> Estimate? {
      let judged = answers.indices.filter { answers[$0] != nil }
      return GroupedShare.estimate(
        judged.map { answers[$0] == true }, groups: judged.map { Int32(clamping: groups[$0].capture) }, bootstrap)
    }
    row.figure = share(right(ClosedWorld.folds(groups.map { $0.isOlder ? 1 : 0 }, count: Self.folds, seed: seed)))
    row.ours = row.figure.map { "\(Sentence.percent($0))" } ?? "not judged"
    let captures = CrossValidation.groups(groups.map(\.capture), folds: FoldPlan.maximumFolds)
    if let unseen = share(right(captures)) {
      row.remark += " On captures that were not trained on: \(Sentence.percent(unseen))."
    }
    return row
  }

  /// Texts of one script by which it is judged at once.
  static let texts = 5

  private func languageRow() -> ActionStudy.Row {
    var row = ActionStudy.Row()
    row.question = "language"
    row.theirs = "multinomial naive Bayes over many messages: 98 % (six languages)"
    row.method = "the same on the script, \(Self.texts) texts of a connection and direction at a time"
    var groups: [(script: Int, capture: Int, counts: [LengthLookup.Key: Double])] = []
    var pending: [ScriptStream: [LengthLookup.Key]] = [:]
    let scripts = Set(samples.compactMap(\.script)).sorted()
    for sample in samples where Self.actions[sample.action].0 == "text" {
      guard let script = sample.script.flatMap(scripts.firstIndex) else { continue }
      let stream = ScriptStream(flow: sample.flow, isUp: sample.isUp, script: script)
      pending[stream, default: []].append(.init(length: sample.length, isOutgoing: sample.isUp))
      guard let keys = pending[stream], keys.count == Self.texts else { continue }
      groups.append((script, sample.capture, keys.reduce(into: [:]) { $0[$1, default: 0] += 1 }))
      pending[stream] = nil
    }
    groups = Samples.thinned(groups, to: Self.maximumGroups)
    row.samples = groups.count
    let perScript = scripts.indices.map { script in groups.count { $0.script == script } }
    guard perScript.count(where: { $0 >= 2 }) >= 2 else {
      row.ours = "cannot be asked"
      row.remark = "It is not known here in which language or script the texts are, or too few are known."
      return row
    }
    var columns: [LengthLookup.Key: Int] = [:]
    for sample in samples where sample.script != nil {
      let key = LengthLookup.Key(length: sample.length, isOutgoing: sample.isUp)
      if columns[key] == nil { columns[key] = columns.count }
    }
    let rows = groups.map { group in
      var row = [Double](repeating: 0, count: columns.count)
      for (key, count) in group.counts { if let column = columns[key] { row[column] = count } }
      return row
    }
    guard let matrix = FeatureMatrix(rows: rows) else { return row }
    let said = CrossValidation.outOfFold(
      folds: ClosedWorld.folds(groups.map(\.script), count: Self.folds, seed: seed)
    ) { training in
      MultinomialNaiveBayes(
        matrix.selecting(training), classes: training.map { groups[$0].script }, classCount: scripts.count)
    } predict: { model, place in
      model.predict(matrix[place])
    }
    let judged = said.indices.filter { said[$0] != nil }
    row.figure = GroupedShare.estimate(
      judged.map { said[$0] == groups[$0].script }, groups: judged.map { Int32(clamping: groups[$0].capture) },
      bootstrap)
    row.ours = row.figure.map { "\(Sentence.percent($0)) (\(scripts.joined(separator: ", ")))" } ?? "not judged"
    row.remark =
      "Scripts stand in for languages: a script decides how many bytes a character takes, while languages differ in how"
      + " long their sentences are and how well they compress. The lab's texts are of a modelled length."
    return row
  }

  private func lengthRow() -> ActionStudy.Row {
    var row = ActionStudy.Row()
    row.question = "message length"
    row.theirs = "linear regression on payload length: mean absolute error of 6.27 characters (18.4 %)"
    row.method = "a straight line for each direction and framing, ten folds; texts to one device"
    let texts = samples.filter { $0.textLength >= 0 && $0.devices <= 1 && Self.actions[$0.action].0 == "text" }
    row.samples = texts.count
    let groups = texts.map { text in
      (text.isUp ? 1 : 0) + (traffic.flows[text.flow].framing == "tlv" ? 2 : 0)
    }
    guard texts.count >= Self.minimumSamples else {
      row.ours = "cannot be asked"
      row.remark = "Too few texts say how long they are."
      return row
    }
    func errors(_ folds: [Int]) -> [Double?] {
      var errors = [Double?](repeating: nil, count: texts.count)
      for group in Set(groups).sorted() {
        let own = texts.indices.filter { groups[$0] == group }
        let said = CrossValidation.outOfFold(folds: own.map { folds[$0] }) { training in
          LinearRegression(
            x: training.map { Double(texts[own[$0]].length) }, y: training.map { Double(texts[own[$0]].textLength) })
        } predict: { line, place in
          line.predict(Double(texts[own[place]].length))
        }
        for (place, guess) in said.enumerated() {
          errors[own[place]] = guess.map { abs($0 - Double(texts[own[place]].textLength)) }
        }
      }
      return errors
    }
    func mean(_ errors: [Double?]) -> Estimate? {
      let judged = errors.indices.filter { errors[$0] != nil }
      let values = judged.compactMap { errors[$0] }
      guard !values.isEmpty else { return nil }
      let value = values.reduce(0, +) / Double(values.count)
      guard let interval = bootstrap.mean(values, groups: judged.map { texts[$0].capture }) else {
        return Estimate(value)
      }
      return Estimate(value, low: interval.low, high: interval.high)
    }
    let folds = ClosedWorld.folds(groups, count: Self.folds, seed: seed)
    row.figure = mean(errors(folds))
    let meanLength = texts.reduce(0.0) { $0 + Double($1.textLength) } / Double(texts.count)
    guard let figure = row.figure, meanLength > 0 else {
      row.ours = "not judged"
      return row
    }
    row.ours =
      "mean absolute error of \(Sentence.figure(figure.value)) characters"
      + " (\(Sentence.figure(100 * figure.value / meanLength)) % of the mean length, \(Sentence.figure(meanLength)))"
    row.remark = "Characters, of which some take more than a byte; the figure is an error, so less leaks more."
    if let unseen = mean(errors(CrossValidation.groups(texts.map(\.capture), folds: FoldPlan.maximumFolds))) {
      row.remark += " On captures that were not trained on: \(Sentence.figure(unseen.value))."
    }
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
      "Theirs were an iPhone and a Mac of 2013; ours is one model of today's protocol, made from published descriptions."
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
