import Bytes
import TestSupport
import Testing

@testable import Protocols

/// Skinny, IAX2, BFCP, RTSP, IKE and ESP. The messages are synthetic, after the figures of their specifications.
@Suite struct SignallingTests {
  private func little(_ value: UInt32) -> [UInt8] { RTPSample.u32(value.byteSwapped) }
  private func skinny(_ identifier: UInt32, version: UInt32, _ body: [UInt8]) -> [UInt8] {
    little(UInt32(body.count + 4)) + little(version) + little(identifier) + body
  }

  @Test(arguments: [UInt32(0), 20], [1, 5, 1000])
  func readsSkinny(version: UInt32, chunk: Int) {
    let address: [UInt8] = [192, 0, 2, 9]
    let long = version >= 17
    let padded = long ? [0, 0, 0, 0] + address + [UInt8](repeating: 0, count: 12) : address
    let start = skinny(0x8a, version: version, little(7) + little(8) + padded + little(20_000) + little(20))
    let acknowledged = skinny(0x22, version: version, little(0) + padded + little(30_000) + little(8))
    let name: (String, Int) -> [UInt8] = { Array($0.utf8) + [UInt8](repeating: 0, count: $1 - $0.utf8.count) }
    let info = skinny(
      0x8f, version: version,
      name("Ann", 40) + name("4711", 24) + name("Bob", 40) + name("0815", 24) + little(1) + little(77) + little(2))
    #expect(SignallingKind.of(stream: start, port: 2000) == .mine(.skinny))
    #expect(SignallingKind.of(stream: start) == .notMine)
    var conversation = SignallingConversation(.skinny)
    conversation.feed(stream: info + start, from: .server, chunk: chunk)
    conversation.feed(stream: acknowledged, chunk: chunk)
    let facts = conversation.facts
    #expect(facts.methods == ["CallInfo", "StartMediaTransmission", "OpenReceiveChannelAck"])
    #expect(facts.caller == "4711" && facts.callee == "0815" && facts.callerSide == .client && facts.callID == "77")
    #expect(facts.media == ["audio"])
    #expect(
      shown(conversation.takeAnnouncements()) == [
        "192.0.2.9:20000 audio", "192.0.2.9:20001 audio", "192.0.2.9:30000 audio", "192.0.2.9:30001 audio",
      ])
  }

  @Test func registrationsOfSkinnyAreKnownAnywhere() {
    let registration = skinny(1, version: 0, Array("SEP001122334455".utf8) + [UInt8](repeating: 0, count: 30))
    #expect(SignallingKind.of(stream: registration) == .mine(.skinny))
    #expect(SignallingKind.of(stream: little(0x4c) + little(0) + little(1) + Array("xyz".utf8)) == .notMine)
  }

  @Test func readsIAX2() {
    // RFC 5456, section 8.6: CALLED NUMBER 1, CALLING NUMBER 2, VERSION 11.
    let header: [UInt8] = [0x80, 4, 0, 0, 0, 0, 0, 1, 0, 0, 6, 1]
    let new = header + [11, 2, 0, 2, 1, 4] + Array("0815".utf8) + [2, 4] + Array("4711".utf8)
    #expect(SignallingKind.of(new) == .iax2)
    #expect(SignallingKind.of(Array(new.dropLast())) == nil)
    let accept: [UInt8] = [0x80, 9, 0, 4, 0, 0, 0, 9, 0, 1, 6, 7, 9, 4, 0, 0, 0, 4]
    #expect(SignallingKind.of(accept, port: 4569) == .iax2 && SignallingKind.of(accept) == nil)
    var conversation = SignallingConversation(.iax2)
    #expect(conversation.feed([new]) == [.mine])
    let voice: [UInt8] = [0x80, 9, 0, 4, 0, 0, 0, 20, 1, 1, 2, 4] + [UInt8](repeating: 0xd5, count: 160)
    let mini: [UInt8] = [0, 9, 0, 40] + [UInt8](repeating: 0xd5, count: 160)
    #expect(conversation.feed([accept, voice, mini], from: .server) == [.mine, .mine, .mine])
    #expect(conversation.facts.methods == ["NEW", "ACCEPT"] && conversation.facts.media == ["audio"])
    #expect(conversation.facts.caller == "4711" && conversation.facts.callee == "0815")
    #expect(conversation.facts.callerSide == .client)
  }

  @Test(arguments: [1, 12, 100])
  func readsBFCP(chunk: Int) {
    // RFC 8855, section 5.3.1: FloorRequest with FLOOR-ID 2; section 5.3.11: Hello.
    let request: [UInt8] = [0x20, 1, 0, 1, 0, 0, 0, 1, 0, 7, 0, 9, 0x05, 4, 0, 2]
    let hello: [UInt8] = [0x20, 11, 0, 0, 0, 0, 0, 1, 0, 6, 0, 9]
    #expect(SignallingKind.of(hello) == .bfcp && SignallingKind.of(stream: hello) == .mine(.bfcp))
    #expect(SignallingKind.of([0x40] + request.dropFirst()) == .bfcp)
    #expect(SignallingKind.of(Array(request.dropLast())) == nil)
    #expect(SignallingKind.of([0x20, 1, 0, 0] + request.dropFirst(4)) == nil)
    var conversation = SignallingConversation(.bfcp)
    conversation.feed(stream: hello + request, chunk: chunk)
    #expect(conversation.facts.methods == ["Hello", "FloorRequest"])
  }

  @Test func readsRTSP() {
    // RFC 7826, section 18.54.
    let setup = SIPSample.wire(
      "SETUP rtsp://example.com/a RTSP/1.0\nCSeq: 302\nTransport: RTP/AVP;unicast;client_port=4588-4589\n\n")
    let answer = SIPSample.wire(
      "RTSP/1.0 200 OK\nCSeq: 302\nTransport: RTP/AVP;unicast;client_port=4588-4589;server_port=6256-6257\n\n")
    #expect(SignallingKind.of(stream: setup) == .mine(.rtsp) && !SignallingKind.rtsp.isCalling)
    var conversation = SignallingConversation(.rtsp)
    conversation.feed(stream: setup, chunk: 9)
    // A frame of media between messages (section 14).
    conversation.feed(stream: [0x24, 0, 0, 3, 1, 2, 3] + answer, from: .server, chunk: 9)
    #expect(conversation.facts.methods == ["SETUP"])
  }

  /// RFC 7296, section 3.1.
  private func ike(version: UInt8 = 0x20, exchange: UInt8 = 34, flags: UInt8 = 8, length: Int = 40) -> [UInt8] {
    [UInt8](repeating: 0xa7, count: 8) + [UInt8](repeating: 0, count: 8) + [33, version, exchange, flags, 0, 0, 0, 0]
      + RTPSample.u32(UInt32(length)) + [UInt8](repeating: 1, count: 12)
  }

  @Test func recognisesIKEAndESP() {
    #expect(SignallingKind.of(ike()) == .ike && SignallingKind.of([0, 0, 0, 0] + ike(), port: 4500) == .ike)
    #expect(SignallingKind.of(ike(version: 0x10, exchange: 2, flags: 0), port: 500) == .ike)
    for other in [ike(version: 0x30), ike(exchange: 2), ike(flags: 1), ike(length: 41)] {
      #expect(SignallingKind.of(other) == nil)
    }
    #expect(SignallingConversation(.ike).isDone && SignallingConversation(.ike).application.rawValue == "ike")
    func esp(_ number: UInt8) -> [UInt8] { [0xc0, 1, 2, 3, 0, 0, 0, number] + [UInt8](repeating: 0x99, count: 40) }
    #expect(SignallingKind.of(esp(1), port: 4500) == .esp && SignallingKind.of(esp(1)) == nil)
    var conversation = SignallingConversation(.esp)
    #expect(conversation.feed([esp(1)]) == [.undecided] && !conversation.isSure)
    #expect(conversation.feed([[0xff], esp(2)]) == [.undecided, .mine] && conversation.isSure)
  }

  @Test func otherProtocolsAreNone() {
    var random = SeededRandom(21)
    let dns: [UInt8] = [0x20, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0x61, 0, 0, 1, 0, 1]
    let stun: [UInt8] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + [UInt8](repeating: 3, count: 12)
    for bytes in [dns, stun, RTPSample.packet(1, timestamp: 1), RTPSample.bye(1)] {
      #expect(SignallingKind.of(bytes) == nil)
    }
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 8...60, using: &random)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      #expect(SignallingKind.of(bytes) == nil)
    }
  }

  @Test func everyKindBearsAnything() {
    var random = SeededRandom(22)
    let kinds: [SignallingKind] = [.sip, .rtsp, .mgcp, .megaco, .h323, .skinny, .iax2, .bfcp, .ike, .esp]
    for round in 0..<2000 {
      var conversation = SignallingConversation(kinds[round % kinds.count])
      for _ in 0..<6 {
        let bytes = (0..<Int.random(in: 0...90, using: &random)).map { _ in
          Bool.random(using: &random) ? UInt8(truncatingIfNeeded: random.next()) : 0
        }
        _ = conversation.feed([bytes])
        conversation.feed(stream: bytes, from: .server, chunk: 7)
        #expect(conversation.bufferedBytes < 1 << 16)
        _ = conversation.takeAnnouncements()
      }
    }
  }
}
