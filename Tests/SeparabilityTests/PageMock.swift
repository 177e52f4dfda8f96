import Separability

/// Studies that are made up: their figures come from no traffic and say nothing about any.
enum PageMock {
  /// A small generator with a fixed seed, so that the page is the same in every run.
  struct Random: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state ^ (state >> 29)) &* 0x9E37_79B9_7F4A_7C15
    }
  }

  static let hostile = [
    "<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "\" onload='x' &amp; \u{0}\u{1B}[31m\u{7F}",
    "שלום עולם \u{202E}gnp.exe", "عنوان \u{2066}طويل", "]]>", String(repeating: "very-long-name-", count: 40) + "end",
  ]

  /// A study with every part.
  static func full() -> Study {
    var study = Study()
    study.command = "wiretag separability captures/*.pcapng --between imessage,notifications --report out.html"
    study.target = summary("imessage", "iMessage", records: 1840, up: 910, down: 930)
    study.background = summary("notifications", "notifications", records: 5210, up: 2600, down: 2610)
    study.captures = (1...6).map { number in
      var capture = CaptureSummary()
      capture.name = "made-up-phone-\(number).pcapng"
      (capture.flows, capture.records, capture.target, capture.background) = (12, 1400 + number, 300 + number, 870)
      (capture.hours, capture.labels) = (3.5 * Double(number), number == 6 ? "truth file" : "decryption")
      return capture
    }
    study.answers.identify = [
      "No. Both ride one connection: its address, port and name say 0 bits about which record is which.",
      "All 41 connections that carried iMessage carried notifications, too.",
    ]
    study.answers.detect = [
      "Sent messages leak: a rule on record size finds 97 % of them (95 to 99 %) with 3 % false alarms.",
      "Incoming messages overlap ordinary alerts: AUC 0.71 (0.64 to 0.77).",
      "Where one record in 1,000 is iMessage, 2 of 100 alarms are right.",
    ]
    study.answers.act = [
      "A filter cannot drop one record alone: losing it stalls the connection and every notification on it.",
      "Dropping what the best rule flags lost 31 % of the notifications and delayed the rest by 14 s at the median.",
    ]
    study.identify = identify()
    study.detect.tasks = [
      task(
        "sent", "messages that the phone sends, against everything that it sends because of notifications", shift: 420,
        spread: 60),
      task("incoming", "messages that come in, against notifications that come in", shift: 60, spread: 110),
      withoutClassifier(),
    ]
    study.detect.timeline = timeline()
    study.actions = actions()
    study.act = act()
    study.defences = defences()
    study.method = [
      "Records are TLS application-data records, put together again from segments.",
      "Rules and classifier are judged on captures that they were not chosen on.",
    ]
    study.assumptions = ["The courier\u{2019}s framing is the packed one; sensitivity shows the older one, too."]
    study.limits = ["These figures are made up. They test the page, and say nothing about any traffic."]
    return study
  }

  /// The full study with hostile text in every name.
  static func hostileStudy() -> Study {
    var study = full()
    study.target.title = hostile[0]
    study.background.title = hostile[3]
    study.command = hostile[2]
    for (index, text) in hostile.enumerated() {
      var row = IdentifierRow()
      (row.identifier, row.sentence) = (text, text)
      row.values = [.init(value: text, target: 0.5, background: 0.1)]
      study.identify.rows.append(row)
      var capture = CaptureSummary()
      (capture.name, capture.labels) = (text, text)
      study.captures.append(capture)
      var kind = KindRow()
      kind.kind = text
      study.detect.tasks[0].kinds.append(kind)
      var defence = DefenceRow()
      (defence.name, defence.what, defence.note, defence.bytes) = (text, text, text, Double(index) + 1)
      defence.sent = Estimate(0.6)
      study.defences.append(defence)
      var rule = ActTable.Rule()
      (rule.name, rule.title, rule.what, rule.commands, rule.notes) = (text, text, text, [text], [text])
      rule.notifications = fate(30, 5, 3)
      study.act?.rules.append(rule)
    }
    study.detect.tasks[0].id = hostile[1]
    study.detect.tasks[0].classifier?.operatingPoints.append(
      .init(name: hostile[6], hits: Estimate(0.9), falseAlarms: Estimate(0.9)))
    study.detect.timeline?.title = hostile[4]
    study.actions?.actions[0] = hostile[1]
    study.answers.detect.append(hostile[5])
    return study
  }

  private static func summary(_ name: String, _ title: String, records: Int, up: Int, down: Int) -> ClassSummary {
    var summary = ClassSummary()
    (summary.name, summary.title, summary.basis) = (name, title, "class of message")
    (summary.records, summary.flows, summary.up, summary.down) = (records, 41, up, down)
    return summary
  }

  private static func identify() -> IdentifyResult {
    var result = IdentifyResult()
    (result.sharedConnections, result.connections, result.targetOnShared, result.backgroundOnShared) = (
      41, 44, 1840, 5100
    )
    let names = [
      "5-tuple", "server address", "address prefix", "server port", "DNS name", "server name (SNI)", "ALPN", "JA3",
      "JA4",
      "certificate",
    ]
    result.rows = names.enumerated().map { index, name in
      var row = IdentifierRow()
      (row.identifier, row.sentence, row.known) = (name, "the same connection for both: 0 bits", 7050 - index)
      row.bitsOnPhone = Estimate(0, low: 0, high: 0)
      row.bitsOverall = Estimate(0.004, low: index == 3 ? nil : 0, high: index == 3 ? nil : 0.011)
      (row.bitsByChance, row.bestError, row.distinct) = (0.006, 0.49, index + 1)
      row.values = [.init(value: "made-up value of \(name)", target: 0.97, background: 0.95)]
      return row
    }
    return result
  }

  private static func task(_ id: String, _ title: String, shift: Double, spread: Double) -> DetectTask {
    var task = DetectTask()
    (task.id, task.title, task.unit) = (id, title, "record")
    (task.positives, task.negatives, task.capturesWithBoth, task.captures) = (910, 2600, 6, 6)
    task.features = zip(["record size, bytes", "gap before it, seconds", "records in its burst"], [0.97, 0.78, 0.61])
      .map {
        name, auc in
        var row = FeatureRow()
        (row.feature, row.rule) = (name, "up, 427 to 1,460 bytes")
        row.auc = Estimate(auc, low: auc - 0.03, high: min(auc + 0.02, 1))
        (row.hits, row.falseAlarms) = (Estimate(0.97, low: 0.95, high: 0.99), Estimate(0.031, low: 0.012, high: 0.058))
        row.overlap = 1 - auc
        return row
      }
    var classifier = ClassifierResult()
    classifier.method = "naive Bayes over size, gap and burst, cross-validated by capture"
    classifier.auc = Estimate(0.98, low: 0.96, high: 0.99)
    let bend = id == "sent" ? 12.0 : 1.8
    classifier.roc = (0...100).map { step in
      let x = Double(step) / 100
      return .init(falseAlarms: x, hits: x * (1 + bend) / (1 + bend * x))
    }
    classifier.operatingPoints = [
      .init(
        name: "at most 1 % false alarms", hits: Estimate(0.115 * bend / 2, low: 0.4, high: 0.8),
        falseAlarms: Estimate(0.01)),
      .init(name: "most hits less false alarms", hits: Estimate(0.79), falseAlarms: Estimate(0.22)),
    ]
    task.classifier = classifier
    task.baseRates = [0.5, 0.2, 0.05, 0.01, 0.001].map { share in
      var row = BaseRateRow()
      row.share = share
      let precision = share * 0.97 / (share * 0.97 + (1 - share) * 0.03)
      row.precision = Estimate(precision, low: precision * 0.8, high: min(precision * 1.15, 1))
      row.recall = Estimate(0.97, low: 0.95, high: 0.99)
      row.falseAlarmsPerPhoneDay = Estimate(30 * (1 - share), low: 14, high: 61)
      return row
    }
    var sizes = HistogramPair()
    sizes.isLogarithmic = true
    sizes.edges = (0...30).map { 12 * pow(1.22, $0) }
    func bell(_ at: Double, _ width: Double) -> [Double] {
      let heights = zip(sizes.edges, sizes.edges.dropFirst()).map { low, high -> Double in
        let middle = ((low + high) / 2 - at) / width
        return 1 / (1 + middle * middle)
      }
      let total = heights.reduce(0, +)
      return heights.map { $0 / total }
    }
    (sizes.target, sizes.background) = (bell(40 + shift, spread), bell(60, 40))
    sizes.overlap = zip(sizes.target, sizes.background).reduce(0) { $0 + min($1.0, $1.1) }
    task.sizes = sizes
    task.kinds = ["imessage.text", "imessage.typing", "imessage.read", "notification.alert"].enumerated().map {
      index, name in
      var row = KindRow()
      (row.kind, row.isTarget, row.count) = (name, index < 3, 400 - 90 * index)
      (row.low, row.median, row.high, row.auc, row.flagged) = (430, 512, 1240, 0.96, index < 3 ? 0.98 : 0.02)
      return row
    }
    var also = AlsoHitRow()
    (also.name, also.count, also.flagged) = ("courier.filter", 120, 37)
    task.alsoHit = [also]
    task.sensitivity = [("framing", "older (TLV)"), ("cache state", "empty"), ("padding", "to 256")].enumerated().map {
      index, pair in
      var row = SensitivityRow()
      (row.assumption, row.variant, row.positives, row.negatives) = (pair.0, pair.1, 400, 900)
      row.auc = index == 2 ? nil : Estimate(0.95, low: index == 1 ? nil : 0.91, high: index == 1 ? nil : 0.98)
      row.note = index == 2 ? "no such capture" : ""
      return row
    }
    return task
  }

  private static func pow(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { result, _ in result * base }
  }

  private static func withoutClassifier() -> DetectTask {
    var task = DetectTask()
    (task.id, task.title, task.unit) = (
      "connection", "connections that carried iMessage, against those that did not", "connection"
    )
    (task.positives, task.negatives, task.captures) = (41, 3, 6)
    task.notes = ["Only 3 connections carried no iMessage: too few to choose a rule."]
    return task
  }

  private static func timeline() -> Timeline {
    var random = Random(state: 7)
    var timeline = Timeline()
    timeline.title = "made-up-phone-1.pcapng, 198.18.0.10:40112 to 198.18.1.5:5223"
    var now = 0.0
    for burst in 0..<60 {
      let whose = Int.random(in: 0...9, using: &random)
      if whose < 3 {
        for _ in 0..<Int.random(in: 1...4, using: &random) {
          timeline.records.append(
            .init(seconds: now, size: .random(in: 430...1400, using: &random), isUp: true, whose: 0))
          timeline.records.append(
            .init(seconds: now + 0.2, size: .random(in: 30...60, using: &random), isUp: false, whose: 0))
          now += .random(in: 0.4...2.5, using: &random)
        }
      } else if whose < 8 {
        timeline.records.append(
          .init(seconds: now, size: .random(in: 200...2600, using: &random), isUp: false, whose: 1))
        timeline.records.append(
          .init(seconds: now + 0.05, size: .random(in: 20...51, using: &random), isUp: true, whose: 1))
      } else {
        timeline.records.append(.init(seconds: now, size: 24, isUp: true, whose: 2))
        timeline.records.append(.init(seconds: now + 0.08, size: 24, isUp: false, whose: 2))
      }
      now += .random(in: burst % 7 == 0 ? 600...2400 : 8...200, using: &random)
    }
    return timeline
  }

  private static func actions() -> ActionStudy {
    var study = ActionStudy()
    study.rows = [
      ("user action", "lookup of lengths: 96 %", 0.91), ("operating system", "naive Bayes: 100 %", nil),
      ("language", "naive Bayes: 98 %", nil), ("message length", "error 6.27 characters", 9.4),
    ].map { question, theirs, figure in
      var row = ActionStudy.Row()
      (row.question, row.theirs, row.method) = (question, theirs, "length lookup, cross-validated by capture")
      row.figure = figure.map { Estimate($0, low: $0 * 0.95, high: $0 * 1.04) }
      row.ours = figure == nil ? "cannot be asked: one system only" : "as stated"
      (row.samples, row.remark) = (figure == nil ? 0 : 1200, "The modelled lengths decide it.")
      return row
    }
    study.actions = ["start typing", "stop typing", "text", "attachment", "read"]
    study.confusion = [
      [180, 12, 0, 0, 3], [20, 171, 0, 0, 4], [0, 1, 230, 12, 0], [0, 0, 4, 96, 0], [6, 9, 0, 0, 188],
    ]
    study.differences = ["Their traffic was real and of 2014; this is made up."]
    return study
  }

  private static func fate(_ sent: Int, _ lost: Int, _ late: Int) -> ActTable.Fate {
    var fate = ActTable.Fate()
    (fate.sent, fate.lost, fate.late) = (sent, lost, late)
    func share(_ part: Int) -> Estimate {
      let value = Double(part) / Double(sent)
      return Estimate(value, low: max(value - 0.06, 0), high: min(value + 0.08, 1))
    }
    (fate.lostShare, fate.lateShare, fate.delayMedian, fate.delayHigh) = (share(lost), share(late), 0.12, 14.2)
    return fate
  }

  private static func act() -> ActTable {
    var table = ActTable()
    (table.made, table.repetitions) = ("2025-01-31", 30)
    let rules = [
      ("control", "no rule", "none"), ("drop-send-record", "drop records of the size of a sent message", "record"),
      ("reset-connection", "reset the connection when such a record is seen", "connection"),
      ("drop-port", "drop port 5223", "port"), ("drop-address", "drop the courier's addresses", "address"),
      ("delay", "delay records of the size of a sent message by two seconds (netem)", "record"),
    ]
    table.rules = rules.enumerated().map { index, entry in
      var rule = ActTable.Rule()
      (rule.name, rule.title, rule.unit) = entry
      rule.what = "Stands on the access path."
      rule.commands = ["iptables -A FORWARD -p tcp --dport 5223 -m length --length 479:1512 -j DROP"]
      rule.imessageIn = fate(300, min(index * 30, 300), 40)
      rule.imessageOut = fate(300, min(index * 70, 300), 300 - min(index * 70, 300))
      rule.notifications = index == 3 ? nil : fate(600, index * 100, 60)
      rule.connectionsBrokenPerPhone = Estimate(Double(index), low: 0.4, high: 6)
      var delay = ActTable.Delay()
      (delay.median, delay.p95) = (2.2, 31)
      rule.recoverSeconds = delay
      rule.fallbackShare = index == 0 ? nil : Estimate(0.3 * Double(min(index, 3)), low: 0.1, high: 0.97)
      return rule
    }
    var absent = ActTable.Rule()
    (absent.name, absent.title, absent.notes) = ("string", "match the server's name", ["The kernel lacks the match."])
    table.rules.append(absent)
    return table
  }

  private static func defences() -> [DefenceRow] {
    let rows: [(String, Double, Double, Double)] = [
      ("none", 1, 0.98, 0.71), ("pad to 256", 1.4, 0.93, 0.68), ("pad to 512", 1.9, 0.81, 0.62),
      ("pad to 1,024", 3.1, 0.62, 0.57), ("powers of two", 1.5, 0.94, 0.69), ("Apple's flush padding", 1.2, 0.95, 0.7),
      ("batching, 1 s", 1.0, 0.9, 0.66), ("cover traffic", 2.4, 0.77, 0.6), ("constant rate", 190, 0.5, 0.5),
    ]
    return rows.map { name, bytes, sent, incoming in
      var row = DefenceRow()
      (row.name, row.what, row.bytes) = (name, "does as its name says", bytes)
      (row.extraBytesPerDay, row.delayMedian, row.delayHigh) = (
        (bytes - 1) * 1.3e6, name.hasPrefix("batch") ? 0.5 : 0, 1
      )
      row.sent = Estimate(sent, low: max(sent - 0.03, 0.47), high: min(sent + 0.02, 1))
      row.incoming = Estimate(incoming, low: incoming - 0.06, high: incoming + 0.05)
      row.falseAlarmsPerPhoneDay = Estimate(40 / sent, low: 20, high: 90)
      return row
    }
  }
}
