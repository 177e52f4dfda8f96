import Classify
import Yams

// What a policy says by reference: names, addresses and ports that the catalogue has.

extension PolicyFile {
  /// Owners by name.
  mutating func owners(_ node: Node, _ field: String) -> [Owner] {
    texts(node, field).compactMap { text in
      if let owner = catalogue.owners.first(where: { $0.name.lowercased() == text.text.lowercased() }) { return owner }
      let known = catalogue.owners.map(\.name)
      note(
        text.node, field,
        "\"\(text.text)\" owns no addresses in the catalogue; "
          + Self.suggestion(NearestWord.of(text.text, in: known), else: known))
      return nil
    }
  }

  /// Services by name.
  mutating func services(_ node: Node, _ field: String) -> [Service] {
    texts(node, field).compactMap { text in
      if let service = catalogue.services.first(where: { $0.name.lowercased() == text.text.lowercased() }) {
        return service
      }
      noteUnknownService(text.text, text.node, field)
      return nil
    }
  }

  /// Names of services that flows can be judged to be, as the catalogue spells them.
  mutating func serviceNames(_ node: Node, _ field: String) -> [String] {
    texts(node, field).compactMap { text in
      let wanted = text.text.lowercased()
      if let service = catalogue.services.first(where: { $0.name.lowercased() == wanted }) { return service.name }
      let carriers = catalogue.services.filter { $0.carries.contains { $0.service.lowercased() == wanted } }
      if carriers.isEmpty {
        noteUnknownService(text.text, text.node, field)
      } else {
        note(
          text.node, field,
          "\"\(text.text)\" has no flow of its own; it rides \(Self.list(carriers.map(\.name))): use that, or message")
      }
      return nil
    }
  }

  private mutating func noteUnknownService(_ name: String, _ node: Node, _ field: String) {
    let near = NearestWord.of(name, in: catalogue.services.map(\.name))
    note(
      node, field,
      "\"\(name)\" is no service of the catalogue; "
        + (near.isEmpty
          ? "add it to a catalogue of your own, or list its names and addresses here"
          : "did you mean \(Self.list(near))?"))
  }

  /// Server names of services: whole names, and names with what is below them.
  mutating func names(of node: Node, _ field: String) -> (exact: [String], suffix: [String]) {
    var exact: [String] = []
    var suffix: [String] = []
    for service in services(node, field) {
      let names = service.values(of: .sniExact, .sniSuffix)
      if names.isEmpty {
        note(node, field, "the catalogue has no names of \"\(service.name)\"; use address-of or ports-of")
      }
      exact += service.values(of: .sniExact)
      suffix += service.values(of: .sniSuffix)
    }
    exact.removeAll { name in suffix.contains { name == $0 || name.hasSuffix(".\($0)") } }
    return (exact, suffix)
  }

  /// Address rows of services, each with the ports that it needs.
  mutating func addresses(of node: Node, _ field: String) -> Formula? {
    var parts: [Formula] = []
    for service in services(node, field) {
      var rows: [(ports: [PortRange], isBothEnds: Bool, prefixes: [AddressPrefix])] = []
      for row in service.identifiers where row.kind == .ipPrefix {
        guard let prefix = try? AddressPrefix(row.value) else { continue }
        if let i = rows.firstIndex(where: { $0.ports == row.ports && $0.isBothEnds == row.isBothEnds }) {
          rows[i].prefixes.append(prefix)
        } else {
          rows.append((row.ports, row.isBothEnds, [prefix]))
        }
      }
      if rows.isEmpty {
        note(node, field, "the catalogue has no addresses of \"\(service.name)\"; use names-of or ports-of")
      }
      parts += rows.map { row in
        let addresses = Formula.leaf(.address(row.prefixes))
        return row.ports.isEmpty
          ? addresses : .all([addresses, .leaf(.port(row.ports, isBothEnds: row.isBothEnds))])
      }
    }
    return Self.joined(parts, Formula.any)
  }

  /// Prefixes that services have for themselves, whatever the port; the whole space of an owner is none.
  mutating func prefixes(of node: Node, _ field: String) -> [AddressPrefix] {
    let spaces = Set(catalogue.owners.flatMap(\.prefixes))
    var found: [AddressPrefix] = []
    for service in services(node, field) {
      let own = service.values(of: .ipPrefix).compactMap { try? AddressPrefix($0) }.filter { !spaces.contains($0) }
      if own.isEmpty {
        note(
          node, field,
          "the catalogue has no prefixes of \"\(service.name)\" alone; use address-of, or owner for all of an owner's")
      }
      found += own.filter { !found.contains($0) }
    }
    return found
  }

  /// Port rows of services.
  mutating func ports(of node: Node, _ field: String) -> [PortRange] {
    var found: [PortRange] = []
    for service in services(node, field) {
      let ports = service.values(of: .port).compactMap { try? PortRange($0) }
      if ports.isEmpty {
        note(node, field, "the catalogue has no ports of \"\(service.name)\"; use names-of or address-of")
      }
      found += ports.filter { !found.contains($0) }
    }
    return found
  }

  /// Address prefixes as written.
  mutating func prefixes(_ node: Node, _ field: String) -> [AddressPrefix] {
    texts(node, field).compactMap { text in
      checked(text.node, field) { () throws(CatalogueWording) in try AddressPrefix(text.text) }
    }
  }

  /// Ports as written: tcp/5223, udp/3478-3497, or 5223 for both transports.
  mutating func ports(_ node: Node, _ field: String) -> [PortRange] {
    var found: [PortRange] = []
    for text in texts(node, field) {
      let words = text.text.contains("/") ? [text.text] : ["tcp/\(text.text)", "udp/\(text.text)"]
      let ranges = words.compactMap { try? PortRange($0) }
      if ranges.count == words.count {
        found += ranges
      } else {
        note(
          text.node, field, "\"\(text.text)\" is no port: write 5223, tcp/5223 or udp/3478-3497, from 1 to 65535")
      }
    }
    return found
  }

  /// A value that another reader checks.
  mutating func checked<Value>(
    _ node: Node, _ field: String, _ make: () throws(CatalogueWording) -> Value
  ) -> Value? {
    do {
      return try make()
    } catch {
      note(node, field, error.text)
      return nil
    }
  }

  /// One part as it is, several joined, none for none.
  static func joined(_ parts: [Formula], _ join: ([Formula]) -> Formula) -> Formula? {
    parts.count > 1 ? join(parts) : parts.first
  }
}
