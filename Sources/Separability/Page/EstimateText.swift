import Pages

/// Estimates as the page and the terminal write them: rounded to what they carry, with their interval.
enum EstimateText {
  /// What stands in place of an interval.
  static let noInterval = "too few captures for an interval"

  /// "0.93 (0.88 to 0.97)".
  static func decimal(_ estimate: Estimate, places: Int = 2) -> (value: String, interval: String?) {
    parts(estimate) { Numbers.decimal($0, places: places) }
  }

  /// "93 % (88 to 97 %)".
  static func share(_ estimate: Estimate) -> (value: String, interval: String?) {
    guard let low = estimate.low, let high = estimate.high, low.isFinite, high.isFinite else {
      return (Numbers.percent(estimate.value), nil)
    }
    return (Numbers.percent(estimate.value), "\(Numbers.percentDigits(low)) to \(Numbers.percent(high))")
  }

  /// "1,230 (980 to 1,500)", "3.1 (0.4 to 8)": for counts.
  static func count(_ estimate: Estimate) -> (value: String, interval: String?) {
    parts(estimate) {
      $0.magnitude < 10 ? Numbers.significant($0, digits: 2) : Numbers.decimal($0, places: 0)
    }
  }

  private static func parts(_ estimate: Estimate, _ format: (Double) -> String) -> (value: String, interval: String?) {
    guard let low = estimate.low, let high = estimate.high, low.isFinite, high.isFinite else {
      return (format(estimate.value), nil)
    }
    return (format(estimate.value), "\(format(low)) to \(format(high))")
  }

  /// As one line of text.
  static func line(_ parts: (value: String, interval: String?)) -> String {
    parts.interval.map { "\(parts.value) (\($0))" } ?? parts.value
  }

  /// As a cell of a table; empty for no estimate.
  static func cell(_ parts: (value: String, interval: String?)?) -> Markup {
    guard let parts else { return "" }
    guard let interval = parts.interval else {
      return "\(parts.value) <span class=\"interval\">no interval</span>"
    }
    return "\(parts.value) <span class=\"interval\">(\(interval))</span>"
  }

  /// What a table must say below itself about intervals; `reason` is why one may be missing.
  static func note(_ estimates: [Estimate?], reason: String = noInterval) -> Markup {
    let present = estimates.compactMap { $0 }
    let without = present.contains { $0.low == nil || $0.high == nil }
    let with = present.contains { $0.low != nil && $0.high != nil }
    let first: Markup = with ? "In brackets: 95\u{A0}% intervals." : ""
    let second: Markup = without ? " \u{201C}No interval\u{201D}: \(reason)." : ""
    return first + second
  }
}
