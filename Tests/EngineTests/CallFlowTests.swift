import Bytes
import Classify
import Engine
import Flows
import Protocols
import Report
import TestSupport
import Testing

// Calls as they lie on the wire, synthetic but for the QUIC packets of RFC 9001, through the whole library.

private let phone: UInt32 = 0x0a00_0009  // 10.0.0.9
private let desk: UInt32 = 0x5db8_d822  // 93.184.216.34, once example.com: what is for documents only has no direction
private let helper: UInt32 = 0xcb00_7114  // 203.0.113.20
private let second: Int64 = 1_000_000_000
private let millisecond: Int64 = 1_000_000
private let start: Int64 = 1_764_843_072 * second

/// A packet of a talk: when, from where to where, and what.
private typealias Sent = (time: Int64, frame: [UInt8])
private typealias Socket = (UInt32, UInt16)

private func sent(_ time: Int64, _ source: Socket, _ destination: Socket, _ payload: [UInt8]) -> Sent {
  (start + time, PacketBuilder.udp(from: source, to: destination, payload))
}

/// What a run over packets delivers, flows in the order of their numbers.
private func run(_ packets: [Sent], _ options: AnalyzerOptions = AnalyzerOptions()) throws -> (
  flows: [FlowEvent], calls: [ConversationEvent]
) {
  var source = MemorySource(packets.sorted { $0.time < $1.time })
  var analyzer = Analyzer(classifier: Classifier(catalogue: try Catalogue.shipped()), options: options)
  var flows: [FlowEvent] = []
  var calls: [ConversationEvent] = []
  var events = AnalyzerEvents { flows.append($0) }
  events.conversationEnded = { calls.append($0) }
  try analyzer.read(&source, events: events)
  analyzer.finish(events: events)
  return (flows.sorted { $0.id < $1.id }, calls)
}

/// G.711 at 20 ms in 172 bytes (RFC 3550, section 5.1; RFC 3551, section 4.5.14), both ways.
private func voice(
  _ a: Socket, _ b: Socket, from time: Int64 = 0, packets: Int = 40, type: UInt8 = 0
) -> [Sent] {
  (0..<packets).flatMap { n -> [Sent] in
    func packet(_ ssrc: UInt32, _ first: Int) -> [UInt8] {
      [0x80, type] + PacketBuilder.u16(first + n) + PacketBuilder.u32(UInt32(4000 + 160 * n)) + PacketBuilder.u32(ssrc)
        + [UInt8](repeating: 0xd5, count: 160)
    }
    let at = time + Int64(n) * 20 * millisecond
    return [sent(at, a, b, packet(0x1111_0001, 700)), sent(at + 3 * millisecond, b, a, packet(0x2222_0002, 9000))]
  }
}

private func dotted(_ address: UInt32) -> String { IPAddress(v4: address).description }

/// A session of audio (RFC 8866) in a message of SIP (RFC 3261).
private func message(_ lines: [String], media: Socket) -> [UInt8] {
  let body =
    [
      "v=0", "o=- 1 1 IN IP4 \(dotted(media.0))", "s=-", "c=IN IP4 \(dotted(media.0))", "t=0 0",
      "m=audio \(media.1) RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "",
    ].joined(separator: "\r\n")
  let head = lines + ["Content-Type: application/sdp", "Content-Length: \(body.utf8.count)", "", ""]
  return Array((head.joined(separator: "\r\n") + body).utf8)
}

private func dialog(
  _ first: String, media: Socket, call: String = "3848276298220188511@example.org"
) -> [UInt8] {
  message(
    [
      first, "Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK74bf9", "From: <sip:alice@example.org>;tag=9fxced76sl",
      "To: <sip:bob@example.net>", "Call-ID: \(call)", "CSeq: 2 INVITE",
    ], media: media)
}

