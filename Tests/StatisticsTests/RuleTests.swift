import Foundation
import Statistics
import Testing

@Suite struct RuleTests {
  struct Input: Decodable {
    struct Case: Decodable { var values: [Double], positive: [Bool] }
    var cases: [Case]
  }

  @Test func noRuleIsBetterThanTheOneFound() throws {
    let (input, expected) = try Reference.part("rules", Input.self, [[String: Double]].self)
    #expect(input.cases.count == 5 && expected.count == 5)
    for (one, wanted) in zip(input.cases, expected) {
      for shape in SingleFeatureRule.Shape.allCases {
        let rule = try #require(
          SingleFeatureRule.best(values: one.values, positive: one.positive, among: [shape]))
        #expect(agree(rule.balancedError, wanted[shape.rawValue]), "\(shape)")
        // What the rule says of itself is what it says of the data.
        let said = one.values.map(rule.isPositive)
        let caught = zip(said, one.positive).count { $0 && $1 }
        let wrong = zip(said, one.positive).count { $0 && !$1 }
        #expect(agree(rule.truePositiveRate, Double(caught) / Double(one.positive.count(where: \.self))))
        #expect(agree(rule.falsePositiveRate, Double(wrong) / Double(one.positive.count { !$0 })))
      }
      let best = try #require(SingleFeatureRule.best(values: one.values, positive: one.positive))
      #expect(agree(best.balancedError, wanted.values.min()))
    }
  }

  @Test func rulesReadAsSentences() throws {
    let sizes: [Double] = [34, 60, 73, 73, 412, 450, 900]
    let large = try #require(
      SingleFeatureRule.best(values: sizes, positive: [false, false, false, false, true, true, true]))
    #expect(large.sentence(unit: "bytes") == "at least 412 bytes" && large.balancedError == 0)
    let small = try #require(
      SingleFeatureRule.best(values: sizes, positive: [true, true, false, false, false, false, false]))
    #expect(small.sentence(unit: "bytes") == "at most 60 bytes")
    let middle = try #require(
      SingleFeatureRule.best(values: sizes, positive: [false, false, true, true, true, false, false]))
    #expect(middle.sentence(unit: "bytes") == "from 73 to 412 bytes")
    let one = try #require(
      SingleFeatureRule.best(values: sizes, positive: [false, true, false, false, false, false, false]))
    #expect(one.sentence(unit: "") == "exactly 60")
    let gaps = try #require(
      SingleFeatureRule.best(values: [0.12345, 0.5, 0.9, 2], positive: [true, false, false, true]))
    #expect(gaps.sentence(unit: "s") == "not from 0.5 to 0.9 s")
  }

  @Test func whatIsNotDefinedIsNil() throws {
    #expect(SingleFeatureRule.best(values: [], positive: []) == nil)
    #expect(SingleFeatureRule.best(values: [1, 2], positive: [true, true]) == nil)
    #expect(SingleFeatureRule.best(values: [1, .nan], positive: [true, false]) == nil)
    #expect(SingleFeatureRule.best(values: [1, 2], positive: [true, false], among: []) == nil)
    let constant = try #require(SingleFeatureRule.best(values: [5, 5], positive: [true, false]))
    #expect(constant.balancedError == 0.5 && !constant.isPositive(.nan))
  }
}
