import Bytes

/// Both sides of an OpenVPN connection, up to where the TLS in its control channel has nothing more in clear.
struct OpenVPNConversation {
  /// The longest control packet; OpenVPN makes none longer than its `tls-mtu`, 1250 unless asked otherwise.
  static let maximumPacketLength = 1 << 12
  /// The most control packets of a side that wait for an earlier one, over UDP.
  static let maximumHeldPackets = 16

  private struct Side {
    /// The begin of a packet that TCP cut.
    var buffer: [UInt8] = []
    /// The packet that continues the TLS stream.
    var next: UInt32 = 1
    var held: [(id: UInt32, payload: [UInt8])] = []
  }

  private let protection: OpenVPNProtection
  private var sides = Sides(Side())

  init(_ protection: OpenVPNProtection) { self.protection = protection }

  /// Bytes that are kept.
  var bufferedBytes: Int {
    var sum = sides.client.buffer.count &+ sides.server.buffer.count
    for packet in sides.client.held { sum &+= packet.payload.count }
    for packet in sides.server.held { sum &+= packet.payload.count }
    return sum
  }

  /// Takes the next bytes of a TCP stream and hands the TLS in them on.
  /// - Returns: whether more may follow.
  mutating func consume(stream bytes: borrowing RawSpan, from side: FlowSide, into tls: inout TLSConversation) -> Bool {
    var rest = sides[side].buffer
    sides[side].buffer = []
    rest.append(copy bytes)
    var offset = 0
    while rest.rawSpan.holds(2, at: offset) {
      let length = Int(rest.rawSpan.u16(offset))
      guard length > 0, length <= Self.maximumPacketLength else { return false }
      guard rest.rawSpan.holds(2 &+ length, at: offset) else { break }
      guard consume(packet: rest.rawSpan.slice(offset &+ 2, length), from: side, into: &tls) else { return false }
      offset &+= 2 &+ length
    }
    rest.removeFirst(offset)
    sides[side].buffer = rest
    return true
  }

  /// Takes a packet and hands the TLS in it on.
  /// - Returns: whether more may follow; not behind the first packet of data.
  mutating func consume(packet: borrowing RawSpan, from side: FlowSide, into tls: inout TLSConversation) -> Bool {
    guard packet.byteCount > 0, let opcode = OpenVPNOpcode(rawValue: packet.u8(0) >> 3) else { return false }
    switch opcode {
    case .hardResetClient, .hardResetServer, .acknowledgment: return true
    case .control: break
    default: return false
    }
    guard let control = try? OpenVPNPacket(parsing: packet, protection) else { return false }
    if control.id == sides[side].next {
      sides[side].next &+= 1
      tls.consume(control.payload, from: side)
      drain(side, into: &tls)
    } else if control.id > sides[side].next, sides[side].held.count < Self.maximumHeldPackets,
      control.payload.byteCount <= Self.maximumPacketLength,
      !sides[side].held.contains(where: { $0.id == control.id })
    {
      sides[side].held.append((control.id, control.payload.array))
    }
    return true
  }

  private mutating func drain(_ side: FlowSide, into tls: inout TLSConversation) {
    while let index = sides[side].held.firstIndex(where: { $0.id == sides[side].next }) {
      let payload = sides[side].held.remove(at: index).payload
      sides[side].next &+= 1
      tls.consume(payload.rawSpan, from: side)
    }
  }
}
