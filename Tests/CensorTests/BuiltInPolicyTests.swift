import Classify
import Decode
import Foundation
import TestSupport
import Testing

@testable import Censor

@Suite("The policies that the program ships with")
struct BuiltInPolicyTests {
  let book: PolicyBook

  init() throws { book = try PolicyBook.shipped(catalogue: #require(shippedCatalogue)) }

  private func policy(_ name: String) throws -> Policy {
    try #require(book.policy(named: name), "there is no policy \(name)")
  }

  @Test(
    "All that was promised is there",
    arguments: [
      "tspu-sni-1", "tspu-sni-2", "tspu-sni-3", "tspu-sni-4", "tspu-quic-2022", "tspu-quic-sni", "tspu-address",
      "tspu-freeze", "tspu-dtls-fingerprint", "tspu-mobile-allow-list", "tspu-two-stage", "gfw-sni", "gfw-esni",
      "gfw-quic-sni", "gfw-fully-encrypted", "iran-protocol-filter", "iran-2025-ports", "block-push-name",
      "block-push-prefixes", "block-port-5223", "block-17-8", "block-identity", "block-activation", "block-attachments",
      "facetime-ports", "facetime-relay-prefixes", "facetime-name", "whatsapp-calls", "telegram-calls", "snapchat",
      "inflight-messaging-only", "sent-imessage-shape", "sent-imessage-hold", "received-imessage-hold",
      "perfect-record-imessage", "perfect-push", "perfect-calling",
    ])
  func promised(_ name: String) throws { _ = try policy(name) }

  @Test("Each says where it is from, when that was read, and what of it is assumed")
  func provenance() {
    for policy in book.policies {
      #expect(policy.date == "2026-11-22", "\(policy.name)")
      #expect(policy.source.count >= 20, "\(policy.name): \(policy.source)")
      #expect(policy.about.hasSuffix(".") && policy.about.count >= 60, "\(policy.name): \(policy.about)")
      #expect(!policy.title.isEmpty && policy.title.count <= 40, "\(policy.name): \(policy.title)")
      #expect(policy.fact == nil || policy.standing != .hypothetical, "\(policy.name) is known and hypothetical")
    }
    #expect(
      book.groups == ["Russia", "China", "Iran", "Apple", "calls", "messengers", "shape", "perfect"])
  }

  @Test("Each is told in sentences that end, and in words that name its list")
  func words() throws {
    for policy in book.policies {
      #expect(policy.sentences.allSatisfy { $0.hasSuffix(".") }, "\(policy.name)")
      #expect(policy.match.leaves.allSatisfy { !$0.words.isEmpty }, "\(policy.name)")
    }
    #expect(
      try policy("tspu-sni-2").summary
        == "drops flows with SNI suffix snapchat.com, sc-cdn.net, sc-gw.com and 6 more, after 5 to 8 further packets, and "
        + "for 420 s all with the same five-tuple, counted anew at each match")
    #expect(try policy("block-push-name").summary == "drops flows with SNI suffix push.apple.com")
  }

