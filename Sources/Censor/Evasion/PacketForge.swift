import Bytes
import Capture

//  RFC 894; RFC 791, section 3.1; RFC 8200, sections 3 and 4.5; RFC 9293, section 3.1; RFC 768
//
//   +----------+-------------------------------+----------------------+---------
//   | Ethernet | IPv4, or IPv6 (and Fragment)  | TCP or UDP           | payload
//   +----------+-------------------------------+----------------------+---------

/// Makes packets with right checksums, and a pcap file of them.
struct PacketForge {
  /// Bytes of the first fragment that no later one may share: a TCP header, which must lie in it whole (RFC 1858; RFC
  /// 8200, section 4.5).
  static let firstFragment = 40

  let client: IPAddress, server: IPAddress
  let clientPort: UInt16, serverPort: UInt16
  private var identification: UInt32

  /// Both ends; both of the same version of IP.
  init(client: IPAddress, server: IPAddress, clientPort: UInt16, serverPort: UInt16, identification: UInt32) {
    self.client = client
    self.server = server
    self.clientPort = clientPort
    self.serverPort = serverPort
    self.identification = identification
  }

  /// TCP's flags (RFC 9293, section 3.1).
  static let syn: UInt8 = 2, push: UInt8 = 8, acknowledge: UInt8 = 16

  /// A packet of TCP: one frame, or one a fragment.
  mutating func tcp(
    fromClient: Bool, sequence: UInt32, acknowledgment: UInt32, flags: UInt8, _ payload: [UInt8] = [],
    _ fragmentation: Flight.Fragmentation? = nil
  ) -> [[UInt8]] {
    var segment = ports(fromClient)
    segment.put32(sequence)
    segment.put32(flags & Self.acknowledge == 0 ? 0 : acknowledgment)
    let options: [UInt8] = flags & Self.syn == 0 ? [] : [2, 4] + (client.isV4 ? [0x05, 0xb4] : [0x05, 0xa0])
    segment += [UInt8(5 + options.count / 4) << 4, flags, 0xff, 0xff, 0, 0, 0, 0]
    segment += options + payload
    return packets(fromClient, transport: 6, segment, checksumAt: 16, fragmentation)
  }

  /// A datagram of UDP from the client: one frame, or one a fragment.
  mutating func udp(_ payload: [UInt8], _ fragmentation: Flight.Fragmentation? = nil) -> [[UInt8]] {
    var datagram = ports(true)
    datagram.put16(8 + payload.count)
    datagram.put16(0)
    return packets(true, transport: 17, datagram + payload, checksumAt: 6, fragmentation)
  }

  private func ports(_ fromClient: Bool) -> [UInt8] {
    var ports: [UInt8] = []
    ports.put16(Int(fromClient ? clientPort : serverPort))
    ports.put16(Int(fromClient ? serverPort : clientPort))
    return ports
  }

  private mutating func packets(
    _ fromClient: Bool, transport: UInt8, _ segment: [UInt8], checksumAt: Int, _ fragmentation: Flight.Fragmentation?
  ) -> [[UInt8]] {
    let (source, destination) = fromClient ? (client, server) : (server, client)
    var segment = segment
    var sum = checksum(pseudoHeader(source, destination, transport, segment.count) + segment)
    // Of UDP, 0 stands for none (RFC 768).
    if transport == 17, sum == 0 { sum = 0xffff }
    segment[checksumAt] = UInt8(truncatingIfNeeded: sum >> 8)
    segment[checksumAt + 1] = UInt8(truncatingIfNeeded: sum)
    identification &+= 1
    let ethernet: [UInt8] = fromClient ? [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1] : [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]
    let parts = fragmentation.flatMap { Self.parts(of: segment.count, into: $0.count) } ?? [0..<segment.count]
    let frames = parts.map { part in
      let isLast = part.upperBound == segment.count
      return ethernet
        + (client.isV4
          ? ipv4(source, destination, transport, segment[part], offset: part.lowerBound, isLast, parts.count > 1)
          : ipv6(source, destination, transport, segment[part], offset: part.lowerBound, isLast, parts.count > 1))
    }
    return fragmentation?.isReversed == true ? frames.reversed() : frames
  }

