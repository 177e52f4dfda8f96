import Classify
import Foundation
import Protocols
import Regress
import Report
import Testing

/// What README.md shows of the program is what the program prints.
///
/// A block of output stands between `<!-- output NAME -->` and `<!-- end -->`; WIRETAG_RECORD=1 writes it anew.
@Suite("The pages show what is true")
struct PageTests {
  static let sample = "first-look.pcapng"
  /// The flow that the README explains.
  static let explained = "courier2.push.apple.com"

  private func outputs() throws -> [String: String] {
    let run = try SampleRun(Self.sample)
    let flow = try #require(run.flows.first { $0.facts.tls?.serverName == Self.explained })
    var json = JSONLines()
    let style = TextStyle(width: 96)
    return [
      "read": FlowOverview(title: Self.sample, style: style).lines(run.summary, run.stats).joined(separator: "\n"),
      "explain": Ledger(style: style).lines(flow).joined(separator: "\n"),
      "calibration": wrapped(try Catalogue.shipped().calibration.origin),
      "regress": try brokenRow(),
      "record": folded(String(decoding: json.line(flow), as: UTF8.self)),
    ]
  }

  /// What `wiretag regress` prints when the courier's row of the catalogue names another host and another tag.
  private func brokenRow() throws -> String {
    let broken = try Catalogue(
      merging: """
        services:
          - {name: APNs, replace: true, tag: messaging, identify: [{sni-suffix: [push.example], confidence: vendor}]}
        """, named: "broken.yaml")
    let comparison = try SampleRun.comparison(Self.sample, catalogue: broken)
    let result = CaptureResult(
      Self.sample, expectation: "", .different(DifferenceList(comparison, limit: 2)), flowCount: 50)
    var text = ""
    // Two flows of the courier are alike here: one is enough.
    for line in DifferenceText().lines(result) { text += line + "\n" }
    return text.trimmingCharacters(in: .newlines)
  }

  /// A line of JSON, folded after commas for the page; joined again it is the line.
  private func folded(_ line: String) -> String {
    var lines = [""]
    for part in line.trimmingCharacters(in: .newlines).split(separator: ",", omittingEmptySubsequences: false) {
      let piece = lines == [""] ? String(part) : ",\(part)"
      if (lines.last ?? "").count + piece.count > 108, lines.last != "" {
        lines[lines.count - 1] += ","
        lines.append(String(piece.dropFirst()))
      } else {
        lines[lines.count - 1] += piece
      }
    }
    return lines.joined(separator: "\n")
  }

  private func wrapped(_ text: String) -> String {
    var lines = [""]
    for word in text.split(separator: " ") {
      if lines[lines.count - 1].count + word.count >= 96 { lines.append("") }
      lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
    }
    return lines.joined(separator: "\n")
  }

  @Test func outputInTheReadmeIsReal() throws {
    let outputs = try outputs()
    var page = try Project.text("README.md")
    for (name, output) in outputs.sorted(by: { $0.key < $1.key }) {
      let begin = try #require(page.range(of: "<!-- output \(name) -->\n```"), "no block \(name)")
      let rest = page[begin.upperBound...]
      let open = try #require(rest.firstIndex(of: "\n"))
      let close = try #require(rest.range(of: "\n```\n<!-- end -->"), "the block \(name) does not end")
      try #require(open < close.lowerBound, "the block \(name) is empty: put a line in it")
      let shown = String(page[page.index(after: open)..<close.lowerBound])
      // A block may begin with the command that it shows.
      let command = shown.hasPrefix("$ ") ? shown.prefix { $0 != "\n" } + "\n" : ""
      let text = command + output
      guard shown != text else { continue }
      if Project.isRecording {
        page.replaceSubrange(page.index(after: open)..<close.lowerBound, with: text)
        try Data(page.utf8).write(to: Project.folder.appending(path: "README.md"))
        print("README.md: the output of \(name) has changed")
      } else {
        Issue.record("README.md shows other output of \(name) than the program's; WIRETAG_RECORD=1 renews it")
      }
    }
  }

  @Test(arguments: ["README.md", "Sources/Engine/Wiretag.docc/Wiretag.md"])
  func exampleIsCompiled(page: String) throws {
    let text = try Project.text(page)
    let begin = try #require(text.range(of: "```swift\n"))
    let end = try #require(text.range(of: "\n```", range: begin.upperBound..<text.endIndex))
    let lines = text[begin.upperBound..<end.lowerBound].split(separator: "\n").map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    #expect(lines.count >= 8)
    var compiled = try Project.text("Tests/GoldenTests/TenLines.swift").split(separator: "\n").map {
      $0.trimmingCharacters(in: .whitespaces)
    }[...]
    for line in lines {
      let place = try #require(compiled.firstIndex(of: line), "not compiled: \(line)")
      compiled = compiled[(place + 1)...]
    }
  }

  /// The example names the sample as it lies in the project, so it runs only there.
  @Test func exampleRuns() throws {
    guard FileManager.default.fileExists(atPath: "captures/\(Self.sample)") else {
      print("SKIPPED: the README's example runs in the project's folder only")
      return
    }
    let printed = try tenLines()
    #expect(printed.contains { $0.hasPrefix("push APNs 0.") })
    #expect(printed.count == (try SampleRun(Self.sample).flows.count))
  }
}
