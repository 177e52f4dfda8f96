/// Builds synthetic packets: Ethernet, IPv4, TCP or UDP. Checksums are left 0; nothing here reads them.
public enum PacketBuilder {
  /// Two big-endian bytes.
  public static func u16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }

  /// Four big-endian bytes.
  public static func u32(_ value: UInt32) -> [UInt8] { u16(Int(value >> 16)) + u16(Int(value & 0xffff)) }

  /// An Ethernet frame around an IPv4 packet. A fragment is its offset in bytes, a multiple of 8, and whether more
  /// fragments follow.
  public static func ipv4(
    from source: UInt32, to destination: UInt32, transport: UInt8, _ payload: [UInt8], identification: Int = 0,
    fragment: (offset: Int, more: Bool) = (0, false)
  ) -> [UInt8] {
    let ethernet: [UInt8] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00]
    let flags = fragment.offset / 8 | (fragment.more ? 0x2000 : 0)
    return ethernet + [0x45, 0] + u16(20 + payload.count) + u16(identification) + u16(flags)
      + [64, transport, 0, 0] + u32(source) + u32(destination) + payload
  }

  /// A TCP segment in a frame. Flags: FIN 1, SYN 2, RST 4, PSH 8, ACK 16.
  public static func tcp(
    from source: (UInt32, UInt16), to destination: (UInt32, UInt16), sequence: UInt32 = 0, acknowledgment: UInt32 = 0,
    flags: UInt8 = 0x10, _ payload: [UInt8] = []
  ) -> [UInt8] {
    let header =
      u16(Int(source.1)) + u16(Int(destination.1)) + u32(sequence) + u32(acknowledgment) + [0x50, flags]
      + u16(65535) + [0, 0, 0, 0]
    return ipv4(from: source.0, to: destination.0, transport: 6, header + payload)
  }

  /// A UDP datagram without its frame.
  public static func datagram(from sourcePort: UInt16, to destinationPort: UInt16, _ payload: [UInt8]) -> [UInt8] {
    u16(Int(sourcePort)) + u16(Int(destinationPort)) + u16(8 + payload.count) + [0, 0] + payload
  }

  /// A UDP datagram in a frame.
  public static func udp(
    from source: (UInt32, UInt16), to destination: (UInt32, UInt16), _ payload: [UInt8]
  ) -> [UInt8] {
    ipv4(
      from: source.0, to: destination.0, transport: 17, datagram(from: source.1, to: destination.1, payload))
  }

  /// A TLS record with a ClientHello (RFC 8446, section 4.1.2) of two cipher suites.
  public static func clientHello(serverName: String, alpn: [String] = []) -> [UInt8] {
    let name = Array(serverName.utf8)
    let host = [0] + u16(name.count) + name
    var extensions = u16(0) + u16(host.count + 2) + u16(host.count) + host
    if !alpn.isEmpty {
      let list = alpn.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
      extensions += u16(16) + u16(list.count + 2) + u16(list.count) + list
    }
    extensions += u16(43) + u16(5) + [4, 3, 4, 3, 3]
    let body =
      [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + [0, 4, 0x13, 0x01, 0x13, 0x02] + [1, 0]
      + u16(extensions.count) + extensions
    let handshake = [1, 0] + u16(body.count) + body
    return [22, 3, 1] + u16(handshake.count) + handshake
  }

  /// A DNS name in wire form.
  public static func dnsName(_ name: String) -> [UInt8] {
    name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
  }

  /// A DNS query for an A record, or its answer with one address.
  public static func dns(_ name: String, answer: UInt32? = nil, timeToLive: UInt32 = 60) -> [UInt8] {
    let question = dnsName(name) + [0, 1, 0, 1]
    guard let answer else { return [0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0] + question }
    return [0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0] + question + [0xc0, 12, 0, 1, 0, 1] + u32(timeToLive)
      + [0, 4] + u32(answer)
  }
}
