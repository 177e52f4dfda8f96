import Foundation
import TestSupport
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("Comparing with what is expected")
struct RegressTests {
  let scratch: Scratch
  let folder: String
  let expectation: URL

  init() throws {
    scratch = try Scratch()
    folder = scratch.file("captures").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    _ = try scratch.write("captures/sample.pcap", Sample.capture())
    expectation = scratch.file("captures/expected/sample.pcap.yaml")
  }

  private func regress(_ arguments: [String] = [], environment: [String: String] = [:]) throws -> Program.Outcome {
    try Program.run(["regress", folder] + arguments, environment: environment)
  }

  private func edit(_ old: String, _ new: String) throws {
    let text = try String(contentsOf: expectation, encoding: .utf8)
    try #require(text.contains(old), "\(text)")
    try Data(text.replacingOccurrences(of: old, with: new).utf8).write(to: expectation)
  }

  private func writeAgain() throws {
    try FileManager.default.createDirectory(atPath: folder + "/calls", withIntermediateDirectories: true)
    _ = try scratch.write("captures/calls/again.pcap", Sample.capture())
  }

  @Test func fromTheFirstRecordingToARegression() throws {
    let first = try regress()
    #expect(first.status == 1)
    #expect(first.output.contains("sample.pcap  NO EXPECTATION: run with --record, then read \(expectation.path)\n"))
    #expect(!FileManager.default.fileExists(atPath: expectation.path))

    let recorded = try regress(["--record"])
    #expect(recorded.status == 0, "\(recorded.errors)")
    #expect(recorded.output.hasPrefix("sample.pcap  recorded 2 flows: 1 push, 1 other\n"))
    #expect(try regress().output == "sample.pcap  as expected, 2 flows\n1 capture, 2 flows: 1 as expected\n")
    #expect(try regress().status == 0)

    try edit("tag: push", "tag: messaging")
    try edit("evidence: [sni, ", "evidence: [sni, http_host, ")
    let different = try regress()
    #expect(different.status == 1)
    #expect(different.errors.isEmpty)
    #expect(!different.output.contains("\u{1b}"))
    #expect(different.output.contains("sample.pcap  DIFFERS: 1 of 2 flows\n"))
    #expect(
      different.output.contains(
        """
          TCP 192.0.2.9:49822 > 17.57.144.120:5223
            tag messaging -> push; lost evidence: http_host; \
        sni courier.push.apple.com, alpn, address, port now speak for push
            - tag messaging
            - evidence sni, http_host, alpn, address, port
            + tag push
            + evidence sni, alpn, address, port

        """))

