import Bytes
import Decode
import Testing

/// A datagram in pieces: each the whole packet of one fragment.
private func pieces(version: Int, of payload: [UInt8], at cuts: [Int], identification: Int = 7, number: UInt8 = 17)
  -> [[UInt8]]
{
  let bounds = [0] + cuts + [payload.count]
  return zip(bounds, bounds.dropFirst()).map { start, end in
    let more = end < payload.count
    let piece = Array(payload[start..<end])
    return version == 4
      ? Packet.ipv4(number, piece, identification: identification, offset: start, more: more)
      : Packet.fragment6(number, piece, identification: identification, offset: start, more: more)
  }
}

private func orders<Element>(_ items: [Element]) -> [[Element]] {
  guard items.count > 1 else { return [items] }
  return items.indices.flatMap { i in
    var rest = items
    let first = rest.remove(at: i)
    return orders(rest).map { [first] + $0 }
  }
}

private let numbers = (0..<60).map { UInt8($0) }
private let datagram = Packet.udp(5000, 5001, numbers)

@Suite struct FragmentTests {
  /// Packets and bytes that a flow has counted.
  struct Account {
    var packets = 0, bytes = 0
    var payload: [UInt8]?
    var others = 0

    mutating func add(_ decoded: Decoded, wire: Int) {
      guard decoded.outcome == .flow else {
        others += 1
        return
      }
      packets += 1 + Int(decoded.headers.fragmentCount)
      bytes += wire + Int(decoded.headers.fragmentBytes)
      if !decoded.headers.isFirstFragment { payload = decoded.payload }
    }
  }

  @Test(arguments: [4, 6])
  func countsComeOutWholeInAnyOrder(_ version: Int) {
    for order in orders(pieces(version: version, of: datagram, at: [16, 32, 40])) {
      var decoder = Decoder()
      var account = Account()
      for packet in order {
        let decoded = decoder.decode(packet, link: .raw)
        #expect(decoded.outcome == .flow || decoded.outcome == .fragment)
        if decoded.outcome == .flow {
          #expect(decoded.headers.sourcePort == 5000)
          #expect(decoded.headers.destinationPort == 5001)
          #expect(decoded.headers.transport == .udp)
        }
        account.add(decoded, wire: packet.count)
      }
      #expect(account.packets == 4)
      #expect(account.bytes == order.map(\.count).reduce(0, +))
      #expect(account.payload == numbers)
      #expect(decoder.fragmentCounters.completed == 1)
      #expect(decoder.datagramsWaiting == 0)
    }
  }

  @Test func theFirstFragmentIsAPacketOfItsFlow() {
    var decoder = Decoder()
    let packets = pieces(version: 4, of: datagram, at: [16, 32])
    let first = decoder.decode(packets[0], link: .raw)
    #expect(first.outcome == .flow)
    #expect(first.headers.isFirstFragment)
    #expect(!first.headers.isReassembled)
    #expect(first.headers.payloadLength == 0)
    #expect(decoder.decode(packets[1], link: .raw).outcome == .fragment)
    let last = decoder.decode(packets[2], link: .raw)
    #expect(last.outcome == .flow)
    #expect(last.headers.isReassembled)
    #expect(!last.headers.isFirstFragment)
    #expect(last.headers.fragmentCount == 1)
    #expect(Int(last.headers.fragmentBytes) == packets[1].count)
    #expect(last.headers.payloadOffset == 8)
    #expect(decoder.reassembled.array == datagram)
  }

  @Test func aFirstFragmentThatComesLastCompletes() {
    var decoder = Decoder()
    let packets = pieces(version: 6, of: datagram, at: [16, 32])
    #expect(decoder.decode(packets[2], link: .raw).outcome == .fragment)
    #expect(decoder.decode(packets[1], link: .raw).outcome == .fragment)
    let first = decoder.decode(packets[0], link: .raw)
    #expect(first.headers.isReassembled && !first.headers.isFirstFragment)
    #expect(first.headers.fragmentCount == 2)
    #expect(first.payload == numbers)
  }

  @Test func tinyFirstFragmentsShowPortsOrWait() {
    // Eight bytes of TCP: ports and sequence number, no flags (RFC 1858).
    var decoder = Decoder()
    let packets = pieces(version: 4, of: Packet.segment, at: [8], number: 6)
    let first = decoder.decode(packets[0], link: .raw)
    #expect(first.outcome == .flow)
    #expect(first.headers.isFirstFragment)
    #expect(first.headers.destinationPort == 443)
    #expect(first.headers.tcpFlags == [])
    let last = decoder.decode(packets[1], link: .raw)
    #expect(last.headers.tcpFlags.rawValue == 0x18)
    #expect(last.payload == Array("hello".utf8))
    #expect(last.headers.fragmentCount == 0)
  }

