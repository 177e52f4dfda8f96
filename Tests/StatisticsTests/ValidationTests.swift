import Statistics
import Testing

@Suite struct ValidationTests {
  @Test func foldsAgreeWithScikitLearn() throws {
    struct Input: Decodable { var groups: [Int], folds: Int }
    let (input, expected) = try Reference.part("folds", Input.self, [[Int]].self)
    let folds = CrossValidation.groups(input.groups, folds: input.folds)
    let held = Set(folds).map { fold in
      Set(zip(input.groups, folds).filter { $0.1 == fold }.map(\.0)).sorted()
    }
    #expect(held.sorted { $0[0] < $1[0] } == expected)
  }

  @Test func noModelSeesTheGroupThatItIsAskedOf() {
    let groups = ["a", "b", "a", "c", "b", "d"]
    #expect(CrossValidation.groups(groups) == [0, 1, 0, 2, 1, 3])
    for folds in [Int?.none, 2, 3, 99, 1, 0, -4] {
      let assigned = CrossValidation.groups(groups, folds: folds)
      #expect(Set(assigned).count == min(max(folds ?? 4, 2), 4))
      let answers = CrossValidation.outOfFold(folds: assigned) {
        Set($0.map { groups[$0] })
      } predict: {
        $0.contains(groups[$1])
      }
      #expect(answers == [Bool?](repeating: false, count: 6))
    }
    let single = CrossValidation.outOfFold(folds: CrossValidation.groups(["a", "a"])) {
      $0.count
    } predict: {
      $0 + $1
    }
    #expect(single == [nil, nil])
    let failing = CrossValidation.outOfFold(folds: [0, 1, 1]) {
      $0.count > 1 ? $0 : nil
    } predict: {
      $0[0] + $1
    }
    #expect(failing == [1, nil, nil])
    #expect(CrossValidation.groups([Int]()).isEmpty)
  }

  @Test func confusionAgreesWithScikitLearn() throws {
    struct Input: Decodable { var truth, predicted: [Int] }
    struct Expected: Decodable {
      var counts: [[Double]], recalls, precisions: [Double], accuracy, balanced: Double
    }
    let (input, expected) = try Reference.part("confusion", Input.self, Expected.self)
    var matrix = ConfusionMatrix(classes: ["a", "b", "c", "d"], truth: input.truth, predicted: input.predicted)
    #expect(matrix.counts == expected.counts && agree(matrix.accuracy, expected.accuracy))
    #expect(agree((0..<4).compactMap(matrix.recall), expected.recalls))
    #expect(agree((0..<4).compactMap(matrix.precision), expected.precisions))
    #expect(agree(matrix.balancedAccuracy, expected.balanced))
    matrix.add(truth: 9, predicted: -1)
    #expect(matrix.total == Double(input.truth.count) && matrix.recall(9) == nil && matrix.precision(-1) == nil)
    let empty = ConfusionMatrix(classes: ["a"])
    #expect(empty.accuracy == nil && empty.recall(0) == nil && empty.balancedAccuracy == nil)
  }

  @Test func nearestLengthAgreesWithScikitLearn() throws {
    struct Input: Decodable { var lengths, classes, asked: [Int] }
    let (input, expected) = try Reference.part("lengths", Input.self, [Int].self)
    let keys = input.lengths.map { LengthLookup.Key(length: $0, isOutgoing: true) }
    let lookup = try #require(LengthLookup(keys, classes: input.classes, classCount: 5))
    #expect(input.asked.map { lookup.predict(.init(length: $0, isOutgoing: true)) } == expected)
    #expect(expected.count > 30 && input.asked.contains { !input.lengths.contains($0) })
  }

  @Test func lengthsByMajorityAndDirection() throws {
    let keys = [(86, true), (86, true), (86, true), (404, true), (404, false), (120, false)]
      .map { LengthLookup.Key(length: $0.0, isOutgoing: $0.1) }
    let classes = [1, 1, 0, 2, 0, 0]
    let lookup = try #require(LengthLookup(keys, classes: classes, classCount: 3))
    #expect(lookup.predict(.init(length: 86, isOutgoing: true)) == 1)
    #expect(lookup.predict(.init(length: 404, isOutgoing: true)) == 2)
    #expect(lookup.predict(.init(length: 404, isOutgoing: false)) == 0)
    // As near to 86 as to 404: the shorter.
    #expect(lookup.predict(.init(length: 245, isOutgoing: true)) == 1)
    #expect(lookup.predict(.init(length: .max, isOutgoing: true)) == 2)
    #expect(lookup.predict(.init(length: .min, isOutgoing: true)) == 1)
    let majority = try #require(LengthLookup(keys, classes: classes, classCount: 3, unseen: .majority))
    #expect(majority.predict(.init(length: 403, isOutgoing: true)) == 0)
    #expect(majority.hasSeen(.init(length: 404, isOutgoing: true)))
    #expect(!majority.hasSeen(.init(length: 120, isOutgoing: true)))
    let oneWay = try #require(LengthLookup([keys[0]], classes: [1], classCount: 2))
    #expect(oneWay.predict(.init(length: 10, isOutgoing: false)) == 1)
    #expect(LengthLookup([], classes: [], classCount: 2) == nil)
    #expect(LengthLookup([keys[0]], classes: [2], classCount: 2) == nil)
  }
}
