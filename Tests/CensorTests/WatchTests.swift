import Bytes
import Capture
import Classify
import Decode
import Foundation
import Protocols
import Report
import Testing

@testable import Censor
@testable import Engine

/// Packets and flows as an analysis would deliver them; made up.
private final class Link {
  let watch: PolicyWatch
  private let told: Told
  var acts: [PolicyAct] { told.acts }
  private var ordinals: [UInt64: UInt64] = [:]
  private var sequences: [UInt64: UInt32] = [:]
  private var ends: [UInt64: (client: Endpoint, server: Endpoint)] = [:]

  private final class Told { var acts: [PolicyAct] = [] }

  init(_ yaml: String) throws {
    let book = try PolicyBook(text: yaml, file: "test.yaml", catalogue: #require(shippedCatalogue))
    let told = Told()
    self.told = told
    watch = try PolicyWatch(book.policies) { told.acts.append($0) }
  }

  /// A packet; time in seconds.
  func packet(
    _ flow: UInt64, at time: Double, port: UInt16 = 443, server: UInt32 = 0xcb00_7109, clientPort: UInt16 = 50_000,
    isTCP: Bool = true, up: Bool = true, _ payload: [UInt8] = [], wire: Int? = nil
  ) {
    let ordinal = (ordinals[flow] ?? 0) + 1
    ordinals[flow] = ordinal
    ends[flow] = (Endpoint(IPAddress(v4: 0xc000_0209), clientPort), Endpoint(IPAddress(v4: server), port))
    let visit = PacketVisit(
      flow: flow, ordinal: ordinal, time: Int64(time * 1e9), side: up ? .client : .server,
      transport: isTCP ? .tcp : .udp, flags: ordinal == 1 && isTCP ? .syn : .ack, sequence: sequences[flow] ?? 1,
      wireLength: wire ?? payload.count + 54, payloadLength: payload.count, fragments: 1, isFirstFragment: false,
      client: Endpoint(IPAddress(v4: 0xc000_0209), clientPort), server: Endpoint(IPAddress(v4: server), port))
    sequences[flow] = (sequences[flow] ?? 1) &+ UInt32(payload.count)
    watch.visit(visit, payload.rawSpan)
  }

  func event(
    _ flow: UInt64, name: String? = nil, helloAt: UInt64 = 0, service: String? = nil, tag: Classify.Tag = .other
  )
    -> FlowEvent
  {
    var event = FlowEvent()
    event.id = flow
    event.verdict = Verdict(tag: tag, confidence: 1)
    event.verdict.service = service
    event.decidedAtPacket = max(1, helloAt)
    if let name {
      var tls = TLSFacts()
      tls.serverName = name
      event.facts.tls = tls
      event.facts.application = .tls
      event.helloAtPacket = helloAt
      event.applicationAtPacket = helloAt
    }
    return event
  }
}

private let head = "name: p, about: made for a test, source: made for a test"

private func yaml(_ rest: String) -> String { "policies: [{\(head), \(rest)}]" }

@Suite("A watch for policies")
struct WatchTests {
  @Test("A rule on ports acts on the first packet, and is told with the verdict")
  func port() throws {
    let link = try Link(yaml("match: {port: tcp/5223}, action: drop"))
    link.packet(1, at: 1, port: 5_223)
    link.packet(2, at: 1.1, port: 443)
    #expect(link.acts.isEmpty, "no verdict stands yet")
    var event = link.event(1, service: "APNs", tag: .push)
    event.verdict.carries = [Carried(tag: .messaging, service: "iMessage")]
    link.watch.decided(event)
    link.packet(1, at: 1.2, port: 5_223)
    #expect(link.acts.count == 1)
    let act = try #require(link.acts.first)
    #expect(act.policy == "p" && act.action == "drop" && act.words == "would drop" && act.cause == .match)
    #expect(act.packet == 1 && act.time == 1_000_000_000 && act.flow == 1)
    #expect(act.matcher == "port tcp/5223" && act.value == "port 5223")
    #expect(act.service == "APNs" && act.tag == .push && act.carries.map(\.service) == ["iMessage"])
    link.packet(1, at: 1.3, port: 5_223)
    link.watch.ended(event)
    link.watch.ended(link.event(2))
    #expect(link.acts.count == 1, "a flow is cut once")
    let count = try #require(link.watch.counts.first)
    #expect(count.flows == Share(1, of: 2) && count.late == 0 && link.watch.limits.isEmpty)
    #expect(count.services.map(\.name) == ["APNs"] && count.services.map(\.flows) == [Share(1, of: 1)])
    #expect(count.carried.map(\.what.service) == ["iMessage"] && count.carried.map(\.flows) == [1])
  }

