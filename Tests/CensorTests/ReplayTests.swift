import Bytes
import Decode
import TestSupport
import Testing

@testable import Censor

@Suite("What a box remembers from flow to flow")
struct ReplayTests {
  static let name = Sketch.quicSNI("example.org")

  /// A rule on a name in QUIC whose memory lasts 180 s, as Zohaib et al., USENIX Security 2025, measured it.
  static func remembering(
    _ key: Residual.Key, _ restart: Residual.Restart = .match, seconds: Double = 180
  ) -> Policy {
    Sketch.policy(name, .drop) {
      $0.box.opensQUIC = true
      $0.action.hitsTrigger = false
      $0.residual = Residual(seconds: seconds, key: key)
      $0.residual?.restart = restart
    }
  }

  static let listed = Sketch.quic("example.org")
  /// To the same host and port, without a name.
  static let unnamed = Sketch.quic(nil, port: 50_001)

  enum Other: String, CaseIterable {
    case sameFive, otherClientPort, otherClient, otherServerPort, otherServer, overTCP

    var flow: FlowSight {
      switch self {
      case .sameFive: Sketch.quic(nil)
      case .otherClientPort: Sketch.quic(nil, port: 50_001)
      case .otherClient: Sketch.quic(nil, client: "198.51.100.2")
      case .otherServerPort: Sketch.quic(nil, serverPort: 8443)
      case .otherServer: Sketch.quic(nil, server: "203.0.113.2")
      case .overTCP: Sketch.tls(nil)
      }
    }
  }

  @Test(
    "A second flow is hit for 180 s where it shares what is remembered, and not after",
    arguments: [
      (Residual.Key.fiveTuple, [Other.sameFive]),
      (.threeTuple, [.sameFive, .otherClientPort]),
      (.twoHosts, [.sameFive, .otherClientPort, .otherServerPort, .overTCP]),
      (.serverPort, [.sameFive, .otherClientPort, .otherClient]),
      (.server, [.sameFive, .otherClientPort, .otherClient, .otherServerPort, .overTCP]),
    ])
  func keys(_ key: Residual.Key, _ hit: [Other]) {
    for other in Other.allCases {
      var sketch = TraceSketch()
      sketch.add(Self.listed, at: [0, 0.1, 0.2])
      let within = sketch.add(other.flow, at: [179, 179.5])
      let after = sketch.add(other.flow, at: [180, 180.5])
      let played = sketch.played(Self.remembering(key))
      #expect((played.hits[within] != nil) == hit.contains(other), "\(key) and \(other)")
      #expect(played.hits[after] == nil, "\(key) and \(other), after its time")
      if hit.contains(other) {
        #expect(played.hits[within]?.cause == .residual)
        #expect(played.hits[within]?.state.cutAt == 1)
      }
    }
  }

  @Test(
    "What starts the time again: nothing, another match, any packet",
    arguments: [(Residual.Restart.never, [true, false]), (.match, [true, false]), (.packet, [true, true])])
  func restartByPackets(_ restart: Residual.Restart, _ expected: [Bool]) {
    var sketch = TraceSketch()
    sketch.add(Self.listed, at: [0, 0.1])
    // Flows that only meet the memory.
    let flows = [100.0, 200].map { sketch.add(Self.unnamed, at: [$0, $0 + 0.1]) }
    let played = sketch.played(Self.remembering(.threeTuple, restart))
    #expect(flows.map { played.hits[$0] != nil } == expected)
  }

  @Test(
    "Another match starts the time again, unless nothing does",
    arguments: [(Residual.Restart.never, false), (.match, true), (.packet, true)])
  func restartByMatch(_ restart: Residual.Restart, _ expected: Bool) {
    var sketch = TraceSketch()
    sketch.add(Self.listed, at: [0, 0.1])
    sketch.add(Sketch.quic("example.org", port: 50_001), at: [100, 100.1])
    let last = sketch.add(Sketch.quic(nil, port: 50_002), at: [250, 250.1])
    let played = sketch.played(Self.remembering(.threeTuple, restart))
    #expect((played.hits[last] != nil) == expected)
  }

  // Bock et al., FOCI 2020: 60 s, and the timer restarts with each packet.
  @Test("A timer that restarts with each packet lets a flow pass once it was silent for as long")
  func restartWithinAFlow() {
    var sketch = TraceSketch()
    let up = [0.0, 50, 100, 150, 205, 266, 270].map { Sketch.packet($0, up: true) }
    let flow = sketch.add(Sketch.quic("example.org"), up)
    let packet = sketch.played(Self.remembering(.fiveTuple, .packet, seconds: 60)).hits[flow]
    #expect(packet?.state.packetsHit == 4)
    // Without it, the flow is silent from 50 to 60 s only.
    let match = sketch.played(Self.remembering(.fiveTuple, .match, seconds: 60)).hits[flow]
    #expect(match?.state.packetsHit == 1)
  }

