import Foundation
import Testing

@Suite("The verbs that study what is inside")
struct StudyTests {
  static let captures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "captures").path

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  /// The truth file beside the sample counts the courier's messages; it was written by courier and phone.
  @Test func courierListsEveryMessage() throws {
    let truth = try String(contentsOfFile: Self.captures + "/inflight-messaging.truth.jsonl", encoding: .utf8)
      .split(separator: "\n").map { try object(String($0)) }
      .filter { $0["app"] as? String == "courier" }
    let outcome = try Program.run(["courier", "--format", "jsonl", Self.captures + "/inflight-messaging.pcapng"])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = try outcome.output.split(separator: "\n").map { try object(String($0)) }
    #expect(!lines.isEmpty)
    #expect(lines.count == truth.count)
    #expect(
      lines.compactMap { $0["plaintext"] as? Int }.sorted() == truth.compactMap { $0["plaintext"] as? Int }.sorted())
    for line in lines {
      #expect(line["event_type"] as? String == "courier")
      for name in ["timestamp", "src_ip", "dest_port", "direction", "kind", "class", "records"] {
        #expect(line[name] != nil)
      }
    }
    let table = try Program.run(["courier", Self.captures + "/inflight-messaging.pcapng"])
    #expect(table.output.contains("packed framing") && table.output.contains("imessage.typing_start"))
    #expect(table.lines.allSatisfy { $0.count <= 80 })
    // Who wrote to whom, and what, is nobody's business.
    #expect(!table.output.contains("mailto:") && !outcome.output.contains("mailto:"))
  }

  @Test func withoutSecretsThereIsNothingToList() throws {
    let outcome = try Program.run(["courier", Self.captures + "/midflow.pcapng"])
    #expect(outcome.status == 1)
    #expect(outcome.errors.contains("give them with --keylog"))
  }

  @Test func aStudyAsTextJSONAndPage() throws {
    let scratch = try Scratch()
    let page = scratch.file("report.html").path
    let files = ["inflight-messaging", "first-look"].map { "\(Self.captures)/\($0).pcapng" }
    let text = try Program.run(["separability", "--report", page] + files)
    #expect(text.status == 0, "\(text.errors)")
    for title in ["Identify", "Detect", "Act"] { #expect(text.lines.contains(title)) }
    #expect(text.output.contains("On one phone") && text.output.contains("connections that carried"))
    #expect(text.lines.allSatisfy { $0.count <= 80 })
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(html.contains("wiretag separability") && html.contains("<svg") && html.hasSuffix("</html>\n"))
    let study = try object(try Program.run(["separability", "--format", "json"] + files).output)
    let identify = try #require(study["identify"] as? [String: Any])
    #expect(identify["sharedConnections"] as? Int == 2)
    #expect((study["captures"] as? [Any])?.count == 2)
    // The same seed gives the same study.
    #expect(try Program.run(["separability"] + files).output == text.output)
  }

  @Test func whatIsWrongIsSaid() throws {
    let scratch = try Scratch()
    let sample = Self.captures + "/first-look.pcapng"
    func error(_ arguments: [String]) throws -> String {
      let outcome = try Program.run(["separability"] + arguments)
      #expect(outcome.status == 2, "\(arguments)")
      #expect(outcome.output.isEmpty)
      return outcome.errors
    }
    #expect(try error([sample, "--between", "imessage"]).contains("two kinds of traffic"))
    #expect(try error([sample, "--between", "imessage,imessage"]).contains("both are 'imessage'"))
    let unknown = try error([sample, "--between", "letters,notifications"])
    #expect(unknown.contains("nothing in these captures is 'letters'; there are ") && unknown.contains("imessage"))
    let keys = try scratch.write("keys.log", Array("nonsense\n".utf8))
    #expect(try error([sample, "--keylog", keys]).contains("holds no secret"))
    let labels = try scratch.write("labels.tsv", Array("start\tend\n".utf8))
    #expect(try error([sample, "--labels", labels]).contains("line 1: no column is called class"))
    let act = try scratch.write("act.json", Array("{}".utf8))
    #expect(try error([sample, "--act", act]).contains("is no measurement"))
    #expect(try error(["/nonexistent.pcap"]).contains("/nonexistent.pcap"))
    #expect(try error([sample, "--report", "/nonexistent/r.html"]).contains("/nonexistent/r.html"))
  }
}
