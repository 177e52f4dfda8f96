public import Bytes
public import Classify
public import Decode
public import Flows
public import Protocols

// Report may hold: every output format, and the values they print. It never computes a verdict.

/// Why a flow ended.
public enum EndReason: String, Sendable, CaseIterable {
  case fin, rst, timeout, evicted
  case endOfCapture = "end_of_capture"
}

/// A flow as it is reported: one `flow` object of the record format.
public struct FlowEvent: Sendable {
  /// Number of the flow in this run, from 1, in the order of first packets.
  public var id: UInt64 = 0
  /// Name of the capture, where a run reads several.
  public var capture: String?
  /// The side that opened the flow, and the other.
  public var source = IPAddress(high: 0, low: 0), destination = IPAddress(high: 0, low: 0)
  /// Their ports.
  public var sourcePort: UInt16 = 0, destinationPort: UInt16 = 0
  /// TCP or UDP.
  public var transport = TransportProtocol.tcp
  /// VLAN tags and tunnels.
  public var scope = FlowScope()
  /// Nanoseconds since 1970 of the first and the last packet.
  public var start: Int64 = 0, end: Int64 = 0
  /// Packets to the server and to the client.
  public var packetsToServer: UInt64 = 0, packetsToClient: UInt64 = 0
  /// Bytes on the wire to the server and to the client, link layer included.
  public var bytesToServer: UInt64 = 0, bytesToClient: UInt64 = 0
  /// Why it ended.
  public var reason = EndReason.endOfCapture
  /// "new", "established" or "closed", as in Suricata's EVE.
  public var state = "new"
  /// What the payload said.
  public var facts = FlowFacts()
  /// Names that this client's DNS look-ups gave to the server's address.
  public var names: [String] = []
  /// The verdict.
  public var verdict = Verdict(tag: .other, confidence: 0)
  /// The packet of the flow, counted from 1, at which the final tag stood.
  public var decidedAtPacket: UInt64 = 0
  /// The packets of the flow, counted from 1, at which its protocol, its ClientHello and its HTTP request were known; 0 for
  /// never.
  public var applicationAtPacket: UInt64 = 0, helloAtPacket: UInt64 = 0, requestAtPacket: UInt64 = 0
  /// Whether the decision was delivered while the flow went on.
  public var wasAnnounced = false
  /// Sizes and times of its packets, where they were asked for (`AnalyzerOptions.wantsShape`).
  public var shape: ShapeMeter {
    get { shapes.first ?? ShapeMeter() }
    set { shapes = [newValue] }
  }
  /// The shape, or nothing: an event is passed on several times, and few have one.
  private var shapes: [ShapeMeter] = []
  /// The conversation that it belongs to: a number of the run, from 1.
  public var conversation: UInt64?
  /// What its media are, where signalling said so or rate and sizes are clear: "audio", "video".
  public var media: [String] = []
  /// The process or app that sent or received it, where the capture names it.
  public var process: String?
  /// Notes on how the flow was seen.
  public var notes: [String] = []
  /// A flow of nothing.
  public init() {}
}

/// One packet, with the tag that its flow ended with.
public struct PacketEvent: Sendable {
  /// Its number in the run, from 1.
  public var number: UInt64 = 0
  /// Nanoseconds since 1970.
  public var timestamp: Int64 = 0
  /// Its flow.
  public var flowID: UInt64 = 0
  /// Whether it went to the server.
  public var isToServer = true
  /// Bytes on the wire, and of them transport payload.
  public var wireLength: UInt32 = 0, payloadLength: UInt32 = 0
  /// Name of the capture, where a run reads several.
  public var capture: String?
  /// The tag of the flow.
  public var tag = Tag.other
  /// The service of the flow.
  public var service: String?
  /// A packet of nothing.
  public init() {}
}

/// What a run saw: the `stats` object that closes the stream.
public struct StatsEvent: Sendable {
  /// Packets read, and their bytes on the wire.
  public var packets: UInt64 = 0, bytes: UInt64 = 0
  /// Packets whose captured length is shorter than on the wire.
  public var truncatedPackets: UInt64 = 0
  /// Flows reported, by tag.
  public var flows: [Tag: UInt64] = [:]
  /// Packets without TCP or UDP, by what they were.
  public var packetsWithoutFlow: [String: UInt64] = [:]
  /// Decode errors by kind: "ipv4 truncated".
  public var decodeErrors: [String: UInt64] = [:]
  /// What a cap cost, by the cap's name: "flows evicted". Absent where 0.
  public var limits: [String: UInt64] = [:]
  /// Live capture: packets that the kernel or the interface dropped.
  public var dropped: UInt64?, droppedByInterface: UInt64?
  /// First and last packet, nanoseconds since 1970.
  public var start: Int64 = 0, end: Int64 = 0
  /// Stats of nothing.
  public init() {}
}

extension FlowEvent {
  /// Whether it carries a call's media, or the checks and handshakes before them.
  public var isMedia: Bool {
    facts.rtp != nil || facts.stun != nil || facts.dtls?.srtpProfiles.isEmpty == false
      || transport == .udp && verdict.tag == .calling && facts.call == nil
  }

  /// Whether names or addresses say that the other end is a service's, not a person's.
  public var isToKnownServer: Bool {
    verdict.evidence.contains { row in
      row.service != nil && [.address, .dns, .sni, .certificate].contains(row.source) && row.bits > 0
    }
  }
}
