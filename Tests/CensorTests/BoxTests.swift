import Decode
import TestSupport
import Testing

@testable import Censor

@Suite("A box meets one flow")
struct BoxTests {
  /// What a box does to each packet of a flow.
  static func fates(
    _ policy: Policy, _ flow: FlowSight, _ packets: [TracePacket], begin: Int64 = .min, seed: UInt64 = 1
  ) -> [Box.Fate] {
    let matcher = PolicyMatcher(policy)
    var box = Box(matcher, begin: begin, seed: seed)
    var state = Box.FlowState()
    var flow = flow
    flow.start = packets.first?.time ?? 0
    state.match = matcher.match(in: flow)
    return packets.enumerated().map { at, packet in
      var packet = packet
      packet.ordinal = UInt32(at + 1)
      return box.meet(packet, flow, &state, flagged: false)
    }
  }

  /// Packets up and down by turns, a tenth of a second apart, the first up at 0.
  static func turns(_ count: Int, payload: Int = 100, since: Double = 0, step: Double = 0.1) -> [TracePacket] {
    (0..<count).map { Sketch.packet(since + Double($0) * step, up: $0.isMultiple(of: 2), payload) }
  }

  static let listed = Sketch.tls("www.rutracker.org")
  static let name = Sketch.sni("rutracker.org")

  // Xue et al., IMC 2022, SNI-IV: everything is dropped including the ClientHello itself.
  @Test("A drop begins with the hello")
  func dropFromTheHello() {
    let fates = Self.fates(Sketch.policy(Self.name, .drop), Self.listed, Self.turns(10))
    #expect(fates == Array(repeating: .pass, count: 3) + Array(repeating: .drop, count: 7))
  }

