/// How the time stamps of one interface become nanoseconds (pcapng section 4.2, if_tsresol and if_tsoffset).
///
/// Every resolution that the option's byte can say is taken, and what lies outside `Int64` is clamped to its ends.
struct TimeScale: Equatable {
  private enum Step: Equatable {
    /// A tick is so many nanoseconds.
    case multiply(UInt64)
    /// A nanosecond is so many ticks.
    case divide(UInt64)
    /// A second is 2 to this power of ticks.
    case shift(UInt8)
    /// Ticks so short that 2^64 of them are less than a nanosecond.
    case nothing
  }

  private var step: Step
  /// Nanoseconds that every time stamp is later.
  private var offset: Int64

  static let microseconds = TimeScale(resolution: 6, offsetSeconds: 0)

  /// A scale from the options' values.
  /// - Parameters:
  ///   - resolution: a negative power of 10, or of 2 where the highest bit is set.
  ///   - offsetSeconds: seconds to add.
  init(resolution: UInt8, offsetSeconds: Int64) {
    let exponent = resolution & 0x7F
    step =
      if resolution & 0x80 != 0 {
        .shift(exponent)
      } else if exponent <= 9 {
        .multiply(powerOf10(9 - exponent))
      } else if exponent <= 28 {
        .divide(powerOf10(exponent - 9))
      } else {
        .nothing
      }
    let (product, overflow) = offsetSeconds.multipliedReportingOverflow(by: 1_000_000_000)
    offset = overflow ? (offsetSeconds < 0 ? .min : .max) : product
  }

  /// Nanoseconds since 1970 of a time stamp.
  @inline(__always) func nanoseconds(_ ticks: UInt64) -> Int64 {
    let unsigned: UInt64
    switch step {
    case .multiply(let factor):
      let (product, overflow) = ticks.multipliedReportingOverflow(by: factor)
      unsigned = overflow ? .max : product
    case .divide(let divisor): unsigned = ticks / max(divisor, 1)
    case .shift(let exponent):
      // At most 2^64 times 2^30, so that the product of 128 bits holds it.
      unsigned = UInt64(clamping: (UInt128(ticks) &* 1_000_000_000) >> UInt128(exponent))
    case .nothing: unsigned = 0
    }
    let (sum, overflow) = Int64(clamping: unsigned).addingReportingOverflow(offset)
    return overflow ? (offset < 0 ? .min : .max) : sum
  }
}

/// 10 to a power of at most 19; larger ones count as 19.
private func powerOf10(_ exponent: UInt8) -> UInt64 {
  var value: UInt64 = 1
  for _ in 0..<min(exponent, 19) { value = value &* 10 }
  return value
}
