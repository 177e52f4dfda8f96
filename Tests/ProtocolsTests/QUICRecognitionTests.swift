import Bytes
import TestSupport
import Testing

@testable import Protocols

/// What may begin a QUIC connection, and what must not pass for one.
@Suite struct QUICRecognitionTests {
  private let client = QUICBuilder()
  private var hello: [UInt8] { client.initial(QUICBuilder.crypto(QUICBuilder.hello("a.example"), at: 0), size: 1200) }

  @Test func everyLongHeaderOfAKnownVersionMayBegin() {
    #expect(QUICConversation.canBegin(hello))
    #expect(QUICConversation.canBegin(client.handshake()))
    #expect(QUICConversation.canBegin(client.zeroRTT()))
    #expect(QUICConversation.canBegin(client.retry(token: [1])))
    #expect(QUICConversation.canBegin(hello + client.zeroRTT()))
  }

  /// Each field that an Initial cannot do without, changed.
  @Test func whatDoesNotFitDoesNotBegin() {
    let packet = hello
    // First byte, version, length of the connection IDs, length of the token, length of the packet.
    let tokenAt = 6 + client.destination.count + 1 + client.source.count
    let changes: [(Int, UInt8)] = [
      (0, 0x40), (0, 0x00), (0, 0x80), (1, 1), (3, 0x40), (4, 2), (5, 21), (5, 255), (tokenAt, 0x7f),
      (tokenAt + 1, 0x44 + 8), (tokenAt + 1, 0x3f), (tokenAt + 1, 0x80),
    ]
    for (index, byte) in changes {
      var changed = packet
      changed[index] = byte
      let begins = QUICConversation.canBegin(changed)
      // A length that is shorter than the packet leaves room for another packet.
      #expect(!begins || changed[index] == 0x3f, "byte \(index) as \(byte)")
    }
    for length in 0..<packet.count { #expect(!QUICConversation.canBegin(Array(packet.prefix(length)))) }
    #expect(!QUICConversation.canBegin(client.short(1200)))
  }

  @Test func versionNegotiationNeedsAKnownVersion() {
    let server = client.server(client.destination)
    #expect(QUICConversation.canBegin(server.negotiation([0x0a0a_0a0a, 1])))
    #expect(!QUICConversation.canBegin(server.negotiation([0x0a0a_0a0a])))
    #expect(!QUICConversation.canBegin(server.negotiation([0x1234_5678, 0])))
    #expect(!QUICConversation.canBegin(server.negotiation([])))
    #expect(!QUICConversation.canBegin(server.negotiation([1]) + [0]))
    #expect(!QUICConversation.canBegin(client.server([1, 2]).negotiation([1, 1])))
    #expect(!QUICConversation.canBegin(server.negotiation([UInt32](repeating: 1, count: 33))))
  }

  @Test func aGreasedVersionNeedsAFirstDatagram() {
    var greased = client
    greased.version = QUICVersion(rawValue: 0x0a1a_2a3a)
    let frames = QUICBuilder.crypto(QUICBuilder.hello("a.example"), at: 0)
    #expect(QUICConversation.canBegin(greased.initial(frames, size: 1200)))
    #expect(!QUICConversation.canBegin(greased.initial(frames, size: 1199)))
    #expect(!QUICConversation.canBegin(greased.handshake(1300)))
    var other = client
    other.version = QUICVersion(rawValue: 0x0a1a_2a3b)
    #expect(!QUICConversation.canBegin(other.initial(frames, size: 1200)))
  }

  /// Synthetic: the first bytes of what else runs over UDP, long enough for any length to fit.
  @Test func othersDoNotBegin() {
    let rest = [UInt8](repeating: 0x11, count: 1200)
    let others: [(String, [UInt8])] = [
      ("RTP", [0x80, 0x60, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]), ("RTP, all zero", [UInt8](repeating: 0, count: 12)),
      ("RTCP", [0x81, 0xc8, 0, 6, 0, 0, 0, 1]), ("STUN", [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]),
      ("TURN channel", [0x40, 0, 0, 0, 1, 8]), ("DTLS", [0x16, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80]),
      ("DNS", [0xc3, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]), ("BitTorrent", [0xc0] + Array("d1:ad2:id20:".utf8)),
      ("Q in another place", [0x0d] + Array("xxxxxxxQ043".utf8)), ("WireGuard", [1, 0, 0, 0, 0, 0, 0, 1]),
    ]
    for (name, first) in others { #expect(!QUICConversation.canBegin(first + rest), "\(name)") }
  }

  /// Random datagrams, also with a long header's first byte and a short version.
  @Test func noiseDoesNotBegin() {
    var random = SeededRandom(20)
    var passed = 0
    for round in 0..<20_000 {
      var noise = (0..<Int.random(in: 1...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      if round % 2 == 0, noise.count > 5 { noise[0] |= 0xc0 }
      if QUICConversation.canBegin(noise) { passed += 1 }
    }
    #expect(passed == 0)
  }

  /// Behind a true first packet anything may come: no trap, and what is kept stays small.
  @Test func noiseBehindAHelloIsGivenUp() {
    var random = SeededRandom(21)
    for _ in 0..<30 {
      var conversation = QUICConversation()
      conversation.feed(client.initial(QUICBuilder.crypto([1, 0, 3, 0], at: 0), size: 1200))
      while !conversation.isDone {
        var noise = hello
        for _ in 0..<Int.random(in: 1...6, using: &random) {
          noise[.random(in: 0..<40, using: &random)] = .random(in: 0...255, using: &random)
        }
        conversation.feed(noise, from: Bool.random(using: &random) ? .client : .server)
        #expect(conversation.bufferedBytes <= 8 * QUICCryptoAssembler.maximumBytes)
      }
      #expect(conversation.bufferedBytes == 0)
    }
  }
}
