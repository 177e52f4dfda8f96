import Bytes
import Classify
import Decode
import Engine
import Protocols
import Report
import Truth

/// Notes of each packet and flow what boxes can see. Used from one thread.
final class TraceCollector: TrafficObserver {
  /// Payloads of a client that are looked at byte by byte.
  static let lookedAtPayloads = 2

  private(set) var packets: [TracePacket] = []
  private(set) var flows: [FlowSight] = []
  private(set) var packetsNotKept = 0
  private var streams: [StreamPlace] = []
  private var isSorted = true

  /// Packets by time.
  func sortedPackets() -> [TracePacket] {
    // Stable, so that packets of one moment keep the capture's order.
    isSorted ? packets : packets.enumerated().sorted { ($0.1.time, $0.0) < ($1.1.time, $1.0) }.map(\.element)
  }

  func visit(_ visit: PacketVisit, _ payload: RawSpan) {
    guard let index = place(of: visit, payload) else { return }
    flows[index].packets &+= UInt64(visit.fragments)
    flows[index].bytes &+= UInt64(visit.wireLength)
    flows[index].end = max(flows[index].end, visit.time)
    var packet = TracePacket()
    packet.time = visit.time
    packet.flow = Int32(truncatingIfNeeded: index)
    packet.wire = Int32(clamping: visit.wireLength)
    packet.payload = Int32(clamping: visit.payloadLength)
    packet.ordinal = UInt32(clamping: visit.ordinal)
    packet.isUp = (visit.side == .client) != streams[index].isTurned
    if visit.flags.contains(.syn), !visit.flags.contains(.ack) { packet.marks.insert(.syn) }
    if visit.flags.contains(.rst) { packet.marks.insert(.reset) }
    if visit.isFirstFragment {
      streams[index].hasFirstFragment = true
    } else if visit.payloadLength > 0 {
      look(at: payload, visit, index, isUp: packet.isUp)
      if visit.transport == .tcp { follow(payload, visit, index, &packet) }
    }
    guard packets.count < Trace.maximumPackets else {
      packetsNotKept += 1
      return
    }
    if let last = packets.last, last.time > packet.time { isSorted = false }
    packets.append(packet)
  }

  func ended(_ event: FlowEvent) {
    guard event.id > 0, event.id <= UInt64(flows.count) else { return }
    flows[Int(event.id) - 1].take(event)
  }

  /// Flows are numbered by their first packets.
  private func place(of visit: PacketVisit, _ payload: RawSpan) -> Int? {
    guard visit.flow > 0, visit.flow <= UInt64(Int32.max) else { return nil }
    let index = Int(visit.flow) - 1
    while flows.count <= index {
      flows.append(FlowSight())
      streams.append(StreamPlace())
    }
    if flows[index].id == 0 {
      flows[index].id = visit.flow
      let isTurned = visit.side == .server && Self.beginsQUIC(payload, visit)
      streams[index].isTurned = isTurned
      let (client, server) = isTurned ? (visit.server, visit.client) : (visit.client, visit.server)
      (flows[index].client, flows[index].clientPort) = (client.address, client.port)
      (flows[index].server, flows[index].serverPort) = (server.address, server.port)
      flows[index].transport = visit.transport
      (flows[index].start, flows[index].end) = (visit.time, visit.time)
      flows[index].hasBeginning = visit.transport != .tcp || visit.flags.contains(.syn)
    }
    return index
  }

  /// Whether a flow's first datagram is a client's: RFC 9000, section 14.1 has it padded to 1,200 bytes. Ports alone cannot
  /// tell, and here the client's is the lower.
  private static func beginsQUIC(_ payload: RawSpan, _ visit: PacketVisit) -> Bool {
    visit.transport == .udp && visit.payloadLength >= 1_200 && payload.holds(5, at: 0) && payload.u8(0) & 0xc0 == 0xc0
  }

