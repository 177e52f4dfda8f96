import Bytes
import Decode
import TestSupport
import Testing

@testable import Censor

/// A phone's connection and what is sent over it, played with a rule in the way.
///
/// The numbers of what phones do are the shipped ones: given up after 20.7 s without an acknowledgement, back after 1, 2
/// and 4 s, 0.2 s to connect, 30 s for a message. What is expected is worked out by hand from these.
struct PhoneSketch {
  struct Act {
    var kind: String
    var seconds: Double
    var isUp: Bool
    var record = 100
    var topic = ""
    var isContent = true
  }

  var acts: [Act] = []
  var begin = 10.0, end = 120.0
  var breaksFirst = false
  var handshakeOfModel = SessionRule.Carried(packets: 20, bytes: 11_000)
  /// Bytes and seconds of the packets that carry no message, all before the first act.
  var handshake: [(seconds: Double, up: Bool, payload: Int)] = []

  /// A text of the phone, whose record a rule on lengths from 444 to 800 meets; and one to it.
  mutating func sends(_ seconds: Double, record: Int = 500) { add("imessage.text", seconds, up: true, record) }
  mutating func receives(_ seconds: Double, record: Int = 500) { add("imessage.text", seconds, up: false, record) }
  mutating func notified(_ seconds: Double, _ topic: String = "chat", record: Int = 300) {
    add("notification.chat", seconds, up: false, record, topic)
  }
  /// A receipt, for whose answer nobody waits.
  mutating func receipt(_ seconds: Double) {
    acts.append(Act(kind: "imessage.read", seconds: seconds, isUp: true, record: 150, isContent: false))
  }
  mutating func add(_ kind: String, _ seconds: Double, up isUp: Bool, _ record: Int, _ topic: String = "") {
    acts.append(Act(kind: kind, seconds: seconds, isUp: isUp, record: record, topic: topic))
  }

  static func recovery() -> Recovery {
    (try? RecoveryBook.shipped())?.services.first { $0.service == "APNs" }
      ?? Recovery(service: "APNs", about: "", source: "")
  }

  static let connection: FlowSight = {
    var flow = Sketch.tls("1-courier.push.apple.com", server: "17.57.144.10", serverPort: 5223)
    flow.service = "APNs"
    return flow
  }()

  func session(
    _ policy: Policy, recovery: Recovery = PhoneSketch.recovery(), seed: UInt64 = 1
  ) -> PhoneSession {
    let rule = SessionRule(
      PolicyMatcher(policy), begin: Sketch.time(begin), breaksFirst: breaksFirst, listed: [:],
      handshake: handshakeOfModel, seed: seed)
    return PhoneSession(rule: rule, recovery: recovery, end: Sketch.time(end))
  }

  /// Fates by the order of acts; nil for what never arrived.
  func play(
    _ policy: Policy, recovery: Recovery = PhoneSketch.recovery(), seed: UInt64 = 1
  ) -> (delays: [Double?], session: PhoneSession) {
    var session = session(policy, recovery: recovery, seed: seed)
    session.connect(Self.connection, at: Sketch.start)
    for (seconds, isUp, payload) in handshake { session.take(Sketch.packet(seconds, up: isUp, payload), []) }
    for (at, act) in acts.enumerated().sorted(by: { ($0.1.seconds, $0.0) < ($1.1.seconds, $1.0) }) {
      session.take(Self.packet(act), [Self.letter(act, at)])
    }
    session.finish()
    return (acts.indices.map { session.fates[$0]?.delay }, session)
  }

  static func packet(_ act: Act) -> TracePacket {
    var packet = Sketch.packet(act.seconds, up: act.isUp, act.record + 5)
    packet.record = UInt16(clamping: act.record)
    packet.marks = .leadingRecord
    return packet
  }

