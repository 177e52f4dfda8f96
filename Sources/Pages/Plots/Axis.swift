/// A scale with ticks at round values.
public struct Axis: Sendable {
  /// A tick.
  public struct Tick: Sendable, Equatable {
    /// Its value and what stands at it.
    public var value: Double, label: String
    /// A tick.
    public init(_ value: Double, _ label: String) { (self.value, self.label) = (value, label) }
  }

  /// What is measured, with its unit.
  public var title: String
  /// The ends; `lower` is below `upper`.
  public private(set) var lower: Double, upper: Double
  /// Whether equal factors are equally long; whether the upper end stands first.
  public var isLogarithmic: Bool, isReversed: Bool
  /// Ticks instead of round ones.
  public var fixedTicks: [Tick]?
  /// How a round value is written.
  public var format: @Sendable (Double) -> String

  /// A scale; ends that are equal, reversed or not finite are moved to make one.
  ///
  /// - Parameters:
  ///   - title: what is measured, with its unit.
  ///   - lower: the lower end; above 0 where logarithmic.
  ///   - upper: the upper end.
  ///   - isLogarithmic: whether equal factors are equally long.
  ///   - isReversed: whether the upper end stands first.
  ///   - fixedTicks: ticks instead of round ones.
  ///   - format: how a round value is written.
  public init(
    _ title: String, from lower: Double, to upper: Double, isLogarithmic: Bool = false, isReversed: Bool = false,
    fixedTicks: [Tick]? = nil, format: @escaping @Sendable (Double) -> String = { Numbers.significant($0, digits: 4) }
  ) {
    self.title = title
    var low = lower.isFinite ? lower : 0
    if isLogarithmic { low = max(low, 1e-9) }
    var high = upper.isFinite ? upper : low
    if high <= low { high = isLogarithmic ? low * 10 : low + 1 }
    (self.lower, self.upper) = (low, high)
    (self.isLogarithmic, self.isReversed, self.fixedTicks, self.format) = (
      isLogarithmic, isReversed, fixedTicks, format
    )
  }

  /// A share from 0 to 1, written in percent.
  public static func share(_ title: String) -> Axis {
    Axis(title, from: 0, to: 1) { Numbers.percentDigits($0) + Numbers.space + "%" }
  }

  /// Where a value lies: 0 at the axis' beginning, 1 at its end; values beyond are held at the ends.
  public func position(_ value: Double) -> Double {
    guard value.isFinite else { return 0 }
    let value = min(max(value, lower), upper)
    let place =
      isLogarithmic
      ? (decades(value) - decades(lower)) / (decades(upper) - decades(lower)) : (value - lower) / (upper - lower)
    return isReversed ? 1 - place : place
  }

  /// Round values inside the ends, some `count` of them.
  public func ticks(about count: Int) -> [Tick] {
    if let fixedTicks { return fixedTicks }
    return values(about: max(count, 2)).map { Tick($0, format($0)) }
  }

  private func values(about count: Int) -> [Double] {
    guard isLogarithmic else { return Axis.linearValues(from: lower, to: upper, about: count) }
    var exponents: [Int] = []
    var exponent = Int(decades(lower).rounded(.down))
    while exponent <= Int(decades(upper).rounded(.up)), exponents.count < 64 {
      exponents.append(exponent)
      exponent += 1
    }
    let span = decades(upper) - decades(lower)
    let steps: [Double] =
      span * 3 <= Double(count) + 1 ? [1, 2, 5] : span * 2 <= Double(count) + 1 ? [1, 3] : [1]
    let stride = steps.count > 1 ? 1 : max(1, Int((span / Double(count)).rounded(.up)))
    var values: [Double] = []
    for exponent in exponents where exponent % stride == 0 {
      values += steps.map { $0 * Numbers.power(of: 10, exponent) }
    }
    let inside = values.filter { $0 >= lower * 0.999_999 && $0 <= upper * 1.000_001 }
    return inside.count >= 2 ? inside : Axis.linearValues(from: lower, to: upper, about: count)
  }

  private static func linearValues(from lower: Double, to upper: Double, about count: Int) -> [Double] {
    let raw = (upper - lower) / Double(count)
    var unit = 1.0
    while unit > raw, unit > 1e-12 { unit /= 10 }
    while unit * 10 <= raw, unit < 1e15 { unit *= 10 }
    let step = [1.0, 2, 2.5, 5, 10].map { $0 * unit }.first { $0 >= raw * 0.999 } ?? unit * 10
    let first = (lower / step - 1e-9).rounded(.up)
    var values: [Double] = []
    while values.count < 64, (first + Double(values.count)) * step <= upper + step * 1e-9 {
      values.append((first + Double(values.count)) * step)
    }
    return values
  }

  /// Decimal logarithm by bisection and series, as this module uses no library.
  private func decades(_ value: Double) -> Double { Axis.log10(value) }

  static func log10(_ value: Double) -> Double {
    guard value > 0, value.isFinite else { return 0 }
    // value = significand * 2^exponent; ln(s) = 2 atanh((s - 1) / (s + 1)), s from 1 to 2.
    let ratio = (value.significand - 1) / (value.significand + 1)
    var (term, sum, odd) = (ratio, 0.0, 1.0)
    while term > 1e-17, odd < 99 {
      sum += term / odd
      term *= ratio * ratio
      odd += 2
    }
    let natural = 2 * sum + Double(value.exponent) * 0.693_147_180_559_945_3
    return natural / 2.302_585_092_994_046
  }
}
