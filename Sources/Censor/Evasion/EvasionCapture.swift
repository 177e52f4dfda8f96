import Bytes

/// A capture in which rewritten hellos are sent, each by a client of its own.
///
/// The server and its port are the recorded ones. Clients' addresses are those kept for benchmarks (RFC 2544, appendix
/// C.2.2; RFC 5180, section 8), so that none is somebody's.
struct EvasionCapture {
  /// Time of the first packet: 2026-01-01, in nanoseconds since 1970.
  static let begin: Int64 = 1_767_225_600_000_000_000
  /// Nanoseconds between two hellos, and between two packets.
  static let pause: Int64 = 1_000_000_000, step: Int64 = 1_000_000
  /// The most packets of a flight, fragments counted, so that they end before the next hello's first.
  static let maximumPackets = 900

  /// The file: pcap with nanoseconds, Ethernet.
  private(set) var bytes: [UInt8] = EvasionCapture.header
  private(set) var packets = 0

  /// The address of the client that sends the hello of a number.
  static func client(_ number: Int, isV4: Bool) -> IPAddress {
    isV4
      ? IPAddress(v4: 0xc612_0000 | UInt32(truncatingIfNeeded: number + 1) & 0x1_ffff)
      : IPAddress(high: 0x2001_0002_0000_0000, low: UInt64(number + 1))
  }

  /// Adds a hello.
  mutating func add(_ hello: RecordedHello, _ flight: Flight, number: Int) {
    var forge = PacketForge(
      client: Self.client(number, isV4: hello.server.isV4), server: hello.server,
      clientPort: flight.clientPort ?? hello.clientPort, serverPort: hello.serverPort,
      identification: UInt32(truncatingIfNeeded: number) << 10)
    var frames: [[UInt8]] = []
    switch flight.content {
    case .datagrams(let datagrams): frames = datagrams.flatMap { forge.udp($0, flight.fragmentation) }
    case .segments(let segments): frames = Self.connection(segments, flight.fragmentation, number, &forge)
    }
    var time = Self.begin + Int64(number) * Self.pause
    for frame in frames {
      put(frame, at: time)
      time += Self.step
    }
  }

  /// A handshake, the segments, and the server's acknowledgment of all.
  private static func connection(
    _ segments: [Flight.Segment], _ fragmentation: Flight.Fragmentation?, _ number: Int, _ forge: inout PacketForge
  ) -> [[UInt8]] {
    let up = 0x1000_0000 &+ UInt32(truncatingIfNeeded: number) &* 0x1_0001
    let down = 0x2000_0000 &+ UInt32(truncatingIfNeeded: number) &* 0x1_0003
    var frames = forge.tcp(fromClient: true, sequence: up, acknowledgment: 0, flags: PacketForge.syn)
    frames += forge.tcp(
      fromClient: false, sequence: down, acknowledgment: up &+ 1, flags: PacketForge.syn | PacketForge.acknowledge)
    frames += forge.tcp(
      fromClient: true, sequence: up &+ 1, acknowledgment: down &+ 1, flags: PacketForge.acknowledge)
    var end = up &+ 1
    for segment in segments {
      let sequence = up &+ 1 &+ UInt32(truncatingIfNeeded: segment.offset)
      frames += forge.tcp(
        fromClient: true, sequence: sequence, acknowledgment: down &+ 1,
        flags: PacketForge.push | PacketForge.acknowledge, segment.bytes, fragmentation)
      end = max(end, sequence &+ UInt32(truncatingIfNeeded: segment.bytes.count))
    }
    return frames
      + forge.tcp(fromClient: false, sequence: down &+ 1, acknowledgment: end, flags: PacketForge.acknowledge)
  }

  /// draft-ietf-opsawg-pcap, section 4: nanoseconds, version 2.4, the longest packet, LINKTYPE_ETHERNET.
  private static var header: [UInt8] {
    var header: [UInt8] = []
    header.put32(0xa1b2_3c4d)
    header.put16(2)
    header.put16(4)
    for field: UInt32 in [0, 0, 262_144, 1] { header.put32(field) }
    return header
  }

  private mutating func put(_ frame: [UInt8], at time: Int64) {
    bytes.put32(UInt32(truncatingIfNeeded: time / 1_000_000_000))
    bytes.put32(UInt32(truncatingIfNeeded: time % 1_000_000_000))
    bytes.put32(UInt32(clamping: frame.count))
    bytes.put32(UInt32(clamping: frame.count))
    bytes += frame
    packets += 1
  }
}
