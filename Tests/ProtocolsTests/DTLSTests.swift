import Bytes
import TestSupport
import Testing

@testable import Protocols

/// Datagrams built by hand (synthetic) from the figures of RFC 6347, RFC 9146 and RFC 9147.
@Suite struct DTLSTests {
  static func u48(_ value: Int) -> [UInt8] { Sample.u24(value >> 24) + Sample.u24(value) }

  static func record(
    _ type: UInt8, _ fragment: [UInt8], epoch: Int = 0, sequence: Int = 0, version: Int = 0xfefd
  ) -> [UInt8] {
    [type] + Sample.u16(version) + Sample.u16(epoch) + u48(sequence) + Sample.u16(fragment.count) + fragment
  }

  /// A fragment of a message, or all of it.
  static func fragment(_ type: UInt8, _ body: [UInt8], sequence: Int, _ range: Range<Int>? = nil) -> [UInt8] {
    let range = range ?? 0..<body.count
    return [type] + Sample.u24(body.count) + Sample.u16(sequence) + Sample.u24(range.lowerBound)
      + Sample.u24(range.count) + body[range]
  }

  static func helloBody(
    version: Int = 0xfefd, cookie: [UInt8] = [], suites: [UInt16] = [0xc02b, 0xc02f], extensions: [UInt8]
  ) -> [UInt8] {
    Sample.u16(version) + [UInt8](repeating: 7, count: 32) + [0, UInt8(cookie.count)] + cookie
      + Sample.u16(suites.count * 2) + Sample.pairs(suites) + [1, 0] + Sample.u16(extensions.count) + extensions
  }

  static let useSRTP = Sample.field(14, Sample.u16(4) + Sample.pairs([7, 1]) + [0])
  static let extensions =
    Sample.serverName(Array("call.example.test".utf8)) + Sample.list16(10, [29, 23])
    + Sample.list16(13, [0x0403, 0x0804])
    + Sample.alpn([Array("webrtc".utf8), Array("c-webrtc".utf8)]) + useSRTP

  static func serverHelloBody(version: Int = 0xfefd, suite: Int = 0xc02b, extensions: [UInt8]) -> [UInt8] {
    Sample.u16(version) + [UInt8](repeating: 9, count: 32) + [0] + Sample.u16(suite) + [0]
      + Sample.u16(extensions.count) + extensions
  }

  static let serverHello = serverHelloBody(
    extensions: Sample.field(14, Sample.u16(2) + Sample.u16(7) + [0]) + Sample.alpn([Array("webrtc".utf8)]))
  static let certificate: [UInt8] =
    Sample.u24(Sample.certificate.count + 3) + Sample.u24(Sample.certificate.count) + Sample.certificate

  static func canBegin(_ datagram: [UInt8]) -> Bool { DTLSConversation.canBegin(datagram.rawSpan) }

  static func read(_ datagrams: [(FlowSide, [UInt8])]) -> DTLSConversation {
    var conversation = DTLSConversation()
    for (side, datagram) in datagrams { _ = conversation.consume(datagram.rawSpan, from: side) }
    return conversation
  }

  @Test func aHandshakeOfDTLS12() throws {
    let hello = Self.record(22, Self.fragment(1, Self.helloBody(extensions: Self.extensions), sequence: 0))
    let flight =
      Self.record(22, Self.fragment(2, Self.serverHello, sequence: 0))
      + Self.record(22, Self.fragment(11, Self.certificate, sequence: 1), sequence: 1)
      + Self.record(22, Self.fragment(14, [], sequence: 2), sequence: 2)
    #expect(Self.canBegin(hello) && Self.canBegin(flight))
    var read = DTLSConversation()
    #expect(read.consume(hello.rawSpan, from: .client) == .mine)
    #expect(read.tls?.version == 0xfefd && read.isSure && !read.isDone)
    #expect(read.consume(flight.rawSpan, from: .server) == .done)
    let tls = try #require(read.tls)
    #expect(tls.serverName == "call.example.test")
    #expect(tls.alpn == ["webrtc", "c-webrtc"] && tls.alpnSelected == "webrtc")
    #expect(tls.cipherSuite == 0xc02b && tls.version == 0xfefd)
    #expect(tls.certificateNames == ["courier.example.test", "*.push.example.test"])
    #expect(tls.ja3 == nil && tls.ja3s == nil)
    #expect(read.facts.srtpProfiles == [7, 1] && read.facts.srtpProfile == 7)
    #expect(!read.facts.hasCookie && read.clientSide == .client && read.isDone)
    #expect(read.bufferedBytes == 0 && read.notes.isEmpty)
  }

