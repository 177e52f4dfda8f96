import Foundation
import Pages
import Truth

extension Study {
  /// Writes the answers, and what there is to say about method and limits, from the results.
  mutating func explain() {
    answers.identify = identifyAnswer()
    answers.detect = detectAnswer()
    answers.act = actAnswer()
    method = methodSentences()
    assumptions = Self.assumptions
    limits = limitSentences()
  }

  private var pair: String { "\(target.title) from \(background.title)" }

  /// Whether both kinds run on the same connections.
  private var isShared: Bool { identify.sharedConnections > 0 }

  private func identifyAnswer() -> [String] {
    let measured = identify.rows.filter { $0.bitsOnPhone != nil }
    guard !measured.isEmpty else {
      return [
        "No capture here holds both \(target.title) and \(background.title), so nothing can be said about one phone's traffic."
      ]
    }
    var sentences: [String] = []
    let telling = measured.filter { ($0.bitsOnPhone?.value ?? 0) >= 0.99 }.map(\.identifier)
    let best = measured.max { ($0.bitsOnPhone?.value ?? 0) < ($1.bitsOnPhone?.value ?? 0) }
    if !telling.isEmpty {
      sentences.append(
        "Yes. On one phone, \(listed(telling)) \(telling.count == 1 ? "tells" : "each tell") \(pair) completely: 1 bit of 1."
      )
    } else if let best, isNothing(best) {
      sentences.append(
        "No. On one phone no identifier of a flow tells \(pair): of \(measured.count) looked at, the best gives \(bits(best)) bits of 1\(best.bitsByChance.map { $0 > 0.005 ? ", and shuffled labels give up to \(Numbers.decimal($0, places: 2))" : "" } ?? "")."
      )
    } else if let best {
      sentences.append(
        "Hardly. On one phone the best identifier, \(best.identifier), gives \(bits(best)) bits of 1\(best.bestError.map { "; a rule on it errs in \(Numbers.percent($0)) of cases, where guessing errs in 50 %" } ?? "")."
      )
    }
    if isShared {
      let all = target.flows
      sentences.append(
        "\(identify.sharedConnections) of the \(all) connections that carried \(target.title) carried \(background.title) too, and with them \(Numbers.percent(Double(identify.targetOnShared) / Double(max(1, target.records)))) of its records. What shares a connection shares its address, port, name and fingerprint."
      )
    } else {
      sentences.append("They never shared a connection.")
    }
    if [target.basis, background.basis].contains(where: { $0.hasSuffix("as Wiretag judges") }) {
      sentences.append(
        "Which flows are which Wiretag itself has judged, by these identifiers among other things: no independent finding."
      )
    }
    return sentences
  }

  private func isNothing(_ row: IdentifierRow) -> Bool {
    guard let bits = row.bitsOnPhone?.value else { return true }
    return bits < 0.005 || row.bitsByChance.map { bits <= $0 } ?? false
  }

  private func bits(_ row: IdentifierRow) -> String {
    let bits = row.bitsOnPhone?.value ?? 0
    return bits > 0 && bits < 0.005 ? "less than 0.01" : Numbers.decimal(bits, places: 2)
  }

  private func detectAnswer() -> [String] {
    let (sent, received) = (task("sent"), task("incoming"))
    let records = [sent, received].compactMap { $0 }
    guard !records.isEmpty || task("record") != nil else {
      return ["Shape could not be judged: there is too little of one kind, or only one capture that has both."]
    }
    var sentences = [summary(sent, received)]
    if let sent { sentences += sentSentences(sent) }
    if let received { sentences += receivedSentences(received) }
    let windows = [("burst", "bursts"), ("minute", "minutes"), ("connection", "connections")].compactMap { id, words in
      task(id)?.classifier?.auc.map { "\(words) \(Self.words($0))" }
    }
    if records.isEmpty, let auc = task("record")?.classifier?.auc {
      sentences.append("Any single record: AUC \(Self.words(auc)), where 0.5 is guessing and 1 never errs.")
    }
    if !windows.isEmpty { sentences.append("AUC by larger units: \(listed(windows)).") }
    return sentences
  }

  /// A task that could be judged.
  private func task(_ id: String) -> DetectTask? {
    detect.tasks.first { $0.id == id && $0.classifier?.auc != nil }
  }

