import Bytes
import Classify
import Foundation
import Testing

@testable import Censor

/// Built-in policies with amounts, memory, chance, verdicts and records; see `BuiltInFiringTests`.
@Suite("Captures that fire policies with amounts, memory, chance, verdicts and records")
struct BuiltInFiringStateTests {
  typealias Base = BuiltInFiringTests

  private static func connection(to server: String, _ first: [UInt8], records: Int, of length: Int) -> FiringCapture {
    var capture = FiringCapture()
    capture.tcp(
      to: server, 443, at: 0,
      [.up(first)] + (0..<records).map { .init(isUp: $0 % 2 == 1, bytes: FiringBytes.record(length), pause: 0.01) })
    return capture
  }

  private static func hits(_ name: String, _ capture: FiringCapture) throws -> [Base.Hit] {
    try Base.played(name, capture).hits
  }

  @Test("SNI-II lets 5 to 8 packets behind the hello pass (Xue et al., IMC 2022)")
  func passes() throws {
    let hello = FiringBytes.hello("app.snapchat.com")
    let found = try Self.hits("tspu-sni-2", Self.connection(to: "203.0.113.9", hello, records: 12, of: 100))
    // The hello is packet 4: packets 5 to 9, at most to 12, pass.
    #expect(found.count == 1 && (10...13).contains(found[0].at))
    #expect(try Self.hits("tspu-sni-2", Self.connection(to: "203.0.113.9", hello, records: 5, of: 100)).isEmpty)
    let other = FiringBytes.hello("app.snapchat.com.example")
    #expect(try Self.hits("tspu-sni-2", Self.connection(to: "203.0.113.9", other, records: 12, of: 100)).isEmpty)
  }

  @Test("SNI-III slows to 650 bytes a second (600 to 700: Xue et al., IMC 2022)")
  func throttles() throws {
    let capture = Self.connection(to: "203.0.113.9", FiringBytes.hello("twitter.com"), records: 40, of: 1_000)
    #expect(try Self.hits("tspu-sni-3", capture).count == 1)
    let small = Self.connection(to: "203.0.113.9", FiringBytes.hello("twitter.com"), records: 4, of: 100)
    #expect(try Self.hits("tspu-sni-3", small).isEmpty)
    let other = Self.connection(to: "203.0.113.9", FiringBytes.hello("twitter.com.example"), records: 40, of: 1_000)
    #expect(try Self.hits("tspu-sni-3", other).isEmpty)
  }

