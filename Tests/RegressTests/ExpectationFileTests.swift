import Foundation
import Testing

@testable import Regress

@Suite("Expectations as files")
struct ExpectationFileTests {
  private func read(_ text: String) throws -> ExpectationFile { try ExpectationFile(text, name: "x.yaml") }

  private func message(_ text: String) -> String {
    do {
      _ = try read(text)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test func whatIsFoundIsReadBack() throws {
    let found = try FirstLook.found().found
    let text = found.yaml(capture: FirstLook.name)
    let back = try read(text).expectation
    #expect(back.flows?.map(\.title) == found.flows?.map(\.title))
    #expect(back.flows?.map(\.statements) == found.flows?.map(\.statements))
    #expect(back.totals?.statements == found.totals?.statements)
    #expect(back.conversations == [])
    #expect(back.damage == nil)
    #expect(Comparison(expected: back, found: found).differences.isEmpty)
    #expect(back.yaml(capture: FirstLook.name) == text)
  }

  /// Words that YAML would take for something else: synthetic.
  @Test(arguments: [
    "null", "Yes", "off", "~", "", "12", "0x1F", "1e3", "1.5", "a: b", "a #b", "- a", "[a]", "{a}", "a, b", "*.a.org",
    "&a", "!a", "%a", "@a", "`a`", "'a'", "\"a\"", "a\\b", "\\x1b[2J", "é ü", "日本", " a", "a ", "a:", ":a", "?", "|",
    ">", "-", "...", "---", "SIP (UDP)", "a/b+c", "=", "<<", "2001:db8::1", "12:30",
  ])
  func wordsComeBackAsTheyWere(word: String) throws {
    var flow = Record("TCP 192.0.2.1:1 > 192.0.2.2:2")
    flow.say(.service, .word(word))
    flow.say(.carries, .list([word, "x", word]))
    flow.say(.names, .named([FieldValue.Entry(name: "sni", values: [word])]))
    var expectation = CaptureExpectation()
    expectation.flows = [flow]
    expectation.damage = word
    let back = try read(expectation.yaml(capture: "x")).expectation
    #expect(back.flows?.first?.statements == flow.statements)
    #expect(back.damage == word)
  }

  @Test func numbersOfAFlowBetweenTheSameEndsAreNoComment() throws {
    var expectation = CaptureExpectation()
    expectation.flows = [
      Record("UDP [2001:db8::1]:500 > [2001:db8::2]:500, vlan 7, VXLAN 42"),
      Record("UDP [2001:db8::1]:500 > [2001:db8::2]:500, vlan 7, VXLAN 42 (2)"),
    ]
    #expect(try read(expectation.yaml(capture: "x")).expectation.flows?.map(\.title) == expectation.flows?.map(\.title))
  }

  @Test func aPersonMayLeaveOutAndReformat() throws {
    let text = """
      # ours
      flows:
        - flow: "TCP  192.0.2.1:1  >  192.0.2.2:2"
          evidence: sni
          service: null
          names:
            sni: example.org
            dns:
              - a.example.org
              - b.example.org
        - {flow: UDP 192.0.2.1:53 > 192.0.2.2:53, tag: other}
      """
    let expectation = try read(text).expectation
    #expect(expectation.totals == nil)
    #expect(expectation.conversations == nil)
    let flow = try #require(expectation.flows?.first)
    #expect(flow.title == "TCP 192.0.2.1:1 > 192.0.2.2:2")
    #expect(flow.line == 3)
    #expect(flow[.tag] == nil)
    #expect(flow[.service] == FieldValue.none)
    #expect(flow[.evidence] == .list(["sni"]))
    #expect(
      flow[.names]
        == .named([
          .init(name: "sni", values: ["example.org"]), .init(name: "dns", values: ["a.example.org", "b.example.org"]),
        ]))
    #expect(expectation.flows?.last?.word(.tag) == "other")
  }

  @Test(arguments: [
    ("", "x.yaml: is empty: make it with --record"),
    ("- a", "x.yaml:1: the file must be made of 'key: value'"),
    ("flow:\n- a", "x.yaml:1: 'flow' is not known here: use tolerance, damage, totals, conversations or flows"),
    ("flows: 3", "x.yaml:1: 'flows' must be a list: begin each entry with a dash, or write [] for none"),
    (
      "flows:\n- tag: push",
      "x.yaml:2: says not which flow it is: begin with 'flow: TCP 192.0.2.1:49822 > 192.0.2.7:443'"
    ),
    (
      "flows:\n- flow: TCP 192.0.2.1 > 192.0.2.7\n",
      "x.yaml:2: 'TCP 192.0.2.1 > 192.0.2.7' is no flow: write it as TCP 192.0.2.1:49822 > 192.0.2.7:443"
    ),
    (
      "flows:\n- flow: TCP 192.0.2.1:1 > 192.0.2.7:2\n  tagg: push",
      "x.yaml:3: 'tagg' is not known here: did you mean tag? use flow, tag, service, confidence, decided_at, app_proto, "
        + "evidence, names, carries, ja4, packets"
    ),
    (
      "flows:\n- flow: TCP 192.0.2.1:1 > 192.0.2.7:2\n\n  tag: spam",
      "x.yaml:4: 'spam' is no tag: use push, messaging, calling, other"
    ),
    ("flows:\n- flow: TCP 192.0.2.1:1 > 192.0.2.7:2\n  confidence: high", "x.yaml:3: 'confidence' must be a number"),
    ("flows:\n- flow: TCP 192.0.2.1:1 > 192.0.2.7:2\n  confidence: nan", "x.yaml:3: 'confidence' must be a number"),
    ("tolerance: 2", "x.yaml:1: 'tolerance' must be a number from 0 to 1"),
    (
      "flows:\n- flow: TCP 192.0.2.1:1 > 192.0.2.7:2\n- flow: TCP 192.0.2.1:1 > 192.0.2.7:2",
      "x.yaml:3: this flow stands at line 2 already: the second between the same ends is "
        + "'TCP 192.0.2.1:1 > 192.0.2.7:2 (2)'"
    ),
    ("totals:\n  packets: [1]", "x.yaml:2: 'packets' must be a number"),
    (
      "totals:\n  service: a",
      "x.yaml:2: 'service' is not known here: use packets, bytes, flows, without_flow, "
        + "decode_errors, limits"
    ),
  ])
  func mistakesNameTheLine(text: String, expected: String) { #expect(message(text) == expected) }

  @Test func whatIsNoYAMLNamesTheLine() {
    #expect(message("flows:\n- flow: [\n").hasPrefix("x.yaml:"))
    #expect(message("flows: []\nflows: []").hasPrefix("x.yaml:"))
    #expect(message("flows: []\nflows: []").contains("has a key twice: flows"))
    #expect(message(String(repeating: "[", count: 200_000)).hasPrefix("x.yaml:1: is not YAML here: "))
    #expect(message("totals: {flows: &a {push: *a}}").contains("undefined alias"))
    // Nine lists of nine lists and so on: nothing may unfold them.
    let bomb = (1...12).map {
      "&a\($0) [" + Array(repeating: $0 == 1 ? "x" : "*a\($0 - 1)", count: 9).joined(separator: ", ") + "]"
    }
    let flow = "{flow: TCP 192.0.2.1:1 > 192.0.2.2:2, evidence: [\(bomb.joined(separator: ", "))]}"
    #expect(message("flows: [\(flow)]") == "x.yaml:1: 'evidence' must be a word or a list of words")
  }

  @Test func aRenewedFileKeepsWhatAPersonPutIntoIt() throws {
    let old = try read(
      """
      # Made at the office.

      # Calls only.
      tolerance: 0.1  # the model is young
      flows:
      - flow: TCP 192.0.2.1:1 > 192.0.2.2:2
        tag: push
        confidence: 0.9
      - flow: UDP 192.0.2.1:3 > 192.0.2.2:4
        tag: other
        confidence: 0.8

      """)
    let found = try read(
      """
      totals: {packets: 9}
      conversations: []
      flows:
      - {flow: TCP 192.0.2.1:1 > 192.0.2.2:2, tag: messaging, service: x, confidence: 0.95, evidence: [sni]}
      - {flow: TCP 192.0.2.1:5 > 192.0.2.2:6, tag: push, service: ~, confidence: 0.7, evidence: []}
      """
    ).expectation
    let comparison = Comparison(expected: old.expectation, found: found)
    #expect(
      comparison.renewed.yaml(capture: "a.pcap", renewing: old) == """
        # Made at the office.

        # Calls only.
        tolerance: 0.1  # the model is young
        flows:
        - flow: TCP 192.0.2.1:1 > 192.0.2.2:2
          tag: messaging
          confidence: 0.9
        - flow: TCP 192.0.2.1:5 > 192.0.2.2:6
          tag: push
          confidence: 0.7

        """)
  }
}