  // Xue et al., IMC 2022: QUIC version 1 in a first datagram of at least 1001 bytes; what follows is dropped for 420 s.
  @Test("UDP passes again when the time is over; TCP that has lost bytes does not")
  func expiry() {
    var sketch = TraceSketch()
    let seconds = [0.0, 1, 2, 419, 421, 422]
    let udp = sketch.add(Sketch.quic("example.org"), seconds.map { Sketch.packet($0, up: true) })
    var rule = Self.remembering(.fiveTuple, seconds: 420)
    rule.match = .all([.leaf(.quicVersion([1])), .leaf(.firstPayloadLength(1001...65_535))])
    let played = sketch.played(rule)
    #expect(played.hits[udp]?.state.packetsHit == 3)

    var other = TraceSketch()
    let tcp = other.add(
      Sketch.tls("example.org"), ([0, 0.1, 0.2, 0.3] + seconds.dropFirst()).map { Sketch.packet($0, up: true) })
    rule.match = Sketch.sni("example.org")
    #expect(other.played(rule).hits[tcp]?.state.packetsHit == 5)
  }

  @Test(
    "A flow that lost nothing when the time is over goes on",
    arguments: [PolicyAction.Kind.throttle(bytesPerSecond: 650), .freeze(packets: nil, bytes: 100_000)])
  func expiryWithoutLoss(_ kind: PolicyAction.Kind) {
    var rule = Self.remembering(.fiveTuple, seconds: 60)
    rule.match = Sketch.sni("example.org")
    rule.action = PolicyAction(kind)
    var sketch = TraceSketch()
    let flow = sketch.add(Sketch.tls("example.org"), at: [0, 0.1, 0.2, 0.3, 1, 2, 61, 62, 63])
    #expect(sketch.played(rule).hits[flow] == nil)
  }

  @Test("A flow that meets the memory is hit at once, without the packets that pass behind a hello")
  func residualHasNoGrace() {
    var rule = Self.remembering(.threeTuple)
    rule.action.passes = 5...8
    var sketch = TraceSketch()
    sketch.add(Self.listed, at: (0..<12).map { Double($0) / 10 })
    let second = sketch.add(Self.unnamed, at: (0..<12).map { 10 + Double($0) / 10 })
    let hit = sketch.played(rule).hits[second]
    #expect(hit?.state.cutAt == 1)
    #expect(hit?.state.packetsHit == 12)
  }

  @Test("A memory knows nothing of what came before the rule was switched on")
  func residualAndBegin() {
    var sketch = TraceSketch()
    sketch.add(Self.listed, at: [0, 0.1])
    let second = sketch.add(Self.unnamed, at: [10, 10.1])
    #expect(sketch.played(Self.remembering(.threeTuple), begin: Sketch.time(5)).hits[second] == nil)
  }

  @Test("Of flows that are not drawn none is hit, but by the memory of one that was")
  func samplingAndMemory() {
    var rule = Self.remembering(.threeTuple)
    rule.probability = 0.263
    var sketch = TraceSketch()
    for number in 0..<400 {
      // Each flow to a host of its own, so that no memory is shared.
      sketch.add(
        Sketch.quic("example.org", server: "203.0.\(number / 250).\(number % 250)"),
        at: [Double(number), Double(number) + 0.5])
    }
    let hits = sketch.played(rule).hits
    // Mean 105, standard deviation 8.8.
    #expect((70...140).contains(hits.count))
    #expect(Set(hits.keys) == Set(sketch.played(rule).hits.keys), "the same seed hits the same flows")
    #expect(Set(hits.keys) != Set(sketch.played(rule, seed: 2).hits.keys))
    var same = TraceSketch()
    for number in 0..<40 { same.add(Self.listed, at: [Double(number), Double(number) + 0.5]) }
    let first = same.played(rule).hits.keys.min() ?? 40
    #expect(Set(same.played(rule).hits.keys) == Set(first..<40), "one that is drawn takes all behind it along")
  }

  @Test("Rules on records that end the flow are drawn too")
  func samplingOfRecords() {
    let rule = Sketch.policy(.leaf(.record(RecordTest(lengths: 444...800))), .drop) { $0.probability = 0.25 }
    var sketch = TraceSketch()
    for _ in 0..<400 {
      var packets = BoxTests.turns(8)
      packets[5].record = 500
      sketch.add(Sketch.tls("example.org"), packets)
    }
    let hits = sketch.played(rule).hits
    // Mean 100, standard deviation 8.7.
    #expect((65...135).contains(hits.count))
    #expect(hits.values.allSatisfy { $0.state.cutAt == 6 && $0.state.packetsHit == 3 })
  }
}

