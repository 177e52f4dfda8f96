import Bytes
import TestSupport
import Testing

@testable import Protocols

@Suite struct RTPTests {
  @Test func readsAHeaderWithAllItsParts() throws {
    // RFC 3550, section 5.1: V=2, P=1, X=1, CC=2; M=1, PT=96.
    let bytes: [UInt8] =
      [0xb2, 0xe0, 0x12, 0x34, 0, 0, 0x10, 0, 0xde, 0xad, 0xbe, 0xef] + RTPSample.u32(1) + RTPSample.u32(2)
      + [0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0] + [9, 8, 7, 1]
    let header = try RTPHeader(of: bytes)
    #expect(header.hasPadding && header.marker && header.contributors == 2)
    #expect(header.payloadType == 96 && header.sequence == 0x1234 && header.timestamp == 0x1000)
    #expect(header.ssrc == 0xdead_beef && header.extensionProfile == 0xbede && header.payloadLength == 4)
    for count in 0..<28 {
      #expect(throws: ParseError.self) { try RTPHeader(of: Array(bytes.prefix(count))) }
    }
  }

  @Test func refusesOtherVersionsAndTypesOfRTCP() {
    for first in UInt8.min...UInt8.max where first >> 6 != 2 {
      let canBegin = RTPConversation.canBegin(([first, 96] + [UInt8](repeating: 1, count: 200)).rawSpan)
      #expect(!canBegin)
    }
    for type in UInt8(64)...95 {
      #expect(throws: ParseError.malformed(.type, at: 1)) {
        try RTPHeader(of: RTPSample.packet(1, timestamp: 1, type: type))
      }
    }
  }

  @Test func rangesAreThoseOfRFC7983() {
    func range(_ first: UInt8, _ second: UInt8 = 0) -> MultiplexedRange { MultiplexedRange(of: [first, second]) }
    #expect([0, 3].allSatisfy { range($0) == .stun } && [16, 19].allSatisfy { range($0) == .zrtp })
    #expect([20, 63].allSatisfy { range($0) == .dtls } && [64, 79].allSatisfy { range($0) == .turnChannel })
    #expect([128, 191].allSatisfy { range($0) == .rtp && range($0, 200) == .rtcp })
    #expect([4, 15, 80, 127, 192, 255].allSatisfy { range($0) == .unassigned })
    #expect(range(128, 191) == .rtp && range(128, 192) == .rtcp && range(128, 223) == .rtcp && range(128, 224) == .rtp)
  }

  @Test func threePacketsOfASourceProveIt() {
    var conversation = RTPConversation()
    let packets = (0..<4).map { RTPSample.packet(65534 &+ UInt16($0), timestamp: 0xffff_fe00 &+ 960 &* UInt32($0)) }
    #expect(conversation.feed(packets) == [.undecided, .undecided, .mine, .mine])
    #expect(conversation.isSure && conversation.facts.streams.map(\.ssrc) == [0x1234_5678])
    #expect(conversation.facts.streams.first?.payloadType == 111)
    #expect(conversation.bufferedBytes == 0)
  }

  @Test func twoPacketsAreEnoughWithSideEvidence() {
    // PCMU of 20 ms: 160 bytes and 160 ticks (RFC 3551, section 4.5.14).
    var exact = RTPConversation()
    #expect(
      exact.feed([
        RTPSample.packet(1, timestamp: 0, type: 0, size: 160), RTPSample.packet(2, timestamp: 160, type: 0, size: 160),
      ]) == [.undecided, .mine])
    #expect(exact.facts.streams.first?.media == .audio)
    var inexact = RTPConversation()
    #expect(
      inexact.feed([
        RTPSample.packet(1, timestamp: 0, type: 0, size: 161), RTPSample.packet(2, timestamp: 160, type: 0, size: 161),
      ]) == [.undecided, .undecided])
    var both = RTPConversation()
    let packets = (1...2).map { RTPSample.packet($0, timestamp: UInt32($0) * 960) }
    #expect(both.feed(packets) == [.undecided, .undecided])
    #expect(both.feed(packets, from: .server) == [.undecided, .mine])
    #expect(both.facts.streams.map(\.side) == [.client, .server])
    var announced = RTPConversation(isAnnounced: true)
    #expect(announced.feed([packets[0]]) == [.mine])
  }

  @Test func lossReorderingAndDuplicatesDoNoHarm() {
    var random = SeededRandom(7)
    for _ in 0..<200 {
      var packets = (0..<40).map { RTPSample.packet(UInt16($0) &+ 65520, timestamp: UInt32($0) &* 960) }
      for _ in 0..<12 { packets.remove(at: Int.random(in: 0..<packets.count, using: &random)) }
      for _ in 0..<5 {
        let at = Int.random(in: 0..<packets.count - 1, using: &random)
        packets.swapAt(at, at + 1)
        packets.append(packets[packets.count - 1])
      }
      var conversation = RTPConversation()
      let readings = conversation.feed(packets)
      #expect(readings.prefix(8).contains(.mine))
      #expect(!readings.contains(.notMine))
    }
  }

  @Test func interleavedSourcesAreToldApart() {
    var conversation = RTPConversation()
    for i in 0..<60 {
      let ssrc = UInt32(100 + i % 3)
      let step = UInt32(i / 3)
      let video = i % 3 != 0
      let packet = RTPSample.packet(
        UInt16(i / 3), timestamp: video ? step / 4 * 3000 : step * 960, ssrc: ssrc, type: UInt8(96 + i % 3),
        size: video ? 1100 : 70)
      // Time passes by 20 ms a packet of audio.
      _ = conversation.consume(packet.rawSpan, from: .client, at: Int64(i / 3) * 20_000_000)
    }
    #expect(conversation.isSure)
    #expect(conversation.facts.streams.map(\.ssrc) == [100, 101, 102])
    #expect(conversation.facts.streams.map(\.media) == [nil, .video, .video])
    var longer = RTPConversation()
    for i in 0..<64 {
      let packet = RTPSample.packet(UInt16(i), timestamp: UInt32(i) * 960)
      _ = longer.consume(packet.rawSpan, from: .client, at: Int64(i) * 20_000_000)
    }
    #expect(longer.facts.streams.first?.clockRate == 48_000)
    #expect(longer.facts.streams.first?.media == .audio)
  }

  @Test func otherRangesOnThePortNeitherHelpNorHarm() {
    var conversation = RTPConversation()
    let stun: [UInt8] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + [UInt8](repeating: 3, count: 12)
    let dtls: [UInt8] = [22, 0xfe, 0xfd] + [UInt8](repeating: 0, count: 60)
    for _ in 0..<40 {
      #expect(conversation.feed([stun]) == [.notMine])
      #expect(conversation.feed([dtls], from: .server) == [.notMine])
    }
    #expect(!conversation.isDisproved)
    #expect(conversation.feed((0..<3).map { RTPSample.packet($0, timestamp: UInt32($0) * 960) }).last == .mine)
  }

  @Test func probesForBandwidthAreSeen() {
    // Padding alone, source and time 0, with a transport-wide number in a header extension (RFC 8285).
    var conversation = RTPConversation()
    let probes = (1...8).map {
      RTPSample.packet($0, timestamp: 0, ssrc: 0, type: 97, size: 236, extensionProfile: 0xbede)
    }
    #expect(conversation.feed(probes).last == .mine)
    #expect(conversation.facts.extensionProfile == 0xbede)
    var bare = RTPConversation()
    #expect(bare.feed((1...8).map { RTPSample.packet($0, timestamp: 0, ssrc: 0, type: 97, size: 236) }).last != .mine)
  }

  @Test func manySourcesStayBounded() {
    var conversation = RTPConversation(isAnnounced: true)
    var random = SeededRandom(3)
    for i in 0..<5000 {
      let packet = RTPSample.packet(UInt16(truncatingIfNeeded: i), timestamp: 0, ssrc: random.next32())
      _ = conversation.consume(packet.rawSpan, from: .client)
    }
    #expect(conversation.facts.streams.count == RTPFacts.maximumStreams)
  }

  @Test(
    arguments: [
      // Type, packets, bytes, seconds, and the kind: RFC 3551's table, then rates of common codecs.
      (0, 1, 172, 0.0, "audio"), (34, 1, 900, 0.0, "video"), (33, 1, 1328, 0.0, "video"), (111, 10, 1000, 0.2, nil),
      (111, 100, 9_000, 2.0, "audio"), (96, 400, 440_000, 2.0, "video"), (96, 100, 50_000, 2.0, nil),
      (96, 400, 40_000, 2.0, nil),
    ] as [(UInt8, Int, Int, Double, String?)])
  func kindsOfMedia(type: UInt8, packets: Int, bytes: Int, seconds: Double, kind: String?) {
    #expect(RTPFacts.mediaKind(payloadType: type, packets: packets, bytes: bytes, seconds: seconds)?.rawValue == kind)
  }
}

extension SeededRandom {
  mutating func next32() -> UInt32 { UInt32(truncatingIfNeeded: next()) }
}
