import Foundation
import Testing

@Suite("The watch of a live link")
struct LiveWatchTests {
  @Test(
    "What is wrong with policies is said before the interface is opened, with status 2",
    arguments: [
      (["--policy", "perfect-record-imessage"], "perfect-record-imessage needs truth"),
      (["--policy", "tspu-sni-9"], "no policy or group is called \"tspu-sni-9\"; did you mean"),
      (["--policies", "/no/such/file.yaml"], "/no/such/file.yaml: no such file"),
      (["--policy", "China", "--format", "csv"], "--policy goes with --format table or jsonl"),
      (["--policy", "China", "--no-fingerprints"], "--no-fingerprints leave out"),
    ])
  func mistakes(_ options: [String], _ sentence: String) throws {
    let outcome = try Program.run(["live", "-i", "no-such-interface"] + options)
    #expect(outcome.status == 2 && outcome.output.isEmpty)
    #expect(outcome.errorLines.count == 1 && outcome.errors.contains(sentence), "\(outcome.errors)")
  }

  @Test("Acts come as they happen, and SIGINT ends with who would have been hit", .timeLimit(.minutes(2)))
  func loopback() throws {
    guard let (table, lines) = try watch(["--format", "table"]) else { return }
    #expect(lines.contains("loopback-port would reset 127.0.0.1:"))
    #expect(lines.contains("127.0.0.1:5224") && lines.contains("by port tcp/5224: port 5224"))
    #expect(table.contains("What the policies would have hit") && table.contains("loopback-port would have reset "))
    #expect(!table.contains("blocked"))
    guard let (records, first) = try watch(["--format", "jsonl"]) else { return }
    #expect(first.contains("\"event_type\":\"policy\""))
    let objects = try records.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any], "\($0)")
    }
    let act = try #require(objects.first { $0["event_type"] as? String == "policy" })
    #expect(act["policy"] as? String == "loopback-port" && act["action"] as? String == "reset")
    #expect(act["dest_ip"] as? String == "127.0.0.1" && act["dest_port"] as? Int == 5_224)
    #expect(act["packet"] as? Int == 1 && (act["flow_id"] as? Int ?? 0) > 0)
    let stats = try #require(objects.last)
    let policies = try #require(stats["policies"] as? [[String: Any]])
    #expect(stats["event_type"] as? String == "stats" && policies.first?["policy"] as? String == "loopback-port")
    #expect((policies.first?["flows_hit"] as? Int ?? 0) >= 1)
  }

  /// Watches the loopback interface until an act was told, and interrupts it: all output, and what of it was there before
  /// the signal; nil where nobody may capture here.
  private func watch(_ options: [String]) throws -> (all: String, early: String)? {
    let scratch = try Scratch()
    let own = try scratch.write(
      "own.yaml",
      Array(
        """
        policies:
          - name: loopback-port
            about: Made for a test.
            source: Made for a test.
            match: {port: tcp/5224}
            action: {reset: injected, direction: both}
        """.utf8))
    let process = Program.process(["live", "-i", "lo", "--policies", own, "--keep-privileges"] + options)
    let output = scratch.file("stdout")
    let errors = scratch.file("stderr")
    process.standardOutput = try Program.handle(output)
    process.standardError = try Program.handle(errors)
    try process.run()
    defer { if process.isRunning { process.terminate() } }
    var early = ""
    // Each try is a flow of two packets: nobody listens there.
    for _ in 0..<100 where process.isRunning && !early.contains("loopback-port") {
      let knock = Process()
      knock.executableURL = URL(filePath: "/bin/bash")
      knock.arguments = ["-c", "exec 3<>/dev/tcp/127.0.0.1/5224"]
      knock.standardError = FileHandle.nullDevice
      try knock.run()
      knock.waitUntilExit()
      Thread.sleep(forTimeInterval: 0.2)
      early = try String(contentsOf: output, encoding: .utf8)
    }
    guard process.isRunning else {
      let words = try String(contentsOf: errors, encoding: .utf8)
      FileHandle.standardError.write(Data("SKIPPED: no live capture here: \(words)".utf8))
      #expect(process.terminationStatus == 2)
      return nil
    }
    process.interrupt()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    return (try String(contentsOf: output, encoding: .utf8), early)
  }
}
