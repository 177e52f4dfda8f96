public import Classify

/// What came of one capture of a folder.
public struct CaptureResult: Sendable {
  /// What came of it.
  public enum Outcome: Sendable {
    /// It gave what was expected.
    case asExpected
    /// It gave something else.
    case different(DifferenceList)
    /// Nobody has said what to expect.
    case notExpected
    /// The expectation was written for the first time, or anew; with what changed.
    case recorded([Tag: Int]), renewed(DifferenceList)
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

/// The differences of a capture, as far as they are listed, and what there is to say of all of them. What else a
/// comparison holds goes with the capture: memory does not grow with the number of captures that differ.
public struct DifferenceList: Sendable {
  /// Differences of a capture that are listed where nothing else is asked for.
  public static let shownDifferences = 20

  /// Those that are listed, and how many are not.
  public let listed: [Difference], hidden: Int
  /// How many flows and conversations differ.
  public let flows: Int, conversations: Int
  /// Whether the totals differ, or how far the capture can be read.
  public let concernsTheWhole: Bool
  /// How many flows went from which tag to which.
  public let moves: [TagMove: Int]
  /// How many flows lost which kind of evidence.
  public let lostEvidence: [String: Int]

  /// The differences that a comparison found.
  /// - Parameters:
  ///   - comparison: what it found.
  ///   - limit: how many are listed; nil for all.
  public init(_ comparison: Comparison, limit: Int? = DifferenceList.shownDifferences) {
    let all = comparison.differences
    listed = Array(all.prefix(limit ?? .max))
    hidden = all.count - listed.count
    flows = all.count { $0.part == .flow }
    conversations = all.count { $0.part == .conversation }
    concernsTheWhole = all.contains { $0.part == .totals }
    var moves: [TagMove: Int] = [:]
    for difference in all where difference.part == .flow {
      if let move = difference.move { moves[move, default: 0] += 1 }
    }
    self.moves = moves
    var lost: [String: Int] = [:]
    for kind in all.lazy.flatMap(\.lostEvidence) { lost[kind, default: 0] += 1 }
    lostEvidence = lost
  }
}
