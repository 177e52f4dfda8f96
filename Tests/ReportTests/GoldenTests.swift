import Bytes
import Classify
import Testing

@testable import Report

@Suite("Outputs as a person has read them")
struct GoldenTests {
  @Test(arguments: [40, 80, 120, 200])
  func table(width: Int) throws {
    let table = FlowOverview(title: "synthetic.pcapng", style: TextStyle(width: width))
    let lines = table.lines(syntheticSummary(), syntheticStats())
    try expectGolden(lines.joined(separator: "\n") + "\n", "table-\(width).txt")
  }

  @Test func tableOfAllFlowsInASCII() throws {
    var table = FlowOverview(title: "synthetic.pcapng", style: TextStyle(width: 120, isUnicode: false))
    table.showsAll = true
    let lines = table.lines(syntheticSummary(all: true), syntheticStats())
    #expect(lines.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
    try expectGolden(lines.joined(separator: "\n") + "\n", "table-all-ascii.txt")
  }

  @Test(arguments: [60, 80, 120])
  func ledger(width: Int) throws {
    let ledger = Ledger(style: TextStyle(width: width))
    let lines = [pushFlow(), callFlow(), plainFlow()].map { ledger.lines($0).joined(separator: "\n") }
    try expectGolden(lines.joined(separator: "\n\n") + "\n", "ledger-\(width).txt")
  }

  @Test func liveLines() throws {
    let lines = [72, 100, 140].flatMap { width in
      let line = FlowLine(style: TextStyle(width: width))
      return ([pushFlow(), callFlow(), plainFlow()] + smallFlows()).map { line.line($0) }
    }
    try expectGolden(lines.joined(separator: "\n") + "\n", "live.txt")
  }

  @Test func jsonLines() throws {
    var json = JSONLines(includesShape: true)
    var text: [UInt8] = []
    for flow in [pushFlow(), callFlow(), plainFlow()] + smallFlows() { text += json.line(flow) }
    text += json.decision(pushFlow())
    var packet = PacketEvent()
    packet.number = 12
    packet.timestamp = instant
    packet.flowID = 7
    packet.wireLength = 1_514
    packet.payloadLength = 1_448
    packet.tag = .push
    packet.service = "APNs"
    text += json.line(packet)
    text += json.line(syntheticStats())
    try expectGolden(String(decoding: text, as: UTF8.self), "records.jsonl")
  }

  @Test func commaSeparatedValues() throws {
    var csv = CSV()
    var text = csv.header()
    for flow in [pushFlow(), callFlow(), plainFlow()] + smallFlows() { text += csv.line(flow) }
    try expectGolden(String(decoding: text, as: UTF8.self), "flows.csv")
  }
}