  private func summary(_ sent: DetectTask?, _ received: DetectTask?) -> String {
    func words(_ task: DetectTask) -> String {
      let auc = task.classifier?.auc?.value ?? 0.5
      return auc >= 0.95 ? "leaks" : auc >= 0.7 ? "leaks in part" : "leaks little"
    }
    var parts: [String] = []
    if target.isMessages, let sent { parts.append("What a phone sends \(words(sent))") }
    if target.isMessages, let received {
      let isSame = sent.map { words($0) == words(received) } ?? false
      parts.append(
        isSame ? "and so does what it receives" : "\(sent == nil ? "W" : "w")hat it receives \(words(received))")
    }
    guard !parts.isEmpty else {
      let auc = ["record", "minute", "connection"].compactMap { task($0)?.classifier?.auc?.value }.max() ?? 0.5
      return auc >= 0.95
        ? "Yes. Shape tells \(pair)."
        : auc >= 0.7 ? "In part: shape tells something of \(pair)." : "Hardly: shape tells little."
    }
    return parts.joined(separator: ", ") + "."
  }

  private func sentSentences(_ task: DetectTask) -> [String] {
    var sentences: [String] = []
    if let size = sizeRule(task) { sentences.append("Sent: \(size)") }
    let others = task.alsoHit.filter { !$0.name.hasPrefix(target.ownKinds) && !$0.name.hasSuffix(target.ownAcks) }
    let (flagged, count) = others.reduce((0, 0)) { ($0.0 + $1.flagged, $0.1 + $1.count) }
    if flagged > 0 {
      sentences.append(
        "That is no proof of \(target.title): the rule also flags \(flagged) of the \(count) other records that these phones sent\(target.isMessages ? ", such as filter updates, look-ups and status" : " on the same flows")."
      )
    }
    return sentences + falseAlarms(task, "Sent")
  }

  private func receivedSentences(_ task: DetectTask) -> [String] {
    var sentences: [String] = []
    if let words = sizeRule(task) { sentences.append("Received: \(words)") }
    let bySize = task.features.first { $0.feature.hasPrefix("record size") }?.auc
    if let auc = task.classifier?.auc, let bySize, auc.value > bySize.value + 0.005 {
      sentences.append(
        "With what comes before and after a record: AUC \(Self.words(auc)). \(target.isMessages ? "A phone answers a message with a delivery receipt, a notification with an acknowledgement only." : "")"
          .trimmingCharacters(in: .whitespaces))
    }
    return sentences + falseAlarms(task, "Received")
  }

  /// What the rule on size alone does.
  private func sizeRule(_ task: DetectTask) -> String? {
    guard let row = task.features.first(where: { $0.feature.hasPrefix("record size") }), let hits = row.hits,
      let alarms = row.falseAlarms, !row.rule.isEmpty
    else { return nil }
    let errs =
      alarms.value == 0
      ? "none of the \(task.negatives) records of \(background.title)"
      : "\(Numbers.percent(alarms.value)) of the records of \(background.title)"
    return
      "size alone (\(row.rule)) finds \(Numbers.percent(hits.value)) of \(task.positives) and errs on \(errs)\(row.auc.map { "; AUC \(Self.words($0)), where 0.5 is guessing and 1 never errs" } ?? "")."
  }

  private func falseAlarms(_ task: DetectTask, _ subject: String) -> [String] {
    guard let row = task.baseRates.first(where: { $0.share == 0.01 }), let precision = row.precision else { return [] }
    // Without an interval the figure says more than a few captures can.
    guard let low = precision.low, let high = precision.high else { return [] }
    return [
      "\(subject), where one record in a hundred is \(target.title): \(Numbers.percent(1 - precision.value)) of the classifier's alarms are false (\(Numbers.percent(1 - high)) to \(Numbers.percent(1 - low)))."
    ]
  }

  static func words(_ estimate: Estimate) -> String {
    let value = Numbers.decimal(estimate.value, places: 2)
    guard let low = estimate.low, let high = estimate.high else { return value }
    return "\(value) (\(Numbers.decimal(low, places: 2)) to \(Numbers.decimal(high, places: 2)))"
  }

