import Bytes
import Decode
import Statistics
import Testing
import Truth

@testable import Separability

@Suite("Identifiers")
struct IdentificationTests {
  /// Traffic of made-up captures: each row is capture, server's port, server name, and how many records of target and
  /// background its one flow carries.
  private static func study(_ rows: [(Int, UInt16, String?, Int, Int)]) -> IdentifyResult {
    var traffic = LabelledTraffic()
    for (number, row) in rows.enumerated() {
      while traffic.captures.count <= row.0 { traffic.captures.append("made-up \(traffic.captures.count)") }
      var flow = LabelledFlow()
      flow.capture = row.0
      flow.client = IPAddress("192.0.2.1") ?? flow.client
      flow.server = IPAddress("198.51.100.7") ?? flow.server
      (flow.clientPort, flow.serverPort, flow.serverName) = (UInt16(40_000 + number), row.1, row.2)
      traffic.flows.append(flow)
      for place in 0..<(row.3 + row.4) {
        var record = LabelledRecord()
        record.time = Int64(traffic.records.count)
        record.flow = Int32(number)
        record.messageClass = traffic.number(of: place < row.3 ? "imessage" : "notification")
        traffic.records.append(record)
      }
    }
    let words = traffic
    return Identification(
      traffic, target: { words.className($0) == "imessage" }, background: { words.className($0) == "notification" },
      seed: 1
    ).result()
  }

  private static func row(_ identifier: String, _ result: IdentifyResult) -> IdentifierRow? {
    result.rows.first { $0.identifier == identifier }
  }

  @Test func aSharedConnectionTellsNothing() throws {
    let result = Self.study([(0, 5223, "courier.push.apple.com", 30, 50), (1, 5223, "courier.push.apple.com", 5, 5)])
    #expect(result.sharedConnections == 2 && result.connections == 2)
    #expect(result.targetOnShared == 35 && result.backgroundOnShared == 55)
    for row in result.rows {
      #expect(row.bitsOnPhone?.value == 0)
      #expect(row.bestError == 0.5)
    }
    // Over both captures together the 5-tuple tells which capture was made: 30 of 35 against 50 of 55, not 0.
    let tuple = try #require(Self.row("5-tuple", result))
    #expect(try #require(tuple.bitsOverall).value > 0)
    #expect(Self.row("server port", result)?.sentence == "the same for both: 0 bits")
  }

  @Test func flowsOfTheirOwnTellAll() throws {
    let result = Self.study([(0, 5223, "courier.push.apple.com", 0, 40), (0, 3478, nil, 60, 0)])
    #expect(result.sharedConnections == 0)
    for name in ["5-tuple", "server port", "server name (SNI)"] {
      let row = try #require(Self.row(name, result))
      #expect(abs(try #require(row.bitsOnPhone).value - 1) < 1e-9)
      #expect(row.bestError == 0)
      #expect(row.sentence.hasPrefix("tells them apart by itself"))
    }
    #expect(Self.row("server address", result)?.bitsOnPhone?.value == 0)
    #expect(Self.row("server name (SNI)", result)?.known == 40)
    #expect(Self.row("JA4", result) == nil, "nobody showed one")
  }

  /// Two connections of one phone, three quarters of each kind on its own one: 1 - H(1/4) bits (Cover and Thomas, 2.1).
  @Test func aHintIsMeasured() throws {
    let result = Self.study([(0, 443, "a", 75, 25), (0, 5223, "b", 25, 75)])
    let port = try #require(Self.row("server port", result))
    #expect(abs(try #require(port.bitsOnPhone).value - 0.188_721_875_5) < 1e-9)
    #expect(port.bestError == 0.25)
    #expect(try #require(port.bitsByChance) < 0.05)
    #expect(port.sentence == "0.19 bits of 1; the best rule on it errs in 25 of 100 cases")
  }

  @Test func nothingIsSaidWhereNoPhoneHasBoth() throws {
    let result = Self.study([(0, 5223, "a", 10, 0), (1, 443, "b", 0, 10)])
    let port = try #require(Self.row("server port", result))
    #expect(port.bitsOnPhone == nil)
    #expect(port.sentence.hasPrefix("no capture holds both kinds"))
    #expect(Self.study([]).rows.isEmpty)
  }

  @Test(arguments: [
    ("17.57.144.84", "17.57.144.0/24"), ("2620:149:a44:1::18", "2620:149:a44::/48"), ("::1", "::/48"),
  ])
  func prefixes(address: String, prefix: String) throws {
    var flow = LabelledFlow()
    flow.server = try #require(IPAddress(address))
    #expect(Identifier.prefix.value(of: flow) == prefix)
  }
}
