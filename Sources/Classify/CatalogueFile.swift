import Yams

/// A catalogue file as it was written: what it says of services, owners and weights, checked entry by entry.
struct CatalogueFile {
  /// What a file says of a service; nil where it says nothing.
  struct Entry {
    var name: String
    var line: Int?
    var tag: Tag?
    var about: String?
    var carries: [Carried]?
    var owner: String?
    var isInfrastructure: Bool?
    var isGeneric: Bool?
    var calls: String?
    var also: [String]?
    var replaces = false
    var identifiers: [Identifier] = []
  }

  /// The name that problems are told under.
  let file: String
  /// Whether it is the program's own, whose rows must all name a source.
  private let isShipped: Bool
  private(set) var services: [Entry] = []
  private(set) var owners: [Owner] = []
  private(set) var ownerLines: [Int?] = []
  private(set) var weights: EvidenceWeights?

  private var problems: [CatalogueError.Problem] = []
  private var date = ""

  /// Reads and checks a file.
  /// - Throws: `CatalogueError` with every problem found.
  init(_ text: String, file: String, isShipped: Bool) throws {
    self.file = file
    self.isShipped = isShipped
    guard let root = try Self.compose(text, file: file) else {
      throw CatalogueError(file: file, "is empty: add `services:` with a list of services")
    }
    guard let map = YAMLFields(root) else {
      throw CatalogueError(file: file, line: root.mark?.line, "must begin with `services:`, not with a list or a word")
    }
    date = map["gathered"]?.scalar?.string ?? ""
    for (key, value) in map.pairs {
      switch key.scalar?.string ?? "" {
      case "gathered", "prefixes": break
      case "owners": for node in list(value, "owners") { readOwner(node) }
      case "services": for node in list(value, "services") { readService(node) }
      case "weights" where isShipped: readWeights(value)
      case "weights": note(key, "`weights:` can only stand in the shipped catalogue; take it out")
      case let other: note(key, "`\(other)` is not known here: use gathered, prefixes, owners or services")
      }
    }
    checkDuplicates()
    guard problems.isEmpty else { throw CatalogueError(problems) }
  }

  /// The root of a YAML text.
  static func compose(_ text: String, file: String) throws -> Node? {
    do {
      return try Yams.compose(yaml: text, .basic)
    } catch let error as YamlError {
      switch error {
      case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
        .composer(_, let problem, let mark, _):
        throw CatalogueError(file: file, line: mark.line, "is not YAML here: \(problem)")
      case .duplicatedKeysInMapping(let duplicates, let context):
        throw CatalogueError(
          file: file, line: context.mark.line, "has a key twice: \(duplicates.joined(separator: ", "))")
      default: throw CatalogueError(file: file, "is not YAML: check the encoding and the indentation")
      }
    }
  }

  /// A problem at a line of this file.
  func problem(_ line: Int?, _ text: String) -> CatalogueError.Problem {
    CatalogueError.Problem(file: file, line: line, text: text)
  }

  private mutating func note(_ node: Node?, _ text: String) {
    problems.append(problem(node?.mark?.line, text))
  }

  private mutating func list(_ node: Node, _ what: String) -> [Node] {
    if let sequence = node.sequence { return Array(sequence) }
    note(node, "`\(what)` must be a list: begin each entry with a dash")
    return []
  }

  private mutating func word(_ node: Node?, _ what: String, at place: Node) -> String? {
    guard let node else { return nil }
    if let text = node.scalar?.string, !text.isEmpty { return text }
    note(node, "`\(what)` must be a word or a sentence")
    return nil
  }

  private mutating func flag(_ node: Node?, _ what: String) -> Bool? {
    guard let node else { return nil }
    switch node.scalar?.string {
    case "true": return true
    case "false": return false
    default:
      note(node, "`\(what)` must be true or false")
      return nil
    }
  }

  private mutating func unknownKeys(_ map: YAMLFields, _ known: Set<String>, _ what: String) {
    for (key, _) in map.pairs where !known.contains(key.scalar?.string ?? "") {
      note(
        key, "\(what): `\(key.scalar?.string ?? "?")` is not known; use \(known.sorted().joined(separator: ", "))")
    }
  }

