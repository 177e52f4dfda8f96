import Bytes
import Protocols

/// Weighs a flow's observations against the service catalogue.
///
/// Each observation that the catalogue knows gives its tag some bits; evidence that depends on each other is not added
/// up; the tag with the most bits wins, and its lead becomes the confidence by a calibrated table. Nothing is
/// remembered from flow to flow.
public struct Classifier: Sendable {
  /// The most names of a kind (DNS, certificate, ALPN) that are looked at in one flow.
  static let maximumNames = 8

  let index: ServiceIndex
  let weights: EvidenceWeights
  let calibration: Calibration

  /// A classifier over a catalogue.
  public init(catalogue: Catalogue) {
    index = ServiceIndex(catalogue)
    weights = catalogue.weights
    calibration = catalogue.calibration
  }

  /// The verdict on a flow, from what is known of it now.
  public func verdict(on flow: FlowObservation) -> Verdict {
    var ledger = Ledger()
    // A DNS flow is DNS whatever it asks for, and whoever else answers at the resolver's address.
    if !Self.isNameService(flow.facts.application) {
      let name = weighNames(flow, &ledger)
      weighSoftware(flow, name, &ledger)
      weighAddress(flow, name, &ledger)
    }
    weighProtocol(flow, &ledger)
    weighPorts(flow, &ledger)
    return ledger.verdict(index, weights, calibration)
  }

  /// Whether a protocol only looks names up.
  private static func isNameService(_ application: ApplicationProtocol?) -> Bool {
    guard let application, application != .tls else { return false }
    return application == .dns || application == .mdns || application == .llmnr
  }

  /// Bits of a row on a basis.
  func bits(_ basis: EvidenceWeights.Basis, _ row: ServiceIndex.Row) -> Double {
    weights.bits(basis, at: Int(row.provenance)) * row.weight
  }

  /// Adds what a row says.
  func add(
    _ source: Evidence.Source, _ basis: EvidenceWeights.Basis, _ value: String, row: Int32, factor: Double = 1,
    group: EvidenceWeights.Group, note: String? = nil, to ledger: inout Ledger
  ) {
    let facts = index.rows[Int(row)]
    let service = index.services[Int(facts.service)]
    ledger.add(
      Evidence(
        source, value: value, tag: service.tag, service: service.name, bits: bits(basis, facts) * factor, note: note),
      service: facts.service, group: group)
  }

  private func weighProtocol(_ flow: FlowObservation, _ ledger: inout Ledger) {
    guard var seen = flow.facts.application else { return }
    if seen == .tls {
      // What came before STARTTLS says what the encrypted part is; a proxy's CONNECT says nothing of it.
      guard let before = flow.facts.upgradedFrom, before != .http else { return }
      seen = before
    }
    guard let row = index.protocols.row(for: seen.rawValue) else { return }
    add(.protocol, .protocol, seen.rawValue, row: row, group: .software, to: &ledger)
  }

  private func weighPorts(_ flow: FlowObservation, _ ledger: inout Ledger) {
    var positions = index.ports.positions(holding: PortRange.key(flow.serverPort, isTCP: flow.isTCP))
    if positions.isEmpty {
      // In a flow that began before the capture the server may have sent the first packet seen.
      positions = index.ports.positions(holding: PortRange.key(flow.clientPort, isTCP: flow.isTCP))
    }
    guard !positions.isEmpty else { return }
    // The more services share a port, the less it says of each.
    let share = 1 / Double(positions.count)
    for position in positions.prefix(Self.maximumNames) {
      let row = index.ports[position]
      add(
        .port, .port, index.values[Int(row)], row: row, factor: share, group: .place,
        note: "a port alone never decides", to: &ledger)
    }
  }

  private func weighSoftware(_ flow: FlowObservation, _ name: FlowName, _ ledger: inout Ledger) {
    if let tls = flow.facts.tls {
      weighALPN(tls, name, &ledger)
      if let ja4 = tls.ja4, let row = index.ja4.row(for: ja4) {
        add(.fingerprint, .fingerprint, ja4, row: row, group: .software, to: &ledger)
      }
      if let ja3 = tls.ja3, let row = index.ja3.row(for: ja3) {
        add(.fingerprint, .fingerprint, ja3, row: row, group: .software, to: &ledger)
      }
    }
    // Bytes of a protocol that was recognised have been understood already.
    if flow.facts.application == nil { weighFirstBytes(flow, &ledger) }
  }

  private func weighALPN(_ tls: TLSFacts, _ name: FlowName, _ ledger: inout Ledger) {
    var found: Int32?
    if let selected = tls.alpnSelected, let row = index.alpn.row(forALPN: selected) {
      add(.alpn, .alpn, selected, row: row, group: .software, to: &ledger)
      found = row
    }
    for offered in tls.alpn.prefix(Self.maximumNames) {
      guard let row = index.alpn.row(forALPN: offered) else { continue }
      if let found, index.rows[Int(found)].service == index.rows[Int(row)].service { continue }
      add(.alpn, .alpn, offered, row: row, group: .software, to: &ledger)
      found = found ?? row
    }
    guard let found, let text = name.text else { return }
    let row = index.rows[Int(found)]
    let service = index.services[Int(row.service)]
    // Only a protocol that belongs to one operator is out of place under another's name; XMPP is not.
    guard service.owner >= 0 else { return }
    if let named = name.row, index.services[Int(index.rows[Int(named)].service)].tag == service.tag { return }
    ledger.addConflict(
      "the ALPN is \(service.name)'s, the server name \(text) is not",
      Evidence(
        .alpn, value: text, tag: service.tag, service: service.name, bits: -(weights.conflicts[.alpn] ?? 0),
        note: "the server name is not \(service.name)'s"), service: row.service)
  }

  private func weighFirstBytes(_ flow: FlowObservation, _ ledger: inout Ledger) {
    let client = flow.facts.clientFirstBytes
    let server = flow.facts.serverFirstBytes
    guard client.count + server.count > 0 else { return }
    for (pattern, row) in index.patterns where pattern.isTCP == flow.isTCP {
      let isClient = pattern.side != .server && pattern.matches(client)
      guard isClient || (pattern.side != .client && pattern.matches(server)) else { continue }
      let facts = index.rows[Int(row)]
      guard index.holds(facts, address: flow.server, port: flow.serverPort, isTCP: flow.isTCP) else { continue }
      add(.firstBytes, .firstBytes, index.values[Int(row)], row: row, group: .software, to: &ledger)
    }
  }
}
