// Times are nanoseconds since 1970 as captures give them, which may be anything: sums and differences stay within bounds.

extension Int64 {
  /// The longest that a rule or a client is taken to wait: some 31 years.
  static let longestWait = 1e9

  /// Nanoseconds of seconds; 0 for what is no number.
  init(nanosecondsOf seconds: Double) {
    guard !seconds.isNaN else {
      self = 0
      return
    }
    self = Int64(Swift.max(-Self.longestWait, Swift.min(Self.longestWait, seconds)) * 1e9)
  }

  /// The time so many nanoseconds later, or the last that there is.
  func advanced(byNanoseconds nanoseconds: Int64) -> Int64 {
    let (sum, isOver) = addingReportingOverflow(nanoseconds)
    return isOver ? (nanoseconds < 0 ? .min : .max) : sum
  }

  /// The time so many seconds later.
  func advanced(bySeconds seconds: Double) -> Int64 { advanced(byNanoseconds: Int64(nanosecondsOf: seconds)) }

  /// Nanoseconds since another time, negative where that is later.
  func nanoseconds(since other: Int64) -> Int64 {
    let (difference, isOver) = subtractingReportingOverflow(other)
    return isOver ? (self < other ? .min : .max) : difference
  }

  /// Seconds since another time.
  func seconds(since other: Int64) -> Double { Double(nanoseconds(since: other)) / 1e9 }
}
