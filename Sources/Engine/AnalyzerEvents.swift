public import Bytes
public import Classify
public import Decode
public import Flows
public import Protocols
public import Report

/// What an analysis may use and must deliver.
public struct AnalyzerOptions: Sendable {
  /// The most flows that are open at a time; beyond it the longest idle one is evicted and counted.
  public var maximumFlows = 1_000_000
  /// Bytes that the whole run should not exceed; nil for no limit but those of the parts. Less than
  /// `memoryBesidesFlows` leaves no room for flows.
  public var maximumMemory: Int?
  /// The most packets that are read; nil for all.
  public var maximumPackets: UInt64?
  /// Threads that the analysis may use: with 2 and more, reading, flows and verdicts each have their own. The result is
  /// the same. Payloads, visits, decisions and packets are only delivered by one.
  public var jobs = 1
  /// How long silence ends a flow.
  public var timeouts = FlowTimeouts()
  /// Whether every packet is to be reported.
  public var wantsPackets = false
  /// Whether flow events are to carry the shape of their flows.
  public var wantsShape = true
  /// Whether JA3, JA3S and JA4 are to be computed: they cost more than all the rest of a hello.
  public var wantsFingerprints = true
  /// What sizes and times say; nil to leave shape out.
  public var shapeModel: ShapeModel?
  /// Whether verdicts rest on shape alone, lengths of TLS records among it: no content, name, address or port counts.
  public var isBlind = false
  /// Options of a plain run.
  public init() {}
}

/// A packet's payload and where it belongs.
public struct PayloadEvent: Sendable {
  /// Its flow's number in the run.
  public var flow: UInt64
  /// Nanoseconds since 1970.
  public var time: Int64
  /// Who sent it; where nobody knows who opened the flow, the end with the lower port counts as the server.
  public var side: FlowSide
  /// Whether it went to the end that flow events call the destination.
  public var isToDestination: Bool
  /// TCP or UDP.
  public var transport: TransportProtocol
  /// TCP: the sequence number of the payload's first byte.
  public var sequence: UInt32
  /// TCP: the sequence number of the side's first byte, where the SYN was seen.
  public var start: UInt32?
  /// Bytes on the wire, of which the capture may hold fewer.
  public var length: Int
}

/// A packet and where it belongs.
public struct PacketVisit: Sendable {
  /// Its flow's number in the run.
  public var flow: UInt64
  /// Its number in the flow, from 1.
  public var ordinal: UInt64
  /// Nanoseconds since 1970.
  public var time: Int64
  /// Who sent it; where nobody knows who opened the flow, the end with the lower port counts as the server.
  public var side: FlowSide
  /// TCP or UDP.
  public var transport: TransportProtocol
  /// TCP flags.
  public var flags: TCPFlags
  /// TCP: the sequence number of the payload's first byte.
  public var sequence: UInt32
  /// Bytes on the wire with the link layer, and of payload.
  public var wireLength: Int, payloadLength: Int
  /// IP fragments that it stands for and that were no visits before; 1 for none.
  public var fragments: Int
  /// Whether it is the first piece of a fragmented datagram, which comes again when it is whole.
  public var isFirstFragment: Bool
  /// The flow's ends.
  public var client: Endpoint, server: Endpoint
}

/// Where an analysis delivers what it finds. Called on the analysing thread, in the order of the packets.
public struct AnalyzerEvents {
  /// A flow has ended; its verdict is final.
  public var flowEnded: (FlowEvent) -> Void
  /// Asked about every flow that has ended: returning false spares it `flowEnded`, and the analysis most of what a
  /// flow's report costs. Nil to have all.
  public var wantsFlow: ((FlowCount) -> Bool)?
  /// A flow's verdict is decided; the flow goes on.
  public var flowDecided: ((FlowEvent) -> Void)?
  /// The last flow of a call has ended.
  public var conversationEnded: ((ConversationEvent) -> Void)?
  /// A packet of a flow, tag not yet known. Called only with `AnalyzerOptions.wantsPackets`.
  public var packet: ((PacketEvent) -> Void)?
  /// Payload of a packet, borrowed for the call, as its flow's packets come: neither in the stream's order nor once
  /// only. What the receiver makes of it reaches no verdict.
  public var payload: ((PayloadEvent, RawSpan) -> Void)?
  /// Every packet of a flow, with its payload, borrowed for the call; empty for one without, and for the first piece of a
  /// fragmented datagram.
  public var visit: ((PacketVisit, RawSpan) -> Void)?
  /// Asked once a batch of packets, and while a live source is idle: returning false ends the run as if the source had
  /// ended (SIGINT, `--duration`). Takes the number of packets so far and the last one's time.
  public var proceed: ((_ packets: UInt64, _ time: Int64) -> Bool)?
  /// Events for a receiver of flows.
  public init(flowEnded: @escaping (FlowEvent) -> Void) { self.flowEnded = flowEnded }
}
