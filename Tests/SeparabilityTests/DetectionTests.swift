import Decode
import Statistics
import Testing
import Truth

@testable import Separability

/// Synthetic traffic with known answers.
@Suite struct DetectionTests {
  private func result(
    _ traffic: LabelledTraffic, _ target: String = "imessage", _ background: String = "notifications"
  ) throws -> DetectResult {
    let target = try #require(TrafficClass(target, in: traffic))
    let background = try #require(TrafficClass(background, in: traffic))
    return Detection(traffic: traffic, target: target, background: background).result()
  }

  private func task(_ id: String, _ result: DetectResult) throws -> DetectTask {
    try #require(result.tasks.first { $0.id == id })
  }

  @Test func asksSixQuestionsInOrder() throws {
    let result = try result(HandMadeTraffic.separable())
    #expect(result.tasks.map(\.id) == ["sent", "incoming", "record", "burst", "minute", "connection"])
  }

  @Test func separableTrafficIsSeparated() throws {
    let sent = try task("sent", result(HandMadeTraffic.separable()))
    #expect(sent.positives == 80 && sent.negatives == 80)
    #expect(sent.capturesWithBoth == 4 && sent.captures == 4)
    #expect(sent.classifier?.auc?.value == 1)
    let first = try #require(sent.features.first { $0.feature == "record size, bytes" })
    #expect(first.rule.hasPrefix("up, at least 4"))
    #expect(first.hits?.value ?? 0 > 0.97 && first.falseAlarms?.value == 0)
    #expect(first.overlap == 0)
    // No false alarm among 80 does not prove that there is none: Wilson's bound is 3.84 / 83.84.
    #expect(abs((first.falseAlarms?.high ?? 0) - 0.0458) < 0.0005)
    #expect(sent.sizes?.overlap == 0)
  }

  @Test func identicalTrafficIsNot() throws {
    let sent = try task("sent", result(HandMadeTraffic.identical()))
    let auc = try #require(sent.classifier?.auc)
    #expect(abs(auc.value - 0.5) < 0.08)
    for row in sent.features {
      #expect((row.auc?.value ?? 1) < 0.6, "\(row.feature)")
    }
  }

  @Test func swappedClassesGiveTheSameAreas() throws {
    let traffic = HandMadeTraffic.separable()
    let one = try task("record", result(traffic))
    let other = try task("record", result(traffic, "notifications", "imessage"))
    #expect(one.positives == other.negatives && one.negatives == other.positives)
    let size = { (task: DetectTask) in task.features.first { $0.feature == "record size, bytes" }?.auc?.value ?? .nan }
    #expect(abs(size(one) - size(other)) < 1e-12)
    #expect(abs((one.classifier?.auc?.value ?? 0) - (other.classifier?.auc?.value ?? 1)) < 1e-6)
  }

  @Test func shuffledLabelsLeaveNothingToFind() throws {
    var traffic = HandMadeTraffic.separable(each: 60)
    var generator = SeededGenerator(seed: 11)
    let up = traffic.records.indices.filter { traffic.records[$0].isUp }
    var labels = up.map { (traffic.records[$0].messageClass, traffic.records[$0].kind) }
    for place in labels.indices.reversed() { labels.swapAt(place, generator.index(below: place + 1)) }
    for (number, label) in zip(up, labels) {
      (traffic.records[number].messageClass, traffic.records[number].kind) = label
    }
    let auc = try #require(task("sent", result(traffic)).classifier?.auc)
    #expect(abs(auc.value - 0.5) < 0.08)
  }

