// xoshiro256** 1.0, Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM TOMS 47(4), 2021; the
// state is filled by SplitMix64, as its authors advise.

/// A random generator with a seed, whose numbers are the same on every machine and in every release.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  /// A generator that gives the same numbers for the same seed.
  public init(seed: UInt64) {
    var filler = seed
    state = (
      Self.splitMix(&filler), Self.splitMix(&filler), Self.splitMix(&filler), Self.splitMix(&filler)
    )
  }

  init(state: (UInt64, UInt64, UInt64, UInt64)) { self.state = state }

  static func splitMix(_ state: inout UInt64) -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  private static func rotate(_ x: UInt64, _ by: UInt64) -> UInt64 { (x << by) | (x >> (64 - by)) }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    let result = Self.rotate(state.1 &* 5, 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = Self.rotate(state.3, 45)
    return result
  }

  /// A number in 0 ..< `count`, each as likely (Lemire, ACM TOMACS 29(1), 2019); 0 where `count` is not positive.
  public mutating func index(below count: Int) -> Int {
    guard count > 0 else { return 0 }
    let bound = UInt64(count)
    let refused = (0 &- bound) % bound
    while true {
      let (high, low) = next().multipliedFullWidth(by: bound)
      if low >= refused { return Int(high) }
    }
  }

  /// A number in 0 ..< 1 of 53 random bits.
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Puts the elements of a part of an array into a random order (Fisher and Yates).
  mutating func shuffle<Element>(_ elements: inout [Element], in range: Range<Int>) {
    guard range.lowerBound >= 0, range.upperBound <= elements.count else { return }
    var left = range.count
    while left > 1 {
      let chosen = range.lowerBound + index(below: left)
      left -= 1
      elements.swapAt(range.lowerBound + left, chosen)
    }
  }
}