  static func letter(_ act: Act, _ index: Int) -> PhoneSession.Letter {
    var message = TraceMessage()
    message.time = Sketch.time(act.seconds)
    message.isUp = act.isUp
    message.isContent = act.isContent
    message.kind = act.kind
    message.messageClass = String(act.kind.prefix { $0 != "." })
    message.topic = act.topic
    return PhoneSession.Letter(index: index, time: message.time, packet: packet(act), message: message)
  }
}

/// Whether delays are these, to a millisecond.
private func same(_ delays: [Double?], _ expected: [Double?]) -> Bool {
  delays.count == expected.count
    && zip(delays, expected).allSatisfy { a, b in
      guard let a, let b else { return a == nil && b == nil }
      return abs(a - b) < 0.001
    }
}

/// The rules of the act measurements (tools/lab/ACT.md), in small.
private enum Acts {
  static func records(_ lengths: ClosedRange<Int>, _ way: PolicyAction.Direction, grace: Double = 0) -> Formula {
    var test = RecordTest(lengths: lengths)
    test.direction = way
    test.isLeading = true
    test.grace = grace
    return .leaf(.record(test))
  }

  static func packetwise(_ match: Formula, _ kind: PolicyAction.Kind, copiesPass: Bool = false) -> Policy {
    Sketch.policy(match, kind) {
      $0.action.unit = .packet
      $0.action.copiesPass = copiesPass
    }
  }

  static let sent = records(444...800, .up)
  static let received = records(457...667, .down)
}

@Suite("A phone behind a rule")
struct PhoneSessionTests {
  @Test("A sent record that is dropped with its copies is lost, what waits behind it is late, what comes is not")
  func dropSend() {
    var phone = PhoneSketch()
    phone.sends(20)
    // Record of 864 bytes: not met by the rule.
    phone.add("facetime.ring", 25, up: true, 864)
    phone.notified(30)
    let (delays, session) = phone.play(Acts.packetwise(Acts.sent, .drop))
    // Dropped at 20; broken at 40.7; sent again at 41.9 and dropped; given up at 50; broken at 62.6; the ring goes at 63.8.
    #expect(same(delays, [nil, 63.8 - 25, 0]))
    #expect(session.breaks == 2)
  }

