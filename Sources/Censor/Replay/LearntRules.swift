import Separability
public import Truth

/// Rules that are learnt from the labelled traffic of a run before any policy is played.
public struct LearntRules {
  /// The most rules of a run: a bit each in `TracePacket.models`.
  public static let maximumRules = 8

  /// The rules' terms, by their bits.
  private let tests: [ModelTest]
  /// What a person should know: how each rule did, or why there is none.
  public private(set) var notices: [String] = []
  private var flaggers: [RecordFlagger?] = []

  /// The rules that some policies need.
  public init(for policies: [Policy]) {
    var tests: [ModelTest] = []
    for policy in policies {
      for case .model(let test) in policy.match.leaves
      where tests.count < Self.maximumRules && !tests.contains(where: { $0.hasTerms(of: test) }) {
        tests.append(test)
      }
    }
    self.tests = tests
  }

  /// Whether no policy needs any.
  public var isEmpty: Bool { tests.isEmpty }

  /// The policies, each leaf with the bit of its rule.
  public func marked(_ policies: [Policy]) -> [Policy] {
    policies.map { policy in
      var policy = policy
      policy.match = policy.match.mapped { leaf in
        guard case .model(var test) = leaf else { return leaf }
        test.bit = tests.firstIndex { $0.hasTerms(of: test) }.map { UInt8(clamping: $0) }
        return .model(test)
      }
      return policy
    }
  }

  /// Learns all rules.
  public mutating func learn(from traffic: LabelledTraffic) {
    for test in tests {
      let flagger = RecordFlagger(
        traffic, target: test.target, background: test.background, isUp: test.direction.isUp,
        falsePositiveRate: test.falsePositiveRate)
      flaggers.append(flagger)
      let name = "the learnt rule for \(test.target) against \(test.background)"
      if let flagger {
        notices.append(
          "\(name) found \(flagger.found.part) of \(flagger.found.whole) on captures that it was not learnt on, with "
            + "\(flagger.falseAlarms.part) false alarms in \(flagger.falseAlarms.whole)")
      } else {
        notices.append(
          "\(name) could not be learnt: that needs two captures in which truth knows both; its policy hits nothing here"
        )
      }
    }
  }

  /// Marks the packets in which a flagged record ends.
  public func mark(_ trace: inout Trace) {
    for (bit, flagger) in flaggers.enumerated() {
      guard let flagger else { continue }
      for record in trace.records
      where flagger.isFlagged.indices.contains(record.number) && flagger.isFlagged[record.number] {
        guard let packet = trace.packet(of: record.flow, isUp: record.isUp, at: record.time) else { continue }
        trace.packets[packet].models |= 1 << UInt8(bit)
      }
    }
  }
}

extension ModelTest {
  /// Whether another test is the same but for the bit.
  fileprivate func hasTerms(of other: ModelTest) -> Bool {
    target == other.target && background == other.background && direction == other.direction
      && falsePositiveRate == other.falsePositiveRate
  }
}

extension PolicyAction.Direction {
  /// Whether it is the way to the server; nil for both.
  var isUp: Bool? {
    switch self {
    case .both: nil
    case .up: true
    case .down: false
    }
  }
}
