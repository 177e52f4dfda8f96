public import Truth

/// A packet of a flow, in 32 bytes.
public struct TracePacket: Sendable {
  /// Nanoseconds since 1970.
  public var time: Int64 = 0
  /// Its flow: an index into `Trace.flows`.
  public var flow: Int32 = 0
  /// Bytes on the wire with the link layer, and of payload.
  public var wire: Int32 = 0, payload: Int32 = 0
  /// Number in the flow, from 1.
  public var ordinal: UInt32 = 0
  /// Length field of the first TLS record of application data that begins in it; 0 for none.
  public var record: UInt16 = 0
  /// Bits of the learnt rules that flag a record in it: one a `ModelTest` of the run.
  public var models: UInt8 = 0
  /// Whether it went to the server.
  public var isUp = false
  /// What else there is to say.
  public var marks: Marks = []
  /// A packet of nothing.
  public init() {}

  /// What else there is to say of a packet.
  public struct Marks: OptionSet, Sendable {
    /// The bits.
    public let rawValue: UInt8
    /// Marks by their bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// TCP: SYN without ACK; RST.
    public static let syn = Marks(rawValue: 1), reset = Marks(rawValue: 2)
    /// The record begins where the payload does.
    public static let leadingRecord = Marks(rawValue: 4)
    /// It repeats sequence numbers that were seen.
    public static let copy = Marks(rawValue: 8)
  }
}

/// A message that truth knows, and the record that holds it.
public struct TraceMessage: Sendable {
  /// When its last byte was seen; nanoseconds since 1970.
  public var time: Int64 = 0
  /// Its flow: an index into `Trace.flows`.
  public var flow: Int32 = 0
  /// Bytes of the record with its header.
  public var size: Int32 = 0
  /// Whether it went to the server.
  public var isUp = false
  /// Whether it is what a person or a server wants shown, and no ack, receipt or typing.
  public var isContent = false
  /// Class and kind: "imessage", "imessage.text".
  public var messageClass = "", kind = ""
  /// The app that it is for; "" where that is not known.
  public var topic = ""
  /// How it is known.
  public var source = LabelSource.none
  /// A message of nothing.
  public init() {}
}

/// One capture as a censor's box would have met it.
public struct Trace: Sendable {
  /// The most packets that are kept; further ones are counted in `packetsNotKept`.
  public static let maximumPackets = 40_000_000

  /// Name of the capture.
  public var name = ""
  /// All flows, by their first packets.
  public var flows: [FlowSight] = []
  /// All packets, by time.
  public var packets: [TracePacket] = []
  /// All messages, by time.
  public var messages: [TraceMessage] = []
  /// What the cap cost.
  public var packetsNotKept = 0
  /// Records of its flows whose content could be followed, for learnt rules.
  var records: [TraceRecord] = []
  /// Whether rules can be learnt from it.
  public var canTeach: Bool { !records.isEmpty && !messages.isEmpty }
  /// A trace of nothing.
  public init() {}
}

/// A record of the labelled traffic, as learnt rules need it.
struct TraceRecord: Sendable {
  /// Its index in the traffic's records.
  var number: Int
  /// Its flow: an index into `Trace.flows`.
  var flow: Int32
  /// When its last byte was seen; nanoseconds since 1970.
  var time: Int64
  /// Whether it went to the server.
  var isUp: Bool
}

extension Trace {
  /// The packet with payload of a flow and direction at a time: an index into `packets`.
  func packet(of flow: Int32, isUp: Bool, at time: Int64) -> Int? {
    var low = 0
    var high = packets.count
    while low < high {
      let middle = (low + high) / 2
      if packets[middle].time < time { low = middle + 1 } else { high = middle }
    }
    while low < packets.count, packets[low].time == time {
      if packets[low].flow == flow, packets[low].isUp == isUp, packets[low].payload > 0 { return low }
      low += 1
    }
    return nil
  }
}
