import Bytes

@testable import Protocols

/// Messages of RFC 3261, section 24, RFC 4475 and RFC 8866, whose lines are parted by CRLF on the wire.
enum SIPSample {
  static func wire(_ text: String) -> [UInt8] { Array(text.replacing("\n", with: "\r\n").utf8) }

  /// RFC 3261, section 24.2, F1, with a body after RFC 8866.
  static let invite = wire(
    """
    INVITE sip:bob@biloxi.com SIP/2.0
    Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8
    Max-Forwards: 70
    To: Bob <sip:bob@biloxi.com>
    From: Alice <sip:alice@atlanta.com>;tag=1928301774
    Call-ID: a84b4c76e66710
    CSeq: 314159 INVITE
    Contact: <sip:alice@pc33.atlanta.com>
    User-Agent: Example Phone/1.0
    Content-Type: application/sdp
    Content-Length: 124

    v=0
    o=alice 53655765 2353687637 IN IP4 192.0.2.33
    s=-
    c=IN IP4 192.0.2.33
    t=0 0
    m=audio 49170 RTP/AVP 0
    a=rtpmap:0 PCMU/8000

    """)

  /// RFC 3261, section 24.2, F11: the answer.
  static let ok = wire(
    """
    SIP/2.0 200 OK
    Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8 ;received=192.0.2.1
    To: Bob <sip:bob@biloxi.com>;tag=a6c85cf
    From: Alice <sip:alice@atlanta.com>;tag=1928301774
    Call-ID: a84b4c76e66710
    CSeq: 314159 INVITE
    Contact: <sip:bob@192.0.2.4>
    Server: Example Server
    Content-Type: application/sdp
    Content-Length: 84

    v=0
    o=bob 1 1 IN IP4 192.0.2.4
    s=-
    c=IN IP4 192.0.2.4
    t=0 0
    m=audio 3456 RTP/AVP 0

    """)

  /// RFC 3261, section 24.2, F13.
  static let bye = wire(
    """
    BYE sip:alice@pc33.atlanta.com SIP/2.0
    Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKnashds10
    Max-Forwards: 70
    From: Bob <sip:bob@biloxi.com>;tag=a6c85cf
    To: Alice <sip:alice@atlanta.com>;tag=1928301774
    Call-ID: a84b4c76e66710
    CSeq: 231 BYE
    Content-Length: 0


    """)

  /// RFC 4475, section 3.1.1.1: a short tortuous INVITE, folded, in odd case and with compact forms.
  static let tortuous = wire(
    """
    INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0
    TO :
     sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n
    from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>
      ;
      tag = 98asjd8
    MaX-fOrWaRdS: 0068
    Call-ID: wsinv.ndaksdj@192.0.2.1
    Content-Length   : 150
    cseq: 0009
      INVITE
    Via  : SIP  /   2.0
     /UDP
        192.0.2.2;branch=390skdjuw
    s :
    NewFangledHeader:   newfangled value
     continued newfangled value
    UnknownHeaderWithUnusualValue: ;;,,;;,;
    Content-Type: application/sdp
    Route:
     <sip:services.example.com;lr;unknownwith=value;unknown-no-value>
    v:  SIP  / 2.0  / TCP     spindle.example.com   ;
      branch  =   z9hG4bK9ikj8  ,
     SIP  /    2.0   / UDP  192.168.255.111   ; branch=
     z9hG4bK30239
    m:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =
          newvalue ;
      secondparam ; q = 0.33

    v=0
    o=mhandley 29739 7272939 IN IP4 192.0.2.3
    s=-
    c=IN IP4 192.0.2.4
    t=0 0
    m=audio 49217 RTP/AVP 0 12
    m=video 3227 RTP/AVP 31
    a=rtpmap:31 LPC

    """)
}

extension SIPMessage {
  init?(of bytes: [UInt8]) { self.init(bytes.rawSpan) }
}

extension SessionDescription {
  init?(of text: String) { self.init(in: Array(text.utf8).rawSpan) }
}

extension SignallingConversation {
  /// Feeds datagrams of a side and gives what each came to.
  mutating func feed(_ datagrams: [[UInt8]], from side: FlowSide = .client) -> [DatagramReading] {
    datagrams.map { consume(datagram: $0.rawSpan, from: side) }
  }

  /// Feeds a stream in chunks of a size.
  mutating func feed(stream bytes: [UInt8], from side: FlowSide = .client, chunk: Int) {
    for start in stride(from: 0, to: bytes.count, by: chunk) {
      consume(stream: Array(bytes[start..<min(start + chunk, bytes.count)]).rawSpan, from: side)
    }
  }
}

extension SignallingKind {
  static func of(_ datagram: [UInt8], port: UInt16 = 40_000) -> SignallingKind? {
    SignallingKind(datagram: datagram.rawSpan, ports: (50_000, port))
  }

  static func of(stream bytes: [UInt8], port: UInt16 = 40_000) -> SignallingRecognition {
    recognize(stream: bytes.rawSpan, ports: (50_000, port))
  }
}

/// "192.0.2.1:5004 audio", for comparison.
func shown(_ announcements: [AnnouncedEndpoint]) -> [String] {
  announcements.map { [$0.endpoint.description, $0.media].compactMap(\.self).joined(separator: " ") }
}
