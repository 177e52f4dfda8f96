import Foundation

/// An estimate and the bounds between which its true value lies with a stated confidence.
public struct ConfidenceInterval: Sendable, Codable, Equatable {
  /// The estimate on what was observed, and its bounds, in the unit of the estimate.
  public var estimate: Double, low: Double, high: Double
  /// The confidence, 0 to 1.
  public var confidence: Double
  /// Resamples that the bounds come from; 0 where they come from a formula.
  public var resamples: Int
  /// Resamples that had no answer, for example since they held one class only.
  public var skippedResamples: Int

  init(estimate: Double, low: Double, high: Double, confidence: Double, resamples: Int = 0, skipped: Int = 0) {
    self.estimate = estimate
    self.low = low
    self.high = high
    self.confidence = confidence
    self.resamples = resamples
    skippedResamples = skipped
  }

  /// The score interval of a proportion (Wilson, JASA 22, 1927), nil for no trial or more successes than trials.
  ///
  /// Right also for few trials and for proportions of 0 and 1; the trials must be independent.
  public static func wilson(successes: Int, trials: Int, confidence: Double = 0.95) -> ConfidenceInterval? {
    guard trials > 0, successes >= 0, successes <= trials, confidence > 0, confidence < 1 else { return nil }
    let n = Double(trials)
    let p = Double(successes) / n
    let z = Normal.quantile((1 + confidence) / 2)
    let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    let reach = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    return ConfidenceInterval(
      estimate: p, low: successes == 0 ? 0 : max(0, centre - reach),
      high: successes == trials ? 1 : min(1, centre + reach), confidence: confidence)
  }

  /// The exact interval of a proportion (Clopper and Pearson, Biometrika 26, 1934), nil as for `wilson`.
  ///
  /// It covers the true proportion at least as often as stated, so it is wider than Wilson's.
  public static func clopperPearson(successes: Int, trials: Int, confidence: Double = 0.95) -> ConfidenceInterval? {
    guard trials > 0, successes >= 0, successes <= trials, confidence > 0, confidence < 1 else { return nil }
    let tail = (1 - confidence) / 2
    let k = Double(successes)
    let n = Double(trials)
    let low = successes == 0 ? 0 : Beta.quantile(tail, k, n - k + 1)
    let high = successes == trials ? 1 : Beta.quantile(1 - tail, k + 1, n - k)
    return ConfidenceInterval(estimate: k / n, low: low, high: high, confidence: confidence)
  }
}

/// The standard normal distribution.
enum Normal {
  /// The value below which a share `p`, between 0 and 1, lies; by bisection of the error function.
  static func quantile(_ p: Double) -> Double {
    var low = -40.0
    var high = 40.0
    for _ in 0..<200 where low < high {
      let middle = (low + high) / 2
      // The smaller tail keeps its digits.
      let isBelow = p < 0.5 ? erfc(-middle / 2.0.squareRoot()) / 2 < p : erfc(middle / 2.0.squareRoot()) / 2 > 1 - p
      if isBelow { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}

/// The beta distribution with both parameters above 0.
enum Beta {
  /// The share below `x`: the regularised incomplete beta function by its continued fraction (Abramowitz and Stegun
  /// 26.5.8), evaluated by Lentz's method.
  static func cumulative(_ x: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    // The fraction converges fast below the mean; above it the mirrored one does.
    if x > (a + 1) / (a + b + 2) { return 1 - cumulative(1 - x, b, a) }
    let scale = exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log1p(-x)) / a
    let tiny = 1e-300
    var c = 1.0
    var d = 1 - (a + b) * x / (a + 1)
    d = 1 / (abs(d) < tiny ? tiny : d)
    var fraction = d
    for step in 1..<100_000 {
      let m = Double(step)
      for term in [
        m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
        -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
      ] {
        d = 1 + term * d
        d = 1 / (abs(d) < tiny ? tiny : d)
        c = 1 + term / c
        if abs(c) < tiny { c = tiny }
        fraction *= c * d
      }
      if abs(c * d - 1) < 1e-15 { break }
    }
    return scale * fraction
  }

  /// The value below which a share `p` lies, by bisection.
  static func quantile(_ p: Double, _ a: Double, _ b: Double) -> Double {
    var low = 0.0
    var high = 1.0
    for _ in 0..<200 where high - low > 1e-16 {
      let middle = (low + high) / 2
      if cumulative(middle, a, b) < p { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// The logarithm of the gamma function for x > 0: Stirling's series (Abramowitz and Stegun 6.1.41) above 15, below
  /// it by recurrence. C's own `lgamma` writes a global variable.
  static func logGamma(_ x: Double) -> Double {
    var x = x
    var product = 1.0
    while x < 15 {
      product *= x
      x += 1
    }
    let r = 1 / (x * x)
    let series = (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r / 1188)))) / x
    return (x - 0.5) * log(x) - x + 0.5 * log(2 * Double.pi) + series - log(product)
  }
}