/// An invitation and its answer, a tenth of a second apart.
private func invitation(_ a: Socket, _ b: Socket) -> [Sent] {
  [
    sent(0, (phone, 5060), (desk, 5060), dialog("INVITE sip:bob@example.net SIP/2.0", media: a)),
    sent(100 * millisecond, (desk, 5060), (phone, 5060), dialog("SIP/2.0 200 OK", media: b)),
  ]
}

/// A Binding request as ICE sends it (RFC 8445, section 7.2.2), and its answer (RFC 8489).
private func check(_ a: Socket, _ b: Socket, at time: Int64, id: UInt8 = 5) -> [Sent] {
  let transaction = [UInt8](repeating: id, count: 12)
  func message(_ type: Int, _ attributes: [UInt8]) -> [UInt8] {
    PacketBuilder.u16(type) + PacketBuilder.u16(attributes.count) + PacketBuilder.u32(0x2112_a442) + transaction
      + attributes
  }
  // USERNAME "a:bc", PRIORITY, ICE-CONTROLLING; XOR-MAPPED-ADDRESS of the asker.
  let asked: [UInt8] =
    [0, 6, 0, 4] + Array("a:bc".utf8) + [0, 0x24, 0, 4, 0x6e, 0, 1, 0xff, 0x80, 0x2a, 0, 8]
    + [UInt8](repeating: 0x93, count: 8)
  let mapped = [0, 0x20, 0, 8, 0, 1] + PacketBuilder.u16(Int(a.1) ^ 0x2112) + PacketBuilder.u32(a.0 ^ 0x2112_a442)
  return [sent(time, a, b, message(1, asked)), sent(time + 20 * millisecond, b, a, message(0x101, mapped))]
}

@Suite struct CallFlowTests {
  /// Two invitations with Call-IDs of their own on one pair of ports: a trunk.
  @Test func callsOfOneSignallingFlowArePartedByCallID() throws {
    let (a, b, c, d): (Socket, Socket, Socket, Socket) = (
      (phone, 40_000), (desk, 50_000), (phone, 40_100), (desk, 50_100)
    )
    var packets = invitation(a, b) + voice(a, b, from: second)
    packets += [
      sent(
        20 * second, (phone, 5060), (desk, 5060), dialog("INVITE sip:carol@example.net SIP/2.0", media: c, call: "two")),
      sent(21 * second, (desk, 5060), (phone, 5060), dialog("SIP/2.0 200 OK", media: d, call: "two")),
    ]
    packets += voice(c, d, from: 22 * second)
    let (flows, calls) = try run(packets)
    #expect(flows.map(\.sourcePort) == [5060, 40_000, 40_100])
    #expect(flows.map(\.conversation) == [1, 1, 2])
    #expect(calls.count == 2)
    let first = calls.first { $0.id == 1 }
    let second = calls.first { $0.id == 2 }
    #expect(first?.flows == [1, 2] && first?.callee == "sip:bob@example.net")
    #expect(second?.flows == [1, 3] && second?.packets == 80)
    #expect(second?.parties.count == 2)
  }

  private let own: Socket = (phone, 40_000)
  private let other: Socket = (desk, 30_000)

  @Test func signallingAndMediaAreOneCall() throws {
    let (flows, calls) = try run(invitation(own, other) + voice(own, other, from: 200 * millisecond))
    try #require(flows.count == 2)
    let (signalling, media) = (flows[0], flows[1])
    #expect(signalling.facts.application == .sip && media.facts.rtp?.streams.count == 2)
    let number = try #require(signalling.conversation)
    #expect(media.conversation == number)
    #expect(media.verdict.tag == .calling && signalling.verdict.tag == .calling)
    #expect(media.verdict.evidence.contains { $0.source == .conversation || $0.source == .media })
    #expect(media.packetsToServer == 40 && media.packetsToClient == 40)
    let call = try #require(calls.first)
    #expect(calls.count == 1 && call.id == number && call.flows == [signalling.id, media.id] && call.flowCount == 2)
    #expect(call.caller?.contains("alice@example.org") == true && call.callee?.contains("bob@example.net") == true)
    #expect(call.initiator == IPAddress(v4: phone) && call.direction == .outgoing)
    #expect(call.media == ["audio"])
    #expect(Set(call.parties) == [IPAddress(v4: phone), IPAddress(v4: desk)] && call.relays.isEmpty)
    #expect(call.packets == 82 && call.bytesFromClient == signalling.bytesToServer + media.bytesToServer)
    #expect(call.start == start && call.end == start + 200 * millisecond + 39 * 20 * millisecond + 3 * millisecond)
  }

