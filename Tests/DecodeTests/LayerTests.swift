import Bytes
import Decode
import Testing

@Suite struct LayerTests {
  @Test(arguments: Sample.all)
  func theInnermostFlowComesOut(_ sample: Sample) throws {
    let decoded = decode(sample.bytes, link: sample.link)
    let h = decoded.headers
    #expect(decoded.outcome == .flow)
    #expect(h.damage == nil)
    #expect(h.transport == .tcp)
    #expect(Int(h.ipVersion) == sample.version)
    let client = sample.name == "teredo" ? "2001::9" : sample.version == 4 ? Packet.client : Packet.client6
    #expect(h.source.description == client)
    #expect(h.destination.description == (sample.version == 4 ? Packet.server : Packet.server6))
    #expect(h.sourcePort == 49152)
    #expect(h.destinationPort == 443)
    #expect(h.tcpSequence == 1)
    #expect(h.tcpAcknowledgment == 2)
    #expect(h.tcpFlags.rawValue == 0x18)
    #expect(h.tcpWindow == 0x2000)
    #expect(h.payloadLength == 5)
    #expect(decoded.payload == Array("hello".utf8))
    #expect(h.scope.vlans == sample.vlans)
    #expect(h.scope.tunnels == sample.tunnels)
    #expect(decoded.process == sample.process)
    #expect(h.fragmentCount == 0 && h.fragmentBytes == 0 && !h.isReassembled && !h.isFirstFragment)
  }

  @Test func anEthernetFrameWrittenOutInFull() {
    // A SYN with a maximum segment size option and two bytes of padding behind the datagram.
    let frame = hex(
      """
      00 1b 17 00 01 01  a4 83 e7 11 22 33  08 00
      45 00 00 2c  ab cd 40 00  40 06 00 00  c0 a8 01 17  11 39 90 24
      c1 9e 14 67  12 34 56 78  00 00 00 00  60 02 ff ff  00 00 00 00  02 04 05 b4
      00 00
      """)
    let decoded = decode(frame)
    #expect(decoded.outcome == .flow)
    #expect(decoded.headers.source.description == "192.168.1.23")
    #expect(decoded.headers.destination.description == "17.57.144.36")
    #expect(decoded.headers.sourcePort == 49566)
    #expect(decoded.headers.destinationPort == 5223)
    #expect(decoded.headers.tcpFlags == .syn)
    #expect(decoded.headers.tcpSequence == 0x1234_5678)
    #expect(decoded.headers.payloadOffset == 58)
    #expect(decoded.headers.payloadLength == 0)
    #expect(decoded.headers.payloadCaptured == 0)
  }

  @Test func headersAreResetForEveryPacket() {
    var decoder = Decoder()
    _ = decoder.decode(Sample.all[7].bytes)
    let decoded = decoder.decode(hex("ffffffffffff 020000000002 0806") + [UInt8](repeating: 0, count: 46))
    #expect(decoded.outcome == .counted)
    #expect(decoded.headers.scope == FlowScope())
    #expect(decoded.headers.sourcePort == 0)
    #expect(decoded.headers.ipVersion == 0)
  }

  @Test func networkIdentifiersTellFlowsApart() {
    let frame = Packet.ethernet(0x0800, Packet.tcp4)
    let one = decode(Packet.outer4(17, Packet.udp(5000, 4789, hex("08000000 00002a00") + frame))).headers.scope
    let two = decode(Packet.outer4(17, Packet.udp(5000, 4789, hex("08000000 00002b00") + frame))).headers.scope
    #expect(one != two)
    #expect(one.rawValue >> 38 == 0x2a)
    let geneve = decode(Packet.outer4(17, Packet.udp(5000, 6081, hex("0000 6558 abcdef00") + frame))).headers.scope
    #expect(geneve.rawValue >> 38 == 0xabcdef)
  }

  @Test(arguments: [
    (UInt8(1), UInt8(4)), (2, 4), (50, 4), (132, 4), (89, 4), (58, 6), (59, 6), (132, 6), (50, 6), (136, 6),
  ])
  func otherTransportsAreCounted(_ number: UInt8, _ version: UInt8) {
    let payload = [UInt8](repeating: 0, count: 16)
    let decoded = decode(
      version == 4 ? Packet.ipv4(number, payload) : Packet.ipv6(number, payload), link: .raw)
    #expect(decoded.outcome == .counted)
    #expect(decoded.headers.transport.rawValue == number)
    #expect(decoded.headers.ipVersion == version)
    #expect(decoded.headers.damage == nil)
  }

  @Test func theLastNextHeaderIsTheTransport() {
    // Hop-by-hop options before ICMPv6.
    let decoded = decode(Packet.ipv6(0, hex("3a 00 0502 00000100 8f000000 00000000")), link: .raw)
    #expect(decoded.outcome == .counted)
    #expect(decoded.headers.transport.rawValue == 58)
  }