  private func look(at payload: RawSpan, _ visit: PacketVisit, _ index: Int, isUp: Bool) {
    let fragments = visit.fragments + (streams[index].hasFirstFragment ? 1 : 0)
    streams[index].hasFirstFragment = false
    streams[index].fragments = max(streams[index].fragments, fragments)
    guard isUp, flows[index].payloads.count < Self.lookedAtPayloads else { return }
    let isFirst = flows[index].payloads.isEmpty
    let at = Int(clamping: visit.ordinal)
    let isDatagram = visit.transport == .udp
    let first = FirstPayload(payload, length: visit.payloadLength, at: at, isDatagram: isDatagram)
    flows[index].payloads.append(first)
    guard isFirst else { return }
    if isDatagram {
      // RFC 9000, section 17.2: the long header's first bit, then the version.
      if payload.holds(5, at: 0), payload.u8(0) & 0x80 != 0 { flows[index].quicVersion = payload.u32(1) }
    } else if first.beginning == .tls {
      (streams[index].nameInFirstPiece, streams[index].firstPieceAt) = (PartialHello.serverName(in: payload), at)
    }
  }

  private func follow(_ payload: RawSpan, _ visit: PacketVisit, _ index: Int, _ packet: inout TracePacket) {
    let isUp = packet.isUp
    var side = isUp ? streams[index].up : streams[index].down
    let found = side.follow(payload, sequence: visit.sequence, length: visit.payloadLength)
    if isUp { streams[index].up = side } else { streams[index].down = side }
    if found.isCopy { packet.marks.insert(.copy) }
    packet.record = found.record
    if found.isLeading { packet.marks.insert(.leadingRecord) }
  }

  /// What is kept of a flow while it lasts.
  private struct StreamPlace {
    var up = RecordPlace(), down = RecordPlace()
    var nameInFirstPiece: String?
    var firstPieceAt = 0
    var fragments = 1
    var hasFirstFragment = false
    /// Whether the end with the lower port opened it.
    var isTurned = false
  }

  /// The flows, with what only the packets showed of their hellos.
  func wholeFlows() -> [FlowSight] {
    for index in flows.indices where flows[index].hello != nil {
      flows[index].hello?.nameInFirstPiece = streams[index].nameInFirstPiece
      flows[index].hello?.firstPieceAt = streams[index].firstPieceAt
      flows[index].hello?.fragments = streams[index].fragments
    }
    return flows
  }
}

extension FlowSight {
  /// Takes what the end of a flow says of it.
  mutating func take(_ event: FlowEvent) {
    (tag, service) = (event.verdict.tag, event.verdict.service)
    verdictAt = Int(clamping: max(1, event.decidedAtPacket))
    carries = event.verdict.carries
    conversation = event.conversation
    application = event.facts.application?.rawValue
    applicationAt = Int(clamping: event.applicationAtPacket)
    dnsQuestions = event.facts.dnsQuestions
    learntNames = event.names
    httpHost = event.facts.http?.host
    httpAt = Int(clamping: event.requestAtPacket)
    guard let tls = event.facts.tls, event.helloAtPacket > 0 else { return }
    var hello = HelloSight()
    hello.carrier = event.facts.quic != nil ? .quic : event.facts.dtls != nil ? .dtls : .tcp
    hello.serverName = tls.serverName
    hello.alpn = tls.alpn
    (hello.ja3, hello.ja4) = (tls.ja3, tls.ja4)
    hello.hasEncryptedServerName = tls.hasEncryptedServerName
    hello.hasEncryptedClientHello = tls.hasEncryptedClientHello && !tls.hasEncryptedServerName
    hello.at = Int(clamping: event.helloAtPacket)
    hello.segments = max(1, Int(event.facts.helloSegments))
    hello.records = max(1, Int(event.facts.helloRecords))
    if let quic = event.facts.quic {
      hello.datagrams = max(1, Int(quic.helloDatagrams))
      hello.frames = max(1, Int(quic.helloFrames))
    }
    self.hello = hello
  }
}
