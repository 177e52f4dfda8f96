import Bytes
import Capture
import Classify
import Decode
import Foundation
import Testing

@testable import Censor

@Suite("The evasion check")
struct EvasionCheckTests {
  private static let hellos = [EvasionFixture.tcp(), EvasionFixture.quic()]

  private static func policy(
    _ name: String, _ match: Formula, _ change: (inout BoxAbilities) -> Void = { _ in }
  ) -> Policy {
    var policy = Policy(
      name: name, title: name, about: "", group: "test", source: "made for a test", date: "2026-01-01",
      standing: .hypothetical, match: match, action: PolicyAction(.drop))
    change(&policy.box)
    return policy
  }

  private static func sni(_ name: String = EvasionFixture.name) throws -> Formula {
    .leaf(.sni(try NameMatch(.suffix, [name])))
  }

  private static func quicSNI() throws -> Formula {
    .leaf(.quicSNI(try NameMatch(.suffix, [EvasionFixture.name])))
  }

  private static func report(_ policies: [Policy], _ hellos: [RecordedHello] = hellos) throws -> EvasionReport {
    var check = EvasionCheck(classifier: try EvasionFixture.classifier(), policies: policies)
    for hello in hellos { check.take(hello) }
    return try check.report()
  }

  @Test("Boxes for TCP meet what they can put together")
  func streams() throws {
    let report = try Self.report([
      Self.policy("none", try Self.sni()) { $0.reassemblesSegments = false },
      Self.policy("segments", try Self.sni()),
      Self.policy("both", try Self.sni()) { $0.reassemblesRecords = true },
      Self.policy("records", try Self.sni()) { ($0.reassemblesSegments, $0.reassemblesRecords) = (false, true) },
    ])
    func met(_ rewrite: Rewrite) -> [Int?] {
      ["none", "segments", "both", "records"].map { report.outcome(rewrite, $0)?.matched }
    }
    for rewrite in [Rewrite.unchanged, .plain, .capitals, .mixedCase, .nameLast, .extensionsReversed] {
      #expect(met(rewrite) == [1, 1, 1, 1], "\(rewrite)")
    }
    for rewrite in [Rewrite.splitInName, .firstByte, .smallSegments, .swappedSegments, .reversedSegments, .padded] {
      #expect(met(rewrite) == [0, 1, 1, 0], "\(rewrite)")
    }
    #expect(met(.overlapWithDecoy) == [0, 1, 1, 0])
    #expect(met(.recordsSplitInName) == [0, 0, 1, 1])
    #expect(met(.smallRecords) == [0, 0, 1, 1])
    #expect(met(.recordsAndSegments) == [0, 0, 1, 0])
    for rewrite in [Rewrite.nameAbsent, .encryptedServerName, .encryptedClientHello, .trailingDot] {
      #expect(met(rewrite) == [0, 0, 0, 0], "\(rewrite)")
    }
  }

  @Test("A box that ignores the dot at the end, and one that minds capitals")
  func spelling() throws {
    var dotless = try NameMatch(.exact, [EvasionFixture.name])
    dotless.ignoresTrailingDot = true
    var strict = try NameMatch(.exact, [EvasionFixture.name])
    strict.ignoresCase = false
    let report = try Self.report([
      Self.policy("dotless", .leaf(.sni(dotless))), Self.policy("strict", .leaf(.sni(strict))),
    ])
    #expect(report.outcome(.trailingDot, "dotless")?.matched == 1)
    #expect(report.outcome(.trailingDot, "strict")?.matched == 0)
    #expect(report.outcome(.capitals, "dotless")?.matched == 1)
    #expect(report.outcome(.capitals, "strict")?.matched == 0)
    #expect(report.outcome(.mixedCase, "strict")?.matched == 0)
  }

  @Test("Boxes for QUIC meet what they can put together")
  func crypto() throws {
    let report = try Self.report([
      Self.policy("closed", try Self.quicSNI()),
      Self.policy("single", try Self.quicSNI()) { $0.opensQUIC = true },
      Self.policy("whole", try Self.quicSNI()) { ($0.opensQUIC, $0.reassemblesCrypto) = (true, true) },
      Self.policy("first", try Self.quicSNI()) { ($0.opensQUIC, $0.inspectedPackets) = (true, 1) },
      Self.policy("version", .leaf(.quicVersion([1]))),
    ])
    func met(_ rewrite: Rewrite) -> [Int?] {
      ["single", "whole", "first", "version"].map { report.outcome(rewrite, $0)?.matched }
    }
    #expect(met(.unchanged) == [1, 1, 1, 1])
    #expect(report.policies.first?.matched == 0)
    for rewrite in [Rewrite.framesReversed, .framesWithPings, .framesShuffled, .twoDatagrams, .datagramsReversed] {
      #expect(met(rewrite) == [0, 1, 0, 1], "\(rewrite)")
    }
    #expect(met(.randomFirst).prefix(3) == [1, 1, 0])
    #expect(met(.version2).last == 0)
    #expect(met(.unknownVersion).last == 0)
  }

