import Decode
import Testing

@testable import Truth

@Suite("A person's labels")
struct LabelTests {
  private static func traffic() -> LabelledTraffic {
    var traffic = LabelledTraffic()
    traffic.captures = ["made-up"]
    var flow = LabelledFlow()
    flow.serverPort = 5223
    traffic.flows = [flow]
    return traffic
  }

  private static func record(_ seconds: Int64, isUp: Bool) -> LabelledRecord {
    var record = LabelledRecord()
    record.time = seconds * 1_000_000_000
    record.isUp = isUp
    return record
  }

  @Test func aLineCoversItsTimeAndDirection() throws {
    let table = try LabelTable(
      text:
        "start\tend\tclass\tkind\tdirection\n# a comment\n10\t20\timessage\timessage.text\tup\n15\t15\tnotification\t\t\n",
      name: "labels")
    var traffic = Self.traffic()
    var records = [Self.record(9, isUp: true), Self.record(10, isUp: true), Self.record(12, isUp: false)]
    records += [Self.record(15, isUp: true), Self.record(16, isUp: true), Self.record(21, isUp: true)]
    #expect(table.label(&records, in: &traffic) == 3)
    #expect(records.map { traffic.className($0) } == ["", "imessage", "", "notification", "imessage", ""])
    #expect(records[1].source == .file)
    #expect(traffic.kindName(records[1]) == "imessage.text")
  }

  @Test func portAndTimesAsPeopleWriteThem() throws {
    let text = "start\tend\tclass\tport\n2026-11-23T10:00:00Z\t2026-11-23T10:00:00.5Z\timessage\t5223\n"
    let table = try LabelTable(text: text, name: "labels")
    #expect(table.rows.first?.start == 1_795_428_000_000_000_000)
    #expect(table.rows.first?.end == 1_795_428_000_500_000_000)
    #expect(table.rows.first?.port == 5223)
  }

  @Test(arguments: [
    ("", "is empty"), ("start\tclass\n", "no column is called end"),
    ("start\tend\tclass\n1\tx\ta\n", "line 2: start and end"),
    ("start\tend\tclass\n2\t1\ta\n", "line 2: ends before it starts"),
    ("start\tend\tclass\n1\t2\t\n", "names no class"),
    ("start\tend\tclass\tdirection\n1\t2\ta\tleft\n", "direction is up or down"),
    ("start\tend\tclass\tport\n1\t2\ta\t70000\n", "port is a number"), ("start\tend\tclass\nnan\t2\ta\n", "line 2"),
  ])
  func whatIsWrongIsSaid(text: String, sentence: String) {
    #expect { try LabelTable(text: text, name: "labels") } throws: { "\($0)".contains(sentence) }
  }

  @Test func wordsNameKindsOfTraffic() throws {
    var traffic = Self.traffic()
    traffic.flows[0].trueService = "WhatsApp calls"
    traffic.flows[0].trueTag = "calling"
    traffic.flows[0].transport = .udp
    var record = Self.record(1, isUp: true)
    record.messageClass = traffic.number(of: "notification")
    record.kind = traffic.number(of: "notification.chat")
    traffic.records = [record]
    let basis = { (word: String) in TrafficClass(word, in: traffic)?.basis }
    #expect(basis("Notifications") == .messageClass)
    #expect(basis("notification.chat") == .kind)
    #expect(basis("whatsapp calls") == .trueService)
    #expect(basis("whatsapp-calls-media") == .trueMedia)
    #expect(basis("calling") == .trueTag)
    #expect(basis("other") == .tag)
    #expect(basis("imessage") == nil)
    #expect(TrafficClass.words(in: traffic).contains("notification"))
    let isMember = try #require(TrafficClass("notifications", in: traffic)).membership(in: traffic)
    #expect(isMember(record))
    #expect(!isMember(Self.record(1, isUp: true)))
  }
}
