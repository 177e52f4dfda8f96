import Testing
import Truth

@testable import Separability

/// Synthetic traffic with known answers.
@Suite struct DefencesTests {
  private func index(_ traffic: LabelledTraffic) throws -> TrafficIndex {
    let target = try #require(TrafficClass("imessage", in: traffic))
    let background = try #require(TrafficClass("notifications", in: traffic))
    return TrafficIndex(
      traffic, roles: RecordRole.all(in: traffic, target: target, background: background))
  }

  private func rows(_ traffic: LabelledTraffic) throws -> [DefenceRow] {
    let target = try #require(TrafficClass("imessage", in: traffic))
    let background = try #require(TrafficClass("notifications", in: traffic))
    return DefenceStudy(traffic: traffic, target: target, background: background).rows()
  }

  @Test(arguments: [(1, 256), (256, 256), (257, 512), (0, 256)])
  func multiplesAreFilled(content: Int, padded: Int) {
    #expect(Padding.multiples(of: 256).size(of: content) == padded)
  }

  @Test(arguments: [(1, 1), (3, 4), (1_024, 1_024), (1_025, 2_048)])
  func powersAreFilled(content: Int, padded: Int) { #expect(Padding.powersOfTwo.size(of: content) == padded) }

  @Test(arguments: [(10, 64), (59, 64), (60, 128), (64, 64), (4_406, 8_192), (9_000, 16_384)])
  func flushNeedsItsOwnHeader(content: Int, padded: Int) { #expect(Padding.flush.size(of: content) == padded) }

  @Test(arguments: Defence.all) func messagesAreKeptAndNoRecordShrinks(defence: Defence) throws {
    let index = try index(HandMadeTraffic.separable())
    guard let after = defence.applied(to: index, seed: 1) else {
      #expect(defence.name.hasPrefix("constant rate"))
      return
    }
    #expect(after.holds.reduce(0) { $0 + Int($1) } == index.traffic.records.count)
    #expect(after.traffic.records.count == after.roles.count && after.roles.count == after.holds.count)
    #expect(after.delays.allSatisfy { $0 >= 0 })
    let before = index.traffic.records.reduce(0) { $0 + max(0, Int($1.size) - 22) }
    let own = zip(after.traffic.records, after.holds).filter { $1 > 0 }
    #expect(own.reduce(0) { $0 + max(0, Int($1.0.size) - 22) } >= before)
    if case .padding = defence {
      for (old, new) in zip(index.traffic.records, after.traffic.records) {
        #expect(new.size >= old.size && new.time == old.time)
      }
    }
  }

  @Test func batchesLeaveAtTicks() throws {
    var made = HandMadeTraffic()
    made.beginCapture()
    let start = made.traffic.flows[0].start
    made.add("imessage.text", of: "imessage", up: true, size: 500, after: 1, message: 1)
    made.add("imessage.text", of: "imessage", up: true, size: 600, after: 1, message: 2)
    made.add("courier.ack", of: "imessage", up: false, size: 32, after: 0.1, message: 2)
    made.add("notification.short", of: "notification", up: false, size: 200, after: 10)
    let after = Batching(interval: 5_000_000_000).applied(to: try index(made.traffic))
    #expect(after.traffic.records.map { ($0.time - start) / 1_000_000_000 } == [5, 10, 15])
    #expect(after.traffic.records.map(\.size) == [500 + 600 - 22, 32, 200])
    #expect(after.roles[0] == [.target, .content] && after.holds == [2, 1, 1])
    // The answer came 0.1 s after the message, which now comes at 5 s: it waits for the next tick.
    #expect(after.delays.map { ($0 * 10).rounded() / 10 } == [4, 3, 2.9])
  }

  @Test func constantRateQueuesWhatDoesNotFit() throws {
    var made = HandMadeTraffic()
    made.beginCapture()
    // 1,002 bytes fit into a record of 1,024.
    made.add("imessage.text", of: "imessage", up: true, size: 22 + 1_002, after: 0)
    made.add("imessage.text", of: "imessage", up: true, size: 22 + 1_003, after: 0)
    made.add("notification.short", of: "notification", up: false, size: 122, after: 0)
    let cost = ConstantRate(interval: 1_000_000_000).cost(of: try index(made.traffic))
    #expect(cost.delays == [0, 2, 0])
    #expect(cost.bytes == 2 * 1_024 * 3)
  }

  @Test func decoysAreCountedAsTheBackgrounds() throws {
    let index = try index(HandMadeTraffic.separable())
    let after = try #require(Defence.cover(perDay: 50).applied(to: index, seed: 1))
    let decoys = after.roles.filter { $0.contains(.decoy) && $0.contains(.background) }.count
    #expect(decoys >= CoverTraffic.minimumOnConnection * 4)
    let samples = DetectionTask.sent.samples(in: TrafficIndex(after.traffic, roles: after.roles))
    #expect(samples.positives == 80 && samples.negatives == 80 + decoys)
    // Each decoy has the size of a real send, and its answer.
    #expect(after.roles.count - index.roles.count == 2 * decoys)
  }

  @Test func rowsHavePricesAndAreas() throws {
    let rows = try rows(HandMadeTraffic.separable())
    #expect(rows.count == Defence.all.count && rows.first?.name == "none")
    #expect(rows[0].bytes == 1 && rows[0].extraBytesPerDay == 0 && rows[0].sent?.value == 1)
    let padded = try #require(rows.first { $0.name == "pad to 1024" })
    #expect(padded.bytes > 2 && padded.extraBytesPerDay > 0 && padded.delayHigh == 0)
    let batched = try #require(rows.first { $0.name == "batches of 30 s" })
    #expect(batched.delayMedian > 5 && batched.delayHigh <= 30.000001)
    let covered = try #require(rows.first { $0.name == "cover, 200 a day" })
    #expect((covered.falseAlarmsPerPhoneDay?.value ?? 0) > 50)
    let constant = try #require(rows.first { $0.name == "constant rate, 1 s" })
    #expect(constant.sent?.value == 0.5 && constant.bytes > 1)
  }

  @Test func nothingToDefendGivesNoRows() throws {
    var made = HandMadeTraffic()
    made.beginCapture()
    made.add("imessage.text", of: "imessage", up: true, size: 500)
    let target = try #require(TrafficClass("imessage", in: made.traffic))
    #expect(DefenceStudy(traffic: made.traffic, target: target, background: target).rows().isEmpty)
  }

  @Test func theSameSeedGivesTheSameRows() throws {
    let traffic = HandMadeTraffic.separable(captures: 2, each: 10)
    let (one, other) = try (rows(traffic), rows(traffic))
    #expect(one.map(\.sent) == other.map(\.sent) && one.map(\.note) == other.map(\.note))
  }
}