  @Test("Without a verdict an act is told after a second, by the packets' time or the clock")
  func patience() throws {
    let link = try Link(yaml("match: {transport: udp}, action: drop"))
    link.packet(1, at: 10, isTCP: false)
    link.packet(1, at: 10.9, isTCP: false)
    #expect(link.acts.isEmpty)
    link.watch.advance(to: 11_000_000_000)
    #expect(link.acts.count == 1 && link.acts[0].tag == nil && link.acts[0].service == nil)
    link.packet(2, at: 12, clientPort: 50_001, isTCP: false)
    link.packet(3, at: 13.5, clientPort: 50_002, isTCP: false)
    #expect(link.acts.map(\.flow) == [1, 2])
  }

  @Test("A name that is known behind its hello is met at the hello, and the packets since are counted")
  func name() throws {
    let link = try Link(
      yaml("match: {sni-suffix: [example.com]}, action: {drop: true, passes: 2, trigger-passes: true}"))
    link.packet(1, at: 1)
    link.packet(1, at: 1.1, up: false)
    link.packet(1, at: 1.2)
    link.packet(1, at: 1.3, [22, 3, 1, 0, 100, 1])
    link.packet(1, at: 1.4, up: false)
    link.packet(1, at: 1.5, up: false)
    #expect(link.acts.isEmpty)
    link.watch.decided(link.event(1, name: "www.example.com", helloAt: 4))
    link.packet(1, at: 1.6, up: false)
    let act = try #require(link.acts.first)
    // The hello is the fourth packet, two more pass.
    #expect(link.acts.count == 1 && act.packet == 7 && act.value == "www.example.com" && act.knownAt == nil)
  }

  @Test("A hit that lies behind when it becomes known says so")
  func knownLater() throws {
    let link = try Link(yaml("match: {sni-suffix: [example.com]}, action: {reset: injected}"))
    for step in 0..<3 { link.packet(1, at: 1 + Double(step) / 10) }
    link.watch.decided(link.event(1, name: "example.com", helloAt: 2))
    link.packet(1, at: 1.4)
    #expect(link.acts.map(\.packet) == [2] && link.acts.first?.knownAt == 4 && link.acts.first?.isLate == false)
    link.packet(2, at: 2, clientPort: 50_001)
    link.packet(2, at: 2.1, clientPort: 50_001)
    link.watch.ended(link.event(2, name: "example.com", helloAt: 2))
    #expect(link.acts.count == 2 && link.acts.last?.isLate == true && link.acts.last?.words == "would reset")
    #expect(link.watch.counts.first?.late == 1 && link.watch.counts.first?.flows == Share(1, of: 1))
  }

  @Test("What a name spares is not hit before the name is known")
  func negation() throws {
    let link = try Link(yaml("match: {hello: tcp, not: {sni-suffix: [good.example]}}, action: drop"))
    for flow in 1...2 as ClosedRange<UInt64> {
      link.packet(flow, at: 1, clientPort: 50_000 + UInt16(flow))
      link.packet(flow, at: 1.1, clientPort: 50_000 + UInt16(flow), [22, 3, 1, 0, 100, 1])
    }
    link.watch.decided(link.event(1, name: "www.good.example", helloAt: 2))
    link.watch.decided(link.event(2, name: "bad.example", helloAt: 2))
    for flow in 1...2 as ClosedRange<UInt64> { link.packet(flow, at: 1.2, clientPort: 50_000 + UInt16(flow)) }
    #expect(link.acts.map(\.flow) == [2])
    // Where nothing that is still to come can decide, nothing is waited for.
    let ports = try Link(yaml("match: {not: {port: tcp/443}}, action: drop"))
    ports.packet(1, at: 1, port: 8_443)
    ports.packet(2, at: 1, port: 443, clientPort: 50_001)
    ports.watch.advance(to: 3_000_000_000)
    #expect(ports.acts.map(\.flow) == [1] && ports.acts.first?.matcher == "not port tcp/443")
    #expect(ports.acts.first?.value == "")
  }