  @Test func tunnelsGoOnInTheWholeDatagram() {
    let inner = hex("08000000 00002a00") + Packet.ethernet(0x0800, Packet.tcp4)
    let outer = Packet.udp(5000, 4789, inner)
    for cuts in [[16], [48], [64], [16, 24, 72]] {
      for order in orders(pieces(version: 4, of: outer, at: cuts)) {
        var decoder = Decoder()
        var account = Account()
        for packet in order {
          let decoded = decoder.decode(packet, link: .raw)
          if decoded.outcome == .flow {
            #expect(decoded.headers.destinationPort == 443, "never the tunnel's own ports")
            #expect(decoded.headers.scope.tunnels == [.vxlan])
          }
          account.add(decoded, wire: packet.count)
        }
        #expect(account.packets == cuts.count + 1)
        #expect(account.bytes == order.map(\.count).reduce(0, +))
        #expect(account.payload == Array("hello".utf8))
      }
    }
  }

  @Test func fragmentsInsideFragments() {
    // Each fragment of the inner datagram travels in two fragments of an IP-in-IP datagram.
    let inner = pieces(version: 4, of: datagram, at: [24, 48], identification: 1)
    let packets = inner.enumerated().flatMap { i, packet in
      pieces(version: 4, of: packet, at: [24], identification: 100 + i, number: 4)
    }
    var random = SeededGenerator(state: 5)
    for _ in 0..<200 {
      var decoder = Decoder()
      var account = Account()
      for packet in packets.shuffled(using: &random) {
        account.add(decoder.decode(packet, link: .raw), wire: packet.count)
      }
      #expect(account.packets == 6)
      #expect(account.bytes == packets.map(\.count).reduce(0, +))
      #expect(account.payload == numbers)
      #expect(decoder.datagramsWaiting == 0)
    }
  }

  @Test func randomOverlapsOfTheSameBytesMakeTheSameDatagram() {
    var random = SeededGenerator(state: 11)
    for round in 0..<300 {
      let payload = (0..<Int.random(in: 40...400, using: &random)).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      let whole = Packet.udp(1, 2, payload)
      var ranges: [(Int, Int)] = []
      for start in stride(from: 0, to: whole.count, by: 8) where ranges.isEmpty || Bool.random(using: &random) {
        ranges.append((start, min(whole.count, start + 8 * Int.random(in: 1...9, using: &random))))
      }
      // The gaps that chance left.
      var covered = [Bool](repeating: false, count: whole.count)
      for (start, end) in ranges { for i in start..<end { covered[i] = true } }
      for start in stride(from: 0, to: whole.count, by: 8) where !covered[start] {
        ranges.append((start, min(whole.count, start + 8)))
      }
      var decoder = Decoder()
      var seen: [UInt8]?
      for (start, end) in ranges.shuffled(using: &random) where seen == nil {
        let piece = Array(whole[start..<end])
        let packet =
          round % 2 == 0
          ? Packet.ipv4(17, piece, identification: 3, offset: start, more: end < whole.count)
          : Packet.fragment6(17, piece, identification: 3, offset: start, more: end < whole.count)
        let decoded = decoder.decode(packet, link: .raw)
        #expect(decoded.headers.damage == nil)
        if decoded.outcome == .flow, !decoded.headers.isFirstFragment { seen = decoded.payload }
      }
      #expect(seen == payload)
      #expect(decoder.fragmentCounters.conflicting == 0)
    }
  }

  @Test func aFragmentCutBySnapshotLeavesThePrefix() {
    var decoder = Decoder()
    let packets = pieces(version: 4, of: datagram, at: [32])
    _ = decoder.decode(packets[0], link: .raw)
    let last = decoder.decode(Array(packets[1].prefix(30)), link: .raw, wire: packets[1].count)
    #expect(last.outcome == .flow)
    #expect(last.headers.payloadLength == 60)
    #expect(last.headers.damage == nil)
    // 24 bytes of payload in the first fragment and ten in the second.
    #expect(last.payload == Array(numbers.prefix(34)))
  }

  @Test func otherTransportsComeWholeToo() {
    var decoder = Decoder()
    let echo = pieces(version: 4, of: hex("0800 0000 0001 0001") + numbers, at: [16], number: 1)
    #expect(decoder.decode(echo[0], link: .raw).outcome == .fragment)
    let last = decoder.decode(echo[1], link: .raw)
    #expect(last.outcome == .counted)
    #expect(last.headers.transport.rawValue == 1)
    #expect(last.headers.fragmentCount == 1)
  }

  @Test func anExtensionHeaderInsideTheFragments() {
    // Destination options before UDP, both in the fragmentable part.
    var decoder = Decoder()
    let packets = pieces(version: 6, of: hex("11 00 0104 00000000") + datagram, at: [32], number: 60)
    #expect(decoder.decode(packets[1], link: .raw).outcome == .fragment)
    let first = decoder.decode(packets[0], link: .raw)
    #expect(first.outcome == .flow)
    #expect(first.payload == numbers)
  }

