import Protocols

/// What a flow itself says its server is called.
struct FlowName {
  /// The SNI, else the HTTP host.
  var text: String?
  /// Its row of the catalogue.
  var row: Int32?
  /// Whether any name, also one learned from DNS or a certificate, is a known service's.
  var isKnown: Bool
}

extension Classifier {
  /// Weighs SNI, HTTP host, certificate and DNS names.
  func weighNames(_ flow: borrowing FlowObservation, _ ledger: inout Ledger) -> FlowName {
    var name = FlowName(text: nil, row: nil, isKnown: false)
    if let sni = flow.facts.tls?.serverName {
      name.text = sni
      name.row = weigh(sni, .sni, .sni, flow, &ledger)
    }
    if let host = flow.facts.http?.host {
      let row = weigh(host, .httpHost, .httpHost, flow, &ledger)
      if name.text == nil {
        name.text = host
        name.row = row
      }
    }
    name.isKnown = name.row != nil
    if let names = flow.facts.tls?.certificateNames, !names.isEmpty { weighCertificate(names, flow, &name, &ledger) }
    if !flow.names.isEmpty {
      weighLookUps(flow.names, .dns, flow, &name, &ledger)
    }
    if !name.isKnown, name.text == nil, !flow.weakNames.isEmpty {
      weighLookUps(flow.weakNames, .dnsOtherClient, flow, &name, &ledger)
    }
    return name
  }

  /// The row of a name, where the row's conditions hold.
  private func row(for name: String, _ flow: borrowing FlowObservation) -> Int32? {
    guard let row = index.names.row(for: name) else { return nil }
    return index.holds(index.rows[Int(row)], eitherEndOf: flow) ? row : nil
  }

  /// Weighs a name that the flow itself says.
  private func weigh(
    _ text: String, _ source: Evidence.Source, _ basis: EvidenceWeights.Basis, _ flow: borrowing FlowObservation,
    _ ledger: inout Ledger
  ) -> Int32? {
    guard let row = row(for: text, flow) else {
      ledger.add(
        .other, bits: weights.unknownName, service: -1, group: .name,
        Evidence(
          source, value: text, tag: .other, service: nil, bits: weights.unknownName,
          note: "a name of no known service"))
      return nil
    }
    add(source, basis, text, row: row, group: .name, to: &ledger)
    return row
  }

  private func weighCertificate(
    _ names: [String], _ flow: borrowing FlowObservation, _ name: inout FlowName, _ ledger: inout Ledger
  ) {
    var matched: (text: String, row: Int32)?
    for text in names.prefix(Self.maximumNames) where matched == nil {
      if let row = row(for: text, flow) { matched = (text, row) }
    }
    guard let asked = name.text else {
      if let matched {
        add(.certificate, .certificate, matched.text, row: matched.row, group: .name, to: &ledger)
        name.isKnown = true
      }
      return
    }
    if let cover = names.first(where: { Self.covers($0, asked) }) {
      if let row = name.row { add(.certificate, .certificate, cover, row: row, group: .name, to: &ledger) }
      return
    }
    if let matched { add(.certificate, .certificate, matched.text, row: matched.row, group: .name, to: &ledger) }
    if let matched, let row = name.row, index.rows[Int(row)].service == index.rows[Int(matched.row)].service { return }
    let service = name.row.map { index.rows[Int($0)].service } ?? -1
    let tag = service >= 0 ? index.services[Int(service)].tag : .other
    let bits = -(weights.conflicts[.certificate] ?? 0)
    ledger.addConflict("the certificate is for \(names[0]), not for the name asked for (\(asked))")
    ledger.add(
      tag, bits: bits, service: service, group: nil,
      Evidence(
        .certificate, value: names[0], tag: tag, service: service >= 0 ? index.services[Int(service)].name : nil,
        bits: bits, note: "does not cover \(asked)"))
  }