  @Test("A drop behind the hello lets the hello pass, and another name everything")
  func dropBehindTheHello() {
    let policy = Sketch.policy(Self.name, .drop) { $0.action.hitsTrigger = false }
    #expect(
      Self.fates(policy, Self.listed, Self.turns(10)) == Array(repeating: .pass, count: 4)
        + Array(repeating: .drop, count: 6))
    #expect(Self.fates(policy, Sketch.tls("example.org"), Self.turns(10)).allSatisfy { $0 == .pass })
  }

  // Xue et al., IMC 2022, SNI-II: the next 5 to 8 packets pass, then symmetric silent drop.
  @Test("Five to eight packets pass behind the hello, by the flow", arguments: [true, false])
  func passes(hitsTrigger: Bool) {
    let policy = Sketch.policy(Self.name, .drop) {
      $0.action.passes = 5...8
      $0.action.hitsTrigger = hitsTrigger
    }
    var counts: [Int: Int] = [:]
    for id in 1...400 {
      var flow = Self.listed
      flow.id = UInt64(id)
      let fates = Self.fates(policy, flow, Self.turns(20))
      let first = fates.firstIndex(of: .drop) ?? fates.count
      counts[first - 4, default: 0] += 1
      #expect(fates[first...].allSatisfy { $0 == .drop })
    }
    #expect(Set(counts.keys) == [5, 6, 7, 8])
    // Each of the four is 100 of 400 on average; 4.6 standard deviations below are 60.
    #expect(counts.values.allSatisfy { $0 >= 60 })
  }

  // Xue et al., IMC 2022, SNI-I: packets of the server are rewritten; no packet is added.
  @Test("A rewritten reset waits for a packet of the server")
  func rewrittenReset() {
    var packets = Self.turns(4) + [Sketch.packet(0.4, up: true), Sketch.packet(0.5, up: true)]
    packets += [Sketch.packet(0.6, up: false), Sketch.packet(0.7, up: true), Sketch.packet(0.8, up: false)]
    // The hello is the fourth packet; make it the client's.
    packets[3].isUp = true
    let policy = Sketch.policy(Self.name, .reset(isInjected: false)) { $0.action.hitsTrigger = false }
    #expect(Self.fates(policy, Self.listed, packets) == Array(repeating: .pass, count: 6) + [.reset, .drop, .drop])
  }

  @Test("An injected reset comes with the next packet of either side, or with the hello")
  func injectedReset() {
    var packets = Self.turns(4) + [Sketch.packet(0.4, up: true), Sketch.packet(0.5, up: false)]
    packets[3].isUp = true
    var policy = Sketch.policy(Self.name, .reset(isInjected: true)) { $0.action.hitsTrigger = false }
    #expect(Self.fates(policy, Self.listed, packets) == Array(repeating: .pass, count: 4) + [.reset, .drop])
    policy.action.hitsTrigger = true
    #expect(Self.fates(policy, Self.listed, packets) == Array(repeating: .pass, count: 3) + [.reset, .drop, .drop])
  }

  // SNI-III, Xue et al., IMC 2022: 600 to 700 bytes a second; 650 in the built-in policy.
  @Test("A throttle delivers no more than its rate and a second's worth at once")
  func throttleRate() {
    var random = SeededRandom(7)
    let rate = 650.0
    let policy = Sketch.policy(Sketch.port("tcp/443"), .throttle(bytesPerSecond: rate))
    for _ in 0..<50 {
      var at = 0.0
      let packets = (0..<60).map { _ in
        at += Double.random(in: 0...0.8, using: &random)
        return Sketch.packet(at, up: Bool.random(using: &random), Int.random(in: 0...1460, using: &random))
      }
      let fates = Self.fates(policy, Sketch.bare(), packets)
      // When each packet's payload is through, in order.
      let through = zip(packets, fates).compactMap { packet, fate -> (time: Double, bytes: Double)? in
        guard packet.payload > 0 else { return nil }
        let time = Double(packet.time - Sketch.start) / 1e9
        if case .hold(let wait) = fate { return (time + Double(wait) / 1e9, Double(packet.payload)) }
        return fate == .pass ? (time, Double(packet.payload)) : nil
      }
      #expect(through.count == packets.filter { $0.payload > 0 }.count, "a throttle loses nothing")
      for first in through.indices {
        var bytes = 0.0
        for last in first..<through.count {
          #expect(through[last].time >= through[first].time - 1e-6, "the queue is served in order")
          bytes += through[last].bytes
          let most = rate * (through[last].time - through[first].time) + rate + through[first].bytes
          #expect(bytes <= most + 1e-3)
        }
      }
    }
  }

  @Test("A throttle of 650 bytes a second leaves a trickle alone, and holds a burst as long as its queue is")
  func throttleDelay() {
    let policy = Sketch.policy(Sketch.port("tcp/443"), .throttle(bytesPerSecond: 650))
    let trickle = Self.fates(policy, Sketch.bare(), Self.turns(100, payload: 300, step: 0.5))
    #expect(trickle.allSatisfy { $0 == .pass })
    // 10 000 bytes at once, of which the bucket holds 650: the last is through after 9350 / 650 s.
    let burst = Self.fates(policy, Sketch.bare(), Self.turns(10, payload: 1000, step: 0))
    guard case .hold(let wait)? = burst.last else {
      Issue.record("the last packet of a burst is not held")
      return
    }
    #expect(abs(Double(wait) / 1e9 - 9350 / 650) < 1e-6)
  }

  // net4people/bbs 490: stalls after some 25 packets or 16 kB in either direction.
  @Test("A freeze counts packets of both directions from the flow's first, and leaves shorter flows alone")
  func freezeByPackets() {
    let policy = Sketch.policy(Self.name, .freeze(packets: 25, bytes: nil))
    #expect(Self.fates(policy, Self.listed, Self.turns(25)).allSatisfy { $0 == .pass })
    let fates = Self.fates(policy, Self.listed, Self.turns(30))
    #expect(fates == Array(repeating: .pass, count: 25) + Array(repeating: .drop, count: 5))
  }

  @Test("A freeze counts bytes on the wire, and by what is reached first")
  func freezeByBytes() {
    // 1000 bytes of payload are 1054 on the wire: 15 packets are 15 810 bytes, 16 are 16 864.
    let bytes = Sketch.policy(Self.name, .freeze(packets: nil, bytes: 16_000))
    #expect(Self.fates(bytes, Self.listed, Self.turns(15, payload: 1000)).allSatisfy { $0 == .pass })
    #expect(Self.fates(bytes, Self.listed, Self.turns(20, payload: 1000)).firstIndex(of: .drop) == 15)
    let both = Sketch.policy(Self.name, .freeze(packets: 10, bytes: 16_000))
    #expect(Self.fates(both, Self.listed, Self.turns(20, payload: 1000)).firstIndex(of: .drop) == 10)
    #expect(Self.fates(both, Self.listed, Self.turns(20, payload: 3000)).firstIndex(of: .drop) == 5)
  }

  @Test("A hold keeps each packet behind the match for its time")
  func hold() {
    let fates = Self.fates(Sketch.policy(Self.name, .hold(seconds: 3)), Self.listed, Self.turns(6))
    #expect(fates == Array(repeating: .pass, count: 3) + Array(repeating: .hold(nanoseconds: 3_000_000_000), count: 3))
  }

  // censorship.ai 2020: client-to-server packets are dropped, at least a second after the hello.
  @Test("A drop of one direction after a second spares the hello, what comes within it, and bare acks of the server")
  func direction() {
    var flow = Sketch.tls(nil)
    flow.hello?.hasEncryptedServerName = true
    let policy = Sketch.policy(.leaf(.encryptedServerName), .drop) {
      $0.action.direction = .up
      $0.action.delay = 1
      $0.action.hitsTrigger = false
    }
    var packets = Self.turns(4)
    packets[3].isUp = true
    // The hello stands at 0.3 s, so that the box acts from 1.3 s on.
    packets += [Sketch.packet(0.5, up: true), Sketch.packet(1.2, up: true), Sketch.packet(1.25, up: false)]
    packets += [Sketch.packet(1.4, up: false), Sketch.packet(1.5, up: true), Sketch.packet(1.6, up: false, 0)]
    packets += [Sketch.packet(2, up: true)]
    let fates = Self.fates(policy, flow, packets)
    #expect(fates == Array(repeating: .pass, count: 8) + [.drop, .pass, .drop])
    // What the server says in the capture to what did not reach it would not have come.
    let answer = Self.fates(policy, flow, packets + [Sketch.packet(2.1, up: false)])
    #expect(answer.last == .drop)
  }

  @Test("A rule switched on behind a hello has not seen it; an address it sees in every packet")
  func beginInMidCapture() {
    let packets = Self.turns(10)
    let begin = Sketch.time(0.55)
    #expect(Self.fates(Sketch.policy(Self.name, .drop), Self.listed, packets, begin: begin).allSatisfy { $0 == .pass })
    let address = Sketch.policy(Sketch.address(in: "203.0.113.0/24"), .drop)
    #expect(
      Self.fates(address, Self.listed, packets, begin: begin) == Array(repeating: .pass, count: 6)
        + Array(repeating: .drop, count: 4))
    // A hello that comes behind the beginning is seen.
    let early = Self.fates(Sketch.policy(Self.name, .drop), Self.listed, packets, begin: Sketch.time(0.25))
    #expect(early.firstIndex(of: .drop) == 3)
  }

  @Test("Of rules with a probability the share of flows that are hit lies within binomial bounds")
  func sampling() {
    // Wu et al., USENIX Security 2023: 26.3 %.
    let policy = Sketch.policy(Self.name, .drop) { $0.probability = 0.263 }
    func hit(_ seed: UInt64) -> [Bool] {
      let box = Box(PolicyMatcher(policy), seed: seed)
      return (1...10_000).map { id in
        var flow = Self.listed
        flow.id = UInt64(id)
        return box.isSampled(flow)
      }
    }
    let first = hit(1)
    // Mean 2630, standard deviation 44; four of them.
    #expect((2454...2806).contains(first.filter { $0 }.count))
    #expect(hit(1) == first, "the same seed draws the same flows")
    let other = hit(2)
    #expect((2454...2806).contains(other.filter { $0 }.count))
    // Two independent draws differ in 2 p (1 - p) of the flows: 3876, standard deviation 49.
    #expect((3680...4072).contains(zip(first, other).filter { $0 != $1 }.count))
  }

  @Test("Of rules on packets each packet is drawn for itself")
  func samplingOfPackets() {
    let policy = Sketch.policy(.leaf(.packet(PacketTest(lengths: 1...9000))), .drop) {
      $0.probability = 0.5
      $0.action.unit = .packet
    }
    let box = Box(PolicyMatcher(policy), seed: 3)
    let hit = (1...10_000).filter { box.isSampled(Sketch.bare(), Sketch.packet(0, up: true, number: UInt32($0))) }.count
    // Standard deviation 50.
    #expect((4800...5200).contains(hit))
  }

  @Test("A box that forgets silent flows lets UDP pass behind the silence, and still knows what each packet shows")
  func flowMemory() {
    let quiet = [0, 1, 2, 70, 71].map { Sketch.packet($0, up: true) }
    let forgetful = Sketch.policy(Sketch.quicSNI("example.org"), .drop) {
      $0.box.opensQUIC = true
      $0.box.flowMemory = 60
    }
    #expect(Self.fates(forgetful, Sketch.quic("example.org"), quiet) == [.drop, .drop, .drop, .pass, .pass])
    var patient = forgetful
    patient.box.flowMemory = nil
    #expect(Self.fates(patient, Sketch.quic("example.org"), quiet).allSatisfy { $0 == .drop })
    let address = Sketch.policy(Sketch.address(in: "203.0.113.0/24"), .drop) { $0.box.flowMemory = 60 }
    #expect(Self.fates(address, Sketch.quic(nil), quiet, begin: Sketch.time(60)).suffix(2) == [.drop, .drop])
  }

  @Test("A hello behind a silence is a new flow's to a box that forgets, and seen")
  func helloBehindSilence() {
    let packets = [0, 0.1, 0.2, 90, 90.1].map { Sketch.packet($0, up: true) }
    let policy = Sketch.policy(Self.name, .drop) { $0.box.flowMemory = 60 }
    #expect(Self.fates(policy, Self.listed, packets) == [.pass, .pass, .pass, .drop, .drop])
  }

  @Test("Times that go backwards, and the ends of time, end in a fate for every packet")
  func hostileTimes() {
    var random = SeededRandom(11)
    let kinds: [PolicyAction.Kind] = [
      .drop, .reset(isInjected: true), .throttle(bytesPerSecond: 1e-9), .freeze(packets: 3, bytes: nil),
      .hold(seconds: 315_360_000), .poison,
    ]
    for kind in kinds {
      let policy = Sketch.policy(Sketch.port("udp/443", "tcp/443"), kind) {
        $0.residual = Residual(seconds: 315_360_000, key: .threeTuple)
        $0.residual?.restart = .packet
        $0.box.flowMemory = 60
        $0.action.delay = 1
      }
      for flow in [Sketch.bare(), Sketch.quic(nil)] {
        let packets = (0..<200).map { _ in
          var packet = Sketch.packet(0, up: Bool.random(using: &random), 1400)
          let times: [Int64] = [.min, .max, 0, -1, Int64.random(in: .min ... .max, using: &random), Sketch.start]
          packet.time = times.randomElement(using: &random) ?? 0
          return packet
        }
        #expect(Self.fates(policy, flow, packets).count == 200)
      }
    }
  }
}
