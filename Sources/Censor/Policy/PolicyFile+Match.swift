import Classify
import Decode
import Yams

extension PolicyFile {
  /// What a mapping looks for; its keys must all be met.
  mutating func formula(_ node: Node, _ field: String, depth: Int) -> Formula? {
    guard depth <= Self.maximumDepth else {
      note(node, field, "stands more than \(Self.maximumDepth) deep in all, any and not; write it flatter")
      return nil
    }
    if case .sequence = node {
      note(node, field, "is a list; say whether all or any must be met, as {any: [...]}")
      return nil
    }
    guard let fields = fields(node, field, PolicyKeys.Match.self) else { return nil }
    guard node.mapping?.isEmpty == false else {
      note(node, field, "looks for nothing; add what to look for, as {sni-suffix: [example.org]}")
      return nil
    }
    var parts: [Formula] = []
    for (key, value) in fields.pairs {
      if let part = part(key, value, "\(field).\(key.rawValue)", depth: depth) { parts.append(part) }
    }
    return Self.joined(parts, Formula.all)
  }

  private mutating func formulas(_ node: Node, _ field: String, depth: Int) -> [Formula] {
    guard let items = node.sequence, !items.isEmpty else {
      note(node, field, "must be a list with a dash before each part, not \(Self.described(node))")
      return []
    }
    var parts: [Formula] = []
    for item in items {
      valuesRead += 1
      guard valuesRead <= Self.maximumValues else { break }
      if let part = formula(item, field, depth: depth + 1) { parts.append(part) }
    }
    return parts
  }

  private mutating func part(_ key: PolicyKeys.Match, _ node: Node, _ field: String, depth: Int) -> Formula? {
    switch key {
    case .all: return Self.joined(formulas(node, field, depth: depth), Formula.all)
    case .any: return Self.joined(formulas(node, field, depth: depth), Formula.any)
    case .not: return formula(node, field, depth: depth + 1).map(Formula.not)
    case .sniExact: return name(.exact, node, field, Leaf.sni)
    case .sniSuffix: return name(.suffix, node, field, Leaf.sni)
    case .sniSubstring: return name(.substring, node, field, Leaf.sni)
    case .sniRegex: return name(.regex, node, field, Leaf.sni)
    case .quicSNIExact: return quicName(.exact, node, field)
    case .quicSNISuffix: return quicName(.suffix, node, field)
    case .quicSNISubstring: return quicName(.substring, node, field)
    case .quicSNIRegex: return quicName(.regex, node, field)
    case .dnsExact: return name(.exact, node, field, Leaf.dnsName)
    case .dnsSuffix: return name(.suffix, node, field, Leaf.dnsName)
    case .dnsSubstring: return name(.substring, node, field, Leaf.dnsName)
    case .dnsRegex: return name(.regex, node, field, Leaf.dnsName)
    case .httpHostExact: return name(.exact, node, field, Leaf.httpHost)
    case .httpHostSuffix: return name(.suffix, node, field, Leaf.httpHost)
    case .httpHostSubstring: return name(.substring, node, field, Leaf.httpHost)
    case .httpHostRegex: return name(.regex, node, field, Leaf.httpHost)
    case .namesOf: return namesOf(node, field, Leaf.sni)
    case .quicNamesOf:
      needsQUIC(node, field)
      return namesOf(node, field, Leaf.quicSNI)
    case .dnsNamesOf: return namesOf(node, field, Leaf.dnsName)
    case .address: return some(prefixes(node, field)) { .address($0) }
    case .owner:
      let owners = owners(node, field)
      return Self.joined(owners.map { .leaf(.owner($0.name, $0.prefixes)) }, Formula.any)
    case .addressOf: return addresses(of: node, field)
    case .prefixesOf: return some(prefixes(of: node, field)) { .address($0) }
    case .port: return port(node, field)
    case .portsOf: return some(ports(of: node, field)) { .port($0, isBothEnds: false) }
    case .transport: return transport(node, field)
    case .hello:
      return Self.joined(words(node, field, as: Leaf.Carrier.self).map { .leaf(.hello($0)) }, Formula.any)
    default: return content(key, node, field)
    }
  }

