import Bytes
import Testing

@testable import Protocols

/// What tests compare: an owned picture of a ClientHello.
struct HelloPicture: Equatable {
  var name: String?
  var alpn: [String]
  var versions: [UInt16]
  var highest: UInt16
  var suites: Int
  var ja3: String
  var ja4: String
  var hasECH: Bool
  var hasPSK: Bool
  var damage: ParseError?

  init(body: [UInt8], over transport: JA4.Transport = .tcp) throws(ParseError) {
    var reader = ByteReader(body.rawSpan)
    let hello = try ClientHello(parsing: &reader)
    name = hello.serverName
    alpn = hello.alpn
    versions = hello.supportedVersions.map(\.rawValue)
    highest = hello.highestVersion.rawValue
    suites = hello.cipherSuites.byteCount / 2
    ja3 = JA3.fingerprint(of: hello)
    ja4 = JA4.fingerprint(of: hello, over: transport)
    hasECH = hello.hasEncryptedClientHello
    hasPSK = hello.hasPreSharedKey
    damage = hello.damage
  }
}

@Suite struct ClientHelloTests {
  /// JA3 is tshark 4.0.17's, JA4 was computed by a script from the fields that tshark shows.
  @Test func readsTheTraceOfRFC8448() throws {
    let hello = try HelloPicture(body: Array(Sample.rfc8448ClientHello.dropFirst(4)))
    #expect(hello.name == "server")
    #expect(hello.versions == [0x0304])
    #expect(hello.suites == 3)
    #expect(hello.alpn.isEmpty)
    #expect(hello.ja3 == "da4dea34fe6d4ce5f0725df3f2682fa0")
    #expect(hello.ja4 == "t13d030900_55b375c5d22e_59cd3dafc54d")
    #expect(hello.damage == nil)
  }

  @Test func writesJA3Text() throws {
    let body = Array(Sample.rfc8448ClientHello.dropFirst(4))
    var reader = ByteReader(body.rawSpan)
    let text = JA3.text(of: try ClientHello(parsing: &reader))
    #expect(text == "771,4865-4867-4866,0-65281-10-35-51-43-13-45-28,29-23-24-25-256-257-258-259-260,")
  }

