import Classify
import Decode
import TestSupport
import Testing

@testable import Censor

@Suite("Where a policy meets a flow")
struct PolicyMatcherTests {
  /// Packets of the flows that formulas are tried on.
  static let packets = 12

  /// Leaves that are told apart by one field of a flow each, and what puts them at a packet; 0 leaves them out.
  static let leaves: [(leaf: Leaf, put: @Sendable (inout FlowSight, Int) -> Void)] = [
    (
      .application(["tls"]),
      {
        $0.application = $1 > 0 ? "tls" : nil
        $0.applicationAt = $1
      }
    ),
    (
      .tag([.push]),
      {
        $0.tag = $1 > 0 ? .push : .other
        $0.verdictAt = max(1, $1)
      }
    ),
    (
      .alpn(["apns-*"]),
      {
        guard $1 > 0 else { return }
        var hello = HelloSight()
        (hello.alpn, hello.at) = (["h2", "apns-pack-v1"], $1)
        $0.hello = hello
      }
    ),
    (
      .firstPayloadLength(100...200),
      {
        guard $1 > 0 else { return }
        var payload = FirstPayload()
        (payload.at, payload.length, payload.seen) = ($1, 150, 150)
        $0.payloads = [payload]
      }
    ),
    (.transport(.udp), { $0.transport = $1 > 0 ? .udp : .tcp }),
  ]

  /// A leaf by its place, or parts.
  indirect enum Plan {
    case leaf(Int)
    case all([Plan])
    case any([Plan])
    case not(Plan)

    static func random(_ depth: Int, _ random: inout SeededRandom) -> Plan {
      let kind = depth == 0 ? 0 : Int.random(in: 0...4, using: &random)
      func parts(_ random: inout SeededRandom) -> [Plan] {
        (0..<Int.random(in: 0...3, using: &random)).map { _ in Plan.random(depth - 1, &random) }
      }
      switch kind {
      case 2: return .all(parts(&random))
      case 3: return .any(parts(&random))
      case 4: return .not(Plan.random(depth - 1, &random))
      default: return .leaf(Int.random(in: 0..<leaves.count, using: &random))
      }
    }

    var formula: Formula {
      switch self {
      case .leaf(let at): .leaf(leaves[at].leaf)
      case .all(let parts): .all(parts.map(\.formula))
      case .any(let parts): .any(parts.map(\.formula))
      case .not(let part): .not(part.formula)
      }
    }

    /// Whether it holds when these leaves do.
    func holds(_ isTrue: (Int) -> Bool) -> Bool {
      switch self {
      case .leaf(let at): return isTrue(at)
      case .all(let parts):
        for part in parts where !part.holds(isTrue) { return false }
        return true
      case .any(let parts):
        for part in parts where part.holds(isTrue) { return true }
        return false
      case .not(let part): return !part.holds(isTrue)
      }
    }
  }

  @Test("Formulas meet a flow at the packet that a naive evaluation finds")
  func formulas() {
    var random = SeededRandom(2026)
    var met = 0
    for _ in 0..<20_000 {
      let plan = Plan.random(4, &random)
      var places = (0..<Self.leaves.count).map { _ in
        Bool.random(using: &random) ? 0 : Int.random(in: 1...Self.packets, using: &random)
      }
      // A transport shows with the first packet.
      places[4] = min(places[4], 1)
      var flow = FlowSight()
      for (at, leaf) in Self.leaves.enumerated() { leaf.put(&flow, places[at]) }
      let expected = (1...Self.packets).first { packet in plan.holds { places[$0] > 0 && places[$0] <= packet } }
      let matcher = PolicyMatcher(Sketch.policy(plan.formula, .drop))
      let match = matcher.match(in: flow)
      #expect(match?.at == expected, "\(plan) with leaves at \(places)")
      if let match {
        met += 1
        // What each later packet shows as well: the protocol, the tag, the transport.
        let isLasting = plan.holds { [0, 1, 4].contains($0) && places[$0] > 0 && places[$0] <= match.at }
        #expect(match.isLasting == isLasting)
        #expect(matcher.leaves.isEmpty || matcher.leaves.indices.contains(match.leaf))
      }
    }
    #expect((4_000...16_000).contains(met), "the formulas say something")
  }

