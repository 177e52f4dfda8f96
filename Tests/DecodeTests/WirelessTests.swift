import Decode
import Testing

/// IEEE 802.11 frames that name no flow, and what is counted of them.
@Suite struct WirelessTests {
  static let encrypted = Sample.data("0841") + hex("0a900020 00000000") + [UInt8](repeating: 0x5a, count: 60)

  @Test func framesWithoutAFlowAreCountedByKind() {
    var decoder = Decoder()
    let frames: [(bytes: [UInt8], times: Int)] = [
      // Beacon, acknowledgment, data without data (also with QoS), CCMP, a second fragment.
      (Sample.data("8000") + [UInt8](repeating: 0, count: 20), 1), (hex("d400 0000 020000000001"), 2),
      (Sample.data("4801"), 1), (Sample.data("c801") + hex("0000"), 1), (Self.encrypted, 3),
      (Sample.data("0801", sequence: "1100") + [UInt8](repeating: 0x5a, count: 60), 1),
    ]
    for frame in frames {
      for _ in 0..<frame.times {
        let decoded = decoder.decode(frame.bytes, link: .ieee80211)
        #expect(decoded.outcome == .counted)
        #expect(decoded.headers.damage == nil)
      }
    }
    var wanted = WirelessCounters()
    wanted.management = 1
    wanted.control = 2
    wanted.empty = 2
    wanted.encrypted = 3
    wanted.fragments = 1
    #expect(decoder.wirelessCounters == wanted)
  }

  @Test func aFrameThatTheReceiverFoundDamagedIsNotRead() {
    var decoder = Decoder()
    // Flags: check sequence, and that it failed.
    let frame = hex("00 00 0900 02000000 50") + Sample.data("0801") + hex("aaaa03 000000 0800") + Packet.tcp4
    #expect(decoder.decode(frame + [1, 2, 3, 4], link: .radiotap).outcome == .counted)
    #expect(decoder.wirelessCounters.badChecksum == 1)
  }

  @Test func theSubframesOfAnAggregateAreCounted() {
    var decoder = Decoder()
    for sample in Sample.all where sample.name == "wlan-a-msdu" {
      #expect(decoder.decode(sample.bytes, link: sample.link).outcome == .flow)
    }
    #expect(decoder.wirelessCounters.subframesNotRead == 1)
  }

  @Test func versionsAndLengthsThatCannotBe() {
    #expect(decode(hex("0901") + Sample.data("0801"), link: .ieee80211).outcome == .unknown)
    let version = decode(hex("01 00 0800 00000000") + Sample.data("0801"), link: .radiotap)
    #expect(version.headers.damage == Damage(.link, .badVersion, at: 0))
    let length = decode(hex("00 00 0700 00000000") + Sample.data("0801"), link: .radiotap)
    #expect(length.headers.damage == Damage(.link, .badLength, at: 0))
    // More present words than there is header.
    let words = decode(
      hex("00 00 0800 ffffffff") + Sample.data("0801") + hex("aaaa03 000000 0800") + Packet.tcp4, link: .radiotap)
    #expect(words.outcome == .flow)
  }

  @Test func headersInHeadersHaveAnEnd() {
    var packet = Packet.tcp4
    // PPI in PPI, each saying that PPI follows.
    for _ in 0..<100 { packet = hex("00 00 0800 c0000000") + packet }
    #expect(decode(packet, link: .ppi).headers.damage?.reason == .tooDeep)
  }
}
