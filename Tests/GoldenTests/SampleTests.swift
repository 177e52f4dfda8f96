import Classify
import Foundation
import Report
import Testing

@Suite("Sample captures give what a person has read")
struct SampleTests {
  @Test func thereAreSamples() { #expect(Project.samples.contains("first-look.pcapng")) }

  /// `captures/expected/NAME.txt` holds every flow of a sample, and the run's totals.
  @Test(arguments: Project.samples)
  func records(sample: String) throws {
    let found = try SampleRun(sample).records().map { FlatRecord($0) }
    let path = "captures/expected/\(sample).txt"
    let text = (try? Project.text(path)) ?? ""
    let expected = text.components(separatedBy: "\n\n").filter { !$0.isEmpty }.map { FlatRecord(parsing: $0[...]) }
    var differences: [String] = []
    for record in found where !expected.contains(where: { $0.title == record.title }) {
      differences.append("only found: \(record.title)")
    }
    for record in expected {
      guard let now = found.first(where: { $0.title == record.title }) else {
        differences.append("only expected: \(record.title)")
        continue
      }
      let lines = now.differences(from: record)
      if !lines.isEmpty { differences.append(([record.title] + lines).joined(separator: "\n    ")) }
    }
    if Project.isRecording {
      let file = Project.folder.appending(path: path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(found.map(\.text).joined(separator: "\n").utf8).write(to: file)
      print("\(path): \(differences.isEmpty ? "as before" : "changed\n  " + differences.joined(separator: "\n  "))")
    } else if !differences.isEmpty {
      Issue.record("\(path) differs (-: expected, +: found)\n  \(differences.joined(separator: "\n  "))")
    }
  }

  /// The truth is written by the maker of a sample from what it ran; it knows nothing of Wiretag.
  @Test(arguments: Project.samples)
  func tagsAreTrue(sample: String) throws {
    let stem = sample.prefix { $0 != "." }
    let rows = try Project.text("captures/\(stem).truth.tsv").split(separator: "\n").map {
      $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
    #expect(rows.first == ["proto", "src_ip", "src_port", "dest_ip", "dest_port", "tag", "service", "name"])
    let flows = try SampleRun(sample).records().filter { $0["event_type"] as? String == "flow" }
    #expect(flows.count == rows.count - 1)
    var judged = 0
    for row in rows.dropFirst() where row.count == 8 {
      let flow = flows.first { flow in
        zip(["proto", "src_ip", "src_port", "dest_ip", "dest_port"], row).allSatisfy { "\(flow[$0] ?? "")" == $1 }
      }
      let found = try #require(flow, "no flow for \(row.joined(separator: " "))")
      guard row[5] != "?" else { continue }
      judged += 1
      #expect(found["tag"] as? String == row[5], "\(row[7]) on port \(row[4])")
      if row[6] != "-" { #expect(found["service"] as? String == row[6], "\(row[7]) on port \(row[4])") }
    }
    #expect(judged > 0)
  }

  /// A sample that nothing describes cannot be judged by a reader.
  @Test(arguments: Project.samples)
  func manifestTellsOfIt(sample: String) throws {
    #expect(try Project.text("captures/MANIFEST.md").contains("## \(sample)\n"))
  }
}