  /// The two hashes are SHA-256 by coreutils over "c02b,c02f" and "000a,000d,000e_0403,0804".
  @Test func ja4IsFoxIOs() throws {
    let hello = Self.record(22, Self.fragment(1, Self.helloBody(extensions: Self.extensions), sequence: 0))
    #expect(Self.read([(.client, hello)]).tls?.ja4 == "dd2d0205wc_b6f57f3be927_16c6883a4073")
  }

  @Test(arguments: [
    (0xfeff, [], "d1", UInt16(0xfeff)), (0xfefd, [], "d2", 0xfefd), (0xfefd, [0xfefd, 0xfefc], "d3", 0xfefc),
    (0xfefd, [0xfefc, 0xfefd, 0xfeff], "d3", 0xfefc), (0xfefd, [0xfeff, 0xfefd], "d2", 0xfefd),
    (0x0100, [], "00", 0x0100),
  ])
  func versions(_ legacy: Int, _ offered: [UInt16], _ code: String, _ version: UInt16) throws {
    let extensions = offered.isEmpty ? [] : Sample.versions(offered)
    let body = Self.helloBody(version: legacy, extensions: extensions)
    let datagram = Self.record(22, Self.fragment(1, body, sequence: 0), version: legacy == 0x0100 ? 0x0100 : 0xfeff)
    #expect(Self.canBegin(datagram))
    let tls = try #require(Self.read([(.client, datagram)]).tls)
    #expect(tls.version == version)
    #expect(tls.ja4?.prefix(4) == "d\(code)i")
  }

