public import Bytes
public import Decode

// Flows may hold: flow key, table, timers, eviction, TCP stream reassembly, shape. No protocols, no verdicts, no I/O.

/// Names a conversation whatever the direction: the smaller (address, port) is `a`.
@frozen public struct FlowKey: Equatable, Sendable {
  /// The two addresses in order.
  public var a: IPAddress, b: IPAddress
  /// VLAN tags and tunnels.
  public var scope: FlowScope
  /// Port of `a` in the upper half, of `b` in the lower.
  public var ports: UInt32
  /// TCP or UDP.
  public var transport: TransportProtocol
  /// Whether the packet that made this key was sent by `a`.
  public var isFromA: Bool

  /// A key of nothing.
  @inlinable public init() {
    a = IPAddress(high: 0, low: 0)
    b = a
    scope = FlowScope()
    ports = 0
    transport = TransportProtocol(rawValue: 0)
    isFromA = false
  }

  /// The key of a packet.
  @inlinable @inline(__always)
  public init(_ headers: Headers) {
    let source = headers.source
    let destination = headers.destination
    isFromA =
      source == destination
      ? headers.sourcePort <= headers.destinationPort : IPAddress.precedes(source, destination)
    let sourcePort = UInt32(headers.sourcePort)
    let destinationPort = UInt32(headers.destinationPort)
    a = isFromA ? source : destination
    b = isFromA ? destination : source
    ports = isFromA ? sourcePort << 16 | destinationPort : destinationPort << 16 | sourcePort
    scope = headers.scope
    transport = headers.transport
  }

  @inlinable @inline(__always)
  static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
    let product = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
    return product ^ (product >> 32)
  }

  /// A hash of everything but the direction. Seeded, because whoever sends the packets picks the key.
  @inlinable @inline(__always)
  public func hash(seed: UInt64) -> UInt64 {
    var hash = Self.mix(seed, a.high)
    hash = Self.mix(hash, a.low)
    hash = Self.mix(hash, b.high)
    hash = Self.mix(hash, b.low)
    hash = Self.mix(hash, scope.rawValue)
    return Self.mix(hash, UInt64(ports) << 8 | UInt64(transport.rawValue))
  }
}
