import Foundation
import Statistics
import Testing

@Suite struct CurveTests {
  struct Input: Decodable {
    struct Case: Decodable { var scores: [Double], positive: [Bool] }
    var cases: [Case]
    var rates, baseRates: [Double]
  }
  struct Expected: Decodable {
    var area, variance, averagePrecision, bestGain: Double
    var falsePositiveRates, truePositiveRates, thresholds, atRates, precisions: [Double]
  }

  @Test func agreesWithScikitLearn() throws {
    let (input, expected) = try Reference.part("roc", Input.self, [Expected].self)
    #expect(input.cases.count == 4 && expected.count == 4)
    for (one, wanted) in zip(input.cases, expected) {
      let curve = try #require(ROC(scores: one.scores, positive: one.positive))
      #expect(agree(curve.area, wanted.area))
      #expect(agree(curve.areaVariance, wanted.variance))
      #expect(agree(curve.averagePrecision, wanted.averagePrecision))
      #expect(agree(curve.points.map(\.falsePositiveRate), wanted.falsePositiveRates))
      #expect(agree(curve.points.map(\.truePositiveRate), wanted.truePositiveRates))
      #expect(curve.points.first?.threshold == nil)
      #expect(agree(curve.points.compactMap(\.threshold), wanted.thresholds))
      #expect(agree(curve.best.truePositiveRate - curve.best.falsePositiveRate, wanted.bestGain))
      #expect(agree(input.rates.map(curve.truePositiveRate(atFalsePositiveRate:)), wanted.atRates))
      for (rate, precision) in zip(input.baseRates, wanted.precisions) {
        #expect(
          agree(
            BaseRate.precision(
              truePositiveRate: curve.best.truePositiveRate, falsePositiveRate: curve.best.falsePositiveRate,
              baseRate: rate), precision))
      }
    }
  }

  @Test func rareClassesCostPrecision() {
    // The arithmetic of a rule that finds 96 % and errs on 4 %, at shares from 1/2 to 1/1000.
    for (share, precision) in [(1.0 / 2, 0.96), (1.0 / 5, 0.857), (1.0 / 20, 0.558), (1.0 / 100, 0.195)] {
      let got = BaseRate.precision(truePositiveRate: 0.96, falsePositiveRate: 0.04, baseRate: share)
      #expect(agree(got, precision, 0.001))
    }
    #expect(agree(BaseRate.falseAlarms(falsePositiveRate: 0.04, eventsPerDay: 46, baseRate: 0.05), 1.748))
    #expect(BaseRate.precision(truePositiveRate: 0, falsePositiveRate: 0, baseRate: 0.5) == nil)
  }

  @Test func monotoneMapsLeaveTheCurve() throws {
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<50 {
      let scores = (0..<40).map { _ in (generator.unit() * 12).rounded() / 4 }
      let positive = scores.map { generator.unit() < 0.2 + $0 / 5 }
      guard let curve = ROC(scores: scores, positive: positive) else { continue }
      let mapped = try #require(ROC(scores: scores.map { exp($0) - 7 }, positive: positive))
      #expect(mapped.area == curve.area && mapped.areaVariance == curve.areaVariance)
      let turned = try #require(ROC(scores: scores.map { -$0 }, positive: positive))
      #expect(agree(turned.area, 1 - curve.area))
      // The area is that under the drawn line, and corners draw the same line.
      for points in [curve.points, curve.corners] {
        let under = zip(points, points.dropFirst()).reduce(0.0) {
          $0 + ($1.1.falsePositiveRate - $1.0.falsePositiveRate)
            * ($1.1.truePositiveRate + $1.0.truePositiveRate) / 2
        }
        #expect(agree(under, curve.area))
      }
      #expect(curve.corners.count <= curve.points.count)
    }
  }

  @Test func whatIsNotDefinedIsNil() throws {
    #expect(ROC(scores: [], positive: []) == nil)
    #expect(ROC(scores: [1, 2], positive: [true, true]) == nil)
    #expect(ROC(scores: [1, .nan], positive: [true, false]) == nil)
    let constant = try #require(ROC(scores: [4, 4, 4], positive: [true, false, false]))
    #expect(constant.area == 0.5 && constant.areaVariance == nil && constant.points.count == 2)
    let infinite = try #require(ROC(scores: [.infinity, -.infinity, 0], positive: [true, false, false]))
    #expect(infinite.area == 1)
    #expect(try !JSONEncoder().encode(infinite).isEmpty)
    #expect(agree(BaseRate.precision(of: infinite, recall: 1, baseRate: 0.01), 1))
  }
}
