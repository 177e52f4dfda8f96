import Bytes
import Digest
import TestSupport
import Testing

@testable import Protocols

/// Hellos drawn by a seed: the programs are synthetic, the format is the wire's.
private struct HelloSource {
  var random: SeededRandom

  private mutating func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
  private mutating func grease() -> UInt16 { UInt16(below(16)) &* 0x1010 &+ 0x0a0a }

  private mutating func values(_ count: Int) -> [UInt16] {
    (0..<count).map { _ in below(4) == 0 ? grease() : UInt16(below(below(3) == 0 ? 0x1_0000 : 24)) }
  }

  /// The extensions of a program, each whole.
  private mutating func fields() -> [[UInt8]] {
    var fields = [
      Sample.list16(10, values(below(4))), Sample.list16(13, values(below(6))), Sample.field(51, [1, 2, 3]),
    ]
    if below(4) > 0 { fields.append(Sample.serverName(Array("host\(below(9)).test".utf8))) }
    if below(3) > 0 { fields.append(Sample.versions(values(below(4)))) }
    if below(3) > 0 { fields.append(Sample.alpn([Array("h\(below(4))".utf8), Array("http/1.1".utf8)])) }
    if below(3) > 0 { fields.append(Sample.field(11, [2, UInt8(below(3)), 1])) }
    for _ in 0..<below(6) { fields.append(Sample.field(Int(values(1)[0]), [UInt8](repeating: 7, count: below(4)))) }
    if below(20) == 0 { fields += (0..<below(80)).map { Sample.field(100 &+ $0, []) } }
    if below(20) == 0 { fields.append(Sample.field(21, [UInt8](repeating: 0, count: 300))) }
    return fields
  }

  /// A program's hellos: its lists stay, while extensions are shuffled, cut off, damaged or given other GREASE.
  mutating func program() -> [[UInt8]] {
    let suites = values(1 &+ below(below(30) == 0 ? 400 : 20))
    let fields = fields()
    return (0..<6).map { round in
      var shuffled = fields
      if round > 1 { shuffled.shuffle(using: &random) }
      if round > 3, !shuffled.isEmpty { shuffled.removeLast() }
      var block = shuffled.flatMap { $0 }
      if round == 5, !block.isEmpty { block[below(block.count)] = UInt8(below(256)) }
      let greased = suites.map { isGREASE($0) ? grease() : $0 }
      var body = Sample.clientHelloBody(suites: greased, extensions: block)
      if below(8) == 0 { body = Array(body.prefix(below(body.count))) }
      if below(8) == 0, body.count > 40 { body[below(40)] = UInt8(below(256)) }
      return body
    }
  }
}

@Suite struct HelloTraitsTests {
  private static let transports = [JA4.Transport.tcp, .quic, .dtls]

  /// The same by every way: from the cache that other hellos went through, computed anew, and by the public
  /// functions that know no cache.
  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
  func theCacheNeverChangesAnAnswer(seed: UInt64) throws {
    var source = HelloSource(random: SeededRandom(seed))
    let cache = FingerprintCache()
    var read = 0
    var hellos: [[UInt8]] = []
    for _ in 0..<60 { hellos += source.program() }
    hellos += hellos.shuffled(using: &source.random)
    for (i, body) in hellos.enumerated() {
      var reader = ByteReader(body.rawSpan)
      guard let hello = try? ClientHello(parsing: &reader) else { continue }
      read += 1
      let transport = Self.transports[i % 7 < 5 ? 0 : i % 7 - 4]
      let isWanted = i % 11 > 0
      let cached = cache.traits(of: hello, over: transport, wantsFingerprints: isWanted)
      #expect(cached == HelloTraits(hello, over: transport, wantsFingerprints: isWanted), "\(body.hex)")
      #expect(cached.ja4 == (isWanted ? JA4.fingerprint(of: hello, over: transport) : nil), "\(body.hex)")
      let line = Array(JA3.text(of: hello).utf8)
      #expect(cached.ja3 == (isWanted && transport == .tcp ? md5(line).hex : nil), "\(body.hex)")
    }
    #expect(read > 400)
    #expect(cache.counters.hits > 60, "a cache that never answers proves nothing")
  }