  @Test("Names that a scope spares are waited for, and no longer than the first packets")
  func sparedNames() throws {
    let link = try Link(
      yaml("scope: {except-sni-suffix: [good.example]}, match: {transport: udp}, action: {freeze: {packets: 40}}"))
    for step in 0..<39 { link.packet(1, at: 1 + Double(step) / 100, isTCP: false, up: step % 2 == 0, [0]) }
    link.watch.advance(to: 60_000_000_000)
    #expect(link.acts.isEmpty)
    link.packet(1, at: 61, isTCP: false, [0])
    link.packet(1, at: 62, isTCP: false, [0])
    link.packet(1, at: 63, isTCP: false, [0])
    #expect(link.acts.map(\.packet) == [41] && link.acts.first?.words == "would freeze")
  }

  @Test("Later flows meet what the box remembers, and earlier ones too")
  func residual() throws {
    let link = try Link(
      yaml("match: {sni-suffix: [example.com]}, action: drop, residual: {seconds: 60, key: 3-tuple}"))
    link.packet(1, at: 0.5, clientPort: 50_001)
    link.packet(2, at: 1, clientPort: 50_002)
    link.watch.decided(link.event(2, name: "example.com", helloAt: 2))
    link.packet(2, at: 1.1, clientPort: 50_002)
    link.packet(1, at: 2, clientPort: 50_001)
    link.packet(3, at: 30, clientPort: 50_003)
    link.packet(4, at: 30, server: 0xcb00_710a, clientPort: 50_004)
    // Only the hello started the time.
    link.packet(5, at: 62, clientPort: 50_005)
    link.watch.advance(to: 70_000_000_000)
    #expect(link.acts.map(\.flow) == [2, 1, 3])
    #expect(link.acts.map(\.cause) == [.match, .residual, .residual])
    #expect(link.acts.last?.matcher == "an earlier flow with the same client, server and port")
    #expect(link.acts.last?.value == "203.0.113.9:443")
  }

  @Test("A second stage lists addresses, and hits them after its delay")
  func secondStage() throws {
    let link = try Link(
      yaml("match: {port: udp/3478}, action: drop, second-stage: {delay: 100, key: server-port}"))
    link.packet(1, at: 1, port: 3_478, isTCP: false)
    link.packet(1, at: 50, port: 3_478, isTCP: false)
    link.packet(2, at: 60, port: 3_478, clientPort: 50_001, isTCP: false)
    link.watch.advance(to: 70_000_000_000)
    #expect(link.acts.isEmpty)
    link.packet(1, at: 102, port: 3_478, isTCP: false)
    link.packet(3, at: 103, port: 3_478, clientPort: 50_002, isTCP: false)
    link.watch.advance(to: 200_000_000_000)
    #expect(link.acts.map(\.flow) == [1, 3] && link.acts.allSatisfy { $0.cause == .list })
  }

  @Test("A false answer is told at the question, and the flow that it would have led elsewhere")
  func poison() throws {
    let question =
      [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7] + Array("example".utf8) + [3] + Array("org".utf8) + [0, 0, 1, 0, 1]
    let link = try Link(yaml("match: {dns-suffix: [example.org]}, action: poison"))
    link.packet(1, at: 1, port: 53, isTCP: false, question)
    link.watch.advance(to: 2_000_000_000)
    #expect(link.acts.map(\.words) == ["would answer falsely"] && link.acts.first?.value == "example.org")
    link.packet(2, at: 3, clientPort: 50_001)
    var event = link.event(2)
    event.names = ["example.org"]
    link.watch.decided(event)
    link.packet(2, at: 3.1, clientPort: 50_001)
    link.packet(3, at: 3, clientPort: 50_002)
    link.watch.decided(link.event(3))
    link.packet(3, at: 3.1, clientPort: 50_002)
    #expect(link.acts.map(\.flow) == [1, 2] && link.acts.last?.cause == .poison)
    #expect(link.acts.last?.words == "would have led elsewhere")
  }

