public import Bytes

// Decode may hold: link layers, IPv4, IPv6, tunnels, TCP and UDP headers. One packet at a time, no I/O; the only
// state is that of IP fragments.

/// What a capture calls its link layer: the LINKTYPE_ values of the tcpdump registry.
@frozen public struct LinkType: RawRepresentable, Hashable, Sendable {
  /// The number in the capture file.
  public var rawValue: UInt16
  /// A link type by its registry number.
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
}

/// An IANA protocol number.
@frozen public struct TransportProtocol: RawRepresentable, Hashable, Sendable {
  /// The number in the IP header.
  public var rawValue: UInt8
  /// A protocol by its IANA number.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// TCP (RFC 9293).
  public static var tcp: TransportProtocol { @inlinable get { TransportProtocol(rawValue: 6) } }
  /// UDP (RFC 768).
  public static var udp: TransportProtocol { @inlinable get { TransportProtocol(rawValue: 17) } }
}

/// The flag bits of a TCP header (RFC 9293, section 3.1).
@frozen public struct TCPFlags: OptionSet, Sendable {
  /// The low eight bits of the flags field.
  public var rawValue: UInt8
  /// Flags by their bits.
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }
  /// FIN.
  public static var fin: TCPFlags { @inlinable get { TCPFlags(rawValue: 0x01) } }
  /// SYN.
  public static var syn: TCPFlags { @inlinable get { TCPFlags(rawValue: 0x02) } }
  /// RST.
  public static var rst: TCPFlags { @inlinable get { TCPFlags(rawValue: 0x04) } }
  /// ACK.
  public static var ack: TCPFlags { @inlinable get { TCPFlags(rawValue: 0x10) } }
}

/// An encapsulation around the innermost flow.
public enum TunnelKind: UInt8, Sendable, CaseIterable {
  case ipInIP = 1
  case sixInFour
  case gre
  case vxlan
  case geneve
  case gtpU
  case teredo
  case l2tp
  case erspan
  case capwap
  case lisp
  case mplsInUDP

  /// The name in records.
  public var name: String {
    switch self {
    case .ipInIP: "IPIP"
    case .sixInFour: "6in4"
    case .gre: "GRE"
    case .vxlan: "VXLAN"
    case .geneve: "Geneve"
    case .gtpU: "GTPv1-U"
    case .teredo: "Teredo"
    case .l2tp: "L2TP"
    case .erspan: "ERSPAN"
    case .capwap: "CAPWAP"
    case .lisp: "LISP"
    case .mplsInUDP: "MPLS-in-UDP"
    }
  }
}

/// Where a flow lives: VLAN tags and tunnels, exact for two tags, three tunnels and one network identifier.
///
/// Bits 0-12 outer VLAN (12 is "present"), 13-25 inner VLAN, 26-37 three tunnel kinds of 4 bits, outermost lowest,
/// 38-61 a VXLAN or Geneve network identifier. Identifiers that differ by direction (GTP TEID) are left out.
@frozen public struct FlowScope: RawRepresentable, Hashable, Sendable {
  /// The packed bits.
  public var rawValue: UInt64
  /// A scope from its packed bits.
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
  /// No VLAN, no tunnel.
  @inlinable public init() { rawValue = 0 }

  /// Adds the next VLAN tag inwards; a third and later tag is not kept.
  @inlinable public mutating func add(vlan: UInt16) {
    let tag = UInt64(vlan & 0xfff) | 0x1000
    if rawValue & 0x1000 == 0 {
      rawValue |= tag
    } else if rawValue & 0x1000 << 13 == 0 {
      rawValue |= tag << 13
    }
  }

  /// Adds the next tunnel inwards; a fourth and later tunnel is not kept.
  @inlinable public mutating func add(tunnel: TunnelKind, network: UInt32 = 0) {
    var shift: UInt64 = 26
    while shift < 38, rawValue >> shift & 15 != 0 { shift += 4 }
    if shift < 38 { rawValue |= UInt64(tunnel.rawValue) << shift }
    if rawValue >> 38 & 0xff_ffff == 0 { rawValue |= UInt64(network & 0xff_ffff) << 38 }
  }

