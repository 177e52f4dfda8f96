import Statistics
import Testing

@Suite struct DistributionTests {
  @Test func agreesWithNumPy() throws {
    struct Input: Decodable { var first, second, edges, probabilities: [Double] }
    struct Expected: Decodable { var counts: [[Int]], totalVariation: Double, quantiles, equalWidth: [Double] }
    let (input, expected) = try Reference.part("histogram", Input.self, Expected.self)
    let first = try #require(Histogram(input.first, edges: input.edges))
    let second = try #require(Histogram(input.second, edges: input.edges))
    #expect([first.counts, second.counts] == expected.counts)
    #expect(first.total == input.first.count && first.below + first.above > 0)
    #expect(agree(first.totalVariation(from: second), expected.totalVariation))
    #expect(agree(first.overlap(with: second), 1 - expected.totalVariation))
    let distribution = EmpiricalDistribution(input.first)
    #expect(agree(input.probabilities.compactMap(distribution.quantile), expected.quantiles))
    let range = try #require(distribution.range)
    #expect(
      agree(
        try #require(Histogram.equalWidth(from: range.lowerBound, to: range.upperBound, count: 7)),
        expected.equalWidth))
  }

  @Test func quantileBinsHoldEquallyMany() throws {
    let values = (0..<1_000).map { Double($0 * 7919 % 1_000) }
    let edges = try #require(Histogram.quantiles(of: values, count: 10))
    #expect(Histogram(values, edges: edges)?.counts == [Int](repeating: 100, count: 10))
    #expect(Histogram.quantiles(of: [3, 3, 3], count: 4) == nil && Histogram.quantiles(of: [], count: 4) == nil)
    #expect(Histogram.quantiles(of: [0, 0, 0, 0, 9], count: 4) == [0, 9])
  }

  @Test func degenerateSamples() {
    let empty = EmpiricalDistribution([])
    #expect(empty.median == nil && empty.mean == nil && empty.summary == nil && empty.cumulative(1) == nil)
    let odd = EmpiricalDistribution([3, .nan, 1, .infinity])
    #expect(odd.sorted == [1, 3] && odd.dropped == 2 && odd.median == 2 && odd.quantile(7) == 3)
    #expect(odd.quantile(-1) == 1 && odd.quantile(.nan) == 1 && odd.cumulative(1) == 0.5 && odd.cumulative(0) == 0)
    #expect(Histogram([1], edges: [1]) == nil && Histogram([1], edges: [2, 1]) == nil)
    #expect(Histogram([.nan], edges: [0, 1])?.above == 1 && Histogram([], edges: [0, 1])?.shares == nil)
    #expect(Histogram.equalWidth(from: 1, to: 1, count: 3) == nil)
    #expect(Histogram.equalWidth(from: -.infinity, to: 1, count: 3) == nil)
  }
}
