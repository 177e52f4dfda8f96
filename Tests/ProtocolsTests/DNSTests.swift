import Bytes
import Testing

@testable import Protocols

/// Builds DNS messages by hand (synthetic).
enum DNSSample {
  static func name(_ labels: String...) -> [UInt8] {
    labels.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
  }

  static func header(_ counts: (Int, Int, Int, Int), flags: Int = 0x8180) -> [UInt8] {
    [0x12, 0x34] + Sample.u16(flags) + Sample.u16(counts.0) + Sample.u16(counts.1) + Sample.u16(counts.2)
      + Sample.u16(counts.3)
  }

  static func question(_ name: [UInt8], _ type: Int) -> [UInt8] { name + Sample.u16(type) + [0, 1] }

  static func record(_ name: [UInt8], _ type: Int, ttl: Int, _ data: [UInt8]) -> [UInt8] {
    name + Sample.u16(type) + [0, 1] + Sample.u16(ttl >> 16) + Sample.u16(ttl) + Sample.u16(data.count) + data
  }

  /// www.Example.test CNAME edge.example.net (TTL 300), with A and AAAA (TTL 60), names by pointers.
  static let chained: [UInt8] = {
    var bytes = header((1, 3, 0, 0))
    bytes += question(name("www", "Example", "test"), 1)
    bytes += record([0xc0, 12], 5, ttl: 300, name("edge", "example", "net"))
    let edge: [UInt8] = [0xc0, UInt8(12 + 18 + 4 + 2 + 10)]
    bytes += record(edge, 1, ttl: 60, [192, 0, 2, 7])
    bytes += record(edge, 28, ttl: 60, [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [9])
    return bytes
  }()

  static let query = header((1, 0, 0, 0), flags: 0x0100) + question(name("www", "example", "test"), 1)

  static func parse(_ bytes: [UInt8]) throws(ParseError) -> DNSMessage { try DNSMessage(parsing: bytes.rawSpan) }
}

@Suite struct DNSMessageTests {
  @Test func followsAliases() throws {
    let message = try DNSSample.parse(DNSSample.chained)
    #expect(message.questions.map(\.name) == ["www.example.test"])
    #expect(message.answers.map(\.name) == ["www.example.test", "edge.example.net", "edge.example.net"])
    #expect(message.damage == nil)
    #expect(
      message.addresses == [
        DNSAnswer(name: "www.example.test", address: IPAddress(v4: 0xc000_0207), timeToLive: 60),
        DNSAnswer(
          name: "www.example.test", address: IPAddress(high: 0x2001_0db8_0000_0000, low: 9), timeToLive: 60),
      ])
  }

  @Test func recordsThatWereNotAskedForAreLeftOut() throws {
    let bytes =
      DNSSample.header((1, 2, 0, 0)) + DNSSample.question(DNSSample.name("a", "test"), 1)
      + DNSSample.record([0xc0, 12], 1, ttl: 9, [192, 0, 2, 1])
      + DNSSample.record(DNSSample.name("bank", "test"), 1, ttl: 9, [192, 0, 2, 2])
    #expect(try DNSSample.parse(bytes).addresses.map(\.address.description) == ["192.0.2.1"])
  }

  @Test func aLoopOfAliasesEnds() throws {
    let bytes =
      DNSSample.header((1, 2, 0, 0)) + DNSSample.question(DNSSample.name("a", "test"), 1)
      + DNSSample.record(DNSSample.name("a", "test"), 5, ttl: 9, DNSSample.name("b", "test"))
      + DNSSample.record(DNSSample.name("b", "test"), 5, ttl: 9, DNSSample.name("a", "test"))
    #expect(try DNSSample.parse(bytes).addresses.isEmpty)
  }

  @Test func readsServiceBindings() throws {
    let data: [UInt8] =
      [0, 1, 0] + Sample.u16(1) + Sample.u16(6) + [2, 0x68, 0x32, 2, 0x68, 0x33] + Sample.u16(3) + Sample.u16(2)
      + Sample.u16(8443) + Sample.u16(4) + Sample.u16(8) + [192, 0, 2, 1, 192, 0, 2, 2] + Sample.u16(5) + Sample.u16(3)
      + [1, 2, 3] + Sample.u16(6) + Sample.u16(16) + [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]
    let bytes =
      DNSSample.header((1, 1, 0, 0)) + DNSSample.question(DNSSample.name("svc", "test"), 65)
      + DNSSample.record([0xc0, 12], 65, ttl: 120, data)
    let message = try DNSSample.parse(bytes)
    guard case .service(let binding)? = message.answers.first?.value else {
      Issue.record("no service binding")
      return
    }
    #expect(binding.priority == 1)
    #expect(binding.target == ".")
    #expect(binding.alpn == ["h2", "h3"])
    #expect(binding.port == 8443)
    #expect(binding.hasEncryptedClientHello)
    #expect(message.addresses.map(\.address.description) == ["192.0.2.1", "192.0.2.2", "2001:db8::1"])
    #expect(message.addresses.allSatisfy { $0.name == "svc.test" && $0.timeToLive == 120 })
  }