  private mutating func wordOf<Word: RawRepresentable & CaseIterable>(
    _ node: Node?, _ what: String, as: Word.Type
  ) -> Word? where Word.RawValue == String {
    guard let node else { return nil }
    if let found = node.scalar.flatMap({ Word(rawValue: $0.string) }) { return found }
    note(
      node,
      "`\(what)` is \"\(node.scalar?.string ?? "no word")\"; use "
        + Word.allCases.map(\.rawValue).joined(separator: ", "))
    return nil
  }
}

extension CatalogueFile {
  private mutating func readOwner(_ node: Node) {
    guard let map = YAMLFields(node), let name = word(map["name"], "name", at: node) else {
      note(node, "an owner needs `name:`")
      return
    }
    unknownKeys(map, ["name", "prefixes", "service", "source", "date", "confidence"], "owner \"\(name)\"")
    let owner = Owner(
      name: name, prefixes: prefixes(map["prefixes"], "prefixes"), service: word(map["service"], "service", at: node),
      source: word(map["source"], "source", at: node) ?? "", date: map["date"]?.scalar?.string ?? date,
      provenance: wordOf(map["confidence"], "confidence", as: Provenance.self) ?? .recalled)
    if owner.prefixes.isEmpty { note(node, "owner \"\(name)\" needs `prefixes:` with a list of address prefixes") }
    if owner.source.isEmpty { note(node, "owner \"\(name)\" needs `source:`") }
    owners.append(owner)
    ownerLines.append(node.mark?.line)
  }

  private mutating func readService(_ node: Node) {
    guard let map = YAMLFields(node), let name = word(map["name"], "name", at: node) else {
      note(node, "a service needs `name:`")
      return
    }
    unknownKeys(
      map,
      [
        "name", "tag", "about", "carries", "owner", "infrastructure", "generic", "calls", "also", "replace", "identify",
      ], "service \"\(name)\"")
    var entry = Entry(name: name, line: node.mark?.line)
    entry.tag = wordOf(map["tag"], "tag", as: Tag.self)
    entry.about = word(map["about"], "about", at: node)
    entry.owner = word(map["owner"], "owner", at: node)
    entry.isInfrastructure = flag(map["infrastructure"], "infrastructure")
    entry.isGeneric = flag(map["generic"], "generic")
    entry.calls = word(map["calls"], "calls", at: node)
    if map["also"] != nil { entry.also = texts(map["also"], "also").map(\.text) }
    entry.replaces = flag(map["replace"], "replace") ?? false
    if let carries = map["carries"] {
      entry.carries = list(carries, "carries").compactMap { item in
        let fields = YAMLFields(item)
        guard let tag = wordOf(fields?["tag"], "tag", as: Tag.self),
          let service = word(fields?["service"], "service", at: item)
        else {
          note(item, "service \"\(name)\": what it carries needs `service:` and `tag:`")
          return nil
        }
        return Carried(tag: tag, service: service)
      }
    }
    if let rows = map["identify"] {
      for row in list(rows, "identify") { entry.identifiers += readIdentifiers(row, of: name) }
    }
    if services.contains(where: { $0.name == name }) {
      note(node, "service \"\(name)\" stands here twice; join the two")
    }
    services.append(entry)
  }