@Suite("A rule in two stages")
struct SecondStageTests {
  /// A lecture for TSPU engineers, about 2021: recognise, then lists of address and port after minutes.
  static func rule(seconds: Double? = nil) -> Policy {
    Sketch.policy(.leaf(.service(["FaceTime"])), .drop) {
      $0.secondStage = SecondStage(delay: 180)
      $0.secondStage?.seconds = seconds
    }
  }

  static func call(client: String = "198.51.100.1", serverPort: UInt16 = 3478) -> FlowSight {
    var flow = Sketch.bare(client: client, serverPort: serverPort, .udp)
    flow.service = "FaceTime"
    flow.verdictAt = 5
    return flow
  }

  static func ordinary(client: String = "198.51.100.9", serverPort: UInt16 = 3478) -> FlowSight {
    Sketch.bare(client: client, serverPort: serverPort, .udp)
  }

  static func seconds(_ range: ClosedRange<Int>) -> [Double] { range.map(Double.init) }

  @Test("Nothing is hit in the delay, everything to the address and port after it")
  func stages() {
    var sketch = TraceSketch()
    // Recognised with its fifth packet, at 4 s: listed from 184 s on.
    let call = sketch.add(Self.call(), at: Self.seconds(0...200))
    let early = sketch.add(Self.ordinary(), at: Self.seconds(20...183))
    let late = sketch.add(Self.ordinary(), at: Self.seconds(184...190))
    let otherPort = sketch.add(Self.ordinary(serverPort: 443), at: Self.seconds(184...190))
    let hits = sketch.played(Self.rule()).hits
    #expect(hits[call]?.cause == .list)
    #expect(hits[call]?.state.cutTime == Sketch.time(184))
    #expect(hits[call]?.state.packetsHit == 17)
    #expect(hits[early] == nil)
    #expect(hits[late]?.state.cutAt == 1)
    #expect(hits[late]?.state.packetsHit == 7)
    #expect(hits[otherPort] == nil)
  }

  @Test("A call that is too short to be recognised puts nothing on the list")
  func shortCall() {
    var sketch = TraceSketch()
    sketch.add(Self.call(), at: Self.seconds(0...3))
    sketch.add(Self.ordinary(), at: Self.seconds(184...190))
    #expect(sketch.played(Self.rule()).hits.isEmpty)
  }

  @Test("An entry leaves the list after its time, and comes back with another call")
  func unlisted() {
    var sketch = TraceSketch()
    sketch.add(Self.call(), at: Self.seconds(0...10))
    // Listed from 184 s to 244 s.
    let within = sketch.add(Self.ordinary(), at: Self.seconds(243...243))
    let after = sketch.add(Self.ordinary(), at: Self.seconds(244...250))
    // Again from 484 s to 544 s.
    sketch.add(Self.call(client: "198.51.100.2"), at: Self.seconds(300...310))
    let between = sketch.add(Self.ordinary(), at: Self.seconds(400...483))
    let again = sketch.add(Self.ordinary(), at: Self.seconds(484...490))
    let hits = sketch.played(Self.rule(seconds: 60)).hits
    #expect(hits[within] != nil)
    #expect(hits[after] == nil)
    #expect(hits[between] == nil)
    #expect(hits[again]?.state.packetsHit == 7)
  }

  @Test("A flow of UDP over an entry's end passes again behind it")
  func flowOverTheEnd() {
    var sketch = TraceSketch()
    sketch.add(Self.call(), at: Self.seconds(0...10))
    let long = sketch.add(Self.ordinary(), at: Self.seconds(240...250))
    let hit = sketch.played(Self.rule(seconds: 60)).hits[long]
    // 240 to 243 s.
    #expect(hit?.state.packetsHit == 4)
  }
}

@Suite("A false answer to DNS")
struct PoisonTests {
  static let rule = Sketch.policy(Sketch.dns("whatsapp.net"), .poison)

  static func question(_ names: [String], client: String = "198.51.100.1") -> FlowSight {
    var flow = Sketch.bare(client: client, server: "192.0.2.53", serverPort: 53, .udp)
    flow.dnsQuestions = names
    return flow
  }

  static func led(_ names: [String], client: String = "198.51.100.1", server: String = "203.0.113.1") -> FlowSight {
    var flow = Sketch.tls(names.first, client: client, server: server)
    flow.learntNames = names
    return flow
  }

