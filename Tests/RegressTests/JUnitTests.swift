import Foundation
import Testing

@testable import Regress

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// A document as a parser of XML that knows nothing of Wiretag sees it.
final class ParsedXML: NSObject, XMLParserDelegate {
  private(set) var elements: [(name: String, attributes: [String: String])] = []
  private(set) var text = ""
  private(set) var isValid = false

  init(_ xml: String) {
    super.init()
    let parser = XMLParser(data: Data(xml.utf8))
    parser.delegate = self
    isValid = parser.parse()
  }

  func named(_ name: String) -> [[String: String]] { elements.filter { $0.name == name }.map(\.attributes) }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    elements.append((name, attributes))
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
}

@Suite("Results for build servers")
struct JUnitTests {
  private func results() throws -> [CaptureResult] {
    let expected = try ExpectationFile(
      "flows: [{flow: TCP 192.0.2.1:1 > 192.0.2.2:2, tag: push, service: \"A & <B> ]]> \\\"C\\\"\"}]", name: "x")
    let found = try ExpectationFile(
      "flows: [{flow: TCP 192.0.2.1:1 > 192.0.2.2:2, tag: other, service: \"\\u0007\"}]", name: "x")
    let comparison = Comparison(expected: expected.expectation, found: found.expectation)
    return [
      CaptureResult("a.pcap", expectation: "c/expected/a.pcap.yaml", .asExpected, flowCount: 3, seconds: 1.2345),
      CaptureResult(
        "b.pcap", expectation: "c/expected/b.pcap.yaml", .different(DifferenceList(comparison)), flowCount: 1),
      CaptureResult("calls/c&d.pcap", expectation: "c/expected/calls/c&d.pcap.yaml", .notExpected, flowCount: 1),
      CaptureResult("calls/e.pcap", expectation: "", .failed("e.pcap: is \u{1b}no capture"), seconds: 0.5),
      CaptureResult("calls/f.pcap", expectation: "c/expected/calls/f.pcap.yaml", .captureGone),
      CaptureResult("g.pcap", expectation: "", .notReached),
    ]
  }

  @Test func theFile() throws { try expectGolden(JUnitReport().xml(results(), folder: "c"), "junit.xml") }

  @Test func aParserUnderstandsIt() throws {
    let parsed = ParsedXML(JUnitReport().xml(try results(), folder: "c"))
    #expect(parsed.isValid)
    let all = try #require(parsed.named("testsuites").first)
    #expect(all["tests"] == "6")
    #expect(all["failures"] == "2")
    #expect(all["errors"] == "2")
    #expect(all["time"] == "1.735" || all["time"] == "1.734")
    #expect(parsed.named("testsuite").map { $0["name"] } == ["c", "c/calls"])
    #expect(parsed.named("testsuite").map { $0["tests"] } == ["3", "3"])
    #expect(
      parsed.named("testcase").map { $0["name"] } == ["a.pcap", "b.pcap", "g.pcap", "c&d.pcap", "e.pcap", "f.pcap"])
    #expect(parsed.named("failure").first?["message"] == "DIFFERS: 1 of 1 flow")
    #expect(parsed.text.contains("    - service A & <B> ]]> \"C\"\n    + tag other\n    + service \\x07\n"))
    #expect(parsed.named("skipped").count == 1)
  }

  /// Characters that XML 1.0 cannot hold, even as references (section 2.2).
  @Test func nothingInvalidGetsThrough() {
    let invalid = (0..<32).compactMap { Unicode.Scalar($0) } + ["\u{fffe}", "\u{ffff}", "\u{7f}"]
    for scalar in invalid {
      let parsed = ParsedXML("<a b=\"\(JUnitReport.escaped("x\(scalar)"))\">\(JUnitReport.escaped("y\(scalar)z"))</a>")
      #expect(parsed.isValid, "U+\(String(scalar.value, radix: 16))")
      #expect(parsed.text.hasPrefix("y") && parsed.text.hasSuffix("z"))
    }
  }
}