  @Test("Figures are those of the papers, reports and the lecture")
  func figures() throws {
    // Xue et al., IMC 2022 (TSPU).
    let sni1 = try policy("tspu-sni-1")
    #expect(sni1.action.kind == .reset(isInjected: false) && sni1.action.direction == .down)
    #expect(sni1.residual?.seconds == 75 && sni1.residual?.key == .fiveTuple)
    let sni2 = try policy("tspu-sni-2")
    #expect(sni2.action.kind == .drop && sni2.action.passes == 5...8 && !sni2.action.hitsTrigger)
    #expect(sni2.residual?.seconds == 420 && sni2.residual?.key == .fiveTuple)
    #expect(try policy("tspu-sni-3").action.kind == .throttle(bytesPerSecond: 650))
    let sni4 = try policy("tspu-sni-4")
    #expect(sni4.action.kind == .drop && sni4.action.hitsTrigger && sni4.action.passes == nil)
    #expect(sni4.residual?.seconds == 40 && sni4.residual?.key == .fiveTuple)
    let quic = try policy("tspu-quic-2022")
    #expect(quic.match.words == "port udp/443 and QUIC version 1 and a first payload of 1001 bytes or more")
    #expect(quic.residual?.seconds == 420 && !quic.action.hitsTrigger)
    for policy in book.policies where policy.group == "Russia" {
      #expect(policy.box.maximumFragments == 45 && policy.box.position == .inPath, "\(policy.name)")
    }
    // net4people/bbs 490.
    #expect(try policy("tspu-freeze").action.kind == .freeze(packets: 25, bytes: 16_000))
    // The lecture: an analysis period of one to five minutes, addresses with ports.
    let twoStage = try #require(try policy("tspu-two-stage").secondStage)
    #expect((60...300).contains(twoStage.delay) && twoStage.key == .serverPort)
    // censorship.ai 2020: 120 or 180 s, at least a second later, packets of the client.
    let esni = try policy("gfw-esni")
    #expect(esni.match.words == "an encrypted server name (ESNI, 0xffce)")
    #expect((120...180).contains(esni.residual?.seconds ?? 0) && esni.residual?.key == .threeTuple)
    #expect(esni.action.delay == 1 && esni.action.direction == .up)
    // Zohaib et al., USENIX Security 2025.
    let names = try policy("gfw-quic-sni")
    #expect(names.residual?.seconds == 180 && names.residual?.key == .threeTuple)
    #expect(names.box.opensQUIC && !names.box.reassemblesCrypto && names.box.flowMemory == 60)
    #expect(names.scope.needsSourcePortAboveDestination)
    // Wu et al., USENIX Security 2023.
    let random = try policy("gfw-fully-encrypted")
    #expect(random.probability == 0.263 && random.residual?.seconds == 180 && random.residual?.key == .threeTuple)
    guard case .leaf(.fullyEncrypted(let test)) = random.match else { throw PolicyError("another matcher") }
    #expect(test.lowPopcount == 3.4 && test.highPopcount == 4.6 && test.printablePrefix == 6)
    #expect(test.printableFraction == 0.5 && test.printableRun == 20 && test.allowed == [.tls, .http])
    #expect(!random.scope.prefixes.isEmpty)
    // GFW's resets: net4people/bbs 308, 403.
    let reset = try policy("gfw-sni")
    #expect(reset.action.kind == .reset(isInjected: true) && reset.action.direction == .both)
    #expect(reset.box.position == .onPath && reset.box.reassemblesSegments && !reset.box.reassemblesRecords)
    // Bock et al., FOCI 2020.
    let filter = try policy("iran-protocol-filter")
    #expect(filter.scope.ports.map(\.description) == ["tcp/53", "tcp/80", "tcp/443"])
    guard case .leaf(.unrecognised(2, let allowed)) = filter.match else { throw PolicyError("another matcher") }
    #expect(Set(allowed) == [.dns, .http, .tls])
    #expect(filter.residual?.seconds == 60 && filter.residual?.restart == .packet && filter.action.direction == .up)
    #expect(try policy("iran-2025-ports").match.words == "not port udp/53, tcp/80, tcp/443")
  }

  @Test("Rules on records have the lengths that were measured, and hit single packets")
  func records() throws {
    for (name, lengths, direction) in [
      ("sent-imessage-shape", 444...PolicyFile.recordLengths.upperBound, PolicyAction.Direction.up),
      ("sent-imessage-hold", 444...PolicyFile.recordLengths.upperBound, .up),
      ("received-imessage-hold", 457...667, .down),
    ] {
      let policy = try policy(name)
      let tests = policy.match.leaves.compactMap { leaf -> RecordTest? in
        if case .record(let test) = leaf { return test }
        return nil
      }
      #expect(tests.map(\.lengths) == [lengths] && tests.map(\.direction) == [direction], "\(name)")
      #expect(policy.action.unit == .packet && policy.action.direction == direction, "\(name)")
    }
    #expect(try policy("sent-imessage-hold").action.kind == .hold(seconds: 3))
    #expect(try policy("perfect-record-imessage").match.words == "a message of imessage")
  }

  @Test("Lists that the catalogue has are taken from there")
  func lists() throws {
    let catalogue = try #require(shippedCatalogue)
    func names(_ policy: String) throws -> Set<String> {
      let leaves = try self.policy(policy).match.leaves
      return Set(
        leaves.flatMap { leaf -> [String] in
          if case .sni(let names) = leaf { return names.values }
          return []
        })
    }
    let snapchat = try #require(catalogue.service(named: "Snapchat"))
    #expect(try names("snapchat") == Set(snapchat.values(of: .sniSuffix)))
    #expect(try names("block-identity") == ["ess.apple.com"])
    #expect(try names("block-activation").contains("albert.apple.com"))
    let match = try policy("block-push-prefixes").match
    guard case .leaf(.address(let prefixes)) = match else { throw PolicyError("another matcher") }
    // Apple support 102266 lists five IPv4 and four IPv6 prefixes.
    #expect(prefixes.count == 9)
    #expect(prefixes.map(\.description).contains("17.249.0.0/16"))
  }
}