  private mutating func readIdentifiers(_ node: Node, of service: String) -> [Identifier] {
    guard let map = YAMLFields(node) else {
      note(node, "service \"\(service)\": an identifier is a kind with values, as `sni-suffix: [example.org]`")
      return []
    }
    let kinds = Identifier.Kind.allCases.filter { map[$0.rawValue] != nil }
    unknownKeys(
      map,
      Set(
        ["source", "date", "confidence", "note", "ports", "both-ends", "within", "weight", "also"]
          + Identifier.Kind.allCases.map(\.rawValue)),
      "service \"\(service)\"")
    guard kinds.count == 1, let kind = kinds.first, let values = map[kind.rawValue] else {
      note(
        node,
        "service \"\(service)\": an identifier needs one kind of "
          + Identifier.Kind.allCases.map(\.rawValue).joined(separator: ", "))
      return []
    }
    var model = Identifier(
      kind: kind, value: "", source: word(map["source"], "source", at: node) ?? "",
      date: map["date"]?.scalar?.string ?? date,
      provenance: wordOf(map["confidence"], "confidence", as: Provenance.self) ?? .observed,
      note: word(map["note"], "note", at: node))
    model.within = prefixes(map["within"], "within")
    model.also = texts(map["also"], "also").map(\.text)
    model.isBothEnds = flag(map["both-ends"], "both-ends") ?? false
    for text in texts(map["ports"], "ports") {
      if let range = checked(text.node, { () throws(CatalogueWording) in try PortRange(text.text) }) {
        model.ports.append(range)
      }
    }
    if let weight = map["weight"] {
      if let factor = weight.float, factor > 0, factor <= 1 {
        model.weight = factor
      } else {
        note(weight, "service \"\(service)\": `weight` must be above 0 and at most 1")
      }
    }
    if model.isBothEnds, model.ports.isEmpty || kind == .ipPrefix || kind == .port {
      note(node, "service \"\(service)\": `both-ends` needs `ports`, and is not for ip-prefix and port")
    }
    if isShipped, model.source.isEmpty { note(node, "service \"\(service)\": the row needs `source:`") }
    if model.source.isEmpty { model.source = file }
    return texts(values, kind.rawValue).compactMap { text in
      var identifier = model
      guard let value = checked(text.node, { () throws(CatalogueWording) in try kind.normalized(text.text) })
      else { return nil }
      identifier.value = value
      return identifier
    }
  }

  private mutating func prefixes(_ node: Node?, _ what: String) -> [AddressPrefix] {
    texts(node, what).compactMap { text in
      checked(text.node) { () throws(CatalogueWording) in try AddressPrefix(text.text) }
    }
  }

  private mutating func checked<Value>(_ node: Node, _ make: () throws(CatalogueWording) -> Value) -> Value? {
    do {
      return try make()
    } catch {
      note(node, error.text)
      return nil
    }
  }

  /// The words of a list, or of one word. A list may hold lists, because an alias puts one inside another.
  private mutating func texts(_ node: Node?, _ what: String) -> [(text: String, node: Node)] {
    guard let node else { return [] }
    if let text = node.scalar?.string, !text.isEmpty { return [(text, node)] }
    var found: [(String, Node)] = []
    for item in node.sequence ?? [] {
      if let text = item.scalar?.string, !text.isEmpty {
        found.append((text, item))
      } else if let inner = item.sequence {
        for word in inner {
          if let text = word.scalar?.string, !text.isEmpty { found.append((text, word)) }
        }
      }
    }
    if found.isEmpty { note(node, "`\(what)` needs at least one value") }
    return found
  }

  private mutating func checkDuplicates() {
    var seen: [Catalogue.Key: String] = [:]
    for entry in services {
      for identifier in entry.identifiers where identifier.kind.isExclusive {
        if let other = seen.updateValue(entry.name, forKey: Catalogue.Key(identifier)) {
          problems.append(
            problem(
              entry.line,
              "service \"\(entry.name)\": \(identifier.kind.rawValue) \(identifier.value) stands with \"\(other)\" too; "
                + "leave it with one"))
        }
      }
    }
  }
}