  @Test("IP fragments up to a box's number, and one more")
  func fragments() throws {
    let hello = EvasionFixture.tcp(EvasionFixture.message(keyShare: 400))
    let six = EvasionFixture.tcp(EvasionFixture.message(keyShare: 400), isV4: false)
    let report = try Self.report(
      [
        Self.policy("45", try Self.sni()) { $0.maximumFragments = 45 },
        Self.policy("none", try Self.sni()) { $0.maximumFragments = 0 },
      ], [hello, six])
    #expect(report.outcome(.fragments, "45")?.matched == 2)
    #expect(report.outcome(.fragments45, "45")?.matched == 2)
    #expect(report.outcome(.fragments46, "45")?.matched == 0)
    #expect(report.outcome(.fragments, "none")?.matched == 0)
    #expect(report.outcome(.fragmentsReversed, "none")?.matched == 0)
  }

  @Test("A source port below the server's escapes a box that wants one above")
  func ports() throws {
    var policy = Self.policy("above", try Self.quicSNI()) { $0.opensQUIC = true }
    policy.scope.needsSourcePortAboveDestination = true
    let report = try Self.report([policy])
    #expect(report.outcome(.unchanged, "above")?.matched == 1)
    #expect(report.outcome(.lowSourcePort, "above")?.matched == 0)
    #expect(report.result(.lowSourcePort)?.read == 1)
  }

  @Test("What a rule meets only when rewritten counts as new")
  func newMatches() throws {
    let report = try Self.report([
      Self.policy("esni", .leaf(.encryptedServerName)),
      Self.policy("filter", .leaf(.unrecognised(packets: 2, allowed: [.tls, .http, .dns]))),
      Self.policy("address", .leaf(.transport(.tcp))),
    ])
    #expect(report.otherPolicies == 1)
    #expect(report.policies.map(\.name) == ["esni", "filter"])
    #expect(report.outcome(.encryptedServerName, "esni")?.new == 1)
    #expect(report.outcome(.encryptedServerName, "esni")?.of == 0)
    #expect(report.outcome(.unchanged, "filter")?.new == 0)
    // Neither a first payload of one byte nor what follows it begins like TLS.
    #expect(report.outcome(.firstByte, "filter")?.new == 1)
    #expect(report.outcome(.splitInName, "filter")?.new == 0)
  }

  @Test("A policy whose names no hello has is aimed at theirs; what it lets pass stays")
  func aim() throws {
    var scoped = Self.policy("scoped", try Self.sni("elsewhere.example.org"))
    scoped.scope.prefixes = [try AddressPrefix("192.0.2.0/24")]
    let report = try Self.report([
      Self.policy("aimed", try Self.sni("elsewhere.example.org")), Self.policy("as it is", try Self.sni()),
      Self.policy("allow", .all([.leaf(.hello(.tcp)), .not(try Self.sni("elsewhere.example.org"))])), scoped,
    ])
    #expect(report.policies.map(\.isAimed) == [true, false, false, false])
    #expect(report.policies.map(\.matched) == [1, 1, 1, 0])
    #expect(report.outcome(.splitInName, "aimed")?.matched == 1)
    #expect(report.outcome(.nameAbsent, "aimed")?.matched == 0)
    // An allow-list hits what has no name, too.
    #expect(report.outcome(.nameAbsent, "allow")?.matched == 1)
  }

