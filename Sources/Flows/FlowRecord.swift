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

/// One side of a flow, as far as every packet changes it.
@frozen public struct FlowDirection: Sendable {
  /// Bytes on the wire, link layer included.
  public var bytes: UInt64 = 0
  /// Packets.
  public var packets: UInt32 = 0
  /// TCP: the sequence number that the record meter expects next, where `isSequenceKnown`.
  public var nextSequence: UInt32 = 0
  /// TCP: the sequence number of the stream's first byte, where `isStartKnown`.
  public var startSequence: UInt32 = 0
  /// TLS record meter: bytes of the current record still to come.
  public var recordRemaining: UInt16 = 0
  /// TLS record meter: bytes of a split record header, and how many.
  public var recordHeader: UInt32 = 0, recordHeaderCount: UInt8 = 0
  /// TCP: FIN was seen.
  public var hasFIN = false
  /// TCP: `nextSequence` is valid.
  public var isSequenceKnown = false
  /// TCP: `startSequence` is valid.
  public var isStartKnown = false
  /// A side that was not heard yet.
  @inlinable public init() {}
}

/// What every packet of a flow touches. Plain data in one slab; strings and buffers hang off `session`.
@frozen public struct FlowRecord: Sendable {
  /// Who talks to whom; `isFromA` is the first packet's.
  public var key = FlowKey()
  /// Nanoseconds since 1970 of the last packet.
  public var lastSeen: Int64 = 0
  /// Index + 1 of the engine's session; 0 for none.
  public var session: UInt32 = 0
  /// How far the conversation has come.
  public var state = FlowState.new
  /// How far the engine is with the payload.
  public var stage = PayloadStage.untouched
  /// Whether side `a` opened the flow.
  public var isClientA = false
  /// Whether a SYN or its answer told which side opened the flow; otherwise the first packet's sender counts.
  public var isOpenerKnown = false
  /// TCP: a reset was seen.
  public var hasReset = false
  /// TLS records still to be measured; 0 once enough were or none was found.
  public var recordBudget: UInt8 = 0
  /// UDP: packets that are still looked at for media, though the payload was read to its end.
  public var mediaWatch: UInt8 = 0
  /// Packets with payload that may still pass before the record meter gives up finding a record.
  public var recordPatience: UInt8 = 8
  /// Neighbours in the timer wheel's slot: index + 1, 0 for none.
  var timerNext: UInt32 = 0
  var timerPrevious: UInt32 = 0
  var timerSlot: UInt32 = .max
  /// Both sides.
  public var a = FlowDirection(), b = FlowDirection()
  /// Nanoseconds since 1970 of the first packet.
  public var start: Int64 = 0
  /// Nanoseconds since 1970 of the last packet with payload; 0 for none.
  public var lastPayload: Int64 = 0
  /// Number of the flow in this run, from 1.
  public var id: UInt64 = 0
  /// Number of the capture in this run that the flow began in.
  public var capture: UInt32 = 0
  /// The decoder's number of the program that sent or received its packets; 0 where none is named.
  public var process: UInt16 = 0
  /// The shape so far.
  public var shape = ShapeMeter()

  /// A record of nothing.
  @inlinable public init() {}

  /// The opener's side.
  @inlinable public var client: FlowDirection { isClientA ? a : b }
  /// The other side.
  @inlinable public var server: FlowDirection { isClientA ? b : a }
  /// All packets of the flow.
  @inlinable public var packets: UInt64 { UInt64(a.packets) &+ UInt64(b.packets) }
  /// The opener's address.
  public var clientAddress: IPAddress { isClientA ? key.a : key.b }
  /// The other side's address.
  public var serverAddress: IPAddress { isClientA ? key.b : key.a }
  /// The opener's port.
  public var clientPort: UInt16 { UInt16(truncatingIfNeeded: isClientA ? key.ports >> 16 : key.ports) }
  /// The other side's port.
  public var serverPort: UInt16 { UInt16(truncatingIfNeeded: isClientA ? key.ports : key.ports >> 16) }

  /// Makes the other side the opener.
  public mutating func reverse() {
    isClientA.toggle()
    shape.reverse()
  }
}