  /// RFC 6347, section 4.2.1: the hello comes again with the cookie. The first one counts, whichever comes first.
  @Test(arguments: [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]])
  func theFirstHelloCounts(order: [Int]) throws {
    let first = Self.helloBody(extensions: Self.extensions)
    let second = Self.helloBody(
      cookie: [1, 2, 3, 4], suites: [0xc02b], extensions: Sample.serverName(Array("later.example.test".utf8)))
    let verify = Sample.u16(0xfeff) + [4, 1, 2, 3, 4]
    let datagrams: [(FlowSide, [UInt8])] = [
      (.client, Self.record(22, Self.fragment(1, first, sequence: 0))),
      (.server, Self.record(22, Self.fragment(3, verify, sequence: 0), version: 0xfeff)),
      (.client, Self.record(22, Self.fragment(1, second, sequence: 1), sequence: 1)),
    ]
    let read = Self.read(order.map { datagrams[$0] })
    #expect(read.tls?.serverName == "call.example.test")
    #expect(read.facts.hasCookie && read.facts.hasHelloVerifyRequest)
    #expect(read.facts.srtpProfiles == [7, 1])
  }

  /// RFC 9147, section 5.1: DTLS 1.3 asks with a HelloRetryRequest, and encrypts from then on.
  @Test func aHandshakeOfDTLS13() throws {
    let offer = Sample.versions([0xfefc, 0xfefd]) + Sample.field(54, [2, 1, 2])
    let retry =
      Sample.u16(0xfefd) + Sample.hex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c") + [0]
      + Sample.u16(0x1301) + [0]
      + { Sample.u16($0.count) + $0 }(Sample.field(43, Sample.u16(0xfefc)) + Sample.field(44, [0, 2, 5, 6]))
    let answer = Self.serverHelloBody(suite: 0x1301, extensions: Sample.field(43, Sample.u16(0xfefc)))
    let encrypted: [UInt8] = [0x2e, 1, 2, 0, 20] + [UInt8](repeating: 0xee, count: 20)
    var read = Self.read([
      (.client, Self.record(22, Self.fragment(1, Self.helloBody(extensions: offer), sequence: 0))),
      (.server, Self.record(22, Self.fragment(2, retry, sequence: 0))),
    ])
    #expect(read.tls?.hasHelloRetryRequest == true && !read.isDone)
    let again = Self.helloBody(extensions: offer + Sample.field(44, [0, 2, 5, 6]))
    #expect(read.take(Self.record(22, Self.fragment(1, again, sequence: 1), sequence: 1), .client) == .mine)
    #expect(read.facts.hasCookie && read.facts.hasConnectionID)
    let last = Self.record(22, Self.fragment(2, answer, sequence: 1), sequence: 1) + encrypted
    #expect(Self.canBegin(last))
    #expect(read.take(last, .server) == .done)
    #expect(read.tls?.version == 0xfefc && read.tls?.cipherSuite == 0x1301)
    #expect(Self.read([]).tls == nil)
    var stranger = DTLSConversation()
    #expect(stranger.take(encrypted, .client) == .notMine, "a first byte alone is no proof")
  }

  /// Any cut, any order, overlaps and repetitions: the facts are those of the whole handshake.
  @Test func fragmentsInAnyOrderSayTheSame() throws {
    let hello = Self.helloBody(cookie: [9, 9], extensions: Self.extensions)
    let whole = Self.read([
      (.client, Self.record(22, Self.fragment(1, hello, sequence: 0))),
      (.server, Self.record(22, Self.fragment(2, Self.serverHello, sequence: 0))),
      (.server, Self.record(22, Self.fragment(11, Self.certificate, sequence: 1))),
    ])
    #expect(whole.tls?.certificateNames.count == 2)
    var random = SeededRandom(147)
    for round in 0..<400 {
      let client = Self.cut(1, hello, 0, &random).map { (FlowSide.client, $0) }
      var server = Self.cut(2, Self.serverHello, 0, &random) + Self.cut(11, Self.certificate, 1, &random)
      server.append(Self.record(22, Self.fragment(14, [], sequence: 2)))
      var datagrams = client + server.map { (FlowSide.server, $0) }
      datagrams.shuffle(using: &random)
      let read = Self.read(datagrams)
      #expect(read.tls == whole.tls, "round \(round)")
      #expect(read.facts == whole.facts, "round \(round)")
      #expect(read.isDone && read.bufferedBytes == 0, "round \(round)")
    }
  }

  /// Cuts a message into pieces that cover it, some overlapping or repeated, each in a datagram.
  static func cut(_ type: UInt8, _ body: [UInt8], _ sequence: Int, _ random: inout SeededRandom) -> [[UInt8]] {
    var pieces: [Range<Int>] = []
    var at = 0
    while at < body.count {
      let end = min(at + Int.random(in: 1...max(body.count / 3, 1), using: &random), body.count)
      pieces.append(max(at - Int.random(in: 0...5, using: &random), 0)..<end)
      at = end
    }
    if Bool.random(using: &random), let piece = pieces.randomElement(using: &random) { pieces.append(piece) }
    return pieces.map { Self.record(22, Self.fragment(type, body, sequence: sequence, $0)) }
  }

  @Test func aHelloInSingleBytesIsRead() {
    let body = Self.helloBody(extensions: Self.extensions)
    let records = body.indices.map { Self.record(22, Self.fragment(1, body, sequence: 0, $0..<$0 + 1)) }
    let backwards = Array(records.reversed().joined())
    let read = Self.read([(.client, backwards)])
    #expect(read.tls?.serverName == "call.example.test")
    let parts = stride(from: 0, to: body.count, by: 60).map {
      Self.record(22, Self.fragment(1, body, sequence: 0, $0..<min($0 + 60, body.count)))
    }
    #expect(Self.read(parts.map { (.client, $0) }).notes == ["hello split over \(parts.count) datagrams"])
  }

  @Test func theFirstBytesOfTwoCount() {
    let body = Self.helloBody(extensions: Self.extensions)
    var other = body
    other[40] ^= 0xff
    let datagrams: [(FlowSide, [UInt8])] = [
      (.client, Self.record(22, Self.fragment(1, body, sequence: 0, 0..<100))),
      (.client, Self.record(22, Self.fragment(1, other, sequence: 0, 20..<other.count))),
    ]
    let whole = Self.read([(.client, Self.record(22, Self.fragment(1, body, sequence: 0)))])
    #expect(Self.read(datagrams).tls == whole.tls)
  }

  @Test func capsHold() {
    var read = DTLSConversation()
    let body = [UInt8](repeating: 1, count: 60_000)
    for sequence in 0..<40 {
      for start in stride(from: 0, to: 50_000, by: 5000) {
        let fragment = Self.fragment(11, body, sequence: sequence, start..<start + 4900)
        _ = read.take(Self.record(22, fragment), .client)
        #expect(read.bufferedBytes <= DTLSHandshakeAssembler.maximumBufferedBytes)
      }
    }
    #expect(read.notes == ["handshake in more or longer fragments than are read"])
    #expect(read.isDone && read.bufferedBytes == 0, "given up after \(DTLSConversation.maximumDatagrams) datagrams")
  }

  @Test func theSideThatSaysHelloIsTheClient() {
    let hello = Self.record(22, Self.fragment(1, Self.helloBody(extensions: Self.extensions), sequence: 0))
    let mine = Self.record(22, Self.fragment(11, Self.certificate, sequence: 1))
    let read = Self.read([(.server, hello), (.server, mine)])
    #expect(read.clientSide == .server)
    #expect(read.tls?.certificateNames == [], "a client's certificate")
    let answered = Self.read([(.client, mine), (.server, hello)])
    #expect(answered.tls?.certificateNames.count == 2, "the certificate came before the hello")
  }

  @Test func canBeginIsStrict() {
    let hello = Self.record(22, Self.fragment(1, Self.helloBody(extensions: Self.extensions), sequence: 0))
    let data = Self.record(23, [UInt8](repeating: 1, count: 40), epoch: 1, sequence: 7)
    #expect(Self.canBegin(hello) && Self.canBegin(data))
    let withID = [25] + Sample.u16(0xfefd) + Sample.u16(1) + Self.u48(3) + [UInt8](repeating: 8, count: 40)
    #expect(Self.canBegin(withID))
    let strangers: [[UInt8]] = [
      Array(hello.dropLast()), hello + [0], Array(data.dropLast()), data + [1, 2, 3],
      Self.record(23, [UInt8](repeating: 1, count: 40)),  // data that nobody encrypted
      Self.record(22, Self.fragment(99, [1, 2], sequence: 0)),  // no such message
      Self.record(22, Self.fragment(1, [1, 2], sequence: 0), version: 0x0303),
      Self.record(22, Self.fragment(1, [1, 2], sequence: 0), sequence: 1 << 40),
      Self.record(22, [], epoch: 1), Self.record(20, [1]), [22], [],
      [UInt8](repeating: 22, count: 60),
    ]
    for bytes in strangers { #expect(!Self.canBegin(bytes), "\(bytes)") }
  }

  @Test func aCutDatagramTakesNothing() {
    let hello = Self.record(22, Self.fragment(1, Self.helloBody(extensions: Self.extensions), sequence: 0))
    var read = DTLSConversation()
    #expect(read.take(Array(hello.prefix(60)), .client) == .broken)
    #expect(read.tls == nil && read.bufferedBytes == 0)
    #expect(read.take([0x80, 0x60] + [UInt8](repeating: 1, count: 30), .client) == .notMine)
  }

  @Test func aConnectionJoinedInTheMiddleIsGivenUp() {
    var read = DTLSConversation()
    let data = Self.record(23, [UInt8](repeating: 1, count: 40), epoch: 1, sequence: 7)
    for number in 1...DTLSConversation.maximumOpaqueDatagrams {
      let isLast = number == DTLSConversation.maximumOpaqueDatagrams
      #expect(read.take(data, .client) == (number == 1 ? .undecided : isLast ? .done : .mine))
    }
    #expect(read.isSure && read.tls == nil)
    #expect(read.take(data, .client) == .done)
    #expect(read.take([0x80, 0x60] + [UInt8](repeating: 1, count: 30), .client) == .notMine, "media beside it")
  }
}

