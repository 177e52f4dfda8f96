import Bytes
import TestSupport
import Testing

@testable import Protocols

/// Whole UDP flows through the parser that shares them out, all synthetic but for RFC 5769's message.
@Suite struct DatagramParserTests {
  private typealias Flow = [(FlowSide, [UInt8])]

  private static func parser(ports: (client: UInt16, server: UInt16) = (50_000, 40_000)) -> DatagramParser {
    DatagramParser(clientPort: ports.client, serverPort: ports.server)
  }

  private static func canBegin(
    _ datagram: [UInt8], from side: FlowSide = .client, ports: (client: UInt16, server: UInt16) = (50_000, 40_000)
  ) -> Bool {
    DatagramParser.canBegin(
      datagram.rawSpan, from: side, clientPort: ports.client, serverPort: ports.server, isCut: false)
  }

  /// One talker's packets at 20 ms, of a clock of 48 kHz.
  private static func voice(_ sequence: UInt16, ssrc: UInt32) -> [UInt8] {
    RTPSample.packet(sequence, timestamp: UInt32(sequence) &* 960, ssrc: ssrc)
  }

  private static let hello = DTLSTests.record(
    22, DTLSTests.fragment(1, DTLSTests.helloBody(extensions: DTLSTests.extensions), sequence: 0))

  private static let answer = DTLSTests.record(
    22, DTLSTests.fragment(2, DTLSTests.serverHello, sequence: 0))

  /// RFC 7983: all of a call's protocols on one port.
  @Test func aCallOfWebRTCIsReadInAllItsParts() throws {
    var parser = Self.parser()
    let flow: Flow =
      [(.client, STUNTests.request), (.server, STUNTests.responseV4), (.client, Self.hello), (.server, Self.answer)]
      + (0..<12).flatMap { n in
        [(.client, Self.voice(100 + UInt16(n), ssrc: 0xa1)), (.server, Self.voice(900 + UInt16(n), ssrc: 0xb2))]
      }
    #expect(flow.prefix(3).allSatisfy { Self.canBegin($0.1) })
    for (index, (side, datagram)) in flow.enumerated() {
      parser.take(datagram, from: side, at: Int64(index) * 10_000_000)
    }
    let facts = parser.state.facts
    let stun = try #require(facts.stun)
    #expect(stun.hasICE && stun.messages == 2 && stun.mapped?.description == "192.0.2.1:32853")
    #expect(facts.dtls?.srtpProfiles == [7, 1] && facts.dtls?.srtpProfile == 7)
    // FoxIO's algorithm with hashes by coreutils, as in `DTLSTests`.
    #expect(facts.tls?.ja4 == "dd2d0205wc_b6f57f3be927_16c6883a4073")
    #expect(facts.tls?.serverName == "call.example.test")
    let rtp = try #require(facts.rtp)
    #expect(Set(rtp.streams.map(\.ssrc)) == [0xa1, 0xb2])
    #expect(rtp.streams.first { $0.ssrc == 0xa1 }?.side == .client)
    #expect(rtp.encapsulation == nil && facts.quic == nil && facts.call == nil)
    #expect(facts.application == .dtls && facts.upgradedFrom == .stun)
    let announced = parser.takeAnnouncements()
    #expect(announced.map(\.endpoint.description).contains("192.0.2.1:32853"))
    #expect(parser.takeAnnouncements().isEmpty)
  }

  /// Whichever comes first, the flow holds the same.
  @Test func theOrderOfACallsProtocolsDoesNotMatter() {
    let media: Flow = (0..<8).map { (.client, Self.voice(UInt16($0), ssrc: 0xa1)) }
    let handshake: Flow = [(.client, Self.hello), (.server, Self.answer)]
    let checks: Flow = [(.client, STUNTests.request), (.server, STUNTests.responseV4)]
    for flow in [media + handshake + checks, handshake + checks + media, checks + media + handshake] {
      var parser = Self.parser()
      for (side, datagram) in flow { parser.take(datagram, from: side) }
      let facts = parser.state.facts
      #expect(facts.rtp?.streams.map(\.ssrc) == [0xa1])
      #expect(facts.stun?.hasICE == true && facts.dtls?.srtpProfiles == [7, 1])
      #expect(facts.tls?.serverName == "call.example.test")
      #expect(facts.application == .dtls)
    }
  }