  /// Media to a port that nobody announced is a call of its own.
  @Test func mediaThatNobodyAnnouncedIsAnotherCall() throws {
    let strangers = voice((helper, 31_000), (desk, 30_002), from: 200 * millisecond)
    let (flows, calls) = try run(invitation(own, other) + voice(own, other, from: 200 * millisecond) + strangers)
    try #require(flows.count == 3)
    let number = try #require(flows[0].conversation)
    let mine = flows.filter { $0.conversation == number }
    let alone = try #require(flows.first { $0.source == IPAddress(v4: helper) })
    #expect(mine.count == 2 && !mine.contains { $0.id == alone.id })
    #expect(alone.conversation != nil && alone.verdict.tag == .calling)
    #expect(Set(calls.map(\.id)) == Set(flows.compactMap(\.conversation)) && calls.count == 2)
  }

  /// A phone asks a server for checks and then talks to a peer from the same socket.
  @Test func aSocketsChecksAndMediaAreOneCall() throws {
    let (flows, calls) = try run(
      check(own, (helper, 3478), at: 0) + voice(own, other, from: second, type: 111))
    try #require(flows.count == 2)
    #expect(flows[0].facts.stun?.hasICE == true && flows[0].facts.stun?.mapped?.port == 40_000)
    #expect(flows[1].facts.rtp?.streams.map(\.payloadType) == [111, 111])
    let number = try #require(flows[0].conversation)
    #expect(flows[1].conversation == number && flows[1].verdict.tag == .calling)
    #expect(calls.map(\.flows) == [[1, 2]] && calls.first?.id == number)
  }

  /// The same socket again: after five minutes of silence it is another call, whether or not the first flow has ended.
  @Test(arguments: [Int64(180), 3600])
  func aSocketUsedAgainLaterIsAnotherCall(timeout: Int64) throws {
    var options = AnalyzerOptions()
    options.timeouts.udpEstablished = timeout
    let (flows, calls) = try run(
      check(own, (helper, 3478), at: 0) + voice(own, other, from: second)
        + voice(own, (desk, 30_100), from: 300 * second), options)
    try #require(flows.count == 3)
    let first = try #require(flows[0].conversation)
    let later = try #require(flows[2].conversation)
    #expect(flows[1].conversation == first && later != first)
    #expect(calls.sorted { $0.id < $1.id }.map(\.flows) == [[1, 2], [3]])
  }

  /// A call a minute later on the same socket goes on.
  @Test func aSocketUsedAgainSoonIsTheSameCall() throws {
    let (flows, calls) = try run(
      voice(own, other) + voice(own, (desk, 30_100), from: 60 * second))
    #expect(flows.count == 2 && flows[0].conversation != nil && flows[0].conversation == flows[1].conversation)
    #expect(calls.count == 1)
  }

