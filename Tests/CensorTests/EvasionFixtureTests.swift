import Bytes
import Capture
import Classify
import Foundation
import QUICKeys
import Testing

@testable import Censor

/// Hellos that are made for these tests, and what reads a flight back without the code under test.
enum EvasionFixture {
  static let name = "courier.push.example.com"

  private static func u16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }

  private static func field(_ type: Int, _ value: [UInt8]) -> [UInt8] { u16(type) + u16(value.count) + value }

  /// A ClientHello (RFC 8446, section 4.1.2) with GREASE, ALPN, a key share and pre_shared_key at the end; synthetic.
  static func message(name: String? = name, keyShare: Int = 32, isQUIC: Bool = false) -> [UInt8] {
    var block = field(0x1a1a, [])
    block += field(51, u16(keyShare + 4) + [0x11, 0xec] + u16(keyShare) + [UInt8](repeating: 0x5a, count: keyShare))
    if let name {
      let host = [0] + u16(name.utf8.count) + Array(name.utf8)
      block += field(0, u16(host.count) + host)
    }
    block +=
      field(16, [0, 3, 2] + Array("h2".utf8)) + field(43, [4, 3, 4, 3, 3]) + field(10, [0, 4, 0x11, 0xec, 0, 0x1d])
    if isQUIC { block += field(57, [1, 2, 0x67, 0x10]) }
    block += field(45, [1, 1])
    block += field(
      41,
      u16(38) + u16(32) + [UInt8](repeating: 9, count: 32) + [0, 0, 0, 1] + u16(33) + [32]
        + [UInt8](repeating: 8, count: 32))
    let body =
      [3, 3] + [UInt8](repeating: 7, count: 32) + [32] + [UInt8](repeating: 6, count: 32)
      + [0, 6, 0x1a, 0x1a, 0x13, 0x01, 0x13, 0x02] + [1, 0] + u16(block.count) + block
    return [1, 0] + u16(body.count) + body
  }

  /// A hello over TCP, recorded in one segment.
  static func tcp(
    _ message: [UInt8] = message(), name: String? = name, isV4: Bool = true, ports: (UInt16, UInt16) = (50_123, 443)
  ) -> RecordedHello {
    var hello = RecordedHello(
      carrier: .tcp, serverName: name, handshake: message,
      server: isV4 ? IPAddress(v4: 0xcb00_7109) : IPAddress(high: 0x2001_0db8_0000_0001, low: 9),
      clientPort: ports.0, serverPort: ports.1, stack: "test", capture: "made", flow: 1)
    hello.pieces = [[22, 3, 1] + u16(message.count) + message]
    return hello
  }

  /// A hello over QUIC version 1, in as many datagrams as it needs.
  static func quic(
    _ message: [UInt8] = message(isQUIC: true), name: String? = name, isV4: Bool = true,
    ports: (UInt16, UInt16) = (50_123, 443), connection: Int = 0
  ) -> RecordedHello {
    var hello = tcp(message, name: name, isV4: isV4, ports: ports)
    hello.carrier = .quic
    let origin = InitialOrigin(
      version: 1, protection: .v1, destinationID: [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51] + u16(connection),
      sourceID: [1, 2, 3, 4])
    hello.origin = origin
    let writer = InitialWriter(origin)
    hello.pieces = writer.datagrams(writer.packed([.crypto(0, message)])) ?? []
    return hello
  }

  /// What a server's TCP makes of segments: what completes the stream counts, and of what lies ahead nothing that is
  /// there already; then the handshake bytes of the records.
  static func handshake(segments: [Flight.Segment]) -> [UInt8]? {
    var stream: [UInt8] = []
    var ahead: [Flight.Segment] = []
    for segment in segments {
      ahead.append(segment)
      // The newest first: it is what completes the stream.
      while let at = ahead.lastIndex(where: {
        $0.offset <= stream.count && $0.offset + $0.bytes.count > stream.count
      }) {
        let next = ahead.remove(at: at)
        stream += next.bytes[(stream.count - next.offset)...]
      }
    }
    var message: [UInt8] = []
    var at = 0
    while at + 5 <= stream.count {
      let length = Int(stream[at + 3]) << 8 | Int(stream[at + 4])
      guard stream[at] == 22, length > 0, at + 5 + length <= stream.count else { return nil }
      message += stream[at + 5..<at + 5 + length]
      at += 5 + length
    }
    return at == stream.count ? message : nil
  }

  /// What a server's QUIC makes of datagrams: opened with keys of the first's connection ID, CRYPTO frames in a table.
  static func handshake(datagrams: [[UInt8]], version: UInt32 = 1, protection: QUICInitialProtection = .v1) -> [UInt8]?
  {
    var bytes: [Int: UInt8] = [:]
    for datagram in datagrams where datagram.count >= 1_200 {
      let known = Array(datagram[1..<5])
      guard known.reduce(0, { $0 << 8 | UInt32($1) }) == version else { return nil }
      let id = Array(datagram[6..<6 + Int(datagram[5])])
      var at = 6 + id.count
      at += 1 + Int(datagram[at])
      // No token; the length in two bytes.
      guard datagram[at] == 0, datagram[at + 1] >> 6 == 1 else { return nil }
      let length = Int(datagram[at + 1] & 0x3f) << 8 | Int(datagram[at + 2])
      at += 3
      guard at + length == datagram.count else { return nil }
      let keys = QUICInitialKeys(protection, connectionID: id, sender: .client)
      var frames: [UInt8] = []
      guard keys.open(datagram.rawSpan, packetNumberAt: at, into: &frames) != nil else { return nil }
      var i = 0
      func number() -> Int {
        let width = 1 << Int(frames[i] >> 6)
        var value = Int(frames[i] & 0x3f)
        for byte in frames[i + 1..<i + width] { value = value << 8 | Int(byte) }
        i += width
        return value
      }
      while i < frames.count {
        let type = frames[i]
        i += 1
        if type < 2 { continue }
        guard type == 6 else { return nil }
        let offset = number()
        let count = number()
        for j in 0..<count { bytes[offset + j] = frames[i + j] }
        i += count
      }
    }
    let message = (0..<bytes.count).compactMap { bytes[$0] }
    return message.count == bytes.count ? message : nil
  }

  /// What a server puts together from a flight.
  static func handshake(_ flight: Flight, of rewrite: Rewrite) -> [UInt8]? {
    switch flight.content {
    case .segments(let segments): handshake(segments: segments)
    case .datagrams(let datagrams):
      switch rewrite {
      case .version2: handshake(datagrams: datagrams, version: 0x6b33_43cf, protection: .v2)
      case .unknownVersion: handshake(datagrams: datagrams, version: 0x1a2a_3a4a)
      default: handshake(datagrams: datagrams)
      }
    }
  }

  /// The frames of a pcap file with nanoseconds.
  static func frames(_ capture: [UInt8]) -> [[UInt8]] {
    var frames: [[UInt8]] = []
    var at = 24
    while at + 16 <= capture.count {
      let length = capture[at + 8..<at + 12].reduce(0) { $0 << 8 | Int($1) }
      frames.append(Array(capture[at + 16..<at + 16 + length]))
      at += 16 + length
    }
    return frames
  }

  /// The captures that the project brings.
  static var captures: [URL] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "captures")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".pcapng") }.sorted().map { folder.appending(path: $0) }
  }

  static func classifier() throws -> Classifier { Classifier(catalogue: try Catalogue.shipped()) }
}

@Suite("The fixtures of the evasion tests")
struct EvasionFixtureTests {
  @Test("An independent reading gives back what the fixtures hold")
  func readBack() {
    let message = EvasionFixture.message()
    #expect(EvasionFixture.handshake(segments: Flight.segments(EvasionFixture.tcp().pieces)) == message)
    let big = EvasionFixture.message(keyShare: 1_216, isQUIC: true)
    #expect(EvasionFixture.handshake(datagrams: EvasionFixture.quic(big).pieces) == big)
    #expect(EvasionFixture.quic(big).pieces.count == 2)
  }
}
