import Bytes
import TestSupport
import Testing

@testable import Protocols

/// Messages of RFC 5769, the figures of the RFCs, and hand-made ones of the vendors.
@Suite struct STUNTests {
  // RFC 5769, sections 2.1 to 2.4.
  static let request = Sample.hex(
    """
    000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151
    263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf
    """)
  static let responseV4 = Sample.hex(
    """
    0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599fd
    9e90c38c7489f92af9ba53f06be7d780280004c07d4c96
    """)
  static let responseV6 = Sample.hex(
    """
    010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5be
    d2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c
    """)
  static let longTermRequest = Sample.hex(
    """
    000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b900000015001c662f2f3439396b3935
    3464364f4c33346f4c39465354767936347341001400 0b6578616d706c652e6f726700000800 14f67024656dd64a3e02b8e0712e85c9a28ca8
    9666
    """)

  /// Synthetic: an attribute with its padding.
  static func attribute(_ type: Int, _ value: [UInt8]) -> [UInt8] {
    Sample.u16(type) + Sample.u16(value.count) + value + [UInt8](repeating: 0, count: -value.count & 3)
  }

  /// Synthetic: a message.
  static func message(_ type: Int, _ attributes: [UInt8], cookie: UInt32 = 0x2112_a442, id: UInt8 = 9) -> [UInt8] {
    Sample.u16(type) + Sample.u16(attributes.count) + PacketBuilder.u32(cookie)
      + [UInt8](repeating: id, count: 12) + attributes
  }

  static func canBegin(_ datagram: [UInt8]) -> Bool { STUNConversation.canBegin(datagram.rawSpan) }

  static func read(_ datagrams: [UInt8]..., from side: FlowSide = .client) -> STUNConversation {
    var conversation = STUNConversation()
    for datagram in datagrams { _ = conversation.consume(datagram.rawSpan, from: side) }
    return conversation
  }

  @Test func rfc5769Request() {
    let read = Self.read(Self.request)
    #expect(Self.canBegin(Self.request))
    #expect(read.isSure && !read.facts.isClassic)
    #expect(read.facts.software == "STUN test client")
    #expect(read.facts.attributes == [0x8022, 0x0024, 0x8029, 0x0006, 0x0008, 0x8028])
    #expect(read.facts.hasICE && !read.facts.hasTURN)
    #expect(read.facts.hasFingerprint)
    #expect(read.facts.messageTypes == [1])
  }

  @Test func rfc5769Responses() throws {
    let v4 = Self.read(Self.responseV4, from: .server)
    #expect(v4.facts.mapped?.description == "192.0.2.1:32853")
    #expect(v4.facts.software == "test vector")
    #expect(v4.facts.hasFingerprint)
    let v6 = Self.read(Self.responseV6, from: .server)
    #expect(v6.facts.mapped?.description == "[2001:db8:1234:5678:11:2233:4455:6677]:32853")
    #expect(v6.facts.hasFingerprint)
  }

  @Test func rfc5769LongTermRequest() {
    let read = Self.read(Self.longTermRequest)
    #expect(read.facts.realm == "example.org")
    #expect(read.facts.attributes == [0x0006, 0x0015, 0x0014, 0x0008])
    #expect(!read.facts.hasFingerprint && read.isSure)
  }

  @Test func aFingerprintFitsOnlyItsOwnBytes() throws {
    for index in Self.responseV4.indices where index < 2 || index > 7 {
      var bytes = Self.responseV4
      bytes[index] ^= 1
      guard let message = try? STUNMessage(parsing: bytes.rawSpan) else { continue }
      let fits = message.hasValidFingerprint
      #expect(!fits, "byte \(index)")
    }
  }

  @Test(arguments: [
    (0x0001, 1, STUNMessageType.Class.request), (0x0101, 1, .success), (0x0111, 1, .error), (0x0011, 1, .indication),
    (0x0003, 3, .request), (0x0113, 3, .error), (0x0016, 6, .indication), (0x0017, 7, .indication),
    (0x0009, 9, .request), (0x0080, 0x40, .request), (0x3eef, 0xfff, .request),
  ])
  func typesHoldMethodAndClass(_ type: Int, _ method: Int, _ messageClass: STUNMessageType.Class) throws {
    let value = STUNMessageType(rawValue: UInt16(type))
    #expect(value.method == UInt16(method))
    #expect(value.messageClass == messageClass)
    #expect(STUNMessageType(method: UInt16(method), messageClass) == value)
  }

