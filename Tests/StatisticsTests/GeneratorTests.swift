import Testing

@testable import Statistics

@Suite struct GeneratorTests {
  @Test func agreesWithWholeNumbersInPython() throws {
    struct Input: Decodable { var seeds: [UInt64], count: Int }
    let (input, expected) = try Reference.part("generator", Input.self, [[String]].self)
    for (seed, numbers) in zip(input.seeds, expected) {
      var generator = SeededGenerator(seed: seed)
      #expect((0..<input.count).map { _ in String(generator.next()) } == numbers)
    }
  }

  /// Values of the authors' C code from the state 1, 2, 3, 4, as the `rand_xoshiro` crate lists them.
  @Test func agreesWithTheAuthorsCode() {
    var generator = SeededGenerator(state: (1, 2, 3, 4))
    let wanted: [UInt64] = [11520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360]
    #expect(wanted.indices.map { _ in generator.next() } == wanted)
  }

  @Test func numbersAreEven() {
    var generator = SeededGenerator(seed: 5)
    var counts = [Int](repeating: 0, count: 6)
    for _ in 0..<60_000 { counts[generator.index(below: 6)] += 1 }
    // Chi squared with 5 degrees of freedom exceeds 20.5 one time in a thousand.
    #expect(counts.reduce(0.0) { $0 + Double(($1 - 10_000) * ($1 - 10_000)) / 10_000 } < 20.5)
    #expect(generator.index(below: 0) == 0 && generator.index(below: -5) == 0 && generator.index(below: 1) == 0)
    #expect((0..<1_000).allSatisfy { _ in (0..<1).contains(generator.unit()) })
    var order = Array(0..<20)
    generator.shuffle(&order, in: 5..<15)
    #expect(order.sorted() == Array(0..<20) && order[..<5] == [0, 1, 2, 3, 4] && order != Array(0..<20))
  }
}
