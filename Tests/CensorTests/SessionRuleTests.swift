import Bytes
import Testing

@testable import Censor

@Suite("A rule as connections meet it again and again")
struct SessionRuleTests {
  static let push = PhoneSketch.connection

  static func rule(_ policy: Policy, begin: Double = 0, listed: [Box.Key: [Box.Listing]] = [:], seed: UInt64 = 1)
    -> SessionRule
  {
    SessionRule(
      PolicyMatcher(policy), begin: Sketch.time(begin), breaksFirst: false, listed: listed,
      handshake: SessionRule.Carried(), seed: seed)
  }

  // The lab's phones: a SYN that nobody answers, a hello that is dropped, a reset of either.
  @Test("What an attempt meets: nothing, silence from the SYN on or from the hello on, a reset")
  func openings() {
    func opening(_ match: Formula, _ kind: PolicyAction.Kind, at seconds: Double = 1) -> SessionRule.Opening {
      var rule = Self.rule(Sketch.policy(match, kind))
      return rule.opening(Self.push, at: Sketch.time(seconds))
    }
    let (name, port) = (Sketch.sni("push.apple.com"), Sketch.port("tcp/5223"))
    #expect(opening(name, .drop) == .stalls)
    #expect(opening(port, .drop) == .unreachable(isFast: false))
    #expect(opening(name, .reset(isInjected: true)) == .unreachable(isFast: true))
    #expect(opening(port, .reset(isInjected: false)) == .unreachable(isFast: true))
    #expect(opening(Sketch.sni("example.org"), .drop) == .open)
    #expect(opening(name, .drop, at: -1) == .open, "before the rule is switched on")
    for kind in [
      PolicyAction.Kind.throttle(bytesPerSecond: 1), .freeze(packets: 1, bytes: nil), .hold(seconds: 3), .poison,
    ] {
      #expect(opening(name, kind) == .open)
    }
    #expect(opening(.leaf(.record(RecordTest(lengths: 1...9))), .drop) == .open)
  }

  @Test("What is remembered refuses attempts for its time; its own connection's ports are never met again")
  func residual() {
    func openings(_ key: Residual.Key, _ restart: Residual.Restart) -> [SessionRule.Opening] {
      var rule = Self.rule(
        Sketch.policy(.all([Sketch.sni("push.apple.com"), Sketch.port("tcp/5223")]), .drop) {
          $0.residual = Residual(seconds: 60, key: key)
          $0.residual?.restart = restart
        })
      var other = Self.push
      other.serverPort = 443
      _ = rule.opening(Self.push, at: Sketch.time(0))
      return [30.0, 59, 61, 130].map { rule.opening(other, at: Sketch.time($0)) }
    }
    let shut = SessionRule.Opening.unreachable(isFast: false)
    #expect(openings(.twoHosts, .match) == [shut, shut, .open, .open])
    #expect(openings(.server, .packet) == [shut, shut, shut, .open])
    #expect(openings(.threeTuple, .match) == [.open, .open, .open, .open])
    #expect(openings(.fiveTuple, .match) == [.open, .open, .open, .open])
  }

  @Test("What a record started is remembered too")
  func residualOfRecords() {
    var rule = Self.rule(
      Sketch.policy(.leaf(.record(RecordTest(lengths: 444...800))), .reset(isInjected: true)) {
        $0.residual = Residual(seconds: 60, key: .threeTuple)
      })
    var packet = Sketch.packet(5, up: true)
    packet.record = 500
    let judged = rule.judge(
      packet, nil, Self.push, since: Sketch.time(1), carried: SessionRule.Carried(), at: Sketch.time(5))
    #expect(judged == .reset)
    #expect(rule.opening(Self.push, at: Sketch.time(64)) == .unreachable(isFast: true))
    #expect(rule.opening(Self.push, at: Sketch.time(66)) == .open)
  }

  @Test("A list refuses attempts while its entry holds, and ends what stands")
  func list() {
    let policy = Sketch.policy(.leaf(.service(["APNs"])), .drop) { $0.secondStage = SecondStage(delay: 180) }
    let key = Box.Key(Self.push, .serverPort)
    let entries = [(100.0, 160.0), (300, 360)].map { Box.Listing(from: Sketch.time($0), until: Sketch.time($1)) }
    var rule = Self.rule(policy, listed: [key: entries])
    let shut = SessionRule.Opening.unreachable(isFast: false)
    #expect(
      [99.0, 100, 159, 160, 299, 300, 360].map { rule.opening(Self.push, at: Sketch.time($0)) } == [
        .open, shut, shut, .open, .open, shut, .open,
      ])
    func standing(_ since: Double, _ at: Double) -> Int64? {
      rule.standingFrom(Self.push, since: Sketch.time(since), at: Sketch.time(at))
    }
    #expect(standing(50, 99) == nil)
    #expect(standing(50, 110) == Sketch.time(100))
    #expect(standing(50, 200) == nil, "nothing was sent while the entry held")
    #expect(standing(170, 310) == Sketch.time(300))
  }

  @Test("A rule that every packet shows ends what stands when it is switched on; a name does not")
  func standing() {
    func standing(_ match: Formula, _ kind: PolicyAction.Kind, since: Double, at: Double) -> Int64? {
      var rule = Self.rule(Sketch.policy(match, kind), begin: 10)
      return rule.standingFrom(Self.push, since: Sketch.time(since), at: Sketch.time(at))
    }
    let port = Sketch.port("tcp/5223")
    #expect(standing(port, .drop, since: 0, at: 9) == nil)
    #expect(standing(port, .drop, since: 0, at: 15) == Sketch.time(10))
    #expect(standing(port, .reset(isInjected: true), since: 0, at: 15) == Sketch.time(10))
    #expect(standing(port, .drop, since: 12, at: 15) == nil)
    #expect(standing(port, .freeze(packets: 1, bytes: nil), since: 0, at: 15) == nil)
    #expect(standing(Sketch.sni("push.apple.com"), .drop, since: 0, at: 15) == nil)
  }

  /// How often a rule with a probability of 0.3 acts, of 2000: mean 600, standard deviation 20.
  private func acts(_ change: (inout Policy) -> Void, connections: Bool) -> Int {
    var rule = Self.rule(
      Sketch.policy(.leaf(.record(RecordTest(lengths: 444...800))), .hold(seconds: 3)) {
        $0.probability = 0.3
        change(&$0)
      })
    return (0..<2_000).filter { number in
      var packet = Sketch.packet(Double(number), up: true)
      packet.record = 500
      let since = connections ? Sketch.time(Double(number) - 0.5) : Sketch.time(-1)
      let judged = rule.judge(
        packet, nil, Self.push, since: since, carried: SessionRule.Carried(), at: packet.time)
      return judged != .pass && judged != .hold(0)
    }.count
  }

  @Test("Of packets, and of connections, as many are hit as the probability says")
  func probability() {
    #expect((520...680).contains(acts({ $0.action.unit = .packet }, connections: false)))
    #expect(
      (520...680).contains(
        acts(
          {
            $0.action.kind = .drop
            $0.action.unit = .packet
            $0.action.copiesPass = true
          }, connections: false)))
    #expect((520...680).contains(acts({ $0.action.kind = .reset(isInjected: true) }, connections: true)))
    #expect((520...680).contains(acts({ $0.action.kind = .drop }, connections: true)))
    // One connection is hit always or never.
    #expect([0, 2_000].contains(acts({ $0.action.kind = .drop }, connections: false)))
  }
}