  /// RFC 8656, section 12: media in a channel of a relay.
  @Test func mediaInAChannelOfARelayIsRead() throws {
    var parser = Self.parser(ports: (50_000, 3478))
    // XOR-PEER-ADDRESS 198.51.100.7:80, masked by 0x2112a442, and CHANNEL-NUMBER 0x4001.
    let peer = STUNTests.attribute(0x0012, [0, 1, 0x21, 0x12 ^ 0x50, 198 ^ 0x21, 51 ^ 0x12, 100 ^ 0xa4, 7 ^ 0x42])
    let bind = STUNTests.message(0x0009, STUNTests.attribute(0x000c, [0x40, 1, 0, 0]) + peer)
    parser.take(bind, from: .client)
    parser.take(STUNTests.message(0x0109, []), from: .server)
    for n in 0..<10 {
      let media = Self.voice(UInt16(n), ssrc: 0xc3)
      parser.take(
        (Sample.u16(0x4001) + Sample.u16(media.count) + media), from: .client,
        at: Int64(n) * 20_000_000)
    }
    let facts = parser.state.facts
    #expect(facts.stun?.hasTURN == true && facts.stun?.hasChannelData == true)
    #expect(facts.stun?.peers.map(\.description) == ["198.51.100.7:80"])
    let rtp = try #require(facts.rtp)
    #expect(rtp.encapsulation == "turn" && rtp.streams.map(\.ssrc) == [0xc3])
    #expect(facts.application == .rtp && facts.upgradedFrom == .stun)
    #expect(parser.takeAnnouncements().contains { $0.source == .turnPeer && $0.endpoint.port == 80 })
  }

  /// RFC 3261, section 24.2: the call is read from its invitation to its end, and further calls after it.
  @Test func aCallOfSIPIsReadOn() throws {
    var parser = Self.parser(ports: (5060, 5060))
    parser.take(SIPSample.invite, from: .client)
    let call = try #require(parser.state.facts.call)
    #expect(call.callID == "a84b4c76e66710" && call.callerSide == .client)
    #expect(call.caller?.contains("alice@atlanta.com") == true && call.callee?.contains("bob@biloxi.com") == true)
    #expect(call.userAgent == "Example Phone/1.0")
    #expect(shown(parser.takeAnnouncements()).contains("192.0.2.33:49170 audio"))
    parser.take(SIPSample.ok, from: .server)
    #expect(shown(parser.takeAnnouncements()).contains("192.0.2.4:3456 audio"))
    #expect(parser.state.facts.call?.media == ["audio"])
    // Keep-alives and more of what is known do not end the reading, as they would of other protocols.
    for _ in 0..<(2 * DatagramParser.maximumUndecidedDatagrams) {
      parser.take(SIPSample.ok, from: .server)
    }
    parser.take(SIPSample.bye, from: .server)
    #expect(parser.state.wantsMore)
    #expect(parser.state.facts.application == .sip)
    #expect(parser.state.facts.call?.methods.contains("BYE") == true)
    let second = String(decoding: SIPSample.invite, as: UTF8.self)
      .replacing("a84b4c76e66710", with: "b95c5d87f77821").replacing("49170", with: "49180")
    parser.take(Array(second.utf8), from: .client)
    #expect(shown(parser.takeAnnouncements()).contains("192.0.2.33:49180 audio"))
  }

  @Test func aConnectionOfQUICEndsWithTheServersAnswer() throws {
    let client = QUICBuilder()
    let serverID: [UInt8] = [0x5e, 1, 2, 3, 4, 5, 6, 7]
    let server = client.server(serverID)
    var parser = Self.parser(ports: (50_000, 443))
    let first = client.initial(QUICBuilder.crypto(QUICBuilder.hello("quic.example"), at: 0), size: 1200)
    #expect(Self.canBegin(first, ports: (50_000, 443)))
    parser.take(first, from: .client)
    var state = parser.state
    #expect(state.facts.tls?.serverName == "quic.example" && state.facts.tls?.alpn == ["h3"])
    #expect(state.facts.tls?.ja4?.hasPrefix("q13d0206h3_") == true)
    #expect(state.facts.quic?.version == 1 && state.wantsMore)
    parser.take(
      (server.initial(QUICBuilder.crypto(Sample.serverHello(isTLS13: true), at: 0)) + server.handshake()), from: .server
    )
    state = parser.state
    #expect(!state.wantsMore && state.bufferedBytes == 0)
    #expect(state.facts.application == .quic && state.facts.upgradedFrom == nil)
    #expect(parser.connectionIDs.server?.bytes == serverID)
  }

