import Classify
import Engine
import Foundation
import Report
import TestSupport
import Testing

@testable import Regress

@Suite("What differs, and how it is said")
struct ComparisonTests {
  private func expectation(_ text: String) throws -> CaptureExpectation {
    try ExpectationFile(text, name: "x").expectation
  }

  private func text(_ comparison: Comparison, flows: Int = 4, limit: Int? = nil, colored: Bool = false) -> String {
    let result = CaptureResult(
      "office.pcapng", expectation: "captures/expected/office.pcapng.yaml",
      .different(DifferenceList(comparison, limit: limit)), flowCount: flows)
    let style = TextStyle(isColored: colored)
    return DifferenceText(style: style).lines(result).joined(separator: "\n") + "\n"
  }

  /// Synthetic: each kind of difference once.
  private func differing() throws -> Comparison {
    Comparison(
      expected: try expectation(
        """
        totals: {packets: 90, bytes: 9000, flows: {push: 2, messaging: 1}, limits: {}}
        conversations:
        - {tag: calling, service: Zoom, media: [audio], flow_count: 2, flows: ["UDP 192.0.2.1:9 > 192.0.2.9:9", "UDP 192.0.2.1:8 > 192.0.2.9:8"]}
        - {tag: calling, service: SIP, flows: ["UDP 192.0.2.1:5060 > 192.0.2.3:5060"]}
        flows:
        - flow: TCP 192.0.2.1:49822 > 192.0.2.7:5223
          tag: push
          service: APNs
          confidence: 0.989
          decided_at: 1
          app_proto: tls
          evidence: [sni, alpn, address]
          names: {sni: courier.push.apple.com, dns: [a.example, b.example]}
          carries: [App notifications, iMessage]
          ja4: t13d3112a1_e8f1e7e78f70_d41ae481755e
          packets: [26, 26]
        - flow: UDP [2001:db8::1]:500 > [2001:db8::2]:500, vlan 7, VXLAN 42
          tag: other
        - flow: TCP 192.0.2.1:1 > 192.0.2.2:2
          tag: messaging
          service: Signal
        - flow: TCP 192.0.2.1:1 > 192.0.2.2:2 (2)
          tag: messaging
          confidence: 0.95
        """),
      found: try expectation(
        """
        damage: cut off in packet 88
        totals: {packets: 88, bytes: 9000, flows: {push: 1, messaging: 1, other: 1}, limits: {flows evicted: 3}}
        conversations:
        - {tag: calling, service: ~, media: [audio, video], flow_count: 1, flows: ["UDP 192.0.2.1:9 > 192.0.2.9:9"]}
        - {tag: calling, service: SIP, flow_count: 1, flows: ["UDP 192.0.2.1:7 > 192.0.2.3:7"]}
        flows:
        - flow: TCP 192.0.2.1:49822 > 192.0.2.7:5223
          tag: other
          service: ~
          confidence: 0.8
          decided_at: 4
          app_proto: ~
          evidence: [address, shape]
          names: {dns: [a.example, c.example]}
          carries: [App notifications, FaceTime ringing]
          packets: [26, 25]
        - flow: UDP [2001:db8::2]:500 > [2001:db8::1]:500, vlan 7, VXLAN 42
          tag: other
        - flow: TCP 192.0.2.1:1 > 192.0.2.2:2 (2)
          tag: messaging
          confidence: 0.97
        - flow: UDP 192.0.2.1:40000 > 192.0.2.3:3478
          tag: calling
          service: STUN
          names: {}
        """))
  }

  @Test func everyKindIsSaid() throws { try expectGolden(text(differing()), "everything.txt") }

  @Test func colourMarksBothSides() throws { try expectGolden(text(differing(), colored: true), "colour.txt") }

