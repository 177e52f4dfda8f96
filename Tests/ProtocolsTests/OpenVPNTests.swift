import Bytes
import Testing

@testable import Protocols

/// Synthetic packets after "OpenVPN Protocol" (openvpn.net/community-resources/openvpn-protocol).
private struct Peer {
  var session: UInt8
  var digest: Int
  var replay = 0
  var id = 0

  /// Header, and with tls-auth a digest, a replay id and a time.
  mutating func packet(_ opcode: UInt8, _ rest: [UInt8]) -> [UInt8] {
    var bytes = [opcode << 3] + [UInt8](repeating: session, count: 8)
    if digest > 0 {
      replay += 1
      bytes += [UInt8](repeating: 0xd1, count: digest) + [0, 0] + Sample.u16(replay) + [0x66, 1, 2, 3]
    }
    return bytes + rest
  }

  mutating func reset(_ opcode: UInt8, acknowledging peer: UInt8? = nil) -> [UInt8] {
    let acknowledged: [UInt8] = peer.map { [1, 0, 0, 0, 0] + [UInt8](repeating: $0, count: 8) } ?? [0]
    return packet(opcode, acknowledged + [0, 0, 0, 0])
  }

  /// Control packets with a stream in pieces.
  mutating func control(_ stream: [UInt8], size: Int = 100) -> [[UInt8]] {
    stride(from: 0, to: stream.count, by: size).map { start in
      id += 1
      return packet(4, [0, 0, 0] + Sample.u16(id) + stream[start..<min(start + size, stream.count)])
    }
  }
}

@Suite struct OpenVPNTests {
  @Test(arguments: [0, 16, 20, 28, 32, 48, 64], [Int.max, 1, 37])
  func readsTheHelloOverTCP(digest: Int, chunk: Int) {
    var client = Peer(session: 0xc1, digest: digest)
    var server = Peer(session: 0x5e, digest: digest)
    var parser = StreamParser.stream(serverPort: 443)
    func framed(_ packets: [[UInt8]]) -> [UInt8] { packets.flatMap { Sample.u16($0.count) + $0 } }
    parser.feed(framed([client.reset(7)]), from: .client, chunk: chunk)
    #expect(parser.facts.application == .openvpn)
    parser.feed(framed([server.reset(8, acknowledging: 0xc1)]), from: .server, chunk: chunk)
    parser.feed(framed(client.control(Sample.helloRecord("vpn.example.test"))), from: .client, chunk: chunk)
    #expect(parser.facts.tls?.serverName == "vpn.example.test")
    #expect(parser.wantsMore)
    parser.feed(
      framed(server.control(Sample.record(22, Sample.rfc8448ServerHello))), from: .server, chunk: chunk)
    #expect(parser.facts.application == .openvpn)
    #expect(parser.facts.tls?.version == 0x0304)
    #expect(parser.facts.upgradedFrom == nil)
    #expect(!parser.wantsMore && parser.bufferedBytes == 0)
  }

  @Test(arguments: [0, 20, 64])
  func readsTheHelloOverUDPInAnyOrder(digest: Int) {
    var client = Peer(session: 0xc1, digest: digest)
    var server = Peer(session: 0x5e, digest: digest)
    var parser = DatagramParser(clientPort: 50_000, serverPort: 1194)
    parser.consume(datagram: client.reset(7).rawSpan, from: .client)
    parser.consume(datagram: client.reset(7).rawSpan, from: .client)
    parser.consume(datagram: server.reset(8).rawSpan, from: .server)
    parser.consume(datagram: server.packet(5, [0]).rawSpan, from: .server)
    let pieces = client.control(Sample.helloRecord("udp.example.test"), size: 30)
    #expect(pieces.count > 2)
    for piece in [pieces[1], pieces[1]] + pieces.reversed() + [pieces[0]] {
      parser.consume(datagram: piece.rawSpan, from: .client)
    }
    let after = parser.state
    #expect(after.facts.application == .openvpn)
    #expect(after.facts.tls?.serverName == "udp.example.test")
    #expect(after.wantsMore)
    parser.consume(datagram: client.packet(6, [1, 2, 3]).rawSpan, from: .client)
    let atLast = parser.state
    #expect(!atLast.wantsMore && atLast.bufferedBytes == 0)
    #expect(atLast.facts.tls?.serverName == "udp.example.test")
  }

  @Test(arguments: [true, false])
  func anEncryptedControlChannelIsNamedAndLeft(isVersion3: Bool) {
    let reset: [UInt8] =
      [isVersion3 ? 0x50 : 0x38] + [UInt8](repeating: 0xc1, count: 8) + [0, 0, 0, 1, 0x66, 1, 2, 3]
      + [UInt8](repeating: 0xee, count: isVersion3 ? 300 : 37)
    var datagrams = DatagramParser(clientPort: 50_000, serverPort: 1194)
    datagrams.consume(datagram: reset.rawSpan, from: .client)
    let after = datagrams.state
    #expect(after.facts.application == .openvpn && !after.wantsMore)
    var stream = StreamParser.stream(serverPort: 443)
    stream.feed(Sample.u16(reset.count) + reset, from: .client, chunk: 7)
    #expect(stream.facts.application == .openvpn && !stream.wantsMore && stream.facts.tls == nil)
  }

  /// Each field that a reset cannot do without, changed: nobody's.
  @Test func whatIsNoResetIsNotTaken() {
    var peer = Peer(session: 0xc1, digest: 0)
    let reset = peer.reset(7)
    #expect(OpenVPNPacket.protection(ofReset: reset.rawSpan, length: reset.count) == OpenVPNProtection.none)
    for (index, byte) in [(0, UInt8(0x39)), (0, 0x20), (9, 1), (10, 1), (13, 1)] {
      var wrong = reset
      wrong[index] = byte
      #expect(OpenVPNPacket.protection(ofReset: wrong.rawSpan, length: wrong.count) == nil, "byte \(index)")
    }
    for wrong in [reset + [0], Array(reset.dropLast()), [0x38] + [UInt8](repeating: 0, count: 13)] {
      #expect(OpenVPNPacket.protection(ofReset: wrong.rawSpan, length: wrong.count) == nil)
    }
  }

  /// Behind a true reset anything may come: no trap, and what is kept stays small.
  @Test func noiseIsGivenUp() {
    for round in 0..<200 {
      var client = Peer(session: 0xc1, digest: round % 2 * 20)
      let most = OpenVPNConversation.maximumHeldPackets * OpenVPNConversation.maximumPacketLength
      let reset = client.reset(7)
      if round % 4 < 2 {
        var parser = StreamParser(clientPort: 50_000, serverPort: 1194)
        parser.feed(Sample.u16(reset.count) + reset, from: .client)
        for _ in 0..<50 { parser.feed((0..<200).map { _ in UInt8.random(in: 0...255) }, from: .client) }
        #expect(parser.bufferedBytes <= most)
      } else {
        var parser = DatagramParser(clientPort: 50_000, serverPort: 1194)
        parser.consume(datagram: reset.rawSpan, from: .client)
        for id in UInt8(2)...200 {
          let packet = client.packet(4, [0, 0, 0, 0, id] + (0..<200).map { _ in UInt8.random(in: 0...255) })
          parser.consume(datagram: packet.rawSpan, from: .client)
        }
        let after = parser.state
        #expect(after.bufferedBytes <= most)
      }
    }
  }
}