  @Test(arguments: 0..<40)
  func noiseIsGivenUp(seed: Int) {
    var random = SeededRandom(UInt64(seed))
    var parser = Self.parser()
    var datagrams = 0
    while parser.wantsMore, datagrams < 10 * DatagramParser.maximumUndecidedDatagrams {
      let bytes = (0..<Int.random(in: 1...1400, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      parser.take(bytes, from: Bool.random(using: &random) ? .client : .server)
      datagrams += 1
    }
    let state = parser.state
    #expect(!state.wantsMore && datagrams <= DatagramParser.maximumUndecidedDatagrams)
    #expect(state.bufferedBytes == 0 && state.facts.application == nil)
    #expect(state.facts.stun == nil && state.facts.dtls == nil && state.facts.rtp == nil && state.facts.tls == nil)
    let before = state.facts
    parser.take(STUNTests.request, from: .client)
    #expect(parser.state.facts == before, "what has been given up is not taken up again")
  }

  /// Noise behind the first byte of each protocol that shares a port, and whole messages with bytes changed: whatever
  /// is made of it, little is kept and nothing traps.
  @Test(arguments: 0..<40)
  func damagedMessagesDoNoHarm(seed: Int) {
    var random = SeededRandom(UInt64(1000 + seed))
    let first = QUICBuilder().initial(QUICBuilder.crypto(QUICBuilder.hello("quic.example"), at: 0), size: 1200)
    let whole = [
      STUNTests.request, STUNTests.responseV4, Self.hello, Self.answer, SIPSample.invite, SIPSample.ok, first,
      Self.voice(1, ssrc: 7), RTPSample.senderReport(7),
    ]
    var parser = Self.parser(ports: (5060, 3478))
    for _ in 0..<200 {
      guard var bytes = whole.randomElement(using: &random) else { continue }
      for _ in 0..<Int.random(in: 0...6, using: &random) {
        bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      let length = Bool.random(using: &random) ? bytes.count : Int.random(in: 1...bytes.count, using: &random)
      _ = Self.canBegin(Array(bytes.prefix(length)))
      parser.take(
        Array(bytes.prefix(length)), from: Bool.random(using: &random) ? .client : .server,
        isCut: length < bytes.count)
      #expect(parser.bufferedBytes < 1 << 20)
      if !parser.wantsMore { parser = Self.parser(ports: (5060, 3478)) }
    }
  }

  /// A datagram of another protocol, with its ports.
  struct Stranger: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]
    var ports: (client: UInt16, server: UInt16)
    var testDescription: String { name }
  }

  private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
  private static func key(_ count: Int, seed: UInt64 = 3) -> [UInt8] { MessengerSample.random(count, seed: seed) }

  static let strangers: [Stranger] = {
    // RFC 5905, section 7.3: leap 0, version 4, client, and a server's answer.
    let ntpRequest = [0x23, 0, 6, 0xec] + zeros(36) + Sample.hex("e5a1b2c3d4e5f607")
    let ntpAnswer =
      Sample.hex("2401 03e9 00000123 00000456 474f4f47") + (0..<4).flatMap { _ in Sample.hex("e5a1b2c3d4e5f607") }
    // RFC 2131, section 2: BOOTREQUEST over Ethernet, with the magic cookie and a DISCOVER; and its OFFER.
    let dhcp = { (op: UInt8, kind: UInt8) -> [UInt8] in
      let head: [UInt8] = [op, 1, 6, 0] + Sample.hex("3903f326") + zeros(20) + Sample.hex("02005e0053af")
      return head + zeros(10 + 192) + Sample.hex("63825363") + [53, 1, kind, 255] + zeros(60)
    }
    // RFC 3416: GetRequest of sysDescr, community "public", versions 1 and 2c.
    let snmp = { (version: UInt8) -> [UInt8] in
      [0x30, 0x26, 2, 1, version]
        + Sample.hex("0406 7075626c6963 a019 020401020304 020100 020100 300b 3009 0605 2b06010201 0500")
    }
    let search = SIPSample.wire(
      """
      M-SEARCH * HTTP/1.1
      HOST: 239.255.255.250:1900
      MAN: "ssdp:discover"
      MX: 2
      ST: ssdp:all


      """)
    let notify = SIPSample.wire(
      """
      NOTIFY * HTTP/1.1
      HOST: 239.255.255.250:1900
      CACHE-CONTROL: max-age=1800
      LOCATION: http://192.0.2.1:80/root.xml
      NT: upnp:rootdevice
      NTS: ssdp:alive


      """)
    // WireGuard, sections 5.4.2 to 5.4.4 and 5.4.6: 148, 92, 64 bytes and data.
    let initiation: [UInt8] = [1, 0, 0, 0] + key(144 - 16) + zeros(16)
    let response: [UInt8] = [2, 0, 0, 0] + key(88 - 16, seed: 4) + zeros(16)
    let cookie: [UInt8] = [3, 0, 0, 0] + key(60, seed: 5)
    let data: [UInt8] = [4, 0, 0, 0] + key(4, seed: 6) + zeros(8) + key(112, seed: 7)
    // BEP 5: a ping and its answer.
    let ping = Array("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe".utf8)
    let pong = Array("d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re".utf8)
    return [
      Stranger(name: "NTP request", bytes: ntpRequest, ports: (50_123, 123)),
      Stranger(name: "NTP answer", bytes: ntpAnswer, ports: (50_123, 123)),
      Stranger(name: "DHCP discover", bytes: dhcp(1, 1), ports: (68, 67)),
      Stranger(name: "DHCP offer", bytes: dhcp(2, 2), ports: (68, 67)),
      Stranger(name: "SNMPv1 get", bytes: snmp(0), ports: (50_161, 161)),
      Stranger(name: "SNMPv2c get", bytes: snmp(1), ports: (50_161, 161)),
      Stranger(name: "SSDP search", bytes: search, ports: (50_190, 1900)),
      Stranger(name: "SSDP notify", bytes: notify, ports: (50_190, 1900)),
      Stranger(name: "WireGuard initiation", bytes: initiation, ports: (51_820, 51_820)),
      Stranger(name: "WireGuard response", bytes: response, ports: (51_820, 51_820)),
      Stranger(name: "WireGuard cookie", bytes: cookie, ports: (51_820, 51_820)),
      Stranger(name: "WireGuard data", bytes: data, ports: (51_820, 51_820)),
      Stranger(name: "DHT ping", bytes: ping, ports: (6_881, 51_413)),
      Stranger(name: "DHT answer", bytes: pong, ports: (6_881, 51_413)),
    ]
  }()

  @Test(arguments: strangers)
  func otherProtocolsAreNotBegun(stranger: Stranger) {
    for side in [FlowSide.client, .server] {
      #expect(!Self.canBegin(stranger.bytes, from: side, ports: stranger.ports))
    }
  }

  @Test func theSamplesOfOtherProtocolsHaveTheirLengths() {
    let lengths = Dictionary(uniqueKeysWithValues: Self.strangers.map { ($0.name, $0.bytes.count) })
    #expect(lengths["NTP request"] == 48 && lengths["NTP answer"] == 48)
    #expect(lengths["DHCP discover"] == 304)
    #expect(lengths["WireGuard initiation"] == 148 && lengths["WireGuard response"] == 92)
    #expect(lengths["WireGuard cookie"] == 64)
    #expect(lengths["SNMPv1 get"] == 2 + 0x26 && lengths["SNMPv2c get"] == 2 + 0x26)
  }
}

extension DatagramParser {
  // A static array's span may not leave its expression.
  fileprivate mutating func take(_ datagram: [UInt8], from side: FlowSide, isCut: Bool = false, at time: Int64? = nil) {
    consume(datagram: datagram.rawSpan, from: side, isCut: isCut, at: time)
  }
}