  private func actAnswer() -> [String] {
    guard let act else {
      return isShared
        ? [
          "What a rule would do to live connections was not measured for this pair. Both share connections, so that a box which drops, resets or delays packets of one hits the other too; how much depends on the rule."
        ]
        : [
          "A rule that matches the flows of \(target.title) can act on them without touching \(background.title): they run on flows of their own. Which other services such a rule would hit is another question."
        ]
    }
    let rules = act.rules.filter { $0.unit != "none" && $0.notifications != nil }
    func hit(_ fate: ActTable.Fate?) -> Double {
      guard let fate, fate.sent > 0 else { return 0 }
      return Double(fate.lost + fate.late) / Double(fate.sent)
    }
    func lost(_ fate: ActTable.Fate?) -> Double {
      guard let fate, fate.sent > 0 else { return 0 }
      return Double(fate.lost) / Double(fate.sent)
    }
    func words(_ fate: ActTable.Fate?) -> String {
      "\(Numbers.percent(lost(fate))) lost, \(Numbers.percent(hit(fate) - lost(fate))) late"
    }
    /// The rule that hits at least half of some messages at the least cost to notifications.
    func cheapest(_ fate: (ActTable.Rule) -> ActTable.Fate?) -> ActTable.Rule? {
      rules.filter { hit(fate($0)) >= 0.5 }.min {
        // Less than one in a hundred more is no difference; of such rules the one that loses most counts.
        (Int(hit($0.notifications) * 100), -lost(fate($0))) < (Int(hit($1.notifications) * 100), -lost(fate($1)))
      }
    }
    func isFree(_ rule: ActTable.Rule?) -> Bool { rule.map { hit($0.notifications) < 0.01 } ?? false }
    let (out, into) = (cheapest(\.imessageOut), cheapest(\.imessageIn))
    var sentences = [
      isFree(out) && isFree(into)
        ? "Rules were found that hit iMessages and spare notifications."
        : isFree(out)
          ? "What is sent can be hit and notifications spared; what is received cannot, by the rules tried."
          : "No rule tried hit iMessages and spared notifications."
    ]
    if let out {
      var text =
        "Sent: \u{201C}\(out.title)\u{201D}: iMessages \(words(out.imessageOut)); notifications \(words(out.notifications))"
      if let others = out.otherServicesSent { text += "; what other Apple services sent \(words(others))" }
      sentences.append(text + ".")
    }
    if let into {
      sentences.append(
        "Received: the rule that hit at least half of them at the least cost, \u{201C}\(into.title)\u{201D}: iMessages \(words(into.imessageIn)); notifications \(words(into.notifications))."
      )
    }
    sentences.append(
      "\(rules.count) rules, \(act.repetitions) phones each, on live connections in the lab; late is more than a second. How real couriers and phones answer to a stalled direction is not known."
    )
    return sentences
  }

  private func methodSentences() -> [String] {
    var sentences = [
      "\(Numbers.grouped(captures.reduce(0) { $0 + $1.records })) records (TLS records of application data, TCP segments without TLS, UDP datagrams) of \(Numbers.grouped(captures.count)) captures were read. \(target.title) is known by: \(target.basis). \(background.title) is known by: \(background.basis).",
      "Truth comes from decryption, truth files or labels and reaches no verdict and no feature; a classifier sees sizes, directions and times only.",
      "Identify: mutual information of an identifier's value and the kind, in bits, both kinds weighing the same, within captures that hold both; beside it what shuffled labels give in 95 of 100 cases.",
      "Detect: rules and classifiers (logistic regression on binned features, L2 penalty) are judged on captures that they were not learnt from, leaving out one at a time. Intervals are 95 %, by drawing captures with replacement 1,000 times.",
      "Base rates: precision = share x hits / (share x hits + (1 - share) x false alarms). A phone gets 46 pushes a day (Xue et al., FOCI 2023).",
    ]
    if act != nil {
      sentences.append(
        "Act: the kernel's own packet filters on the access path of the lab, real TLS connections in real time, phones that reconnect and fall back as described; what arrived, when, by the endpoints' own logs."
      )
    }
    return sentences
  }

  private static let assumptions = [
    "On the lab's samples the sizes are those of a model: framing, fields and caches follow published descriptions, ciphertexts have the lengths of published encryption (pair-ec, 16-byte steps), alert texts and their shares are assumed (tools/lab/lengths).",
    "Gaps between acts are the scenario's, not people's; times within an act are real. Features of time say less about the world than features of size.",
    "A capture counts as one phone.",
  ]

  private func limitSentences() -> [String] {
    var sentences = [
      "Few captures give wide intervals; nothing here is the rate of a population.",
      "A classifier better than the ones tried may exist. Low figures say what these could not do, not what nobody can.",
      "Both ends seen at once (a message going up here and down there) tell more than one end; that was not tried.",
      "Records of a real Mac's connection in 2025 include kinds that the lab does not make (11 to 12 KB down, 382 bytes up), so that the samples are quieter than reality.",
    ]
    if captures.contains(where: { $0.labels.contains("no truth") }) {
      sentences.insert(
        "Some labels are Wiretag's own verdicts. They are no truth: what the verdict rests on will seem to tell the kinds apart.",
        at: 0)
    }
    return sentences
  }

  private func listed(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " and " + last
  }
}

extension ClassSummary {
  /// Whether it is a class of messages.
  fileprivate var isMessages: Bool { basis == TrafficClass.Basis.messageClass.rawValue }
  /// How its kinds' names begin, and its acknowledgements' end; never matched where it is no class of messages.
  fileprivate var ownKinds: String { isMessages ? "\(singular)." : "\u{0}" }
  fileprivate var ownAcks: String { isMessages ? "of \(singular)" : "\u{0}" }
  private var singular: String { name.last == "s" && name != "status" ? String(name.dropLast()) : name }
}
