import Bytes
import Classify
import Foundation
import Testing

@testable import Censor

/// A capture that is made packet by packet for a test: synthetic, with right checksums, read as any file is.
struct FiringCapture {
  /// Something said on a connection: who, what, and how long after what went before.
  struct Word {
    var isUp: Bool
    var bytes: [UInt8]
    var pause: Double

    static func up(_ bytes: [UInt8], after pause: Double = 0.02) -> Word {
      Word(isUp: true, bytes: bytes, pause: pause)
    }
    static func down(_ bytes: [UInt8], after pause: Double = 0.02) -> Word {
      Word(isUp: false, bytes: bytes, pause: pause)
    }
  }

  static let begin = 1_767_225_600.0
  static let client = "198.18.0.2", client6 = "2001:2::2"

  private var frames: [(time: Double, bytes: [UInt8])] = []
  private var connections: UInt32 = 0

  private static func address(_ text: String) -> IPAddress { IPAddress(text) ?? IPAddress(high: 0, low: 0) }

  /// A TCP connection: SYN, SYN-ACK, ACK as packets 1 to 3, then the words, a packet each.
  mutating func tcp(
    to server: String, _ port: UInt16, at second: Double, from clientPort: UInt16 = 50_000, _ words: [Word]
  ) {
    let isV4 = Self.address(server).isV4
    connections += 1
    var forge = PacketForge(
      client: Self.address(isV4 ? Self.client : Self.client6), server: Self.address(server), clientPort: clientPort,
      serverPort: port, identification: connections << 12)
    var time = Self.begin + second
    var (up, down): (UInt32, UInt32) = (0x1000_0000, 0x2000_0000)
    let (syn, acknowledge) = (PacketForge.syn, PacketForge.acknowledge)
    add(forge.tcp(fromClient: true, sequence: up, acknowledgment: 0, flags: syn), time)
    add(forge.tcp(fromClient: false, sequence: down, acknowledgment: up + 1, flags: syn | acknowledge), time + 0.001)
    (up, down) = (up + 1, down + 1)
    add(forge.tcp(fromClient: true, sequence: up, acknowledgment: down, flags: acknowledge), time + 0.002)
    time += 0.002
    for word in words {
      time += word.pause
      add(
        forge.tcp(
          fromClient: word.isUp, sequence: word.isUp ? up : down, acknowledgment: word.isUp ? down : up,
          flags: PacketForge.push | acknowledge, word.bytes), time)
      let count = UInt32(truncatingIfNeeded: word.bytes.count)
      if word.isUp { up += count } else { down += count }
    }
  }

  /// Datagrams between two ports.
  mutating func udp(
    to server: String, _ port: UInt16, at second: Double, from clientPort: UInt16 = 50_000, _ words: [Word]
  ) {
    let isV4 = Self.address(server).isV4
    connections += 1
    let client = Self.address(isV4 ? Self.client : Self.client6)
    var up = PacketForge(
      client: client, server: Self.address(server), clientPort: clientPort, serverPort: port,
      identification: connections << 12)
    var down = PacketForge(
      client: Self.address(server), server: client, clientPort: port, serverPort: clientPort,
      identification: connections << 12 | 1 << 11)
    var time = Self.begin + second
    for (at, word) in words.enumerated() {
      if at > 0 { time += word.pause }
      add(word.isUp ? up.udp(word.bytes) : down.udp(word.bytes), time)
    }
  }

  private mutating func add(_ packets: [[UInt8]], _ time: Double) {
    for packet in packets { frames.append((time, packet)) }
  }

  /// The capture as a file: draft-ietf-opsawg-pcap, microseconds, Ethernet.
  var bytes: [UInt8] {
    func little(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) } }
    var file = little(0xa1b2_c3d4) + [2, 0, 4, 0] + little(0) + little(0) + little(262_144) + little(1)
    for frame in frames.enumerated().sorted(by: { ($0.1.time, $0.0) < ($1.1.time, $1.0) }).map(\.element) {
      let micros = Int64((frame.time * 1e6).rounded())
      file += little(UInt32(micros / 1_000_000)) + little(UInt32(micros % 1_000_000))
      file += little(UInt32(frame.bytes.count)) + little(UInt32(frame.bytes.count)) + frame.bytes
    }
    return file
  }

  /// The capture as boxes meet it, through the reader that reads every capture.
  func trace() throws -> Trace {
    let file = FileManager.default.temporaryDirectory.appending(path: "firing-\(UUID().uuidString).pcap")
    try Data(bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    var reader = TraceReader(classifier: Classifier(catalogue: try Catalogue.shipped()))
    return try reader.read(path: file.path, name: "made")
  }
}

