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
    verdict(on: flow) { flow.shapeEvidence }
  }

  /// The verdict on a flow, from what is known of it now; `shape` is asked only where nothing else is decisive.
  public func verdict(on flow: FlowObservation, shape: () -> [ShapeEvidence]) -> Verdict {
    var ledger = Ledger(media: MediaKind(flow.facts))
    weigh(flow, &ledger)
    if hasRoomForShape(ledger) { weighShape(shape(), &ledger) }
    return ledger.verdict(index, weights, calibration)
  }

  /// A verdict without its reasons.
  public struct Outcome: Sendable, Equatable {
    /// The tag.
    public var tag: Tag
    /// Number of the service in this classifier's catalogue, -1 where the evidence names none.
    public var service: Int32
  }

  /// A flow that is being weighed without reasons; the memory serves one after the other.
  public struct Scale: Sendable {
    fileprivate var ledger = Ledger(hasReasons: false)
    /// A scale with nothing on it.
    public init() {}
  }

  /// Weighs a flow for those who only count: the texts of the reasons cost more than to weigh it. `outcome` follows.
  /// - Returns: whether nothing that was seen is decisive, so that shape is to be asked and added.
  public func weigh(_ flow: borrowing FlowObservation, on scale: inout Scale) -> Bool {
    scale.ledger.begin(media: MediaKind(flow.facts))
    weigh(flow, &scale.ledger)
    return hasRoomForShape(scale.ledger)
  }

  /// Adds what sizes and times say.
  public func add(_ shape: [ShapeEvidence], to scale: inout Scale) { weighShape(shape, &scale.ledger) }

  /// What the verdict on the flow comes to that was weighed.
  public func outcome(of scale: inout Scale) -> Outcome {
    let sum = scale.ledger.addUp(index, weights)
    return Outcome(tag: sum.tag, service: sum.service)
  }

  /// The name of a service by its number; nil for -1.
  public func name(ofService number: Int32) -> String? {
    index.services.indices.contains(Int(number)) ? index.services[Int(number)].name : nil
  }

  /// Whether a service's connection carries another tag's as well.
  public func isSharedFate(service number: Int32, tag: Tag) -> Bool {
    guard index.services.indices.contains(Int(number)) else { return false }
    for carried in index.services[Int(number)].carries where carried.tag != tag { return true }
    return false
  }

  private func hasRoomForShape(_ ledger: borrowing Ledger) -> Bool {
    !ledger.isDecisive(atLeast: weights.shape[.unless] ?? 0)
  }

  private func weigh(_ flow: borrowing FlowObservation, _ ledger: inout Ledger) {
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
    _ source: Evidence.Source, _ basis: EvidenceWeights.Basis, _ value: @autoclosure () -> String, row: Int32,
    factor: Double = 1, group: EvidenceWeights.Group, note: @autoclosure () -> String? = nil, to ledger: inout Ledger
  ) {
    let facts = index.rows[Int(row)]
    var (number, factor) = (facts.service, factor)
    var rider = Rider.none
    if ledger.isMedia, group != .media, index.services[Int(number)].tag != .calling {
      (number, factor, rider) = underMedia(number, factor, group == .software ? .none : ledger.media)
    }
    let tag = index.services[Int(number)].tag
    let bits = bits(basis, facts) * factor
    ledger.add(
      tag, bits: bits, isPort: source == .port, service: number, group: group, also: facts.also,
      Evidence(
        source, value: value(), tag: tag, service: index.services[Int(number)].name, bits: bits,
        note: note() ?? rider.words(index.services[Int(facts.service)].name)))
  }

  /// Why evidence counts otherwise in a flow of media.
  enum Rider {
    case none, calls, question, media

    func words(_ service: String) -> String? {
      switch self {
      case .none: nil
      case .calls: "\(service)'s, and the payload is media"
      case .question: "only asks for its own address there"
      case .media: "the payload is media"
      }
    }
  }

  /// The service that a name, an address or a program stands for in a flow of media, and what it counts there.
  func underMedia(_ number: Int32, _ factor: Double, _ media: MediaKind) -> (
    service: Int32, factor: Double, rider: Rider
  ) {
    let calls = index.services[Int(number)].calls
    guard calls < 0 else { return (calls, factor, .calls) }
    switch media {
    case .none: return (number, factor, .none)
    case .question: return (number, factor * weights.underQuestion, .question)
    case .media: return (number, factor * weights.underMedia, .media)
    }
  }

  /// Weighs what the payload may be: only beside the service's own addresses or ports.
  private func weighHint(_ flow: borrowing FlowObservation, _ ledger: inout Ledger) {
    guard let hint = flow.facts.hint, let row = index.row(ofProtocol: hint.rawValue, isTCP: flow.isTCP) else { return }
    let facts = index.rows[Int(row)]
    guard facts.condition >= 0, index.holds(facts, eitherEndOf: flow) else { return }
    add(
      .protocol, .protocol, hint.rawValue, row: row, factor: 0.5, group: .software, note: "fits, but is no proof",
      to: &ledger)
  }

  private func weighProtocol(_ flow: borrowing FlowObservation, _ ledger: inout Ledger) {
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

  private func weighPorts(_ flow: borrowing FlowObservation, _ ledger: inout Ledger) {
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

  private func weighSoftware(_ flow: borrowing FlowObservation, _ name: FlowName, _ ledger: inout Ledger) {
    if flow.facts.tls != nil {
      weighALPN(flow, name, &ledger)
      if let ja4 = flow.facts.tls?.ja4, let row = index.ja4.row(for: ja4) {
        add(.fingerprint, .fingerprint, ja4, row: row, group: .software, to: &ledger)
      }
      if let ja3 = flow.facts.tls?.ja3, let row = index.ja3.row(for: ja3) {
        add(.fingerprint, .fingerprint, ja3, row: row, group: .software, to: &ledger)
      }
    }
    if !flow.isTCP, flow.facts.hasRareFacts, let agent = flow.facts.quic?.userAgent { weighUserAgent(agent, &ledger) }
    // Bytes of a protocol that was recognised have been understood already.
    if flow.facts.application == nil { weighFirstBytes(flow, &ledger) }
  }

  private func weighALPN(_ flow: borrowing FlowObservation, _ name: FlowName, _ ledger: inout Ledger) {
    var found: Int32 = -1
    if let selected = flow.facts.tls?.alpnSelected, let row = index.alpn.row(forALPN: selected) {
      add(.alpn, .alpn, selected, row: row, group: .software, to: &ledger)
      found = row
    }
    if let offered = flow.facts.tls?.alpn, !offered.isEmpty {
      for i in 0..<min(offered.count, Self.maximumNames) {
        guard let row = index.alpn.row(forALPN: offered[i]) else { continue }
        if found >= 0, index.rows[Int(found)].service == index.rows[Int(row)].service { continue }
        add(.alpn, .alpn, offered[i], row: row, group: .software, to: &ledger)
        if found < 0 { found = row }
      }
    }
    guard found >= 0, let text = name.text else { return }
    let number = index.rows[Int(found)].service
    let tag = index.services[Int(number)].tag
    // Only a protocol that belongs to one operator is out of place under another's name; XMPP is not.
    guard index.services[Int(number)].owner >= 0 else { return }
    if let named = name.row, index.services[Int(index.rows[Int(named)].service)].tag == tag { return }
    let bits = -(weights.conflicts[.alpn] ?? 0)
    ledger.addConflict("the ALPN is \(index.services[Int(number)].name)'s, the server name \(text) is not")
    ledger.add(
      tag, bits: bits, service: number, group: nil,
      Evidence(
        .alpn, value: text, tag: tag, service: index.services[Int(number)].name, bits: bits,
        note: "the server name is not \(index.services[Int(number)].name)'s"))
  }

  private func weighFirstBytes(_ flow: borrowing FlowObservation, _ ledger: inout Ledger) {
    let client = flow.facts.clientFirstBytes
    let server = flow.facts.serverFirstBytes
    guard client.count + server.count > 0 else { return }
    for i in (flow.isTCP ? index.patternsOverTCP : index.patternsOverUDP) {
      let (pattern, row) = index.patterns[i]
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
