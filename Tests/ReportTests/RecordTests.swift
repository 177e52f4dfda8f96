import Bytes
import Foundation
import Testing

@testable import Report

@Suite("Records")
struct RecordTests {
  private func object(_ line: [UInt8]) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
  }

  @Test func everyNumberAndNameArrives() throws {
    var json = JSONLines(includesShape: true)
    let record = try object(json.line(pushFlow()))
    #expect(record["event_type"] as? String == "flow")
    #expect(record["flow_id"] as? Int == 7)
    #expect(record["confidence"] as? Double == 0.998)
    let flow = try #require(record["flow"] as? [String: Any])
    #expect(flow["bytes_toclient"] as? Int == 8_830)
    #expect(flow["age"] as? Double == 54.200000001)
    let shape = try #require(record["shape"] as? [String: Any])
    #expect(shape["sizes"] as? [Int] == [517, -1_400, -812, 64])
    #expect(shape["sizes_toserver"] as? [Int] == [0, 30, 11])
    #expect(shape["sizes_toclient"] == nil)
    let evidence = try #require(record["evidence"] as? [[String: Any]])
    #expect(evidence.map { $0["bits"] as? Double } == [9.2, 4.05, 1.5, 0.5])
  }

  @Test func unknownIsAbsent() throws {
    var json = JSONLines(includesShape: true)
    let record = try object(json.line(plainFlow()))
    for key in [
      "app_proto", "service", "carries", "evidence", "tls", "http", "dns", "tunnel", "vlan", "notes", "capture",
    ] {
      #expect(record[key] == nil, "\(key)")
    }
    #expect(!record.values.contains { $0 is NSNull })
  }

  @Test(arguments: hostileTexts)
  func hostileTextSurvivesTheRoundTrip(_ text: String) throws {
    var json = JSONLines(includesShape: true)
    let line = json.line(hostileFlow(text))
    // One line, and nothing in it that a terminal obeys.
    #expect(line.filter { $0 == 0x0a }.count == 1)
    #expect(line.last == 0x0a)
    #expect(!line.dropLast().contains { $0 < 0x20 || $0 == 0x7f })
    let whole = String(decoding: line, as: UTF8.self)
    #expect(!whole.unicodeScalars.contains { (0x80...0x9f).contains($0.value) || (0x2028...0x202e).contains($0.value) })
    let record = try object(line)
    let tls = try #require(record["tls"] as? [String: Any])
    // Compared by scalars: JSONSerialization keeps them, and == would let canonical equivalents pass.
    #expect(
      (tls["sni"] as? String).map { Array($0.unicodeScalars) } == (text.isEmpty ? nil : Array(text.unicodeScalars)))
    #expect(
      (tls["alpn"] as? [String]).map { $0.map { Array($0.unicodeScalars) } }
        == [text, text].map { Array($0.unicodeScalars) })
    // Not a number and infinity are no JSON.
    #expect(record["confidence"] as? Double == 0)
  }

  @Test(arguments: hostileTexts)
  func hostileTextStaysInItsField(_ text: String) throws {
    var csv = CSV()
    let rows = try csvRows(csv.header() + csv.line(hostileFlow(text)))
    #expect(rows.count == 2)
    #expect(rows.map(\.count) == [CSV.columns.count, CSV.columns.count])
    for field in rows[1] {
      #expect(!["=", "+", "-", "@", "\t", "\r"].contains(field.first.map(String.init) ?? ""), "\(field)")
      #expect(!field.unicodeScalars.contains { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) })
    }
  }

  @Test(arguments: [
    // Python: datetime.fromtimestamp(...)
    (0, "1970-01-01T00:00:00.000000000Z"), (-1, "1969-12-31T23:59:59.999999999Z"),
    (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"),
    (4_107_542_399_999_999_999, "2100-02-28T23:59:59.999999999Z"),
    (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000000Z"),
    (Int64.max, "2262-04-11T23:47:16.854775807Z"), (Int64.min, "1677-09-21T00:12:43.145224192Z"),
  ])
  func times(_ nanoseconds: Int64, _ text: String) {
    var buffer = RecordBuffer()
    buffer.append(time: nanoseconds)
    #expect(String(decoding: buffer.bytes, as: UTF8.self) == text)
  }

  @Test func timesAgreeWithFoundation() {
    var generator = SystemRandomNumberGenerator()
    let style = Date.ISO8601FormatStyle()
    for _ in 0..<500 {
      let seconds = Int64.random(in: -9_000_000_000...9_000_000_000, using: &generator)
      var buffer = RecordBuffer()
      buffer.append(time: seconds * 1_000_000_000)
      let expected = Date(timeIntervalSince1970: Double(seconds)).formatted(style).dropLast() + ".000000000Z"
      #expect(String(decoding: buffer.bytes, as: UTF8.self) == expected)
    }
  }

  @Test(arguments: [
    (0.0, "0"), (-0.25, "-0.25"), (1.005, "1.01"), (9.2, "9.2"), (-12.0, "-12"), (0.000_4, "0"), (.nan, "0"),
    (.infinity, "0"), (1e300, "0"), (123_456.5, "123456.5"),
  ])
  func decimals(_ number: Double, _ text: String) {
    var buffer = RecordBuffer()
    buffer.append(number, places: 2)
    let written = String(decoding: buffer.bytes, as: UTF8.self)
    // 1.005 lies between two doubles: either rounding is right.
    #expect(written == text || number == 1.005 && written == "1")
  }

  @Test(arguments: [Int64.min, -1, 0, 7, 10, 99, 100, Int64.max])
  func wholeNumbers(_ number: Int64) {
    var buffer = RecordBuffer()
    buffer.append(decimal: number)
    #expect(String(decoding: buffer.bytes, as: UTF8.self) == String(number))
  }

  @Test func addressesReadAsTheyDescribeThemselves() {
    for text in ["0.0.0.0", "255.255.255.255", "192.0.2.10", "::", "::1", "2001:db8::1:0:0:1"] {
      var buffer = RecordBuffer()
      buffer.append(address(text))
      #expect(String(decoding: buffer.bytes, as: UTF8.self) == text)
    }
  }
}
