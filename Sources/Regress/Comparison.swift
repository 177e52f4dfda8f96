/// What is different about one flow, one conversation or the totals.
public struct Difference: Sendable, Equatable {
  /// What it is about.
  public var part: Part
  /// The title of the flow, or of the conversation's first flow.
  public var title: String
  /// What changed, as a person says it: "tag push -> other; lost evidence: sni courier.push.apple.com".
  public var sentence: String
  /// What was expected and what was found instead, a field a line.
  public var expected: [String] = [], found: [String] = []
  /// The tags before and after, where they differ.
  public var move: TagMove?
  /// Kinds of evidence that no longer speak for the tag.
  public var lostEvidence: [String] = []
}

/// A tag that became another.
public struct TagMove: Hashable, Sendable {
  /// The tag that was expected, and the one that was found.
  public var from: String, to: String
}

/// What was found, held against what was expected.
public struct Comparison: Sendable {
  /// What is different: the capture as a whole, flows that changed, are gone and are new, then conversations.
  public private(set) var differences: [Difference] = []
  /// What was found, in the fields that are expected; where it is as expected, in the words of the expectation.
  public private(set) var renewed = CaptureExpectation()
  private let tolerance: Double

  /// Compares.
  /// - Parameters:
  ///   - expected: what a file says.
  ///   - found: what an analysis gave; every field is said.
  ///   - tolerance: how far a confidence may move, where the file does not say.
  public init(
    expected: CaptureExpectation, found: CaptureExpectation, tolerance: Double = CaptureExpectation.defaultTolerance
  ) {
    self.tolerance = expected.tolerance ?? tolerance
    renewed.tolerance = expected.tolerance
    renewed.damage = found.damage
    compareDamage(expected.damage, found.damage)
    if let old = expected.totals, let new = found.totals {
      let fields = Set(old.statements.map(\.field))
      renewed.totals = compare(.totals, old, new, keeping: fields)
    }
    if let old = expected.flows, let new = found.flows { compareFlows(old, new) }
    if let old = expected.conversations, let new = found.conversations { compareConversations(old, new) }
  }

  private mutating func compareDamage(_ expected: String?, _ found: String?) {
    guard expected != found else { return }
    let sentence =
      switch (expected, found) {
      case (_, let found?): "the capture cannot be read to its end: \(found)"
      case (_, nil): "the capture can be read to its end now"
      }
    differences.append(
      Difference(
        part: .totals, title: "capture", sentence: sentence, expected: expected.map { ["damage \($0)"] } ?? [],
        found: found.map { ["damage \($0)"] } ?? []))
  }

  private mutating func compareFlows(_ expected: [Record], _ found: [Record]) {
    let fields = Set(expected.flatMap { $0.statements.map(\.field) })
    let kept = fields.isEmpty && expected.isEmpty ? Set(Part.flow.fields) : fields
    var places: [String: Int] = [:]
    for (place, flow) in expected.enumerated() { places[flow.title] = place }
    var isMatched = [Bool](repeating: false, count: expected.count)
    var partners = [Int?](repeating: nil, count: found.count)
    for (index, flow) in found.enumerated() {
      guard let place = places[flow.title] else { continue }
      partners[index] = place
      isMatched[place] = true
    }
    // The same packets, with the other side taken for the one that opened the flow.
    for (index, flow) in found.enumerated() where partners[index] == nil {
      guard let other = FlowTitle.reversed(flow.title), let place = places[other], !isMatched[place] else { continue }
      partners[index] = place
      isMatched[place] = true
    }
    var flows: [Record] = []
    flows.reserveCapacity(found.count)
    var added: [Difference] = []
    for (index, flow) in found.enumerated() {
      if let place = partners[index] {
        flows.append(compare(.flow, expected[place], flow, keeping: kept))
      } else {
        added.append(lone(.flow, flow, isExpected: false))
        flows.append(flow.keeping(kept))
      }
    }
    for (place, flow) in expected.enumerated() where !isMatched[place] {
      differences.append(lone(.flow, flow, isExpected: true))
    }
    differences += added
    renewed.flows = flows
  }

