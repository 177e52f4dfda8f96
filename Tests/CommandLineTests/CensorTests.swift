import Foundation
import Testing

@Suite("The verb that plays a censor's rules")
struct CensorTests {
  private static let sample = StudyTests.captures + "/inflight-messaging.pcapng"

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test("The matrix as text, JSON, CSV and a page says the same of one policy")
  func formats() throws {
    let scratch = try Scratch()
    let page = scratch.file("matrix.html").path
    let arguments = ["censor", Self.sample, "--policy", "block-push-name"]
    let text = try Program.run(arguments + ["--report", page])
    #expect(text.status == 0, "\(text.errors)")
    #expect(text.output.contains("block-push-name") && text.lines.allSatisfy { $0.count <= 80 })
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(html.contains("block-push-name") && html.hasSuffix("</html>\n"))
    let matrix = try object(try Program.run(arguments + ["--format", "json"]).output)
    #expect(matrix["schema"] as? String == "wiretag-collateral/1")
    #expect(((matrix["traffic"] as? [String: Any])?["captures"] as? [Any])?.count == 1)
    let rows = try Program.run(arguments + ["--format", "csv"]).lines
    #expect(rows.first?.hasPrefix("policy,") == true)
    let notifications = try #require(rows.first { $0.contains(",notifications,") })
    // Every connection of the sample says a courier's name, so nothing of it arrives.
    #expect(notifications.contains(",messages,1,"))
  }

  @Test("What became of each message is a row a policy and message")
  func messages() throws {
    let scratch = try Scratch()
    let listing = scratch.file("messages.csv").path
    let outcome = try Program.run([
      "censor", Self.sample, "--policy", "block-push-name", "--policy", "facetime-ports", "--messages", listing,
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let rows = try String(contentsOfFile: listing, encoding: .utf8).split(separator: "\n")
    let truth = try String(contentsOfFile: StudyTests.captures + "/inflight-messaging.truth.jsonl", encoding: .utf8)
      .split(separator: "\n").map { try object(String($0)) }.filter { $0["app"] as? String == "courier" }
    #expect(rows.count == 1 + 2 * truth.count)
    #expect(rows.dropFirst().filter { $0.hasPrefix("block-push-name,") }.allSatisfy { $0.contains(",lost,,") })
    #expect(rows.dropFirst().filter { $0.hasPrefix("facetime-ports,") }.allSatisfy { $0.contains(",delivered,0.0,") })
  }

  @Test("A cell in words, the study, evasions and the list")
  func words() throws {
    let cell = try Program.run(["censor", Self.sample, "--explain", "block-push-name,notifications"])
    #expect(cell.status == 0 && cell.output.contains("SNI suffix push.apple.com"))
    let study = try Program.run(["censor", Self.sample, "--study", "facetime-vs-imessage"])
    #expect(study.status == 0 && study.output.contains("What nobody knows"))
    let evasions = try Program.run(["censor", Self.sample, "--evasions", "--policy", "block-push-name"])
    #expect(evasions.status == 0 && evasions.output.contains("records cut within the name"))
    let list = try Program.run(["censor", "--list", "--policy", "China"])
    #expect(list.status == 0 && list.output.contains("gfw-sni") && !list.output.contains("tspu-sni-1"))
  }

  @Test("What is wrong is said in a line for each mistake, with status 2")
  func mistakes() throws {
    let scratch = try Scratch()
    let file = try scratch.write("mine.yaml", Array("policies:\n  - name: a\n    mach: {}\n".utf8))
    func errors(_ arguments: [String]) throws -> String {
      let outcome = try Program.run(["censor"] + arguments)
      #expect(outcome.status == 2, "\(arguments): \(outcome.errors)")
      #expect(outcome.output.isEmpty)
      #expect(outcome.errorLines.allSatisfy { $0.hasPrefix("wiretag: ") })
      return outcome.errors
    }
    #expect(try errors([]).contains("a capture or a folder"))
    #expect(try errors([Self.sample, "--policies", file]).contains("mine.yaml:3: "))
    #expect(try errors([Self.sample, "--policies", "/nonexistent.yaml"]).contains("no such file"))
    #expect(try errors([Self.sample, "--policy", "block-push-nam"]).contains("did you mean block-push-name"))
    #expect(try errors([Self.sample, "--explain", "block-push-name"]).contains("a policy and a service"))
    #expect(try errors([Self.sample, "--explain", "block-push-name,notification"]).contains("notifications"))
    #expect(try errors([Self.sample, "--begin", "yesterday"]).contains("2026-01-31T12:00:00Z"))
    #expect(try errors([Self.sample, "--evasions", "--report", "x.html"]).contains("--evasions"))
    #expect(try errors(["/nonexistent.pcap"]).contains("no such file"))
  }
}
