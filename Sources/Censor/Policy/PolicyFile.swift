import Classify
import Yams

/// A file of policies, read and checked field by field; every problem is noted, none ends the reading.
struct PolicyFile {
  /// How deep all, any and not may stand in one another.
  static let maximumDepth = 16
  /// The most policies of a file.
  static let maximumPolicies = 1_000
  /// The most values of a file's lists; aliases count each time.
  static let maximumValues = 200_000

  /// The name that problems are told under.
  let file: String
  /// Where owners and services are looked up.
  let catalogue: Catalogue
  /// Whether it is the program's own, whose policies must all say where they are from.
  let isShipped: Bool

  private(set) var policies: [Policy] = []
  private(set) var problems: [PolicyError.Problem] = []
  private var date = ""
  /// The policy that is being read.
  private var policy: String?
  /// The box of the policy that is being read, and how it compares names.
  var box = BoxAbilities()
  var comparison = NameComparison()
  var valuesRead = 0

  /// How a box compares names.
  struct NameComparison {
    var ignoresCase = true
    var ignoresTrailingDot = false
  }

  /// Reads and checks a text.
  /// - Throws: `PolicyError` with every problem found.
  init(_ text: String, file: String, catalogue: Catalogue, isShipped: Bool) throws(PolicyError) {
    self.file = file
    self.catalogue = catalogue
    self.isShipped = isShipped
    guard let root = try Self.compose(text, file: file) else {
      throw PolicyError(file: file, "is empty; add `policies:` with a list of policies")
    }
    guard root.mapping != nil else {
      throw PolicyError(
        file: file, line: root.mark?.line, "must begin with `policies:`, and is \(Self.described(root)) instead")
    }
    readRoot(root)
    guard problems.isEmpty else { throw PolicyError(problems.sorted { ($0.line ?? 0) < ($1.line ?? 0) }) }
  }

  /// The root of a YAML text.
  private static func compose(_ text: String, file: String) throws(PolicyError) -> Node? {
    do {
      return try Yams.compose(yaml: text, .basic)
    } catch {
      switch error as? YamlError {
      case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
        .composer(_, let problem, let mark, _):
        throw PolicyError(
          file: file, line: mark.line, "is not YAML here: \(problem); check indentation, colons and brackets")
      case .duplicatedKeysInMapping(let duplicates, let context):
        throw PolicyError(
          file: file, line: context.mark.line, "has a key twice: \(duplicates.joined(separator: ", ")); leave one")
      default: throw PolicyError(file: file, "is not YAML; check encoding and indentation")
      }
    }
  }

  private mutating func readRoot(_ root: Node) {
    guard let fields = fields(root, nil, PolicyKeys.Root.self) else { return }
    if let node = fields[.gathered] { date = day(node, "gathered") ?? "" }
    guard let list = fields[.policies] else {
      note(root, "policies", "is missing; add `policies:` with a list of policies")
      return
    }
    guard let entries = list.sequence, !entries.isEmpty else {
      note(list, "policies", "must be a list with a dash before each policy, not \(Self.described(list))")
      return
    }
    if entries.count > Self.maximumPolicies {
      note(list, "policies", "are \(entries.count), more than \(Self.maximumPolicies); use several files")
      return
    }
    for node in entries { readPolicy(node) }
  }

  private mutating func readPolicy(_ node: Node) {
    policy = node.mapping?.first { $0.key.scalar?.string == "name" }?.value.scalar?.string
    defer { policy = nil }
    guard let fields = fields(node, policy == nil ? "policies" : nil, PolicyKeys.Entry.self) else { return }
    let name = name(fields[.name], at: node)
    readBox(fields[.box])
    let scope = readScope(fields[.scope])
    var match: Formula?
    if let looksFor = fields[.match] {
      match = formula(looksFor, "match", depth: 1)
    } else {
      note(node, "match", "is missing; say what the rule looks for, as match: {sni-suffix: [example.org]}")
    }
    var action: PolicyAction?
    if let does = fields[.action] {
      action = self.action(does)
    } else {
      note(node, "action", "is missing; say what the rule does, as action: drop")
    }
    let target = fields[.target].map { texts($0, "target").map(\.text) } ?? []
    var source = optionalText(fields[.source], "source", at: node)
    if source.isEmpty, !isShipped { source = file }
    let title = optionalText(fields[.title], "title", at: node)
    let about = optionalText(fields[.about], "about", at: node)
    let group = optionalText(fields[.group], "group", at: node)
    let standing = fields[.standing].flatMap { word($0, "standing", as: Policy.Standing.self) }
    if isShipped, fields[.standing] == nil {
      note(node, "standing", "is missing; say how well the rule is known: \(Self.list(Policy.Standing.self))")
    }
    let date = fields[.date].flatMap { day($0, "date") } ?? date
    if isShipped, date.isEmpty { note(node, "date", "is missing; say when the source was read, as 2026-11-22") }
    let probability = fields[.probability].flatMap { number($0, "probability", in: 0...1) }
    let residual = fields[.residual].flatMap { self.residual($0) }
    let secondStage = fields[.secondStage].flatMap { self.secondStage($0) }
    let fact = fields[.fact].flatMap { text($0, "fact") }
    guard let name, let match, let action else { return }
    check(action, match, at: node)
    if let other = policies.first(where: { $0.name == name }) {
      note(node, "name", "stands twice, first at line \(other.line ?? 0); give one of them another name")
    }
    var policy = Policy(
      name: name, title: title.isEmpty ? name : title, about: about, group: group.isEmpty ? "own" : group,
      target: target, source: source, date: date, standing: standing ?? .hypothetical, fact: fact, match: match,
      action: action)
    policy.scope = scope
    policy.box = box
    policy.residual = residual
    policy.secondStage = secondStage
    policy.probability = probability ?? 1
    policy.line = node.mark?.line
    policies.append(policy)
  }

  /// A field that a user's policy may leave out.
  private mutating func optionalText(_ node: Node?, _ field: String, at place: Node) -> String {
    if let node { return text(node, field) ?? "" }
    if isShipped { note(place, field, "is missing; every shipped policy has it") }
    return ""
  }

  private mutating func name(_ node: Node?, at place: Node) -> String? {
    guard let node else {
      note(place, "name", "is missing; give the policy a name, as block-push-name")
      return nil
    }
    guard let name = text(node, "name") else { return nil }
    let isName =
      name.utf8.count <= 64 && name.utf8.first != UInt8(ascii: "-")
      && name.utf8.allSatisfy {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || $0 == UInt8(ascii: "-")
      }
    guard isName else {
      note(node, "name", "must be of small letters, digits and hyphens, at most 64, as block-push-name")
      return nil
    }
    return name
  }

  /// Notes a problem at a node, in the policy that is being read.
  mutating func note(_ node: Node?, _ field: String?, _ text: String) {
    problems.append(
      PolicyError.Problem(file: file, line: node?.mark?.line, policy: policy, field: field, text: text))
  }
}
