import Bytes
import Testing

@testable import Protocols

@Suite struct HTTPTests {
  @Test(arguments: [Int.max, 1, 7])
  func readsHostAgentAndStatus(chunk: Int) {
    var parser = StreamParser.stream(serverPort: 80)
    parser.feed(
      "POST /a?b HTTP/1.1\r\nhOsT:  www.example.test:8080 \r\nUser-Agent: probe/1.0 (x)\r\nX: y\r\n\r\nbody",
      from: .client,
      chunk: chunk)
    #expect(parser.wantsMore)
    parser.feed("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\nServer: s\r\n\r\n", from: .server, chunk: chunk)
    #expect(parser.facts.application == .http)
    #expect(parser.facts.http?.method == "POST")
    #expect(parser.facts.http?.host == "www.example.test")
    #expect(parser.facts.http?.userAgent == "probe/1.0 (x)")
    #expect(parser.facts.http?.status == 404)
    #expect(!parser.wantsMore)
    #expect(parser.bufferedBytes == 0)
  }

  @Test(arguments: [
    ("GET http://user@abs.test:81/x HTTP/1.1\r\nHost: other.test\r\n\r\n", "abs.test"),
    ("GET / HTTP/1.1\nHost: [2001:db8::1]:80\n\n", "2001:db8::1"),
    ("GET / HTTP/1.1\r\nHost: one.test\r\nHost: two.test\r\n\r\n", "one.test"),
  ])
  func takesTheHost(request: String, host: String) {
    var parser = StreamParser.stream(serverPort: 8000)
    parser.feed(request, from: .client)
    #expect(parser.facts.http?.host == host)
  }

  @Test func aHeaderWithoutEndIsGivenUp() {
    var parser = StreamParser.stream(serverPort: 80)
    parser.feed("GET / HTTP/1.1\r\nHost: long.test\r\n", from: .client)
    for i in 0..<2000 where parser.wantsMore {
      parser.feed("X-\(i): " + String(repeating: "a", count: 100), from: .client)
    }
    #expect(!parser.wantsMore)
    #expect(parser.facts.http?.host == "long.test")
  }

  @Test(arguments: [Int.max, 1, 5])
  func readsTLSInsideConnect(chunk: Int) {
    var parser = StreamParser.stream(serverPort: 3128)
    parser.feed("CONNECT courier.example.test:5223 HTTP/1.1\r\nHost: ignored\r\n\r\n", from: .client, chunk: chunk)
    parser.feed("HTTP/1.1 200 Connection established\r\nA: b\r\n\r\n", from: .server, chunk: chunk)
    #expect(parser.wantsMore)
    #expect(parser.facts.http?.host == "courier.example.test")
    parser.feed(Sample.helloRecord("inner.example.test"), from: .client, chunk: chunk)
    parser.feed(Sample.record(22, Sample.rfc8448ServerHello), from: .server, chunk: chunk)
    #expect(parser.facts.application == .tls)
    #expect(parser.facts.upgradedFrom == .http)
    #expect(parser.facts.tls?.serverName == "inner.example.test")
    #expect(parser.facts.http?.status == 200)
    #expect(!parser.wantsMore)
  }
}

extension HTTPTests {
  @Test func aHelloMayComeBeforeTheProxysAnswer() {
    var parser = StreamParser.stream(serverPort: 3128)
    parser.feed(Array("CONNECT a.test:443 HTTP/1.1\r\n\r\n".utf8) + Sample.helloRecord("early.test"), from: .client)
    parser.feed("HTTP/1.1 200 OK\r\n\r\n", from: .server)
    parser.feed(Sample.record(22, Sample.rfc8448ServerHello), from: .server)
    #expect(parser.facts.application == .tls)
    #expect(parser.facts.upgradedFrom == .http)
    #expect(parser.facts.tls?.serverName == "early.test")
    #expect(parser.facts.tls?.cipherSuite == 0x1301)
  }

  @Test func aRefusedTunnelEnds() {
    var parser = StreamParser.stream(serverPort: 3128)
    parser.feed("CONNECT a.test:443 HTTP/1.1\r\n\r\n", from: .client)
    parser.feed("HTTP/1.1 403 Forbidden\r\n\r\n", from: .server)
    #expect(!parser.wantsMore)
    #expect(parser.facts.http?.status == 403)
    #expect(parser.facts.application == .http)
  }
}