  @Test(arguments: [0x0806, 0x8035, 0x88cc, 0x888e, 0x8809, 0x8863])
  func linkProtocolsAreCounted(_ type: Int) {
    #expect(decode(Packet.ethernet(type, [UInt8](repeating: 0, count: 46))).outcome == .counted)
  }

  @Test func linksThatCarryNoUsersPacketAreCounted() {
    let counted: [(LinkType, [UInt8])] = [
      // Q.933 and ES-IS; a Token Ring MAC frame; ATM signalling; ARP over InfiniBand.
      (.frameRelay, hex("0401 03 08 7500")), (.frameRelay, hex("0401 03 82 15")),
      (.tokenRing, hex("10 00 020000000001 020000000002 0000")), (.sunATM, hex("06 00 0005 09030000")),
      (.ipOverInfiniBand, [UInt8](repeating: 0, count: 40) + hex("0806 0000")),
      // NSH of operation and maintenance, MACsec with encryption, L2TPv3's control.
      (.ethernet, Packet.ethernet(0x894f, hex("2fc20201 000001ff") + Packet.tcp4)),
      (.ethernet, Packet.ethernet(0x88e5, hex("2c 00 00000001 0200000000020001") + Packet.tcp4)),
      (.ethernet, Packet.outer4(115, hex("00000000 c8030014 00000000"))),
      (.ethernet, Packet.outer4(115, hex("00000009") + [UInt8](repeating: 0x77, count: 60))),
    ]
    for (link, bytes) in counted {
      #expect(decode(bytes, link: link).outcome == .counted, "\(link.rawValue)")
      #expect(decode(bytes, link: link).headers.damage == nil, "\(link.rawValue)")
    }
  }

  @Test func spanningTreeIsCountedAndAnUnknownTypeIsUnknown() {
    #expect(decode(Packet.ethernet(38, hex("424203") + [UInt8](repeating: 0, count: 35))).outcome == .counted)
    #expect(decode(Packet.ethernet(0x7777, [1, 2, 3])).outcome == .unknown)
    #expect(decode([1, 2, 3], link: LinkType(rawValue: 147)).outcome == .unknown)
    // Link control (LCP) configures and carries nothing.
    #expect(decode(hex("ff03 c021 01 01 0004"), link: .ppp).outcome == .counted)
  }

  @Test func aThirdTagAndAFourthTunnelAreReadThoughNotKept() {
    let tags = Packet.ethernet(0x8100, hex("0001 8100 0002 8100 0003 0800") + Packet.tcp4)
    #expect(decode(tags).headers.scope.vlans == [1, 2])
    #expect(decode(tags).outcome == .flow)
    var packet = Packet.tcp4
    for _ in 0..<4 { packet = Packet.ipv4(4, packet) }
    #expect(decode(packet, link: .raw).headers.scope.tunnels == [.ipInIP, .ipInIP, .ipInIP])
    #expect(decode(packet, link: .raw).headers.destinationPort == 443)
  }
}

@Suite struct LengthTests {
  @Test func udpLengthEndsThePayload() {
    // Two bytes of UDP options (RFC 9868) behind the length.
    let decoded = decode(Packet.ipv4(17, Packet.udp(5000, 5001, hex("01020304"), length: 10)), link: .raw)
    #expect(decoded.outcome == .flow)
    #expect(decoded.payload == [1, 2])
    #expect(decoded.headers.payloadLength == 2)
    #expect(decoded.headers.damage == nil)
  }

  @Test func udpLengthZeroReachesToTheEnd() {
    let decoded = decode(Packet.ipv4(17, Packet.udp(5000, 5001, hex("01020304"), length: 0)), link: .raw)
    #expect(decoded.payload == [1, 2, 3, 4])
    #expect(decoded.headers.damage == nil)
  }

  @Test func udpLengthsThatCannotBe() {
    let short = decode(Packet.ipv4(17, Packet.udp(5000, 5001, hex("01020304"), length: 7)), link: .raw)
    #expect(short.outcome == .flow)
    #expect(short.headers.damage == Damage(.udp, .badLength, at: 20))
    #expect(short.headers.payloadLength == 0)
    let long = decode(Packet.ipv4(17, Packet.udp(5000, 5001, hex("01020304"), length: 100)), link: .raw)
    #expect(long.headers.damage == Damage(.udp, .truncated, at: 20))
    #expect(long.payload == [1, 2, 3, 4])
  }

  @Test func aSnapshotCutsThePayloadWithoutDamage() {
    let decoded = decode(Array(Packet.tcp4.prefix(42)), link: .raw, wire: Packet.tcp4.count)
    #expect(decoded.outcome == .flow)
    #expect(decoded.headers.damage == nil)
    #expect(decoded.headers.payloadLength == 5)
    #expect(decoded.payload == Array("he".utf8))
  }