  @Test func followsServiceAliasesIntoTheAdditionalSection() throws {
    let bytes =
      DNSSample.header((1, 1, 0, 1)) + DNSSample.question(DNSSample.name("svc", "test"), 65)
      + DNSSample.record([0xc0, 12], 65, ttl: 120, [0, 0] + DNSSample.name("pool", "test"))
      + DNSSample.record(DNSSample.name("pool", "test"), 1, ttl: 30, [192, 0, 2, 3])
    let expected = DNSAnswer(name: "svc.test", address: IPAddress(v4: 0xc000_0203), timeToLive: 30)
    #expect(try DNSSample.parse(bytes).addresses == [expected])
  }

  @Test func keysOutOfOrderAreRefused() throws {
    let data = [0, 1, 0] + Sample.u16(4) + Sample.u16(4) + [192, 0, 2, 1] + Sample.u16(1) + Sample.u16(0)
    let bytes = DNSSample.header((0, 1, 0, 0)) + DNSSample.record(DNSSample.name("svc", "test"), 65, ttl: 1, data)
    #expect(try DNSSample.parse(bytes).damage == .malformed(.order, at: 12 + 10 + 10 + 3 + 8))
  }

  @Test func pointersMustLeadBackwards() {
    func question(_ name: [UInt8]) -> [UInt8] { DNSSample.header((1, 0, 0, 0)) + name + [0, 1, 0, 1] }
    // To itself, forward, behind the end.
    for target in [12, 14, 16, 0x3fff] {
      let bytes = question([UInt8(0xc0 | target >> 8), UInt8(target & 255)])
      #expect(throws: ParseError.malformed(.pointer, at: 12)) { try DNSSample.parse(bytes) }
    }
    // A label, then back to that label.
    let loop = question([1, 0x61, 0xc0, 12])
    #expect(throws: ParseError.malformed(.pointer, at: 14)) { try DNSSample.parse(loop) }
    let reserved = question([0x41, 0x61, 0])
    #expect(throws: ParseError.malformed(.name, at: 12)) { try DNSSample.parse(reserved) }
  }

  @Test func namesAndPointersAreCapped() {
    let label = [63] + [UInt8](repeating: 0x61, count: 63)
    let long = label + label + label + [62] + [UInt8](repeating: 0x61, count: 62) + [0]
    #expect(throws: ParseError.self) { try DNSSample.parse(DNSSample.header((1, 0, 0, 0)) + long + [0, 1, 0, 1]) }
    let allowed = label + label + label + [61] + [UInt8](repeating: 0x61, count: 61) + [0]
    #expect(throws: Never.self) { try DNSSample.parse(DNSSample.header((1, 0, 0, 0)) + allowed + [0, 1, 0, 1]) }
    // 80 pointers, each to the one before.
    var ladder = DNSSample.header((2, 0, 0, 0)) + [0, 0, 1, 0, 1]
    ladder[4 + 1] = 2
    var chain: [UInt8] = []
    let start = 12 + 5
    for i in 0..<80 { chain += [0xc0, UInt8(i == 0 ? 12 : start + 2 * (i - 1))] }
    var reader = ByteReader((ladder + chain).rawSpan)
    #expect(throws: ParseError.limit(.pointerJumps)) {
      try reader.skip(start + 2 * 79)
      _ = try DNSName.read(&reader, in: (ladder + chain).rawSpan)
    }
  }

  @Test func namesAreEscaped() throws {
    let raw: [UInt8] = [5, 0x41, 0x2e, 0x5c, 0x20, 0xff, 4] + Array("TEST".utf8) + [0]
    let bytes = DNSSample.header((2, 0, 0, 0)) + raw + [0, 1, 0, 1] + [0, 0, 2, 0, 1]
    #expect(try DNSSample.parse(bytes).questions.map(\.name) == ["a\\.\\\\\\032\\255.test", "."])
  }

  @Test func everyPrefixKeepsWhatCameBefore() throws {
    let whole = DNSSample.chained
    let questionEnd = 12 + 18 + 4
    for count in 0..<whole.count {
      let bytes = Array(whole.prefix(count))
      if count < questionEnd {
        #expect(throws: ParseError.self) { try DNSSample.parse(bytes) }
      } else {
        let message = try DNSSample.parse(bytes)
        #expect(message.damage != nil)
        #expect(message.questions.count == 1)
        #expect(message.answers.count < 3)
      }
    }
  }

  @Test func noChangeOfBytesTraps() {
    for _ in 0..<5000 {
      var changed = DNSSample.chained
      for _ in 0..<4 { changed[Int.random(in: 0..<changed.count)] = UInt8.random(in: 0...255) }
      let message = try? DNSSample.parse(changed)
      #expect(message?.addresses.count ?? 0 <= DNSMessage.maximumRecords)
    }
  }
}

