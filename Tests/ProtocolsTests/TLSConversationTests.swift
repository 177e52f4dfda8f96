import Bytes
import Testing

@testable import Protocols

@Suite struct TLSConversationTests {
  static let tls12Server =
    Sample.record(22, Sample.serverHello(isTLS13: false) + Sample.certificateMessage([Sample.certificate, [9, 9]]))
    + Sample.record(22, Sample.message(14, []))

  @Test(arguments: [Int.max, 1, 2, 3, 5, 7, 64, 1000])
  func readsTLS12(chunk: Int) {
    var parser = StreamParser.stream()
    parser.feed(Sample.helloRecord("courier.example.test", isTLS13: false), from: .client, chunk: chunk)
    #expect(parser.facts.application == .tls)
    #expect(parser.facts.tls?.serverName == "courier.example.test")
    #expect(parser.wantsMore)
    parser.feed(Self.tls12Server, from: .server, chunk: chunk)
    #expect(!parser.wantsMore)
    #expect(parser.facts.tls?.version == 0x0303)
    #expect(parser.facts.tls?.alpnSelected == "h2")
    #expect(parser.facts.tls?.certificateNames == ["courier.example.test", "*.push.example.test"])
    #expect(parser.facts.tls?.ja4 != nil)
    #expect(parser.facts.tls?.ja3s != nil)
    #expect(parser.bufferedBytes == 0)
  }

  @Test(arguments: [Int.max, 1, 10])
  func readsTLS13UpToTheServerHello(chunk: Int) {
    var parser = StreamParser.stream()
    parser.feed(Sample.record(22, Sample.rfc8448ClientHello), from: .client, chunk: chunk)
    parser.feed(Sample.record(22, Sample.rfc8448ServerHello), from: .server, chunk: chunk)
    #expect(parser.facts.tls?.version == 0x0304)
    #expect(parser.facts.tls?.cipherSuite == 0x1301)
    #expect(parser.facts.tls?.ja3 == "da4dea34fe6d4ce5f0725df3f2682fa0")
    #expect(!parser.wantsMore)
  }

  @Test func theFirstHelloCountsAfterARetry() {
    var parser = StreamParser.stream()
    parser.feed(Sample.helloRecord("first.test"), from: .client)
    parser.feed(Sample.record(22, Sample.serverHello(isTLS13: true, isRetry: true)), from: .server)
    parser.feed(Sample.record(20, [1]), from: .server)
    #expect(parser.facts.tls?.hasHelloRetryRequest == true)
    #expect(parser.facts.tls?.ja3s == nil)
    #expect(parser.wantsMore)
    parser.feed(Sample.record(20, [1]) + Sample.helloRecord("second.test"), from: .client)
    parser.feed(Sample.record(22, Sample.rfc8448ServerHello), from: .server)
    #expect(parser.facts.tls?.serverName == "first.test")
    #expect(parser.facts.tls?.version == 0x0304)
    #expect(parser.facts.tls?.ja3s == "eb1d94daa7e0344597e756a1fb6e7054")
    #expect(!parser.wantsMore)
  }

  @Test func tellsInHowManyPiecesAHelloCame() {
    let message = Sample.rfc8448ClientHello
    var parser = StreamParser.stream()
    let records =
      Sample.record(22, Array(message[..<20])) + Sample.record(22, Array(message[20..<90]))
      + Sample.record(22, Array(message[90...]))
    parser.feed(Array(records[..<50]), from: .client)
    #expect(parser.facts.tls == nil)
    parser.feed(Array(records[50...]), from: .client)
    #expect(parser.facts.tls?.serverName == "server")
    #expect(parser.facts.notes == ["hello split over 3 records", "hello split over 2 segments"])
    var tiny = StreamParser.stream()
    tiny.feed(Sample.record(22, message), from: .client, chunk: 1)
    #expect(tiny.facts.notes.last == "hello in pieces of at most 1 byte")
    var whole = StreamParser.stream()
    whole.feed(Sample.record(22, message), from: .client)
    #expect(whole.facts.notes.isEmpty)
  }

  @Test func anySplitGivesTheSame() {
    let stream = Sample.record(22, Sample.rfc8448ClientHello)
    var whole = StreamParser.stream()
    whole.feed(stream, from: .client)
    for split in 1..<stream.count {
      var parser = StreamParser.stream()
      parser.feed(Array(stream[..<split]), from: .client)
      parser.feed(Array(stream[split...]), from: .client)
      #expect(parser.facts.tls == whole.facts.tls)
      #expect(parser.facts.clientFirstBytes == whole.facts.clientFirstBytes)
    }
  }

  @Test func aCutHelloSaysNothingAndIsBounded() {
    let stream = Sample.record(22, Sample.rfc8448ClientHello)
    for count in 0..<stream.count {
      var parser = StreamParser.stream()
      parser.feed(Array(stream[..<count]), from: .client)
      #expect(parser.facts.tls == nil)
      #expect(parser.bufferedBytes <= stream.count)
    }
  }

