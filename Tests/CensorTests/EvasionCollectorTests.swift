import Bytes
import Capture
import Foundation
import Testing

@testable import Censor

@Suite("Recorded hellos")
struct EvasionCollectorTests {
  private static func collected(_ capture: [UInt8], limit: Int = 64) throws -> HelloCollector {
    let collector = HelloCollector(limit: limit)
    var source = try CaptureFile.open(bytes: capture, name: "made")
    try collector.read(&source, name: "made", classifier: try EvasionFixture.classifier())
    return collector
  }

  @Test("A hello is found again, whatever way it was sent", arguments: Rewrite.allCases)
  func found(_ rewrite: Rewrite) throws {
    let hellos = [
      EvasionFixture.tcp(), EvasionFixture.quic(),
      EvasionFixture.tcp(EvasionFixture.message(keyShare: 1_216), isV4: false),
      EvasionFixture.quic(EvasionFixture.message(keyShare: 1_216, isQUIC: true), isV4: false),
    ]
    for (number, hello) in hellos.enumerated() {
      guard let made = rewrite.rewrite(hello) else { continue }
      var capture = EvasionCapture()
      capture.add(hello, made.flight, number: number)
      let collected = try Self.collected(capture.bytes).hellos
      guard rewrite != .unknownVersion else {
        #expect(collected.isEmpty)
        continue
      }
      let found = try #require(collected.first)
      #expect(collected.count == 1)
      #expect(found.handshake == made.handshake)
      #expect(found.carrier == hello.carrier && found.serverName == made.serverName)
      #expect(found.server == hello.server && found.serverPort == 443)
      #expect(found.clientPort == made.flight.clientPort ?? hello.clientPort)
      // Sent again as it was recorded now, it is the same hello still.
      let again = try #require(Rewrite.unchanged.rewrite(found))
      #expect(EvasionFixture.handshake(again.flight, of: rewrite) == made.handshake)
    }
  }

  @Test("Each name of a stack is taken once, up to the limit")
  func once() throws {
    var capture = EvasionCapture()
    let names = ["a.example.com", "b.example.com", "a.example.com", "c.example.com", "c.example.com"]
    for (number, name) in names.enumerated() {
      let hello = EvasionFixture.tcp(EvasionFixture.message(name: name), name: name)
      guard let made = Rewrite.plain.rewrite(hello) else { continue }
      capture.add(hello, made.flight, number: number)
    }
    let all = try Self.collected(capture.bytes)
    #expect(all.hellos.map(\.serverName) == ["a.example.com", "b.example.com", "c.example.com"])
    #expect(all.repeated == 2 && all.notKept == 0)
    let some = try Self.collected(capture.bytes, limit: 2)
    #expect(some.hellos.count == 2 && some.notKept == 2)
  }

  @Test("What is no hello is let go of at once")
  func others() {
    for bytes: [UInt8] in [Array("GET / HTTP/1.1\r\n".utf8), [22, 3, 1, 0, 4, 2, 0, 0, 0], [22, 9, 9, 9, 9, 9]] {
      var hello = StreamHello()
      hello.take(bytes)
      #expect(hello.isHopeless && hello.handshake == nil && hello.pieces.isEmpty)
    }
    var endless = StreamHello()
    // A message of 2^24 bytes that never ends.
    endless.take([22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff])
    for _ in 0..<80 { endless.take([UInt8](repeating: 0, count: 1_000)) }
    #expect(endless.isHopeless && endless.pieces.isEmpty)
    var reader = InitialReader()
    for _ in 0..<100 { reader.take([UInt8](repeating: 0xc3, count: 1_200).rawSpan) }
    #expect(reader.isHopeless && reader.datagrams.isEmpty && reader.handshake == nil)
  }

  @Test("A hello's pieces end where its record ends")
  func pieces() throws {
    let message = EvasionFixture.message()
    let record = try #require(EvasionFixture.tcp().pieces.first)
    var hello = StreamHello()
    hello.take(Array(record.prefix(100)))
    #expect(hello.handshake == nil && !hello.isHopeless)
    hello.take(Array(record.dropFirst(100)) + [20, 3, 3, 0, 1, 1])
    #expect(hello.handshake == message)
    #expect(hello.pieces == [Array(record.prefix(100)), Array(record.dropFirst(100))])
  }
}
