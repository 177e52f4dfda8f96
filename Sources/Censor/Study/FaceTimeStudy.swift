public import Separability

/// Why FaceTime and not iMessage: what the built-in policies, and the lab's rules, say about the one connection that an
/// iPhone's notifications, iMessages and ringing share.
///
/// Each sentence is made from numbers; where a number says the opposite, so does the sentence, and where the traffic has
/// nothing to say, the sentence says that.
public struct FaceTimeStudy: Sendable, Encodable {
  /// A step of the argument.
  public struct Step: Sendable, Encodable {
    /// The anchor: letters and hyphens.
    public var id: String
    /// The question that it answers.
    public var title: String
    /// Its sentences.
    public var claims: [StudyClaim]
  }

  /// A bar of the figure: what a rule hits of what it is meant for, and of notifications.
  public struct Bar: Sendable, Equatable, Encodable {
    /// The policy's name, and what it goes by in plain words.
    public var policy: String, title: String
    /// What it is meant for, in words.
    public var target: String
    /// Shares from 0 to 1; nil where the traffic has none of it.
    public var targetHit: Double?, notificationsHit: Double?
  }

  /// Whether the shared connection is explanation enough.
  public enum Outcome: String, Sendable, Encodable, CaseIterable {
    /// The traffic lacks what it takes.
    case unanswered
    /// No rule on the connection stops iMessage, so that nothing is put to the test.
    case untested
    /// iMessage can be stopped on the connection at little cost: sharing protects nothing.
    case notShared = "not shared"
    /// The price is there, but FaceTime's media cannot be hit either, or not without that price.
    case noDifference = "no difference"
    /// Enough against rules on addresses, names and ports; a rule on single records gets around it.
    case enoughForKnownRules = "enough for known rules"
    /// As far as anything was tried.
    case enough
    /// As far as anything was tried, but records were not.
    case enoughWithoutRecords = "enough, records not tried"
  }

  /// The answer in a word.
  public private(set) var outcome = Outcome.unanswered
  /// The answer in a sentence or two.
  public private(set) var verdict: [StudyClaim] = []
  /// The three questions that are never to be mixed up: identify, detect, act.
  public private(set) var questions: [Step] = []
  /// What was blocked and what an iPhone's connections are.
  public private(set) var background: [StudyClaim] = []
  /// The argument.
  public private(set) var steps: [Step] = []
  /// What nobody knows.
  public private(set) var unknown: [StudyClaim] = []
  /// The figure's bars.
  public private(set) var bars: [Bar] = []
  /// What was read, in words.
  public private(set) var traffic: String
  /// How cut services were taken to recover, and what a reader should know of the replay.
  public private(set) var assumptions: [String]
  /// The command that made it.
  public private(set) var command: String

  /// All sentences in the order of the page.
  public var claims: [StudyClaim] {
    background + verdict + questions.flatMap(\.claims) + steps.flatMap(\.claims) + unknown
  }

  /// All that the sentences rest on, each once, in the order of the page; a number behind a sentence is a place here,
  /// counted from 1.
  public var evidence: [StudyEvidence] {
    var seen = Set<StudyEvidence>()
    return claims.flatMap(\.evidence).filter { seen.insert($0).inserted }
  }

  /// What the page is called.
  public static let title = "Why FaceTime and not iMessage?"

  /// What is asked.
  public static let question =
    "One explanation: to block iMessage is to silence every app. Others doubt it: FaceTime rings over that connection, too, and a censor could block the hosts for signing in. Is the shared connection explanation enough?"

  /// How it was found out, and what "hit" means.
  public var method: String {
    "Replay over \(traffic). Hit: a message lost or more than a second late; a flow, one conversation of two machines, cut."
  }

  /// The policies that the study needs: names of built-in ones.
  public static let policyNames =
    pipeRules.map(\.policy) + mediaRules.map(\.policy) + [
      "block-identity", "block-activation", "block-attachments", "sent-imessage-shape", "sent-imessage-hold",
      "received-imessage-hold", "perfect-record-imessage", "tspu-two-stage",
    ]

  /// Rules on the push connection itself, and what they go by.
  static let pipeRules: [(policy: String, by: String, kind: String)] = [
    ("block-push-prefixes", "the addresses of Apple\u{2019}s push servers", "address"),
    ("block-push-name", "their name", "name"), ("block-port-5223", "their port", "port"),
    ("block-17-8", "all of Apple\u{2019}s IPv4 addresses", "address"),
  ]

  /// Rules on a call's own traffic, and what they go by.
  static let mediaRules: [(policy: String, by: String)] = [
    ("facetime-ports", "ports"), ("facetime-relay-prefixes", "Apple\u{2019}s addresses (its relays)"),
    ("facetime-name", "name"),
  ]

