import Bytes
import QUICKeys
import TestSupport
import Testing

@testable import Protocols

/// QUIC connections built here (synthetic), really protected, and read again.
@Suite struct QUICTests {
  private let client = QUICBuilder()
  private let serverID: [UInt8] = [0x5e, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07]

  private func isRead(_ conversation: QUICConversation, _ name: String) {
    let tls = conversation.tls
    #expect(tls?.serverName == name)
    #expect(tls?.alpn == ["h3"])
    #expect(tls?.supportedVersions == [0x304])
    #expect(tls?.ja3 == nil)
    #expect(tls?.ja4?.hasPrefix("q13d0206h3_") == true)
    #expect(conversation.facts.transportParameters == [0x01, 0x20, 0x3129, 0x04])
    #expect(conversation.facts.maximumIdleTimeout == 30_000)
    #expect(conversation.facts.maximumDatagramFrameSize == 65_536)
    #expect(conversation.facts.userAgent == "Test/01")
  }

  /// RFC 9001, appendix A.2 and A.3, as a connection.
  @Test func readsTheRFCsOwnConnection() {
    var conversation = QUICConversation()
    #expect(QUICConversation.canBegin(RFC9001.client))
    #expect(conversation.feed(RFC9001.client) == .mine)
    #expect(conversation.tls?.serverName == "example.com")
    #expect(conversation.tls?.alpn == ["alpn"])
    #expect(conversation.facts.version == 1)
    #expect(
      conversation.facts.transportParameters == [0x04, 0x05, 0x07, 0x08, 0x01, 0x09, 0x0f, 0x06])
    #expect(conversation.facts.maximumIdleTimeout == 30_000)
    #expect(conversation.feed(RFC9001.server, from: .server) == .done)
    #expect(conversation.tls?.version == 0x0304)
    #expect(conversation.connectionIDs.client == QUICConnectionID())
    #expect(conversation.connectionIDs.server?.description == "f067a5502a4262b5")
    #expect(conversation.bufferedBytes == 0 && conversation.notes.isEmpty)
  }

  @Test func readsEveryVersionWithKeys() {
    let versions: [UInt32] = [
      1, 0x6b33_43cf, 0x709a_50c4, 0xff00_0016, 0xff00_0017, 0xff00_001b, 0xff00_001c, 0xff00_001d, 0xff00_0020,
      0xff00_0021, 0xff00_0022, 0xfaceb001, 0xfaceb002, 0xfaceb00e, 0xabcd_0000,
    ]
    for version in versions {
      var client = client
      client.version = QUICVersion(rawValue: version)
      let hello = client.initial(QUICBuilder.crypto(QUICBuilder.hello("v.example"), at: 0), size: 1200)
      #expect(QUICConversation.canBegin(hello))
      var conversation = QUICConversation()
      #expect(conversation.feed(hello) == .mine)
      isRead(conversation, "v.example")
      #expect(conversation.facts.version == version)
    }
    #expect(QUICVersion(rawValue: 0xff00_001d).description == "draft-29")
    #expect(QUICVersion(rawValue: 0x5130_3436).description == "Q046")
    #expect(QUICVersion(rawValue: 0x0000_00ab).description == "0x000000ab")
  }

  /// Any cut, order and overlap of the CRYPTO frames, over any packets and datagrams, says the same.
  @Test(arguments: 0..<40)
  func anyCutSaysTheSame(seed: Int) {
    var random = SeededRandom(UInt64(seed))
    let hello = QUICBuilder.hello("scattered.example", padding: Int.random(in: 0...1800, using: &random))
    var frames: [[UInt8]] = []
    var start = 0
    while start < hello.count {
      let end = min(start + Int.random(in: 40...500, using: &random), hello.count)
      let from = max(0, start - Int.random(in: 0...30, using: &random))
      frames.append(QUICBuilder.crypto(hello[from..<end], at: from))
      start = end
    }
    frames.append(contentsOf: frames.shuffled(using: &random).prefix(2))
    frames.shuffle(using: &random)
    let between: [[UInt8]] = [[], [0], [0, 0, 0], [1], [2, 5, 0, 1, 2, 0, 1], [3, 0x40, 9, 0, 0, 0, 1, 2, 3]]
    var packets: [[UInt8]] = []
    var builder = client
    while !frames.isEmpty {
      var payload: [UInt8] = []
      while let frame = frames.first, payload.count + frame.count < 1100 {
        payload += frame + (between.randomElement(using: &random) ?? [])
        frames.removeFirst()
        if Int.random(in: 0..<4, using: &random) == 0 { break }
      }
      packets.append(builder.initial(payload))
      builder.number += 1
    }
    var conversation = QUICConversation()
    var datagrams = 0
    while !packets.isEmpty {
      let count = Int.random(in: 1...min(3, packets.count), using: &random)
      let before = conversation.tls
      #expect(conversation.feed(packets.prefix(count).flatMap(\.self)) == .mine)
      if before == nil { datagrams += 1 }
      packets.removeFirst(count)
    }
    isRead(conversation, "scattered.example")
    #expect(conversation.facts.closeError == nil)
    #expect(conversation.notes.contains("hello split over \(datagrams) datagrams") || datagrams == 1)
  }

  /// A hello that is whole in one frame says the same, whatever stands around that frame.
  @Test func whatStandsAroundAWholeHelloChangesNothing() {
    let hello = QUICBuilder.hello("alone.example")
    let frame = QUICBuilder.crypto(hello, at: 0)
    var alone = QUICConversation()
    alone.feed(client.initial(frame, size: 1200))
    isRead(alone, "alone.example")
    #expect(alone.facts.helloFrames == 1 && alone.facts.helloDatagrams == 1 && alone.notes.isEmpty)

    let again = QUICBuilder.crypto(hello.prefix(40), at: 0)
    let other = QUICBuilder.crypto([2], at: 0)
    let behind = QUICBuilder.crypto([1, 2, 3], at: hello.count)
    var cases: [(frames: [UInt8], count: UInt8, notes: Int)] = [
      (frame + again, 1, 0), (again + frame, 2, 0), (frame + other, 1, 1), (other + frame, 2, 1),
      (frame + behind, 2, 0), (behind + frame, 2, 1), (QUICBuilder.crypto(hello + [9, 9], at: 0), 1, 0),
      (frame + [2, 0, 0, 0, 0], 1, 0), (frame + [0x55], 1, 1), (QUICBuilder.crypto([], at: 0) + frame, 1, 0),
    ]
    cases += (0..<20).map { ([UInt8](repeating: 0, count: $0) + frame + [1], 1, 0) }
    for (index, item) in cases.enumerated() {
      var conversation = QUICConversation()
      conversation.feed(client.initial(item.frames, size: 1200))
      // Where the first byte is another message's, nothing is read.
      #expect(conversation.tls == (index == 3 ? nil : alone.tls), "case \(index)")
      #expect(conversation.facts.helloFrames == (index == 3 ? 0 : item.count), "case \(index)")
      #expect(conversation.notes.count == (index == 3 ? 1 : item.notes), "case \(index): \(conversation.notes)")
    }
  }

  /// Of the server only the header is read, behind the client's whole hello: it ends the reading.
  @Test func theServersAnswerEndsTheReading() {
    var conversation = QUICConversation()
    conversation.feed(client.initial(QUICBuilder.crypto(QUICBuilder.hello("a.example"), at: 0), size: 1200))
    #expect(!conversation.isDone && conversation.bufferedBytes == 0)
    let server = client.server(serverID)
    let answer = server.initial(QUICBuilder.crypto(Sample.serverHello(isTLS13: true), at: 0)) + server.handshake()
    #expect(conversation.feed(answer, from: .server) == .done)
    #expect(conversation.isDone && conversation.tls?.cipherSuite == nil)
    #expect(conversation.connectionIDs.client?.bytes == client.source)
    #expect(conversation.connectionIDs.server?.bytes == serverID)
  }

  /// The server has answered the hello's first part, and the client writes to its connection ID with the old keys.
  @Test func theClientGoesOnToTheServersConnectionID() {
    let hello = QUICBuilder.hello("two.example", padding: 1500)
    var conversation = QUICConversation()
    conversation.feed(client.initial(QUICBuilder.crypto(hello.prefix(1000), at: 0), size: 1200))
    conversation.feed(client.server(serverID).initial([2, 0, 0, 0, 0], size: 100), from: .server)
    var later = client
    later.destination = serverID
    #expect(conversation.feed(later.initial(QUICBuilder.crypto(hello.dropFirst(1000), at: 1000))) == .mine)
    isRead(conversation, "two.example")
    #expect(conversation.notes == ["hello split over 2 datagrams"])
    // The same, where the server's packet is not in the capture.
    var deaf = QUICConversation()
    deaf.feed(client.initial(QUICBuilder.crypto(hello.prefix(1000), at: 0), size: 1200))
    deaf.feed(later.initial(QUICBuilder.crypto(hello.dropFirst(1000), at: 1000)))
    isRead(deaf, "two.example")
  }

  /// Keys follow from the Retry's connection ID from there on, whether the hello was whole before or not.
  @Test(arguments: [true, false])
  func aRetryChangesTheKeys(isWhole: Bool) {
    let retryID: [UInt8] = [0x2e, 0x72, 0x21, 0x99]
    let hello = QUICBuilder.hello("retry.example", padding: 900)
    var conversation = QUICConversation()
    let first = isWhole ? hello : Array(hello.prefix(500))
    conversation.feed(client.initial(QUICBuilder.crypto(first, at: 0), size: 1200))
    #expect((conversation.tls != nil) == isWhole)
    conversation.feed(client.server(retryID).retry(token: [1, 2, 3, 4]), from: .server)
    #expect(conversation.facts.hasRetry)
    var again = client
    again.keyID = retryID
    again.destination = retryID
    again.token = [1, 2, 3, 4]
    #expect(conversation.feed(again.initial(QUICBuilder.crypto(hello, at: 0), size: 1400)) == .mine)
    isRead(conversation, "retry.example")
    let server = again.server(serverID)
    let answer = server.initial(QUICBuilder.crypto(Sample.serverHello(isTLS13: true), at: 0))
    #expect(conversation.feed(answer, from: .server) == .done)
  }

  /// RFC 9000, section 6: a version nobody has, what the server offers, and a new beginning.
  @Test func versionNegotiationIsSeen() {
    var greased = client
    greased.version = QUICVersion(rawValue: 0x1a2a_3a4a)
    greased.protection = .t050
    let first = greased.initial(QUICBuilder.crypto(QUICBuilder.hello("vn.example"), at: 0), size: 1200)
    #expect(QUICConversation.canBegin(first))
    var conversation = QUICConversation()
    #expect(conversation.feed(first) == .mine)
    let offer = greased.server(greased.destination).negotiation([0xff00_001d, 1, 0x7a8a_9aaa])
    #expect(QUICConversation.canBegin(offer))
    #expect(conversation.feed(offer, from: .server) == .mine)
    #expect(conversation.facts.versionsOffered == [0xff00_001d, 1, 0x7a8a_9aaa])
    var second = client
    second.destination = [9, 8, 7, 6, 5, 4, 3, 2]
    second.keyID = second.destination
    conversation.feed(second.initial(QUICBuilder.crypto(QUICBuilder.hello("vn.example"), at: 0), size: 1200))
    isRead(conversation, "vn.example")
    #expect(conversation.facts.version == 0x1a2a_3a4a && conversation.facts.selectedVersion == 1)
  }

  /// RFC 9368, section 2.3: the server goes on in version 2, with keys from the same connection ID.
  @Test func compatibleVersionChangeIsSeen() {
    let hello = QUICBuilder.hello("v2.example", padding: 1500)
    var conversation = QUICConversation()
    conversation.feed(client.initial(QUICBuilder.crypto(hello.prefix(1000), at: 0), size: 1200))
    var server = client.server(serverID)
    server.version = .v2
    #expect(conversation.feed(server.initial([2, 0, 0, 0, 0], size: 100), from: .server) == .mine)
    var second = client
    second.version = .v2
    second.destination = serverID
    conversation.feed(second.initial(QUICBuilder.crypto(hello.dropFirst(1000), at: 1000)))
    isRead(conversation, "v2.example")
    #expect(conversation.facts.version == 1 && conversation.facts.selectedVersion == QUICVersion.v2.rawValue)
    let answer = server.initial(QUICBuilder.crypto(Sample.serverHello(isTLS13: true), at: 0))
    #expect(conversation.feed(answer, from: .server) == .done)
  }

  /// Two connections on the same ports: the first one's hello counts, and its parts are not mixed with the other's.
  @Test func theFirstOfTwoConnectionsCounts() {
    let hello = QUICBuilder.hello("first.example", padding: 1500)
    var other = client
    other.destination = [1, 1, 1, 1, 1, 1, 1, 1]
    other.keyID = other.destination
    var conversation = QUICConversation()
    conversation.feed(client.initial(QUICBuilder.crypto(hello.prefix(1000), at: 0), size: 1200))
    conversation.feed(other.initial(QUICBuilder.crypto(QUICBuilder.hello("x").prefix(100), at: 0), size: 1200))
    conversation.feed(client.initial(QUICBuilder.crypto(hello.dropFirst(1000), at: 1000), size: 1200))
    isRead(conversation, "first.example")
    conversation.feed(other.initial(QUICBuilder.crypto(QUICBuilder.hello("second.example"), at: 0), size: 1200))
    isRead(conversation, "first.example")
    #expect(!conversation.notes.contains { $0.contains("contradict") })
  }

  /// The side that was taken for the server sent the hello.
  @Test func sidesMayBeReversed() {
    var conversation = QUICConversation()
    let late = client.server(serverID).initial([2, 0, 0, 0, 0], size: 100)
    #expect(conversation.feed(late, from: .client) == .broken)
    conversation.feed(
      client.initial(QUICBuilder.crypto(QUICBuilder.hello("r.example"), at: 0), size: 1200), from: .server)
    isRead(conversation, "r.example")
    #expect(conversation.clientSide == .server)
    #expect(conversation.connectionIDs.client?.bytes == client.source)
  }

  @Test func aFlowJoinedInTheMiddleIsGivenUp() {
    var late = client
    late.destination = serverID
    var conversation = QUICConversation()
    var readings: [DatagramReading] = []
    for _ in 0..<60 { readings.append(conversation.feed(late.initial([1], size: 1200))) }
    #expect(readings.first == .broken && readings.last == .done)
    #expect(conversation.tls == nil && conversation.facts.version == 1 && conversation.bufferedBytes == 0)
  }

  @Test func theServersAnswerIsNotWaitedForForEver() {
    var conversation = QUICConversation()
    conversation.feed(client.initial(QUICBuilder.crypto(QUICBuilder.hello("a.example"), at: 0), size: 1200))
    var readings: [DatagramReading] = []
    for _ in 0..<QUICConversation.maximumDatagramsAfterHello { readings.append(conversation.feed(client.zeroRTT())) }
    #expect(readings.dropLast().allSatisfy { $0 == .mine } && readings.last == .done)
    #expect(conversation.facts.hasZeroRTT)
  }

  @Test func shortHeadersAreKnownByTheirConnectionID() {
    var conversation = QUICConversation()
    let hello = QUICBuilder.hello("a.example", padding: 1500)
    conversation.feed(client.initial(QUICBuilder.crypto(hello.prefix(1000), at: 0), size: 1200))
    #expect(conversation.feed(client.server(serverID).short(), from: .server) == .mine)
    var stranger = client.server(serverID)
    stranger.destination = [0, 0, 0, 0]
    #expect(conversation.feed(stranger.short(), from: .server) == .notMine)
    let stun: [UInt8] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + [UInt8](repeating: 7, count: 30)
    #expect(conversation.feed(stun, from: .server) == .notMine)
    let datagram = client.server(serverID).short()
    let id = QUICPacket.destination(ofShortHeader: datagram.rawSpan, length: 4)
    #expect(id?.bytes == client.source)
  }

  @Test func aCloseAndABrokenFrameAreSaid() {
    var conversation = QUICConversation()
    conversation.feed(client.initial([0x1c, 0x41, 0x78, 6, 2, 0x68, 0x69], size: 1200))
    #expect(conversation.facts.closeError == 0x178)
    #expect(conversation.feed(client.initial([0x08, 1, 2, 3], size: 1200)) == .mine)
    #expect(conversation.notes == ["Initial with a broken frame: bad type at offset 0"])
    conversation.feed(client.initial(QUICBuilder.crypto([2, 0, 0, 1, 9], at: 0), size: 1200))
    #expect(conversation.isDone && conversation.tls == nil)
  }

  @Test func contradictingFramesAreSaid() {
    let hello = QUICBuilder.hello("a.example")
    let wrong = hello.map { $0 ^ 1 }
    var conversation = QUICConversation()
    let frames =
      QUICBuilder.crypto(hello.dropFirst(40), at: 40) + QUICBuilder.crypto(wrong[50..<60], at: 50)
      + QUICBuilder.crypto(hello.prefix(40), at: 0)
    conversation.feed(client.initial(frames, size: 1200))
    isRead(conversation, "a.example")
    #expect(
      conversation.notes == [
        "CRYPTO frames out of order", "CRYPTO frames that contradict each other: the first bytes count",
      ])
  }

  @Test func aDamagedTagIsBroken() {
    var packet = client.initial(QUICBuilder.crypto(QUICBuilder.hello("a.example"), at: 0), size: 1200)
    packet[packet.count - 1] ^= 1
    var conversation = QUICConversation()
    #expect(QUICConversation.canBegin(packet))
    #expect(conversation.feed(packet) == .broken)
    #expect(conversation.tls == nil)
    #expect(conversation.feed(Array(packet.prefix(700))) == .broken)
  }

  /// A capture that holds less than the datagram: the version and nothing else.
  @Test func aCutPacketSaysItsVersion() {
    let packet = client.initial(QUICBuilder.crypto(QUICBuilder.hello("a.example"), at: 0), size: 1200)
    let cut = Array(packet.prefix(96))
    #expect(!QUICConversation.canBegin(cut))
    #expect(QUICConversation.canBegin(cut, isCut: true))
    var conversation = QUICConversation()
    #expect(conversation.feed(cut, isCut: true) == .mine)
    #expect(conversation.facts.version == 1 && conversation.tls == nil)
  }

  @Test func transportParametersOfEarlyDraftsAreRead() {
    let value: [UInt8] = [0, 12, 0, 1, 0, 4, 0x80, 0, 0x75, 0x30, 0, 0x20, 0, 0]
    let parameters = QUICTransportParameters(value.rawSpan)
    #expect(parameters.identifiers == [1, 0x20])
    #expect(parameters.maximumIdleTimeout == 30_000)
    let cut = QUICTransportParameters(value.rawSpan.slice(0, 13))
    #expect(cut.maximumIdleTimeout == nil)
  }
}
