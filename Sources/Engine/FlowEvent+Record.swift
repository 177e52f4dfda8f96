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
  /// A flow that ends, with all that its report and its verdict rest on.
  /// - Parameters:
  ///   - record: its record.
  ///   - session: what hangs off it.
  ///   - observation: what its verdict may rest on; moved on, since a copy would count every reference in it.
  ///   - reason: why it ended.
  /// - Returns: the flow, to be judged.
  func ending(
    of record: UInt32, session: FlowSession?, observation: consuming FlowObservation,
    reason: EndReason = .endOfCapture
  ) -> FlowEnding {
    let isForModel = isForModel(record, observation)
    var ending = FlowEnding(
      flow: table[record], reason: reason, capture: captures[table[record].capture], observation: observation)
    ending.isForModel = isForModel
    if wantsShape || ending.isForModel { ending.shapes = [table.shape(of: record)] }
    guard let session else { return ending }
    ending.arrivals = session.arrivals
    ending.wasAnnounced = session.wasAnnounced
    if let place = session.conversation, let conversation = conversations[place], conversation.isCall {
      ending.conversation = conversation.number
    }
    return ending
  }

  /// TLS records from which on a connection without a handshake may look like Apple's courier.
  static let leastCourierRecords = 6
  /// Packets with payload from which on a flow has a shape.
  static let leastShapedPackets = 6

  /// Whether the model of shapes may be asked about a flow.
  func isForModel(_ record: UInt32, _ observation: borrowing FlowObservation) -> Bool {
    hasShapeModel
      && (isBlind || table.shapedPackets(of: record) >= Self.leastShapedPackets && observation.isNameless)
  }

  /// What a verdict on a flow may rest on.
  /// - Parameters:
  ///   - record: its record.
  ///   - session: what hangs off it.
  ///   - facts: what its payload said.
  ///   - isTied: whether what other flows of the same call say counts as well.
  /// - Returns: the observation.
  func observation(of record: UInt32, session: FlowSession?, facts: consuming FlowFacts, isTied: Bool)
    -> FlowObservation
  {
    let ends = table[record].serviceEnds
    let process = table[record].process
    let lengths = facts.application == nil ? table.firstLengths(of: record) : (nil, nil)
    let mayBeCourier = table.measuredRecords(of: record) >= Self.leastCourierRecords && facts.tls == nil
    var announcement: Announcement?
    if isTied, let session, session.conversation != nil {
      announcement = self.announcement(of: session, table[record].id)
    }
    // Made at once: one that is completed step by step would be copied to be returned.
    return FlowObservation(
      client: ends.client, clientPort: ends.clientPort, server: ends.server, serverPort: ends.serverPort,
      isTCP: table[record].key.transport == .tcp, names: session?.names ?? [], weakNames: session?.weakNames ?? [],
      facts: facts, firstLengths: lengths, process: process == 0 ? nil : processes[process],
      announcement: announcement, shapeEvidence: mayBeCourier ? table.shape(of: record).courierEvidence : [])
  }
}

extension FlowObservation {
  /// Whether neither a name nor a protocol that says anything of its use was seen.
  var isNameless: Bool {
    guard names.isEmpty, weakNames.isEmpty, facts.tls?.serverName == nil, facts.http == nil else { return false }
    return facts.application.map { $0 == .tls || $0 == .quic || $0 == .dtls } ?? true
  }
}

extension FlowEvent {
  /// What the table knows of a flow.
  init(_ flow: FlowRecord, reason: EndReason) {
    self.init()
    id = flow.id
    source = flow.clientAddress
    destination = flow.serverAddress
    sourcePort = flow.clientPort
    destinationPort = flow.serverPort
    transport = flow.key.transport
    scope = flow.key.scope
    start = flow.start
    end = flow.lastSeen
    packetsToServer = UInt64(flow.client.packets)
    packetsToClient = UInt64(flow.server.packets)
    bytesToServer = flow.client.bytes
    bytesToClient = flow.server.bytes
    state = flow.state.name
    self.reason = reason
  }
}

extension FlowRecord {
  /// What Ethernet, IPv4 and UDP put before a datagram's payload, in bytes.
  private static let headers: UInt64 = 42

  /// What a flow's media are: by payload type and clock of each stream, else by the rate of a side that sends one
  /// stream only. Nothing where it is not clear.
  func mediaKinds(of facts: FlowFacts) -> [String] {
    guard let streams = facts.rtp?.streams else { return [] }
    let seconds = Double(max(lastSeen &- start, 0)) / 1e9
    var kinds: [RTPMediaKind] = []
    for stream in streams {
      let side = stream.side == .client ? client : server
      let isAlone = streams.count { $0.side == stream.side } == 1
      let payload = side.bytes - min(side.bytes, UInt64(side.packets) * Self.headers)
      let byRate =
        isAlone
        ? RTPFacts.mediaKind(
          payloadType: stream.payloadType, packets: Int(side.packets), bytes: Int(clamping: payload), seconds: seconds)
        : nil
      if let kind = stream.media ?? byRate, !kinds.contains(kind) { kinds.append(kind) }
    }
    return kinds.map(\.rawValue)
  }
}

extension ShapeMeter {
  /// How far record lengths of a connection that was joined in the middle look like Apple's courier's; a weak sign,
  /// since one of sixty other connections looks as much so (`APNsShape`).
  var courierEvidence: [ShapeEvidence] {
    let lengths = (0..<min(Int(recordCount), Self.firstRecords)).map { records[$0] }
    guard let shape = APNsShape(records: lengths.span), shape.score >= 0.6 else { return [] }
    return [ShapeEvidence(tag: .push, bits: 2 * shape.score, sentence: "record lengths of a courier: \(shape.reasons)")]
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

extension EvidenceArrivals {
  private func packet(of source: Evidence.Source, _ packets: UInt64) -> UInt64 {
    let packet =
      switch source {
      case .address, .port, .dns, .process: UInt32(1)
      case .sni, .alpn, .fingerprint: hello
      case .certificate: certificate
      case .httpHost: request
      case .protocol: application
      case .stun: stun
      case .media: media == 0 ? stun : media
      case .conversation where conversation != 0: conversation
      case .userAgent: call
      case .firstBytes: payload
      case .conversation, .shape: UInt32(clamping: packets)
      }
    return UInt64(max(packet, 1))
  }

  /// The packet of the flow from which on the evidence that had arrived pointed to the final tag; shape counts as of
  /// its last packet.
  func decision(of verdict: borrowing Verdict, packets: UInt64) -> UInt64 {
    guard !verdict.evidence.isEmpty else { return 1 }
    var bits = [4 of Double](repeating: 0)
    var decided: UInt64 = 1
    var stands = verdict.tag == .other
    var arrived: UInt64 = 0
    while true {
      var next = UInt64.max
      for row in verdict.evidence where packet(of: row.source, packets) > arrived {
        next = min(next, packet(of: row.source, packets))
      }
      guard next != .max else { return decided }
      arrived = next
      for row in verdict.evidence where packet(of: row.source, packets) == arrived { bits[row.tag.index] += row.bits }
      let best = bits.indices.max { bits[$0] < bits[$1] } ?? Tag.other.index
      let points = bits[best] > 0 ? best : Tag.other.index
      if points == verdict.tag.index, !stands { decided = arrived }
      stands = points == verdict.tag.index
    }
  }
}

extension Tag {
  /// The tag's place in a table of all tags.
  var index: Int {
    switch self {
    case .push: 0
    case .messaging: 1
    case .calling: 2
    case .other: 3
    }
  }
}
