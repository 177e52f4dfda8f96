import Classify
import Decode
import Foundation
import Regress
import Report
import Testing

@Suite("Sample captures give what a person has read")
struct SampleTests {
  @Test func thereAreSamples() { #expect(Project.samples.contains("first-look.pcapng")) }

  /// `captures/expected` holds every flow of a sample; `wiretag regress captures --record` renews it.
  @Test(arguments: Project.samples)
  func asExpected(sample: String) throws {
    let comparison = try SampleRun.comparison(sample)
    #expect(comparison.renewed.flows?.isEmpty == false, "nothing is expected of its flows")
    guard !comparison.differences.isEmpty else { return }
    let result = CaptureResult(
      sample, expectation: "captures/expected/\(sample).yaml", .different(DifferenceList(comparison)),
      flowCount: comparison.renewed.flows?.count ?? 0)
    Issue.record("\(DifferenceText().lines(result).joined(separator: "\n"))")
  }

  /// The truth is written by the maker of a sample from what it ran; it knows nothing of Wiretag.
  @Test(arguments: Project.samples)
  func tagsAreTrue(sample: String) throws {
    let truth = try SampleTruth(sample)
    let flows = try SampleRun(sample).flows
    var judged = 0
    for row in truth.flows {
      let found = flows.first { row.isOf($0) }
      let flow = try #require(found, "no flow for \(row)")
      guard row.tag != "?" else { continue }
      judged += 1
      #expect(flow.verdict.tag.rawValue == row.tag, "\(row)")
      if let service = row.service { #expect(flow.verdict.service == service, "\(row)") }
    }
    #expect(judged > 0)
  }

  /// A sample that nothing describes cannot be judged by a reader.
  @Test(arguments: Project.samples)
  func manifestTellsOfIt(sample: String) throws {
    #expect(try Project.text("captures/MANIFEST.md").contains("## \(sample)\n"))
  }
}

/// What each flow of a sample is: `NAME.truth.jsonl`, or `NAME.truth.tsv` with a line of headings.
struct SampleTruth {
  /// A flow as the makers know it.
  struct Flow: CustomStringConvertible {
    var proto, source, destination, tag: String
    var sourcePort, destinationPort: Int
    var service, name: String?

    var description: String {
      "\(name ?? "?"): \(proto) \(source) \(sourcePort) > \(destination) \(destinationPort)"
    }

    /// Whoever opened it: where a capture starts late, that is not in the packets.
    func isOf(_ flow: FlowEvent) -> Bool {
      let ends = [("\(flow.source)", Int(flow.sourcePort)), ("\(flow.destination)", Int(flow.destinationPort))]
      let own = [(source, sourcePort), (destination, destinationPort)]
      func isSame(_ a: [(String, Int)]) -> Bool { zip(a, own).allSatisfy { $0.0 == $1.0 && $0.1 == $1.1 } }
      return (flow.transport == .tcp ? "TCP" : "UDP") == proto && (isSame(ends) || isSame(ends.reversed()))
    }
  }

  private(set) var flows: [Flow] = []

  init(_ sample: String) throws {
    let stem = sample.prefix { $0 != "." }
    if let text = try? Project.text("captures/\(stem).truth.jsonl") {
      for line in text.split(separator: "\n") {
        let row = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        if row["truth"] as? String == "flow" { try add { row[$0].map { "\($0)" } } }
      }
    } else {
      let rows = try Project.text("captures/\(stem).truth.tsv").split(separator: "\n").map {
        $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      }
      let names = try #require(rows.first)
      for row in rows.dropFirst() {
        try add { name in names.firstIndex(of: name).flatMap { $0 < row.count && row[$0] != "-" ? row[$0] : nil } }
      }
    }
    try #require(!flows.isEmpty, "\(sample) has no truth")
  }

  private mutating func add(_ field: (String) -> String?) throws {
    let service = field("service")
    flows.append(
      Flow(
        proto: try #require(field("proto")), source: try #require(field("src_ip")),
        destination: try #require(field("dest_ip")), tag: try #require(field("tag")),
        sourcePort: try #require(field("src_port").flatMap { Int($0) }),
        destinationPort: try #require(field("dest_port").flatMap { Int($0) }),
        service: service == "<null>" || service == "?" ? nil : service, name: field("name")))
  }
}