  /// The hello of FoxIO's documentation, rebuilt from its raw fingerprint; GREASE is added, which must not count.
  @Test(arguments: [JA4.Transport.tcp, .quic, .dtls])
  func givesFoxIOsJA4(transport: JA4.Transport) throws {
    let suites: [UInt16] = [
      0x3a3a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
      0x002f, 0x0035,
    ]
    let algorithms: [UInt16] = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]
    var extensions = Sample.field(0x8a8a, [])
    extensions += Sample.serverName(Array("example.test".utf8))
    for type in [0x0017, 0xff01, 0x000a, 0x000b, 0x0023] { extensions += Sample.field(type, []) }
    extensions += Sample.alpn([Array("h2".utf8), Array("http/1.1".utf8)])
    extensions += Sample.field(0x0005, [1, 0, 0, 0, 0]) + Sample.list16(0x000d, algorithms)
    for type in [0x0012, 0x0033, 0x002d] { extensions += Sample.field(type, []) }
    extensions += Sample.versions([0x6a6a, 0x0304, 0x0303])
    for type in [0x001b, 0x4469, 0x5a5a, 0x0015] { extensions += Sample.field(type, []) }
    let hello = try HelloPicture(
      body: Sample.clientHelloBody(suites: suites, extensions: extensions), over: transport)
    let letter = String(UnicodeScalar(transport.rawValue))
    #expect(hello.ja4 == "\(letter)13d1516h2_8daaf6152771_e5627efa2ab1")
    #expect(hello.versions == [0x0304, 0x0303])
  }

  @Test func countsWithoutExtensionsAndSuites() throws {
    #expect(try HelloPicture(body: Sample.clientHelloBody(suites: [])).ja4 == "t12i000000_000000000000_000000000000")
    #expect(try HelloPicture(body: Sample.clientHelloBody(version: 0x0300)).ja4.hasPrefix("ts3i020000_"))
    let many = [UInt16](1...200)
    #expect(try HelloPicture(body: Sample.clientHelloBody(suites: many)).ja4.hasPrefix("t12i990000_"))
  }

  @Test(arguments: [("h2", "h2"), ("http/1.1", "h1"), ("h", "hh"), ("\u{e4}x", "c8"), ("a/", "6f"), ("", "00")])
  func takesALPNLetters(alpn: String, letters: String) throws {
    let body = Sample.clientHelloBody(extensions: Sample.alpn([Array(alpn.utf8)]))
    let ja4 = try HelloPicture(body: body).ja4
    #expect(ja4.dropFirst(8).prefix(2) == letters)
  }

  @Test func seesECHAndESNIAndPSK() throws {
    let ech = Sample.clientHelloBody(extensions: Sample.field(0xfe0d, [0, 0]))
    #expect(try HelloPicture(body: ech).hasECH)
    let esni = Sample.clientHelloBody(extensions: Sample.field(0xffce, []) + Sample.field(41, [1]))
    #expect(try HelloPicture(body: esni).hasECH)
    #expect(try HelloPicture(body: esni).hasPSK)
  }

  @Test func keepsWhatWasSentInNames() throws {
    func name(_ bytes: [UInt8]) throws -> String? {
      try HelloPicture(body: Sample.clientHelloBody(extensions: Sample.serverName(bytes))).name
    }
    #expect(try name(Array("Host.EXAMPLE.test.".utf8)) == "Host.EXAMPLE.test.")
    #expect(try name(Array("b\u{fc}cher.test".utf8)) == "b\u{fc}cher.test")
    #expect(try name([0x61, 0xff, 0xc3, 0x00, 0x5c, 0x62]) == "a\\xff\\xc3\\x00\\x5cb")
    #expect(try name([]) == "")
    #expect(try HelloPicture(body: Sample.clientHelloBody(extensions: Sample.field(0, []))).name == nil)
  }

  @Test func keepsTheRestOfADamagedExtension() throws {
    let broken = Sample.field(0, [0, 9, 0, 0, 99, 0x61]) + Sample.alpn([Array("h2".utf8)])
    let hello = try HelloPicture(body: Sample.clientHelloBody(extensions: broken))
    #expect(hello.name == nil)
    #expect(hello.alpn == ["h2"])
    #expect(hello.damage != nil)
    #expect(hello.ja4.hasPrefix("t12d0202h2_"))
  }

  /// An extension that is longer than the block: those before it stay, and it counts nowhere.
  @Test func keepsWhatCameBeforeABrokenExtension() throws {
    let whole = Sample.serverName(Array("kept.test".utf8)) + Sample.list16(13, [0x0403])
    let broken = Sample.clientHelloBody(extensions: whole + [0, 16, 0xff, 0xfc, 0, 3, 2, 0x68, 0x32])
    let intact = Sample.clientHelloBody(extensions: whole)
    var reader = ByteReader(broken.rawSpan)
    let hello = try ClientHello(parsing: &reader)
    #expect(hello.serverName == "kept.test" && hello.alpn.isEmpty)
    let isDamaged = hello.damage != nil
    #expect(isDamaged)
    var intactReader = ByteReader(intact.rawSpan)
    let same = try ClientHello(parsing: &intactReader)
    #expect(JA4.fingerprint(of: hello, over: .tcp) == JA4.fingerprint(of: same, over: .tcp))
    #expect(JA3.fingerprint(of: hello) == JA3.fingerprint(of: same))
  }

  @Test func largeKeySharesAreNothingSpecial() throws {
    let share = Sample.field(51, [UInt8](repeating: 1, count: 1216 + 40))
    let hello = try HelloPicture(
      body: Sample.clientHelloBody(extensions: share + Sample.serverName(Array("pq.test".utf8))))
    #expect(hello.name == "pq.test")
  }

  /// A body that ends before its extensions is a whole hello of an old client: the one prefix that may be read.
  @Test func everyPrefixIsTruncated() throws {
    for body in [Array(Sample.rfc8448ClientHello.dropFirst(4)), Sample.clientHelloBody(extensions: [])] {
      var reader = ByteReader(body.rawSpan)
      let extensions = try ClientHello(parsing: &reader).extensions.byteCount
      for count in 0..<body.count where count != body.count - extensions - 2 {
        do throws(ParseError) {
          _ = try HelloPicture(body: Array(body.prefix(count)))
          Issue.record("\(count) of \(body.count) bytes were read as a hello")
        } catch {
          guard case .truncated = error else {
            Issue.record("\(count) bytes: \(error)")
            continue
          }
        }
      }
    }
  }

  @Test func noChangeOfAByteTraps() {
    var random = SystemRandomNumberGenerator()
    for body in [Array(Sample.rfc8448ClientHello.dropFirst(4)), Array(Sample.rfc8448ServerHello.dropFirst(4))] {
      for _ in 0..<2000 {
        var changed = body
        for _ in 0..<3 { changed[Int.random(in: 0..<body.count, using: &random)] = UInt8.random(in: 0...255) }
        _ = try? HelloPicture(body: changed)
        var reader = ByteReader(changed.rawSpan)
        let length = try? ServerHello(parsing: &reader).extensions.byteCount
        #expect(length ?? 0 <= changed.count)
      }
    }
  }

  @Test func greaseIsGrease() {
    let values = (0...15).map { UInt16($0) << 12 | 0x0a00 | UInt16($0) << 4 | 0x0a }
    #expect(values.allSatisfy(isGREASE))
    #expect((0...UInt16.max).filter(isGREASE).count == 16)
  }
}