  @Test("Wiretag reads all that a server would, in the captures of the project and in those made here")
  func wiretagReadsAll() throws {
    var check = EvasionCheck(classifier: try EvasionFixture.classifier(), policies: [], maximumHellos: 256)
    for file in EvasionFixture.captures {
      var source = try CaptureFile.open(path: file.path)
      try check.read(&source, name: file.lastPathComponent)
    }
    if EvasionFixture.captures.isEmpty { FileHandle.standardError.write(Data("SKIPPED: no captures here\n".utf8)) }
    for hello in Self.hellos { check.take(hello) }
    check.take(EvasionFixture.tcp(EvasionFixture.message(keyShare: 1_216), isV4: false))
    check.take(EvasionFixture.quic(EvasionFixture.message(keyShare: 1_216, isQUIC: true), isV4: false))
    check.take(EvasionFixture.tcp(EvasionFixture.message(name: nil), name: nil))
    #expect(Set(check.hellos.map(\.key)).count >= check.hellos.count - 5)
    let report = try check.report()
    for row in report.rewrites {
      #expect(row.tried > 0, "\(row.rewrite)")
      #expect(row.tried + row.notApplicable == check.hellos.count)
      guard row.isReadByServers else { continue }
      #expect(row.read == row.tried, "\(row.title): \(row.findings)")
      if row.rewrite.keepsMeaning { #expect(row.sameVerdict == row.tried, "\(row.title): \(row.findings)") }
    }
    #expect(report.isReadWhole)
  }

  @Test("A finding says what was read instead")
  func findings() throws {
    var report = try Self.report([])
    #expect(report.rewrites.allSatisfy { $0.findings.isEmpty })
    report.rewrites[2].read = 0
    report.rewrites[2].findings = ["a.example over tcp: read no hello"]
    let text = EvasionText.text(report)
    #expect(!report.isReadWhole)
    #expect(text.contains("did not read all"))
    #expect(text.contains("segments cut within the name: a.example over tcp: read no hello"))
  }

  @Test("Text keeps to 80 columns, names all policies, and says what it does not say")
  func text() throws {
    let boxes = try (0..<23).map { number in
      Self.policy("a-policy-with-a-long-name-\(number)", number % 2 == 0 ? try Self.sni() : try Self.quicSNI()) {
        $0.maximumFragments = number
        ($0.opensQUIC, $0.reassemblesCrypto) = (number % 3 == 0, number % 5 == 0)
      }
    }
    let report = try Self.report(boxes)
    let text = EvasionText.text(report, explains: true)
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
    #expect(text.split(separator: "\n").allSatisfy { $0.last != " " })
    for box in boxes { #expect(text.contains(box.name)) }
    for rewrite in Rewrite.allCases { #expect(text.contains(rewrite.title)) }
    // Lines break where they must.
    let prose = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    for rewrite in Rewrite.allCases { #expect(prose.contains(rewrite.sentence)) }
    #expect(prose.contains("It is no statement about a box in the field."))
    #expect(prose.contains("Whether a server accepts a rewritten hello was not tested."))
    #expect(prose.contains("low TTL"))
    let none = EvasionText.text(EvasionReport())
    #expect(none.contains("No ClientHello was found"))
  }

  @Test("JSON holds the same figures")
  func json() throws {
    let report = try Self.report([Self.policy("one", try Self.sni()) { $0.reassemblesSegments = false }])
    let object = try #require(try JSONSerialization.jsonObject(with: Data(report.json())) as? [String: Any])
    let outcomes = try #require(object["outcomes"] as? [[[String: Int]]])
    let rewrites = try #require(object["rewrites"] as? [[String: Any]])
    let at = try #require(rewrites.firstIndex { $0["rewrite"] as? String == "split-in-name" })
    #expect(outcomes[at] == [["matched": 0, "new": 0, "of": 1]])
    #expect(rewrites[at]["read"] as? Int == 1)
    #expect((object["hellos"] as? [[String: Any]])?.count == 2)
  }

  @Test("Beyond the limit, each name comes before a second stack of one")
  func choice() throws {
    var check = EvasionCheck(classifier: try EvasionFixture.classifier(), policies: [], maximumHellos: 3)
    for name in ["a.example.com", "a.example.com", "b.example.com", "a.example.com", "c.example.com"] {
      check.take(EvasionFixture.tcp(EvasionFixture.message(name: name), name: name))
    }
    #expect(check.hellos.map(\.serverName) == ["a.example.com", "b.example.com", "c.example.com"])
    #expect(try check.report().hellosNotKept == 2)
  }

  @Test("Policies that meet nothing stand in one line")
  func idle() throws {
    let text = EvasionText.text(
      try Self.report([
        Self.policy("dtls", .leaf(.hello(.dtls))), Self.policy("tcp", .leaf(.hello(.tcp))),
      ]))
    #expect(text.contains("Met none of the hellos in any way: dtls."))
    #expect(text.contains("  A  tcp: met 1 hello;"))
  }

  @Test("No hellos, hostile hellos and no policies give a report")
  func hostile() throws {
    #expect(try Self.report([], []).rewrites.allSatisfy { $0.tried == 0 })
    var broken = EvasionFixture.tcp([1, 0, 0, 5, 9, 9, 9, 9, 9], name: nil)
    broken.pieces = [[22, 3, 1, 0, 9, 1, 0, 0, 5, 9, 9, 9, 9, 9]]
    var empty = EvasionFixture.quic([], name: "x")
    empty.pieces = []
    let report = try Self.report([Self.policy("one", try Self.sni())], [broken, empty])
    #expect(report.hellos.count == 2)
    #expect(report.rewrites.allSatisfy { $0.read == 0 })
  }
}
