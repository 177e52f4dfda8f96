import Bytes
import Testing

@testable import Protocols

@Suite struct SDPTests {
  /// RFC 8866, section 5.
  private let example = """
    v=0
    o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1
    s=Call to John Smith
    i=SDP Offer #1
    u=http://www.jdoe.example.com/home.html
    e=Jane Doe <jane@jdoe.example.com>
    p=+1 617 555-6011
    c=IN IP4 198.51.100.1
    t=0 0
    m=audio 49170 RTP/AVP 0
    m=audio 49180 RTP/AVP 0
    m=video 51372 RTP/AVP 99
    c=IN IP6 2001:db8::2
    a=rtpmap:99 h263-1998/90000
    """

  @Test func readsTheExample() throws {
    let description = try #require(SessionDescription(of: example))
    #expect(description.kinds == ["audio", "video"])
    #expect(
      shown(description.announcements) == [
        "198.51.100.1:49170 audio", "198.51.100.1:49171 audio", "198.51.100.1:49180 audio", "198.51.100.1:49181 audio",
        "[2001:db8::2]:51372 video", "[2001:db8::2]:51373 video",
      ])
    #expect(description.announcements.allSatisfy { $0.source == .sdp })
    #expect(
      SessionDescription(of: "--x\nContent-Type: a/b\n\n" + example + "\n--x--\nm=audio 1 RTP/AVP 0") == description)
  }

  @Test(
    arguments: [
      // RFC 3605; RFC 5761; RFC 8839; a refused stream; hold; the placeholder of WebRTC; several ports; MSRP; a name.
      ("m=audio 5000 RTP/AVP 0\na=rtcp:6001", ["192.0.2.1:5000 audio", "192.0.2.1:6001 audio"]),
      ("m=audio 5000 RTP/AVP 0\na=rtcp:6001 IN IP4 192.0.2.9", ["192.0.2.1:5000 audio", "192.0.2.9:6001 audio"]),
      ("m=video 5000 RTP/SAVPF 96\na=rtcp-mux", ["192.0.2.1:5000 video"]),
      (
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\na=candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host\n"
          + "a=candidate:2 1 udp 1 x.local 9 typ host", ["203.0.113.141:8998 audio"]
      ),
      ("m=audio 0 RTP/AVP 0", []), ("c=IN IP4 0.0.0.0\nm=audio 5000 RTP/AVP 0\nc=IN IP4 0.0.0.0", []),
      ("m=audio 5000/2 RTP/AVP 0\na=rtcp-mux", ["192.0.2.1:5000 audio", "192.0.2.1:5002 audio"]),
      ("m=message 7394 TCP/MSRP *", []), ("m=image 6012 udptl t38", ["192.0.2.1:6012"]),
      ("m=audio 5000 RTP/AVP 0\nc=IN IP4 host.example.com\na=rtcp-mux", ["192.0.2.1:5000 audio"]),
      ("m=audio 65535 RTP/AVP 0", ["192.0.2.1:65535 audio"]), ("m=audio 99999 RTP/AVP 0", []), ("m=", []),
      ("m=audio 5000 RTP/AVP 0\nc=IN IP4 224.2.36.42/127\na=rtcp-mux", ["224.2.36.42:5000 audio"]),
    ] as [(String, [String])])
  func announces(lines: String, endpoints: [String]) {
    let description = SessionDescription(of: "v=0\r\nc=IN IP4 192.0.2.1\r\n" + lines)
    #expect(shown(description?.announcements ?? []) == endpoints)
  }

  @Test func manySectionsStayBounded() {
    let lines = "v=0\nc=IN IP4 192.0.2.1\n" + String(repeating: "m=audio 5000/9999 RTP/AVP 0\n", count: 1000)
    let description = SessionDescription(of: lines)
    #expect(description?.media.count == SessionDescription.maximumSections)
    #expect((description?.announcements.count ?? 0) <= 2 * 16 * SessionDescription.maximumPorts)
  }

  @Test func noDescriptionIsNone() {
    for text in ["", "hello", "v=1\nm=audio 1 RTP/AVP 0", "xv=0", "o=v=0"] {
      #expect(SessionDescription(of: text) == nil, "\(text)")
    }
  }
}
