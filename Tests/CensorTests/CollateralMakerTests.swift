import Bytes
import Classify
import Decode
import TestSupport
import Testing

@testable import Censor

@Suite("What policies hit, counted")
struct CollateralMakerTests {
  static let push: FlowSight = {
    var flow = Sketch.tls("1-courier.push.apple.com", serverPort: 5223)
    flow.service = "APNs"
    flow.tag = .push
    return flow
  }()

  static func web(client: String = "198.51.100.1") -> FlowSight {
    var flow = Sketch.tls("www.example.org", client: client, port: 50_100, server: "203.0.113.9")
    (flow.service, flow.trueService, flow.trueTag) = ("guessed", "Web", "other")
    return flow
  }

  static func media(_ port: UInt16) -> FlowSight {
    var flow = Sketch.bare(port: port, server: "203.0.113.77", serverPort: 3478, .udp)
    (flow.service, flow.tag, flow.verdictAt, flow.conversation) = ("FaceTime", .calling, 3, 1)
    return flow
  }

  /// A phone with a text to the courier, a notification from it and a page; in another capture the same address with a
  /// call of two flows and a page.
  static func collateral(_ policies: [Policy], listing: ((CollateralMaker.ListedMessage) -> Void)? = nil) throws
    -> Collateral
  {
    var first = TraceSketch()
    var packets = BoxTests.turns(6)
    packets += [Sketch.packet(20, up: true, 505), Sketch.packet(20.1, up: false), Sketch.packet(30, up: false, 305)]
    (packets[6].record, packets[6].marks) = (500, .leadingRecord)
    (packets[8].record, packets[8].marks) = (300, .leadingRecord)
    let flow = first.add(push, packets + [Sketch.packet(100, up: true, 0)])
    first.message("imessage.text", in: flow, at: 20, up: true)
    first.message("notification.chat", in: flow, at: 30, up: false, topic: "chat")
    first.add(web(), at: [1, 1.1, 1.2, 1.3, 1.4])
    var second = TraceSketch()
    for port in [UInt16(40_001), 40_002] { second.add(media(port), at: (0..<10).map(Double.init)) }
    second.add(web(client: "198.51.100.2"), at: [1, 1.1, 1.2, 1.3, 1.4])
    var maker = CollateralMaker(policies, recovery: try RecoveryBook.shipped(), listing: listing)
    maker.add(first.trace("first"))
    maker.add(second.trace("second"))
    return maker.collateral()
  }

  static func named(_ name: String, target: [String] = [], _ policy: Policy) -> Policy {
    var policy = policy
    (policy.name, policy.target) = (name, target)
    return policy
  }

  static let policies = [
    named("name", target: ["apns"], Sketch.policy(Sketch.sni("push.apple.com"), .drop)),
    named("port", target: ["apns"], Sketch.policy(Sketch.port("tcp/5223"), .drop)),
    named("calls", target: ["facetime"], Sketch.policy(.leaf(.service(["FaceTime"])), .drop)),
    named(
      "shape", target: ["imessage-sent"],
      Sketch.policy(.leaf(.record(RecordTest(lengths: 444...800))), .drop) { $0.action.unit = .packet }),
    named("nothing", Sketch.policy(Sketch.sni("example.net"), .drop)),
  ]

  @Test("Wholes are what is in the captures")
  func wholes() throws {
    let collateral = try Self.collateral(Self.policies)
    #expect(collateral.captures == ["first", "second"])
    #expect(collateral.flows == 5 && collateral.packets == 10 + 5 + 20 + 5 && collateral.messages == 2)
    #expect(collateral.phones == 3, "an address in two captures is two phones")
    #expect(collateral.columns.map(\.key) == ["imessage-sent", "notifications", "apns", "facetime", "web"])
    for result in collateral.results {
      #expect(result.cells.map(\.flows.whole) == [0, 0, 1, 2, 2])
      #expect(result.cells.map(\.lost.whole) == [1, 1, 0, 0, 0])
      #expect(result.cells.map(\.basis) == [.messages, .messages, .verdict, .verdict, .truth])
      #expect(result.cells.map(\.conversations.whole) == [0, 0, 0, 1, 0])
      #expect(result.cells.map(\.phones.whole) == [1, 1, 1, 1, 2])
    }
  }

  @Test("A rule on a name takes the connection with all it carries")
  func name() throws {
    let collateral = try Self.collateral(Self.policies)
    let result = collateral.results[0]
    #expect(result.cells.map(\.hit) == [1, 1, 1, 0, 0])
    #expect(result.cells[0].lost.part == 1 && result.cells[1].lost.part == 1)
    #expect(result.target == 1)
    // iMessage and notifications of the four columns that are neither the target nor its messages' carrier.
    #expect(result.collateral == 0.5)
    #expect(result.notificationsPerIMessage == 1)
    #expect(result.phones == Share(1, of: 3))
    #expect(result.flows == Share(1, of: 5))
    let cell = try #require(collateral.cell("name", "apns"))
    #expect(cell.reasons.map(\.count) == [1])
    #expect(cell.reasons.first?.examples == ["1-courier.push.apple.com"])
    #expect(cell.reasons.first?.matcher.contains("push.apple.com") == true)
    #expect(Set(cell.sharedWith).isSuperset(of: ["iMessage, sent", "notifications"]))
    // From the hello on: the fourth of ten packets.
    #expect(cell.bytes.part == 2 * 154 + 154 + 559 + 154 + 359 + 54)
  }