  /// RFC 9000, section 9: a translator gives the connection another port, and the client keeps the server's ID.
  @Test func aConnectionOfQUICIsKnownAtItsNewPort() throws {
    let server: Socket = (helper, 443)
    let moved = [0x41] + RFC9001.serverID + [UInt8](repeating: 0x5c, count: 40)
    let unknown = [0x41] + RFC9001.serverID.reversed() + [UInt8](repeating: 0x5c, count: 40)
    let (flows, _) = try run([
      sent(0, (phone, 50_000), server, RFC9001.client), sent(20 * millisecond, server, (phone, 50_000), RFC9001.server),
      sent(second, (phone, 50_001), server, moved), sent(2 * second, (phone, 50_002), server, unknown),
    ])
    try #require(flows.count == 3)
    #expect(flows[0].facts.tls?.serverName == "example.com" && flows[0].facts.quic?.hasMigrated == false)
    #expect(flows[1].facts.application == .quic && flows[1].facts.quic?.hasMigrated == true)
    #expect(flows[1].facts.tls?.serverName == "example.com")
    #expect((flows[1].facts.notes + flows[1].notes).contains { $0.contains("flow 1") })
    #expect(flows[2].facts.tls == nil && flows[2].facts.quic?.hasMigrated != true)
  }

  /// RFC 9443: media beside a connection, told apart by the first byte.
  @Test func mediaBesideAConnectionOfQUICIsSeen() throws {
    let server: Socket = (helper, 443)
    let hello: [Sent] = [
      sent(0, own, server, RFC9001.client), sent(20 * millisecond, server, own, RFC9001.server),
    ]
    let short = sent(30 * millisecond, own, server, [0x41] + RFC9001.serverID + [UInt8](repeating: 0x5c, count: 40))
    let (flows, _) = try run(hello + [short] + voice(own, server, from: 50 * millisecond, type: 111))
    let flow = try #require(flows.first)
    #expect(flows.count == 1 && flow.facts.application == .quic && flow.facts.tls?.serverName == "example.com")
    #expect(Set(flow.facts.rtp?.streams.map(\.ssrc) ?? []) == [0x1111_0001, 0x2222_0002])
    let alone = try #require(try run(hello + [short]).flows.first)
    #expect(alone.facts.rtp == nil && alone.facts.application == .quic)
  }

  /// A header of RTP proves nothing before others fit it.
  @Test func mediaAloneIsDecidedAfterSeveralPackets() throws {
    let flow = try #require(try run(voice(own, other)).flows.first)
    #expect(flow.verdict.tag == .calling && flow.facts.rtp != nil)
    #expect(flow.decidedAtPacket > 1 && flow.decidedAtPacket < 20)
    let pair = try #require(try run(voice(own, other, packets: 1, type: 111)).flows.first)
    #expect(pair.facts.rtp == nil && pair.verdict.tag == .other && pair.conversation == nil)
  }

  /// Without payload, names, addresses and ports the same call has its shape alone.
  @Test func blindNothingButShapeSpeaks() throws {
    var options = AnalyzerOptions()
    options.isBlind = true
    options.shapeModel = try ShapeModel.shipped()
    let packets = invitation(own, other) + voice(own, other, from: 200 * millisecond, packets: 200)
    let (flows, calls) = try run(packets, options)
    try #require(flows.count == 2)
    for flow in flows {
      #expect(!flow.verdict.evidence.isEmpty)
      #expect(flow.verdict.evidence.allSatisfy { $0.source == .shape && $0.service == nil })
      #expect(flow.verdict.service == nil && flow.verdict.carries.isEmpty)
      #expect(flow.facts == FlowFacts() && flow.conversation == nil)
    }
    #expect(calls.isEmpty)
    // Other hosts and ports with the same sizes and times have the same verdicts.
    let far: Socket = (helper, 443)
    let renamed = voice(far, (desk, 53_000), from: 200 * millisecond, packets: 200)
    #expect(try run(renamed, options).flows.first?.verdict == flows[1].verdict)
  }
}

/// RFC 9001, appendix A: a client's Initial and the server's answer.
private enum RFC9001 {
  static let serverID = hex("f067a5502a4262b5")