@Suite struct DNSStreamTests {
  static func framed(_ message: [UInt8]) -> [UInt8] { Sample.u16(message.count) + message }

  @Test(arguments: [Int.max, 1, 2, 3, 17])
  func cutsAStreamIntoMessages(chunk: Int) {
    var parser = StreamParser.stream(serverPort: 53)
    parser.feed(Self.framed(DNSSample.query), from: .client, chunk: chunk)
    parser.feed(
      Self.framed(DNSSample.chained) + Self.framed(DNSSample.chained), from: .server, chunk: chunk)
    #expect(parser.facts.application == .dns)
    #expect(parser.facts.dnsQuestions == ["www.example.test"])
    #expect(parser.takeAnswers().count == 4)
    #expect(parser.takeAnswers().isEmpty)
    #expect(parser.bufferedBytes == 0)
    #expect(parser.wantsMore)
  }

  @Test func datagramsAreNamedByPort() {
    for (port, name) in [(53, "dns"), (5353, "mdns"), (5355, "llmnr")] as [(UInt16, String)] {
      #expect(NameResolution.application(40_000, port)?.rawValue == name)
      #expect(NameResolution.application(port, 40_000)?.rawValue == name)
    }
    #expect(NameResolution.application(40_000, 443) == nil)
    var resolution = NameResolution()
    var facts = FlowFacts()
    #expect(resolution.isTaken(DNSSample.query, &facts))
    #expect(resolution.isTaken(DNSSample.chained, &facts))
    #expect(!resolution.isTaken([0xff, 0xff, 0xff], &facts))
    #expect(facts.dnsQuestions == ["www.example.test"])
    let answers = resolution.takeAnswers()
    #expect(answers.map(\.name) == ["www.example.test", "www.example.test"])
  }

  @Test func otherDatagramsAreGivenUp() {
    var parser = DatagramParser(clientPort: 40_000, serverPort: 443)
    let payload = [UInt8](0..<40)
    parser.consume(datagram: payload.rawSpan, from: .client)
    let after = parser.state
    #expect(after.wantsMore)
    #expect(after.facts.clientFirstBytes.count == 16)
    #expect(after.facts.clientFirstBytes.starts(with: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]))
    #expect(!after.facts.clientFirstBytes.starts(with: [1]))
    for _ in 1..<DatagramParser.maximumDatagrams { parser.consume(datagram: payload.rawSpan, from: .server) }
    let atLast = parser.state
    #expect(!atLast.wantsMore)
  }
}

@Suite struct NameCacheTests {
  let client = IPAddress(v4: 0xc000_0201)
  let other = IPAddress(v4: 0xc000_0202)
  let server = IPAddress(v4: 0xc633_6401)
  static let second: Int64 = 1_000_000_000

  func answer(_ name: String, ttl: UInt32 = 60) -> DNSAnswer {
    DNSAnswer(name: name, address: server, timeToLive: ttl)
  }

  @Test func newestFirstAndEachOnce() {
    var cache = NameCache()
    #expect(cache.names(client: client, server: server, at: 0).isEmpty)
    cache.learn(client: client, answers: [answer("a.test")], at: 0)
    cache.learn(client: client, answers: [answer("b.test")], at: 1)
    cache.learn(client: client, answers: [answer("a.test")], at: 2)
    #expect(cache.names(client: client, server: server, at: 3) == ["a.test", "b.test"])
    #expect(cache.names(client: other, server: server, at: 3).isEmpty)
    #expect(cache.namesToldToOthers(client: other, server: server, at: 3) == ["a.test", "b.test"])
    #expect(cache.namesToldToOthers(client: client, server: server, at: 3).isEmpty)
  }