/// What FuzzDTLS starts from and what it found, read again.
@Suite struct DTLSSeedTests {
  @Test func seedsStayWithinTheirBounds() throws {
    let seeds = try FuzzSeeds.all(of: "DTLS")
    #expect(seeds.count >= 9)
    var hellos = 0
    for (name, input) in seeds {
      guard let kind = input.first else { continue }
      if kind % 4 < 2 {
        hellos += try readCuts(Array(input.dropFirst()), kind % 4 == 0 ? 1 : 2, name)
        continue
      }
      var read = DTLSConversation()
      for (side, bytes) in STUNSeedTests.datagrams(input.dropFirst()) {
        let canBegin = DTLSTests.canBegin(bytes)
        let reading = read.take(bytes, side)
        #expect(!canBegin || reading != .notMine && reading != .broken, "\(name)")
        #expect(read.bufferedBytes <= 2 * DTLSHandshakeAssembler.maximumBufferedBytes, "\(name)")
      }
      hellos += read.tls == nil ? 0 : 1
    }
    #expect(hellos >= 7, "seeds that say nothing prove nothing")
  }

  /// A message, and where to cut it.
  private func readCuts(_ input: [UInt8], _ type: UInt8, _ name: String) throws -> Int {
    guard let count = input.first, input.count > 1 + 2 * Int(count & 15) else { return 0 }
    let list = Array(input[1...2 * Int(count & 15)])
    let body = Array(input.dropFirst(1 + list.count))
    var ranges = stride(from: 0, to: list.count, by: 2).map { i in
      let start = Int(list[i]) * body.count / 256
      return start..<min(start + 1 + Int(list[i + 1]) * 4, body.count)
    }
    ranges += stride(from: 0, to: body.count, by: 200).reversed().map { $0..<min($0 + 200, body.count) }
    let pieces = DTLSTests.read(
      ranges.map { (.client, DTLSTests.record(22, DTLSTests.fragment(type, body, sequence: 0, $0))) })
    let whole = DTLSTests.read([(.client, DTLSTests.record(22, DTLSTests.fragment(type, body, sequence: 0)))])
    #expect(whole.tls == pieces.tls && whole.facts == pieces.facts, "\(name): a cut changed what was read")
    return whole.tls == nil ? 0 : 1
  }
}

extension DTLSConversation {
  /// Takes a datagram that is an array.
  mutating func take(_ datagram: [UInt8], _ side: FlowSide) -> DatagramReading {
    consume(datagram.rawSpan, from: side)
  }
}