  /// The study of a matrix.
  ///
  /// - Parameters:
  ///   - collateral: what the policies of `policyNames` do to some traffic; more policies do no harm.
  ///   - act: what the lab measured; nil where that is not at hand.
  public init(_ collateral: Collateral, act: ActTable?) {
    let figures = StudyFigures(collateral: collateral, act: act)
    traffic = Self.traffic(of: collateral)
    assumptions = collateral.assumptions + collateral.notices
    command = collateral.command
    background = Self.backgroundClaims
    steps = [
      Step(
        id: "pipe", title: "What if the push connection is blocked?", claims: Self.pipeClaims(figures)),
      Step(
        id: "media", title: "What if only the picture and sound of calls are blocked?",
        claims: Self.mediaClaims(figures)),
      Step(
        id: "hosts", title: "What if sign-in, activation or attachments are blocked?",
        claims: Self.hostClaims(figures)),
      Step(
        id: "records", title: "What if a box picks out single messages?", claims: Self.recordClaims(figures)),
      Step(
        id: "lists", title: "What if the censor collects addresses first?", claims: Self.listClaims(figures)),
    ].filter { !$0.claims.isEmpty }
    unknown = Self.unknownClaims
    bars = Self.bars(figures)
    outcome = Self.outcome(figures)
    questions = Self.questionSteps(figures)
    verdict = Self.verdictClaims(outcome, figures)
  }

  /// The rule on the push connection that hits most iMessages; of equals the one that costs the fewest notifications.
  static func strongestPipeRule(
    _ figures: StudyFigures
  ) -> (policy: String, by: String, iMessages: StudyFigure, notifications: StudyFigure)? {
    pipeRules.compactMap { rule in
      guard let hit = figures.hit(rule.policy, .iMessages), let cost = figures.hit(rule.policy, .notifications)
      else { return nil }
      return (rule.policy, rule.by, hit, cost)
    }.max { ($0.iMessages.value, -$0.notifications.value) < ($1.iMessages.value, -$1.notifications.value) }
  }

  /// What a rule on a call's traffic hits of what shares the push connection, the most of it.
  static func price(_ policy: String, _ figures: StudyFigures) -> Double? {
    [StudySubject.iMessages, .notifications].compactMap { figures.hit(policy, $0)?.value }.max()
  }

  /// The rule on a call's own traffic that hits most of it at the least price to the push connection.
  static func bestMediaRule(_ figures: StudyFigures) -> (policy: String, by: String, calls: StudyFigure)? {
    let rules = mediaRules.compactMap { rule in
      figures.hit(rule.policy, .calls).map { (policy: rule.policy, by: rule.by, calls: $0) }
    }
    // One that spares the push connection goes before one that hits more and does not.
    func rank(_ rule: (policy: String, by: String, calls: StudyFigure)) -> (Int, Double, Double) {
      let price = Self.price(rule.policy, figures) ?? 0
      return (rule.calls.isMost && price < StudyFigure.few ? 1 : 0, rule.calls.value, -price)
    }
    return rules.max { rank($0) < rank($1) }
  }

  /// A sentence for what the traffic cannot answer, with the cells that are not there.
  static func unanswered(
    _ id: String, _ what: String, _ figures: StudyFigures, policies: [String], subjects: [StudySubject]
  ) -> StudyClaim {
    let isRun = policies.contains { figures.isRun($0) }
    let missing = subjects.filter { subject in !policies.contains { figures.hit($0, subject) != nil } }
    let why =
      isRun
      ? "it has nothing of \(listed(missing.map(\.name), "or"))" : "the rules that it takes were not run"
    return StudyClaim(
      id, "\(what) cannot be answered from this traffic: \(why).",
      evidence: policies.map { policy in
        StudyEvidence(
          .replay, rule: policy, column: listed(missing.map(\.name)),
          figure: figures.isRun(policy) ? "nothing of it in this traffic" : "not run", basis: "none")
      }, isAnswered: false)
  }

  /// "a, b and c".
  static func listed(_ words: [String], _ last: String = "and") -> String {
    guard let end = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " \(last) " + end
  }

  /// A number as a word where it is small.
  static func counted(_ number: Int) -> String {
    let words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    return words.indices.contains(number) ? words[number] : String(number)
  }

  /// How a limit begins that says of what there were few.
  private static let few = "Few cases: "

  /// What to bear in mind of figures: small counts, and flows that only Wiretag's own verdict names.
  static func caution(_ figures: [StudyFigure?], _ limits: String...) -> [String] {
    let present = figures.compactMap { $0 }
    var sentences = limits
    for figure in present where figure.whole < StudyFigure.enough && figure.evidence.source == .replay {
      sentences.append("\(few)\(figure.name) (\(figure.whole)).")
    }
    if present.contains(where: { $0.evidence.basis == StudyFigures.words(.verdict) }) {
      sentences.append("Which flows are which Wiretag itself has judged.")
    }
    return sentences
  }

  /// What claims cannot say, each sentence of it once.
  static func limits(of claims: [StudyClaim]) -> String {
    var limits: [String] = []
    for limit in claims.flatMap(\.limits) where !limits.contains(limit) { limits.append(limit) }
    let names = limits.filter { $0.hasPrefix(few) }.map { String($0.dropFirst(few.count).dropLast()) }
    limits.removeAll { $0.hasPrefix(few) }
    if !names.isEmpty { limits.append("\(few)\(listed(names)).") }
    return limits.joined(separator: " ")
  }

  /// Numbers in order, those that follow each other put together.
  static func ranges(_ numbers: [Int]) -> [ClosedRange<Int>] {
    var ranges: [ClosedRange<Int>] = []
    for number in Set(numbers).sorted() {
      if let last = ranges.last, last.upperBound == number - 1 {
        ranges[ranges.count - 1] = last.lowerBound...number
      } else {
        ranges.append(number...number)
      }
    }
    return ranges
  }

  /// "7", "7\u{2013}9".
  static func words(_ range: ClosedRange<Int>) -> String {
    range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)\u{2013}\(range.upperBound)"
  }
}
