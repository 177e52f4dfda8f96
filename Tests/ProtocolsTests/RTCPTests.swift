import Bytes
import TestSupport
import Testing

@testable import Protocols

@Suite struct RTCPTests {
  private let compound =
    RTPSample.senderReport(7, blocks: 2) + RTPSample.sourceDescription(7, name: "doe@host.example") + RTPSample.bye(7)

  @Test func aCompoundProvesItself() {
    #expect(RTCPDatagram(of: compound) == .clear(sender: 7))
    var conversation = RTPConversation()
    #expect(conversation.feed([compound]) == [.mine])
    #expect(conversation.facts.hasRTCP && conversation.facts.streams.isEmpty)
    // Several compounds in a datagram, as some senders make them.
    #expect(RTCPDatagram(of: compound + compound) == .clear(sender: 7))
  }

  @Test(arguments: [
    // RFC 4585, 6.3.1: PLI. RFC 4585, 6.2.1: NACK. RFC 3550, 6.6: BYE, 6.4.2: an empty RR, 6.7: APP.
    "81ce00020000000700000008", "81cd0003000000070000000800010000", "81cb000100000007", "80c9000100000007",
    "80cc0003000000074142434401020304",
  ])
  func reducedSizesAreKnown(hex: String) {
    #expect(RTCPDatagram(of: Sample.hex(hex)) == .clear(sender: 7))
  }

  @Test(arguments: [
    // A length that is not the datagram's, a report with a block too few, APP without letters, SDES beyond its end.
    "80c9000200000007", "81c9000100000007", "80cc0003000000070001020301020304", "81ca0002000000070150616263646566",
    "80e0000100000007",
  ])
  func inconsistentOnesAreNone(hex: String) {
    #expect(RTCPDatagram(of: Sample.hex(hex)) == .none)
  }

  @Test func coveredOnesNeedASecond() {
    // RFC 3711, section 3.4: the report's header in clear, then the rest, the index and a tag of 10 bytes.
    func covered(_ index: UInt8, ssrc: UInt32 = 9) -> [UInt8] {
      RTPSample.receiverReport(ssrc) + [UInt8](repeating: 0xc3 ^ index, count: 24) + [0x80, 0, 0, index]
        + [UInt8](repeating: 0x77, count: 10)
    }
    #expect(RTCPDatagram(of: covered(1)) == .covered(sender: 9))
    var conversation = RTPConversation()
    #expect(conversation.feed([covered(1), covered(2)]) == [.undecided, .mine])
    var others = RTPConversation()
    #expect(others.feed([covered(1, ssrc: 1), covered(2, ssrc: 2)]) == [.undecided, .undecided])
    // A source of RTP on the same port counts like a second.
    var mixed = RTPConversation()
    #expect(mixed.feed([RTPSample.packet(1, timestamp: 5, ssrc: 9), covered(1)]) == [.undecided, .mine])
  }

  @Test func randomDatagramsAreSeldomRTCP() {
    var random = SeededRandom(11)
    var clear = 0
    for _ in 0..<50_000 {
      var bytes = (0..<Int.random(in: 4...120, using: &random)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      bytes[0] = 0x80 | bytes[0] & 0x1f
      bytes[1] = 200 + bytes[1] % 8
      if case .clear = RTCPDatagram(of: bytes) { clear += 1 }
    }
    // Even with a header that is right, a random length fills the datagram once in some 40,000.
    #expect(clear < 8)
  }

  @Test func everyCutIsReadOrRefused() {
    for count in 0..<compound.count {
      let cut = Array(compound.prefix(count))
      let isWhole = [76, 76 + 28].contains(count)
      #expect((RTCPDatagram(of: cut) == .clear(sender: 7)) == isWhole, "\(count)")
    }
  }
}