  @Test func datagramsOfDifferentKeysStayApart() {
    var decoder = Decoder()
    let one = pieces(version: 4, of: datagram, at: [16], identification: 1)
    let two = pieces(version: 4, of: datagram, at: [16], identification: 2)
    let tagged = Packet.ethernet(0x8100, hex("0005 0800") + one[1])
    _ = decoder.decode(one[0], link: .raw)
    #expect(decoder.decode(two[1], link: .raw).outcome == .fragment)
    #expect(decoder.decode(tagged).outcome == .fragment)
    #expect(decoder.decode(one[1], link: .raw).headers.isReassembled)
    #expect(decoder.datagramsWaiting == 2)
  }
}

@Suite struct HostileFragmentTests {
  private func fragment4(_ offset: Int, _ bytes: [UInt8], more: Bool) -> [UInt8] {
    Packet.ipv4(17, bytes, identification: 9, offset: offset, more: more)
  }

  private func fragment6(_ offset: Int, _ bytes: [UInt8], more: Bool) -> [UInt8] {
    Packet.fragment6(17, bytes, identification: 9, offset: offset, more: more)
  }

  @Test func theFirstBytesWinInIPv4() {
    var decoder = Decoder()
    _ = decoder.decode(fragment4(0, Array(datagram[..<32]), more: true), link: .raw)
    // Overlaps bytes 16 to 31 with others.
    let forged = [UInt8](repeating: 0xee, count: 16) + datagram[32..<40]
    #expect(decoder.decode(fragment4(16, forged, more: true), link: .raw).outcome == .fragment)
    let last = decoder.decode(fragment4(40, Array(datagram[40...]), more: false), link: .raw)
    #expect(last.payload == numbers)
    #expect(decoder.fragmentCounters.conflicting == 1)
  }

  @Test func overlappingIPv6IsRefusedWhole() {
    // RFC 5722: silently discarded, "including those not yet received".
    var decoder = Decoder()
    _ = decoder.decode(fragment6(0, Array(datagram[..<32]), more: true), link: .raw)
    let forged = decoder.decode(fragment6(24, [UInt8](repeating: 0xee, count: 16), more: true), link: .raw)
    #expect(forged.outcome == .damaged)
    #expect(forged.headers.damage == Damage(.ipv6, .badFragment, at: 0))
    #expect(forged.headers.source.description == Packet.client6)
    let last = decoder.decode(fragment6(32, Array(datagram[32...]), more: false), link: .raw)
    #expect(last.headers.damage?.reason == .badFragment)
    #expect(decoder.fragmentCounters.refused == 2)
    #expect(decoder.fragmentCounters.completed == 0)
  }

  @Test func teardrop() {
    // The second fragment ends before the first one does, and says that it is the last (CVE-1999-0015).
    for version in [4, 6] {
      var decoder = Decoder()
      let make = version == 4 ? fragment4 : fragment6
      _ = decoder.decode(make(0, Array(datagram[..<40]), true), link: .raw)
      let second = decoder.decode(make(24, Array(datagram[24..<28]), false), link: .raw)
      #expect(second.outcome == .damaged)
      #expect(second.headers.damage?.reason == .badFragment)
    }
  }

  @Test func pastTheLongestDatagram() {
    // Ping of death (CVE-1996-1033): the last fragment ends at 65,528 + 16.
    for packet in [fragment4(65_528, datagram, more: false), fragment6(65_528, datagram, more: false)] {
      let decoded = decode(packet, link: .raw)
      #expect(decoded.outcome == .damaged)
      #expect(decoded.headers.damage?.reason == .badFragment)
    }
  }

  @Test func theLongestDatagram() {
    // 20 bytes of header and 65,515 of payload are the 65,535 that a total length can say.
    let payload = (0..<65_507).map { UInt8(truncatingIfNeeded: $0 >> 3) }
    let whole = Packet.udp(1, 2, payload)
    var decoder = Decoder()
    let packets = pieces(version: 4, of: whole, at: Array(stride(from: 1480, to: whole.count, by: 1480)))
    for packet in packets.dropLast() { _ = decoder.decode(packet, link: .raw) }
    let last = decoder.decode(packets[packets.count - 1], link: .raw)
    #expect(last.payload == payload)
    #expect(last.headers.payloadLength == 65_507)
    #expect(Int(last.headers.fragmentCount) == packets.count - 2)
  }