  @Test func truthChangesNoFeature() {
    let traffic = HandMadeTraffic.separable()
    var bare = traffic
    for number in bare.records.indices {
      let record = bare.records[number]
      var stripped = LabelledRecord()
      (stripped.time, stripped.flow, stripped.size, stripped.isUp) = (
        record.time, record.flow, record.size, record.isUp
      )
      bare.records[number] = stripped
    }
    let all = traffic.records.indices.map { Int32($0) }
    let roles = [RecordRole](repeating: .target, count: all.count)
    #expect(
      RecordFeatures.columns(of: all, in: TrafficIndex(traffic, roles: roles))
        == RecordFeatures.columns(of: all, in: TrafficIndex(bare, roles: roles)))
    #expect(
      WindowFeatures.samples(.burst, in: TrafficIndex(traffic, roles: roles)).columns
        == WindowFeatures.samples(.burst, in: TrafficIndex(bare, roles: roles)).columns)
  }

  @Test func theSameTrafficGivesTheSameAnswer() throws {
    let traffic = HandMadeTraffic.identical()
    let (one, other) = try (result(traffic), result(traffic))
    for (a, b) in zip(one.tasks, other.tasks) {
      #expect(a.classifier?.auc == b.classifier?.auc)
      #expect(a.features.map(\.auc) == b.features.map(\.auc))
      #expect(a.features.map(\.rule) == b.features.map(\.rule))
      #expect(a.notes == b.notes)
    }
  }

  @Test func emptyTrafficStaysWithANote() {
    let index = TrafficIndex(LabelledTraffic(), roles: [])
    for task in DetectionTask.allCases {
      #expect(task.samples(in: index).count == 0)
    }
    #expect(FoldPlan(Samples(features: RecordFeatures.all)).kind == .none)
    #expect(TimelineChoice(index).timeline == nil)
  }

  @Test func aMissingDirectionStaysWithANote() throws {
    var made = HandMadeTraffic()
    made.beginCapture()
    made.add("imessage.text", of: "imessage", up: true, size: 500)
    made.add("notification.short", of: "notification", up: false, size: 200)
    let sent = try task("sent", result(made.traffic))
    #expect(sent.classifier == nil && sent.features.isEmpty)
    #expect(sent.positives == 1 && sent.negatives == 0)
    #expect(sent.notes.contains { $0.contains("none of notifications") })
  }

  @Test func oneCaptureIsJudgedByTimeAndSaysSo() throws {
    let sent = try task("sent", result(HandMadeTraffic.separable(captures: 1, each: 50)))
    #expect(sent.notes.contains { $0.contains("cross-validation by capture was not possible") })
    #expect(sent.classifier?.auc?.value == 1)
    #expect(sent.classifier?.auc?.low == nil, "one capture allows no interval")
  }

  @Test func burstsAreCutAtGapsOfASecond() {
    var made = HandMadeTraffic()
    made.beginCapture()
    made.add("imessage.text", of: "imessage", up: true, size: 500)
    made.add("courier.ack", of: "imessage", up: false, size: 32, after: 0.9)
    made.add("courier.ack", of: "notification", up: true, size: 34, after: 1)
    made.add("notification.short", of: "notification", up: false, size: 200, after: 0.4)
    let index = TrafficIndex(
      made.traffic, roles: [[.target, .content], .target, .background, [.background, .content]])
    let bursts = WindowFeatures.samples(.burst, in: index)
    #expect(bursts.isPositive == [true, false])
    #expect(bursts.columns[0] == [500, 34] && bursts.columns[1] == [32, 200])
    #expect(bursts.columns[4] == [500, 34] && bursts.columns[7] == [1, 1])
    #expect(bursts.columns[10] == [3_600, 1])
    let minutes = WindowFeatures.samples(.minute, in: index)
    #expect(minutes.isPositive == [true] && minutes.columns[13] == [2])
  }

  @Test func anEchoIsLargeUpThenDownThenSmallUp() {
    var made = HandMadeTraffic()
    made.beginCapture()
    made.add("imessage.text", of: "imessage", up: true, size: 500)
    made.add("courier.ack", of: "imessage", up: false, size: 32, after: 0.4)
    made.add("courier.ack", of: "imessage", up: true, size: 34, after: 0.4)
    made.add("imessage.text", of: "imessage", up: true, size: 500)
    made.add("courier.ack", of: "imessage", up: false, size: 32, after: 0.4)
    made.add("imessage.text", of: "imessage", up: true, size: 500)
    made.add("courier.ack", of: "imessage", up: false, size: 32, after: 0.6)
    let index = TrafficIndex(made.traffic, roles: [RecordRole](repeating: .target, count: 7))
    #expect(ConnectionRecords(index, flow: 0).echoes == [2, 2, 2, 1, 1, 0, 0])
  }

  @Test func anotherFlowOfTheLineIsSeen() {
    var made = HandMadeTraffic()
    made.beginCapture()
    made.add("imessage.text", of: "imessage", up: true, size: 500)
    var second = made.traffic.flows[0]
    second.start = made.traffic.records[0].time + 9_000_000_000
    second.serverPort = 443
    made.traffic.flows.append(second)
    let roles: [RecordRole] = [.target]
    let time = made.traffic.records[0].time
    #expect(TrafficIndex(made.traffic, roles: roles).beginsAnother(than: 0, from: time))
    made.traffic.flows[1].start = time + 11_000_000_000
    #expect(!TrafficIndex(made.traffic, roles: roles).beginsAnother(than: 0, from: time))
    made.traffic.flows[1].start = time + 9_000_000_000
    made.traffic.flows[1].serverPort = 53
    #expect(!TrafficIndex(made.traffic, roles: roles).beginsAnother(than: 0, from: time))
  }

  @Test func groupedAreaEqualsTheCurves() throws {
    var generator = SeededGenerator(seed: 5)
    let isPositive = (0..<300).map { _ in generator.index(below: 2) == 0 }
    let scores = isPositive.map { Double(generator.index(below: 20) + ($0 ? 4 : 0)) }
    let groups = (0..<300).map { _ in Int32(generator.index(below: 6)) }
    let curve = try #require(ROC(scores: scores, positive: isPositive))
    let area = GroupedArea(scores: scores, isPositive: isPositive, groups: groups)
    #expect(abs((area.area ?? 0) - curve.area) < 1e-12)
    // The same resamples give the same bounds as counting every observation anew.
    let bootstrap = Bootstrap(repetitions: 200, seed: 9)
    let plain = try #require(bootstrap.areaUnderROC(scores: scores, positive: isPositive, groups: groups))
    let fast = try #require(area.estimate(bootstrap))
    #expect(abs((fast.low ?? 0) - plain.low) < 1e-12 && abs((fast.high ?? 0) - plain.high) < 1e-12)
  }

  @Test func baseRatesAreBayesTheorem() throws {
    // 40 of 1,000 acks look like messages, 48 of 50 messages do: 0.96 and 0.04.
    var samples = Samples(features: [RecordFeatures.all[0]])
    samples.isPositive = (0..<1_050).map { $0 < 50 }
    samples.captures = (0..<1_050).map { Int32($0 % 5) }
    samples.times = [Int64](repeating: 0, count: 1_050)
    samples.records = [Int32](repeating: 0, count: 1_050)
    let scores: [Double?] = (0..<1_050).map { $0 < 50 ? ($0 < 48 ? 1 : 0) : ($0 < 60 ? 1 : 0) }
    let rows = Judgement(samples, scores, nil).baseRates(perDay: 46)
    #expect(rows.map(\.share) == [0.5, 0.2, 0.05, 0.01, 0.001])
    // False alarms 0.01, hits 0.96: at one in a hundred 0.0096 / (0.0096 + 0.0099).
    #expect(abs((rows[3].precision?.value ?? 0) - 0.0096 / 0.0195) < 1e-9)
    #expect(abs((rows[3].falseAlarmsPerPhoneDay?.value ?? 0) - 46 * 0.99 * 0.01) < 1e-9)
  }

  @Test func otherKindsOnTheConnectionAreTold() throws {
    var traffic = HandMadeTraffic.separable()
    var filter = traffic.records[0]
    filter.messageClass = traffic.number(of: "courier")
    filter.kind = traffic.number(of: "courier.filter")
    filter.size = 4_428
    traffic.records.insert(filter, at: 0)
    let sent = try task("sent", result(traffic))
    #expect(sent.alsoHit.map(\.name) == ["courier.filter"])
    #expect(sent.alsoHit.first?.flagged == 1 && sent.alsoHit.first?.count == 1)
    #expect(sent.kinds.map(\.kind) == ["imessage.text", "courier.ack of notification"])
    #expect(sent.kinds.first?.auc == 1 && sent.kinds.last?.flagged == 0)
  }

  @Test func aClassWithoutKindsIsJudgedByAllItsRecords() throws {
    var traffic = HandMadeTraffic.separable(captures: 2)
    for capture in 0..<2 {
      var media = LabelledFlow()
      media.capture = capture
      media.transport = .udp
      media.trueTag = "calling"
      media.trueService = "FaceTime"
      media.unit = .datagram
      media.start = traffic.flows[capture].start
      traffic.flows.append(media)
      for packet in 0..<50 {
        var record = LabelledRecord()
        record.time = media.start + Int64(packet) * 20_000_000
        record.flow = Int32(traffic.flows.count - 1)
        record.size = 900
        record.isUp = packet % 2 == 0
        traffic.records.append(record)
      }
    }
    let result = try result(traffic, "facetime-media")
    #expect(try task("sent", result).positives == 50 && task("sent", result).classifier?.auc?.value == 1)
    #expect(try task("incoming", result).positives == 50 && task("incoming", result).negatives == 40)
    #expect(try task("connection", result).positives == 2 && task("connection", result).negatives == 2)
    #expect(result.timeline?.records.isEmpty == false)
  }

  @Test func assumptionsThatAreNotHereAreNoted() throws {
    let sent = try task("sent", result(HandMadeTraffic.separable()))
    let older = try #require(sent.sensitivity.first { $0.variant == "older (TLV)" })
    #expect(older.auc == nil && older.positives == 0 && !older.note.isEmpty)
    let today = try #require(sent.sensitivity.first { $0.variant == "today's (pack)" })
    #expect(today.auc?.value == 1 && today.positives == 80)
    let padded = sent.sensitivity.filter { $0.assumption == "padding of TLS 1.3" }
    #expect(padded.count == 3 && padded.allSatisfy { $0.auc != nil })
  }

  @Test func aDayOfAHundredThousandRecordsTakesSeconds() throws {
    // Debug builds are some thirty times slower than release ones, and share the machine with the other tests.
    #if DEBUG
      let each = 500
    #else
      let each = 20_000
    #endif
    let traffic = HandMadeTraffic.separable(captures: 1, each: each)
    #expect(traffic.records.count == 5 * each)
    let clock = ContinuousClock()
    let start = clock.now
    let result = try result(traffic)
    let took = clock.now - start
    #expect(result.tasks.count == 6)
    #expect(took < .seconds(120), "took \(took)")
  }
}