  static func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  /// Appendix A.2.
  static let client = hex(
    """
    c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9bd8bab936b47d92ec356c0bab7df5976d27
    cd449f63300099f3991c260ec4c60d17b31f8429157bb35a1282a643a8d2262cad67500cadb8e7378c8eb7539ec4d4905fed1bee1fc8aa
    fba17c750e2c7ace01e6005f80fcb7df621230c83711b39343fa028cea7f7fb5ff89eac2308249a02252155e2347b63d58c5457afd84d0
    5dfffdb20392844ae812154682e9cf012f9021a6f0be17ddd0c2084dce25ff9b06cde535d0f920a2db1bf362c23e596d11a4f5a6cf3948
    838a3aec4e15daf8500a6ef69ec4e3feb6b1d98e610ac8b7ec3faf6ad760b7bad1db4ba3485e8a94dc250ae3fdb41ed15fb6a8e5eba0fc
    3dd60bc8e30c5c4287e53805db059ae0648db2f64264ed5e39be2e20d82df566da8dd5998ccabdae053060ae6c7b4378e846d29f37ed7b
    4ea9ec5d82e7961b7f25a9323851f681d582363aa5f89937f5a67258bf63ad6f1a0b1d96dbd4faddfcefc5266ba6611722395c906556be
    52afe3f565636ad1b17d508b73d8743eeb524be22b3dcbc2c7468d54119c7468449a13d8e3b95811a198f3491de3e7fe942b330407abf8
    2a4ed7c1b311663ac69890f4157015853d91e923037c227a33cdd5ec281ca3f79c44546b9d90ca00f064c99e3dd97911d39fe9c5d0b23a
    229a234cb36186c4819e8b9c5927726632291d6a418211cc2962e20fe47feb3edf330f2c603a9d48c0fcb5699dbfe5896425c5bac4aee8
    2e57a85aaf4e2513e4f05796b07ba2ee47d80506f8d2c25e50fd14de71e6c418559302f939b0e1abd576f279c4b2e0feb85c1f28ff18f5
    8891ffef132eef2fa09346aee33c28eb130ff28f5b766953334113211996d20011a198e3fc433f9f2541010ae17c1bf202580f6047472f
    b36857fe843b19f5984009ddc324044e847a4f4a0ab34f719595de37252d6235365e9b84392b061085349d73203a4a13e96f5432ec0fd4
    a1ee65accdd5e3904df54c1da510b0ff20dcc0c77fcb2c0e0eb605cb0504db87632cf3d8b4dae6e705769d1de354270123cb11450efc60
    ac47683d7b8d0f811365565fd98c4c8eb936bcab8d069fc33bd801b03adea2e1fbc5aa463d08ca19896d2bf59a071b851e6c239052172f
    296bfb5e72404790a2181014f3b94a4e97d117b438130368cc39dbb2d198065ae3986547926cd2162f40a29f0c3c8745c0f50fba3852e5
    66d44575c29d39a03f0cda721984b6f440591f355e12d439ff150aab7613499dbd49adabc8676eef023b15b65bfc5ca06948109f23f350
    db82123535eb8a7433bdabcb909271a6ecbcb58b936a88cd4e8f2e6ff5800175f113253d8fa9ca8885c2f552e657dc603f252e1a8e308f
    76f0be79e2fb8f5d5fbbe2e30ecadd220723c8c0aea8078cdfcb3868263ff8f0940054da48781893a7e49ad5aff4af300cd804a6b6279a
    b3ff3afb64491c85194aab760d58a606654f9f4400e8b38591356fbf6425aca26dc85244259ff2b19c41b9f96f3ca9ec1dde434da7d2d3
    92b905ddf3d1f9af93d1af5950bd493f5aa731b4056df31bd267b6b90a079831aaf579be0a39013137aac6d404f518cfd46840647e78bf
    e706ca4cf5e9c5453e9f7cfd2b8b4c8d169a44e55c88d4a9a7f9474241e221af44860018ab0856972e194cd934
    """)

  /// Appendix A.3.
  static let server = hex(
    """
    cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4c
    f73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7a
    af2f58891850abbdca3d20398c276456cbc42158407dd074ee
    """)
}
