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

  /// The truth is written by the maker of a sample from what it ran; it knows nothing of Wiretag. Where the two differ,
  /// `KnownMiss` says why; one that no longer differs has to go.
  @Test(arguments: Project.samples)
  func tagsAreTrue(sample: String) throws {
    let truth = try SampleTruth(sample)
    let flows = try SampleRun(sample).flows
    var judged = 0
    var missed: [KnownMiss.What: Int] = [:]
    for row in truth.flows {
      let found = flows.first { row.isOf($0) }
      let flow = try #require(found, "no flow for \(row)")
      guard row.tag != "?" else { continue }
      judged += 1
      let said = flow.verdict.tag.rawValue
      guard said != row.tag || row.service.map({ $0 != flow.verdict.service }) == true else { continue }
      let what = KnownMiss.What(server: row.name ?? "?", tag: said, service: flow.verdict.service)
      missed[what, default: 0] += 1
      let isKnown = KnownMiss.all.contains { $0.sample == sample && $0.what == what }
      #expect(isKnown, "\(row): it is \(row.tag) \(row.service ?? ""), found \(said) \(flow.verdict.service ?? "")")
    }
    #expect(judged > 0)
    for miss in KnownMiss.all where miss.sample == sample {
      #expect(missed[miss.what] == miss.flows, "\(miss.what) is no longer as KnownMiss says: \(miss.why)")
    }
  }

  /// A sample that nothing describes cannot be judged by a reader.
  @Test(arguments: Project.samples)
  func manifestTellsOfIt(sample: String) throws {
    #expect(try Project.text("captures/MANIFEST.md").contains("## \(sample)\n"))
  }
}

/// Where Wiretag's verdict and a sample's truth differ, and why that is left so.
struct KnownMiss {
  struct What: Hashable {
    var server, tag: String
    var service: String?
  }

  var sample: String
  var what: What
  var flows: Int
  var why: String

  init(_ sample: String, _ server: String, said tag: String, _ service: String?, _ flows: Int, _ why: String) {
    (self.sample, self.flows, self.why) = (sample, flows, why)
    what = What(server: server, tag: tag, service: service)
  }

  static let all =
    lies + [
      KnownMiss(
        "facetime-call.pcapng", "FaceTime-shaped media, direct", said: "calling", "RTP", 1,
        "between two phones no address is Apple's; the ports alone do not name a service"),
      KnownMiss("imessage-attachments.pcapng", content, said: "other", "iCloud content", 3, attachments),
      KnownMiss("inflight-messaging.pcapng", content, said: "other", "iCloud content", 2, attachments),
      KnownMiss("many-devices.pcapng", content, said: "other", "iCloud content", 3, attachments),
      KnownMiss("shared-day.pcapng", content, said: "other", "iCloud content", 1, attachments),
      KnownMiss(
        "shared-day.pcapng", "FaceTime-shaped media, direct", said: "calling", "RTP", 1,
        "between two phones no address is Apple's; the ports alone do not name a service"),
      KnownMiss(
        "midflow.pcapng", "g.whatsapp.net", said: "other", "Meta shared", 1,
        "its first bytes were before the capture, and its address is that of all of Meta"),
      KnownMiss(
        "midflow.pcapng", "wss-primary.slack.com", said: "other", nil, 1,
        "its hello was before the capture, and its address is nobody's"),
      KnownMiss("webrtc-call.pcapng", "turn.example.net", said: "other", nil, 1, "TURN within TLS shows no TURN"),
    ]

  /// Every flow of the sample goes to one web server; a name is believed all the same.
  private static let lies = [
    ("decoy that dies on the way", "that its TTL is too small for the server shows nowhere in it"),
    ("decoy with a wrong checksum", "checksums are not judged: captures of one's own machine have none yet"),
    ("decoy on the SYN", "what a SYN carries is taken as if the server had"),
    ("name in capitals", "the client says so"),
    ("name with a dot at its end", "the client says so"),
    ("HTTP with the courier's name", "the client says so"),
    ("under the name courier.push.apple.com", "the client says so"),
  ].map { KnownMiss("hostile.pcapng", "www.example.org: \($0)", said: "push", "APNs", 1, $1) }

  private static let content = "p52-content.icloud-content.com"
  private static let attachments =
    "the host is that of all iCloud content; that a photo belongs to a message shows nowhere"
}

/// What each flow of a sample is, from `NAME.truth.jsonl`.
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
    for line in try Project.text("captures/\(stem).truth.jsonl").split(separator: "\n") {
      let row = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      if row["truth"] as? String == "flow" { try add { row[$0].map { "\($0)" } } }
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
