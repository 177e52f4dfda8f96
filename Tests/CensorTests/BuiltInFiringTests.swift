import Bytes
import Classify
import Foundation
import Testing

@testable import Censor

/// Each built-in policy with a capture that it must hit and one that it must not, read and played the whole way.
///
/// Captures are made here, synthetic, or samples of the project. What is expected follows from the policy's source; near
/// misses differ in one thing.
@Suite("Captures that fire each policy, and captures that must not")
struct BuiltInFiringTests {
  static let book = try? PolicyBook.shipped(catalogue: Catalogue.shipped())

  /// What must be hit of a flow: where it goes, the first packet that does not pass as it came, and by which matcher.
  struct Hit: Equatable, CustomTestStringConvertible {
    var server: String
    var port: UInt16
    var at: Int
    var testDescription: String { "\(server) port \(port) from packet \(at)" }
  }

  static func played(_ name: String, _ capture: FiringCapture) throws -> (hits: [Hit], flows: Int) {
    let book = try #require(book)
    let policy = try #require(book.policy(named: name))
    let trace = try capture.trace()
    let replay = Replay([policy], recovery: RecoveryBook(services: []))
    let played = replay.play(PolicyMatcher(policy), over: trace, TraceIndex(trace))
    let hits = played.hits.keys.sorted().map { index in
      Hit(
        server: trace.flows[index].server.description, port: trace.flows[index].serverPort,
        at: played.hits[index]?.state.cutAt ?? 0)
    }
    return (hits, trace.flows.count)
  }

  static func reads(_ words: String...) -> [FiringCapture.Word] { words.map { .up(Array($0.utf8)) } }

  /// A connection to a server that says a name, and goes on for some packets.
  static func saying(_ name: String?, to server: String = "203.0.113.9", _ port: UInt16 = 443, extra: [UInt8] = [])
    -> FiringCapture
  {
    var capture = FiringCapture()
    capture.tcp(
      to: server, port, at: 0,
      [.up(FiringBytes.hello(name, extra: extra))]
        + (0..<8).flatMap { _ in [FiringCapture.Word.down(FiringBytes.record(900)), .up(FiringBytes.record(60))] })
    return capture
  }

  static func quic(_ name: String, from clientPort: UInt16 = 50_000, before: [UInt8]? = nil) -> FiringCapture {
    var capture = FiringCapture()
    let words = (before.map { [FiringCapture.Word.up($0)] } ?? []) + FiringBytes.initials(name).map { .up($0) }
    capture.udp(
      to: "203.0.113.9", 443, at: 0, from: clientPort,
      words + [.down(FiringBytes.random(1_200)), .up(FiringBytes.random(80))])
    return capture
  }

  static func payload(
    _ bytes: [UInt8], to server: String = "203.0.113.9", _ port: UInt16 = 8388, second: [UInt8]? = nil
  )
    -> FiringCapture
  {
    var capture = FiringCapture()
    capture.tcp(
      to: server, port, at: 0,
      [.up(bytes)] + (second.map { [.up($0)] } ?? []) + [.down(FiringBytes.random(300)), .up(FiringBytes.random(200))])
    return capture
  }

  static func datagrams(
    to server: String, _ port: UInt16, from clientPort: UInt16 = 50_000, _ bytes: [UInt8] = FiringBytes.random(150)
  )
    -> FiringCapture
  {
    var capture = FiringCapture()
    capture.udp(to: server, port, at: 0, from: clientPort, (0..<4).map { $0 % 2 == 0 ? .up(bytes) : .down(bytes) })
    return capture
  }

  /// A pair: what must be hit, and what must not.
  struct Pair: CustomTestStringConvertible {
    var policy: String
    var fires: FiringCapture
    var expected: [Hit]
    var near: FiringCapture
    var testDescription: String { policy }
  }

  private static func pair(_ policy: String, _ fires: FiringCapture, at: Int, near: FiringCapture) -> Pair {
    let trace = try? fires.trace()
    let flow = trace?.flows.first
    return Pair(
      policy: policy, fires: fires,
      expected: [Hit(server: flow?.server.description ?? "", port: flow?.serverPort ?? 0, at: at)], near: near)
  }

  /// Packets 1 to 3 of a connection are the handshake, 4 is the hello. Of datagrams the first is packet 1.
  static let names: [Pair] = [
    // Rewritten resets take the place of a packet of the server: packet 5. Xue et al., IMC 2022.
    pair("tspu-sni-1", saying("chat.signal.org"), at: 5, near: saying("chat.signal.org.example")),
    // All including the hello.
    pair("tspu-sni-4", saying("rutracker.org"), at: 4, near: saying("myrutracker.org")),
    pair("tspu-quic-sni", quic("rr1.googlevideo.com"), at: 1, near: saying("rr1.googlevideo.com")),
    // The hello passes, what follows is answered by resets to both ends.
    pair("gfw-sni", saying("web.telegram.org"), at: 5, near: saying("mtalk.google.com")),
    // From a second after the hello on; only what the client sends. Of the near one the extension is ECH's.
    pair(
      "gfw-esni", slow(FiringBytes.esni), at: 6,
      near: slow([0xfe, 0x0d] + FiringBytes.esni.dropFirst(2))),
    pair("gfw-quic-sni", quic("web.telegram.org"), at: 2, near: quic("web.telegram.org", from: 400)),
    pair("block-push-name", saying("7-courier.push.apple.com"), at: 4, near: saying("push.apple.com.example")),
    pair("block-identity", saying("query.ess.apple.com"), at: 4, near: saying("less.apple.com")),
    pair("block-activation", saying("albert.apple.com"), at: 4, near: saying("www.albert.apple.com")),
    pair("block-attachments", saying("p1.icloud-content.com"), at: 4, near: saying("icloud.com")),
    pair("facetime-name", saying("facetime.apple.com"), at: 4, near: saying("facetime.example.com")),
    pair("snapchat", saying("app.snapchat.com"), at: 4, near: saying("snapchat.com.example")),
    // The name must be on the list, and the address too.
    pair(
      "tspu-mobile-allow-list", saying("courier.push.apple.com", to: "77.88.8.8"), at: 4,
      near: saying("mail.yandex.ru", to: "77.88.8.8")),
    pair("inflight-messaging-only", saying("www.example.com"), at: 4, near: saying("g.whatsapp.net")),
  ]

