/// How differences are said.
enum Wording {
  static func words(_ value: FieldValue) -> String {
    switch value {
    case .none: "none"
    case .word(let word): word
    case .number(let number): decimal(number)
    case .list(let values): values.isEmpty ? "none" : values.joined(separator: ", ")
    case .named(let entries):
      entries.isEmpty
        ? "none" : entries.map { "\($0.name) \($0.values.joined(separator: " "))" }.joined(separator: ", ")
    }
  }

  /// Flows that a line names of a conversation.
  private static let shownFlows = 4

  /// A field and its value as one line.
  static func line(_ field: Field, _ value: FieldValue, in part: Part) -> String {
    if case .list(let flows) = value, field == .flows, flows.count > shownFlows {
      return "flows \(flows.prefix(shownFlows).joined(separator: "; ")); and \(flows.count - shownFlows) more"
    }
    if case .list(let flows) = value, field == .flows { return "flows \(flows.joined(separator: "; "))" }
    if case .list(let counts) = value, field == .packets { return "packets \(counts.joined(separator: " + "))" }
    return "\(title(field)) \(words(value))"
  }

  /// What changed in a field, as a person says it.
  static func sentences(
    _ field: Field, from old: FieldValue, to new: FieldValue, names: (old: FieldValue?, new: FieldValue?)
  ) -> [String] {
    switch (field, old, new) {
    case (.evidence, .list(let before), .list(let now)):
      return change(
        "evidence", before.filter { !now.contains($0) }.map { evidence($0, names.old) },
        now.filter { !before.contains($0) }.map { evidence($0, names.new) })
    case (.carries, .list(let before), .list(let now)):
      let lost = before.filter { !now.contains($0) }
      let gained = now.filter { !before.contains($0) }
      let sentences =
        (lost.isEmpty ? [] : ["no longer carries \(lost.joined(separator: ", "))"])
        + (gained.isEmpty ? [] : ["now carries \(gained.joined(separator: ", "))"])
      return sentences.isEmpty ? ["carries the same in another order"] : sentences
    case (.flows, .list(let before), .list(let now)):
      let lost = Set(before).subtracting(now).count
      let gained = Set(now).subtracting(before).count
      let sentences = [(lost, "lost"), (gained, "gained")].filter { $0.0 > 0 }
        .map { "\($0.1) \(counted($0.0, "flow"))" }
      return sentences.isEmpty ? ["flows in another order"] : sentences
    case (_, .named(let before), .named(let now)):
      return counts(title(field), before, now)
    case (.packets, .list(let before), .list(let now)):
      return ["packets \(before.joined(separator: " + ")) -> \(now.joined(separator: " + "))"]
    case (.confidence, .number(let before), .number(let now)):
      return ["confidence \(now < before ? "fell" : "rose") \(decimal(before)) -> \(decimal(now))"]
    default:
      return ["\(title(field)) \(words(old)) -> \(words(new))"]
    }
  }

  /// What changed among names, but for those that were told of.
  static func names(from old: [FieldValue.Entry], to new: [FieldValue.Entry], told: String) -> [String] {
    func pieces(_ entries: [FieldValue.Entry]) -> [String] {
      entries.flatMap { entry in entry.values.map { "\(entry.name) \($0)" } }
    }
    let (before, now) = (pieces(old), pieces(new))
    let lost = before.filter { !now.contains($0) }
    let gained = now.filter { !before.contains($0) }
    guard !lost.isEmpty || !gained.isEmpty else { return ["names in another order"] }
    return change("name", lost.filter { !told.contains($0) }, gained.filter { !told.contains($0) })
  }

  /// Evidence that spoke for the tag that was expected, and speaks for another now.
  static func turned(_ before: [String], _ now: [String], to tag: String, names: FieldValue?) -> [String] {
    let shared = now.filter { before.contains($0) }.map { evidence($0, names) }
    guard !shared.isEmpty else { return [] }
    return ["\(shared.joined(separator: ", ")) now \(shared.count == 1 ? "speaks" : "speak") for \(tag)"]
  }

  private static func title(_ field: Field) -> String {
    switch field {
    case .appProto: "protocol"
    case .decidedAt: "decided at packet"
    case .flowCount: "flow count"
    case .withoutFlow: "packets without flow"
    case .decodeErrors: "decode errors"
    default: field.rawValue
    }
  }

  private static func change(_ what: String, _ lost: [String], _ gained: [String]) -> [String] {
    (lost.isEmpty ? [] : ["lost \(what): \(lost.joined(separator: ", "))"])
      + (gained.isEmpty ? [] : ["new \(what): \(gained.joined(separator: ", "))"])
  }

  /// A kind of evidence, with the name that was seen there.
  private static func evidence(_ kind: String, _ names: FieldValue?) -> String {
    guard case .named(let entries) = names, let name = entries.first(where: { $0.name == kind })?.values.first else {
      return kind
    }
    return "\(kind) \(name)"
  }

  private static func counts(_ what: String, _ before: [FieldValue.Entry], _ now: [FieldValue.Entry]) -> [String] {
    func count(_ name: String, _ entries: [FieldValue.Entry]) -> String {
      entries.first { $0.name == name }?.values.joined(separator: " ") ?? "0"
    }
    var names = before.map(\.name)
    names += now.map(\.name).filter { !names.contains($0) }
    return names.filter { count($0, before) != count($0, now) }.map { name in
      "\(what): \(name) \(count(name, before)) -> \(count(name, now))"
    }
  }
}

/// "1 flow", "2 flows".
func counted(_ count: Int, _ what: String) -> String { "\(count) \(what)\(count == 1 ? "" : "s")" }
