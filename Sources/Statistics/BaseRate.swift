/// What a rule's rates mean where the classes are as rare as they are (Axelsson, "The Base-Rate Fallacy and the
/// Difficulty of Intrusion Detection", ACM TISSEC 3(3), 2000).
public enum BaseRate {
  /// The share of flagged observations that are positive, by Bayes' theorem; nil where nothing is flagged.
  ///
  /// `baseRate` is the positives' share of all, 0 to 1, as are the two rates.
  public static func precision(truePositiveRate: Double, falsePositiveRate: Double, baseRate: Double) -> Double? {
    let right = truePositiveRate * baseRate
    let wrong = falsePositiveRate * (1 - baseRate)
    guard right >= 0, wrong >= 0, right + wrong > 0 else { return nil }
    return right / (right + wrong)
  }

  /// False alarms in a day of `events` observations, positives included.
  public static func falseAlarms(falsePositiveRate: Double, eventsPerDay events: Double, baseRate: Double) -> Double {
    events * (1 - baseRate) * falsePositiveRate
  }

  /// The best precision of any threshold of a curve that still finds the share `recall` of the positives, nil where
  /// none does.
  public static func precision(of curve: ROC, recall: Double, baseRate: Double) -> Double? {
    curve.points.lazy.filter { $0.truePositiveRate >= recall }.compactMap {
      precision(
        truePositiveRate: $0.truePositiveRate, falsePositiveRate: $0.falsePositiveRate, baseRate: baseRate)
    }.max()
  }
}