    let before = try String(contentsOf: expectation, encoding: .utf8)
    let renewed = try regress(["--record"])
    #expect(renewed.status == 0)
    #expect(renewed.output.contains("sample.pcap  renewed: 1 of 2 flows changed\n"))
    #expect(renewed.output.contains("tag messaging -> push; lost evidence: http_host; "))
    #expect(try String(contentsOf: expectation, encoding: .utf8) != before)
    #expect(try regress().status == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/expected") == ["sample.pcap.yaml"])
  }

  @Test func whatHoldsIsNotWrittenAnew() throws {
    _ = try regress(["--record"])
    try edit("  service: APNs\n", "")
    let text = try String(contentsOf: expectation, encoding: .utf8)
    #expect(try regress(["--record"]).output.hasPrefix("sample.pcap  as expected"))
    #expect(try String(contentsOf: expectation, encoding: .utf8) == text)
  }

  /// A catalogue of one's own, recorded with; then its row is broken.
  @Test func aCatalogueOfOnesOwn() throws {
    func catalogue(_ name: String) throws -> String {
      try scratch.write(
        "my.yaml",
        Array(
          """
          services:
            - name: Chat at work
              tag: messaging
              identify:
                - sni-suffix: [\(name)]
                  confidence: vendor

          """.utf8))
    }
    // A hello to a name that no catalogue of ours knows, in a pcap of its own; synthetic.
    let hello = PacketBuilder.tcp(
      from: (Sample.client, 49_000), to: (0xc000_0263, 443), sequence: 1, flags: 0x18,
      PacketBuilder.clientHello(serverName: "chat.example.com"))
    let length = (0..<4).map { UInt8(truncatingIfNeeded: hello.count >> (8 * $0)) }
    _ = try scratch.write(
      "captures/sample.pcap", Sample.capture(0..<0) + [0, 0, 0, 1, 0, 0, 0, 0] + length + length + hello)

    let services = try catalogue("chat.example.com")
    #expect(try regress(["--services", services, "--record"]).output.contains("recorded 1 flow: 1 messaging"))
    #expect(try regress(["--services", services]).status == 0)
    _ = try catalogue("chat.exmaple.com")
    let broken = try regress(["--services", services])
    #expect(broken.status == 1)
    #expect(
      broken.output.contains(
        "    tag messaging -> other; service Chat at work -> none; sni chat.example.com now speaks for other"),
      "\(broken.output)")
  }

  @Test func whatCannotBeComparedIsNamed() throws {
    _ = try regress(["--record"])
    _ = try scratch.write("captures/junk.pcap", Array("this is no capture at all, only some text".utf8))
    _ = try scratch.write("captures/cut.pcap", Array(Sample.capture().dropLast(10)))
    _ = try scratch.write("captures/expected/gone.pcap.yaml", Array("flows: []\n".utf8))
    _ = try scratch.write("captures/bad.pcap", Sample.capture())
    _ = try scratch.write("captures/expected/bad.pcap.yaml", Array("flows:\n- flw: x\n".utf8))
    let outcome = try regress()
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("junk.pcap  CANNOT BE COMPARED: "))
    #expect(outcome.output.contains("bad.pcap  CANNOT BE COMPARED: \(folder)/expected/bad.pcap.yaml:2: 'flw' is not"))
    #expect(outcome.output.contains("gone.pcap  NO CAPTURE for \(folder)/expected/gone.pcap.yaml: put it back"))
    #expect(outcome.output.contains("cut.pcap  NO EXPECTATION"))
    #expect(
      outcome.lines.last?.hasSuffix(
        "1 as expected, 1 without expectation (run with --record), 2 not compared, 1 gone") == true)

    // A capture that ends early is recorded as one; a mistake of a person's is not written over.
    let recorded = try regress(["--record"])
    #expect(recorded.status == 1)
    let cut = try String(contentsOf: scratch.file("captures/expected/cut.pcap.yaml"), encoding: .utf8)
    #expect(cut.contains("\ndamage: "))
    #expect(try regress(["--only", "cut"]).status == 0)
    let bad = try String(contentsOf: scratch.file("captures/expected/bad.pcap.yaml"), encoding: .utf8)
    #expect(bad == "flows:\n- flw: x\n")

    // One that was whole when it was recorded may not be cut now.
    _ = try scratch.write("captures/sample.pcap", Array(Sample.capture().dropLast(10)))
    let now = try regress(["--only", "sample"])
    #expect(now.status == 1)
    #expect(now.output.contains("the capture cannot be read to its end: "))
  }

  @Test func junit() throws {
    _ = try regress(["--record"])
    try edit("tag: push", "tag: other")
    try writeAgain()
    let file = scratch.file("regress.xml")
    #expect(try regress(["--junit", file.path]).status == 1)
    let counter = ElementCounter()
    let parser = XMLParser(data: try Data(contentsOf: file))
    parser.delegate = counter
    #expect(parser.parse())
    #expect(counter.counts == ["testsuites": 1, "testsuite": 2, "testcase": 2, "failure": 2])
    #expect(counter.text.contains("tag other -> push"))
    #expect(try regress(["--junit", "/nonexistent/x.xml"]).status == 2)
  }

  @Test func subfoldersAndOnly() throws {
    try writeAgain()
    #expect(try regress(["--record", "--only", "again"]).output.hasPrefix("calls/again.pcap  recorded 2 flows"))
    #expect(FileManager.default.fileExists(atPath: folder + "/expected/calls/again.pcap.yaml"))
    #expect(try regress(["--only", "calls/again.pcap"]).status == 0)
    #expect(try regress().status == 1)
    let outcome = try regress(["--only", "nothing"])
    #expect(outcome.status == 2)
    #expect(outcome.errors == "wiretag: --only nothing: \(folder) has no such capture\n")
  }

  @Test func toleranceOfTheRunAndOfTheFile() throws {
    _ = try regress(["--record"])
    let text = try String(contentsOf: expectation, encoding: .utf8)
    let line = try #require(text.firstMatch(of: /tag: push\n.*\n  confidence: (0\.\d+)/))
    let recorded = try #require(Double(line.1))
    try edit("confidence: \(line.1)", "confidence: \(recorded - 0.1)")
    #expect(try regress().status == 1)
    #expect(try regress().output.contains("confidence rose"))
    #expect(try regress(["--tolerance", "0.11"]).status == 0)
    try edit("# tolerance: 0.02", "tolerance: 0.01")
    #expect(try regress(["--tolerance", "0.11"]).status == 1)
  }

  @Test func aFolderThatCannotBeWritten() throws {
    _ = try scratch.write("captures/expected", Array("in the way".utf8))
    let outcome = try regress(["--record"])
    #expect(outcome.status == 1)
    #expect(outcome.output.contains("NOT WRITTEN: cannot make the folder"))
  }

  @Test func theDefaultIsCaptures() throws {
    let process = Program.process(["regress", "--record"])
    process.currentDirectoryURL = scratch.folder
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(FileManager.default.fileExists(atPath: expectation.path))
  }

  @Test func nothingToCompareIsNoSuccess() throws {
    let empty = scratch.file("empty")
    try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
    for arguments in [
      [empty.path], ["/nonexistent"], [folder + "/sample.pcap"], [folder, "--tolerance", "2"],
      [folder, "--record", "--junit", "x.xml"], [folder, "--only", ""], [folder, "--filter", "tcp"], ["-"],
      [folder, "--junit", "-"], [folder, "--services", "/nonexistent.yaml"],
    ] {
      let outcome = try Program.run(["regress"] + arguments)
      #expect(outcome.status == 2, "\(arguments)")
      #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.output.isEmpty)
    }
  }
}

private final class ElementCounter: NSObject, XMLParserDelegate {
  private(set) var counts: [String: Int] = [:]
  private(set) var text = ""

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    counts[name, default: 0] += 1
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
}