  /// VLAN identifiers, outermost first.
  public var vlans: [Int] {
    [rawValue, rawValue >> 13].filter { $0 & 0x1000 != 0 }.map { Int($0 & 0xfff) }
  }

  /// Tunnels, outermost first.
  public var tunnels: [TunnelKind] {
    [26, 30, 34].compactMap { TunnelKind(rawValue: UInt8(truncatingIfNeeded: rawValue >> $0 & 15)) }
  }
}

/// What a packet's headers say, as far as they could be read. Plain data: copying it touches no reference count.
@frozen public struct Headers: Sendable {
  /// The innermost addresses.
  public var source = IPAddress(high: 0, low: 0), destination = IPAddress(high: 0, low: 0)
  /// The innermost ports.
  public var sourcePort: UInt16 = 0, destinationPort: UInt16 = 0
  /// TCP or UDP for an outcome of `.flow`; what the IP header said otherwise.
  public var transport = TransportProtocol(rawValue: 0)
  /// 4 or 6 (of the innermost IP header); 0 where none was read.
  public var ipVersion: UInt8 = 0
  /// TCP flags; empty for UDP.
  public var tcpFlags = TCPFlags(rawValue: 0)
  /// TCP window, unscaled.
  public var tcpWindow: UInt16 = 0
  /// TCP sequence and acknowledgment numbers.
  public var tcpSequence: UInt32 = 0, tcpAcknowledgment: UInt32 = 0
  /// VLAN tags and tunnels.
  public var scope = FlowScope()
  /// Offset of the transport payload in the packet, or in the decoder's reassembled datagram.
  public var payloadOffset: Int32 = 0
  /// Payload bytes that were captured.
  public var payloadCaptured: Int32 = 0
  /// Payload bytes on the wire, from the length fields, whatever the snapshot length cut off.
  public var payloadLength: Int32 = 0
  /// Earlier fragments that this packet completes, and their bytes on the wire; 0 where it is no last fragment.
  public var fragmentCount: UInt16 = 0, fragmentBytes: UInt32 = 0
  /// The process or app that the capture names for this packet, for `Decoder.processName(_:)`; 0 where it names none.
  public var process: UInt16 = 0
  /// Whether the payload lies in `Decoder.reassembled` and not in the packet.
  public var isReassembled = false
  /// Whether this is the first piece of a fragmented datagram, whose payload must not be parsed yet.
  public var isFirstFragment = false
  /// What stopped decoding, where something did.
  public var damage: Damage?

  /// Headers of nothing.
  @inlinable public init() {}
}

/// What decoding a packet came to.
@frozen public enum DecodeOutcome: UInt8, Sendable {
  /// TCP or UDP, with addresses and ports.
  case flow
  /// A fragment that is held until its datagram is whole.
  case fragment
  /// Understood, and no TCP or UDP: ICMP, ARP, SCTP, ESP and the like. `Headers.transport` says which, for IP.
  case counted
  /// A link or network layer that we do not read.
  case unknown
  /// Stopped before the ports by `Headers.damage`.
  case damaged
}

/// Where and why decoding stopped. What lies before it was understood and is kept.
@frozen public struct Damage: Hashable, Sendable {
  /// The layer that could not be read.
  @frozen public enum Layer: UInt8, Sendable, CaseIterable {
    case link, vlan, mpls, pppoe, ipv4, ipv6, tcp, udp, tunnel
  }
  /// What was wrong with it.
  @frozen public enum Reason: UInt8, Sendable, CaseIterable {
    /// The capture's snapshot length cut it off.
    case cutBySnapshot
    /// The packet ends before its own length fields say.
    case truncated
    /// A length field smaller than its own header.
    case badLength
    /// A version number that cannot be.
    case badVersion
    /// More nested headers than `Decoder.maximumLayers`.
    case tooDeep
    /// Fragments that overlap or lie past 65,535 bytes.
    case badFragment
  }
  /// The layer.
  public var layer: Layer
  /// The reason.
  public var reason: Reason
  /// Offset in the packet where that layer starts; 65,535 and more read 65,535.
  public var offset: UInt16
  /// A damage at an offset.
  @inlinable public init(_ layer: Layer, _ reason: Reason, at offset: Int) {
    self.layer = layer
    self.reason = reason
    self.offset = UInt16(clamping: offset)
  }
}
