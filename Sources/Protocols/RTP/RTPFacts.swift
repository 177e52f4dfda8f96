/// What RTP and RTCP headers of a flow say; SRTP's headers are the same.
public struct RTPFacts: Sendable, Equatable {
  /// One sender's stream.
  public struct Stream: Sendable, Equatable {
    /// The synchronization source (RFC 3550, section 3).
    public var ssrc: UInt32
    /// The payload type of its first packet.
    public var payloadType: UInt8
    /// The side that sends it.
    public var side: FlowSide
    /// Packets of it that were read.
    public var packets: UInt32
    /// Bytes of these packets, headers included.
    public var bytes: UInt64 = 0
    /// Ticks of its time stamps in a second, where they keep to a usual clock: 8000, 48000, 90000, ...
    public var clockRate: UInt32?
    /// Whether several large packets had one time stamp, as those of a video frame do.
    public var sharesTimestamps = false
    /// A stream.
    public init(ssrc: UInt32, payloadType: UInt8, side: FlowSide, packets: UInt32 = 1) {
      self.ssrc = ssrc
      self.payloadType = payloadType
      self.side = side
      self.packets = packets
    }
  }
  /// Streams in order of appearance; at most `RTPFacts.maximumStreams`.
  public var streams: [Stream] = []
  /// Whether RTCP was seen.
  public var hasRTCP = false
  /// The header extension's profile (RFC 8285: 0xBEDE), where one was seen.
  public var extensionProfile: UInt16?
  /// What was in front of the RTP header: nil for nothing, "zoom", "turn", ...
  public var encapsulation: String?
  /// The most streams that are kept.
  public static let maximumStreams = 8
  /// Facts of nothing.
  public init() {}
}
