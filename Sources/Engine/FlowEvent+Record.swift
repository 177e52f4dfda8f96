import Bytes
import Classify
import Decode
import Flows
import Protocols
import Report

extension FlowRecord {
  /// Which end is the service and which its user, for the catalogue and the name cache.
  ///
  /// Where a capture begins in the middle of a flow nobody knows who opened it; the lower port is then the service's.
  var serviceEnds: (client: IPAddress, clientPort: UInt16, server: IPAddress, serverPort: UInt16) {
    guard !isOpenerKnown, clientPort < serverPort else { return (clientAddress, clientPort, serverAddress, serverPort) }
    return (serverAddress, serverPort, clientAddress, clientPort)
  }

  /// What ended a closed TCP flow.
  var closeReason: EndReason { hasReset ? .rst : .fin }
}

extension FlowStage {
  /// A flow as it is reported, with the verdict on what is known now.
  func event(for record: UInt32, session: FlowSession?) -> FlowEvent {
    let flow = table[record]
    var event = FlowEvent()
    event.id = flow.id
    event.capture = captures[Int(flow.capture)]
    event.source = flow.clientAddress
    event.destination = flow.serverAddress
    event.sourcePort = flow.clientPort
    event.destinationPort = flow.serverPort
    event.transport = flow.key.transport
    event.scope = flow.key.scope
    event.start = flow.start
    event.end = flow.lastSeen
    event.packetsToServer = UInt64(flow.client.packets)
    event.packetsToClient = UInt64(flow.server.packets)
    event.bytesToServer = flow.client.bytes
    event.bytesToClient = flow.server.bytes
    event.state = flow.state.name
    event.facts = session.map { $0.reading?.parser.facts ?? $0.facts } ?? FlowFacts()
    event.names = session?.names ?? []
    event.notes = event.facts.notes
    event.shape = FlowShapeReport(flow.shape)
    let ends = flow.serviceEnds
    event.verdict = classifier.verdict(
      on: FlowObservation(
        client: ends.client, clientPort: ends.clientPort, server: ends.server, serverPort: ends.serverPort,
        isTCP: flow.key.transport == .tcp, names: event.names, weakNames: session?.weakNames ?? [],
        facts: event.facts))
    event.decidedAtPacket = (session?.arrivals ?? EvidenceArrivals()).decision(of: event.verdict)
    return event
  }
}

extension FlowState {
  /// The name of Suricata's EVE.
  var name: String {
    switch self {
    case .new: "new"
    case .established: "established"
    case .closed: "closed"
    }
  }
}

extension FlowShapeReport {
  init(_ meter: ShapeMeter) {
    self.init()
    let packets = Int(meter.packetCount)
    sizes = (0..<packets).map { Int(meter.sizes[$0]) }
    gaps = (0..<packets).map { UInt64(meter.gaps[$0]) }
    records = (0..<Int(meter.recordCount)).map { Int(meter.records[$0]) }
    sizesToServer = (0..<8).map { meter.sizeBins[$0] }
    sizesToClient = (8..<16).map { meter.sizeBins[$0] }
    gapHistogram = (0..<8).map { meter.gapBins[$0] }
  }
}

extension EvidenceArrivals {
  private func packet(of source: Evidence.Source) -> UInt64 {
    let packet =
      switch source {
      case .address, .port, .dns: UInt64(1)
      case .sni, .alpn, .fingerprint: hello
      case .certificate: certificate
      case .httpHost: request
      case .protocol: application
      case .firstBytes: payload
      }
    return max(packet, 1)
  }

  /// The packet of the flow from which on the evidence that had arrived pointed to the final tag.
  func decision(of verdict: Verdict) -> UInt64 {
    let rows = verdict.evidence.map { (packet: packet(of: $0.source), row: $0) }.sorted { $0.packet < $1.packet }
    var bits: [Tag: Double] = [:]
    var decided: UInt64 = 1
    var stands = verdict.tag == .other
    var i = 0
    while i < rows.count {
      let packet = rows[i].packet
      while i < rows.count, rows[i].packet == packet {
        bits[rows[i].row.tag, default: 0] += rows[i].row.bits
        i += 1
      }
      let best = bits.max { $0.value < $1.value }
      let points = best.map { $0.value > 0 ? $0.key : .other } ?? .other
      if points == verdict.tag, !stands { decided = packet }
      stands = points == verdict.tag
    }
    return decided
  }
}