  @Test("A rule on records is told record by record, and says its action with its figure")
  func records() throws {
    let link = try Link(
      yaml("match: {port: tcp/5223, record: {direction: up, at-least: 400}}, action: {hold: 3, unit: packet}"))
    let record = [23, 3, 3, 1, 0x90] + [UInt8](repeating: 7, count: 400)
    let short = [23, 3, 3, 0, 50] + [UInt8](repeating: 7, count: 50)
    link.packet(1, at: 1, port: 5_223)
    link.packet(1, at: 2, port: 5_223, record)
    link.packet(1, at: 3, port: 5_223, short)
    link.packet(1, at: 4, port: 5_223, up: false, record)
    link.packet(1, at: 5, port: 5_223, record)
    link.watch.ended(link.event(1, service: "APNs", tag: .push))
    #expect(link.acts.map(\.packet) == [2, 5] && link.acts.map(\.words) == ["would hold 3 s", "would hold 3 s"])
    #expect(link.acts.allSatisfy { $0.value == "record of 400 bytes" })
    #expect(link.watch.counts.first?.flows == Share(1, of: 1))
  }

  @Test("A flow's acts that are told are few, and the rest is counted")
  func manyActs() throws {
    let link = try Link(
      yaml("match: {packet: {at-least: 40}}, action: {drop: true, unit: packet}"))
    for step in 0..<(PolicyWatch.maximumActs + 10) { link.packet(1, at: 1 + Double(step), [1, 2, 3], wire: 100) }
    link.watch.ended(link.event(1))
    #expect(link.acts.count == PolicyWatch.maximumActs)
    #expect(link.watch.limits["acts of policies not told"] == 10)
  }

  @Test("Flows beyond the table are not watched, and counted")
  func tableCap() throws {
    let link = try Link(yaml("match: {port: tcp/443}, action: drop"))
    for flow in 1...UInt64(PolicyWatch.maximumFlows + 3) { link.packet(flow, at: 1) }
    link.packet(UInt64(PolicyWatch.maximumFlows + 1), at: 1.1)
    #expect(link.watch.limits["flows not watched by policies"] == 3)
    link.watch.ended(link.event(1))
    link.packet(UInt64(PolicyWatch.maximumFlows + 4), at: 1.2)
    #expect(link.watch.limits["flows not watched by policies"] == 3, "an ended flow makes room")
  }

  @Test("Policies that need truth are refused in one line that names them")
  func truth() throws {
    let book = try PolicyBook.shipped(catalogue: #require(shippedCatalogue))
    let error = #expect(throws: PolicyError.self) {
      _ = try PolicyWatch(try book.picked(["perfect", "shape"])) { _ in }
    }
    let text = try #require(error?.description)
    #expect(
      text.contains("perfect-record-imessage") && text.contains("imessage-model") && !text.contains("perfect-push"))
    #expect(text.contains("wiretag censor") && !text.contains("\n"))
  }