/// What is sent in these captures.
enum FiringBytes {
  private static func u16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }

  /// A ClientHello in one record.
  static func hello(_ name: String?, extra: [UInt8] = []) -> [UInt8] {
    var message = EvasionFixture.message(name: name)
    if !extra.isEmpty {
      // Behind the others; both lengths before the extensions grow with it.
      let block = 4 + 2 + 32 + 1 + 32 + 2 + 6 + 2
      let length = Int(message[block]) << 8 | Int(message[block + 1])
      message += extra
      message.replaceSubrange(block..<block + 2, with: u16(length + extra.count))
      message.replaceSubrange(2..<4, with: u16(message.count - 4))
    }
    return [22, 3, 1] + u16(message.count) + message
  }

  /// encrypted_server_name (draft-ietf-tls-esni-06) with a value that nobody reads.
  static let esni: [UInt8] = [0xff, 0xce, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]

  /// A record of application data whose length field says `length`.
  static func record(_ length: Int) -> [UInt8] {
    [23, 3, 3] + u16(length) + (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) }
  }

  /// QUIC Initials of version 1 with a name.
  static func initials(_ name: String, connection: Int = 0) -> [[UInt8]] {
    EvasionFixture.quic(EvasionFixture.message(name: name, isQUIC: true), name: name, connection: connection).pieces
  }

  /// Bytes of which each has four bits set, none printable, as encrypted bytes have on the average.
  static func random(_ count: Int) -> [UInt8] {
    let halves: [UInt8] = [0x0f, 0x8b, 0xd4, 0xe1, 0x95, 0xaa, 0xc6, 0x17, 0xb2, 0x1d]
    return (0..<count).map { halves[$0 % halves.count] }
  }

  /// A DNS query or its answer with one address (RFC 1035, section 4).
  static func dns(_ name: String, answer: [UInt8]? = nil, transaction: Int = 7) -> [UInt8] {
    var message = u16(transaction) + (answer == nil ? [1, 0] : [0x81, 0x80]) + u16(1) + u16(answer == nil ? 0 : 1)
    message += u16(0) + u16(0)
    for label in name.split(separator: ".") { message += [UInt8(label.utf8.count)] + Array(label.utf8) }
    message += [0] + u16(1) + u16(1)
    if let answer { message += [0xc0, 12] + u16(1) + u16(1) + [0, 0, 1, 0x2c] + u16(4) + answer }
    return message
  }

  /// A ClientHello of DTLS 1.2 with these suites and signature algorithms, and pion's other extensions.
  static func dtls(suites: [Int], signatures: [Int]) -> [UInt8] {
    func field(_ type: Int, _ value: [UInt8]) -> [UInt8] { u16(type) + u16(value.count) + value }
    func list(_ values: [Int]) -> [UInt8] { u16(2 * values.count) + values.flatMap(u16) }
    let block =
      field(10, list([0x1d, 0x17, 0x18])) + field(11, [1, 0]) + field(13, list(signatures))
      + field(14, u16(2) + u16(7) + [0]) + field(23, []) + field(0xff01, [0])
    let body =
      [0xfe, 0xfd] + [UInt8](repeating: 7, count: 32) + [0, 0] + list(suites) + [1, 0] + u16(block.count) + block
    let length = [0] + u16(body.count)
    return [22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0] + u16(body.count + 12) + [1] + length + [0, 0] + [0, 0, 0] + length
      + body
  }

  /// An RTP packet (RFC 3550, section 5.1), payload type 111, 20 ms apart.
  static func rtp(_ number: Int) -> [UInt8] {
    let stamp = number * 960
    return [0x80, 111] + u16(number) + u16(stamp >> 16) + u16(stamp) + [1, 2, 3, 4] + random(80)
  }
}