  @Test func theSmallestFragmentsOfALongDatagram() {
    // 48 bytes each, as an MTU of 68 asks, the last one first and then from the end and the start in turn.
    let payload = (0..<65_400).map { UInt8(truncatingIfNeeded: $0 >> 4) }
    let whole = Packet.udp(1, 2, payload)
    let packets = pieces(version: 4, of: whole, at: Array(stride(from: 48, to: whole.count, by: 48)))
    var decoder = Decoder()
    var last: Decoded?
    for i in packets.indices {
      last = decoder.decode(packets[i % 2 == 0 ? packets.count - 1 - i / 2 : i / 2], link: .raw)
    }
    #expect(last?.payload == payload)
    #expect(decoder.fragmentCounters.overLimit == 0)
  }

  @Test func twoEndsAndNothing() {
    var decoder = Decoder()
    _ = decoder.decode(fragment4(32, Array(datagram[32...]), more: false), link: .raw)
    #expect(decoder.decode(fragment4(40, [1, 2, 3], more: false), link: .raw).outcome == .damaged)
    #expect(decoder.decode(fragment4(72, [UInt8](repeating: 0, count: 8), more: true), link: .raw).outcome == .damaged)
    #expect(decoder.decode(fragment4(8, [], more: true), link: .raw).outcome == .damaged)
    // Only a last fragment may have a length that no 8 divides.
    #expect(decoder.decode(fragment6(8, [1, 2, 3], more: true), link: .raw).outcome == .damaged)
    #expect(decoder.fragmentCounters.refused == 4)
    // The IPv4 datagram is still good.
    #expect(decoder.decode(fragment4(0, Array(datagram[..<32]), more: true), link: .raw).payload == numbers)
  }

  @Test func aFragmentThatLiesAboutItsLengthIsNotHeld() {
    var decoder = Decoder()
    let packet = Packet.ipv4(17, Array(datagram[16...]), identification: 9, offset: 16, length: 200)
    let decoded = decoder.decode(packet, link: .raw)
    #expect(decoded.outcome == .damaged)
    #expect(decoded.headers.damage == Damage(.ipv4, .truncated, at: 0))
    #expect(decoder.datagramsWaiting == 0)
  }

  @Test func timeRunsOutByPacketTime() {
    var decoder = Decoder()
    let packets = pieces(version: 4, of: datagram, at: [16])
    _ = decoder.decode(packets[1], link: .raw, at: 0)
    // 30 s later the identification may belong to another datagram.
    #expect(decoder.decode(packets[0], link: .raw, at: 30_000_000_001).headers.isFirstFragment)
    #expect(decoder.fragmentCounters.expired == 1)
    #expect(decoder.datagramsWaiting == 1)
    #expect(decoder.decode(packets[1], link: .raw, at: 60_000_000_000).headers.isReassembled)
    // Clocks that jump, either way and as far as they can.
    _ = decoder.decode(packets[1], link: .raw, at: .max)
    _ = decoder.decode(packets[1], link: .raw, at: .min)
    _ = decoder.decode(packets[1], link: .raw, at: 0)
    #expect(decoder.datagramsWaiting == 1)
    #expect(decoder.fragmentCounters.expired == 3)
  }

  @Test func theCapOnDatagramsCostsTheOldest() {
    var limits = FragmentLimits()
    limits.datagrams = 3
    var decoder = Decoder(fragmentLimits: limits)
    for i in 0..<5 { _ = decoder.decode(pieces(version: 4, of: datagram, at: [16], identification: i)[1], link: .raw) }
    #expect(decoder.datagramsWaiting == 3)
    #expect(decoder.fragmentCounters.evicted == 2)
    let kept = pieces(version: 4, of: datagram, at: [16], identification: 4)[0]
    #expect(decoder.decode(kept, link: .raw).headers.isReassembled)
  }

  @Test func theCapOnBytesHoldsUnderAFlood() {
    var limits = FragmentLimits()
    limits.bytes = 20_000
    var decoder = Decoder(fragmentLimits: limits)
    for i in 0..<1000 {
      let packet = Packet.ipv4(17, [UInt8](repeating: 0, count: 1000), identification: i, offset: 8, more: true)
      #expect(decoder.decode(packet, link: .raw).outcome == .fragment)
    }
    #expect(decoder.datagramsWaiting <= 20)
    #expect(decoder.datagramsWaiting >= 15)
    #expect(Int(decoder.fragmentCounters.evicted) == 1000 - decoder.datagramsWaiting)
  }

  @Test func theCapOnFragmentsRefusesTheDatagram() {
    var limits = FragmentLimits()
    limits.fragmentsPerDatagram = 4
    var decoder = Decoder(fragmentLimits: limits)
    for i in 1...6 {
      let packet = fragment4(i * 8, [UInt8](repeating: 0, count: 8), more: true)
      #expect(decoder.decode(packet, link: .raw).outcome == .fragment)
    }
    #expect(decoder.fragmentCounters.held == 4)
    #expect(decoder.fragmentCounters.overLimit == 2)
  }
}
