import Bytes
import Foundation
import TestSupport
import Testing

@testable import Protocols

/// ClientHellos of real captures against what tshark and FoxIO's own test data say of them.
///
/// TCP payloads come from tshark, so that nothing but this target is tested. It takes minutes: `WIRETAG_TSHARK=1`.
@Suite struct CorpusHelloTests {
  struct Expected: Decodable {
    var file: String, stream: String?, proto: String
    var sni: String?, alpn: [String]?, ja3: String?, ja4: String?, hellos_in_frame: Int?
  }

  struct Segment {
    var stream: Int, source: String, sourcePort: UInt16, destinationPort: UInt16, sequence: UInt32, payload: [UInt8]
  }

  static func expectations() throws -> [String: [Int: Expected]] {
    guard let folder = Corpus.folder else { return [:] }
    let text = try String(contentsOf: folder.appending(path: "hellos.jsonl"), encoding: .utf8)
    var files: [String: [Int: Expected]] = [:]
    for line in text.split(separator: "\n") {
      let row = try JSONDecoder().decode(Expected.self, from: Data(line.utf8))
      guard row.proto == "tls", let stream = row.stream, stream.hasPrefix("tcp:"), let number = Int(stream.dropFirst(4))
      else { continue }
      if files[row.file]?[number] == nil { files[row.file, default: [:]][number] = row }
    }
    return files
  }

  static func segments(_ capture: URL) throws -> [Segment] {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    let fields = [
      "tcp.stream", "ip.src", "ipv6.src", "tcp.srcport", "tcp.dstport", "tcp.seq", "tcp.flags.syn", "tcp.payload",
    ]
    process.arguments =
      ["tshark", "-n", "-r", capture.path, "-Y", "tcp.len > 0", "-T", "fields", "-E", "occurrence=l"]
      + fields.flatMap { ["-e", $0] }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard cells.count == 8, let stream = Int(cells[0]), let source = UInt16(cells[3]),
        let destination = UInt16(cells[4]), let sequence = UInt32(cells[5])
      else { return nil }
      return Segment(
        stream: stream, source: cells[1].isEmpty ? cells[2] : cells[1], sourcePort: source,
        destinationPort: destination, sequence: cells[6] == "1" || cells[6] == "True" ? sequence + 1 : sequence,
        payload: bytes(fromHex: cells[7]))
    }
  }

  static func bytes(fromHex text: String) -> [UInt8] {
    let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  /// Puts a stream's segments in order, side by side, and feeds them.
  static func parse(_ segments: [Segment], chunk: Int? = nil) -> StreamParser? {
    guard let first = segments.first else { return nil }
    var parser = StreamParser(
      clientPort: first.sourcePort, serverPort: first.destinationPort, cache: nil)
    var next: [Bool: Int64] = [true: 1, false: 1]
    var held: [Bool: [Segment]] = [true: [], false: []]
    func feed(_ segment: Segment, _ isClient: Bool) {
      let skip = Int(next[isClient, default: 1] - Int64(segment.sequence))
      guard skip < segment.payload.count else { return }
      let new = Array(segment.payload.dropFirst(max(skip, 0)))
      next[isClient] = Int64(segment.sequence) + Int64(segment.payload.count)
      let size = chunk ?? new.count
      for start in stride(from: 0, to: new.count, by: size) {
        let part = Array(new[start..<min(start + size, new.count)])
        parser.consume(part.rawSpan, from: isClient ? .client : .server)
      }
    }
    func drain(_ isClient: Bool, _ withGaps: Bool) {
      while true {
        held[isClient]?.sort { $0.sequence < $1.sequence }
        guard let segment = held[isClient]?.first else { return }
        let isGap = Int64(segment.sequence) > next[isClient, default: 1]
        if isGap, !withGaps { return }
        if isGap { parser.skipGap(from: isClient ? .client : .server) }
        held[isClient]?.removeFirst()
        if isGap { next[isClient] = Int64(segment.sequence) }
        feed(segment, isClient)
      }
    }
    for segment in segments {
      let isClient = segment.source == first.source && segment.sourcePort == first.sourcePort
      held[isClient, default: []].append(segment)
      drain(isClient, false)
    }
    drain(true, true)
    drain(false, true)
    return parser
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["WIRETAG_TSHARK"] != nil, "slow: set WIRETAG_TSHARK"))
  func hellosEqualTsharks() throws {
    guard let folder = Corpus.folder else { return }
    var counts: [String: (right: Int, all: Int)] = [:]
    for (file, streams) in try Self.expectations().sorted(by: { $0.key < $1.key }) {
      let segments = Dictionary(grouping: try Self.segments(folder.appending(path: file)), by: \.stream)
      for (number, expected) in streams.sorted(by: { $0.key < $1.key }) {
        let parser = Self.parse(segments[number] ?? [])
        let tls = parser?.facts.tls
        func check(_ field: String, _ isRight: Bool, _ got: Any?, _ want: Any?) {
          counts[field, default: (0, 0)].all += 1
          if isRight {
            counts[field]?.right += 1
          } else {
            print(
              "DIFFERENCE \(file) tcp:\(number) \(field): \(String(describing: got)) for \(String(describing: want)) \(parser?.facts.application?.rawValue ?? "-") \(parser?.facts.notes ?? [])"
            )
          }
        }
        check("found", tls?.ja4 != nil, tls?.version, nil)
        guard let tls, tls.ja4 != nil else { continue }
        check("sni", tls.serverName ?? "" == expected.sni ?? "", tls.serverName, expected.sni)
        check("alpn", tls.alpn == expected.alpn ?? [], tls.alpn, expected.alpn)
        check("ja3", tls.ja3 == expected.ja3, tls.ja3, expected.ja3)
        check("ja4", expected.ja4 == nil || tls.ja4 == expected.ja4, tls.ja4, expected.ja4)
        let bytewise = Self.parse(segments[number] ?? [], chunk: 1)
        check("one byte chunks", bytewise?.facts.tls == tls, bytewise?.facts.tls, tls)
      }
    }
    for (field, count) in counts.sorted(by: { $0.key < $1.key }) {
      print("hellos \(field): \(count.right) of \(count.all)")
      // OpenVPN carries hellos that are not TLS over TCP, and a few hellos are broken on purpose. Behind a protocol that
      // nothing is known of, and behind a gap, only a segment's begin shows a hello: a byte at a time hides it.
      #expect(Double(count.right) >= (field == "one byte chunks" ? 0.98 : 0.99) * Double(count.all))
    }
  }
}
