public import Decode

/// One packet's visit to the flow table, kept until its whole batch is decoded.
@frozen public struct FlowTouch: Sendable {
  /// The packet's flow.
  public var key = FlowKey()
  /// The hash of the key.
  public var hash: UInt64 = 0
  /// Number of the packet in the run, from 1.
  public var number: UInt64 = 0
  /// Nanoseconds since 1970.
  public var timestamp: Int64 = 0
  /// Bytes on the wire, with those of earlier fragments that it completes.
  public var wireBytes: UInt32 = 0
  /// Packets that it stands for: 1 and the earlier fragments that it completes.
  public var packets: UInt32 = 1
  /// Payload bytes on the wire.
  public var payloadLength: Int32 = 0
  /// Where the payload lies in the source's bytes, and how much of it was captured.
  public var payloadOffset: Int32 = 0, payloadCaptured: Int32 = 0
  /// TCP sequence and acknowledgment numbers.
  public var sequence: UInt32 = 0, acknowledgment: UInt32 = 0
  /// TCP flags.
  public var flags = TCPFlags(rawValue: 0)
  /// The decoder's number of the program that sent or received it; 0 where the capture names none.
  public var process: UInt16 = 0
  /// The payload must not be parsed: it is the first piece of a fragmented datagram.
  public var isFirstFragment = false
  /// Set by the table: the flow's record.
  public var record: UInt32 = 0
  /// Set by the table: this packet made the record.
  public var isNew = false
  /// Set by the table: how many packets its flow has with this one.
  public var ordinal: UInt64 = 0
  /// Set by the table: the packet goes to the server.
  public var isToServer = false
  /// A visit of nothing.
  @inlinable public init() {}
}

/// The visits of up to 16 packets.
@frozen public struct FlowBatch: Sendable {
  /// The most visits that it holds.
  @inlinable public static var capacity: Int { 16 }
  /// The visits; those from `count` on are stale.
  public var items = [16 of FlowTouch](repeating: FlowTouch())
  /// How many there are.
  public var count = 0
  /// An empty batch.
  @inlinable public init() {}

  /// Adds a decoded packet. The caller keeps `count` below 16.
  /// - Parameters:
  ///   - headers: what the packet's headers say.
  ///   - number: the packet's number in the run.
  ///   - timestamp: nanoseconds since 1970.
  ///   - wire: bytes on the wire.
  ///   - base: where the packet lies in the source's bytes.
  ///   - seed: the table's hash seed.
  @inlinable @inline(__always)
  public mutating func append(
    _ headers: Headers, number: UInt64 = 0, timestamp: Int64, wire: Int32, base: Int32, seed: UInt64
  ) {
    var touch = FlowTouch()
    touch.key = FlowKey(headers)
    touch.hash = touch.key.hash(seed: seed)
    touch.number = number
    touch.timestamp = timestamp
    touch.wireBytes = UInt32(truncatingIfNeeded: wire) &+ headers.fragmentBytes
    touch.packets = 1 &+ UInt32(headers.fragmentCount)
    touch.payloadLength = headers.payloadLength
    touch.payloadOffset = base &+ headers.payloadOffset
    touch.payloadCaptured = headers.payloadCaptured
    touch.sequence = headers.tcpSequence
    touch.acknowledgment = headers.tcpAcknowledgment
    touch.flags = headers.tcpFlags
    touch.isFirstFragment = headers.isFirstFragment
    touch.process = headers.process
    items[count] = touch
    count &+= 1
  }
}