  @Test("A match names the leaf that tells most, and its value")
  func deciding() {
    let formula = Formula.all([.leaf(.transport(.tcp)), Sketch.port("tcp/443"), Sketch.sni("example.org")])
    let match = PolicyMatcher(Sketch.policy(formula, .drop)).match(in: Sketch.tls("www.example.org"))
    #expect(match?.leaf == 2)
    #expect(match?.value == "www.example.org")
    #expect(match?.at == 4)
  }

  // net4people/bbs 516: the SYN is delivered, the ClientHello of a name that is not listed hangs.
  @Test("An allow-list waits for the hello, and lets what has none alone")
  func allowList() {
    let formula = Formula.all([.leaf(.hello(.tcp)), .not(Sketch.sni("listed.example"))])
    let matcher = PolicyMatcher(Sketch.policy(formula, .drop))
    #expect(matcher.match(in: Sketch.tls("www.listed.example")) == nil)
    #expect(matcher.match(in: Sketch.tls("other.example"))?.at == 4)
    #expect(matcher.match(in: Sketch.tls(nil))?.at == 4)
    #expect(matcher.match(in: Sketch.bare()) == nil)
  }

  @Test("An allow-list judges a hello of two segments when it is whole, or by the first on a box that does not wait")
  func allowListOfSegments() {
    var flow = Sketch.tls("www.listed.example")
    flow.hello?.segments = 2
    flow.hello?.firstPieceAt = 4
    flow.hello?.at = 5
    let formula = Formula.all([.leaf(.hello(.tcp)), .not(Sketch.sni("listed.example"))])
    func at(_ flow: FlowSight, reassembles: Bool) -> Int? {
      PolicyMatcher(Sketch.policy(formula, .drop) { $0.box.reassemblesSegments = reassembles }).match(in: flow)?.at
    }
    #expect(at(flow, reassembles: true) == nil)
    #expect(at(flow, reassembles: false) == 4, "the name does not show in the first segment")
    flow.hello?.nameInFirstPiece = "www.listed.example"
    #expect(at(flow, reassembles: false) == nil)
    flow.hello?.serverName = "other.example"
    flow.hello?.nameInFirstPiece = "other.example"
    #expect(at(flow, reassembles: true) == 5)
    #expect(at(flow, reassembles: false) == 4)
  }

  /// What a hello is cut into, what a box can do, and whether it sees the name.
  struct Ability: Sendable {
    var words: String
    var hello: @Sendable (inout HelloSight) -> Void
    var box: @Sendable (inout BoxAbilities) -> Void
    var sees: Bool
  }

  static let abilities: [Ability] = [
    Ability(words: "one segment", hello: { _ in }, box: { $0.reassemblesSegments = false }, sees: true),
    Ability(words: "two segments", hello: { $0.segments = 2 }, box: { _ in }, sees: true),
    Ability(
      words: "two, no segments", hello: { $0.segments = 2 }, box: { $0.reassemblesSegments = false }, sees: false),
    Ability(words: "two records", hello: { $0.records = 2 }, box: { _ in }, sees: false),
    Ability(words: "two, records too", hello: { $0.records = 2 }, box: { $0.reassemblesRecords = true }, sees: true),
    Ability(
      words: "both, records only",
      hello: {
        $0.records = 2
        $0.segments = 2
      },
      box: {
        $0.reassemblesRecords = true
        $0.reassemblesSegments = false
      }, sees: false),
    // Xue et al., IMC 2022: the queue of fragments holds 45.
    Ability(words: "45 fragments", hello: { $0.fragments = 45 }, box: { _ in }, sees: true),
    Ability(words: "46 fragments", hello: { $0.fragments = 46 }, box: { _ in }, sees: false),
    Ability(words: "46 of 64", hello: { $0.fragments = 46 }, box: { $0.maximumFragments = 64 }, sees: true),
    Ability(words: "2 of none", hello: { $0.fragments = 2 }, box: { $0.maximumFragments = 0 }, sees: false),
    Ability(words: "1 of none", hello: { _ in }, box: { $0.maximumFragments = 0 }, sees: true),
    Ability(words: "3 segments of 2", hello: { $0.segments = 3 }, box: { $0.inspectedPackets = 2 }, sees: false),
    Ability(words: "2 segments of 2", hello: { $0.segments = 2 }, box: { $0.inspectedPackets = 2 }, sees: true),
  ]

