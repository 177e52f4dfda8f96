import Bytes
import Decode
import Foundation
import Testing

/// The fuzzer's seeds are the samples of these tests, and what it found is decoded here again.
@Suite struct SeedTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fuzz/Corpus/Decode")

  /// As in FuzzDecode.swift.
  static let links: [UInt16] = [
    1, 113, 276, 0, 108, 101, 12, 14, 228, 229, 9, 50, 51, 104, 239, 117, 10, 274, 147, 6, 8, 100, 105, 107, 109, 119,
    123, 127,
    149, 163, 166, 192, 204, 205, 206, 226, 242, 258, 281, 282, 284, 285,
  ]

  static func seed(_ link: LinkType, _ packets: [[UInt8]]) -> [UInt8] {
    let index = UInt8(links.firstIndex(of: link.rawValue) ?? links.count - 1)
    return [index, 0] + packets.flatMap { bigEndian($0.count) + [0] + $0 }
  }

  static let seeds: [(name: String, bytes: [UInt8])] =
    Sample.all.map { ($0.name, seed($0.link, [$0.bytes])) } + [
      (
        "fragments-ipv4",
        seed(
          .raw,
          [
            Packet.ipv4(17, Packet.udp(1, 2, [1, 2, 3, 4, 5, 6, 7, 8]), identification: 1, more: true),
            Packet.ipv4(17, [9, 10], identification: 1, offset: 24),
            Packet.ipv4(17, [UInt8](repeating: 0, count: 8), identification: 1, offset: 16, more: true),
          ])
      ),
      (
        "fragments-ipv6",
        seed(
          .raw,
          [
            Packet.fragment6(17, [9, 10], identification: 1, offset: 16, more: false),
            Packet.fragment6(
              17, Packet.udp(1, 2, [1, 2, 3, 4, 5, 6, 7, 8]), identification: 1, offset: 0, more: true),
          ])
      ),
      (
        "fragments-in-tunnel",
        seed(
          .raw,
          [
            Packet.ipv4(
              4, Packet.ipv4(17, Packet.udp(1, 2152, hex("30 ff 002d 00000001")), identification: 1, more: true)),
            Packet.ipv4(4, Packet.ipv4(17, Packet.tcp4, identification: 1, offset: 16)),
          ])
      ),
    ]

  /// With `WIRETAG_RECORD` set, writes the seeds anew.
  @Test func seedsAreTheSamples() throws {
    for seed in Self.seeds {
      let file = Self.folder.appending(path: seed.name)
      if ProcessInfo.processInfo.environment["WIRETAG_RECORD"] != nil {
        try Data(seed.bytes).write(to: file)
      }
      #expect(try [UInt8](Data(contentsOf: file)) == seed.bytes, "\(seed.name)")
    }
  }

  @Test func everySeedAndFindingKeepsTheInvariants() throws {
    let files = try FileManager.default.contentsOfDirectory(at: Self.folder, includingPropertiesForKeys: nil)
    #expect(files.count >= Self.seeds.count)
    for file in files {
      let input = [UInt8](try Data(contentsOf: file))
      guard input.count >= 2 else { continue }
      let link = LinkType(rawValue: Self.links[Int(input[0]) % Self.links.count])
      var decoder = Decoder()
      var time: Int64 = 0
      var at = 2
      while at + 3 <= input.count {
        let length = min(Int(input[at]) << 8 | Int(input[at + 1]), input.count - at - 3)
        let control = input[at + 2]
        time += Int64(control >> 4) * 5_000_000_000
        let packet = Array(input[at + 3..<at + 3 + length])
        let decoded = decoder.decode(packet, link: link, wire: length + Int(control & 15) * 16, at: time)
        let source = decoded.headers.isReassembled ? decoder.reassembled.byteCount : length
        #expect(check(decoded.outcome, decoded.headers, source: source) == nil, "\(file.lastPathComponent)")
        at += 3 + length
      }
    }
  }
}
