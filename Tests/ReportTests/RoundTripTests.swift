import Bytes
import Classify
import Foundation
import Protocols
import TestSupport
import Testing

@testable import Report

/// Random flows of hostile texts and extreme numbers, written and read again by readers that are not ours: what comes
/// out is what went in.
@Suite struct RoundTripTests {
  /// Pieces that quoting, escaping or Unicode could trip over; put together at random.
  private static let pieces = [
    "\"", "\\", "\\\"", "\\u0041", "\\x1b", "\\", "/", "\u{0}", "\u{1}", "\u{8}", "\t", "\n", "\u{b}", "\u{c}", "\r",
    "\r\n", "\u{1b}[31m", "\u{1f}", " ", "\u{7f}", "\u{80}", "\u{85}", "\u{9b}", "\u{a0}", "\u{ad}", "\u{200b}",
    "\u{200e}", "\u{2028}", "\u{2029}", "\u{202e}", "\u{2066}", "\u{d7ff}", "\u{e000}", "\u{feff}", "\u{fffd}",
    "\u{fffe}", "\u{ffff}", "\u{10000}", "\u{10ffff}", "e\u{301}", "\u{e9}", "漢", "👨‍👩‍👧", "🇦🇶", ",", ";", "; ", "'", "=",
    "+",
    "-", "@", "{", "}", "[", "]", ":", "null", "example.org", "a",
  ]

