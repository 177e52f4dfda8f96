import Bytes
import Capture
import Classify
import Engine
import Protocols
import Report
import TestSupport
import Testing

private let phone: UInt32 = 0xc612_0009  // 198.18.0.9
private let courier: UInt32 = 0x1139_9078  // 17.57.144.120
private let resolver: UInt32 = 0xc612_0035
private let millisecond: Int64 = 1_000_000

/// Runs frames, a millisecond apart, through an analyzer and gives the flows in the order of their numbers.
private func flows(
  _ frames: [[UInt8]], batchSize: Int = 16, options: AnalyzerOptions = AnalyzerOptions(),
  packets: ((PacketEvent) -> Void)? = nil
) throws -> [FlowEvent] {
  var source = MemorySource(
    frames.enumerated().map { (Int64($0.offset + 1) * millisecond, $0.element) }, batchSize: batchSize)
  var analyzer = Analyzer(classifier: Classifier(catalogue: try Catalogue.shipped()), options: options)
  var found: [FlowEvent] = []
  var events = AnalyzerEvents { found.append($0) }
  events.packet = packets
  try analyzer.read(&source, events: events)
  analyzer.finish(events: events)
  return found.sorted { $0.id < $1.id }
}

/// A courier connection whose hello is cut into pieces and sent in an order.
private func courierConnection(
  pieces: Int = 1, order: [Int]? = nil, port: UInt16 = 50_000, address: UInt32 = courier
) -> [[UInt8]] {
  let client = (phone, port)
  let server = (address, UInt16(5223))
  let hello = PacketBuilder.clientHello(serverName: "courier.push.apple.com", alpn: ["apns-security-v3"])
  let size = (hello.count + pieces - 1) / pieces
  let segments = (0..<pieces).map { i in
    PacketBuilder.tcp(
      from: client, to: server, sequence: 101 + UInt32(i * size), flags: 0x18,
      Array(hello[min(i * size, hello.count)..<min((i + 1) * size, hello.count)]))
  }
  return [
    PacketBuilder.tcp(from: client, to: server, sequence: 100, flags: 0x02),
    PacketBuilder.tcp(from: server, to: client, sequence: 900, acknowledgment: 101, flags: 0x12),
    PacketBuilder.tcp(from: client, to: server, sequence: 101, acknowledgment: 901),
  ] + (order ?? Array(0..<pieces)).map { segments[$0] }
}

@Suite struct AnalyzerTests {
  @Test func aCourierConnectionIsPushAndSharesItsFate() throws {
    let found = try flows(courierConnection())
    let flow = try #require(found.first)
    #expect(found.count == 1)
    #expect(flow.verdict.tag == .push && flow.verdict.service == "APNs")
    #expect(flow.verdict.isSharedFate)
    #expect(flow.facts.tls?.serverName == "courier.push.apple.com")
    #expect(flow.facts.tls?.alpn == ["apns-security-v3"])
    #expect(flow.source == IPAddress(v4: phone) && flow.destinationPort == 5223)
    #expect(flow.packetsToServer == 3 && flow.packetsToClient == 1)
    #expect(flow.reason == .endOfCapture && flow.state == "established")
  }

  /// The hello in tiny pieces, backwards, with every batch size: always the same answer.
  @Test(arguments: [1, 2, 5, 16])
  func howTheHelloIsCutDoesNotMatter(batchSize: Int) throws {
    let whole = try #require(try flows(courierConnection()).first)
    for pieces in [2, 7, 40] {
      for order in [Array(0..<pieces), Array((0..<pieces).reversed())] {
        let found = try flows(courierConnection(pieces: pieces, order: order), batchSize: batchSize)
        let flow = try #require(found.first)
        #expect(found.count == 1)
        #expect(flow.facts.tls == whole.facts.tls)
        #expect(flow.verdict.tag == whole.verdict.tag)
      }
    }
  }

  /// What follows in the same batch does not make a decision later.
  @Test(arguments: [1, 2, 5, 16])
  func aFlowIsDecidedAtThePacketThatSaysIt(batchSize: Int) throws {
    let nobodys: UInt32 = 0xcb00_7114  // 203.0.113.20
    let data = PacketBuilder.tcp(from: (nobodys, 5223), to: (phone, 50_000), sequence: 901, [1, 2, 3])
    let found = try flows(
      courierConnection(address: nobodys) + Array(repeating: data, count: 20), batchSize: batchSize)
    #expect(found.first?.verdict.tag == .push)
    #expect(found.first?.decidedAtPacket == 4)
  }

  @Test func aLookUpNamesTheConnectionThatFollows() throws {
    let query = PacketBuilder.udp(
      from: (phone, 40_000), to: (resolver, 53), PacketBuilder.dns("7-courier.push.apple.com"))
    let answer = PacketBuilder.udp(
      from: (resolver, 53), to: (phone, 40_000), PacketBuilder.dns("7-courier.push.apple.com", answer: courier))
    let data = PacketBuilder.tcp(from: (phone, 50_000), to: (courier, 443), sequence: 5, [0x17, 3, 3, 0, 1, 0])
    let found = try flows([query, answer, data])
    #expect(found.count == 2)
    #expect(found[0].verdict.tag == .other && found[0].facts.dnsQuestions == ["7-courier.push.apple.com"])
    #expect(found[1].names == ["7-courier.push.apple.com"])
    #expect(found[1].verdict.tag == .push)
  }