  @Test("A record that is dropped once comes with its copy and is not late")
  func dropOnce() {
    var phone = PhoneSketch()
    phone.sends(20)
    phone.receives(30)
    let up = phone.play(Acts.packetwise(Acts.sent, .drop, copiesPass: true))
    let down = phone.play(Acts.packetwise(Acts.received, .drop, copiesPass: true))
    #expect(up.delays[1] == 0 && down.delays[0] == 0)
    // ACT.md measured 303 ms against 26 ms without a rule.
    for delay in [up.delays[0], down.delays[1]] { #expect(delay.map { $0 > 0.15 && $0 < 0.35 } == true) }
    #expect(up.session.breaks == 0)
  }

  @Test("Where each copy is dropped by half, lateness falls by half with each doubling of the wait")
  func dropHalf() {
    var policy = Acts.packetwise(Acts.sent, .drop)
    policy.probability = 0.5
    var delays: [Double] = []
    for seed in 1...2_000 {
      var phone = PhoneSketch()
      phone.sends(20)
      let played = phone.play(policy, seed: UInt64(seed))
      if let delay = played.delays[0] { delays.append(delay) }
    }
    // Nothing is lost: what waits for longer than 20.7 s breaks the connection and is sent again.
    #expect(delays.count == 2_000)
    // Half are not dropped at all; late are those whose first copies at 0.25 and 0.75 s were dropped too: an eighth.
    // Standard deviations: 22 and 15.
    #expect((910...1_090).contains(delays.filter { $0 == 0 }.count))
    #expect((190...310).contains(delays.filter { $0 > Recovery.late }.count))
  }

  @Test("Sent records that are held wait for each other")
  func holdSend() {
    var phone = PhoneSketch()
    phone.sends(20)
    phone.sends(20.5)
    phone.receipt(21)
    phone.notified(21)
    let played = phone.play(Acts.packetwise(Acts.sent, .hold(seconds: 3)))
    // The second is sent when the answer to the first is there, at 23; a stream gives out nothing before what precedes it.
    #expect(same(played.delays, [3, 5.5, 2, 0]))
    #expect(played.session.breaks == 0)
  }

  @Test("Received records that are held keep back what comes behind them in 3 s")
  func holdIncoming() {
    var phone = PhoneSketch()
    phone.receives(20)
    phone.notified(21)
    phone.notified(24)
    phone.sends(21)
    let played = phone.play(Acts.packetwise(Acts.received, .hold(seconds: 3)))
    #expect(same(played.delays, [3, 2, 0, 0]))
  }

  @Test("A rule that spares a connection's first seconds lets the second attempt through")
  func bestRule() {
    var phone = PhoneSketch()
    phone.sends(20)
    phone.sends(60)
    let rule = Acts.packetwise(Acts.records(444...65_535, .up, grace: 5), .drop)
    let played = phone.play(rule)
    // Broken at 40.7, back at 41.9, and within the 5 s; again for the second. ACT.md measured 22.0 s.
    #expect(same(played.delays, [21.9, 21.9]))
  }

  @Test("Received records that are dropped end what comes, and stop what waits for an answer")
  func dropIncoming() {
    var phone = PhoneSketch()
    phone.receives(20)
    phone.notified(25)
    phone.sends(30)
    phone.sends(35)
    let played = phone.play(Acts.packetwise(Acts.received, .drop))
    // The first text is read by the server; its answer never comes, so that the second waits until 60. By then the server
    // has closed, and each new connection stands still with the stored message.
    #expect(same(played.delays, [nil, nil, 0, nil]))
    #expect(played.session.failedConnects >= 1)
  }

  @Test("A reset on each sent record loses it; what comes waits for the next connection")
  func resetSend() {
    var phone = PhoneSketch()
    phone.sends(20)
    phone.notified(20.5)
    phone.receives(60)
    let played = phone.play(Sketch.policy(Acts.sent, .reset(isInjected: true)))
    #expect(same(played.delays, [nil, 0.7, 0]))
    // A break every 1.2 s from 20 s on until the message is given up at 50: at 20, 21.2, ..., 50.
    #expect((25...26).contains(played.session.breaks))
  }

  @Test("A reset on a received record comes again with each connection, as the record does")
  func resetIncoming() {
    var phone = PhoneSketch()
    phone.receives(20)
    phone.notified(22)
    phone.sends(30)
    let played = phone.play(Sketch.policy(Acts.received, .reset(isInjected: true)))
    #expect(same(played.delays, [nil, nil, nil]))
    #expect(played.session.breaks > 20)
  }

  @Test("What is kept behind a record that is reset comes once that one has passed")
  func keptBehindAReset() {
    // By chance a third of the records pass: what is kept behind one that does not must not be forgotten.
    var policy = Sketch.policy(Acts.received, .reset(isInjected: true))
    policy.probability = 0.67
    var lost = 0
    for seed in 1...100 {
      var phone = PhoneSketch()
      phone.receives(20)
      phone.receives(20.1)
      phone.notified(20.2)
      lost += phone.play(policy, seed: UInt64(seed)).delays.filter { $0 == nil }.count
    }
    // Some 80 connections are made in 100 s: that one message passes in none of them has a chance of 1e-14.
    #expect(lost == 0)
  }

  @Test("A connection that goes dark with a sent record comes back by itself, with the newest of each app")
  func blackholeSend() {
    var phone = PhoneSketch()
    phone.sends(20)
    phone.notified(25, "mail")
    phone.receives(26, record: 300)
    phone.notified(28, "chat")
    phone.notified(30, "mail")
    phone.notified(55, "chat")
    let played = phone.play(Sketch.policy(Acts.sent, .drop))
    // Back at 41.9 with what was kept; then the record again, dark until 62.6, back at 63.8.
    #expect(same(played.delays, [nil, nil, 15.9, 13.9, 11.9, 8.8]))
  }

  @Test("A phone that sends nothing does not notice that its connection is dead")
  func silentPhone() {
    var phone = PhoneSketch()
    phone.handshake = [(0.1, true, 3_000), (0.2, false, 3_000)]
    for second in 0..<20 { phone.notified(20 + Double(second), "app \(second)", record: 1_000) }
    let rule = Sketch.policy(Sketch.sni("push.apple.com"), .freeze(packets: nil, bytes: 16_384))
    let played = phone.play(rule)
    // 6108 bytes of the connection and 1059 for each: the tenth makes 16 698.
    #expect(played.delays.map { $0 != nil } == (0..<20).map { $0 < 9 })
    #expect(played.session.breaks == 0)
  }

  @Test("A phone that sends into a frozen connection is back 21.9 s later, with what was kept")
  func cutAfterBytes() {
    var phone = PhoneSketch()
    phone.handshake = [(0.1, true, 8_000), (0.2, false, 7_000)]
    phone.receives(20, record: 2_000)
    phone.sends(30)
    phone.receives(60, record: 300)
    let rule = Sketch.policy(Sketch.sni("push.apple.com"), .freeze(packets: nil, bytes: 16_384))
    // Frozen by the first, noticed by the second's silence: broken at 50.7, back at 51.9.
    #expect(same(phone.play(rule).delays, [31.9, 21.9, 0]))
  }

  @Test("A freeze by packets counts them on each connection")
  func cutAfterPackets() {
    var phone = PhoneSketch()
    phone.handshake = (0..<8).map { (Double($0) / 10, $0.isMultiple(of: 2), 100) }
    for second in 0..<20 { phone.notified(20 + Double(second), "app \(second)") }
    let rule = Sketch.policy(Sketch.sni("push.apple.com"), .freeze(packets: 25, bytes: nil))
    #expect(phone.play(rule).delays.map { $0 != nil } == (0..<20).map { $0 < 17 })
  }

  @Test("A port that is dropped costs the time to notice and the time to try, and then nothing")
  func portDrop() {
    var phone = PhoneSketch()
    phone.notified(15)
    phone.sends(20)
    phone.notified(60)
    phone.sends(70)
    // Broken at 40.7; 1 s, 5 s on port 5223, 0.2 s on 443: 46.9.
    let played = phone.play(Sketch.policy(Sketch.port("tcp/5223"), .drop))
    #expect(same(played.delays, [31.9, 26.9, 0, 0]))
    #expect(played.session.failedConnects == 0)
  }

  @Test("A port that is reset costs 1.2 s")
  func portReset() {
    var phone = PhoneSketch()
    phone.notified(15)
    phone.sends(20)
    let played = phone.play(Sketch.policy(Sketch.port("tcp/5223"), .reset(isInjected: true)))
    #expect(same(played.delays, [1.2, 0]))
    #expect(played.session.breaks == 1)
  }

  @Test("Both ports dropped leave nothing")
  func bothPorts() {
    var phone = PhoneSketch()
    phone.notified(15)
    phone.sends(20)
    #expect(same(phone.play(Sketch.policy(Sketch.port("tcp/5223", "tcp/443"), .drop)).delays, [nil, nil]))
  }

  @Test("Addresses that are dropped leave nothing, and attempts take 5 s for each port")
  func address() {
    var phone = PhoneSketch()
    phone.sends(20)
    phone.notified(50)
    let played = phone.play(Sketch.policy(Sketch.address(in: "17.0.0.0/8"), .drop))
    #expect(same(played.delays, [nil, nil]))
    // Broken at 40.7; attempts at 41.7, 53.7, 67.7, 81.7, 95.7, 109.7: six, as ACT.md counts.
    #expect(played.session.failedConnects == 6)
    #expect(played.session.breaks == 1)
  }

  @Test("A rule on names leaves a connection alone that stands", arguments: [true, false])
  func names(resets: Bool) {
    let rule = Sketch.policy(Sketch.sni("push.apple.com"), resets ? .reset(isInjected: true) : .drop)
    var phone = PhoneSketch()
    phone.sends(20)
    phone.notified(30)
    #expect(same(phone.play(rule).delays, [0, 0]))
    phone.breaksFirst = true
    let played = phone.play(rule)
    #expect(same(played.delays, [nil, nil]))
    #expect(played.session.breaks == 1)
    // Attempts at 11, then 2, 4, 4, ... s behind the failure: 10 s each where TLS stalls, none where it is reset. ACT.md
    // counts 8 and 28 in 110 s.
    #expect(played.session.failedConnects == (resets ? 28 : 8))
  }

  @Test("Names that are dropped from the first hello on leave nothing")
  func namesFromTheBeginning() {
    var phone = PhoneSketch()
    phone.begin = -1
    phone.sends(20)
    phone.notified(30)
    #expect(same(phone.play(Sketch.policy(Sketch.sni("push.apple.com"), .drop)).delays, [nil, nil]))
  }

  @Test("A rule that holds whole connections makes every message late")
  func holdConnection() {
    var phone = PhoneSketch()
    phone.sends(20)
    phone.notified(30)
    let rule = Sketch.policy(Sketch.sni("push.apple.com"), .hold(seconds: 3))
    #expect(same(phone.play(rule).delays, [3, 3]))
  }

  @Test("A throttle delays by what waits")
  func throttle() {
    var phone = PhoneSketch()
    for _ in 0..<5 { phone.receives(20, record: 645) }
    let played = phone.play(Sketch.policy(Sketch.sni("push.apple.com"), .throttle(bytesPerSecond: 650)))
    #expect(same(played.delays, [1, 2, 3, 4, 5]))
  }
}

@Suite("A phone behind any rule")
struct PhoneSessionPropertyTests {
  static func random(_ random: inout SeededRandom, _ count: Int = 40) -> PhoneSketch {
    var phone = PhoneSketch()
    for _ in 0..<count {
      let seconds = Double.random(in: 0...110, using: &random)
      switch Int.random(in: 0...4, using: &random) {
      case 0: phone.sends(seconds, record: Int.random(in: 300...900, using: &random))
      case 1: phone.receives(seconds, record: Int.random(in: 300...900, using: &random))
      case 2: phone.notified(seconds, ["a", "b", "c"].randomElement(using: &random) ?? "a")
      case 3: phone.receipt(seconds)
      default: phone.add("status.findmy", seconds, up: true, 544)
      }
    }
    phone.begin = Double.random(in: -1...60, using: &random)
    phone.breaksFirst = Bool.random(using: &random)
    phone.handshakeOfModel.bytes = Int.random(in: 0...20_000, using: &random)
    return phone
  }

