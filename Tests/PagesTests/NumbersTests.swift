import Testing

@testable import Pages

@Suite struct NumbersTests {
  @Test func groupsDigits() {
    #expect(
      [0, 999, 1000, 1_234_567, -12_345].map(Numbers.grouped) == ["0", "999", "1,000", "1,234,567", "\u{2212}12,345"])
    #expect(Numbers.grouped(.min) == "\u{2212}9,223,372,036,854,775,808")
  }

  @Test func roundsDecimals() {
    #expect(Numbers.decimal(1234.5, places: 2) == "1,234.50")
    #expect(Numbers.decimal(0.996, places: 2) == "1.00")
    #expect(Numbers.decimal(-0.001, places: 2) == "0.00")
    #expect(Numbers.decimal(0.05, places: 1) == "0.1")
    #expect(Numbers.decimal(.nan, places: 2) == "not known")
    #expect(Numbers.decimal(.infinity, places: 2) == "not known")
  }

  @Test func keepsSignificantDigits() {
    #expect(
      [0.012345, 1234.5, 1.0, 0, 12.34].map { Numbers.significant($0) } == ["0.0123", "1,235", "1", "0", "12.3"])
  }

  @Test func percentagesNeverRoundToNoneOrAll() {
    let shares = [0, 0.0004, 0.004, 0.12, 0.995, 0.9996, 1]
    #expect(shares.map(Numbers.percentDigits) == ["0", "<\u{A0}0.1", "0.4", "12", "99.5", ">\u{A0}99.9", "100"])
  }

  @Test func unitsFit() {
    #expect([427.0, 1234, 3_400_000].map(Numbers.bytes) == ["427\u{A0}B", "1.23\u{A0}kB", "3.4\u{A0}MB"])
    #expect(
      [0, 0.035, 1.2, 240, 11_520, 172_800].map(Numbers.seconds)
        == ["0\u{A0}s", "35\u{A0}ms", "1.2\u{A0}s", "4\u{A0}min", "3.2\u{A0}h", "2\u{A0}days"])
  }

  @Test func logarithmsAreExactEnough() {
    for (value, expected) in [(1.0, 0.0), (10, 1), (1000, 3), (0.001, -3), (2, 0.301_029_995_663_981)] {
      #expect((Axis.log10(value) - expected).magnitude < 1e-12)
    }
  }
}