@Suite struct StartTLSTests {
  static let sessions: [(ApplicationProtocol, UInt16, [(FlowSide, [UInt8])])] = {
    func text(_ side: FlowSide, _ text: String) -> (FlowSide, [UInt8]) { (side, Array(text.utf8)) }
    let mysqlGreeting: [UInt8] = [74, 0, 0, 0, 10] + Array("8.0.36".utf8) + [UInt8](repeating: 0, count: 67)
    return [
      (
        .smtp, 587,
        [
          text(.server, "220 mail.example.test ESMTP\r\n"), text(.client, "EHLO me\r\n"),
          text(.server, "250-hi\r\n250 STARTTLS\r\n"), text(.client, "STARTTLS\r\n"), text(.server, "220 go\r\n"),
        ]
      ),
      (
        .imap, 143,
        [text(.server, "* OK ready\r\n"), text(.client, "a1 STARTTLS\r\n"), text(.server, "a1 OK go\r\n")]
      ),
      (.pop3, 110, [text(.server, "+OK hi\r\n"), text(.client, "STLS\r\n"), text(.server, "+OK\r\n")]),
      (.ftp, 21, [text(.server, "220 ftp\r\n"), text(.client, "AUTH TLS\r\n"), text(.server, "234 ok\r\n")]),
      (
        .xmpp, 5222,
        [
          text(.client, "<?xml version='1.0'?><stream:stream to='x.test' xmlns='jabber:client'>"),
          text(.server, "<stream:stream><stream:features><starttls/></stream:features>"),
          text(.client, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\n"), text(.server, "<proceed/>"),
        ]
      ),
      (
        .ldap, 389,
        [
          (.client, [0x30, 29, 2, 1, 1, 0x77, 24, 0x80, 22] + Array("1.3.6.1.4.1.1466.20037".utf8)),
          (.server, [0x30, 12, 2, 1, 1, 0x78, 7, 10, 1, 0, 4, 0, 4, 0]),
        ]
      ),
      (.postgresql, 5432, [(.client, [0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]), (.server, [0x53])]),
      (
        .mysql, 3306,
        [(.server, mysqlGreeting), (.client, [32, 0, 0, 1, 0, 8, 0, 0] + [UInt8](repeating: 0, count: 28))]
      ),
      (
        .rdp, 3389,
        [
          (.client, [3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 1, 0, 0, 0]),
          (.server, [3, 0, 0, 19, 14, 0xd0, 0, 0, 0, 0, 0, 2, 0, 8, 0, 1, 0, 0, 0]),
        ]
      ),
      (.proxy, 443, [text(.client, "PROXY TCP4 192.0.2.1 192.0.2.2 5 443\r\n")]),
    ]
  }()

  @Test(arguments: [Int.max, 1, 3], 0..<10)
  func readsTLSAfterAnotherProtocol(chunk: Int, session: Int) {
    let (application, port, turns) = Self.sessions[session]
    var parser = StreamParser.stream(serverPort: port)
    for (side, bytes) in turns { parser.feed(bytes, from: side, chunk: chunk) }
    #expect(parser.facts.application == application)
    #expect(parser.wantsMore)
    parser.feed(Sample.helloRecord("after.example.test"), from: .client, chunk: chunk)
    parser.feed(Sample.record(22, Sample.rfc8448ServerHello), from: .server, chunk: chunk)
    #expect(parser.facts.application == .tls)
    #expect(parser.facts.upgradedFrom == application)
    #expect(parser.facts.tls?.serverName == "after.example.test")
    #expect(parser.facts.tls?.version == 0x0304)
    #expect(!parser.wantsMore)
  }

  @Test func stayingInClearKeepsTheName() {
    var parser = StreamParser.stream(serverPort: 25)
    parser.feed("220 mail.example.test ESMTP\r\n", from: .server)
    for _ in 0..<2000 where parser.wantsMore {
      parser.feed("MAIL FROM:<a@example.test>\r\n", from: .client)
      parser.feed("250 2.1.0 fine\r\n", from: .server)
    }
    #expect(!parser.wantsMore)
    #expect(parser.facts.application == .smtp)
    #expect(parser.facts.upgradedFrom == nil)
  }

  @Test func aByteOf22IsNotTLSByItself() {
    var parser = StreamParser.stream(serverPort: 25)
    parser.feed("220 mail.example.test ESMTP\r\n", from: .server)
    parser.feed("DATA\r\n\u{16}\u{3}\u{9} no record\r\n", from: .client)
    #expect(parser.facts.application == .smtp)
    #expect(parser.facts.tls == nil)
  }
}

@Suite struct StreamParserTests {
  @Test(arguments: [
    ("SSH-2.0-OpenSSH_9.2\r\n", "ssh"), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http2"), ("NICK me\r\n", "irc"),
    ("\u{13}BitTorrent protocol", "bittorrent"), ("INVITE sip:a@b.test SIP/2.0\r\n", "sip"),
    ("OPTIONS rtsp://a.test RTSP/1.0\r\n", "rtsp"), ("OPTIONS * HTTP/1.1\r\n\r\n", "http"),
    ("\u{10}\u{10}\u{0}\u{4}MQTT\u{4}\u{2}\u{0}\u{3c}", "mqtt"),
  ])
  func namesProtocols(first: String, name: String) {
    for chunk in [Int.max, 1] {
      var parser = StreamParser.stream(serverPort: 7777)
      parser.feed(first, from: .client, chunk: chunk)
      #expect(parser.facts.application?.rawValue == name)
    }
  }