  static func rule(_ random: inout SeededRandom) -> Policy {
    let matches: [Formula] = [
      Acts.sent, Acts.received, Sketch.sni("push.apple.com"), Sketch.port("tcp/5223"), Sketch.address(in: "17.0.0.0/8"),
      .leaf(.packet(PacketTest(lengths: 100...500))), .leaf(.message(kinds: ["imessage"], direction: .both)),
    ]
    let kinds: [PolicyAction.Kind] = [
      .drop, .reset(isInjected: true), .reset(isInjected: false), .throttle(bytesPerSecond: 650),
      .freeze(packets: nil, bytes: 16_000), .freeze(packets: 25, bytes: nil), .hold(seconds: 3), .poison,
    ]
    return Sketch.policy(
      matches.randomElement(using: &random) ?? .any([]), kinds.randomElement(using: &random) ?? .drop
    ) {
      $0.action.unit = Bool.random(using: &random) ? .packet : .flow
      $0.action.copiesPass = Bool.random(using: &random)
      $0.probability = Bool.random(using: &random) ? 1 : Double.random(in: 0...1, using: &random)
      if Bool.random(using: &random) {
        $0.residual = Residual(seconds: 30, key: Residual.Key.allCases.randomElement(using: &random) ?? .server)
        $0.residual?.restart = Residual.Restart.allCases.randomElement(using: &random) ?? .match
      }
    }
  }

