/// Random numbers that are the same on every machine (splitmix64).
struct Random {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x2545_f491_4f6c_dd1d &+ 7 }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// From 0 to one less than `limit`.
  mutating func below(_ limit: Int) -> Int {
    Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(limit)).high)
  }

  mutating func chance(percent: Int) -> Bool { below(100) < percent }

  mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }

  /// From 0 to below 1.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1.0p-53 }

  /// Exponentially distributed. By a series: the last bits of a library's logarithm differ between systems.
  mutating func exponential(mean: Double) -> Double {
    var u = 1 - unit()
    var sum = 0.0
    while u < 0.5 {
      u *= 2
      sum += 0.693_147_180_559_945_31
    }
    let t = (1 - u) / (1 + u)
    let t2 = t * t
    return mean * (sum + 2 * t * (1 + t2 * (1 / 3.0 + t2 * (1 / 5.0 + t2 / 7))))
  }

  /// The place of a draw from shares, which need not add up to anything.
  mutating func draw(_ shares: [Int]) -> Int {
    var dice = below(max(1, shares.reduce(0, +)))
    for (place, share) in shares.enumerated() {
      dice -= share
      if dice < 0 { return place }
    }
    return 0
  }
}