  @Test("The freeze comes after 25 packets or 16,000 bytes, abroad, and not for listed names (net4people/bbs 490)")
  func freezes() throws {
    let hello = FiringBytes.hello("www.example.com")
    let abroad = "104.16.1.1"
    #expect(
      try Self.hits("tspu-freeze", Self.connection(to: abroad, hello, records: 40, of: 60))
        == [Base.Hit(server: abroad, port: 443, at: 26)])
    // Three packets of the handshake, the hello of some 300 bytes, and then 1,059 bytes a packet on the wire.
    let large = try Self.hits("tspu-freeze", Self.connection(to: abroad, hello, records: 18, of: 1_000))
    #expect(large.count == 1 && (17...20).contains(large[0].at))
    #expect(try Self.hits("tspu-freeze", Self.connection(to: abroad, hello, records: 20, of: 60)).isEmpty)
    #expect(try Self.hits("tspu-freeze", Self.connection(to: "203.0.113.9", hello, records: 40, of: 60)).isEmpty)
    let listed = FiringBytes.hello("mail.yandex.ru")
    #expect(try Self.hits("tspu-freeze", Self.connection(to: abroad, listed, records: 40, of: 60)).isEmpty)
  }

  @Test("Two stages: recognised calls put address and port on a list, which is in force minutes later")
  func twoStages() throws {
    func calls(_ second: Double) -> FiringCapture {
      var capture = FiringCapture()
      for (at, port) in [(0.0, UInt16(16_402)), (second, 16_401)] {
        capture.udp(
          to: "17.252.1.1", 16_393, at: at, from: port,
          (0..<60).map { .init(isUp: $0 % 2 == 0, bytes: FiringBytes.rtp($0), pause: 0.02) })
      }
      return capture
    }
    // The facts give 60 to 300 seconds; the policy takes 180.
    let late = try Self.hits("tspu-two-stage", calls(400))
    #expect(late == [Base.Hit(server: "17.252.1.1", port: 16_393, at: 1)])
    #expect(try Self.hits("tspu-two-stage", calls(50)).isEmpty)
  }

  @Test("The GFW acts on 26.3 % of fully encrypted connections to listed ranges (Wu et al., USENIX Security 2023)")
  func chance() throws {
    func many(_ server: String) -> FiringCapture {
      var capture = FiringCapture()
      for number in 0..<400 {
        // A port of its own each, so that no residual of another meets it.
        capture.tcp(
          to: server, UInt16(10_000 + number), at: Double(number) * 0.1, from: UInt16(20_000 + number),
          [.up(FiringBytes.random(300)), .down(FiringBytes.random(300)), .up(FiringBytes.random(100))])
      }
      return capture
    }
    let share = Double(try Self.hits("gfw-fully-encrypted", many("45.55.128.1")).count) / 400
    // Four standard deviations of a binomial.
    #expect(abs(share - 0.263) < 4 * (0.263 * 0.737 / 400).squareRoot())
    #expect(try Self.hits("gfw-fully-encrypted", many("45.55.127.1")).isEmpty)
  }

  @Test("A poisoned answer keeps what it names from beginning")
  func poison() throws {
    func asking(_ name: String) -> FiringCapture {
      var capture = FiringCapture()
      capture.udp(
        to: "198.51.100.53", 53, at: 0,
        [.up(FiringBytes.dns(name)), .down(FiringBytes.dns(name, answer: [203, 0, 113, 9]))])
      capture.tcp(to: "203.0.113.9", 443, at: 1, [.up(FiringBytes.hello(name)), .down(FiringBytes.record(900))])
      return capture
    }
    let found = try Self.hits("iran-2025-dns", asking("web.telegram.org"))
    #expect(found.map(\.port) == [53, 443] && found.last?.at == 1)
    #expect(try Self.hits("iran-2025-dns", asking("web.telegram.org.example")).isEmpty)
  }

  /// Residuals: seconds within which a second, innocent connection is hit, and its key.
  @Test(
    "What is remembered is forgotten when its time is over",
    arguments: [
      ("gfw-sni", 180.0), ("fully-encrypted-everywhere", 180), ("gfw-esni", 180),
    ])
  func residuals(_ policy: String, _ seconds: Double) throws {
    func capture(_ second: Double, _ port: UInt16) -> FiringCapture {
      var capture = FiringCapture()
      let first =
        switch policy {
        case "gfw-sni": FiringBytes.hello("web.telegram.org")
        case "gfw-esni": FiringBytes.hello(nil, extra: FiringBytes.esni)
        default: FiringBytes.random(300)
        }
      capture.tcp(
        to: "203.0.113.9", 443, at: 0, from: 50_000,
        [.up(first)] + (0..<4).map { .init(isUp: $0 % 2 == 0, bytes: FiringBytes.record(90), pause: 0.6) })
      capture.tcp(
        to: "203.0.113.9", port, at: second, from: 50_001,
        [.up(FiringBytes.hello("www.example.com"))]
          + (0..<4).map { .init(isUp: $0 % 2 == 0, bytes: FiringBytes.record(90), pause: 0.6) })
      return capture
    }
    // Client, server and its port: a second connection inside the time, one behind it, one to another port.
    #expect(try Self.hits(policy, capture(seconds - 20, 443)).count == 2)
    #expect(try Self.hits(policy, capture(seconds + 20, 443)).count == 1)
    #expect(try Self.hits(policy, capture(seconds - 20, 444)).count == 1)
  }

  @Test("GFW's memory of QUIC is 180 s by client, server and port (Zohaib et al., USENIX Security 2025)")
  func residualOfQUIC() throws {
    func capture(_ second: Double) -> FiringCapture {
      var capture = FiringCapture()
      for (at, name, port) in [(0.0, "web.telegram.org", UInt16(50_000)), (second, "www.example.com", 50_001)] {
        capture.udp(
          to: "203.0.113.9", 443, at: at, from: port,
          FiringBytes.initials(name, connection: Int(port)).map { .up($0) } + [.down(FiringBytes.random(900))])
      }
      return capture
    }
    #expect(try Self.hits("gfw-quic-sni", capture(170)).count == 2)
    #expect(try Self.hits("gfw-quic-sni", capture(190)).count == 1)
  }
}

