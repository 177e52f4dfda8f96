import Bytes

/// What name resolution says over all messages of a flow: questions for the facts, answers for the name cache.
struct NameResolution {
  /// The most names asked for that are kept.
  static let maximumQuestions = 32
  /// The most answers that wait for `takeAnswers`.
  static let maximumAnswers = 4096

  private var answers: [DNSAnswer] = []

  /// Takes a message.
  /// - Returns: whether it was one.
  mutating func take(_ message: borrowing RawSpan, into facts: inout FlowFacts) -> Bool {
    guard let message = try? DNSMessage(parsing: message) else { return false }
    for question in message.questions where !facts.dnsQuestions.contains(question.name) {
      guard facts.dnsQuestions.count < Self.maximumQuestions else { break }
      facts.dnsQuestions.append(question.name)
    }
    answers += message.addresses.prefix(max(Self.maximumAnswers - answers.count, 0))
    return true
  }

  /// Answers read since the last call.
  mutating func takeAnswers() -> [DNSAnswer] {
    guard !answers.isEmpty else { return [] }
    defer { answers = [] }
    return answers
  }
}
