import Bytes
import Testing

@testable import Protocols

@Suite struct MGCPTests {
  /// RFC 3435, appendix F.3: create a connection, and the answer.
  private let create = SIPSample.wire(
    """
    CRCX 1204 aaln/1@rgw-2567.whatever.net MGCP 1.0
    C: A3C47F21456789F0
    L: p:10, a:PCMU
    M: sendrecv
    X: 0123456789AD
    R: L/hd
    S: L/rg

    v=0
    o=- 25678 753849 IN IP4 128.96.41.1
    s=-
    c=IN IP4 128.96.41.1
    t=0 0
    m=audio 3456 RTP/AVP 0
    """)
  private let answer = SIPSample.wire(
    """
    200 1204 OK
    I: FDE234C8

    v=0
    o=- 25678 753849 IN IP4 128.96.41.2
    s=-
    c=IN IP4 128.96.41.2
    t=0 0
    m=audio 1296 RTP/AVP 0
    """)

  @Test func readsACallOfMGCP() {
    #expect(SignallingKind.of(create) == .mgcp)
    #expect(SignallingKind.of(answer, port: 2727) == .mgcp && SignallingKind.of(answer) == nil)
    var conversation = SignallingConversation(.mgcp)
    #expect(conversation.feed([create]) == [.mine])
    #expect(conversation.feed([answer, SIPSample.wire("what is this")], from: .server) == [.mine, .broken])
    #expect(conversation.facts.methods == ["CRCX"] && conversation.facts.callID == "A3C47F21456789F0")
    #expect(
      shown(conversation.takeAnnouncements()) == [
        "128.96.41.1:3456 audio", "128.96.41.1:3457 audio", "128.96.41.2:1296 audio", "128.96.41.2:1297 audio",
      ])
  }

  @Test func readsSeveralMessagesInADatagram() {
    // RFC 3435, section 3.5.5.
    let both = create + SIPSample.wire("\n.\nDLCX 1210 aaln/1@rgw-2567.whatever.net MGCP 1.0\nC: A3C47F21456789F0\n")
    var conversation = SignallingConversation(.mgcp)
    _ = conversation.feed([both])
    #expect(conversation.facts.methods == ["CRCX", "DLCX"])
  }

  @Test(arguments: [
    // RFC 3525, appendix I.1.1, and the short form of annex B.
    "MEGACO/1 [124.124.124.222]:55555 Transaction = 10003 { Context = $ { Add = A4444, Add = $ { Media { Stream = 1 { "
      + "LocalControl { Mode = ReceiveOnly }, Local {\nv=0\nc=IN IP4 124.124.124.222\nm=audio 2222 RTP/AVP 4\n} } } } } }",
    "!/1 [124.124.124.222]:55555 T=10003{C=${A=A4444,A=${M{ST=1{O{MO=RC},L{\nv=0\nc=IN IP4 124.124.124.222\n"
      + "m=audio 2222 RTP/AVP 4\n}}}}}}",
  ])
  func readsTextOfMEGACO(text: String) {
    let bytes = Array(text.utf8)
    #expect(SignallingKind.of(bytes) == .megaco)
    var conversation = SignallingConversation(.megaco)
    #expect(conversation.feed([bytes]) == [.mine])
    #expect(conversation.facts.methods == ["Add"])
    #expect(shown(conversation.takeAnnouncements()) == ["124.124.124.222:2222 audio", "124.124.124.222:2223 audio"])
    let framed = [3, 0] + Sample.u16(bytes.count + 4) + bytes
    #expect(SignallingKind.of(stream: framed) == .mine(.megaco))
    var stream = SignallingConversation(.megaco)
    stream.feed(stream: framed, chunk: 5)
    #expect(stream.facts == conversation.facts)
  }

  @Test func recognisesBinaryMEGACO() {
    // Annex A: a MegacoMessage with a message of version 1 from an IPv4 address; synthetic.
    let message: [UInt8] = [0x80, 1, 1, 0xa1, 6, 0xa0, 4, 0x80, 0, 0x81, 0, 0xa2, 0]
    let bytes: [UInt8] = [0x30, UInt8(message.count + 2), 0xa1, UInt8(message.count)] + message
    #expect(SignallingKind.of(bytes) == .megaco)
    #expect(SignallingKind.of(bytes + [0]) == nil)
    // SNMP is a SEQUENCE too.
    #expect(SignallingKind.of([0x30, 10, 2, 1, 1, 4, 1, 0x61, 0xa0, 2, 1, 0]) == nil)
  }
}