  @Test("A box sees the name in a hello over TCP that it can put together", arguments: abilities.indices)
  func overTCP(_ at: Int) {
    let ability = Self.abilities[at]
    var flow = Sketch.tls("example.org")
    var hello = HelloSight()
    (hello.serverName, hello.at) = ("example.org", 5)
    ability.hello(&hello)
    flow.hello = hello
    let policy = Sketch.policy(Sketch.sni("example.org"), .drop) { ability.box(&$0.box) }
    #expect((PolicyMatcher(policy).match(in: flow)?.at == 5) == ability.sees, "\(ability.words)")
  }

  // Zohaib et al., USENIX Security 2025: neither CRYPTO frames nor datagrams are put together.
  @Test(
    "A box sees the name in a hello over QUIC that it can open and put together",
    arguments: [
      (1, 1, false, false, false), (1, 1, true, false, true), (2, 1, true, false, false), (1, 3, true, false, false),
      (2, 4, true, true, true), (2, 4, false, true, false),
    ])
  func overQUIC(_ datagrams: Int, _ frames: Int, _ opens: Bool, _ reassembles: Bool, _ sees: Bool) {
    var flow = Sketch.quic("example.org")
    flow.hello?.datagrams = datagrams
    flow.hello?.frames = frames
    flow.hello?.at = datagrams
    let policy = Sketch.policy(Sketch.quicSNI("example.org"), .drop) {
      $0.box.opensQUIC = opens
      $0.box.reassemblesCrypto = reassembles
    }
    #expect((PolicyMatcher(policy).match(in: flow)?.at == datagrams) == sees)
    // A rule for names over TCP does not look into QUIC.
    let tcp = Sketch.policy(Sketch.sni("example.org"), .drop) { $0.box.opensQUIC = true }
    #expect(PolicyMatcher(tcp).match(in: flow) == nil)
  }

  // Zohaib et al.: a random first datagram exempts the flow.
  @Test("A box that looks at the first datagram only misses a hello in the second")
  func exemptedQUIC() {
    var flow = Sketch.quic("example.org")
    let policy = Sketch.policy(Sketch.quicSNI("example.org"), .drop) {
      $0.box.opensQUIC = true
      $0.box.inspectedPackets = 1
    }
    #expect(PolicyMatcher(policy).match(in: flow)?.at == 1)
    flow.hello?.at = 2
    #expect(PolicyMatcher(policy).match(in: flow) == nil)
  }

