import Testing

@testable import Statistics

@Suite struct IntervalTests {
  @Test func proportionsAgreeWithSciPy() throws {
    struct Input: Decodable { var cases: [[Double]] }
    let (input, expected) = try Reference.part("proportions", Input.self, [[Double]].self)
    #expect(input.cases.count > 60 && input.cases.count == expected.count)
    for (one, wanted) in zip(input.cases, expected) {
      let (successes, trials) = (Int(one[0]), Int(one[1]))
      let wilson = try #require(
        ConfidenceInterval.wilson(successes: successes, trials: trials, confidence: one[2]))
      let exact = try #require(
        ConfidenceInterval.clopperPearson(successes: successes, trials: trials, confidence: one[2]))
      #expect(agree([wilson.low, wilson.high, exact.low, exact.high], wanted, 1e-8), "\(one)")
    }
    #expect(ConfidenceInterval.wilson(successes: 0, trials: 0) == nil)
    #expect(ConfidenceInterval.wilson(successes: 3, trials: 2) == nil)
    #expect(ConfidenceInterval.clopperPearson(successes: -1, trials: 2) == nil)
  }

  struct Input: Decodable {
    var groups: [Int], positive: [Bool], scores: [Double], confidence: Double, draws: [[Int]]
  }
  struct Expected: Decodable { var mean, quantile, area, information: [Double], skipped: Int }

  @Test func givenResamplesAgreeWithNumPy() throws {
    let (input, expected) = try Reference.part("bootstrap", Input.self, Expected.self)
    #expect(expected.skipped > 0)
    let bootstrap = Bootstrap(confidence: input.confidence)
    let members = (0..<9).map { group in input.groups.indices.filter { input.groups[$0] == group } }
    func bounds(_ statistic: ([Int]) -> Double?) throws -> (bounds: [Double], skipped: Int) {
      let interval = try #require(
        bootstrap.interval(resamples: input.draws, groupCount: 9) { statistic($0.flatMap { members[$0] }) })
      #expect(interval.resamples + interval.skippedResamples == input.draws.count)
      return ([interval.low, interval.high], interval.skippedResamples)
    }
    let mean = try bounds { EmpiricalDistribution($0.map { input.scores[$0] }).mean }
    #expect(agree(mean.bounds, expected.mean) && mean.skipped == 0)
    let quantile = try bounds { EmpiricalDistribution($0.map { input.scores[$0] }).quantile(0.95) }
    #expect(agree(quantile.bounds, expected.quantile))
    let area = try bounds { ROC(scores: $0.map { input.scores[$0] }, positive: $0.map { input.positive[$0] })?.area }
    #expect(agree(area.bounds, expected.area) && area.skipped == expected.skipped)
    let information = try bounds {
      MutualInformation.bits(
        ClassTable(
          values: $0.map { input.scores[$0].rounded(.toNearestOrEven) }, positive: $0.map { input.positive[$0] }),
        .observed)
    }
    #expect(agree(information.bounds, expected.information))
  }

  @Test func shortWaysEqualTheLongOne() throws {
    let (input, _) = try Reference.part("bootstrap", Input.self, Expected.self)
    let bootstrap = Bootstrap(repetitions: 200, seed: 9)
    let area = bootstrap.areaUnderROC(scores: input.scores, positive: input.positive, groups: input.groups)
    let long = bootstrap.interval(groups: input.groups) { chosen in
      ROC(scores: chosen.map { input.scores[$0] }, positive: chosen.map { input.positive[$0] })?.area
    }
    let (short, wanted) = try (#require(area), #require(long))
    #expect(agree([short.estimate, short.low, short.high], [wanted.estimate, wanted.low, wanted.high]))
    #expect(short.skippedResamples == wanted.skippedResamples)
    for p in [0, 0.5, 0.95, 1] {
      let one = try #require(bootstrap.quantile(p, of: input.scores, groups: input.groups))
      let other = try #require(
        bootstrap.interval(groups: input.groups) { chosen in
          EmpiricalDistribution(chosen.map { input.scores[$0] }).quantile(p)
        })
      #expect(agree([one.estimate, one.low, one.high], [other.estimate, other.low, other.high]))
    }
    let mean = try #require(bootstrap.mean(input.scores, groups: input.groups))
    let other = try #require(
      bootstrap.interval(groups: input.groups) { chosen in
        EmpiricalDistribution(chosen.map { input.scores[$0] }).mean
      })
    #expect(agree([mean.estimate, mean.low, mean.high], [other.estimate, other.low, other.high]))
  }

  @Test func ownDrawsAgreeWithSciPyWithinItsScatter() throws {
    struct Input: Decodable { var groups: [Int], values: [Double] }
    struct Expected: Decodable { var mean, median: [Double] }
    let (input, expected) = try Reference.part("scipyBootstrap", Input.self, Expected.self)
    let bootstrap = Bootstrap(repetitions: 10_000)
    let mean = try #require(bootstrap.mean(input.values, groups: input.groups))
    // The bounds scatter by about 2 % of the width with 10,000 draws; 5 % is the tolerance.
    let width = expected.mean[1] - expected.mean[0]
    #expect(abs(mean.low - expected.mean[0]) < 0.05 * width && abs(mean.high - expected.mean[1]) < 0.05 * width)
    let median = try #require(Bootstrap(repetitions: 3_000).quantile(0.5, of: input.values))
    let medianWidth = expected.median[1] - expected.median[0]
    #expect(abs(median.low - expected.median[0]) < 0.1 * medianWidth)
    #expect(abs(median.high - expected.median[1]) < 0.1 * medianWidth)
    // Values of one group resemble each other, so that drawing them singly would claim too much.
    let single = try #require(bootstrap.mean(input.values))
    #expect(single.high - single.low < 0.7 * (mean.high - mean.low))
  }

  @Test func aSeedRepeatsItself() throws {
    let values = (0..<50).map { Double($0 * 37 % 53) }
    let one = Bootstrap(repetitions: 100, seed: 4).mean(values)
    #expect(one != nil && one == Bootstrap(repetitions: 100, seed: 4).mean(values))
    #expect(one != Bootstrap(repetitions: 100, seed: 5).mean(values))
  }

  @Test func whatIsNotDefinedIsNil() {
    let bootstrap = Bootstrap(repetitions: 20)
    #expect(bootstrap.mean([]) == nil && bootstrap.mean([1]) == nil)
    #expect(bootstrap.mean([1, 2, 3], groups: [7, 7, 7]) == nil)
    #expect(bootstrap.mean([5, 5, 5])?.low == 5)
    #expect(bootstrap.quantile(0.5, of: [.infinity, .nan]) == nil)
    #expect(bootstrap.areaUnderROC(scores: [1, 2], positive: [true, true], groups: [0, 1]) == nil)
    #expect(bootstrap.interval(groupCount: -3) { _ in 1 } == nil)
    #expect(bootstrap.interval(groupCount: 3) { $0 == [0, 1, 2] ? 1 : nil }?.resamples ?? 0 <= 20)
  }
}