  @Test("A rule on a port is fallen back from, and costs no message")
  func port() throws {
    let collateral = try Self.collateral(Self.policies)
    let cell = try #require(collateral.cell("port", "apns"))
    #expect(cell.flows == Share(0, of: 1) && cell.fallenBack == 1)
    #expect(collateral.results[1].cells.map(\.hit) == [0, 0, 0, 0, 0])
    #expect(collateral.results[1].phones.part == 0)
    #expect(collateral.results[1].notificationsPerIMessage == nil)
    #expect(collateral.results[1].notes.isEmpty, "something met it")
  }

  @Test("A rule on calls takes both flows of one call, from the packet on at which it is known")
  func calls() throws {
    let collateral = try Self.collateral(Self.policies)
    let cell = try #require(collateral.cell("calls", "facetime"))
    #expect(cell.flows == Share(2, of: 2) && cell.conversations == Share(1, of: 1))
    #expect(cell.bytes == Share(2 * 8 * 154, of: 2 * 10 * 154))
    #expect(collateral.results[2].target == 1 && collateral.results[2].collateral == 0)
  }

  @Test("A rule on records takes its messages and leaves the others")
  func shape() throws {
    let collateral = try Self.collateral(Self.policies)
    let result = collateral.results[3]
    #expect(result.cells[0].hit == 1 && result.cells[1].hit == 0)
    #expect(result.target == 1 && result.collateral == 0)
    #expect(result.notificationsPerIMessage == 0)
  }

  @Test("A rule that nothing meets says so")
  func nothing() throws {
    let collateral = try Self.collateral(Self.policies)
    #expect(collateral.results[4].notes == ["nothing in this traffic meets it"])
    #expect(collateral.results[4].target == nil && collateral.results[4].collateral == 0)
  }

  @Test("Of a target the frontier holds what hits as much for less")
  func frontier() throws {
    let frontier = try #require(try Self.collateral(Self.policies).frontiers.first { $0.target == "imessage-sent" })
    #expect(frontier.points.map(\.hit) == [1, 0, 0, 1, 0])
    #expect(frontier.points.map(\.isBest) == [false, false, false, true, false])
  }

  @Test("On frontiers stand the policies that none beats, as a sweep by cost finds them")
  func frontiers() {
    var random = SeededRandom(31)
    for _ in 0..<500 {
      var collateral = Collateral()
      collateral.columns = ["target", "other"].map { Column(key: $0, name: $0, group: "test", kind: .flows) }
      for number in 0..<Int.random(in: 1...20, using: &random) {
        let cells = (0..<2).map { _ in
          var cell = Cell()
          cell.basis = .verdict
          cell.flows = Share(UInt64.random(in: 0...6, using: &random), of: 6)
          return cell
        }
        collateral.results.append(PolicyResult(policy: number, cells: cells))
      }
      let points = Frontier.points("target", collateral)
      #expect(points.count == collateral.results.count)
      // Sweep: at each cost the most that is hit, where that is more than anything cheaper hits.
      var best: Set<Int> = []
      var most = 0.0
      for cost in Set(points.map(\.collateral)).sorted() {
        let same = points.filter { $0.collateral == cost }
        let hit = same.map(\.hit).max() ?? 0
        if hit > most {
          best.formUnion(same.filter { $0.hit == hit }.map(\.policy))
          most = hit
        }
      }
      #expect(Set(points.filter(\.isBest).map(\.policy)) == best)
    }
  }

  @Test("Wholes over a sample are what its truth file says", arguments: Samples.names)
  func samples(_ sample: String) throws {
    var maker = CollateralMaker([Self.policies[0]], recovery: try RecoveryBook.shipped())
    let trace = try Tools.trace(sample)
    maker.add(trace)
    let collateral = maker.collateral()
    let truth = try Samples.truth(sample)
    let flows = truth.filter { $0["truth"] as? String == "flow" }
    func text(_ line: [String: Any], _ key: String) -> String { line[key] as? String ?? "" }

    #expect(collateral.flows == UInt64(trace.flows.count))
    // By the name that truth gives, for services with a column of their own.
    for service in Set(flows.filter { text($0, "tag") != "?" }.map { text($0, "service") }) where !service.isEmpty {
      guard let cell = collateral.cell("name", ColumnTable.key(service)), cell.basis == .truth else { continue }
      #expect(cell.flows.whole == UInt64(flows.filter { text($0, "service") == service }.count), "\(service)")
    }
    let messages = truth.filter { $0["truth"] as? String == "message" && !($0["records"] as? [Int] ?? []).isEmpty }
    let contents: Set<Substring> = ["text", "attachment", "tapback", "edit"]
    func count(_ isCounted: ([String: Any]) -> Bool) -> UInt64 { UInt64(messages.filter(isCounted).count) }
    func isContent(_ line: [String: Any]) -> Bool {
      text(line, "class") == "imessage" && contents.contains(text(line, "kind").split(separator: ".").last ?? "")
    }
    let expected = [
      "imessage-sent": count { isContent($0) && text($0, "direction") == "to_server" },
      "imessage-received": count { isContent($0) && text($0, "direction") == "to_client" },
      "notifications": count { text($0, "class") == "notification" && text($0, "kind").hasPrefix("notification.") },
      "facetime-ringing": count { text($0, "kind") == "facetime.ring" },
      "status": count { text($0, "kind").hasPrefix("status.") && text($0, "direction") == "to_server" },
    ]
    for (key, number) in expected {
      #expect(collateral.cell("name", key)?.lost.whole ?? 0 == number, "\(key)")
    }
  }
}
