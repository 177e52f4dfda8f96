public import Bytes

/// How far a TCP or UDP conversation has come.
@frozen public enum FlowState: UInt8, Sendable {
  /// One side only was heard, or the handshake is under way.
  case new
  /// Both sides were heard.
  case established
  /// TCP: reset, or closed by both sides.
  case closed
}

/// How far the engine is with a flow's payload.
@frozen public enum PayloadStage: UInt8, Sendable {
  /// No payload was looked at yet.
  case untouched
  /// A session reads it.
  case reading
  /// Nothing more is wanted: only counters and shape go on.
  case done
}

/// What one side of a flow sent.
@frozen public struct FlowDirection: Sendable {
  /// Bytes on the wire, link layer included.
  public var bytes: UInt64 = 0
  /// Packets.
  public var packets: UInt32 = 0
  /// A side that was not heard yet.
  @inlinable public init() {}
}

/// Yes-or-no facts of a flow.
@frozen public struct FlowMarks: OptionSet, Sendable {
  /// The bits.
  public var rawValue: UInt8
  /// Marks by their bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
  static var clientIsA: FlowMarks { FlowMarks(rawValue: 1) }
  static var openerKnown: FlowMarks { FlowMarks(rawValue: 2) }
  static var reset: FlowMarks { FlowMarks(rawValue: 4) }
  static var finFromA: FlowMarks { FlowMarks(rawValue: 8) }
  static var finFromB: FlowMarks { FlowMarks(rawValue: 16) }
  /// The first bytes of the client's payload are kept, where nothing reads the flow.
  public static var hasClientBytes: FlowMarks { FlowMarks(rawValue: 32) }
  /// The same of the server's.
  public static var hasServerBytes: FlowMarks { FlowMarks(rawValue: 64) }
}

/// What every packet of a flow touches: plain data of two cache lines. Sizes and times of its first packets, and what
/// TCP remembers, lie in slabs of their own that few packets reach; strings and buffers hang off `session`.
@frozen public struct FlowRecord: Sendable, BitwiseCopyable {
  /// Who talks to whom; `isFromA` is the first packet's.
  public var key = FlowKey()
  /// How far the conversation has come.
  public var state = FlowState.new
  /// How far the engine is with the payload.
  public var stage = PayloadStage.untouched
  /// Nanoseconds since 1970 of the last packet.
  public var lastSeen: Int64 = 0
  /// The side with the smaller address.
  public var a = FlowDirection()
  /// Index + 1 of the engine's session; 0 for none.
  public var session: UInt32 = 0
  /// The other side.
  public var b = FlowDirection()
  /// Index + 1 of the first packets' sizes and times; 0 before the first payload.
  var first: UInt32 = 0
  /// Nanoseconds since 1970 of the first packet.
  public var start: Int64 = 0
  /// The flow's number in 40 bits, the capture's in 24.
  private var numbers: UInt64 = 0
  /// Neighbours in the timer wheel's slot: index + 1, 0 for none.
  var timerNext: UInt32 = 0
  var timerPrevious: UInt32 = 0
  /// TCP: index + 1 of the stream's meter.
  var stream: UInt32 = 0
  var timerSlot: UInt16 = .max
  /// The decoder's number of the program that sent or received its packets; 0 where none is named.
  public var process: UInt16 = 0
  /// Who opened it and how it ended.
  public var marks: FlowMarks = []
  /// TCP: TLS records still to be measured; 0 once enough were or none was found. UDP: packets that are still looked at
  /// for media, though the payload was read to its end.
  public var watch: UInt8 = 0

  /// A record of nothing.
  @inlinable public init() {}

  /// The most flows and captures that are told apart by number.
  static let maximumID: UInt64 = 1 << 40 - 1, maximumCapture = 1 << 24 - 1

  /// Number of the flow in this run, from 1.
  public var id: UInt64 { numbers & Self.maximumID }
  /// Number of the capture in this run that the flow began in.
  public var capture: Int { Int(truncatingIfNeeded: numbers >> 40) }

  mutating func number(_ id: UInt64, capture: Int) {
    numbers = id & Self.maximumID | UInt64(clamping: min(capture, Self.maximumCapture)) << 40
  }

  /// Whether side `a` opened the flow.
  public var isClientA: Bool { marks.contains(.clientIsA) }
  /// Whether a SYN or its answer told which side opened the flow; otherwise the first packet's sender counts.
  public var isOpenerKnown: Bool { marks.contains(.openerKnown) }
  /// TCP: a reset was seen.
  public var hasReset: Bool { marks.contains(.reset) }
  /// The opener's side.
  public var client: FlowDirection { isClientA ? a : b }
  /// The other side.
  public var server: FlowDirection { isClientA ? b : a }
  /// All packets of the flow.
  public var packets: UInt64 { UInt64(a.packets) &+ UInt64(b.packets) }
  /// The opener's address.
  public var clientAddress: IPAddress { isClientA ? key.a : key.b }
  /// The other side's address.
  public var serverAddress: IPAddress { isClientA ? key.b : key.a }
  /// The opener's port.
  public var clientPort: UInt16 { UInt16(truncatingIfNeeded: isClientA ? key.ports >> 16 : key.ports) }
  /// The other side's port.
  public var serverPort: UInt16 { UInt16(truncatingIfNeeded: isClientA ? key.ports : key.ports >> 16) }
}