  @Test func namesExpire() {
    var cache = NameCache()
    cache.learn(client: client, answers: [answer("short.test", ttl: 1), answer("long.test", ttl: 3600)], at: 0)
    #expect(cache.names(client: client, server: server, at: 600 * Self.second) == ["long.test", "short.test"])
    #expect(cache.names(client: client, server: server, at: 600 * Self.second + 1) == ["long.test"])
    #expect(cache.names(client: client, server: server, at: 7201 * Self.second).isEmpty)
    #expect(NameCache.lifetime(of: .max) == 86_400 * Self.second)
  }

  @Test func anAnswerDoesNotExplainWhatCameBefore() {
    var cache = NameCache()
    cache.learn(client: client, answers: [answer("late.test")], at: 10)
    #expect(cache.names(client: client, server: server, at: 9).isEmpty)
  }

  @Test(arguments: [1, 2, 3, 7, 64])
  func theRingForgetsTheOldest(capacity: Int) {
    var cache = NameCache(capacity: capacity)
    for i in 0..<200 {
      cache.learn(client: client, answers: [answer("n\(i).test")], at: Int64(i))
      let expected = (0...i).reversed().prefix(min(capacity, NameCache.maximumNames)).map { "n\($0).test" }
      #expect(cache.names(client: client, server: server, at: Int64(i)) == expected)
    }
    #expect(cache.evictions == UInt64(200 - capacity))
  }

  @Test func aTimeAtTheEndOfTheScaleDoesNotTrap() {
    var cache = NameCache(capacity: 4)
    cache.learn(client: client, answers: [answer("end.test")], at: .max)
    cache.learn(client: client, answers: [answer("start.test")], at: .min)
    #expect(cache.names(client: client, server: server, at: .min) == ["start.test"])
  }

  /// Many clients that were told the same name do not hide another one.
  @Test func aPopularNameDoesNotHideAnother() {
    var cache = NameCache()
    cache.learn(client: client, answers: [answer("rare.test")], at: 0)
    for i in 0..<500 {
      cache.learn(client: IPAddress(v4: 0x0a00_0000 + UInt32(i)), answers: [answer("popular.test")], at: Int64(i) + 1)
    }
    #expect(cache.namesToldToOthers(client: other, server: server, at: 501) == ["popular.test", "rare.test"])
  }

  /// Against a list that is searched from its end, with a ring that turns.
  @Test(arguments: [8, 64, 1000])
  func toldToOthersEqualsAPlainList(capacity: Int) {
    var cache = NameCache(capacity: capacity)
    var list: [(client: IPAddress, answer: DNSAnswer)] = []
    for i in 0..<500 {
      // Names that no two clients share, so that no entry stands for another one's.
      let number = UInt32.random(in: 1...3)
      let what = DNSAnswer(
        name: "c\(number).n\(i).test", address: IPAddress(v4: UInt32.random(in: 1...4)), timeToLive: 3600)
      cache.learn(client: IPAddress(v4: number), answers: [what], at: Int64(i))
      list.append((IPAddress(v4: number), what))
      let asks = IPAddress(v4: UInt32.random(in: 1...4))
      let expected = list.suffix(capacity).reversed().filter { $0.client != asks && $0.answer.address == what.address }
      #expect(
        cache.namesToldToOthers(client: asks, server: what.address, at: Int64(i))
          == Array(expected.prefix(NameCache.maximumNames).map(\.answer.name)))
    }
  }

  /// Against a list that is searched from its end.
  @Test func equalsAPlainList() {
    var cache = NameCache(capacity: 1000)
    var list: [(client: IPAddress, answer: DNSAnswer, time: Int64)] = []
    for i in 0..<300 {
      let who = IPAddress(v4: UInt32.random(in: 1...3))
      let what = DNSAnswer(
        name: "n\(Int.random(in: 0...5)).test", address: IPAddress(v4: UInt32.random(in: 1...4)), timeToLive: 0)
      cache.learn(client: who, answers: [what], at: Int64(i) * 10 * Self.second)
      list.append((who, what, Int64(i) * 10 * Self.second))
      let now = Int64(i) * 10 * Self.second
      let oldest = now - NameCache.lifetime(of: 0)
      var expected: [String] = []
      for entry in list.reversed() where entry.client == who && entry.answer.address == what.address {
        if entry.time >= oldest, !expected.contains(entry.answer.name) { expected.append(entry.answer.name) }
      }
      #expect(cache.names(client: who, server: what.address, at: now) == Array(expected.prefix(8)))
    }
  }
}

extension NameResolution {
  fileprivate mutating func isTaken(_ message: [UInt8], _ facts: inout FlowFacts) -> Bool {
    take(message.rawSpan, into: &facts)
  }
}