  @Test func anAllocationAnnouncesItsAddresses() {
    // 192.0.2.15:9000 and 203.0.113.5:50000, masked by 0x2112a442.
    let relayed = Self.attribute(0x0016, [0, 1, 0x23 ^ 0x21, 0x28 ^ 0x12, 192 ^ 0x21, 0x12, 2 ^ 0xa4, 15 ^ 0x42])
    let mapped = Self.attribute(0x0020, [0, 1, 0xc3 ^ 0x21, 0x50 ^ 0x12, 203 ^ 0x21, 0x12, 113 ^ 0xa4, 5 ^ 0x42])
    let peer = Self.attribute(0x0012, [0, 1, 0x21, 0x12 ^ 0x50, 198 ^ 0x21, 51 ^ 0x12, 100 ^ 0xa4, 7 ^ 0x42])
    var read = Self.read(Self.message(0x0103, relayed + mapped), Self.message(0x0008, peer))
    #expect(read.facts.hasTURN && !read.facts.hasICE)
    #expect(read.facts.relayed?.description == "192.0.2.15:9000")
    #expect(read.facts.mapped?.description == "203.0.113.5:50000")
    #expect(read.facts.peers.map(\.description) == ["198.51.100.7:80"])
    let announced = read.takeAnnouncements()
    #expect(announced.map(\.source) == [.turnAllocation, .candidate, .turnPeer])
    #expect(read.takeAnnouncements().isEmpty)
    _ = read.consume(Self.message(0x0008, peer).rawSpan, from: .client)
    #expect(read.takeAnnouncements().isEmpty, "each once")
  }

  @Test func announcementsAreCapped() {
    var read = STUNConversation()
    for port in 1..<200 {
      let peer = Self.attribute(0x0012, [0, 1] + Sample.u16(port ^ 0x2112) + [1, 2, 3, 4])
      _ = read.consume(Self.message(0x0008, peer).rawSpan, from: .client)
    }
    #expect(read.takeAnnouncements().count == STUNConversation.maximumAnnouncements)
    #expect(read.facts.peers.count == STUNFacts.maximumPeers)
  }

  @Test func dataThroughARelayIsHandedBack() throws {
    let inside: [UInt8] = [0x80, 0x60, 1, 2, 3]
    let peer = Self.attribute(0x0012, [0, 1, 0x21, 0x12 ^ 0x50, 198 ^ 0x21, 51 ^ 0x12, 100 ^ 0xa4, 7 ^ 0x42])
    let bytes = Self.message(0x0016, peer + Self.attribute(0x0013, inside))
    let read = Self.read(bytes)
    let range = try #require(read.inner)
    #expect(Array(bytes[range]) == inside)
    #expect(read.innerPeer?.description == "198.51.100.7:80")
  }

  @Test func channelDataNeedsARelay() throws {
    let media: [UInt8] = [0x80, 0x60] + [UInt8](repeating: 7, count: 28)
    let data = Sample.u16(0x4001) + Sample.u16(media.count) + media
    var read = Self.read(Self.message(0x0003, []))
    #expect(read.take(data, .client) == .mine)
    #expect(read.inner == 4..<34 && read.facts.hasChannelData)
    // Padding behind the data is allowed over UDP too.
    #expect(read.take((data + [0, 0]), .client) == .mine)
    #expect(read.inner == 4..<34)
    #expect(read.take((data + [0, 0, 0, 0]), .client) == .notMine)

    var unannounced = STUNConversation()
    #expect(Self.canBegin(data))
    #expect(unannounced.take(data, .client) == .undecided)
    #expect(!unannounced.isSure && unannounced.inner == nil)
    #expect(unannounced.take(data, .client) == .mine)
    #expect(unannounced.isSure && unannounced.inner == 4..<34)

    var binding = Self.read(Self.request)
    let other = Sample.u16(0x4001) + Sample.u16(20) + [UInt8](repeating: 0x41, count: 20)
    #expect(binding.take(other, .client) == .notMine, "no relay, and nothing that a relay carries")
  }

