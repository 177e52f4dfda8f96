import Bytes
import Classify
import Testing

@testable import Training

@Suite struct LabelTests {
  static let head = "file\tproto\tip_a\tport_a\tip_b\tport_b\ttag\tservice\tbasis\n"

  @Test func readsEitherDirection() throws {
    let table = try LabelTable(
      parsing: Self.head + "b.pcap\tUDP\t192.0.2.1\t1000\t198.51.100.2\t53\tcalling\tx\ty\n"
        + "a.pcap\tTCP\tfe80::1%eth0\t1\t2001:db8::2\t2\tpush\n" + "a.pcap\tTCP\t192.0.2.1\t1\t192.0.2.2\t2\t?\n",
      file: "l.tsv")
    let (one, two) = (try #require(IPAddress("192.0.2.1")), try #require(IPAddress("198.51.100.2")))
    #expect(table.files == ["a.pcap", "b.pcap"])
    #expect(table.tag(file: "b.pcap", isTCP: false, two, 53, one, 1000) == .calling)
    #expect(table.tag(file: "b.pcap", isTCP: false, one, 1000, two, 53) == .calling)
    #expect(table.tag(file: "b.pcap", isTCP: true, one, 1000, two, 53) == nil)
    #expect(table.tag(file: "b.pcap", isTCP: false, one, 53, two, 1000) == nil)
    let (six, other) = (try #require(IPAddress("fe80::1")), try #require(IPAddress("2001:db8::2")))
    #expect(table.tag(file: "a.pcap", isTCP: true, other, 2, six, 1) == .push)
  }

  @Test(arguments: [
    ("", "is empty"), ("file\tproto\n", "no column 'ip_a'"), (head, "labels no flow"),
    (head + "f\tTCP\t192.0.2.1\t1\t192.0.2.2\t2\tspam\n", "line 2 has the tag 'spam'"),
    (head + "f\tICMP\t192.0.2.1\t1\t192.0.2.2\t2\tpush\n", "line 2 names no TCP or UDP flow"),
    (head + "f\tTCP\t192.0.2.1\t1\t192.0.2.2\t70000\tpush\n", "line 2 names no TCP or UDP flow"),
    (head + "f\tTCP\t192.0.2.1\t1\t192.0.2.2\t2\t?\n", "labels no flow"),
  ])
  func refuses(_ text: String, _ says: String) {
    let error = #expect(throws: TrainingError.self) { try LabelTable(parsing: text, file: "l.tsv") }
    #expect(error?.description.hasPrefix("l.tsv: ") == true)
    #expect(error?.description.contains(says) == true, "\(String(describing: error))")
  }

  @Test func missingFile() {
    let error = #expect(throws: TrainingError.self) { try LabelTable(path: "/nonexistent/labels.tsv") }
    #expect(error?.description == "/nonexistent/labels.tsv: no such file")
  }
}