@Suite("The policies against the list of censors' parameters")
struct CensorFactTests {
  /// An entry of censors.json.
  struct Fact {
    let fields: [String: Any]
    var id: String { fields["id"] as? String ?? "" }
    func number(_ key: String) -> Double? { (fields[key] as? NSNumber)?.doubleValue }
    func flag(_ key: String) -> Bool? { fields[key] as? Bool }
    func word(_ key: String) -> String? { fields[key] as? String }
    func words(_ key: String) -> [String] { fields[key] as? [String] ?? [] }
    /// A number, or the range that two give.
    func range(_ key: String) -> ClosedRange<Double>? {
      if let one = number(key) { return one...one }
      guard let two = (fields[key] as? [NSNumber])?.map(\.doubleValue), two.count == 2, two[0] <= two[1] else {
        return nil
      }
      return two[0]...two[1]
    }
    func inner(_ key: String) -> Fact? { (fields[key] as? [String: Any]).map { Fact(fields: $0) } }
  }

  /// Keys that say nothing a policy could equal.
  static let telling: Set<String> = [
    "id", "country", "since", "period", "mode", "blocklist_fqdns", "collateral_fraction", "residual", "icmp", "stage1",
    "both_directions", "icmp_passes",
  ]
  /// Keys that `differences` compares.
  static let compared: Set<String> = [
    "conf", "match", "action", "direction", "residual_s", "key", "pass_packets", "bytes_per_s", "after_packets",
    "after_bytes", "typical_bytes", "exempt", "tcp_reassembly", "tls_record_reassembly", "crypto_reassembly",
    "flow_memory_s", "reaction_s", "probability", "ports", "inspect_data_packets", "allow", "timer_restarts",
    "stage2", "rst", "syn_passes",
  ]

  /// The facts beside the corpus; nil, with a line on standard error, where they are not.
  static func facts() throws -> [Fact]? {
    let file = Corpus.folder?.deletingLastPathComponent().appending(path: "facts/censors.json")
    guard let file, let data = try? Data(contentsOf: file) else {
      FileHandle.standardError.write(Data("SKIPPED: no facts/censors.json beside the corpus\n".utf8))
      return nil
    }
    let root = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    return try #require(root["censors"] as? [[String: Any]]).map { Fact(fields: $0) }
  }