  @Test func classicIsSureOnceItIsAnswered() {
    let id: [UInt8] = Array(1...16)
    let request = [0, 1, 0, 0] + id
    let error = Self.attribute(0x0009, [0, 0, 4, 0])
    let response = [1, 0x11, 0, 8] + id + error
    #expect(Self.canBegin(request) && Self.canBegin(response))
    var read = Self.read(request)
    #expect(!read.isSure && read.facts.isClassic)
    var stranger = read
    #expect(stranger.take([1, 0x11, 0, 8] + id.reversed() + error, .server) == .undecided)
    #expect(!stranger.isSure, "another transaction")
    #expect(read.take(response, .client) == .undecided)
    #expect(!read.isSure, "the same side")
    #expect(read.take(response, .server) == .mine)
    #expect(read.isSure)
  }

  /// Attributes whose form RFC 3489 fixes to the bit: an address, CHANGE-REQUEST, MESSAGE-INTEGRITY.
  @Test func classicIsSureByItsAttributes() {
    let id: [UInt8] = Array(1...16)
    let address = Self.read([1, 1, 0, 12] + id + Self.attribute(0x0001, [0, 1, 0x13, 0x88, 192, 0, 2, 9]))
    #expect(address.isSure && address.facts.mapped?.description == "192.0.2.9:5000")
    #expect(Self.read([0, 1, 0, 8] + id + [0, 3, 0, 4, 0, 0, 0, 6]).isSure)
    #expect(!Self.canBegin([0, 1, 0, 8] + id + [0, 3, 0, 4, 0, 0, 0, 1]))
    #expect(!Self.canBegin([1, 1, 0, 12] + id + Self.attribute(0x0001, [0, 3, 0x13, 0x88, 192, 0, 2, 9])))
    #expect(!Self.read([0, 1, 0, 8] + id + Self.attribute(0x0006, [1, 2, 3, 4])).isSure)
  }

  @Test func classicIsStrict() {
    let id: [UInt8] = Array(1...16)
    let bad: [[UInt8]] = [
      [0, 1, 0, 4] + id + [0, 1, 0, 0],  // an address without one
      [0, 1, 0, 8] + id + [0x12, 0x34, 0, 4, 1, 2, 3, 4],  // no attribute of that time
      [0, 1, 0, 8] + id + [0, 6, 0, 8, 1, 2, 3, 4],  // longer than the message
      [0, 1, 0, 5] + id + [0, 6, 0, 1, 9],  // not a multiple of 4
      [0, 1, 0, 4] + id + [0, 6, 0, 0, 9, 9, 9, 9],  // bytes behind it
      [1, 1, 0, 0] + id,  // a response that says nothing
      [0, 5, 0, 0] + id,  // no type of that time
      [0, 1, 0, 0] + id.dropLast(),
    ]
    for bytes in bad {
      #expect(!Self.canBegin(bytes), "\(bytes)")
      var read = STUNConversation()
      #expect(read.take(bytes, .client) == .notMine, "\(bytes)")
    }
  }

  @Test func whatIsNotSTUNIsNotTaken() {
    let strangers: [[UInt8]] = [
      [0x80, 0x60] + [UInt8](repeating: 3, count: 40),  // RTP
      [22, 0xfe, 0xfd] + [UInt8](repeating: 0, count: 40),  // DTLS
      Sample.hex("0001010000010000000000000131013201330134076578616d706c6503636f6d0000010001"),  // DNS
      [0xff, 0x10, 0, 30] + [UInt8](repeating: 1, count: 30),
      [0x40], [], [0, 1],
    ]
    for bytes in strangers {
      #expect(!Self.canBegin(bytes), "\(bytes)")
      var read = Self.read(Self.request)
      #expect(read.take(bytes, .client) == .notMine, "\(bytes)")
    }
  }

