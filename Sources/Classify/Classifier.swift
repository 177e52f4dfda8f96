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

  /// Bits that each tag has before anything is seen.
  public var priors: [Tag: Double] { weights.priors }

  /// The verdict on a flow, from what is known of it now.
  public func verdict(on flow: FlowObservation) -> Verdict {
    var ledger = weigh(flow)
    if !flow.shapeEvidence.isEmpty, hasRoomForShape(ledger) { weighShape(flow.shapeEvidence, &ledger) }
    return ledger.verdict(index, weights, calibration)
  }

  /// The verdict on a flow, from what is known of it now; `shape` is asked only where nothing else is decisive.
  public func verdict(on flow: FlowObservation, shape: () -> [ShapeEvidence]) -> Verdict {
    var ledger = weigh(flow)
    if hasRoomForShape(ledger) { weighShape(shape(), &ledger) }
    return ledger.verdict(index, weights, calibration)
  }

  private func hasRoomForShape(_ ledger: Ledger) -> Bool {
    !ledger.isDecisive(atLeast: weights.shape[.unless] ?? 0)
  }

  private func weigh(_ flow: FlowObservation) -> Ledger {
    var ledger = Ledger(media: MediaKind(flow.facts))
    // A DNS flow is DNS whatever it asks for, and whoever else answers at the resolver's address.
    if !Self.isNameService(flow.facts.application) {
      let name = weighNames(flow, &ledger)
      weighSoftware(flow, name, &ledger)
      weighAddress(flow, name, &ledger)
      if ledger.isMedia { weighMedia(flow, &ledger) }
      if let process = flow.process { weighProcess(process, flow, &ledger) }
      if let announcement = flow.announcement { weighConversation(announcement, flow, &ledger) }
    }
    weighProtocol(flow, &ledger)
    weighPorts(flow, &ledger)
    return ledger
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

  /// Adds what a row says. Where the payload is media, what names somebody's servers or programs speaks for that
  /// somebody's calls, and for anything else it says little.
  func add(
    _ source: Evidence.Source, _ basis: EvidenceWeights.Basis, _ value: String, row: Int32, factor: Double = 1,
    group: EvidenceWeights.Group, note: String? = nil, to ledger: inout Ledger
  ) {
    let facts = index.rows[Int(row)]
    var (number, factor, note) = (facts.service, factor, note)
    if ledger.isMedia, group != .media, index.services[Int(number)].tag != .calling {
      (number, factor, note) = underMedia(number, factor, note, group == .software ? .none : ledger.media)
    }
    let service = index.services[Int(number)]
    ledger.add(
      Evidence(
        source, value: value, tag: service.tag, service: service.name, bits: bits(basis, facts) * factor, note: note),
      service: number, group: group, also: facts.also)
  }

  /// The service that a name, an address or a program stands for in a flow of media, and what it counts there.
  func underMedia(
    _ number: Int32, _ factor: Double, _ note: String?, _ media: MediaKind
  ) -> (service: Int32, factor: Double, note: String?) {
    let service = index.services[Int(number)]
    guard service.calls < 0 else {
      return (service.calls, factor, note ?? "\(service.name)'s, and the payload is media")
    }
    switch media {
    case .none: return (number, factor, note)
    case .question: return (number, factor * weights.underQuestion, note ?? "only asks for its own address there")
    case .media: return (number, factor * weights.underMedia, note ?? "the payload is media")
    }
  }

  /// Weighs what the payload may be: only beside the service's own addresses or ports.
  private func weighHint(_ flow: FlowObservation, _ ledger: inout Ledger) {
    guard let hint = flow.facts.hint, let row = index.row(ofProtocol: hint.rawValue, isTCP: flow.isTCP) else { return }
    let facts = index.rows[Int(row)]
    guard facts.condition >= 0, index.holds(facts, eitherEndOf: flow) else { return }
    add(
      .protocol, .protocol, hint.rawValue, row: row, factor: 0.5, group: .software, note: "fits, but is no proof",
      to: &ledger)
  }

  private func weighProtocol(_ flow: FlowObservation, _ ledger: inout Ledger) {
    guard var seen = flow.facts.application else { return weighHint(flow, &ledger) }
    if seen == .tls {
      // What came before STARTTLS says what the encrypted part is; a proxy's CONNECT says nothing of it.
      guard let before = flow.facts.upgradedFrom, before != .http else { return }
      seen = before
    }
    // What media look like says more than the name of their protocol, and counts once.
    if ledger.isMedia, Self.isShownByMedia(seen, flow.facts) { return }
    guard let row = index.row(ofProtocol: seen.rawValue, isTCP: flow.isTCP) else { return }
    let facts = index.rows[Int(row)]
    guard index.holds(facts, eitherEndOf: flow) else { return }
    let noCall = ledger.isMedia && seen == .sip ? flow.facts.call?.withoutCall : nil
    add(
      .protocol, .protocol, seen.rawValue, row: row, factor: noCall == nil ? 1 : weights.noCall, group: .software,
      note: noCall.map { "only \($0)" }, to: &ledger)
    if let noCall {
      ledger.addConflict(
        noCall == "MESSAGE"
          ? "SIP carried only MESSAGE here: texts, not a call" : "SIP set up no call here: only \(noCall)")
    }
  }

  private static func isShownByMedia(_ application: ApplicationProtocol, _ facts: FlowFacts) -> Bool {
    application == .stun && facts.stun != nil || application == .rtp && facts.rtp != nil
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
    if !flow.isTCP, let agent = flow.facts.quic?.userAgent { weighUserAgent(agent, &ledger) }
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
      let isClient = pattern.side != .server && pattern.matches(client, length: flow.clientFirstLength)
      guard isClient || (pattern.side != .client && pattern.matches(server, length: flow.serverFirstLength)) else {
        continue
      }
      let facts = index.rows[Int(row)]
      guard index.holds(facts, eitherEndOf: flow) else { continue }
      add(.firstBytes, .firstBytes, index.values[Int(row)], row: row, group: .software, to: &ledger)
    }
  }
}