  @Test func aLookUpInFragmentsIsReadAndEveryFragmentCounts() throws {
    let payload = PacketBuilder.datagram(
      from: 53, to: 40_000, PacketBuilder.dns("7-courier.push.apple.com", answer: courier))
    let cut = 32
    let first = PacketBuilder.ipv4(
      from: resolver, to: phone, transport: 17, Array(payload[..<cut]), identification: 9, fragment: (0, true))
    let rest = PacketBuilder.ipv4(
      from: resolver, to: phone, transport: 17, Array(payload[cut...]), identification: 9, fragment: (cut, false))
    for frames in [[first, rest], [rest, first]] {
      let flow = try #require(try flows(frames).first)
      #expect(flow.facts.dnsQuestions == ["7-courier.push.apple.com"])
      #expect(flow.packetsToServer + flow.packetsToClient == 2)
      #expect(flow.bytesToServer + flow.bytesToClient == UInt64(first.count + rest.count))
    }
  }

  @Test func everyPacketOfAFlowIsReported() throws {
    var options = AnalyzerOptions()
    options.wantsPackets = true
    var packets: [PacketEvent] = []
    let frames = courierConnection() + courierConnection(port: 50_001)
    _ = try flows(frames, options: options) { packets.append($0) }
    #expect(packets.map(\.flowID) == [1, 1, 1, 1, 2, 2, 2, 2])
    #expect(packets.map(\.isToServer) == [true, false, true, true, true, false, true, true])
    #expect(packets.map { Int($0.wireLength) } == frames.map(\.count))
  }

  @Test func aRunEndsAfterItsMaximumOfPackets() throws {
    var options = AnalyzerOptions()
    options.maximumPackets = 3
    let flow = try #require(try flows(courierConnection(), options: options).first)
    #expect(flow.packetsToServer + flow.packetsToClient == 3)
    #expect(flow.facts.tls == nil)
  }

  @Test func whatCameBeforeTheDamageIsAnalysed() throws {
    let damage = CaptureError(.truncated, "cut")
    var source = MemorySource([(1, courierConnection()[0])], error: damage)
    var analyzer = Analyzer(classifier: Classifier(catalogue: try Catalogue.shipped()))
    var found = 0
    let events = AnalyzerEvents { _ in found += 1 }
    #expect(throws: damage) { try analyzer.read(&source, events: events) }
    analyzer.finish(events: events)
    #expect(found == 1)
    #expect(analyzer.stats.packets == 1)
  }

  /// The same ports again within one batch: what the first connection said is still its own.
  @Test(arguments: [1, 16])
  func aConnectionOnTheSamePortsEndsTheOneBefore(batchSize: Int) throws {
    let client = (phone, UInt16(50_000))
    let server = (courier, UInt16(5223))
    let fins = [
      PacketBuilder.tcp(from: client, to: server, sequence: 400, flags: 0x11),
      PacketBuilder.tcp(from: server, to: client, sequence: 901, flags: 0x11),
    ]
    let again = PacketBuilder.tcp(from: client, to: server, sequence: 70_000, flags: 0x02)
    let found = try flows(courierConnection() + fins + [again], batchSize: batchSize)
    #expect(found.count == 2)
    #expect(found.first?.reason == .fin)
    #expect(found.first?.facts.tls?.serverName == "courier.push.apple.com")
    #expect(found.last?.facts.tls == nil)
  }

  /// Joined in the middle, with both ends in one batch: a FIN is not where its side began.
  @Test(arguments: [1, 16])
  func aFlowWithoutItsOpeningIsReadUpToItsFin(batchSize: Int) throws {
    let client = (phone, UInt16(50_000))
    let server = (courier, UInt16(80))
    let request = Array("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n".utf8)
    let reply = Array("HTTP/1.1 302 Found\r\n\r\n".utf8)
    let found = try flows(
      [
        PacketBuilder.tcp(from: client, to: server, sequence: 1, request),
        PacketBuilder.tcp(from: server, to: client, sequence: 1, reply),
        PacketBuilder.tcp(from: server, to: client, sequence: 1 + UInt32(reply.count), flags: 0x11),
      ], batchSize: batchSize)
    #expect(found.first?.facts.http?.status == 302)
  }

  @Test(arguments: [1, 16])
  func silenceEndsAFlowAlsoInTheFirstBatch(batchSize: Int) throws {
    let datagram = PacketBuilder.udp(from: (phone, 40_000), to: (resolver, 9), [1, 2, 3])
    let other = PacketBuilder.udp(from: (phone, 40_001), to: (resolver, 9), [1, 2, 3])
    var source = MemorySource([(millisecond, datagram), (3_600_000 * millisecond, other)], batchSize: batchSize)
    var analyzer = Analyzer(classifier: Classifier(catalogue: try Catalogue.shipped()))
    var reasons: [EndReason] = []
    let events = AnalyzerEvents { reasons.append($0.reason) }
    try analyzer.read(&source, events: events)
    analyzer.finish(events: events)
    #expect(reasons == [.timeout, .endOfCapture])
  }

  @Test func resetsAndFinsAreTheReasonOfTheEnd() throws {
    let client = (phone, UInt16(50_000))
    let server = (courier, UInt16(443))
    let fins = [
      PacketBuilder.tcp(from: client, to: server, sequence: 1, flags: 0x11),
      PacketBuilder.tcp(from: server, to: client, sequence: 1, flags: 0x11),
    ]
    #expect(try flows(fins).first?.reason == .fin)
    #expect(try flows(fins + [PacketBuilder.tcp(from: client, to: server, flags: 0x04)]).first?.reason == .rst)
    #expect(try flows(fins).first?.state == "closed")
  }
}
