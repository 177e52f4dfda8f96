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
