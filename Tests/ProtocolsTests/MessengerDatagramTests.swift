import Bytes
import TestSupport
import Testing

@testable import Protocols

@Suite struct MessengerDatagramTests {
  @Test(arguments: MessengerSample.talks)
  func talksAreRecognized(talk: MessengerSample.Talk) throws {
    let (_, first) = try #require(talk.datagrams.first)
    let side = talk.datagrams[0].0
    let canBegin = MessengerConversation.canBegin(
      first.rawSpan, from: side, serverPort: talk.port, clientPort: 50_000, ordinal: 0)
    #expect(canBegin)
    var conversation = MessengerConversation(serverPort: talk.port, clientPort: 50_000)
    for (side, datagram) in talk.datagrams {
      let reading = conversation.take(datagram, from: side)
      #expect(reading == .mine || reading == .done)
    }
    #expect(conversation.signature?.messenger == talk.messenger)
    #expect(conversation.signature?.strength == talk.strength)
    #expect(conversation.mediaOffset == talk.mediaOffset)
    #expect(conversation.revision >= 1 && conversation.revision <= 2)
  }

  /// Every datagram cut at every byte: no claim with an offset behind the end, and nothing stops.
  @Test(arguments: MessengerSample.talks)
  func cutsStayInside(talk: MessengerSample.Talk) {
    for (side, datagram) in talk.datagrams {
      for count in 0..<datagram.count {
        let cut = Array(datagram.prefix(count))
        let seen = MessengerSignature.of(datagram: cut, from: side, port: talk.port)
        #expect((seen?.mediaOffset ?? 0) <= count)
        var conversation = MessengerConversation(serverPort: talk.port, clientPort: 50_000)
        _ = conversation.take(cut, from: side)
        #expect((conversation.mediaOffset ?? 0) <= count)
      }
    }
  }

  @Test func whatTheOtherSideDoesNotRepeatStaysWeak() {
    let pairs: [(MessengerProtocol, [UInt8], [UInt8])] = [
      (.mumble, MessengerSample.mumblePing, Sample.hex("00010500 ffffffffffffffff 00000003 00000064 00011940")),
      (.viberCall, MessengerSample.viberProbe, Sample.hex("0000 1a00") + MessengerSample.random(16)),
      (.zoom, MessengerSample.zoomRequest, Sample.hex("020003") + MessengerSample.random(32, seed: 77)),
      (.oicq, MessengerSample.oicq, Sample.hex("02 3b0b 0017 0017 561f0c7c") + MessengerSample.random(30) + [3]),
    ]
    for (messenger, question, answer) in pairs {
      var conversation = MessengerConversation(serverPort: 44_000, clientPort: 50_000)
      _ = conversation.take(question, from: .client)
      _ = conversation.take(answer, from: .server)
      #expect(conversation.signature == .weak(messenger), "\(messenger)")
    }
  }

  @Test func aWeakSignIsDroppedAmongStrangers() {
    var conversation = MessengerConversation(serverPort: 44_000, clientPort: 50_000)
    _ = conversation.take(MessengerSample.viberProbe, from: .client)
    #expect(conversation.signature == .weak(.viberCall))
    for i in 0..<MessengerConversation.maximumStrangers {
      #expect(conversation.take(MessengerSample.random(33, seed: UInt64(i)), from: .server) == .notMine)
    }
    #expect(conversation.signature == nil)
    let hello = MessengerSample.reflectorHello
    let after = conversation.signature(after: hello.rawSpan, from: .client)
    #expect(after == .sure(.telegramReflector))
  }

  @Test func mediaBesideASureProtocolIsLeftToOthers() {
    var conversation = MessengerConversation(serverPort: 50_004, clientPort: 50_000)
    #expect(conversation.take(MessengerSample.discovery(1), from: .client) == .done)
    #expect(conversation.take(MessengerSample.rtp(1), from: .client) == .notMine)
    #expect(conversation.signature == .sure(.discord))
  }

  /// Silence in G.711 is a row of ff (RFC 3551, section 4.5.14), which a reflector's hello has too.
  @Test func silenceIsNoReflector() {
    for count in [20, 28, 80, 160, 240] {
      let datagram = Sample.hex("80 00 1234 00000000 12345678") + MessengerSample.filler(count, 0xff)
      #expect(MessengerSignature.of(datagram: datagram, port: 4000)?.strength != .sure, "\(count) bytes")
      var conversation = MessengerConversation(serverPort: 4000, clientPort: 50_000)
      for _ in 0..<3 { _ = conversation.take(datagram, from: .client) }
      #expect(conversation.signature?.strength != .sure || count == 20)
    }
  }

  /// DNS, QUIC, STUN, DTLS, RTP, NTP, WireGuard and BitTorrent, as their standards have them.
  @Test(arguments: [
    "1234 0100 0001 0000 0000 0000 07 6578616d706c65 03 636f6d 00 0001 0001",
    "1234 8180 0001 0001 0000 0000 07 6578616d706c65 03 636f6d 00 0001 0001",
    "c3 00000001 08 0001020304050607 08 0001020304050607 00 449e" + "aabbccddeeff00112233445566778899",
    "d3 6b3343cf 08 0001020304050607 08 0001020304050607 00 449e" + "aabbccddeeff00112233445566778899",
    "0001 0008 2112a442 000102030405060708090a0b 80 22 0004 74657374",
    "16 fefd 0000 000000000000 0030 01 000024 0000 000000 000024 fefd 00010203040506",
    "80 00 0001 00000001 12345678 d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5",
    "80 c8 0006 12345678 0000000000000000 00000000 00000001 00000010",
    "23 00 06 ec 00000000 00000000 00000000 0000000000000000 0000000000000000 0000000000000000 e000000000000000",
    "01 000000 11223344 aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899",
    "00000417 27101980 00000000 11223344", "64313a6164323a696432303a6162636465666768696a",
    "1100 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000",
  ])
  func standardsAreNotTaken(text: String) {
    let datagram = Sample.hex(text)
    for port: UInt16 in [53, 443, 3478, 40_000] {
      let seen = MessengerSignature.of(datagram: datagram, from: .client, port: port)
      #expect(seen == nil, "\(text)")
    }
  }

  @Test func randomDatagramsAreNeverSure() {
    var random = SeededRandom(11)
    for _ in 0..<3000 {
      var conversation = MessengerConversation(serverPort: 44_000, clientPort: 50_000)
      for _ in 0..<8 {
        let bytes = (0..<Int.random(in: 1...90, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        _ = conversation.take(bytes, from: Bool.random(using: &random) ? .client : .server)
        #expect(conversation.signature?.strength != .sure, "\(bytes.hex)")
      }
    }
  }

  @Test func namesAreDistinct() {
    #expect(Set(MessengerProtocol.allCases.map(\.application)).count == MessengerProtocol.allCases.count)
  }
}
