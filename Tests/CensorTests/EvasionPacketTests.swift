import Bytes
import Foundation
import Testing

@testable import Censor

@Suite("Packets that are made")
struct EvasionPacketTests {
  /// The Internet checksum (RFC 1071) over bytes that hold it is 0.
  private static func sum(_ bytes: [UInt8]) -> UInt32 {
    var sum: UInt32 = 0
    for at in stride(from: 0, to: bytes.count, by: 2) {
      sum += UInt32(bytes[at]) << 8 | (at + 1 < bytes.count ? UInt32(bytes[at + 1]) : 0)
      if sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    }
    return sum
  }

  /// Puts the payloads of IP packets together: source, destination, protocol, payload and the number of fragments.
  private static func datagrams(
    _ frames: [[UInt8]]
  ) throws -> [(addresses: [UInt8], transport: UInt8, payload: [UInt8], fragments: Int)] {
    struct Part {
      var offset: Int
      var bytes: [UInt8]
      var isLast: Bool
    }
    var order: [[UInt8]] = []
    var parts: [[UInt8]: [Part]] = [:]
    var heads: [[UInt8]: (addresses: [UInt8], transport: UInt8)] = [:]
    for (number, frame) in frames.enumerated() {
      var key: [UInt8]
      var part: Part
      if frame[12] == 8 {
        #expect(sum(Array(frame[14..<34])) == 0xffff)
        let flags = Int(frame[20]) << 8 | Int(frame[21])
        #expect(Int(frame[16]) << 8 | Int(frame[17]) == frame.count - 14)
        key = Array(frame[18..<20]) + Array(frame[26..<34])
        heads[key] = (Array(frame[26..<34]), frame[23])
        part = Part(offset: flags % 0x2000 * 8, bytes: Array(frame[34...]), isLast: flags & 0x2000 == 0)
        if flags == 0x4000 { part.offset = 0 }
      } else {
        #expect(Int(frame[18]) << 8 | Int(frame[19]) == frame.count - 54)
        let isFragment = frame[20] == 44
        let flags = isFragment ? Int(frame[56]) << 8 | Int(frame[57]) : 0
        key = Array(frame[22..<54]) + (isFragment ? Array(frame[58..<62]) : Array("\(number)".utf8))
        heads[key] = (Array(frame[22..<54]), isFragment ? frame[54] : frame[20])
        part = Part(
          offset: flags & 0xfff8, bytes: Array(frame[(isFragment ? 62 : 54)...]), isLast: flags & 1 == 0)
      }
      if parts[key] == nil { order.append(key) }
      parts[key, default: []].append(part)
    }
    return try order.map { key in
      let sorted = (parts[key] ?? []).sorted { $0.offset < $1.offset }
      var payload: [UInt8] = []
      for part in sorted {
        #expect(part.offset == payload.count)
        if !part.isLast { #expect(part.bytes.count % 8 == 0) }
        payload += part.bytes
      }
      #expect(sorted.last?.isLast == true)
      let head = try #require(heads[key])
      return (head.addresses, head.transport, payload, sorted.count)
    }
  }

  private static func pseudo(_ addresses: [UInt8], _ transport: UInt8, _ length: Int) -> [UInt8] {
    addresses + [0, transport, UInt8(length >> 8), UInt8(length & 255)]
  }

  @Test("Every packet has right lengths and checksums, also put together from fragments", arguments: [true, false])
  func checksums(_ isV4: Bool) throws {
    for hello in [EvasionFixture.tcp(isV4: isV4), EvasionFixture.quic(isV4: isV4)] {
      for rewrite in Rewrite.allCases {
        guard let made = rewrite.rewrite(hello) else { continue }
        var capture = EvasionCapture()
        capture.add(hello, made.flight, number: 7)
        let frames = EvasionFixture.frames(capture.bytes)
        #expect(frames.count == capture.packets)
        for datagram in try Self.datagrams(frames) {
          let head = Self.pseudo(datagram.addresses, datagram.transport, datagram.payload.count)
          #expect(Self.sum(head + datagram.payload) == 0xffff)
        }
      }
    }
  }

  @Test("A hello of 45 or 46 fragments has so many", arguments: [true, false])
  func numberOfFragments(_ isV4: Bool) throws {
    for (rewrite, count) in [(Rewrite.fragments45, 45), (.fragments46, 46), (.fragments, 4), (.fragmentsReversed, 4)] {
      for hello in [
        EvasionFixture.tcp(EvasionFixture.message(keyShare: 400), isV4: isV4), EvasionFixture.quic(isV4: isV4),
      ] {
        let made = try #require(rewrite.rewrite(hello))
        var capture = EvasionCapture()
        capture.add(hello, made.flight, number: 0)
        let datagrams = try Self.datagrams(EvasionFixture.frames(capture.bytes))
        #expect(datagrams.map(\.fragments).max() == count)
        // The handshake of TCP is not cut.
        #expect(datagrams.filter { $0.fragments > 1 }.count == 1)
      }
    }
  }

  @Test("Fragments cover a payload, the first with a whole TCP header")
  func parts() throws {
    for length in 0..<1_400 {
      for count in [2, 3, 4, 45, 46] {
        guard let parts = PacketForge.parts(of: length, into: count) else {
          #expect(length < PacketForge.firstFragment + 8 * (count - 2) + 1)
          continue
        }
        #expect(parts.count == count)
        #expect(parts[0].lowerBound == 0 && parts[0].upperBound >= 40 && parts[count - 1].upperBound == length)
        #expect(zip(parts, parts.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(parts.dropLast().allSatisfy { $0.upperBound % 8 == 0 })
        #expect(parts.allSatisfy { !$0.isEmpty })
      }
    }
  }

  @Test("tshark finds no wrong checksum and reads the same names")
  func tshark() throws {
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/tshark") else {
      FileHandle.standardError.write(Data("SKIPPED: no tshark here\n".utf8))
      return
    }
    var capture = EvasionCapture()
    var expected: [String: String] = [:]
    var number = 0
    for rewrite in Rewrite.allCases {
      for hello in [
        EvasionFixture.tcp(), EvasionFixture.tcp(isV4: false),
        EvasionFixture.tcp(EvasionFixture.message(keyShare: 1_216)), EvasionFixture.quic(connection: number),
        EvasionFixture.quic(isV4: false, connection: number + 1),
        EvasionFixture.quic(EvasionFixture.message(keyShare: 1_216, isQUIC: true), connection: number + 2),
      ] {
        number += 3
        guard let made = rewrite.rewrite(hello) else { continue }
        capture.add(hello, made.flight, number: number)
        // tshark opens no Initial of a version that it does not know.
        guard rewrite != .unknownVersion else { continue }
        let client = EvasionCapture.client(number, isV4: hello.server.isV4)
        expected["\(client)"] = "\(rewrite.rawValue) \(made.serverName ?? "")"
      }
    }
    let file = FileManager.default.temporaryDirectory.appending(path: "evasions-\(UUID().uuidString).pcap")
    try Data(capture.bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let wrong = try Self.run([
      "-r", file.path, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o",
      "udp.check_checksum:TRUE", "-Y", "ip.checksum.status==0 || tcp.checksum.status==0 || udp.checksum.status==0",
    ])
    #expect(wrong.isEmpty)
    let rows = try Self.run([
      "-r", file.path, "-o", "tcp.reassemble_out_of_order:TRUE", "-Y", "tls.handshake.type==1", "-T", "fields", "-e",
      "ip.src", "-e", "ipv6.src", "-e", "tls.handshake.extensions_server_name",
    ])
    var found: [String: String] = [:]
    for row in rows {
      let fields = row.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 3 else { continue }
      found[fields[0] + fields[1]] = fields[2]
    }
    #expect(expected.count > 100)
    for (client, words) in expected.sorted(by: { $0.value < $1.value }) {
      #expect(found[client].map { words.hasSuffix(" \($0)") } == true, "\(words)")
    }
  }

  private static func run(_ arguments: [String]) throws -> [String] {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/tshark")
    process.arguments = arguments
    let (output, errors) = (Pipe(), FileHandle.nullDevice)
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