extension CatalogueFile {
  private mutating func readWeights(_ node: Node) {
    var weights = EvidenceWeights()
    guard let map = YAMLFields(node) else {
      note(node, "`weights` must be a table")
      return
    }
    for (key, value) in map.pairs {
      let name = key.scalar?.string ?? ""
      let fields = YAMLFields(value)
      weights.sentences[name] = fields?["says"]?.scalar?.string
      if weights.sentences[name] == nil { note(key, "weights of `\(name)` need a sentence under `says:`") }
      if let basis = EvidenceWeights.Basis(rawValue: name) {
        let bits: [Provenance: Double] = table(fields?["bits"], name, at: value)
        weights.rows[basis] = EvidenceWeights.Row(says: weights.sentences[name] ?? "", bits: bits)
      } else {
        switch name {
        case "priors": weights.priors = table(fields?["bits"], name, at: value)
        case "discounts": weights.discounts = table(fields?["bits"], name, at: value)
        case "conflicts": weights.conflicts = table(fields?["bits"], name, at: value)
        case "conversation": weights.conversation = table(fields?["bits"], name, at: value)
        case "shape": weights.shape = table(fields?["bits"], name, at: value)
        case "unknown-name": weights.unknownName = fields?["bits"]?.float ?? 0
        case "under-media": weights.underMedia = part(fields, name, at: value)
        case "under-question": weights.underQuestion = part(fields, name, at: value)
        case "no-call": weights.noCall = part(fields, name, at: value)
        default: note(key, "`\(name)` is no source of evidence")
        }
      }
    }
    for basis in EvidenceWeights.Basis.allCases where weights.rows[basis] == nil {
      note(node, "weights of `\(basis.rawValue)` are missing")
    }
    self.weights = weights
  }

  private mutating func part(_ fields: YAMLFields?, _ name: String, at place: Node) -> Double {
    guard let figure = fields?["part"]?.float, (0...1).contains(figure) else {
      note(place, "weights of `\(name)` need `part:` with a figure from 0 to 1")
      return 1
    }
    return figure
  }

  private mutating func table<Key: RawRepresentable & CaseIterable & Hashable>(
    _ node: Node?, _ name: String, at place: Node
  ) -> [Key: Double] where Key.RawValue == String {
    var figures: [Key: Double] = [:]
    let fields = YAMLFields(node)
    for key in Key.allCases {
      guard let figure = fields?[key.rawValue]?.float, figure.isFinite else {
        note(place, "weights of `\(name)` need a figure for \(key.rawValue)")
        continue
      }
      figures[key] = figure
    }
    return figures
  }
}

extension Identifier.Kind {
  /// The value as it is compared: names in lower case without trailing dot, the rest as written.
  /// - Throws: what is wrong with it, and what to write instead.
  public func normalized(_ text: String) throws(CatalogueWording) -> String {
    switch self {
    case .sniSuffix, .sniExact:
      var name = text.lowercased()
      if name.hasSuffix(".") { name.removeLast() }
      let labels = name.split(separator: ".", omittingEmptySubsequences: false)
      guard name.utf8.count <= 253, labels.allSatisfy({ (1...63).contains($0.utf8.count) }),
        name.utf8.allSatisfy({ $0 < 0x80 && $0 > 0x20 && $0 != UInt8(ascii: "*") && $0 != UInt8(ascii: "/") })
      else {
        throw CatalogueWording(
          "\"\(text)\" is no host name: write example.org, without *, scheme or path (other scripts as xn--)")
      }
      return name
    case .ipPrefix: return try AddressPrefix(text).description
    case .port: return try PortRange(text).description
    case .firstBytes:
      _ = try BytePattern(text)
      return text
    case .ja3:
      guard text.utf8.count == 32, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
      else { throw CatalogueWording("\"\(text)\" is no JA3: write its 32 hexadecimal digits in lower case") }
      return text
    case .ja4:
      let parts = text.split(separator: "_", omittingEmptySubsequences: false).map(\.utf8.count)
      guard parts == [10, 12, 12] else {
        throw CatalogueWording("\"\(text)\" is no JA4: write its three parts, as t13d1516h2_8daaf6152771_b186095e22b6")
      }
      return text
    case .alpn, .protocol:
      guard text.utf8.count <= 255 else { throw CatalogueWording("\"\(text.prefix(40))...\" is longer than 255 bytes") }
      return text
    case .stunAttribute: return try STUNSign(text).description
    case .media:
      guard MediaSign(rawValue: text) != nil else {
        throw CatalogueWording(
          "\"\(text)\" is no sign of media: write " + MediaSign.allCases.map(\.rawValue).joined(separator: ", "))
      }
      return text
    case .stunText, .process, .userAgent:
      guard (3...128).contains(text.utf8.count) else {
        throw CatalogueWording("\"\(text.prefix(40))\" must have 3 to 128 bytes")
      }
      return text
    case .behaviour: return text
    }
  }
}
