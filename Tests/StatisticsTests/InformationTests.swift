import Statistics
import Testing

@Suite struct InformationTests {
  struct Input: Decodable {
    struct Case: Decodable { var values: [Int], positive: [Bool], groups: [Int] }
    var cases: [Case]
  }
  struct Expected: Decodable { var observed, balanced, corrected, bestError, within: Double }

  @Test func agreesWithScikitLearn() throws {
    let (input, expected) = try Reference.part("information", Input.self, [Expected].self)
    #expect(input.cases.count == 4 && expected.count == 4)
    for (one, wanted) in zip(input.cases, expected) {
      let table = ClassTable(values: one.values, positive: one.positive)
      #expect(agree(MutualInformation.bits(table, .observed), wanted.observed))
      #expect(agree(MutualInformation.bits(table), wanted.balanced))
      #expect(agree(MutualInformation.corrected(table), wanted.corrected))
      #expect(agree(table.bayesError(), wanted.bestError))
      let within = MutualInformation.within(
        groups: one.groups, values: one.values, positive: one.positive, .observed)
      #expect(agree(within?.bits, wanted.within))
      #expect(within?.groups == Set(one.groups).count && within?.skippedGroups == 0)
    }
  }

  @Test func permutationNullAgreesWithSciPy() throws {
    struct Input: Decodable { var values: [Int], positive: [Bool] }
    struct Expected: Decodable { var mean, p, percentile95: Double }
    let (input, expected) = try Reference.part("permutation", Input.self, Expected.self)
    let null = try #require(
      PermutationNull(
        values: input.values, positive: input.positive, groups: [Int]?.none, prior: .observed, repetitions: 4_000))
    // Both draw at random: three standard errors of 4,000 draws.
    #expect(agree(null.mean, expected.mean, 0.001))
    #expect(agree(null.percentile95, expected.percentile95, 0.004))
    #expect(abs(null.pValue - expected.p) < 0.02)
    #expect(null.repetitions == 4_000)
  }

  @Test func knownTables() {
    let told = ClassTable(values: ["a", "a", "b", "b", "b"], positive: [true, true, false, false, false])
    #expect(agree(MutualInformation.bits(told), 1))
    #expect(told.bayesError() == 0)
    let same = ClassTable(values: [5, 5, 5], positive: [true, false, false])
    #expect(MutualInformation.bits(same) == 0)
    #expect(same.bayesError() == 0.5)
    #expect(agree(same.bayesError(.observed), 1.0 / 3))
    // A binary symmetric channel that errs one time in ten: 1 - H(0.1).
    let channel = ClassTable(rows: [.init(positive: 9, negative: 1), .init(positive: 1, negative: 9)])
    #expect(agree(MutualInformation.bits(channel), 0.531004406410719))
    #expect(agree(channel.bayesError(), 0.1))
  }

  @Test func whatIsNotDefinedIsNil() {
    let empty = ClassTable(values: [Int](), positive: [])
    #expect(MutualInformation.bits(empty) == nil && MutualInformation.bits(empty, .observed) == nil)
    #expect(
      MutualInformation.corrected(empty) == nil && empty.bayesError() == nil && empty.bayesError(.observed) == nil)
    let oneClass = ClassTable(values: [1, 2], positive: [true, true])
    #expect(oneClass.balanced == nil && MutualInformation.bits(oneClass) == nil)
    #expect(MutualInformation.bits(oneClass, .observed) == 0)
    #expect(MutualInformation.within(groups: [1, 2], values: [1, 2], positive: [true, false]) == nil)
    let odd = ClassTable(values: [1, 2, 3], positive: [true, false, true], weights: [.nan, 1, -.infinity])
    #expect(odd.totals == .init(positive: 0, negative: 1) && MutualInformation.bits(odd) == nil)
    #expect(PermutationNull(values: [1, 2], positive: [true, true], groups: [Int]?.none) == nil)
    #expect(PermutationNull(values: [Int](), positive: [], groups: [Int]()) == nil)
  }

  @Test func independentTablesTellNothingAndNoneTellsLess() {
    var generator = SeededGenerator(seed: 11)
    for _ in 0..<200 {
      let rows = (0..<(1 + generator.index(below: 6))).map { _ in
        ClassTable.Row(
          positive: Double(generator.index(below: 9)), negative: Double(generator.index(below: 9)))
      }
      let table = ClassTable(rows: rows)
      if let bits = MutualInformation.bits(table) { #expect(bits >= 0 && bits <= 1 + 1e-12) }
      if let bits = MutualInformation.bits(table, .observed) { #expect(bits >= 0 && bits <= 1 + 1e-12) }
      if let error = table.bayesError() { #expect(error >= 0 && error <= 0.5) }
      let independent = ClassTable(rows: rows.map { .init(positive: 3 * $0.total, negative: 7 * $0.total) })
      #expect((MutualInformation.bits(independent, .observed) ?? 0) < 1e-12)
      #expect(agree(independent.bayesError() ?? 0.5, 0.5))
    }
  }

  @Test func groupsThatExplainTheValueLeaveNothingWithin() throws {
    // The value names the capture, and the captures differ in their mix: information over all, none within.
    let groups = [Int](repeating: 0, count: 40) + [Int](repeating: 1, count: 40)
    let positive = (0..<80).map { $0 < 40 ? $0 % 4 == 0 : $0 % 4 != 0 }
    #expect(try #require(MutualInformation.bits(ClassTable(values: groups, positive: positive))) > 0.15)
    let within = try #require(MutualInformation.within(groups: groups, values: groups, positive: positive))
    #expect(within.bits < 1e-12)
    let null = try #require(PermutationNull(values: groups, positive: positive, groups: groups, repetitions: 50))
    #expect(null.pValue == 1)
    let inside = try #require(
      PermutationNull(
        values: positive, positive: positive, groups: groups, estimate: .withinGroups, repetitions: 200))
    #expect(agree(inside.observed, 1) && agree(inside.pValue, 1.0 / 201) && inside.excess > 0.8)
  }

  @Test func weightsCountAsRepetitions() {
    let weighted = ClassTable(values: [1, 2, 1], positive: [true, false, false], weights: [3, 2, 1])
    let repeated = ClassTable(
      values: [1, 1, 1, 2, 2, 1], positive: [true, true, true, false, false, false])
    #expect(agree(MutualInformation.bits(weighted, .observed), MutualInformation.bits(repeated, .observed)))
  }
}