  @Test func aTotalLengthPastTheWireIsTruncated() {
    let decoded = decode(Packet.ipv4(6, Packet.segment, length: 60), link: .raw)
    #expect(decoded.outcome == .flow)
    #expect(decoded.headers.damage == Damage(.ipv4, .truncated, at: 0))
    #expect(decoded.headers.payloadLength == 20)
    #expect(decoded.headers.payloadCaptured == 5)
    // The same with PPPoE's length as the end: what follows it is padding.
    let frame = hex("11 00 0011") + bigEndian(2 + 40) + hex("0021") + Packet.tcp4
    let pppoe = decode(Packet.ethernet(0x8864, frame))
    #expect(pppoe.headers.damage == Damage(.ipv4, .truncated, at: 22))
    #expect(pppoe.headers.payloadCaptured == 0)
  }

  @Test func tcpDataOffsetsThatCannotBe() {
    var segment = Packet.segment
    segment[12] = 0x40
    let short = decode(Packet.ipv4(6, segment), link: .raw)
    #expect(short.outcome == .flow)
    #expect(short.headers.damage == Damage(.tcp, .badLength, at: 20))
    #expect(short.headers.payloadLength == 0)
    segment[12] = 0xf0
    let long = decode(Packet.ipv4(6, segment), link: .raw)
    #expect(long.outcome == .flow)
    #expect(long.headers.damage == Damage(.tcp, .truncated, at: 20))
    #expect(long.headers.destinationPort == 443)
    #expect(long.headers.payloadCaptured == 0)
  }

  @Test func versionsAndHeaderLengthsThatCannotBe() {
    #expect(
      decode(hex("55") + Packet.tcp4.dropFirst(), link: .ipv4).headers.damage == Damage(.ipv4, .badVersion, at: 0))
    #expect(decode(hex("44") + Packet.tcp4.dropFirst(), link: .raw).headers.damage == Damage(.ipv4, .badLength, at: 0))
    #expect(decode(Packet.ipv4(6, Packet.segment, length: 19), link: .raw).outcome == .damaged)
    #expect(decode(Packet.tcp4, link: .ipv6).headers.damage == Damage(.ipv6, .badVersion, at: 0))
    #expect(decode(hex("45"), link: .ipv6).headers.damage == Damage(.ipv6, .badVersion, at: 0))
    // Authentication header of 8 bytes.
    let short = decode(Packet.ipv6(51, hex("06 00 0000 00000100") + Packet.segment), link: .raw)
    #expect(short.headers.damage == Damage(.ipv6, .badLength, at: 40))
  }

  @Test func whatLiesBeforeDamageIsKept() {
    // The inner header has version 5.
    let decoded = decode(Packet.outer4(4, hex("55") + Packet.tcp4.dropFirst()))
    #expect(decoded.outcome == .damaged)
    #expect(decoded.headers.damage == Damage(.ipv4, .badVersion, at: 34))
    #expect(decoded.headers.source.description == "10.0.0.1")
    #expect(decoded.headers.destination.description == "10.0.0.2")
    #expect(decoded.headers.scope.tunnels == [.ipInIP])
  }

  @Test func nestingHasAnEnd() {
    var labels = [UInt8]()
    for _ in 0..<Decoder.maximumLayers + 1 { labels += hex("00010040") }
    let stack = decode(Packet.ethernet(0x8847, labels + Packet.tcp4))
    #expect(stack.outcome == .damaged)
    #expect(stack.headers.damage?.reason == .tooDeep)
    var packet = Packet.tcp4
    for _ in 1..<Decoder.maximumLayers { packet = Packet.ipv4(4, packet) }
    #expect(decode(packet, link: .raw).outcome == .flow)
    packet = Packet.ipv4(4, packet)
    #expect(decode(packet, link: .raw).headers.damage?.reason == .tooDeep)
    var tags = Packet.tcp4
    for _ in 0..<40 { tags = hex("0001 8100") + tags }
    #expect(decode(Packet.ethernet(0x8100, tags)).headers.damage?.reason == .tooDeep)
  }

  @Test func wireLengthsThatCannotBe() {
    #expect(decode(Packet.tcp4, link: .raw, wire: -1).payload == Array("hello".utf8))
    #expect(decode(Packet.tcp4, link: .raw, wire: .max).headers.payloadLength == 5)
    let endless = decode(Packet.ipv4(6, Packet.segment, length: 0), link: .raw, wire: .max)
    #expect(endless.headers.payloadCaptured == 5)
    #expect(endless.headers.payloadLength == Int32.max - 40)
  }
}

@Suite struct UDPTunnelTests {
  static let frame = Packet.ethernet(0x0800, Packet.tcp4)

