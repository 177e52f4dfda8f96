import Bytes
import Decode
import Engine
import Protocols
import Report

/// A flow as boxes see it, packet by packet.
struct FlowView {
  /// Payloads of a client that are looked at byte by byte.
  static let lookedAtPayloads = 2

  /// What there is to see so far.
  private(set) var sight = FlowSight()
  /// The first packet with payload, from either side; 0 for none yet.
  private(set) var firstPayloadAt = 0
  private var up = RecordPlace(), down = RecordPlace()
  private var nameInFirstPiece: String?
  private var firstPieceAt = 0
  private var fragments = 1
  private var hasFirstFragment = false
  /// Whether the end with the lower port opened it.
  private let isTurned: Bool

  /// A view of a flow at its first packet, before `see` takes it.
  init(_ visit: PacketVisit, _ payload: borrowing RawSpan) {
    isTurned = visit.side == .server && Self.beginsQUIC(payload, visit)
    let (client, server) = isTurned ? (visit.server, visit.client) : (visit.client, visit.server)
    sight.id = visit.flow
    (sight.client, sight.clientPort) = (client.address, client.port)
    (sight.server, sight.serverPort) = (server.address, server.port)
    sight.transport = visit.transport
    (sight.start, sight.end) = (visit.time, visit.time)
    sight.hasBeginning = visit.transport != .tcp || visit.flags.contains(.syn)
  }

  /// Whether a flow's first datagram is a client's: RFC 9000, section 14.1 has it padded to 1,200 bytes. Ports alone cannot
  /// tell, and here the client's is the lower.
  private static func beginsQUIC(_ payload: borrowing RawSpan, _ visit: PacketVisit) -> Bool {
    visit.transport == .udp && visit.payloadLength >= 1_200 && payload.holds(5, at: 0) && payload.u8(0) & 0xc0 == 0xc0
  }

  /// Takes a packet.
  mutating func see(_ visit: PacketVisit, _ payload: borrowing RawSpan) -> TracePacket {
    sight.packets &+= UInt64(clamping: visit.fragments)
    sight.bytes &+= UInt64(clamping: visit.wireLength)
    sight.end = max(sight.end, visit.time)
    var packet = TracePacket()
    packet.time = visit.time
    packet.wire = Int32(clamping: visit.wireLength)
    packet.payload = Int32(clamping: visit.payloadLength)
    packet.ordinal = UInt32(clamping: visit.ordinal)
    packet.isUp = (visit.side == .client) != isTurned
    if visit.flags.contains(.syn), !visit.flags.contains(.ack) { packet.marks.insert(.syn) }
    if visit.flags.contains(.rst) { packet.marks.insert(.reset) }
    if visit.isFirstFragment {
      hasFirstFragment = true
    } else if visit.payloadLength > 0 {
      if firstPayloadAt == 0 { firstPayloadAt = Int(packet.ordinal) }
      look(at: payload, visit, isUp: packet.isUp)
      if visit.transport == .tcp { follow(payload, visit, &packet) }
    }
    return packet
  }

  private mutating func look(at payload: borrowing RawSpan, _ visit: PacketVisit, isUp: Bool) {
    fragments = max(fragments, visit.fragments &+ (hasFirstFragment ? 1 : 0))
    hasFirstFragment = false
    guard isUp, sight.payloads.count < Self.lookedAtPayloads else { return }
    let isFirst = sight.payloads.isEmpty
    let at = Int(clamping: visit.ordinal)
    let isDatagram = visit.transport == .udp
    let first = FirstPayload(payload, length: visit.payloadLength, at: at, isDatagram: isDatagram)
    sight.payloads.append(first)
    guard isFirst else { return }
    if isDatagram {
      // RFC 9000, section 17.2: the long header's first bit, then the version.
      if payload.holds(5, at: 0), payload.u8(0) & 0x80 != 0 { sight.quicVersion = payload.u32(1) }
    } else if first.beginning == .tls {
      (nameInFirstPiece, firstPieceAt) = (PartialHello.serverName(in: payload), at)
    }
  }

  private mutating func follow(_ payload: borrowing RawSpan, _ visit: PacketVisit, _ packet: inout TracePacket) {
    let found =
      packet.isUp
      ? up.follow(payload, sequence: visit.sequence, length: visit.payloadLength)
      : down.follow(payload, sequence: visit.sequence, length: visit.payloadLength)
    if found.isCopy { packet.marks.insert(.copy) }
    packet.record = found.record
    if found.isLeading { packet.marks.insert(.leadingRecord) }
  }

  /// Takes the names that a DNS message asks for.
  /// - Returns: whether one was new.
  mutating func takeQuestions(_ message: borrowing RawSpan) -> Bool {
    var facts = FlowFacts()
    facts.dnsQuestions = sight.dnsQuestions
    var resolution = NameResolution()
    guard resolution.take(message, into: &facts), facts.dnsQuestions.count > sight.dnsQuestions.count else {
      return false
    }
    sight.dnsQuestions = facts.dnsQuestions
    return true
  }

  /// Takes what the analysis says of it.
  mutating func take(_ event: FlowEvent) {
    sight.take(event)
    guard sight.hello != nil else { return }
    sight.hello?.nameInFirstPiece = nameInFirstPiece
    sight.hello?.firstPieceAt = firstPieceAt
    sight.hello?.fragments = fragments
  }
}