  /// Conversations have no name: the two that share the most flows are the same one.
  private mutating func compareConversations(_ expected: [Record], _ found: [Record]) {
    let fields = Set(expected.flatMap { $0.statements.map(\.field) })
    let kept = expected.isEmpty ? Set(Part.conversation.fields) : fields
    var homes: [String: [Int]] = [:]
    for (place, call) in expected.enumerated() {
      for flow in Set(call.list(.flows)) { homes[flow, default: []].append(place) }
    }
    var pairs: [(shared: Int, place: Int, index: Int)] = []
    for (index, call) in found.enumerated() {
      var shared: [Int: Int] = [:]
      for flow in Set(call.list(.flows)) { for place in homes[flow] ?? [] { shared[place, default: 0] += 1 } }
      pairs += shared.map { ($0.value, $0.key, index) }
    }
    var partners = [Int?](repeating: nil, count: found.count)
    var isMatched = [Bool](repeating: false, count: expected.count)
    for pair in pairs.sorted(by: { ($1.shared, $0.place, $0.index) < ($0.shared, $1.place, $1.index) })
    where partners[pair.index] == nil && !isMatched[pair.place] {
      partners[pair.index] = pair.place
      isMatched[pair.place] = true
    }
    // Where an expectation names no flows, the order has to do.
    for index in found.indices where partners[index] == nil && expected.indices.contains(index) {
      guard !isMatched[index], expected[index][.flows] == nil else { continue }
      partners[index] = index
      isMatched[index] = true
    }
    var calls: [Record] = []
    var added: [Difference] = []
    for (index, call) in found.enumerated() {
      if let place = partners[index] {
        calls.append(compare(.conversation, expected[place], call, keeping: kept))
      } else {
        added.append(lone(.conversation, call, isExpected: false))
        calls.append(call.keeping(kept))
      }
    }
    for (place, call) in expected.enumerated() where !isMatched[place] {
      differences.append(lone(.conversation, call, isExpected: true))
    }
    differences += added
    renewed.conversations = calls
  }

  /// Compares two records of the same thing, and notes what differs.
  /// - Returns: what was found in the fields that are kept; as it was expected where it is.
  private mutating func compare(_ part: Part, _ expected: Record, _ found: Record, keeping kept: Set<Field>) -> Record {
    var renewed = found.keeping(kept)
    var difference = Difference(part: part, title: expected.title, sentence: "")
    var sentences: [String] = []
    if part == .flow, expected.title != found.title {
      sentences.append("opened by the other side")
      difference.expected.append("flow \(expected.title)")
      difference.found.append("flow \(found.title)")
    }
    // What a verdict is and rests on comes first in the sentence.
    var first: [String] = []
    for statement in expected.statements {
      let field = statement.field
      let now = found[field] ?? .none
      guard !isAlike(field, statement.value, now) else {
        renewed.say(field, statement.value)
        continue
      }
      var words = Wording.sentences(field, from: statement.value, to: now, names: (expected[.names], found[.names]))
      // The evidence has named them.
      if case .named(let before) = statement.value, case .named(let after) = now, field == .names {
        words = Wording.names(from: before, to: after, told: first.joined())
      }
      if [.tag, .service, .evidence].contains(field) { first += words } else { sentences += words }
      difference.expected.append(Wording.line(field, statement.value, in: part))
      difference.found.append(Wording.line(field, now, in: part))
      if field == .evidence, case .list(let before) = statement.value, case .list(let after) = now {
        difference.lostEvidence = before.filter { !after.contains($0) }
      }
      if field == .tag { difference.move = TagMove(from: Wording.words(statement.value), to: Wording.words(now)) }
    }
    if !difference.expected.isEmpty || !difference.found.isEmpty {
      if let move = difference.move {
        first += Wording.turned(expected.list(.evidence), found.list(.evidence), to: move.to, names: found[.names])
      }
      difference.sentence = (first + sentences).joined(separator: "; ")
      differences.append(difference)
    }
    return renewed
  }

  private func isAlike(_ field: Field, _ expected: FieldValue, _ found: FieldValue) -> Bool {
    switch (field, expected, found) {
    case (.confidence, .number(let old), .number(let new)):
      // Both are written in thousandths.
      abs(old - new) <= tolerance + 0.000_1
    case (.evidence, .list(let old), .list(let new)): Set(old) == Set(new)
    case (_, .named(let old), .named(let new)):
      old.sorted { $0.name < $1.name } == new.sorted { $0.name < $1.name }
    default: expected == found
    }
  }

  private func lone(_ part: Part, _ record: Record, isExpected: Bool) -> Difference {
    let what = part == .flow ? "flow" : "conversation"
    var difference = Difference(
      part: part, title: record.title,
      sentence: isExpected ? "this \(what) was expected and is not found" : "this \(what) is new")
    let fields: [Field] = part == .flow ? [.tag, .service, .names] : [.tag, .service, .flowCount]
    let words = fields.compactMap { field in record[field].map { Wording.line(field, $0, in: part) } }
    let line = ([what] + (words.isEmpty ? [] : [words.joined(separator: ", ")])).joined(separator: " with ")
    if isExpected { difference.expected = [line] } else { difference.found = [line] }
    return difference
  }
}

extension Record {
  func keeping(_ fields: Set<Field>) -> Record {
    Record(title, statements.filter { fields.contains($0.field) })
  }
}
