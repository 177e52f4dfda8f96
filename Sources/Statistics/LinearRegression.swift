/// The straight line of least squared errors, y = intercept + slope x.
public struct LinearRegression: Sendable, Codable, Equatable {
  /// The value at x = 0 in the unit of y, and what y gains for 1 of x.
  public let intercept: Double, slope: Double
  /// The mean absolute error on the data that the line was fitted to, in the unit of y.
  public let meanAbsoluteError: Double
  /// The share of the variance of y that the line explains, 0 to 1; nil where y is constant.
  public let explainedVariance: Double?

  /// Fits the line to points, which belong together by place; nil for fewer than two points, where all x are the same,
  /// or where a number is not finite.
  public init?(x: [Double], y: [Double]) {
    let count = min(x.count, y.count)
    guard count > 1 else { return nil }
    let points = zip(x, y)
    let meanX = x.prefix(count).reduce(0, +) / Double(count)
    let meanY = y.prefix(count).reduce(0, +) / Double(count)
    let spreadX = points.reduce(0.0) { $0 + ($1.0 - meanX) * ($1.0 - meanX) }
    let spreadY = points.reduce(0.0) { $0 + ($1.1 - meanY) * ($1.1 - meanY) }
    let common = points.reduce(0.0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) }
    guard spreadX > 0, spreadX.isFinite, spreadY.isFinite else { return nil }
    slope = common / spreadX
    intercept = meanY - slope * meanX
    let (intercept, slope) = (intercept, slope)
    meanAbsoluteError = points.reduce(0.0) { $0 + abs($1.1 - intercept - slope * $1.0) } / Double(count)
    explainedVariance = spreadY > 0 ? common * common / (spreadX * spreadY) : nil
  }

  /// The line's value at `x`.
  public func predict(_ x: Double) -> Double { intercept + slope * x }

  /// The mean absolute error on other points, in the unit of y; nil for none.
  public func meanAbsoluteError(x: [Double], y: [Double]) -> Double? {
    let count = min(x.count, y.count)
    return count > 0 ? zip(x, y).reduce(0.0) { $0 + abs($1.1 - predict($1.0)) } / Double(count) : nil
  }
}