@Suite struct ServerHelloTests {
  /// JA3S is tshark 4.0.17's.
  @Test func readsTheTraceOfRFC8448() throws {
    let body = Array(Sample.rfc8448ServerHello.dropFirst(4))
    var reader = ByteReader(body.rawSpan)
    let hello = try ServerHello(parsing: &reader)
    let (version, legacy, suite, isRetry) = (
      hello.version, hello.legacyVersion, hello.cipherSuite, hello.isHelloRetryRequest
    )
    let ja3s = JA3.fingerprint(of: hello)
    #expect(version == .tls13)
    #expect(legacy == .tls12)
    #expect(suite == 0x1301)
    #expect(!isRetry)
    #expect(ja3s == "eb1d94daa7e0344597e756a1fb6e7054")
  }

  @Test func knowsARetry() throws {
    let body = Array(Sample.serverHello(isTLS13: true, isRetry: true).dropFirst(4))
    var reader = ByteReader(body.rawSpan)
    let isRetry = try ServerHello(parsing: &reader).isHelloRetryRequest
    #expect(isRetry)
  }

  @Test func everyPrefixIsTruncated() {
    let body = Array(Sample.rfc8448ServerHello.dropFirst(4))
    for count in 0..<body.count where count != 38 {
      let prefix = Array(body.prefix(count))
      var reader = ByteReader(prefix.rawSpan)
      do throws(ParseError) {
        _ = try ServerHello(parsing: &reader)
        Issue.record("\(count) bytes were read as a hello")
      } catch {
        guard case .truncated = error else {
          Issue.record("\(count) bytes: \(error)")
          continue
        }
      }
    }
  }
}

@Suite struct FingerprintCacheTests {
  @Test func answersAsWithoutIt() throws {
    let cache = FingerprintCache()
    for round in 0..<2 {
      for i in 0..<50 {
        let extensions = Sample.serverName(Array("host\(i).\(round).test".utf8)) + Sample.field(i + 100, [])
        let body = Sample.clientHelloBody(suites: [0x1301, UInt16(i)], extensions: extensions)
        var reader = ByteReader(body.rawSpan)
        let hello = try ClientHello(parsing: &reader)
        let cached = [cache.ja3(of: hello), cache.ja4(of: hello, over: .tcp), cache.ja4(of: hello, over: .quic)]
        let computed = [
          JA3.fingerprint(of: hello), JA4.fingerprint(of: hello, over: .tcp), JA4.fingerprint(of: hello, over: .quic),
        ]
        #expect(cached == computed)
      }
    }
    // The second round differs in names alone, so all but what shared a place is known.
    #expect(cache.counters.hits >= 120)
    #expect(cache.counters.hits + cache.counters.misses == 300)
  }
}
