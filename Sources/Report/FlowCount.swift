public import Classify
public import Decode
public import Protocols

/// What a flow adds to sums: no more of it than can be had without making its texts.
public struct FlowCount: Sendable {
  /// Number of the flow in this run, from 1.
  public var id: UInt64
  /// Its tag.
  public var tag: Tag
  /// The service, where the evidence names one, and its number in the classifier's catalogue, -1 where that is not known.
  public var service: String?, serviceNumber: Int32
  /// Whether the connection carries another tag's service as well.
  public var isSharedFate: Bool
  /// What the payload is, once that is known.
  public var application: ApplicationProtocol?
  /// TCP or UDP.
  public var transport: TransportProtocol
  /// Packets and bytes of both directions.
  public var packets: UInt64, bytes: UInt64
  /// Nanoseconds since 1970 of the first and the last packet.
  public var start: Int64, end: Int64

  /// A flow's count.
  public init(
    id: UInt64, tag: Tag, service: String?, serviceNumber: Int32 = -1, isSharedFate: Bool,
    application: ApplicationProtocol?, transport: TransportProtocol, packets: UInt64, bytes: UInt64, start: Int64,
    end: Int64
  ) {
    self.id = id
    self.tag = tag
    self.service = service
    self.serviceNumber = serviceNumber
    self.isSharedFate = isSharedFate
    self.application = application
    self.transport = transport
    self.packets = packets
    self.bytes = bytes
    self.start = start
    self.end = end
  }

  /// The count of a flow that is known in full.
  public init(_ flow: borrowing FlowEvent) {
    self.init(
      id: flow.id, tag: flow.verdict.tag, service: flow.verdict.service, isSharedFate: flow.verdict.isSharedFate,
      application: flow.facts.application, transport: flow.transport, packets: flow.packets, bytes: flow.bytes,
      start: flow.start, end: flow.end)
  }
}