  @Test("It hides the address from the client that asked, from its question on")
  func ledFlows() {
    var sketch = TraceSketch()
    let before = sketch.add(Self.led(["g.whatsapp.net"]), at: [0, 0.1])
    let question = sketch.add(Self.question(["g.whatsapp.net"]), at: [1, 1.02])
    let after = sketch.add(Self.led(["g.whatsapp.net"]), at: [1.1, 1.2, 1.3])
    let other = sketch.add(Self.led(["g.whatsapp.net"], client: "198.51.100.2"), at: [1.1, 1.2])
    let elsewhere = sketch.add(Self.led(["example.org"], server: "203.0.113.7"), at: [1.1, 1.2])
    let hits = sketch.played(Self.rule).hits
    #expect(hits[question]?.cause == .match)
    #expect(hits[after]?.cause == .poison)
    #expect(hits[after]?.state.packetsHit == 3, "the connection never begins")
    #expect(hits[before] == nil)
    #expect(hits[other] == nil)
    #expect(hits[elsewhere] == nil)
  }

  @Test("Each listed name of a flow of questions leads to what is hidden")
  func severalQuestions() {
    var sketch = TraceSketch()
    sketch.add(
      Self.question(["example.org", "g.whatsapp.net", "mmg.whatsapp.net"]), at: [0, 0.02, 0.1, 0.12, 0.2, 0.22])
    let flows = ["g.whatsapp.net", "mmg.whatsapp.net", "example.org"].map { sketch.add(Self.led([$0]), at: [1, 1.1]) }
    let hits = sketch.played(Self.rule).hits
    #expect(flows.map { hits[$0] != nil } == [true, true, false])
  }

  @Test("An answer from before the rule was switched on was true")
  func beforeTheBeginning() {
    var sketch = TraceSketch()
    sketch.add(Self.question(["g.whatsapp.net"]), at: [0, 0.02])
    let led = sketch.add(Self.led(["g.whatsapp.net"]), at: [10, 10.1])
    #expect(sketch.played(Self.rule, begin: Sketch.time(5)).hits[led] == nil)
  }
}

@Suite("Another way")
struct FallbackTests {
  static func recovery(port: UInt16? = nil, transport: String? = nil) -> RecoveryBook {
    var push = Recovery(service: "APNs", about: "made up", source: "a test")
    push.fallbacks = [Recovery.Fallback(port: port, transport: transport, source: "a test")]
    return RecoveryBook(services: [push])
  }

  static func push(_ name: String? = "1-courier.push.apple.com") -> FlowSight {
    var flow = Sketch.tls(name, serverPort: 5223)
    flow.service = "APNs"
    return flow
  }

  // Apple, support.apple.com/102266: devices try 443 where 5223 cannot be reached.
  @Test("A service goes on by a port that the rule leaves open, and not where the rule meets that as well")
  func ports() {
    var sketch = TraceSketch()
    let flow = sketch.add(Self.push(), at: [0, 0.1, 0.2, 0.3, 0.4])
    func isFallenBack(_ match: Formula, _ change: (inout Policy) -> Void = { _ in }) -> Bool? {
      sketch.played(Sketch.policy(match, .drop, change), recovery: Self.recovery(port: 443)).hits[flow]?.isFallenBack
    }
    #expect(isFallenBack(Sketch.port("tcp/5223")) == true)
    #expect(isFallenBack(Sketch.port("tcp/443", "tcp/5223")) == false)
    #expect(isFallenBack(Sketch.address(in: "203.0.113.0/24")) == false)
    #expect(isFallenBack(Sketch.sni("push.apple.com")) == false)
    #expect(isFallenBack(Sketch.port("tcp/5223")) { $0.residual = Residual(seconds: 60, key: .twoHosts) } == false)
    #expect(isFallenBack(Sketch.port("tcp/5223")) { $0.residual = Residual(seconds: 60, key: .threeTuple) } == true)
  }

  @Test("What is only slow does not go another way")
  func slow() {
    var sketch = TraceSketch()
    let flow = sketch.add(Self.push(), at: (0..<40).map { Double($0) / 100 }, payload: 1000)
    let rule = Sketch.policy(Sketch.port("tcp/5223"), .throttle(bytesPerSecond: 650))
    #expect(sketch.played(rule, recovery: Self.recovery(port: 443)).hits[flow]?.isFallenBack == false)
  }

  // RFC 9114, section 3.1: a client tries TCP where UDP does not get through.
  @Test("QUIC goes on over TCP unless the rule reads the name there too")
  func transports() {
    var quic = Sketch.quic("example.org")
    quic.service = "APNs"
    var sketch = TraceSketch()
    let flow = sketch.add(quic, at: [0, 0.1, 0.2])
    let recovery = Self.recovery(transport: "tcp")
    let udpOnly = Sketch.policy(Sketch.quicSNI("example.org"), .drop) { $0.box.opensQUIC = true }
    #expect(sketch.played(udpOnly, recovery: recovery).hits[flow]?.isFallenBack == true)
    let both = Sketch.policy(.any([Sketch.quicSNI("example.org"), Sketch.sni("example.org")]), .drop) {
      $0.box.opensQUIC = true
    }
    #expect(sketch.played(both, recovery: recovery).hits[flow]?.isFallenBack == false)
  }
}