  @Test func wrongAttributeLengthsKeepWhatWasRead() {
    let bytes = Self.message(0x0001, Self.attribute(0x8022, Array("x".utf8)) + [0x80, 0x22, 0xff, 0xff, 1, 2, 3, 4])
    let read = Self.read(bytes, bytes)
    #expect(read.isSure && read.facts.software == "x")
    #expect(read.notes == ["STUN message with a damaged attribute"], "once")
    let cut = Self.read(Array(Self.request.prefix(60)))
    #expect(cut.isSure && cut.facts.software == "STUN test client")
    #expect(cut.notes == ["STUN message cut off"])
  }

  /// WhatsApp sends a length that is no multiple of 4, and message types with a body of their own.
  @Test func whatsAppsOwnFormsAreRead() {
    let allocate =
      Sample.u16(0x0003) + Sample.u16(0x6a) + Sample.hex("2112a442") + Array(1...12)
      + Sample.u16(0x4000) + Sample.u16(0x66) + [UInt8](repeating: 0xa9, count: 0x66)
    let own = Self.message(0x0800, Sample.hex("e0aabbcc0102"))
    let read = Self.read(allocate, own)
    #expect(read.facts.messageTypes == [0x0003, 0x0800])
    #expect(read.facts.attributes == [0x4000])
    #expect(read.notes.isEmpty && read.isSure)
  }

  @Test func microsoftsMultiplexedTURN() {
    let session: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
    let wrapped = [0xff, 0x10] + Sample.u16(8 + Self.request.count) + session + Self.request
    #expect(Self.canBegin(wrapped))
    var read = Self.read(wrapped)
    #expect(read.facts.isMultiplexed && read.facts.hasFingerprint)
    let media = [0xff, 0x10] + Sample.u16(8 + 20) + session + [UInt8](repeating: 0x80, count: 20)
    #expect(read.take(media, .server) == .mine)
    #expect(read.inner == 12..<32)
    #expect(!Self.canBegin(media))
  }

  /// [MS-TURN]: the header of RFC 3489, MAGIC-COOKIE as the first attribute, and addresses that are not masked.
  @Test func microsoftsTURN() {
    let cookie = Self.attribute(0x000f, Sample.hex("72c64bc6"))
    let relayed = Self.attribute(0x0001, [0, 1, 0xc0, 0, 192, 0, 2, 30])
    let mapped = Self.attribute(0x8020, [0, 1, 0x13 ^ 0xaa, 0x88 ^ 0xaa, 192 ^ 0xaa, 0xaa, 2 ^ 0xaa, 9 ^ 0xaa])
    let response = Sample.u16(0x0103) + Sample.u16(32) + [UInt8](repeating: 0xaa, count: 16) + cookie + relayed + mapped
    let read = Self.read(response, from: .server)
    #expect(read.isSure && read.facts.isClassic && read.facts.hasTURN)
    #expect(read.facts.relayed?.description == "192.0.2.30:49152")
    #expect(read.facts.mapped?.description == "192.0.2.9:5000")

    let media: [UInt8] = Array(repeating: 0x80, count: 16)
    let peer = Self.attribute(0x0012, [0, 1, 0x13, 0x88, 198, 51, 100, 1])
    let attributes = cookie + peer + Self.attribute(0x0013, media)
    let data = Sample.u16(0x0115) + Sample.u16(attributes.count) + [UInt8](repeating: 0xaa, count: 16) + attributes
    let relay = Self.read(response, data, from: .server)
    #expect(relay.inner.map { Array(data[$0]) } == media)
    #expect(relay.innerPeer?.description == "198.51.100.1:5000")
  }