  @Test("A scope leaves out what it says")
  func scope() throws {
    func isMet(_ flow: FlowSight, _ change: (inout Scope) -> Void) -> Bool {
      PolicyMatcher(
        Sketch.policy(.any([.leaf(.transport(.tcp)), .leaf(.transport(.udp))]), .drop) { change(&$0.scope) }
      )
      .match(in: flow) != nil
    }
    let own = try AddressPrefix("203.0.113.0/24")
    let other = try AddressPrefix("192.0.2.0/24")
    let names = try NameMatch(.suffix, ["example.org"])
    let (https, dns) = (try PortRange("tcp/443"), try PortRange("tcp/53"))
    let tls = Sketch.tls("www.example.org")
    #expect(isMet(tls) { _ in })
    #expect(isMet(tls) { $0.prefixes = [other, own] })
    #expect(!isMet(tls) { $0.prefixes = [other] })
    #expect(!isMet(tls) { $0.exceptPrefixes = [own] })
    #expect(isMet(tls) { $0.exceptPrefixes = [other] })
    #expect(isMet(tls) { $0.ports = [dns, https] })
    #expect(!isMet(tls) { $0.ports = [dns] })
    #expect(!isMet(Sketch.quic("www.example.org")) { $0.ports = [https] }, "a port of TCP is none of UDP")
    #expect(!isMet(tls) { $0.exceptNames = names })
    #expect(!isMet(Sketch.quic("www.example.org")) { $0.exceptNames = names })
    #expect(isMet(Sketch.tls("example.com")) { $0.exceptNames = names })
    // Zohaib et al.: only where the source port is above the destination port.
    for (port, isInside) in [(UInt16(50_000), true), (443, false), (80, false)] {
      #expect(isMet(Sketch.quic(nil, port: port)) { $0.needsSourcePortAboveDestination = true } == isInside)
    }
  }

  @Test("Flows whose beginning was not seen are judged by boxes that do so")
  func midstream() {
    var flow = Sketch.bare()
    flow.hasBeginning = false
    let policy = Sketch.policy(Sketch.address(in: "203.0.113.0/24"), .drop)
    #expect(PolicyMatcher(policy).match(in: flow)?.at == 1)
    #expect(PolicyMatcher(Sketch.policy(policy.match, .drop) { $0.box.judgesMidstream = false }).match(in: flow) == nil)
  }

  // Bock et al., FOCI 2020: ports 53, 80, 443; one of the first two data packets must look known.
  @Test("A protocol filter flags flows of which two payloads begin like nothing known")
  func protocolFilter() {
    func at(_ beginnings: [Leaf.KnownBeginning?], _ change: (inout FlowSight) -> Void = { _ in }) -> Int? {
      var flow = Sketch.bare()
      flow.payloads = beginnings.enumerated().map { number, beginning in
        var payload = FirstPayload()
        (payload.at, payload.length, payload.seen, payload.beginning) = (4 + number * 2, 50, 50, beginning)
        return payload
      }
      change(&flow)
      let formula = Formula.leaf(.unrecognised(packets: 2, allowed: [.dns, .http, .tls]))
      return PolicyMatcher(Sketch.policy(formula, .drop)).match(in: flow)?.at
    }
    #expect(at([nil, nil]) == 6)
    #expect(at([.ssh, nil]) == 6)
    #expect(at([.tls, nil]) == nil)
    #expect(at([nil, .http]) == nil)
    #expect(at([nil]) == nil)
    #expect(at([nil, nil]) { $0.transport = .udp } == nil)
    #expect(at([nil, nil]) { $0.hasBeginning = false } == nil)
  }

  @Test("What single packets show counts at that packet only")
  func packets() {
    let record = Sketch.policy(
      .all([Sketch.sni("example.org"), .leaf(.record(RecordTest(lengths: 444...800)))]), .drop)
    let matcher = PolicyMatcher(record)
    #expect(matcher.firesOnPackets)
    let flow = Sketch.tls("example.org")
    #expect(matcher.canFire(in: flow))
    #expect(!matcher.canFire(in: Sketch.tls("example.com")))
    let sights = matcher.sights(of: flow)
    func holds(_ number: UInt32, _ length: UInt16) -> Match? {
      var packet = Sketch.packet(1, up: true, number: number)
      packet.record = length
      return matcher.holds(sights, at: packet, flow, PacketFlags())
    }
    #expect(holds(3, 500) == nil, "before the hello")
    #expect(holds(4, 443) == nil)
    #expect(holds(4, 444)?.leaf == 1)
    #expect(holds(9, 800)?.value == "record of 800 bytes")
    #expect(holds(9, 801) == nil)
  }
}