  /// Of each of the parts, hellos that differ in it alone, one after the other.
  @Test func everyPartOfTheKeyCounts() throws {
    let base = [Sample.list16(10, [29]), Sample.list16(13, [0x0403]), Sample.field(11, [1, 0])]
    let variants: [[UInt8]] = [
      Sample.clientHelloBody(extensions: base.flatMap { $0 }),
      Sample.clientHelloBody(version: 0x0302, extensions: base.flatMap { $0 }),
      Sample.clientHelloBody(suites: [0x1301], extensions: base.flatMap { $0 }),
      Sample.clientHelloBody(
        suites: [0x1301, 29], extensions: (base.dropFirst() + [Sample.field(10, [])]).flatMap { $0 }),
      Sample.clientHelloBody(extensions: base.reversed().flatMap { $0 }),
      Sample.clientHelloBody(extensions: (base + [Sample.field(23, [])]).flatMap { $0 }),
      Sample.clientHelloBody(extensions: (base + [Sample.field(23, []), Sample.field(23, [])]).flatMap { $0 }),
      Sample.clientHelloBody(extensions: (base + [Sample.field(0xffff, [])]).flatMap { $0 }),
      Sample.clientHelloBody(extensions: (base + [Sample.serverName([0x61])]).flatMap { $0 }),
      Sample.clientHelloBody(extensions: (base + [Sample.versions([0x0304])]).flatMap { $0 }),
      Sample.clientHelloBody(extensions: (base + [Sample.versions([0x0a0a])]).flatMap { $0 }),
      Sample.clientHelloBody(extensions: (base + [Sample.alpn([[0x68]])]).flatMap { $0 }),
      Sample.clientHelloBody(extensions: (base + [Sample.alpn([[0x68], [0x68]])]).flatMap { $0 }),
      Sample.clientHelloBody(extensions: (base + [Sample.alpn([[UInt8](repeating: 0x68, count: 9)])]).flatMap { $0 }),
    ]
    var keys: [[UInt64]] = []
    for body in variants {
      var reader = ByteReader(body.rawSpan)
      let key = HelloKey(try ClientHello(parsing: &reader), over: .tcp, wantsFingerprints: true)
      let words = key.keptWords + [0xffff_ffff_ffff_ffff] + key.keptOrder
      if key.isWhole { #expect(!keys.contains(words), "\(body.hex)") }
      keys.append(words)
    }
    #expect(keys.count == variants.count)
  }

  /// Random, session id, name, key share and GREASE are the connection's: one entry answers for all of them.
  @Test func whatVariesWithTheConnectionDoesNot() throws {
    let cache = FingerprintCache()
    for i in 0..<40 {
      let grease = UInt16(i % 16) &* 0x1010 &+ 0x0a0a
      let extensions =
        Sample.field(Int(grease), []) + Sample.serverName(Array("host\(i).test".utf8))
        + Sample.list16(10, [grease, 29]) + Sample.field(51, [UInt8](repeating: UInt8(i), count: 20 + i))
        + Sample.field(41, [UInt8](repeating: UInt8(i), count: i))
      var body = Sample.clientHelloBody(suites: [grease, 0x1301], extensions: extensions)
      for at in 2..<34 { body[at] = UInt8(i) }
      var reader = ByteReader(body.rawSpan)
      _ = cache.traits(of: try ClientHello(parsing: &reader), over: .tcp, wantsFingerprints: true)
    }
    #expect(cache.counters == FingerprintCache.Counters(hits: 39, misses: 1, replaced: 0))
  }

  /// More programs than there are places: each newcomer takes a place that was another's.
  @Test func theCacheIsBounded() throws {
    let cache = FingerprintCache()
    let programs = 3 * FingerprintCache.maximumHellos
    for i in 0..<programs {
      let body = Sample.clientHelloBody(suites: [UInt16(i), 0x1301], extensions: Sample.list16(10, [29]))
      var reader = ByteReader(body.rawSpan)
      _ = cache.traits(of: try ClientHello(parsing: &reader), over: .tcp, wantsFingerprints: false)
    }
    let counters = cache.counters
    #expect(counters.misses == UInt64(programs) && counters.hits == 0)
    #expect(counters.replaced >= UInt64(programs - FingerprintCache.maximumHellos))
  }
}
