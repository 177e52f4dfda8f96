import Foundation
import Testing

@Suite("Reading captures")
struct ReadTests {
  let scratch: Scratch
  let capture: String

  init() throws {
    scratch = try Scratch()
    capture = try scratch.write("sample.pcap", Sample.capture())
  }

  private func records(_ outcome: Program.Outcome, _ type: String? = nil) throws -> [[String: Any]] {
    try outcome.lines.map { try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
      .filter { type == nil || $0["event_type"] as? String == type }
  }

  @Test func jsonLines() throws {
    let outcome = try Program.run(["read", "--format", "jsonl", capture])
    #expect(outcome.status == 0)
    #expect(outcome.errors.isEmpty)
    let flows = try records(outcome, "flow")
    #expect(flows.count == 2)
    let push = try #require(flows.first { $0["dest_port"] as? Int == 5_223 })
    #expect(push["src_ip"] as? String == "192.0.2.9")
    #expect(push["tag"] as? String == "push")
    #expect(push["service"] as? String == "APNs")
    #expect((push["tls"] as? [String: Any])?["sni"] as? String == "courier.push.apple.com")
    let riders = (push["carries"] as? [[String: String]])?.compactMap { $0["tag"] } ?? []
    #expect(Set(riders).isSuperset(of: ["messaging", "calling"]))
    let last = try #require(try records(outcome).last)
    #expect(last["event_type"] as? String == "stats")
    #expect(last["packets"] as? Int == 5)
  }

  @Test func table() throws {
    let outcome = try Program.run(["read", capture], environment: ["COLUMNS": "100", "TERM": "xterm"])
    #expect(outcome.status == 0)
    #expect(outcome.errors.isEmpty)
    #expect(outcome.output.contains("shared fate: what stops one stops all:"))
    #expect(outcome.output.contains("sample.pcap"))
    #expect(!outcome.output.contains("\u{1b}"))
    #expect(outcome.lines.allSatisfy { $0.count <= 100 })
  }

  @Test func commaSeparatedValues() throws {
    let outcome = try Program.run(["read", "--format", "csv", capture])
    #expect(outcome.output.components(separatedBy: "\r\n").count == 4)
    #expect(outcome.output.hasPrefix("flow_id,"))
  }

  @Test func packetsCarryTheTagTheirFlowEndedWith() throws {
    let outcome = try Program.run(["read", "--packets", "--format", "jsonl", capture])
    let tags = Dictionary(
      uniqueKeysWithValues: try records(outcome, "flow").map { ($0["flow_id"] as? Int, $0["tag"] as? String) })
    let packets = try records(outcome, "packet")
    #expect(packets.map { $0["pcap_cnt"] as? Int } == [1, 2, 3, 4, 5])
    // The tag was decided at the fifth packet; the first of its flow carries it too.
    for packet in packets { #expect(packet["tag"] as? String == tags[packet["flow_id"] as? Int]) }
    #expect(packets[1]["tag"] as? String == "push")
    #expect(
      packets.map { $0["direction"] as? String }
        == ["server", "server", "client", "server", "server"].map { "to_\($0)" })
  }

  @Test func onlyATag() throws {
    let outcome = try Program.run(["read", "--tag", "push", "--format", "jsonl", capture])
    #expect(try records(outcome, "flow").map { $0["tag"] as? String } == ["push"])
  }

  @Test(arguments: [["--filter", "udp"], []])
  func filters(_ option: [String]) throws {
    let trailing = option.isEmpty ? ["--", "udp", "port", "53"] : []
    let outcome = try Program.run(["read", "--format", "jsonl"] + option + [capture] + trailing)
    #expect(outcome.status == 0)
    #expect(try records(outcome, "flow").map { $0["proto"] as? String } == ["UDP"])
  }

  @Test func aBadFilterIsOneLine() throws {
    let outcome = try Program.run(["read", capture, "--", "tcp", "prot", "80"])
    #expect(outcome.status == 2)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errorLines.count == 1)
  }

  @Test func standardInput() throws {
    let outcome = try Program.run(["read", "-", "--format", "jsonl"], input: Data(Sample.capture()))
    #expect(outcome.status == 0)
    #expect(try records(outcome, "flow").count == 2)
  }

  @Test func whatComesBeforeADamageIsPrinted() throws {
    let cut = try scratch.write("cut.pcap", Sample.capture().dropLast(10))
    let outcome = try Program.run(["read", "--format", "jsonl", cut])
    #expect(outcome.status == 1)
    #expect(outcome.errorLines.count == 1)
    #expect(outcome.errors.contains("cut.pcap"))
    #expect(try records(outcome, "flow").count == 2)
    #expect(try records(outcome, "stats").first?["packets"] as? Int == 4)
  }

  @Test(arguments: [0, 3, 10, 23])
  func aCutFileHeaderIsDamage(length: Int) throws {
    let output = try scratch.write("out.jsonl", Array("precious".utf8))
    let cut = try scratch.write("cut.pcap", Array(Sample.capture().prefix(length)))
    let outcome = try Program.run(["read", "--format", "jsonl", "-o", output, cut])
    #expect(outcome.status == 1)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errorLines.count == 1)
    #expect(try String(contentsOf: URL(filePath: output), encoding: .utf8) == "precious")
  }

  @Test func oneMissingFileDoesNotStopTheOthers() throws {
    let outcome = try Program.run(["read", "--format", "jsonl", "/nonexistent.pcap", capture])
    #expect(outcome.status == 1)
    #expect(outcome.errorLines.count == 1)
    let flows = try records(outcome, "flow")
    #expect(flows.count == 2)
    #expect(flows.allSatisfy { $0["capture"] as? String == capture })
  }

  @Test func filesAreSeparateUnlessContinued() throws {
    let parts = [
      try scratch.write("1.pcap", Sample.capture(0..<3)), try scratch.write("2.pcap", Sample.capture(3..<5)),
    ]
    let separate = try Program.run(["read", "--format", "jsonl"] + parts)
    let series = try Program.run(["read", "--format", "jsonl", "--continue"] + parts)
    let whole = try Program.run(["read", "--format", "jsonl", capture])
    #expect(try records(separate, "flow").count == 3)
    #expect(try records(series, "flow").count == 2)
    func shape(_ outcome: Program.Outcome) throws -> Set<String> {
      Set(
        try records(outcome, "flow").map {
          "\($0["community_id"] ?? "") \($0["tag"] ?? "") \(($0["flow"] as? [String: Any])?["pkts_toserver"] ?? "")"
        })
    }
    #expect(try shape(series) == shape(whole))
  }

  @Test func theCaptureIsNotOverwritten() throws {
    let before = try Data(contentsOf: URL(filePath: capture))
    let outcome = try Program.run(["read", "--output", capture, capture])
    #expect(outcome.status == 2)
    #expect(outcome.errorLines.count == 1)
    #expect(try Data(contentsOf: URL(filePath: capture)) == before)
  }

  @Test func theOutputIsUntouchedWhereNothingCouldBeRead() throws {
    let output = try scratch.write("out.jsonl", Array("precious".utf8))
    #expect(try Program.run(["read", "-o", output, "/nonexistent.pcap"]).status == 2)
    #expect(try String(contentsOf: URL(filePath: output), encoding: .utf8) == "precious")
    #expect(try Program.run(["read", "-o", output, "--format", "jsonl", capture]).output.isEmpty)
    #expect(try String(contentsOf: URL(filePath: output), encoding: .utf8).contains("\"event_type\":\"stats\""))
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func aFullDiskIsOneLineAndStatus1() throws {
    let outcome = try Program.run(["read", "-o", "/dev/full", capture])
    #expect(outcome.status == 1)
    #expect(outcome.errors == "wiretag: cannot write /dev/full: No space left on device\n")
  }

  @Test func aReaderWhoLeavesIsNoError() throws {
    let process = Program.process(["services", "--format", "jsonl"])
    let pipe = Pipe()
    process.standardOutput = pipe
    let errors = scratch.file("errors")
    process.standardError = try Program.handle(errors)
    try pipe.fileHandleForReading.close()
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 0)
    #expect(try Data(contentsOf: errors).isEmpty)
  }

  @Test(.timeLimit(.minutes(1)), arguments: [SIGINT, SIGTERM])
  func aSignalEndsWithTheSummary(_ signal: Int32) async throws {
    let process = Program.process(["read", "-", "--format", "jsonl"])
    let input = Pipe()
    process.standardInput = input
    let output = scratch.file("output")
    process.standardOutput = try Program.handle(output)
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(Sample.capture()))
    // The pipe stays open: only the signal can end the run.
    try await Task.sleep(for: .milliseconds(700))
    kill(process.processIdentifier, signal)
    for _ in 0..<100 where process.isRunning { try await Task.sleep(for: .milliseconds(100)) }
    try input.fileHandleForWriting.close()
    try #require(!process.isRunning, "the signal did not end the run")
    #expect(process.terminationReason == .exit)
    #expect(process.terminationStatus == 0)
    let text = try String(contentsOf: output, encoding: .utf8)
    #expect(text.contains("\"packets\":5"))
    #expect(text.hasSuffix("}\n"))
  }

  @Test func explainsAFlow() throws {
    let all = try Program.run(["explain", capture])
    #expect(all.status == 0)
    #expect(all.output.contains("courier.push.apple.com"))
    #expect(all.output.contains("What this does not say"))
    let one = try Program.run(["explain", capture, "--flow", "2"])
    #expect(one.output.hasPrefix("flow 2"))
    #expect(one.output.contains("shared fate"))
    let none = try Program.run(["explain", capture, "--flow", "77"])
    #expect(none.status == 1)
    #expect(none.output.isEmpty)
    #expect(none.errorLines.count == 1)
  }

  @Test func aUsersCatalogueIsHeard() throws {
    let own = try scratch.write("own.yaml", Array("services:\n  - name: [\n".utf8))
    let outcome = try Program.run(["read", "--services", own, capture])
    #expect(outcome.status == 2)
    #expect(outcome.errorLines.allSatisfy { $0.hasPrefix("wiretag: ") })
    #expect(outcome.errors.contains("own.yaml"))
  }
}