  @Test func unknownStreamsAreGivenUp() {
    for chunk in [1, 100, 5000] {
      var parser = StreamParser.stream()
      var fed = 0
      while parser.wantsMore, fed < 1 << 20 {
        parser.feed([UInt8](repeating: 0xee, count: chunk), from: .client)
        fed += chunk
      }
      #expect(!parser.wantsMore)
      #expect(parser.facts.application == nil)
      #expect(parser.bufferedBytes == 0)
    }
  }

  @Test func findsAHelloBehindASOCKSGreeting() {
    var parser = StreamParser.stream(serverPort: 1080)
    parser.feed([5, 1, 0], from: .client)
    parser.feed([5, 0], from: .server)
    parser.feed([5, 1, 0, 1, 192, 0, 2, 1, 1, 0xbb], from: .client)
    parser.feed([5, 0, 0, 1, 0, 0, 0, 0, 0, 0], from: .server)
    parser.feed(Sample.helloRecord("socks.example.test"), from: .client)
    parser.feed(Sample.record(22, Sample.rfc8448ServerHello), from: .server)
    #expect(parser.facts.tls?.serverName == "socks.example.test")
    #expect(parser.facts.tls?.cipherSuite == 0x1301)
  }

  @Test func keepsFirstBytesOverChunks() {
    var parser = StreamParser.stream()
    parser.feed([UInt8](1...40), from: .server, chunk: 3)
    #expect(parser.facts.serverFirstBytes == FirstBytes([UInt8](1...40).rawSpan))
    #expect(parser.facts.serverFirstBytes[15] == 16)
    #expect(parser.facts.clientFirstBytes.count == 0)
    var torn = StreamParser.stream()
    torn.feed([1, 2], from: .client)
    torn.skipGap(from: .client)
    torn.feed([3], from: .client)
    #expect(torn.facts.clientFirstBytes.count == 2)
  }

  /// Random turns of random and valid bytes, whole and in pieces: no trap, and buffers within their caps.
  @Test func anythingInAnyOrderIsBounded() {
    let pool: [[UInt8]] = [
      Sample.helloRecord("a.test"), TLSConversationTests.tls12Server, Array("GET / HTTP/1.1\r\nHost: h\r\n\r\n".utf8),
      Array("220 x ESMTP\r\n".utf8), DNSStreamTests.framed(DNSSample.chained), [0x16], [0x16, 3, 1], [0x80, 46, 1, 3],
      Array("CONNECT a:1 HTTP/1.1\r\n\r\n".utf8), Array("HTTP/1.1 200 OK\r\n\r\n".utf8), [0x30, 0x84],
    ]
    for round in 0..<3000 {
      var parser = StreamParser.stream(serverPort: [443, 53, 25, 80][round % 4])
      for _ in 0..<12 {
        let side: FlowSide = Bool.random() ? .client : .server
        if Int.random(in: 0..<10) == 0 { parser.skipGap(from: side) }
        let bytes =
          Bool.random() ? pool[Int.random(in: 0..<pool.count)] : (0..<20).map { _ in UInt8.random(in: 0...255) }
        parser.feed(bytes, from: side, chunk: [1, 4, Int.max][Int.random(in: 0..<3)])
        #expect(parser.bufferedBytes < 1 << 18)
      }
      #expect(parser.wantsMore || parser.bufferedBytes == 0)
    }
  }
}
