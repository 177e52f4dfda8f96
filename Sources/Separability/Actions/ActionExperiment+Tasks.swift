import Statistics
import Truth

/// Their tasks beside user actions: operating system, language, length.
extension ActionExperiment {
  private struct ScriptStream: Hashable {
    var flow: Int
    var isUp: Bool
    var script: Int
  }

  /// Payloads by which a connection is judged at once.
  static let packets = 5
  /// The most such groups of payloads.
  static let maximumGroups = 2_000

  func framingRow() -> ActionStudy.Row {
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

  func languageRow() -> ActionStudy.Row {
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

  func lengthRow() -> ActionStudy.Row {
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
}
