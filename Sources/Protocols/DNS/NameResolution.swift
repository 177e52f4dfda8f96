import Bytes

/// What name resolution says over all messages of a flow: questions for the facts, answers for the name cache.
public struct NameResolution: Sendable {
  /// The most names asked for that are kept of a flow.
  static let maximumQuestions = 64
  /// The most answers that wait for `takeAnswers`.
  static let maximumAnswers = 4096

  private var answers: [DNSAnswer] = []

  /// Nothing resolved yet.
  public init() {}

  /// The kind of name resolution that a UDP flow's ports stand for; nil where they stand for none.
  public static func application(_ port: UInt16, _ otherPort: UInt16) -> ApplicationProtocol? {
    switch (port, otherPort) {
    case (53, _), (_, 53): .dns
    case (5353, _), (_, 5353): .mdns
    case (5355, _), (_, 5355): .llmnr
    default: nil
    }
  }

  /// Takes a message, and adds its questions to the facts.
  /// - Returns: whether it was one.
  public mutating func take(_ message: borrowing RawSpan, into facts: inout FlowFacts) -> Bool {
    if let direct = DNSDirectAnswer(parsing: message) {
      take(direct, into: &facts)
      return true
    }
    guard let message = try? DNSMessage(parsing: message) else { return false }
    for question in message.questions where !facts.dnsQuestions.contains(question.name) {
      guard facts.dnsQuestions.count < Self.maximumQuestions else { break }
      facts.dnsQuestions.append(question.name)
    }
    answers += message.addresses.prefix(max(Self.maximumAnswers - answers.count, 0))
    return true
  }

  private mutating func take(_ direct: borrowing DNSDirectAnswer, into facts: inout FlowFacts) {
    let name: String
    if let known = facts.dnsQuestions.firstIndex(where: { direct.name.isEqual(to: $0) }) {
      // The same text, so that many flows may hold it once.
      name = facts.dnsQuestions[known]
    } else {
      name = direct.name.string
      if facts.dnsQuestions.count < Self.maximumQuestions { facts.dnsQuestions.append(name) }
    }
    let count = min(direct.count, Self.maximumAnswers - answers.count)
    guard count > 0 else { return }
    answers.reserveCapacity(answers.count + count)
    for place in 0..<count { answers.append(direct.answer(place, of: name)) }
  }

  /// Answers read since the last call.
  public mutating func takeAnswers() -> [DNSAnswer] {
    guard !answers.isEmpty else { return [] }
    defer { answers = [] }
    return answers
  }
}