  @Test("An act as a line and as an object of the record format")
  func output() throws {
    let link = try Link(yaml("match: {sni-suffix: [example.com]}, action: drop"))
    link.packet(1, at: 1)
    var event = link.event(1, name: "evil\u{1b}[31m.example.com", helloAt: 1, service: "APNs", tag: .push)
    event.verdict.carries = [Carried(tag: .calling, service: "FaceTime ringing")]
    link.watch.decided(event)
    link.packet(1, at: 1.5)
    let act = try #require(link.acts.first)
    let line = act.line(TextStyle(isUnicode: false))
    #expect(!line.contains("\u{1b}"))
    #expect(
      line.hasPrefix(
        "00:00:01.000  p would drop 192.0.2.9:50000 > 203.0.113.9:443, APNs (push), by SNI suffix example.com: evil"))
    #expect(line.hasSuffix("; with it FaceTime ringing (calling)") && !line.contains("blocked"))
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(act.json())) as? [String: Any])
    #expect(object["event_type"] as? String == "policy" && object["action"] as? String == "drop")
    #expect(object["src_ip"] as? String == "192.0.2.9" && object["dest_port"] as? Int == 443)
    #expect(object["timestamp"] as? String == "1970-01-01T00:00:01.000000000Z" && object["packet"] as? Int == 1)
    #expect((object["carries"] as? [[String: String]]) == [["tag": "calling", "service": "FaceTime ringing"]])
    link.watch.ended(event)
    let stats = Array("{\"event_type\":\"stats\",\"packets\":2}\n".utf8)
    let closing = link.watch.adding(to: stats)
    #expect(closing.last == UInt8(ascii: "\n"))
    let closed = try #require(try JSONSerialization.jsonObject(with: Data(closing)) as? [String: Any])
    let policies = try #require(closed["policies"] as? [[String: Any]])
    #expect(closed["packets"] as? Int == 2 && policies.count == 1)
    #expect(policies[0]["flows_hit"] as? Int == 1 && policies[0]["flows"] as? Int == 1)
    let summary = link.watch.summary(TextStyle(width: 60))
    #expect(summary.joined(separator: " ").contains("p would have dropped 1 of 1 flows: APNs 1 of 1."))
    #expect(summary.allSatisfy { $0.count <= 60 })
  }
}

@Suite("The watch beside the replay")
struct WatchReplayTests {
  @Test("On the captures of the project the watch hits the flows that the replay hits", .timeLimit(.minutes(5)))
  func samples() throws {
    guard !EvasionFixture.captures.isEmpty else {
      FileHandle.standardError.write(Data("SKIPPED: no captures here\n".utf8))
      return
    }
    let catalogue = try #require(shippedCatalogue)
    let book = try PolicyBook.shipped(catalogue: catalogue)
    let policies = book.policies.filter { policy in
      !policy.match.leaves.contains {
        switch $0 {
        case .message, .model: true
        default: false
        }
      }
    }
    #expect(policies.count >= 35)
    let classifier = Classifier(catalogue: catalogue)
    var reader = TraceReader(classifier: classifier)
    let replay = Replay(policies, recovery: try RecoveryBook.shipped())
    var (hits, late) = (0, 0)
    for file in EvasionFixture.captures {
      let name = file.lastPathComponent
      let trace = try reader.read(path: file.path, name: name)
      let index = TraceIndex(trace)
      var acts: [PolicyAct] = []
      let watch = try PolicyWatch(policies) { acts.append($0) }
      try play(file.path, classifier, watch)
      for matcher in replay.matchers {
        let expected = replay.play(matcher, over: trace, index).hits
          .reduce(into: [UInt64: Int]()) { $0[trace.flows[$1.key].id] = $1.value.state.cutAt }
        let own = acts.filter { $0.policy == matcher.policy.name }
        // The packet at which a box would have begun to act is the same, however late that was known.
        let seen = own.reduce(into: [UInt64: Int]()) { $0[$1.flow] = min($0[$1.flow] ?? .max, $1.packet) }
        #expect(seen == expected, "\(name) \(matcher.policy.name)")
        let count = watch.counts.first { $0.policy.name == matcher.policy.name }
        #expect(count?.flows == Share(UInt64(seen.count), of: UInt64(trace.flows.count)))
        hits += expected.count
        late += Set(own.filter(\.isLate).map(\.flow)).count
      }
      #expect(watch.limits.keys.allSatisfy { $0 == "acts of policies not told" })
    }
    // What only the end of a flow tells is told at its end; of these captures that is little.
    #expect(hits > 500 && late * 50 < hits, "\(hits) hits, \(late) late")
  }

  private func play(_ path: String, _ classifier: Classifier, _ watch: PolicyWatch) throws {
    var source = try CaptureFile.open(path: path, filter: nil)
    var events = AnalyzerEvents { watch.ended($0) }
    events.flowDecided = { watch.decided($0) }
    events.visit = { watch.visit($0, $1) }
    var analyzer = Analyzer(classifier: classifier, options: AnalyzerOptions())
    do {
      try analyzer.read(&source, events: events)
    } catch {
      // A sample ends in damage; what came before it counts.
    }
    analyzer.finish(events: events)
  }
}
