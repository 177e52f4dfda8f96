import Bytes
import Decode
import Testing

@testable import Censor

@Suite("What services do when they are cut")
struct RecoveryTests {
  @Test("The shipped book can be read, and each entry says whom it is about and where it is from")
  func shipped() throws {
    let book = try RecoveryBook.shipped()
    #expect(!book.services.isEmpty)
    for entry in book.services {
      #expect((entry.service == nil) != (entry.application == nil))
      #expect(!entry.about.isEmpty && !entry.source.isEmpty)
      for fallback in entry.fallbacks ?? [] {
        #expect((fallback.port == nil) != (fallback.transport == nil))
        #expect(!fallback.source.isEmpty)
      }
    }
  }

  // tools/lab/ACT.md and the lab's phones: TCP_USER_TIMEOUT 20 s, attempts after 1, 2, 4 s, 5 s for TCP, 10 s for TLS.
  @Test("A push connection's figures are the lab's")
  func push() throws {
    let push = try #require(try RecoveryBook.shipped().services.first { $0.service == "APNs" })
    #expect((20...21.5).contains(push.patience ?? 0))
    #expect(push.pauses == [1, 2, 4])
    #expect(push.connectLimit == 5 && push.handshakeLimit == 10 && push.giveUp == 30 && push.handshake == 0.2)
    #expect(push.sendsOneAtATime == true && push.keepsNewestOnly == true)
    #expect(push.fallbacks?.map(\.port) == [443])
  }

  @Test("A service's own entry counts before its protocol's")
  func lookUp() {
    let book = RecoveryBook(services: [
      Recovery(application: "quic", about: "protocol", source: "a test"),
      Recovery(service: "Zoom", about: "service", source: "a test"),
    ])
    var flow = Sketch.quic("example.org")
    #expect(book.recovery(of: flow)?.about == "protocol")
    flow.service = "Zoom"
    #expect(book.recovery(of: flow)?.about == "service")
    flow.service = "Another"
    #expect(book.recovery(of: flow)?.about == "protocol")
    flow.application = nil
    #expect(book.recovery(of: flow) == nil)
  }

  @Test("Another way is another port, or TCP for UDP, and none where the flow takes it already")
  func ways() {
    let port = Recovery.Fallback(port: 443, source: "a test")
    let tcp = Recovery.Fallback(transport: "tcp", source: "a test")
    #expect(Sketch.tls("a.example", serverPort: 5223).by(port)?.serverPort == 443)
    #expect(Sketch.tls("a.example").by(port) == nil)
    #expect(Sketch.tls("a.example").by(tcp) == nil)
    let quic = Sketch.quic("a.example").by(tcp)
    #expect(quic?.transport == .tcp && quic?.hello?.carrier == .tcp && quic?.quicVersion == nil)
    #expect(quic?.application == "tls" && quic?.hello?.serverName == "a.example")
  }

  @Test("Late is more than a second, lost is never")
  func fates() {
    #expect(!MessageFate(delay: 1).isLate && MessageFate(delay: 1.001).isLate)
    #expect(!MessageFate(delay: 30).isLost && MessageFate(delay: nil).isLost && !MessageFate(delay: nil).isLate)
  }
}