  @Test("A rule that meets nothing delivers everything at once")
  func nothingMet() {
    var random = SeededRandom(21)
    for _ in 0..<200 {
      var phone = Self.random(&random)
      phone.breaksFirst = false
      let played = phone.play(Sketch.policy(Sketch.port("tcp/9"), .drop))
      #expect(played.delays.allSatisfy { $0 == 0 })
      #expect(played.session.breaks == 0 && played.session.failedConnects == 0)
    }
  }

  @Test("A phone with more messages than steps loses none of them for that")
  func manyMessages() {
    var session = PhoneSketch().session(Sketch.policy(Sketch.port("tcp/9"), .drop))
    session.connect(PhoneSketch.connection, at: Sketch.start)
    let count = PhoneSession.maximumSteps + 1_000
    for number in 0..<count {
      let act = PhoneSketch.Act(kind: "imessage.text", seconds: Double(number) / 10_000, isUp: true)
      session.take(PhoneSketch.packet(act), [PhoneSketch.letter(act, number)])
    }
    session.finish()
    #expect(session.fates.count == count)
  }

  @Test(
    "Under any rule delays are not negative, no message arrives behind the end, and what a rule meets before it begins does not count"
  )
  func invariants() {
    var random = SeededRandom(22)
    for _ in 0..<3_000 {
      let phone = Self.random(&random)
      let rule = Self.rule(&random)
      let played = phone.play(rule, seed: random.next())
      for (act, delay) in zip(phone.acts, played.delays) {
        guard let delay else { continue }
        #expect(delay >= 0 && act.seconds + delay <= phone.end + 0.001)
        if act.seconds < phone.begin { #expect(delay == 0 || act.seconds + delay >= phone.begin) }
      }
      #expect(played.session.fates.keys.allSatisfy { phone.acts.indices.contains($0) })
      let before = zip(phone.acts, played.delays).filter { $0.0.seconds < phone.begin - 0.001 }
      #expect(before.allSatisfy { $0.1 == 0 }, "the rule is not on yet")
    }
  }

  @Test("Hostile numbers and times end, and trap nowhere")
  func hostile() {
    var random = SeededRandom(23)
    let numbers: [Double?] = [nil, 0, 1e-12, 1, 30, 1e9, 1e300, -5, .infinity, -.infinity, .nan]
    func any() -> Double? { numbers.randomElement(using: &random) ?? nil }
    for _ in 0..<40 {
      var recovery = PhoneSketch.recovery()
      recovery.patience = any()
      recovery.serverPatience = any()
      recovery.pauses = [nil, [], [0], [0, 0], [1e300], [-1, .nan]].randomElement(using: &random) ?? nil
      (recovery.connectLimit, recovery.handshakeLimit, recovery.handshake) = (any(), any(), any())
      recovery.giveUp = any()
      recovery.sendsOneAtATime = Bool.random(using: &random)
      recovery.keepsNewestOnly = Bool.random(using: &random)
      let phone = Self.random(&random, 10)
      var session = phone.session(Self.rule(&random), recovery: recovery, seed: random.next())
      for (at, act) in phone.acts.enumerated() {
        var letter = PhoneSketch.letter(act, at)
        var packet = PhoneSketch.packet(act)
        if Int.random(in: 0...3, using: &random) == 0 {
          packet.time = [.min, .max, 0, -1].randomElement(using: &random) ?? 0
          letter.packet.time = packet.time
          letter.time = packet.time
        }
        if Int.random(in: 0...5, using: &random) == 0 { session.connect(PhoneSketch.connection, at: packet.time) }
        session.take(packet, [letter])
      }
      session.finish()
      #expect(session.fates.values.allSatisfy { ($0.delay ?? 0) >= 0 })
    }
  }
}