  @Test func knowsCiphertextInTheMiddle() {
    let data = Sample.record(23, [UInt8](repeating: 0xa5, count: 300), version: 0x0303)
    for chunk in [Int.max, 100, 1] {
      var parser = StreamParser.stream()
      parser.feed(data + data, from: .client, chunk: chunk)
      #expect(parser.facts.application == .tls)
      #expect(parser.facts.tls == nil)
      parser.feed(data + data, from: .server, chunk: chunk)
      #expect(!parser.wantsMore)
    }
  }

  @Test func findsRecordsAfterTheRestOfOne() {
    let data = Sample.record(23, [UInt8](repeating: 0xa5, count: 300), version: 0x0303)
    var parser = StreamParser.stream()
    parser.feed([UInt8](repeating: 0xc7, count: 90), from: .server)
    #expect(parser.facts.application == nil)
    parser.feed(data + data, from: .server)
    #expect(parser.facts.application == .tls)
  }

  @Test func findsTheServersHelloAfterAGap() {
    var parser = StreamParser.stream()
    parser.skipGap(from: .client)
    parser.feed(Self.tls12Server, from: .server)
    #expect(parser.facts.tls?.certificateNames.first == "courier.example.test")
    parser.skipGap(from: .server)
    var torn = StreamParser.stream()
    torn.feed(Array(Sample.helloRecord("lost.test").prefix(30)), from: .client)
    torn.skipGap(from: .client)
    #expect(torn.bufferedBytes == 0)
    torn.feed(Self.tls12Server, from: .server)
    #expect(torn.facts.tls?.cipherSuite == 0x1301)
    #expect(torn.facts.tls?.serverName == nil)
  }

  @Test func acceptsAHelloFromTheOtherSide() {
    var parser = StreamParser.stream()
    parser.feed(Sample.helloRecord("reversed.test"), from: .server)
    #expect(parser.facts.tls?.serverName == "reversed.test")
    parser.feed(Self.tls12Server, from: .client)
    #expect(parser.facts.tls?.certificateNames.isEmpty == false)
    #expect(!parser.wantsMore)
  }

  @Test func anAbbreviatedHandshakeEndsWithCiphertext() {
    var parser = StreamParser.stream()
    parser.feed(Sample.helloRecord("again.test", isTLS13: false), from: .client)
    parser.feed(Sample.record(22, Sample.serverHello(isTLS13: false)) + Sample.record(20, [1]), from: .server)
    #expect(!parser.wantsMore)
    #expect(parser.facts.tls?.version == 0x0303)
  }

  @Test func aSilentServerIsGivenUp() {
    var parser = StreamParser.stream()
    parser.feed(Sample.helloRecord("alone.test"), from: .client)
    let data = Sample.record(23, [UInt8](repeating: 1, count: 1000), version: 0x0303)
    for _ in 0..<100 where parser.wantsMore { parser.feed(data, from: .client) }
    #expect(!parser.wantsMore)
    #expect(parser.facts.tls?.serverName == "alone.test")
  }

  @Test func aBrokenHelloIsTLSAndSaysWhy() {
    var body = Sample.clientHelloBody(extensions: [])
    body[35] = 0xff
    var parser = StreamParser.stream()
    parser.feed(Sample.record(22, Sample.message(1, body)), from: .client)
    #expect(parser.facts.application == .tls)
    #expect(parser.facts.tls == nil)
    #expect(parser.facts.notes.first?.hasPrefix("broken ClientHello") == true)
  }

  @Test func aMessageBeyondTheCapIsNotKept() {
    var parser = StreamParser.stream()
    let start = Sample.record(22, [1] + Sample.u24(1 << 20) + [UInt8](repeating: 3, count: 16_000))
    parser.feed(start, from: .client)
    #expect(parser.bufferedBytes == 0)
    #expect(parser.facts.notes.first?.contains("65536") == true)
  }

  @Test func readsAnSSL2Hello() {
    let specs: [UInt8] = [0, 0, 5, 0, 0, 4, 7, 0, 0xc0]
    let hello: [UInt8] =
      [0x80, UInt8(9 + specs.count + 16), 1, 3, 1, 0, UInt8(specs.count), 0, 0, 0, 16] + specs
      + [UInt8](repeating: 5, count: 16)
    for chunk in [Int.max, 1] {
      var parser = StreamParser.stream()
      parser.feed(hello, from: .client, chunk: chunk)
      #expect(parser.facts.application == .tls)
      #expect(parser.facts.tls?.version == 0x0301)
      #expect(parser.facts.tls?.ja3 == nil)
      #expect(parser.facts.notes == ["hello in SSL 2.0 format"])
      parser.feed(Self.tls12Server, from: .server, chunk: chunk)
      #expect(parser.facts.tls?.certificateNames.count == 2)
    }
  }

  @Test func fingerprintsOnlyOnRequest() {
    var parser = StreamParser(clientPort: 1, serverPort: 443, wantsFingerprints: false)
    parser.feed(Sample.helloRecord("plain.test"), from: .client)
    #expect(parser.facts.tls?.serverName == "plain.test")
    #expect(parser.facts.tls?.ja3 == nil)
    #expect(parser.facts.tls?.ja4 == nil)
  }

  @Test func isSmall() {
    #expect(MemoryLayout<StreamParser>.size < 2048)
  }
}