/// Policies on verdicts and on records of push connections, on the project's samples, whose truth is known.
@Suite("Samples that fire policies on verdicts and records")
struct BuiltInFiringSampleTests {
  private static func captured(_ samples: [String], _ policy: String) throws -> Collateral {
    let catalogue = try Catalogue.shipped()
    let picked = try PolicyBook.shipped(catalogue: catalogue).picked([policy])
    var rules = LearntRules(for: picked)
    var maker = CollateralMaker(rules.marked(picked), recovery: try RecoveryBook.shipped())
    var reader = TraceReader(classifier: Classifier(catalogue: catalogue), wantsRecords: !rules.isEmpty)
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "captures")
    var traces: [Trace] = []
    for sample in samples {
      traces.append(try reader.read(path: folder.appending(path: sample + ".pcapng").path, name: sample))
    }
    rules.learn(from: reader.traffic)
    for var trace in traces {
      rules.mark(&trace)
      maker.add(trace)
    }
    return maker.collateral()
  }

  struct Row: CustomTestStringConvertible {
    var policy: String
    var sample: String
    /// Columns that must be hit, with the least share.
    var hit: [String: Double]
    /// Columns that must not be hit, in the same sample and in another.
    var spared: [String]
    var other: String
    var othersSpared: [String]
    var testDescription: String { policy }
  }

  static let rows: [Row] = [
    // A sent text has 444 bytes and more on the wire (tools/lab/SIZES.md), acknowledgements of notifications far less.
    Row(
      policy: "sent-imessage-shape", sample: "imessage-conversation", hit: ["imessage-sent": 0.5], spared: [],
      other: "notifications-day", othersSpared: ["notifications"]),
    Row(
      policy: "sent-imessage-hold", sample: "imessage-conversation", hit: ["imessage-sent": 0.9],
      spared: ["imessage-received"], other: "notifications-day", othersSpared: ["notifications"]),
    Row(
      policy: "received-imessage-hold", sample: "imessage-conversation", hit: ["imessage-received": 0.3],
      spared: ["imessage-sent"], other: "courier-idle", othersSpared: ["notifications"]),
    Row(
      policy: "perfect-record-imessage", sample: "imessage-conversation",
      hit: ["imessage-sent": 1, "imessage-received": 1],
      spared: [], other: "notifications-day", othersSpared: ["notifications", "apns"]),
    Row(
      policy: "perfect-apns", sample: "first-look", hit: ["apns": 1, "notifications": 1],
      spared: ["fcm", "apns-bag", "signal"],
      other: "xmpp-chat", othersSpared: ["xmpp", "dns"]),
    Row(
      policy: "perfect-push", sample: "first-look", hit: ["apns": 1, "fcm": 1], spared: ["signal", "telegram", "dns"],
      other: "sip-call", othersSpared: ["sip", "rtp"]),
    Row(
      policy: "perfect-messaging", sample: "first-look", hit: ["signal": 1, "telegram": 1, "whatsapp": 1],
      spared: ["fcm", "notifications"], other: "sip-call", othersSpared: ["sip", "rtp"]),
    Row(
      policy: "perfect-calling", sample: "sip-call", hit: ["sip": 1, "rtp": 1], spared: ["dns"], other: "xmpp-chat",
      othersSpared: ["xmpp"]),
    // One of the two flows is direct, and only its form is a call's.
    Row(
      policy: "perfect-facetime", sample: "facetime-call", hit: ["facetime": 0.5],
      spared: ["notifications", "facetime-ringing"],
      other: "sip-call", othersSpared: ["rtp"]),
  ]

  @Test("By verdicts and records", arguments: rows)
  func samples(_ row: Row) throws {
    let fired = try Self.captured([row.sample], row.policy)
    for (column, least) in row.hit {
      let cell = try #require(fired.cell(row.policy, column))
      #expect(try #require(cell.hit) >= least, "\(column)")
    }
    for column in row.spared { #expect(fired.cell(row.policy, column)?.hit == 0, "\(column)") }
    let other = try Self.captured([row.other], row.policy)
    for column in row.othersSpared { #expect(other.cell(row.policy, column)?.hit == 0, "\(row.other): \(column)") }
  }

  @Test("The learnt rule needs captures in which truth knows both, and then finds most at few false alarms")
  func learnt() throws {
    let whole = try Self.captured(
      ["imessage-conversation", "inflight-messaging", "office", "shared-day", "notifications-day"], "imessage-model")
    let found = try #require(whole.cell("imessage-model", "imessage-sent")?.hit)
    #expect(found > 0.8)
    let alone = try Self.captured(["notifications-day"], "imessage-model")
    #expect(alone.cell("imessage-model", "notifications")?.hit == 0)
  }

  @Test("Every policy that ships has a capture that fires it")
  func allPolicies() throws {
    let tested =
      (BuiltInFiringTests.names + BuiltInFiringTests.addresses + BuiltInFiringTests.payloads).map(\.policy)
      + Self.rows.map(\.policy)
      + [
        "tspu-sni-2", "tspu-sni-3", "tspu-freeze", "tspu-two-stage", "gfw-fully-encrypted", "iran-2025-dns",
        "imessage-model",
      ]
    let shipped = try #require(BuiltInFiringTests.book?.policies.map(\.name))
    #expect(Set(tested) == Set(shipped))
  }
}