  @Test("Every policy that names an entry equals it, figure by figure")
  func equal() throws {
    guard let facts = try Self.facts() else { return }
    let book = try PolicyBook.shipped(catalogue: #require(shippedCatalogue))
    var compared = 0
    for policy in book.policies {
      guard let name = policy.fact else { continue }
      let fact = try #require(facts.first { $0.id == name }, "\(policy.name) names an entry that is not there: \(name)")
      let unknown = Set(fact.fields.keys).subtracting(Self.telling).subtracting(Self.compared)
      #expect(unknown.isEmpty, "\(name) has keys that nothing compares: \(unknown.sorted())")
      #expect(differences(policy, fact) == [], "\(policy.name)")
      compared += 1
    }
    #expect(compared >= 17)
    let fragments = facts.first { $0.id == "tspu-fragment-limit" }?.number("ip_fragment_queue")
    #expect(fragments == book.policy(named: "tspu-sni-1").map { Double($0.box.maximumFragments) })
    let recalled = Set(facts.filter { $0.word("conf") == "recalled" }.map(\.id))
    #expect(book.policies.allSatisfy { policy in !recalled.contains(policy.fact ?? "") })
  }

  private func differences(_ policy: Policy, _ fact: Fact) -> [String] {
    var wrong: [String] = []
    func check(_ key: String, _ isRight: (Fact) -> Bool) {
      if fact.fields[key] != nil, !isRight(fact) { wrong.append(key) }
    }
    let action = policy.action
    let box = policy.box
    let standing: [String: Policy.Standing] = ["P": .paper, "C": .corpus, "O": .field, "L": .lecture]
    check("conf") { standing[$0.word("conf") ?? ""] == policy.standing }
    check("action") { holds(action, $0.word("action") ?? "") }
    check("direction") { $0.word("direction") == (action.direction == .down ? "server-to-client" : "client-to-server") }
    check("residual_s") { $0.range("residual_s")?.contains(policy.residual?.seconds ?? 0) ?? false }
    check("key") {
      let words = [
        "5-tuple": Residual.Key.fiveTuple, "3-tuple": .threeTuple, "client-ip,server-ip,server-port": .threeTuple,
      ]
      return words[$0.word("key") ?? ""] == policy.residual?.key
    }
    check("pass_packets") {
      $0.range("pass_packets") == action.passes.map { Double($0.lowerBound)...Double($0.upperBound) }
    }
    check("bytes_per_s") {
      if case .throttle(let rate) = action.kind { return $0.range("bytes_per_s")?.contains(rate) ?? false }
      return false
    }
    for key in ["after_packets", "after_bytes", "typical_bytes"] { check(key) { freezes(action, key, $0) } }
    check("tcp_reassembly") { $0.flag("tcp_reassembly") == box.reassemblesSegments }
    check("tls_record_reassembly") { $0.flag("tls_record_reassembly") == box.reassemblesRecords }
    check("crypto_reassembly") { $0.flag("crypto_reassembly") == box.reassemblesCrypto }
    check("flow_memory_s") { $0.number("flow_memory_s") == box.flowMemory }
    check("reaction_s") { $0.number("reaction_s") == action.delay }
    check("probability") { $0.number("probability") == policy.probability }
    check("ports") { fact in
      (fact.fields["ports"] as? [Int])?.map { "tcp/\($0)" } == policy.scope.ports.map(\.description)
    }
    check("inspect_data_packets") { $0.number("inspect_data_packets") == box.inspectedPackets.map(Double.init) }
    check("timer_restarts") { $0.flag("timer_restarts") == (policy.residual?.restart == .packet) }
    check("rst") { $0.flag("rst") == (action.kind == .reset(isInjected: true)) }
    check("syn_passes") { _ in policy.match.leaves.contains { if case .firstPayloadLength = $0 { true } else { false } }
    }
    check("stage2") { $0.inner("stage2")?.range("period_s")?.contains(policy.secondStage?.delay ?? 0) ?? false }
    check("allow") { allows(policy, $0.words("allow")) }
    check("exempt") { exempts(policy, $0) }
    check("match") { fact in fact.words("match").allSatisfy { looksFor(policy, $0) } }
    return wrong
  }

  private func holds(_ action: PolicyAction, _ word: String) -> Bool {
    switch (word, action.kind) {
    case ("rewrite-to-rst-ack", .reset(isInjected: false)), ("rst-inject", .reset(isInjected: true)), ("drop", .drop),
      ("throttle", .throttle), ("freeze", .freeze), ("drop-clienthello", .drop):
      true
    case ("drop-after-packets", .drop): action.passes != nil && !action.hitsTrigger
    case ("drop-all-including-trigger", .drop): action.passes == nil && action.hitsTrigger
    default: false
    }
  }

  private func freezes(_ action: PolicyAction, _ key: String, _ fact: Fact) -> Bool {
    guard case .freeze(let packets, let bytes) = action.kind else { return false }
    let value = key == "after_packets" ? packets : bytes
    return fact.range(key)?.contains(value.map(Double.init) ?? -1) ?? false
  }

  private func allows(_ policy: Policy, _ words: [String]) -> Bool {
    policy.match.leaves.contains { leaf in
      switch leaf {
      case .unrecognised(_, let allowed): Set(allowed.map(\.rawValue)) == Set(words)
      case .port(let ports, _): ports.map(\.description) == words
      default: false
      }
    }
  }

  private func exempts(_ policy: Policy, _ fact: Fact) -> Bool {
    if let words = fact.fields["exempt"] as? [String] {
      // SSH is no TLS; lists of names and of addresses are the scope's.
      return words == ["ssh", "sni-whitelist", "cidr-whitelist"] && policy.scope.exceptNames != nil
        && policy.match.words == "protocol tls or UDP"
    }
    guard let exempt = fact.inner("exempt"), let popcount = exempt.inner("popcount_per_byte"),
      case .leaf(.fullyEncrypted(let test)) = policy.match
    else { return false }
    return popcount.number("le") == test.lowPopcount && popcount.number("ge") == test.highPopcount
      && exempt.number("printable_prefix") == Double(test.printablePrefix)
      && exempt.number("printable_fraction_gt") == test.printableFraction
      && exempt.number("printable_run_gt") == Double(test.printableRun)
      && exempt.words("prefixes").map { $0.lowercased() } == test.allowed.map(\.rawValue)
  }

  private func looksFor(_ policy: Policy, _ word: String) -> Bool {
    policy.match.leaves.contains { leaf in
      switch (word, leaf) {
      case ("sni", .sni), ("quic-initial-sni", .quicSNI), ("dst-prefix", .address), ("dtls-clienthello-ja4", .ja4),
        ("tls-extension-0xffce", .encryptedServerName), ("first-tcp-payload", .fullyEncrypted):
        true
      case ("udp-443", .port(let ports, _)): ports.map(\.description) == ["udp/443"]
      case ("quic-version-1", .quicVersion(let versions)): versions == [1]
      case ("payload>=1001", .firstPayloadLength(let lengths)): lengths.lowerBound == 1001
      case ("src-port>dst-port", _): policy.scope.needsSourcePortAboveDestination
      case ("foreign-datacentre-asn", _): !policy.scope.prefixes.isEmpty
      default: false
      }
    }
  }
}
