import Bytes
import QUICKeys
import TestSupport
import Testing

@testable import Protocols

/// Google's own QUIC, built by hand from its wire specification (synthetic).
@Suite struct QUICGoogleTests {
  private static let id: [UInt8] = [0xd1, 0xa3, 0xab, 0xac, 0xf6, 0x1c, 0x6c, 0xd1]
  private static let hash = [UInt8](repeating: 0x99, count: 12)

  private func publicHeader(_ version: String, _ frames: [UInt8], flags: UInt8 = 0x0d) -> [UInt8] {
    let isEarly = version < "Q034"
    return [flags] + Self.id + Array(version.utf8) + [1] + Self.hash + (isEarly ? [0x01] : []) + frames
  }

  private func stream(_ data: [UInt8], isLittle: Bool = false) -> [UInt8] {
    let length = Sample.u16(data.count)
    return [0xa0, 1] + (isLittle ? Array(length.reversed()) : length) + data
  }

  private func isRead(_ conversation: QUICConversation, _ version: String) {
    #expect(conversation.tls?.serverName == "g.example")
    #expect(conversation.tls?.ja4 == nil)
    #expect(conversation.facts.userAgent == "Chrome/1 Test")
    #expect(conversation.facts.version.map { "\(QUICVersion(rawValue: $0))" } == version)
  }

  @Test(arguments: ["Q024", "Q033", "Q034", "Q035", "Q038", "Q039", "Q043"])
  func readsThePublicHeader(version: String) {
    let packet = publicHeader(version, stream(QUICSample.chlo, isLittle: version < "Q039"))
    #expect(QUICConversation.canBegin(packet))
    var conversation = QUICConversation()
    #expect(conversation.feed(packet) == .mine)
    isRead(conversation, version)
    #expect(conversation.feed([0x08] + Self.id + [1] + Self.hash, from: .server) == .done)
  }

  @Test func readsQ046() {
    let head: [UInt8] = [0xc3] + Array("Q046".utf8) + [0x50] + Self.id + [0, 0, 0, 1]
    let packet = head + Self.hash + [0, 7] + stream(QUICSample.chlo)
    #expect(QUICConversation.canBegin(packet))
    var conversation = QUICConversation()
    #expect(conversation.feed(packet) == .mine)
    isRead(conversation, "Q046")
    let answer: [UInt8] = [0xc3] + Array("Q046".utf8) + [0x05] + Self.id + [0, 0, 0, 1] + Self.hash + [0x57, 1, 0, 0]
    #expect(conversation.feed(answer, from: .server) == .done)
  }

  /// Behind an acknowledgment, and in two pieces.
  @Test func readsFramesInFrontAndPieces() {
    let chlo = QUICSample.chlo
    let acknowledgment: [UInt8] = [0x40, 1, 0, 0, 1, 0, 0x60, 9, 0, 0, 1, 2, 1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0x06, 1]
    let first = [0xa0, 1] + Sample.u16(400) + Array(chlo.prefix(400))
    let second = [0xa4, 1] + Sample.u16(400) + Sample.u16(chlo.count - 400) + Array(chlo.dropFirst(400))
    var conversation = QUICConversation()
    conversation.feed(publicHeader("Q043", acknowledgment + first))
    #expect(conversation.tls == nil)
    conversation.feed(publicHeader("Q043", second))
    isRead(conversation, "Q043")
    #expect(conversation.notes == ["hello split over 2 datagrams"])
  }

  @Test func readsQ050AndTLSInT050AndT051() {
    for (number, letter) in [(UInt32(0x5130_3530), "Q050"), (0x5430_3530, "T050"), (0x5430_3531, "T051")] {
      var client = QUICBuilder()
      client.version = QUICVersion(rawValue: number)
      let message = letter == "Q050" ? QUICSample.chlo : QUICBuilder.hello("g.example")
      let frames = [7, 8] + QUICBuilder.integer(0) + QUICBuilder.integer(message.count) + message
      let packet = client.initial(frames, size: 1350)
      #expect(QUICConversation.canBegin(packet))
      var conversation = QUICConversation()
      #expect(conversation.feed(packet) == .mine)
      #expect(conversation.tls?.serverName == "g.example")
      #expect((conversation.tls?.ja4 == nil) == (letter == "Q050"))
      #expect(conversation.facts.version == number)
    }
  }

  @Test func lyingEntriesDoNotTrap() {
    let lies: [[(tag: String, value: [UInt8])]] = [[], [("SNI\0", [])]]
    for lie in lies {
      var conversation = QUICConversation()
      conversation.feed(publicHeader("Q043", stream(QUICSample.chlo(lie))))
      #expect(conversation.tls?.serverName == nil)
    }
    var random = SeededRandom(7)
    let packet = publicHeader("Q043", stream(QUICSample.chlo))
    for _ in 0..<2000 {
      var changed = packet
      for _ in 0..<3 { changed[.random(in: 26..<60, using: &random)] = .random(in: 0...255, using: &random) }
      var conversation = QUICConversation()
      conversation.feed(changed)
      #expect((conversation.tls?.serverName?.utf8.count ?? 0) <= 4 * TLSHandshake.maximumServerNameLength)
    }
  }
}