  /// Where fragments of an IP payload begin and end: multiples of 8, the first one with a whole TCP header; nil where
  /// it cannot be cut into so many.
  static func parts(of length: Int, into count: Int) -> [Range<Int>]? {
    let rest = length - firstFragment
    guard count >= 2, rest >= 1 else { return nil }
    // In units of 8 bytes; the last may be less than one. Alike, where the header fits in the first.
    let all = (length + 7) / 8
    if all / count * 8 >= firstFragment {
      let ends = (1...count).map { min(all * $0 / count * 8, length) }
      return zip([0] + ends, ends).map { $0..<$1 }
    }
    let units = (rest + 7) / 8
    guard units >= count - 1 else { return nil }
    var parts = [0..<firstFragment]
    for index in 1..<count {
      let end = min(firstFragment + units * index / (count - 1) * 8, length)
      parts.append((parts.last?.upperBound ?? 0)..<end)
    }
    return parts
  }

  /// Whether a packet with so much payload can be cut into so many fragments and be a packet of IP at all.
  static func canCut(payload: Int, carrier: RecordedHello.Carrier, into count: Int) -> Bool {
    let length = payload + (carrier == .tcp ? 20 : 8)
    return length <= 65_000 && parts(of: length, into: count) != nil
  }

  private func ipv4(
    _ source: IPAddress, _ destination: IPAddress, _ transport: UInt8, _ payload: ArraySlice<UInt8>, offset: Int,
    _ isLast: Bool, _ isFragment: Bool
  ) -> [UInt8] {
    var header: [UInt8] = [0x45, 0]
    header.put16(20 + payload.count)
    header.put16(Int(identification & 0xffff))
    // DF, or MF and the offset in units of 8 bytes.
    header.put16(isFragment ? (isLast ? 0 : 0x2000) | offset / 8 : 0x4000)
    header += [64, transport, 0, 0]
    header.put32(source.v4)
    header.put32(destination.v4)
    let sum = checksum(header)
    header[10] = UInt8(truncatingIfNeeded: sum >> 8)
    header[11] = UInt8(truncatingIfNeeded: sum)
    return [0x08, 0x00] + header + payload
  }

  private func ipv6(
    _ source: IPAddress, _ destination: IPAddress, _ transport: UInt8, _ payload: ArraySlice<UInt8>, offset: Int,
    _ isLast: Bool, _ isFragment: Bool
  ) -> [UInt8] {
    var header: [UInt8] = [0x86, 0xdd, 0x60, 0, 0, 0]
    header.put16(payload.count + (isFragment ? 8 : 0))
    header += [isFragment ? 44 : transport, 64] + source.sixteenBytes + destination.sixteenBytes
    if isFragment {
      header += [transport, 0]
      header.put16(offset | (isLast ? 0 : 1))
      header.put32(identification)
    }
    return header + payload
  }

  /// RFC 9293, section 3.1; RFC 8200, section 8.1.
  private func pseudoHeader(
    _ source: IPAddress, _ destination: IPAddress, _ transport: UInt8, _ length: Int
  ) -> [UInt8] {
    var header: [UInt8] = []
    guard client.isV4 else {
      header = source.sixteenBytes + destination.sixteenBytes
      header.put32(UInt32(clamping: length))
      return header + [0, 0, 0, transport]
    }
    header.put32(source.v4)
    header.put32(destination.v4)
    header += [0, transport]
    header.put16(length)
    return header
  }
}

/// The Internet checksum (RFC 1071).
func checksum(_ bytes: [UInt8]) -> UInt16 {
  var sum: UInt32 = 0
  for (index, byte) in bytes.enumerated() { sum &+= index.isMultiple(of: 2) ? UInt32(byte) << 8 : UInt32(byte) }
  while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
  return ~UInt16(truncatingIfNeeded: sum)
}

extension IPAddress {
  fileprivate var sixteenBytes: [UInt8] {
    [high, low].flatMap { half in stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: half >> $0) } }
  }
}