  /// A text of hostile pieces, or of bytes that are no UTF-8, as names from the wire become text: encoded surrogates,
  /// overlong forms and stray continuations.
  private func text(_ random: inout SeededRandom) -> String {
    let count = Int.random(in: 1...12, using: &random)
    if Int.random(in: 0..<4, using: &random) > 0 {
      return (0..<count).map { _ in Self.pieces.randomElement(using: &random) ?? "" }.joined()
    }
    let broken: [[UInt8]] = [
      [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xc0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80], [0xe2],
    ]
    var bytes: [UInt8] = []
    for _ in 0..<count {
      bytes += broken.randomElement(using: &random) ?? []
      bytes.append(UInt8.random(in: 0...255, using: &random))
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func number(_ random: inout SeededRandom) -> UInt64 {
    [0, 1, 9, 10, 1 << 31, 1 << 32, 1 << 53, (1 << 53) + 1, 1 << 63, .max, random.next()]
      .randomElement(using: &random) ?? 0
  }

  private func flow(_ random: inout SeededRandom) -> FlowEvent {
    func texts(_ random: inout SeededRandom) -> [String] {
      (0..<Int.random(in: 1...3, using: &random)).map { _ in text(&random) }
    }
    var flow = pushFlow()
    flow.id = number(&random)
    flow.source = IPAddress(high: random.next(), low: random.next())
    flow.sourcePort = [0, 1, .max].randomElement(using: &random) ?? 0
    flow.start = [.min, -1, 0, 1, .max, Int64(bitPattern: random.next())].randomElement(using: &random) ?? 0
    flow.packetsToServer = number(&random)
    flow.packetsToClient = number(&random)
    flow.bytesToServer = number(&random)
    flow.bytesToClient = number(&random)
    flow.decidedAtPacket = number(&random)
    flow.conversation = number(&random)
    flow.facts.application = ApplicationProtocol(rawValue: text(&random))
    flow.facts.tls?.serverName = text(&random)
    flow.facts.tls?.alpn = texts(&random)
    flow.facts.tls?.certificateNames = texts(&random)
    flow.facts.http = HTTPFacts()
    flow.facts.http?.host = text(&random)
    flow.facts.http?.userAgent = text(&random)
    flow.facts.dnsQuestions = texts(&random)
    flow.facts.notes = texts(&random)
    flow.names = texts(&random)
    flow.notes = texts(&random)
    flow.media = texts(&random)
    flow.process = text(&random)
    flow.capture = text(&random)
    flow.verdict = Verdict(
      tag: .push, service: text(&random), confidence: .random(in: 0...1, using: &random),
      margin: .random(in: -1e6...1e6, using: &random),
      evidence: texts(&random).map {
        Evidence(
          .sni, value: $0, tag: .push, service: text(&random), bits: .random(in: -99...99, using: &random),
          note: text(&random))
      }, carries: texts(&random).map { Carried(tag: .messaging, service: $0) }, conflicts: texts(&random))
    return flow
  }

  /// Texts by their scalars, since == takes canonical equivalents for equal.
  private func scalars(_ text: Any?) -> [UInt32]? { (text as? String)?.unicodeScalars.map(\.value) }
  private func scalars(of texts: Any?) -> [[UInt32]]? { (texts as? [String])?.map { $0.unicodeScalars.map(\.value) } }
  private func whole(_ number: Any?) -> UInt64? { (number as? NSNumber).flatMap { UInt64($0.stringValue) } }

  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func jsonLinesReadAsTheyWereMeant(seed: UInt64) throws {
    var random = SeededRandom(seed)
    var writer = JSONLines(includesShape: true)
    for _ in 0..<200 {
      let flow = flow(&random)
      let line = writer.line(flow)
      #expect(line.last == 0x0a && !line.dropLast().contains { $0 < 0x20 || $0 == 0x7f })
      let record = try #require(JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
      #expect(whole(record["flow_id"]) == flow.id)
      #expect(record["src_ip"] as? String == flow.source.description)
      #expect(whole(record["src_port"]) == UInt64(flow.sourcePort))
      #expect(whole(record["conversation"]) == flow.conversation)
      #expect(whole(record["decided_at_packet"]) == (flow.decidedAtPacket == 0 ? nil : flow.decidedAtPacket))
      #expect(scalars(record["app_proto"]) == scalars(flow.facts.application?.rawValue))
      #expect(scalars(record["service"]) == scalars(flow.verdict.service))
      #expect(scalars(record["process"]) == scalars(flow.process))
      #expect(scalars(record["capture"]) == scalars(flow.capture))
      #expect(scalars(of: record["media"]) == scalars(of: flow.media))
      #expect(scalars(of: record["notes"]) == scalars(of: flow.facts.notes + flow.notes))
      #expect(scalars(of: record["conflicts"]) == scalars(of: flow.verdict.conflicts))
      #expect(abs(try #require(record["confidence"] as? Double) - flow.verdict.confidence) <= 0.500_001e-6)
      #expect(abs(try #require(record["margin"] as? Double) - flow.verdict.margin) <= 0.005_001)
      let tls = try #require(record["tls"] as? [String: Any])
      #expect(scalars(tls["sni"]) == scalars(flow.facts.tls?.serverName))
      #expect(scalars(of: tls["alpn"]) == scalars(of: flow.facts.tls?.alpn))
      #expect(scalars(of: tls["certificate_names"]) == scalars(of: flow.facts.tls?.certificateNames))
      let http = try #require(record["http"] as? [String: Any])
      #expect(scalars(http["hostname"]) == scalars(flow.facts.http?.host))
      #expect(scalars(http["http_user_agent"]) == scalars(flow.facts.http?.userAgent))
      let dns = try #require(record["dns"] as? [String: Any])
      #expect(scalars(of: dns["names"]) == scalars(of: flow.names))
      #expect(scalars(of: dns["questions"]) == scalars(of: flow.facts.dnsQuestions))
      let evidence = try #require(record["evidence"] as? [[String: Any]])
      #expect(evidence.count == flow.verdict.evidence.count)
      for (read, meant) in zip(evidence, flow.verdict.evidence) {
        #expect(scalars(read["value"]) == scalars(meant.value) && scalars(read["note"]) == scalars(meant.note))
        #expect(abs(try #require(read["bits"] as? Double) - meant.bits) <= 0.005_001)
      }
      let carries = try #require(record["carries"] as? [[String: Any]])
      #expect(carries.map { scalars($0["service"]) } == flow.verdict.carries.map { scalars($0.service) })
      let counters = try #require(record["flow"] as? [String: Any])
      #expect(whole(counters["pkts_toserver"]) == flow.packetsToServer)
      #expect(whole(counters["pkts_toclient"]) == flow.packetsToClient)
      #expect(whole(counters["bytes_toserver"]) == flow.bytesToServer)
      #expect(whole(counters["bytes_toclient"]) == flow.bytesToClient)
    }
  }

  /// Counts by names that came from outside, as the closing line has them.
  @Test func countsByNameKeepTheirNames() throws {
    var random = SeededRandom(5)
    var writer = JSONLines()
    for _ in 0..<100 {
      var stats = syntheticStats()
      stats.limits = [:]
      for _ in 0..<4 { stats.limits[text(&random)] = number(&random) }
      let record = try #require(
        JSONSerialization.jsonObject(with: Data(writer.line(stats))) as? [String: Any])
      let limits = try #require(record["limits"] as? [String: Any])
      #expect(limits.count == stats.limits.count)
      for (name, count) in stats.limits { #expect(whole(limits[name]) == count) }
    }
  }

  /// Decimals of every size: within half a unit of the last place, and 0 beyond what 64 bits hold.
  @Test func decimalsReadWithinHalfOfTheirLastPlace() throws {
    var random = SeededRandom(6)
    for _ in 0..<5_000 {
      let places = Int.random(in: 0...9, using: &random)
      let number = Double(bitPattern: random.next())
      let ordinary = Double.random(in: -1e9...1e9, using: &random)
      for value in [number, ordinary, -ordinary.magnitude / 1e9] {
        var buffer = RecordBuffer()
        buffer.append(value, places: places)
        let written = String(decoding: buffer.bytes, as: UTF8.self)
        let read = try #require(Double(written), "\(written)")
        let unit = pow(10, -Double(places))
        if !value.isFinite || value.magnitude >= 9.2e18 * unit {
          if value.magnitude >= 9.3e18 * unit || !value.isFinite { #expect(read == 0, "\(value)") }
        } else {
          #expect((read - value).magnitude <= unit * 0.500_1 + value.ulp, "\(value) became \(written)")
        }
        #expect(!written.contains(".") || !written.hasSuffix("0"))
        #expect(try JSONSerialization.jsonObject(with: buffer.data, options: .fragmentsAllowed) is NSNumber)
      }
    }
  }

  /// What `\xNN` and `\u{N}` stand for put back; all else as it is.
  private func unescaped(_ text: String) -> [UInt32] {
    let units = text.unicodeScalars.map(\.value)
    var plain: [UInt32] = []
    var at = 0
    func hex(_ range: Range<Int>) -> UInt32? {
      guard !range.isEmpty, range.upperBound <= units.count else { return nil }
      var value: UInt32 = 0
      for unit in units[range] {
        guard
          let digit = Unicode.Scalar(unit)?.properties.isASCIIHexDigit == true
            ? UInt32(String(Unicode.Scalar(unit) ?? "0"), radix: 16) : nil
        else { return nil }
        value = value &* 16 &+ digit
      }
      return value
    }
    while at < units.count {
      if units[at] == 0x5c, at + 1 < units.count {
        if units[at + 1] == 0x78, let value = hex(at + 2..<max(at + 2, at + 4)) {
          plain.append(value)
          at += 4
          continue
        }
        if units[at + 1] == 0x75, at + 2 < units.count, units[at + 2] == 0x7b,
          let end = units[(at + 3)...].firstIndex(of: 0x7d), end - at <= 9, let value = hex(at + 3..<end)
        {
          plain.append(value)
          at = end + 1
          continue
        }
      }
      plain.append(units[at])
      at += 1
    }
    return plain
  }

  @Test(arguments: [7, 8, 9, 10] as [UInt64])
  func commaSeparatedValuesReadAsTheyWereMeant(seed: UInt64) throws {
    var random = SeededRandom(seed)
    var writer = CSV()
    let header = writer.header()
    for _ in 0..<200 {
      let flow = flow(&random)
      let rows = try csvRows(header + writer.line(flow))
      #expect(rows.count == 2 && rows[0] == CSV.columns)
      let fields = try #require(rows.count == 2 && rows[1].count == rows[0].count ? rows[1] : nil)
      let row = Dictionary(zip(rows[0], fields)) { first, _ in first }
      for (column, meant) in [
        ("flow_id", flow.id), ("src_port", UInt64(flow.sourcePort)), ("pkts_toserver", flow.packetsToServer),
        ("pkts_toclient", flow.packetsToClient), ("bytes_toserver", flow.bytesToServer),
        ("bytes_toclient", flow.bytesToClient), ("conversation", flow.conversation ?? 0),
      ] {
        #expect(row[column].flatMap { UInt64($0) } == meant, "\(column)")
      }
      #expect(row["src_ip"] == flow.source.description)
      for (column, texts) in [
        ("app_proto", [flow.facts.application?.rawValue ?? ""]), ("service", [flow.verdict.service ?? ""]),
        ("conflicts", flow.verdict.conflicts), ("sni", [flow.facts.tls?.serverName ?? ""]),
        ("alpn", flow.facts.tls?.alpn ?? []), ("http_host", [flow.facts.http?.host ?? ""]),
        ("http_user_agent", [flow.facts.http?.userAgent ?? ""]), ("dns_names", flow.names),
        ("dns_questions", flow.facts.dnsQuestions), ("media", flow.media), ("process", [flow.process ?? ""]),
        ("notes", flow.facts.notes + flow.notes), ("capture", [flow.capture ?? ""]),
      ] {
        let meant = texts.joined(separator: "; ")
        let field = try #require(row[column])
        #expect(!field.unicodeScalars.contains { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) })
        // An apostrophe stands before what a spreadsheet would run.
        let guarded = meant.unicodeScalars.first.map { "=+-@\t\r".unicodeScalars.contains($0) } ?? false
        #expect(unescaped(field) == (guarded ? [0x27] : []) + unescaped(meant), "\(column)")
      }
    }
  }
}

extension RecordBuffer {
  fileprivate var data: Data { Data(bytes) }
}