  @Test func longListsAreCut() throws {
    let comparison = try differing()
    let short = text(comparison, limit: 2)
    #expect(short.hasSuffix("  and \(comparison.differences.count - 2) more differences: --all lists them\n"))
    #expect(
      short.components(separatedBy: "\n    - ").count < text(comparison).components(separatedBy: "\n    - ").count)
  }

  /// A catalogue in which the courier's rows are broken on purpose: the name is misspelt, the tag is another.
  @Test func aBrokenRowOfTheCatalogue() throws {
    let catalogue = try Catalogue(
      merging: """
        services:
          - name: APNs
            replace: true
            tag: messaging
            identify:
              - sni-suffix: [pusch.apple.com]
                confidence: vendor
        """, named: "broken.yaml")
    let comparison = Comparison(expected: try FirstLook.expected(), found: try FirstLook.found(catalogue).found)
    #expect(DifferenceList(comparison).flows == 2)
    #expect(comparison.differences.contains { $0.move?.from == "push" })
    try expectGolden(text(comparison, flows: 50), "broken-row.txt")
  }

  /// A parser that says less than before: without fingerprints.
  @Test func aParserThatSaysLess() throws {
    let comparison = Comparison(
      expected: try FirstLook.expected(), found: try FirstLook.found(fingerprints: false).found)
    // The manifest tells of 18 TLS flows; a resumed session and one cut short are among them.
    #expect(DifferenceList(comparison).flows >= 18)
    for difference in comparison.differences {
      #expect(difference.sentence.wholeMatch(of: /ja4 [a-z0-9_]+ -> none/) != nil)
      #expect(difference.move == nil)
    }
    try expectGolden(text(comparison, flows: 50, limit: 2), "no-fingerprints.txt")
  }

  @Test(arguments: [
    (nil, nil, 0.97, true), (nil, nil, 0.93, true), (nil, nil, 0.971, false), (nil, 0.1, 0.86, true),
    (0.005, 0.1, 0.96, false), (0.005, nil, 0.945, true), (0.0, nil, 0.95, true), (0.0, nil, 0.951, false),
  ])
  func confidenceMayMove(own: Double?, asked: Double?, found: Double, isAlike: Bool) throws {
    var expected = try expectation("flows: [{flow: TCP 192.0.2.1:1 > 192.0.2.2:2, confidence: 0.95}]")
    expected.tolerance = own
    let now = try expectation("flows: [{flow: TCP 192.0.2.1:1 > 192.0.2.2:2, confidence: \(found)}]")
    let comparison = Comparison(expected: expected, found: now, tolerance: asked ?? CaptureExpectation.defaultTolerance)
    #expect(comparison.differences.isEmpty == isAlike)
  }

  @Test func whatIsNotSaidIsNotCompared() throws {
    let found = try FirstLook.found().found
    for text in ["totals: {}", "flows: []", "conversations: []"] {
      let differences = Comparison(expected: try expectation(text), found: found).differences
      #expect(differences.count == (text.hasPrefix("flows") ? found.flows?.count : 0))
    }
    var tagsOnly = found
    tagsOnly.flows = found.flows?.map { $0.keeping([.tag]) }
    #expect(Comparison(expected: tagsOnly, found: found).differences.isEmpty)
  }

  @Test func orderOfEvidenceAndNumbersOfFlowsDoNotMatter() throws {
    let expected = try expectation(
      """
      flows:
      - {flow: TCP 192.0.2.1:1 > 192.0.2.2:2, evidence: [sni, alpn]}
      - {flow: TCP 192.0.2.1:3 > 192.0.2.2:2, tag: push}
      """)
    let found = try expectation(
      """
      flows:
      - {flow: TCP 192.0.2.1:3 > 192.0.2.2:2, tag: push, evidence: []}
      - {flow: TCP 192.0.2.1:1 > 192.0.2.2:2, tag: push, evidence: [alpn, sni]}
      """)
    #expect(Comparison(expected: expected, found: found).differences.isEmpty)
  }

  /// Conversations are those that share the most flows, whatever their order.
  @Test func conversationsAreKnownByTheirFlows() throws {
    func call(_ service: String, _ ports: [Int]) -> String {
      "- {service: \(service), flows: [\(ports.map { "UDP 192.0.2.1:\($0) > 192.0.2.2:9" }.joined(separator: ", "))]}\n"
    }
    let expected = try expectation("conversations:\n" + call("A", [1, 2, 3]) + call("B", [3, 4]))
    let found = try expectation("conversations:\n" + call("B", [3, 4]) + call("C", [1, 2]))
    let differences = Comparison(expected: expected, found: found).differences
    #expect(differences.map(\.sentence) == ["service A -> C; lost 1 flow"])
  }
}

@Suite("Flows are known by their ends")
struct FlowTitleTests {
  /// A capture of UDP datagrams (little-endian pcap, Ethernet) at given seconds; synthetic.
  private func capture(_ frames: [(Int, [UInt8])]) -> [UInt8] {
    func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    var file = word(0xa1b2_c3d4) + [2, 0, 4, 0] + word(0) + word(0) + word(262_144) + word(1)
    for (second, frame) in frames {
      file += word(1_764_843_072 + second) + word(0) + word(frame.count) + word(frame.count) + frame
    }
    return file
  }

  @Test func vlansAndRepetitionsAreToldApart() throws {
    let frame = PacketBuilder.udp(from: (0xc000_0201, 7_000), to: (0xc000_0202, 7_001), Array("hello".utf8))
    let tagged = Array(frame[..<12]) + [0x81, 0, 0, 7] + frame[12...]
    let scratch = try Scratch()
    // A flow that nothing answers ends after 60 s of silence, by the README.
    try scratch.write("a.pcap", capture([(0, frame), (1, tagged), (200, frame), (201, tagged), (400, frame)]))
    let found = try findings(
      scratch.path + "/a.pcap", Classifier(catalogue: try Catalogue.shipped()), AnalyzerOptions())
    #expect(
      found.found.flows?.map(\.title) == [
        "UDP 192.0.2.1:7000 > 192.0.2.2:7001", "UDP 192.0.2.1:7000 > 192.0.2.2:7001, vlan 7",
        "UDP 192.0.2.1:7000 > 192.0.2.2:7001 (2)", "UDP 192.0.2.1:7000 > 192.0.2.2:7001, vlan 7 (2)",
        "UDP 192.0.2.1:7000 > 192.0.2.2:7001 (3)",
      ])
    #expect(found.flowCount == 5)
    #expect(found.packets == 5)
  }

  @Test func titlesCanBeTurned() {
    #expect(
      FlowTitle.reversed("UDP [2001:db8::1]:500 > [2001:db8::2]:501, vlan 7, VXLAN 42 (2)")
        == "UDP [2001:db8::2]:501 > [2001:db8::1]:500, vlan 7, VXLAN 42 (2)")
    #expect(FlowTitle.reversed("TCP 192.0.2.1:1 > 192.0.2.2:2 (3)") == "TCP 192.0.2.2:2 > 192.0.2.1:1 (3)")
    for text in ["", "TCP", "TCP a > b", "TCP a:1 > b:70000", "TCP :1 > b:2", "TCP a:1 - b:2", "TCP a:1 >"] {
      #expect(!FlowTitle.isTitle(text))
    }
    #expect(FlowTitle.isTitle("132 [2001:db8::1]:500 > [2001:db8::2]:501, vlan 7"))
  }
}