  /// A hello, and what follows 0.5 and 1.2 seconds later.
  private static func slow(_ extra: [UInt8]) -> FiringCapture {
    var capture = FiringCapture()
    capture.tcp(
      to: "203.0.113.9", 443, at: 0,
      [
        .up(FiringBytes.hello(nil, extra: extra)), .up(FiringBytes.record(60), after: 0.5),
        .up(FiringBytes.record(60), after: 0.7), .up(FiringBytes.record(60)),
      ])
    return capture
  }

  static let addresses: [Pair] = [
    pair("tspu-address", datagrams(to: "149.154.167.50", 443), at: 1, near: datagrams(to: "149.154.176.1", 443)),
    pair(
      "block-push-prefixes", saying(nil, to: "17.57.144.20", 5223), at: 1, near: saying(nil, to: "17.56.255.255", 5223)),
    pair("block-port-5223", saying(nil, to: "203.0.113.9", 5223), at: 1, near: saying(nil, to: "203.0.113.9", 5224)),
    pair("block-17-8", saying(nil, to: "17.0.0.1"), at: 1, near: saying(nil, to: "18.0.0.1")),
    pair("facetime-ports", datagrams(to: "203.0.113.9", 16_393), at: 1, near: datagrams(to: "203.0.113.9", 16_403)),
    pair("facetime-relay-prefixes", datagrams(to: "17.252.1.1", 3_478), at: 1, near: saying(nil, to: "17.252.1.1")),
    pair("whatsapp-calls", datagrams(to: "157.240.1.60", 3_478), at: 1, near: datagrams(to: "157.240.1.60", 3_479)),
    pair("telegram-calls", datagrams(to: "91.108.9.1", 596), at: 1, near: saying(nil, to: "91.108.9.1")),
    pair("iran-2025-ports", saying(nil, to: "203.0.113.9", 5223), at: 1, near: saying(nil, to: "203.0.113.9", 443)),
  ]

  static let payloads: [Pair] = [
    // UDP to port 443, version 1, from 1,001 bytes on; the first datagram passes. Xue et al., IMC 2022.
    pair("tspu-quic-2022", longHeader(1_001), at: 2, near: longHeader(1_000)),
    // Bits that are set a byte: 4 here; of the near one 3.
    pair(
      "fully-encrypted-everywhere", payload(FiringBytes.random(400)), at: 5,
      near: payload([UInt8](repeating: 0x83, count: 400))),
    // Two payloads of the client that are neither DNS, HTTP nor TLS: the second is dropped. Bock et al., FOCI 2020.
    pair(
      "iran-protocol-filter", payload(FiringBytes.random(200), to: "203.0.113.9", 443, second: FiringBytes.random(60)),
      at: 5,
      near: payload(Array("GET / HTTP/1.1\r\n\r\n".utf8), to: "203.0.113.9", 443, second: FiringBytes.random(60))),
    pair(
      "tspu-dtls-fingerprint",
      datagrams(to: "203.0.113.9", 3_478, pion), at: 1,
      near: datagrams(to: "203.0.113.9", 3_478, otherLibrary)),
  ]

  /// pion's suites and signature algorithms, and the same with one suite less.
  private static let signatures = [0x0403, 0x0503, 0x0603, 0x0401, 0x0501, 0x0601, 0x0807]
  private static let pion = FiringBytes.dtls(
    suites: [0xc02b, 0xc02f, 0xc00a, 0xc014, 0xc02c, 0xc030], signatures: signatures)
  private static let otherLibrary = FiringBytes.dtls(
    suites: [0xc02b, 0xc02f, 0xc00a, 0xc014, 0xc02c], signatures: signatures)

  private static func longHeader(_ length: Int) -> FiringCapture {
    var capture = FiringCapture()
    let first = [0xc3, 0, 0, 0, 1, 8] + FiringBytes.random(length - 6)
    capture.udp(
      to: "203.0.113.9", 443, at: 0, [.up(first), .down(FiringBytes.random(400)), .up(FiringBytes.random(60))])
    return capture
  }

  @Test("By names, addresses and first payloads", arguments: names + addresses + payloads)
  func pairs(_ pair: Pair) throws {
    let fired = try Self.played(pair.policy, pair.fires)
    #expect(fired.hits == pair.expected)
    let near = try Self.played(pair.policy, pair.near)
    #expect(near.flows > 0)
    #expect(near.hits.isEmpty)
  }
}