  private mutating func content(_ key: PolicyKeys.Match, _ node: Node, _ field: String) -> Formula? {
    switch key {
    case .protocol: return some(texts(node, field).map { $0.text.lowercased() }) { .application($0) }
    case .alpn: return some(alpn(node, field)) { .alpn($0) }
    case .ja3: return some(fingerprints(node, field, .ja3)) { .ja3($0) }
    case .ja4: return some(fingerprints(node, field, .ja4)) { .ja4($0) }
    case .encryptedServerName: return isTrue(node, field) ? .leaf(.encryptedServerName) : nil
    case .encryptedClientHello: return isTrue(node, field) ? .leaf(.encryptedClientHello) : nil
    case .quicVersion: return some(versions(node, field)) { .quicVersion($0) }
    case .firstPayload: return firstPayload(node, field)
    case .fullyEncrypted: return fullyEncrypted(node, field)
    case .unrecognised: return unrecognised(node, field)
    case .record: return record(node, field)
    case .packet: return packet(node, field)
    case .model: return model(node, field)
    case .tag: return some(words(node, field, as: Tag.self)) { .tag($0) }
    case .service: return some(serviceNames(node, field)) { .service($0) }
    case .message: return message(node, field)
    default: return nil
    }
  }

  private func some<Value>(_ values: [Value], _ make: ([Value]) -> Leaf) -> Formula? {
    values.isEmpty ? nil : .leaf(make(values))
  }

  /// A key that only says that something is there; `not` says that it is not.
  private mutating func isTrue(_ node: Node, _ field: String) -> Bool {
    guard let flag = flag(node, field) else { return false }
    if !flag { note(node, field, "can only be true; write {not: {...: true}} for its absence") }
    return flag
  }

  private mutating func port(_ node: Node, _ field: String) -> Formula? {
    guard case .mapping = node else { return some(ports(node, field)) { .port($0, isBothEnds: false) } }
    guard let fields = fields(node, field, PolicyKeys.Port.self) else { return nil }
    let isBothEnds = fields[.bothEnds].flatMap { flag($0, "\(field).both-ends") } ?? false
    guard let list = fields[.ports] else {
      note(node, field, "says no port; add ports: [udp/16402]")
      return nil
    }
    return some(ports(list, "\(field).ports")) { .port($0, isBothEnds: isBothEnds) }
  }

  private mutating func transport(_ node: Node, _ field: String) -> Formula? {
    switch node.scalar?.string {
    case "tcp": return .leaf(.transport(.tcp))
    case "udp": return .leaf(.transport(.udp))
    default:
      note(node, field, "is \(Self.described(node)); use tcp or udp")
      return nil
    }
  }

  private mutating func alpn(_ node: Node, _ field: String) -> [String] {
    texts(node, field).compactMap { text in
      if text.text.utf8.count <= 255, !text.text.dropLast().contains("*") { return text.text }
      note(
        text.node, field, "\"\(text.text.prefix(60))\" is no protocol name: at most 255 bytes, and * only at the end")
      return nil
    }
  }

  private mutating func fingerprints(_ node: Node, _ field: String, _ kind: Identifier.Kind) -> [String] {
    texts(node, field).compactMap { text in
      checked(text.node, field) { () throws(CatalogueWording) in try kind.normalized(text.text) }
    }
  }

  /// Versions by number, as 1 or 0x6b3343cf, or by name, as v1 and v2 (RFC 9000, RFC 9369).
  private mutating func versions(_ node: Node, _ field: String) -> [UInt32] {
    texts(node, field).compactMap { text in
      switch text.text {
      case "v1": return 1
      case "v2": return 0x6b33_43cf
      case let word where word.hasPrefix("0x"):
        if let version = UInt32(word.dropFirst(2), radix: 16) { return version }
      case let word: if let version = UInt32(word) { return version }
      }
      note(text.node, field, "\"\(text.text)\" is no QUIC version: write v1, v2 or a number as 0xff00001d")
      return nil
    }
  }
}