  /// Packets to tunnel ports that are no tunnels: name, port, payload.
  static let others: [(String, Int, [UInt8])] = [
    ("a DNS query", 4789, hex("1234 0100 0001 0000 0000 0000 03777777 00 0001 0001")),
    ("VXLAN without a valid identifier", 4789, hex("00000000 00002a00") + frame),
    ("VXLAN with nonsense inside", 4789, hex("08000000 00002a00") + [UInt8](repeating: 0x77, count: 60)),
    ("VXLAN with ARP inside", 4789, hex("08000000 00002a00") + Packet.ethernet(0x0806, hex("0001080006040001"))),
    ("Geneve version 1", 6081, hex("4000 6558 00002a00") + frame),
    ("Geneve options past the end", 6081, hex("3f00 6558 00002a00") + frame),
    ("a GTP-U echo request", 2152, hex("32 01 0004 00000000 0001 0000")),
    ("GTP-U length past the end", 2152, hex("30 ff 00ff 00000001") + Packet.tcp4),
    ("GTP-U extension of length 0", 2152, hex("34 ff 0031 00000001 0000 00 85 00 00 00 00") + Packet.tcp4),
    ("GTP version 2", 2152, hex("48 20 0004 00000000 00000000")),
    ("Teredo with other addresses", 3544, Packet.tcp6),
    ("nothing", 2152, []),
    ("CAPWAP in DTLS", 5247, hex("01 000000 16 feff 0000 000000000000 0001 00")),
    ("a CAPWAP keep-alive", 5247, hex("00 100208 00000000 0006 0000 0000")),
    ("a CAPWAP fragment", 5247, hex("00 104280 00010000") + frame),
    ("CAPWAP of an unknown binding", 5247, hex("00 10430e 00000000") + frame),
    ("an encrypted frame in CAPWAP", 5247, hex("00 104300 00000000") + WirelessTests.encrypted),
    ("LISP with IPv4 of another length", 4341, hex("c0123456 00000001") + Packet.tcp4 + [0]),
    ("LISP, encrypted", 4341, hex("c1123456 00000001") + Packet.tcp4),
    ("LISP with a nonce and a map version", 4341, hex("90123456 00000001") + Packet.tcp4),
    ("LISP-GPE with an unknown protocol", 4341, hex("0c000009 00000701") + frame),
    ("an L2TP control message", 1701, hex("c802 000c 0001 0000 0000 0000")),
    ("L2TP with reserved bits", 1701, hex("0012 0001 0002 ff03 0021") + Packet.tcp4),
    ("L2TP of session 0", 1701, hex("0002 0001 0000 ff03 0021") + Packet.tcp4),
    ("L2TP longer than its datagram", 1701, hex("4002 00ff 0001 0002 ff03 0021") + Packet.tcp4),
    ("L2TP with an offset past the end", 1701, hex("0202 0001 0002 ffff ff03 0021") + Packet.tcp4),
    ("L2TPv3 with IPv4 of another length", 1701, hex("0003 0000 00000009") + Packet.tcp4 + [0]),
    ("MPLS without a bottom", 6635, [UInt8](repeating: 0, count: 64)),
    ("MPLS with nothing below", 6635, hex("00010140")),
    ("GRE version 1", 4754, hex("2001 0800 00000007") + Packet.tcp4),
    ("GRE with routing", 4754, hex("4000 0800 00000000") + Packet.tcp4),
    ("VXLAN-GPE of operation and maintenance", 4790, hex("0d000001 00002a00") + Packet.tcp4),
    ("a QUIC packet", 4341, hex("40 0102030405060708 aabbccdd 45000014")),
  ]

  @Test(arguments: others)
  func aPortAloneIsNoTunnel(_ name: String, _ port: Int, _ payload: [UInt8]) {
    let decoded = decode(Packet.outer4(17, Packet.udp(5000, port, payload)))
    #expect(decoded.outcome == .flow)
    #expect(decoded.headers.transport == .udp)
    #expect(Int(decoded.headers.destinationPort) == port)
    #expect(decoded.headers.source.description == "10.0.0.1")
    #expect(decoded.headers.scope == FlowScope())
    #expect(decoded.payload == payload)
    #expect(decoded.headers.damage == nil)
  }

  @Test func innerDamageIsTold() {
    // The inner TCP header has two bytes.
    let inner = Packet.ethernet(0x0800, Packet.ipv4(6, [0xc0, 0]))
    let decoded = decode(Packet.outer4(17, Packet.udp(5000, 4789, hex("08000000 00002a00") + inner)))
    #expect(decoded.outcome == .flow)
    #expect(decoded.headers.destinationPort == 4789)
    #expect(decoded.headers.damage == Damage(.tcp, .truncated, at: 14 + 20 + 8 + 8 + 14 + 20))
  }
}