  /// Weighs names learned from look-ups.
  private func weighLookUps(
    _ names: [String], _ basis: EvidenceWeights.Basis, _ flow: borrowing FlowObservation, _ name: inout FlowName,
    _ ledger: inout Ledger
  ) {
    if let asked = name.text, names.prefix(Self.maximumNames).contains(where: { Self.isSame($0, asked) }) {
      if let row = name.row { add(.dns, basis, asked, row: row, group: .name, to: &ledger) }
      return
    }
    var first: (text: String, row: Int32)?
    var other: Int?
    for i in 0..<min(names.count, Self.maximumNames) {
      let text = names[i]
      guard let row = row(for: text, flow) else { continue }
      guard let known = first else {
        first = (text, row)
        continue
      }
      // Positions, not entries: copying one counts its texts' references.
      let (service, knownService) = (Int(index.rows[Int(row)].service), Int(index.rows[Int(known.row)].service))
      guard !index.services[service].isInfrastructure else { continue }
      if index.services[knownService].isInfrastructure {
        first = (text, row)
      } else if index.services[service].tag != index.services[knownService].tag {
        other = other ?? service
      }
    }
    guard let first else { return }
    let service = Int(index.rows[Int(first.row)].service)
    guard let asked = name.text else {
      // Of an address with names of several tags, each name says half.
      add(
        .dns, basis, first.text, row: first.row, factor: other == nil ? 1 : 0.5, group: .name,
        note: other.map { "the address also answers for \(index.services[$0].name)" }
          ?? (basis == .dnsOtherClient ? "from another client's look-up" : nil), to: &ledger)
      name.isKnown = true
      return
    }
    let askedService = name.row.map { Int(index.rows[Int($0)].service) }
    if index.services[service].isInfrastructure || askedService == service {
      if let row = name.row, askedService == service {
        add(.dns, basis, first.text, row: row, group: .name, to: &ledger)
      }
      return
    }
    // The name in the flow is what the client asks for now; the look-up may have been another one's address.
    add(
      .dns, basis, first.text, row: first.row, factor: weights.discount(.name), group: .name,
      note: "the flow itself names \(asked)", to: &ledger)
    let tag = askedService.map { index.services[$0].tag } ?? .other
    let isInfrastructure = askedService.map { index.services[$0].isInfrastructure } ?? false
    guard !isInfrastructure, tag != index.services[service].tag else { return }
    let askedName = askedService.map { index.services[$0].name }
    let bits = -(weights.conflicts[.dns] ?? 0)
    ledger.addConflict(
      "DNS gave the address as \(first.text) (\(index.services[service].name)), the flow names \(asked)"
        + (askedName.map { " (\($0))" } ?? ""))
    ledger.add(
      tag, bits: bits, service: name.row.map { index.rows[Int($0)].service } ?? -1, group: nil,
      Evidence(
        .dns, value: first.text, tag: tag, service: askedName, bits: bits, note: "the look-up names another service"))
  }

  /// Whether a certificate name covers a server name (RFC 6125, section 6.4: `*` stands for one leftmost label).
  static func covers(_ pattern: String, _ name: String) -> Bool {
    let pattern = pattern.utf8Span.span
    let name = name.utf8Span.span
    var (end, nameEnd) = (pattern.count, name.count)
    if end > 0, pattern[end - 1] == UInt8(ascii: ".") { end -= 1 }
    if nameEnd > 0, name[nameEnd - 1] == UInt8(ascii: ".") { nameEnd -= 1 }
    let isWildcard = end > 2 && pattern[0] == UInt8(ascii: "*") && pattern[1] == UInt8(ascii: ".")
    let begin = isWildcard ? 1 : 0
    var nameBegin = 0
    if isWildcard {
      while nameBegin < nameEnd, name[nameBegin] != UInt8(ascii: ".") { nameBegin += 1 }
    }
    guard end - begin == nameEnd - nameBegin, nameEnd > 0 else { return false }
    for i in 0..<(end - begin) where NameTable.lowered(pattern[begin + i]) != NameTable.lowered(name[nameBegin + i]) {
      return false
    }
    return true
  }

  /// Whether two names are the same but for case and a trailing dot.
  static func isSame(_ a: String, _ b: String) -> Bool {
    a.utf8.first != UInt8(ascii: "*") && covers(a, b)
  }
}
