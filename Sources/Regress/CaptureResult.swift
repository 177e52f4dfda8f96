public import Classify

/// What came of one capture of a folder.
public struct CaptureResult: Sendable {
  /// What came of it.
  public enum Outcome: Sendable {
    /// It gave what was expected.
    case asExpected
    /// It gave something else.
    case different(Comparison)
    /// Nobody has said what to expect.
    case notExpected
    /// The expectation was written for the first time, or anew; with what changed.
    case recorded([Tag: Int]), renewed(Comparison)
    /// It could not be compared, for a reason that a person must look at.
    case failed(String)
    /// There is an expectation and no capture.
    case captureGone
    /// The run was ended before it.
    case notReached
  }

  /// The capture's path inside the folder.
  public var name: String
  /// Where its expectation is, for messages.
  public var expectation: String
  /// What came of it.
  public var outcome: Outcome
  /// Flows that were found.
  public var flowCount: Int
  /// Seconds that it took.
  public var seconds: Double

  /// A result.
  public init(_ name: String, expectation: String, _ outcome: Outcome, flowCount: Int = 0, seconds: Double = 0) {
    self.name = name
    self.expectation = expectation
    self.outcome = outcome
    self.flowCount = flowCount
    self.seconds = seconds
  }

  /// Whether nobody needs to look at it.
  public var isGood: Bool {
    switch outcome {
    case .asExpected, .recorded, .renewed: true
    case .different, .notExpected, .failed, .captureGone, .notReached: false
    }
  }
}