  /// Teams puts the magic cookie into the header as well, numbers REALM and NONCE the other way, and pads nothing.
  @Test func microsoftsTURNWithTheCookieOfTheRFC() {
    let id = Sample.hex("2112a442") + [UInt8](repeating: 3, count: 12)
    let attributes =
      Sample.hex("000f000472c64bc6") + [0, 9, 0, 5, 0, 0, 4, 1, 0x3f] + [0, 0x14, 0, 3, 1, 2, 3]
      + [0, 0x15, 0, 10] + Array("\"rtcmedia\"".utf8) + [0, 1, 0, 8, 0, 1, 0x0d, 0x98, 192, 0, 2, 30]
      + [0x80, 0x20, 0, 8, 0, 1, 0x13 ^ 0x21, 0x88 ^ 0x12, 192 ^ 0x21, 0x12, 2 ^ 0xa4, 9 ^ 0x42]
    let response = Sample.u16(0x0103) + Sample.u16(attributes.count) + id + attributes
    let read = Self.read(response, from: .server)
    #expect(read.facts.realm == "rtcmedia" && read.notes.isEmpty)
    #expect(read.facts.relayed?.description == "192.0.2.30:3480")
    #expect(read.facts.mapped?.description == "192.0.2.9:5000")
    let refusal = Self.read(Sample.u16(0x0113) + response.dropFirst(2), from: .server)
    #expect(refusal.facts.relayed == nil, "nothing was allocated")
  }

  @Test func gtpIsNoChannelData() {
    // Synthetic: GTPv2-C (3GPP TS 29.274, section 5.1), whose length field counts all but four bytes too.
    let session: [UInt8] = [0x48, 0x20, 0, 24, 0x80, 1, 2, 3, 0, 0, 9, 0] + [UInt8](repeating: 1, count: 16)
    let echo: [UInt8] = [0x40, 0x01, 0, 13, 0, 0, 1, 0, 3, 0, 1, 0, 7] + [255, 0, 0, 0]
    for bytes in [session, echo] {
      #expect(!Self.canBegin(bytes))
      let read = Self.read(bytes, bytes)
      #expect(!read.isSure && read.inner == nil)
    }
  }

  @Test func revisionGrowsOnlyWithNews() {
    var read = STUNConversation()
    var revisions = Set<Int>()
    for _ in 0..<1000 {
      _ = read.consume(Self.request.rawSpan, from: .client)
      revisions.insert(read.revision)
    }
    #expect(read.facts.messages == 1000)
    #expect(revisions.count < 20)
  }
}

/// What FuzzSTUN starts from and what it found, read again.
@Suite struct STUNSeedTests {
  /// Datagrams, each after its length in 15 bits and a bit for the side.
  static func datagrams(_ input: some Collection<UInt8>) -> [(side: FlowSide, bytes: [UInt8])] {
    var rest = Array(input)[...]
    var datagrams: [(side: FlowSide, bytes: [UInt8])] = []
    while rest.count >= 2 {
      let head = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
      let bytes = Array(rest.dropFirst(2).prefix(head & 0x7fff))
      datagrams.append((head & 0x8000 == 0 ? .client : .server, bytes))
      rest = rest.dropFirst(2 + bytes.count)
    }
    return datagrams
  }

  @Test func seedsStayWithinTheirBounds() throws {
    let seeds = try FuzzSeeds.all(of: "STUN")
    #expect(seeds.count >= 14)
    var sure = 0
    var frames = 0
    for (name, input) in seeds {
      guard let kind = input.first else { continue }
      let rest = Array(input.dropFirst())
      if kind & 1 == 0 {
        var read = STUNConversation()
        for (side, bytes) in Self.datagrams(rest) {
          _ = read.take(bytes, side)
          #expect(read.inner.map { $0.upperBound <= bytes.count } ?? true, "\(name)")
        }
        #expect(read.takeAnnouncements().count <= STUNConversation.maximumAnnouncements, "\(name)")
        #expect(read.facts.attributes.count <= STUNFacts.maximumAttributes && read.notes.count <= 2, "\(name)")
        sure += read.isSure ? 1 : 0
      } else {
        let whole = STUNStreamTests.frames(rest, chunk: max(rest.count, 1))
        let pieces = STUNStreamTests.frames(rest, chunk: 1 + Int(kind / 2))
        if whole.isGood, pieces.isGood { #expect(whole.frames == pieces.frames, "\(name): a cut changed the frames") }
        frames += whole.frames.count
      }
    }
    #expect(sure >= 9 && frames >= 12, "seeds that say nothing prove nothing")
  }
}

extension STUNConversation {
  /// Takes a datagram that is an array.
  mutating func take(_ datagram: [UInt8], _ side: FlowSide) -> DatagramReading {
    consume(datagram.rawSpan, from: side)
  }
}
