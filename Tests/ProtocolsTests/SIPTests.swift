import Bytes
import TestSupport
import Testing

@testable import Protocols

@Suite struct SIPTests {
  @Test func readsTheExampleCall() {
    #expect(SignallingKind.of(SIPSample.invite) == .sip)
    var conversation = SignallingConversation(.sip)
    #expect(conversation.feed([SIPSample.invite]) == [.mine])
    #expect(conversation.feed([SIPSample.ok], from: .server) == [.mine])
    #expect(conversation.feed([SIPSample.bye], from: .server) == [.mine])
    let facts = conversation.facts
    #expect(facts.callID == "a84b4c76e66710")
    #expect(facts.caller == "sip:alice@atlanta.com" && facts.callee == "sip:bob@biloxi.com")
    #expect(facts.callerSide == .client && facts.userAgent == "Example Phone/1.0")
    #expect(facts.methods == ["INVITE", "BYE"] && facts.media == ["audio"])
    #expect(
      shown(conversation.takeAnnouncements()) == [
        "192.0.2.33:49170 audio", "192.0.2.33:49171 audio", "192.0.2.4:3456 audio", "192.0.2.4:3457 audio",
      ])
    #expect(conversation.takeAnnouncements().isEmpty)
    #expect(conversation.application == .sip && conversation.bufferedBytes == 0)
  }

  @Test func anAnswerAloneTellsWhoCalled() {
    var conversation = SignallingConversation(.sip)
    _ = conversation.feed([SIPSample.ok], from: .client)
    #expect(conversation.facts.callerSide == .server && conversation.facts.methods == ["INVITE"])
    #expect(conversation.facts.userAgent == "Example Server")
  }

  @Test func readsTortuousMessages() throws {
    let message = try #require(SIPMessage(of: SIPSample.tortuous))
    #expect(message.method == "INVITE" && message.callID == "wsinv.ndaksdj@192.0.2.1")
    #expect(message.to == "sip:vivekg@chair-dnrc.example.com" && message.from == "sip:jdrosen@example.com")
    var conversation = SignallingConversation(.sip)
    _ = conversation.feed([SIPSample.tortuous])
    #expect(
      shown(conversation.takeAnnouncements()) == [
        "192.0.2.4:49217 audio", "192.0.2.4:49218 audio", "192.0.2.4:3227 video", "192.0.2.4:3228 video",
      ])
    #expect(conversation.facts.media == ["audio", "video"])
  }

  @Test(
    arguments: [
      // RFC 4475: 3.1.1.2, 3.1.1.4, 3.1.1.6, 3.1.1.8, 3.1.1.9, 3.1.1.12, 3.1.1.13, 3.1.2.8, 3.1.2.11, 3.3.2, 3.3.3.
      ("!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)@example.com SIP/2.0", true),
      ("REGISTER sip:example.com SIP/2.0", true), ("OPTIONS sip:user@example.com SIP/2.0", true),
      ("OPTIONS sip:remote-target@example.com SIP/2.0  ", true), ("MESSAGE sip:kumiko@example.org SIP/2.0", true),
      ("SIP/2.0 200 = 2**3 * 5**2", true), ("SIP/2.0 100 ", true),
      ("INVITE sip:user@example.com; lwsruri SIP/2.0", true),
      ("OPTIONS sip:t.watson@example.org SIP/7.0", false),
      ("OPTIONS nobodyKnowsThisScheme:totallyopaque SIP/2.0", true),
      ("INVITE <sip:user@example.com> SIP/2.0", true), ("SIP/2.0 4294967301 better not break", false),
      ("GET /sip:x HTTP/1.1", false), ("NOTIFY * HTTP/1.1", false), ("OPTIONS rtsp://example.com/ RTSP/1.0", false),
      ("INVITE SIP/2.0", false), ("SIP/2.0 2x0 OK", false),
    ] as [(String, Bool)])
  func startLines(line: String, isSIP: Bool) {
    let bytes = SIPSample.wire(line + "\nTo: sip:a@example.com\n\n")
    #expect((SignallingKind.of(bytes) == .sip) == isSIP)
    // An end of line before the message is allowed (RFC 3261, section 7.5), and so is a bare LF.
    #expect((SIPMessage(of: [13, 10] + bytes) != nil) == isSIP)
    #expect((SIPMessage(of: bytes.filter { $0 != 13 }) != nil) == isSIP)
  }

  @Test func compactFormsAndQuotesAreRead() throws {
    let message = try #require(
      SIPMessage(
        of: SIPSample.wire(
          """
          SIP/2.0 180 Ringing
          f: "A <b> \\" c" <sips:a@example.com;transport=tcp?x=y>;tag=1
          t: sip:b@example.com;tag=2
          i: id
          CSeq: 7 UPDATE
          l: 0

          body
          """)))
    #expect(message.status == 180 && message.method == "UPDATE" && message.callID == "id")
    #expect(message.from == "sips:a@example.com" && message.to == "sip:b@example.com")
  }

  @Test func messagesAloneAreNoCall() {
    var conversation = SignallingConversation(.sip)
    _ = conversation.feed([
      SIPSample.wire("MESSAGE sip:b@example.com SIP/2.0\nFrom: <sip:a@example.com>\nTo: <sip:b@example.com>\n\nHi")
    ])
    #expect(conversation.facts.methods == ["MESSAGE"] && conversation.facts.callerSide == nil)
    #expect(conversation.facts.caller == "sip:a@example.com")
  }

  @Test func keepAlivesMediaAndDamageAreToldApart() {
    var conversation = SignallingConversation(.sip)
    let media = RTPSample.packet(1, timestamp: 1)
    let readings = conversation.feed([
      SIPSample.invite, [13, 10, 13, 10], [0, 0, 0, 0], media, Array("INVITE what".utf8),
    ])
    #expect(readings == [.mine, .mine, .mine, .notMine, .broken])
  }

  @Test(arguments: [1, 2, 3, 17, 100, 5000])
  func streamsAreFramed(chunk: Int) {
    let stream = SIPSample.invite + [13, 10, 13, 10] + SIPSample.bye + SIPSample.tortuous
    var conversation = SignallingConversation(.sip)
    conversation.feed(stream: stream, chunk: chunk)
    conversation.feed(stream: SIPSample.ok, from: .server, chunk: chunk)
    #expect(conversation.facts.methods == ["INVITE", "BYE"])
    #expect(conversation.facts.callID == "a84b4c76e66710")
    #expect(shown(conversation.takeAnnouncements()).contains("192.0.2.4:3456 audio"))
    #expect(!conversation.isDone)
  }

  @Test func everyCutOfAStreamMayStillBecomeSIP() {
    for message in [SIPSample.invite, SIPSample.ok, SIPSample.bye] {
      for count in 1..<40 {
        let recognition = SignallingKind.of(stream: Array(message.prefix(count)))
        #expect(recognition == .mine(.sip) || recognition == .needMore, "\(count)")
      }
      #expect(SignallingKind.of(stream: message) == .mine(.sip))
    }
    for other in ["GET / HTTP/1.1\r\n\r\n", "EHLO example.com\r\n", "SSH-2.0-x\r\n", "* OK ready\r\n"] {
      #expect(SignallingKind.of(stream: Array(other.utf8)) == .notMine, "\(other)")
    }
  }

  @Test func longHeadersEndTheAttempt() {
    var conversation = SignallingConversation(.sip)
    let endless = Array("INVITE sip:a@example.com SIP/2.0\r\n".utf8) + [UInt8](repeating: 0x41, count: 1 << 17)
    conversation.feed(stream: endless, chunk: 1000)
    #expect(conversation.bufferedBytes <= MessageFrames.maximumHeaderLength + MessageFrames.maximumBodyLength + 1000)
    conversation.skipGap(from: .client)
    conversation.skipGap(from: .server)
    #expect(conversation.isDone && conversation.bufferedBytes == 0)
  }

  @Test func everyCutOfADatagramIsRead() {
    for count in 0...SIPSample.tortuous.count {
      var conversation = SignallingConversation(.sip)
      _ = conversation.feed([Array(SIPSample.tortuous.prefix(count))])
      #expect(conversation.facts.methods.count <= 1)
    }
  }
}
