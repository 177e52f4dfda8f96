import Flows
import Testing

@testable import Classify

/// A shape of packets: payload bytes, negative to the client, and milliseconds since the packet before.
func shape(_ packets: [(size: Int32, after: Double)], records: [Int16] = []) -> ShapeMeter {
  var meter = ShapeMeter()
  for (place, packet) in packets.enumerated() {
    meter.count(
      size: abs(packet.size), gap: place == 0 ? nil : UInt64(packet.after * 1e6), isToServer: packet.size > 0)
  }
  for (place, length) in records.prefix(ShapeMeter.firstRecords).enumerated() {
    meter.records[place] = length
    meter.recordCount = UInt8(place + 1)
  }
  return meter
}

/// Any counters, whether packets could have made them or not.
func anyShape(_ dice: inout Dice) -> ShapeMeter {
  var meter = ShapeMeter()
  let isWild = Bool.random(using: &dice)
  for i in 0..<16 {
    meter.sizes[i] = .random(in: .min ... .max, using: &dice)
    meter.gaps[i] = .random(in: 0...(isWild ? .max : 100_000), using: &dice)
    meter.records[i] = .random(in: .min ... .max, using: &dice)
    meter.sizeBins[i] = .random(in: 0...(isWild ? .max : 3), using: &dice)
  }
  for i in 0..<8 { meter.gapBins[i] = .random(in: 0...(isWild ? .max : 3), using: &dice) }
  meter.packetCount = .random(in: 0...(isWild ? .max : 16), using: &dice)
  meter.recordCount = .random(in: 0...(isWild ? .max : 16), using: &dice)
  return meter
}

@Suite struct ShapeFeatureTests {
  /// A call by hand: 172 bytes every 20 ms to the server, the other side answering every second packet at once.
  @Test func steadyStream() throws {
    var packets: [(size: Int32, after: Double)] = []
    for i in 0..<40 {
      packets.append((172, i % 2 == 0 && i > 0 ? 19.5 : 20))
      if i % 2 == 1 { packets.append((-100, 0.5)) }
    }
    let features = FlowShapeFeatures(isTCP: false, nanoseconds: 800_000_000, shape: shape(packets))
    #expect(features.packets == 60)
    #expect(features[.packets] == 60 && features[.duration] == 0.8 && features[.rate] == 75)
    #expect(features[.toServer] == 40.0 / 60)
    #expect(features[.firstToServer] == 172 && features[.secondToServer] == 172)
    #expect(features[.firstToClient] == 100 && features[.secondToClient] == 100)
    #expect(features[.mediumToServer] == 1 && features[.smallToServer] == 0 && features[.largest] == 172)
    #expect(features[.largeToClient] == 0 && features[.fullToClient] == 0 && features[.variationToClient] == 0)
    #expect(features[.bursts] == 20.0 / 59 && features[.paced] == 39.0 / 59)
    // 16 packets: ss c ss c ss c ss c ss c s, ten changes of direction.
    #expect(features[.turns] == 10.0 / 15)
    let period = try #require(features[.period])
    #expect(abs(period - 20) < 0.6)
    #expect(features[.records] == nil)
  }

  @Test func mostOfAShortFlowIsUnknown() {
    let one = FlowShapeFeatures(isTCP: false, nanoseconds: 0, shape: shape([(40, 0)]))
    #expect(one[.packets] == 1 && one[.firstToServer] == 40 && one[.smallToServer] == 1)
    for feature: ShapeFeature in [
      .duration, .rate, .toServer, .turns, .secondToServer, .firstToClient, .largeToClient, .variationToClient,
      .bursts, .period, .records,
    ] { #expect(one[feature] == nil, "\(feature)") }
    let none = FlowShapeFeatures(isTCP: true, nanoseconds: -5, shape: ShapeMeter())
    #expect(ShapeFeature.allCases.allSatisfy { none[$0] == ($0 == .packets ? 0 : nil) })
  }

  @Test func recordsOfAnIdleConnection() {
    let features = FlowShapeFeatures(
      isTCP: true, nanoseconds: 90_000_000_000,
      shape: shape([(32, 0), (-300, 30_000), (37, 40), (-300, 30_000)], records: [27, -295, 32, -295]))
    #expect(features[.records] == 4 && features[.turns] == 1)
    #expect(features[.smallToServer] == 1 && features[.mediumToServer] == 0)
    #expect(features[.largeToClient] == 1 && features[.fullToClient] == 0 && features[.paced] == 1.0 / 3)
    #expect(features[.duration] == 90 && features[.rate] == nil && features[.period] == nil)
  }

  /// Sizes that an opener sends are the other side's when the flow is turned round.
  @Test func turnedRound() {
    var meter = shape([(40, 0), (-600, 20), (-700, 20), (90, 20)])
    meter.reverse()
    let features = FlowShapeFeatures(isTCP: true, nanoseconds: 1, shape: meter)
    #expect(features[.firstToServer] == 600 && features[.firstToClient] == 40 && features[.toServer] == 0.5)
  }

  @Test func anyCountersGiveFiniteAnswers() {
    var dice = Dice(5)
    for _ in 0..<2_000 {
      let features = FlowShapeFeatures(
        isTCP: .random(using: &dice), nanoseconds: .random(in: .min ... .max, using: &dice), shape: anyShape(&dice))
      for feature in ShapeFeature.allCases {
        let value = features[feature]
        #expect(value.map { $0.isFinite && $0 >= 0 } ?? true)
        #expect(!feature.says(value).isEmpty)
      }
    }
  }

  @Test func boundsRiseAndSentencesDiffer() {
    for feature in ShapeFeature.allCases {
      #expect(zip(feature.bounds, feature.bounds.dropFirst()).allSatisfy { $0 < $1 })
    }
    #expect(Set(ShapeFeature.allCases.map { $0.says(0.5) }).count == ShapeFeature.allCases.count)
    #expect(ShapeFeature.smallToServer.says(0.64) == "64 % of the packets to the server have under 64 bytes")
    #expect(ShapeFeature.period.says(20.04) == "one side sends a packet every 20 ms")
    #expect(ShapeFeature.duration.says(4.32) == "the flow lasts 4.3 s")
    #expect(ShapeFeature.rate.says(.infinity) == ShapeFeature.rate.says(nil))
  }
}
