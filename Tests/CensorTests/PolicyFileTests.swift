import Classify
import Foundation
import Testing

@testable import Censor

/// Read once: each case of a test makes its suite anew.
let shippedCatalogue = try? Catalogue.shipped()

/// A file with a mistake, and what a person is told.
struct PolicyMistake: Sendable, CustomTestStringConvertible {
  let kind: String
  let yaml: String
  let message: String
  var testDescription: String { kind }

  init(_ kind: String, _ yaml: String, _ message: String) {
    self.kind = kind
    self.yaml = yaml
    self.message = message
  }

  /// A policy "x" with fields besides its name; the first is on line 3.
  static func policy(_ kind: String, _ fields: String, _ message: String) -> PolicyMistake {
    let lines = fields.split(separator: "\n").map { "    \($0)\n" }.joined()
    return PolicyMistake(kind, "policies:\n  - name: x\n" + lines, "own.yaml:\(message)")
  }

  /// A policy "x" that drops and matches something, on line 3.
  static func match(_ kind: String, _ match: String, _ message: String, box: String = "") -> PolicyMistake {
    policy(
      kind, "match: \(match)\naction: drop\n" + (box.isEmpty ? "" : "box: \(box)\n"),
      "3: policy \"x\": match\(message)")
  }

  /// A policy "x" that matches a port and does something, on line 3.
  static func action(_ kind: String, _ action: String, _ message: String) -> PolicyMistake {
    policy(kind, "action: \(action)\nmatch: {port: 5223}\n", "3: policy \"x\": action\(message)")
  }

  /// A policy "x" with one more field, on line 5.
  static func also(_ kind: String, _ field: String, _ message: String) -> PolicyMistake {
    policy(kind, "match: {port: 5223}\naction: drop\n\(field)\n", "5: policy \"x\": \(message)")
  }
}

@Suite("Mistakes in a file of policies")
struct PolicyFileTests {
  let catalogue: Catalogue

  init() throws { catalogue = try #require(shippedCatalogue) }

  private func book(_ yaml: String, isShipped: Bool = false) throws -> PolicyBook {
    try PolicyBook(text: yaml, file: "own.yaml", catalogue: catalogue, isShipped: isShipped)
  }

  static let wholeFiles = [
    PolicyMistake("empty", "", "own.yaml: is empty; add `policies:` with a list of policies"),
    PolicyMistake("only a comment", "# nothing\n", "own.yaml: is empty; add `policies:` with a list of policies"),
    PolicyMistake(
      "not YAML", "policies:\n  - name: [x\n",
      "own.yaml:3: is not YAML here: did not find expected ',' or ']'; check indentation, colons and brackets"),
    PolicyMistake("a key twice", "policies: []\npolicies: []\n", "own.yaml:1: has a key twice: policies; leave one"),
    PolicyMistake(
      "a list at the top", "- name: x\n", "own.yaml:1: must begin with `policies:`, and is a list instead"),
    PolicyMistake(
      "unknown key at the top", "polices: []\npolicies:\n  - {name: x, match: {port: 1}, action: drop}\n",
      "own.yaml:1: polices: is not known here; did you mean policies?"),
    PolicyMistake(
      "no policies", "gathered: 2026-11-22\n",
      "own.yaml:1: policies: is missing; add `policies:` with a list of policies"),
    PolicyMistake(
      "policies are no list", "policies: drop\n",
      "own.yaml:1: policies: must be a list with a dash before each policy, not \"drop\""),
    PolicyMistake(
      "a policy is a word", "policies: [drop]\n",
      "own.yaml:1: policies: must be keys with values, as {name: ...}, not \"drop\""),
    PolicyMistake(
      "no name", "policies:\n  - match: {port: 5223}\n    action: drop\n",
      "own.yaml:2: name: is missing; give the policy a name, as block-push-name"),
    PolicyMistake(
      "a name with spaces", "policies:\n  - {name: my rule, match: {port: 5223}, action: drop}\n",
      "own.yaml:2: policy \"my rule\": name: must be of small letters, digits and hyphens, at most 64, as block-push-name"
    ),
    PolicyMistake(
      "a name twice",
      "policies:\n  - {name: x, match: {port: 1}, action: drop}\n  - {name: x, match: {port: 2}, action: drop}\n",
      "own.yaml:3: policy \"x\": name: stands twice, first at line 2; give one of them another name"),
  ]

  static let fields: [PolicyMistake] = [
    .policy(
      "unknown key", "mtach: {port: 5223}\nmatch: {port: 5223}\naction: drop",
      "3: policy \"x\": mtach: is not known here; did you mean match?"),
    .policy(
      "no match", "action: drop",
      "2: policy \"x\": match: is missing; say what the rule looks for, as match: {sni-suffix: [example.org]}"),
    .policy(
      "no action", "match: {port: 5223}",
      "2: policy \"x\": action: is missing; say what the rule does, as action: drop"),
    .also("a list for a sentence", "about: [a, b]", "about: must be a word or a sentence, not a list"),
    .also(
      "unknown standing", "standing: rumour",
      "standing: is \"rumour\"; use paper, corpus, field, lecture or hypothetical"),
    .also("no day", "date: 22.11.2026", "date: must be a day, as 2026-11-22, not \"22.11.2026\""),
    .also("probability above 1", "probability: 26.3", "probability: must be a number from 0 to 1, not \"26.3\""),
    .also("probability below 0", "probability: -0.1", "probability: must be a number from 0 to 1, not \"-0.1\""),
    .also("probability is no number", "probability: often", "probability: must be a number from 0 to 1, not \"often\""),
    .also(
      "residual of 0 s", "residual: {seconds: 0, key: 5-tuple}",
      "residual.seconds: must be seconds above 0 and at most 315360000, not \"0\""),
    .also(
      "residual without key", "residual: {seconds: 60}",
      "residual: needs key: what is remembered, one of 5-tuple, 3-tuple, client-server, server-port or server"),
    .also(
      "unknown key of a residual", "residual: {seconds: 60, key: 4-tuple}",
      "residual.key: is \"4-tuple\"; use 5-tuple, 3-tuple, client-server, server-port or server"),
    .also(
      "unknown restart", "residual: {seconds: 60, key: server, restart: always}",
      "residual.restart: is \"always\"; use never, match or packet"),
    .also(
      "second stage without delay", "second-stage: {key: server}",
      "second-stage: needs delay: seconds until the list is in force"),
    .also(
      "unknown ability", "box: {reassemble-records: true}",
      "box.reassemble-records: is not known here; did you mean reassembles-records?"),
    .also(
      "unknown position", "box: {position: inline}", "box.position: is \"inline\"; use in-path or on-path"),
    .also(
      "a flag that is no flag", "box: {opens-quic: yes}", "box.opens-quic: must be true or false, not \"yes\""),
    .also(
      "too many fragments", "box: {maximum-fragments: 100000}",
      "box.maximum-fragments: must be a whole number from 0 to 8192, not \"100000\""),
    .also(
      "unknown owner in a scope", "scope: {owner: Gogle}",
      "scope.owner: \"Gogle\" owns no addresses in the catalogue; did you mean Google?"),
    .also(
      "a name with a star", "scope: {except-sni-suffix: [\"*.apple.com\"]}",
      "scope.except-sni-suffix: \"*.apple.com\" is no host name: write example.org, without *, scheme or path (other "
        + "scripts as xn--)"),
    .policy(
      "a box on the path's side drops", "match: {port: 5223}\naction: drop\nbox: {position: on-path}",
      "2: policy \"x\": action: a box that stands on-path only gets copies and cannot drop; use {reset: injected} or "
        + "poison, or box: {position: in-path}"),
    .policy(
      "a box on the path's side rewrites", "match: {port: 5223}\naction: {reset: rewritten}\nbox: {position: on-path}",
      "2: policy \"x\": action: a box that stands on-path only gets copies and cannot reset by rewriting; use "
        + "{reset: injected} or poison, or box: {position: in-path}"),
  ]

  static let actions: [PolicyMistake] = [
    .action(
      "unknown action", "block", ": is \"block\"; use drop, poison, or keys with values, as {reset: injected}"),
    .action("reset says not how", "reset", ": does not say how; write {reset: rewritten} or {reset: injected}"),
    .action("throttle says no rate", "throttle", ": does not say how fast; write {throttle: 650}, in bytes a second"),
    .action(
      "freeze says not when", "{freeze: {}}", ".freeze: does not say when; add packets: 25, bytes: 16000 or both"),
    .action("unknown reset", "{reset: rst}", ".reset: is \"rst\"; use rewritten or injected"),
    .action("throttle of 0", "{throttle: 0}", ".throttle: must be bytes a second above 0, not \"0\""),
    .action(
      "hold for less than nothing", "{hold: -3}",
      ".hold: must be seconds above 0 and at most 315360000, not \"-3\""),
    .action("two actions", "{drop: true, hold: 3}", ": does 2 things: drop, hold; leave one"),
    .action(
      "no action in it", "{unit: flow}",
      ": says nothing to do; add one of drop, reset, throttle, freeze, hold or poison, as {drop: true}"),
    .action(
      "drop: false", "{drop: false}", ".drop: can only be true; leave it out, and say what the rule does instead"),
    .action(
      "a range the wrong way", "{drop: true, passes: 8-5}",
      ".passes: must be a whole number or a range such as 5-8, from 0 to 1000000, not \"8-5\""),
    .action("unknown direction", "{drop: true, direction: in}", ".direction: is \"in\"; use both, up or down"),
    .action("unknown unit", "{drop: true, unit: record}", ".unit: is \"record\"; use flow or packet"),
    .policy(
      "packets that nothing tells", "match: {port: 5223}\naction: {drop: true, unit: packet}",
      "2: policy \"x\": action.unit: packet needs something that packets are told by; add record, packet, message or "
        + "model to match"),
    .policy(
      "a reset of packets",
      "match: {record: {at-least: 444}}\naction: {reset: injected, unit: packet}",
      "2: policy \"x\": action.unit: packet goes with drop and hold only; leave it out"),
    .policy(
      "poison without DNS", "match: {sni-suffix: [example.org]}\naction: poison",
      "2: policy \"x\": action: poison changes answers to DNS; add dns-suffix or another dns- key to match"),
  ]

  static let matches: [PolicyMistake] = [
    .match("a list", "[{port: 5223}]", ": is a list; say whether all or any must be met, as {any: [...]}"),
    .match("nothing", "{}", ": looks for nothing; add what to look for, as {sni-suffix: [example.org]}"),
    .match("a word", "5223", ": must be keys with values, as {all: ...}, not \"5223\""),
    .match(
      "unknown matcher", "{sni: [example.org]}",
      ".sni: is not known here; did you mean sni-exact, sni-regex or sni-suffix?"),
    .match("any of a word", "{any: 5223}", ".any: must be a list with a dash before each part, not \"5223\""),
    .match("an empty list", "{sni-suffix: []}", ".sni-suffix: needs at least one value"),
    .match(
      "no host name", "{sni-suffix: [https://example.org]}",
      ".sni-suffix: \"https://example.org\" is no host name: write example.org, without *, scheme or path (other scripts "
        + "as xn--)"),
    .match(
      "broken expression", "{sni-regex: [\"([a-z]+\"]}",
      ".sni-regex: \"([a-z]+\" is no regular expression; check brackets and backslashes, as '^[0-9]+-courier'"),
    .match(
      "no prefix", "{address: [17.0.0.0]}",
      ".address: \"17.0.0.0\" is no address prefix: write ADDRESS/LENGTH, as 17.0.0.0/8 or 2620:149::/32"),
    .match(
      "bits behind the prefix", "{address: [17.1.0.0/8]}",
      ".address: \"17.1.0.0/8\" has bits set after its length: write 17.0.0.0/8"),
    .match(
      "no port", "{port: [70000]}",
      ".port: \"70000\" is no port: write 5223, tcp/5223 or udp/3478-3497, from 1 to 65535"),
    .match(
      "no port of SCTP", "{port: [sctp/5223]}",
      ".port: \"sctp/5223\" is no port: write 5223, tcp/5223 or udp/3478-3497, from 1 to 65535"),
    .match("both ends of nothing", "{port: {both-ends: true}}", ".port: says no port; add ports: [udp/16402]"),
    .match("unknown transport", "{transport: sctp}", ".transport: is \"sctp\"; use tcp or udp"),
    .match("unknown hello", "{hello: tls}", ".hello: is \"tls\"; use tcp, quic or dtls"),
    .match(
      "no JA3", "{ja3: [abc]}", ".ja3: \"abc\" is no JA3: write its 32 hexadecimal digits in lower case"),
    .match(
      "no JA4", "{ja4: [t13d1516h2]}",
      ".ja4: \"t13d1516h2\" is no JA4: write its three parts, as t13d1516h2_8daaf6152771_b186095e22b6"),
    .match(
      "no QUIC version", "{quic-version: draft-29}",
      ".quic-version: \"draft-29\" is no QUIC version: write v1, v2 or a number as 0xff00001d"),
    .match(
      "names in QUIC for a box that opens none", "{quic-sni-suffix: [example.org]}",
      ".quic-sni-suffix: needs a box that opens QUIC; add box: {opens-quic: true}"),
    .match(
      "absence by false", "{encrypted-server-name: false}",
      ".encrypted-server-name: can only be true; write {not: {...: true}} for its absence"),
    .match(
      "no length", "{first-payload: {}}",
      ".first-payload: says no length; add lengths: 444-800, at-least: 444 or at-most: 800"),
    .match(
      "a record longer than TLS allows", "{record: {lengths: 444-20000}}",
      ".record.lengths: must be a whole number or a range such as 5-8, from 0 to 18432, not \"444-20000\""),
    .match(
      "bounds the wrong way", "{packet: {at-least: 800, at-most: 444}}",
      ".packet: has at-least above at-most; exchange them"),
    .match(
      "both lengths and a bound", "{record: {lengths: 1-2, at-most: 2}}",
      ".record: has both lengths and a bound; use lengths: 444-800, or at-least and at-most"),
    .match(
      "unknown key of a record", "{record: {at-least: 444, dir: up}}",
      ".record.dir: is not known here; did you mean direction?"),
    .match(
      "a test that exempts all", "{fully-encrypted: {low-popcount: 5, high-popcount: 4}}",
      ".fully-encrypted: has low-popcount above high-popcount, so that everything is exempt; exchange them"),
    .match(
      "unknown beginning", "{unrecognised: {packets: 1, allow: [smtp]}}",
      ".unrecognised.allow: is \"smtp\"; use tls, http, dns or ssh"),
    .match(
      "nothing is let pass", "{unrecognised: {packets: 1}}",
      ".unrecognised: says nothing that is let pass; add allow: [tls]"),
    .match(
      "a model without a rate", "{model: {target: imessage, background: notifications}}",
      ".model: needs false-positive-rate: a number from 0 to 1"),
    .match("unknown tag", "{tag: chat}", ".tag: is \"chat\"; use push, messaging, calling or other"),
    .match(
      "unknown service", "{service: Facetime Video}",
      ".service: \"Facetime Video\" is no service of the catalogue; did you mean FaceTime?"),
    .match(
      "a service without flows", "{service: iMessage}",
      ".service: \"iMessage\" has no flow of its own; it rides APNs: use that, or message"),
    .match(
      "unknown owner", "{owner: Aple}", ".owner: \"Aple\" owns no addresses in the catalogue; did you mean Apple?"),
    .match(
      "unknown service by names", "{names-of: Snapchatt}",
      ".names-of: \"Snapchatt\" is no service of the catalogue; did you mean Snapchat?"),
    .match(
      "a service without names", "{names-of: Telegram calls}",
      ".names-of: the catalogue has no names of \"Telegram calls\"; use address-of or ports-of"),
    .match(
      "a service without addresses", "{address-of: Signal}",
      ".address-of: the catalogue has no addresses of \"Signal\"; use names-of or ports-of"),
    .match(
      "a service without prefixes of its own", "{prefixes-of: FaceTime}",
      ".prefixes-of: the catalogue has no prefixes of \"FaceTime\" alone; use address-of, or owner for all of an owner's"
    ),
    .match(
      "a service without ports", "{ports-of: Snapchat}",
      ".ports-of: the catalogue has no ports of \"Snapchat\"; use names-of or address-of"),
    .match(
      "unknown class of messages", "{message: [imesage.text]}",
      ".message: \"imesage.text\" is no class of messages; did you mean imessage?"),
    .match(
      "nested too deep",
      String(repeating: "{not: ", count: 17) + "{port: 5223}" + String(repeating: "}", count: 17),
      String(repeating: ".not", count: 16) + ": stands more than 16 deep in all, any and not; write it flatter"),
  ]

  @Test("Each kind is told with line, policy, field and what to do", arguments: wholeFiles + fields + actions + matches)
  func mistake(_ mistake: PolicyMistake) {
    let error = #expect(throws: PolicyError.self) { try book(mistake.yaml) }
    #expect(error?.description == mistake.message)
  }

  @Test("All mistakes of a file are told at once, in the order of its lines")
  func allAtOnce() {
    let yaml = """
      policies:
        - name: a
          match: {sni-suffix: [example.org], prot: 5223}
          action: {drop: true, passes: 8-5}
        - name: b
          match: {address: [17.1.0.0/8]}
          residual: {seconds: 0, key: server}
          action: drop
      """
    let error = #expect(throws: PolicyError.self) { try book(yaml) }
    #expect(error?.problems.map(\.line) == [3, 4, 6, 7])
    #expect(error?.problems.map(\.policy) == ["a", "a", "b", "b"])
    #expect(
      error?.problems.map(\.field) == ["match.prot", "action.passes", "match.address", "residual.seconds"])
  }

  @Test("More problems than are told are counted")
  func manyProblems() {
    let yaml = "policies:\n" + String(repeating: "  - {name: x}\n", count: 30)
    let error = #expect(throws: PolicyError.self) { try book(yaml) }
    #expect(error?.problems.count == PolicyError.maximumProblems)
    #expect(error?.untold == 10)
    #expect(error?.description.hasSuffix("\nand 10 more problems") == true)
  }

  @Test("A shipped policy must say where it is from")
  func shippedFields() {
    let error = #expect(throws: PolicyError.self) {
      try book("policies:\n  - {name: x, match: {port: 5223}, action: drop}\n", isShipped: true)
    }
    #expect(error?.problems.compactMap(\.field).sorted() == ["about", "date", "group", "source", "standing", "title"])
  }

  @Test("Files that are too large, of no text or not there are told in one line")
  func files() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "wiretag-policies-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func message(_ name: String, _ bytes: Data?) throws -> String? {
      let path = folder.appending(path: name)
      try bytes?.write(to: path)
      let error = #expect(throws: PolicyError.self) { try PolicyBook(path: path.path, catalogue: catalogue) }
      return error?.description.replacingOccurrences(of: folder.path + "/", with: "")
    }
    #expect(try message("absent.yaml", nil) == "absent.yaml: no such file; give the path of a file of policies")
    #expect(
      try message("large.yaml", Data(repeating: 0x20, count: PolicyBook.maximumFileSize + 1))
        == "large.yaml: is 1048577 bytes long, more than the 1048576 allowed; use several files")
    #expect(
      try message("bytes.yaml", Data([0xff, 0xfe, 0x70])) == "bytes.yaml: is not UTF-8 text; save it as UTF-8")
    #expect(try message("folder", nil) != nil)
  }

  @Test("Text that wants to cost time or memory is refused")
  func hostile() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: PolicyError.self) { try book("policies: \(deep)") }
    var laughs = "lists:\n  a: &a [example.org]\n"
    for (i, letter) in "bcdefghijk".enumerated() {
      let before = Array("abcdefghijk")[i]
      laughs +=
        "  \(letter): &\(letter) [" + [String](repeating: "*\(before)", count: 9).joined(separator: ", ") + "]\n"
    }
    let error = #expect(throws: PolicyError.self) {
      try book(laughs + "policies:\n  - {name: x, match: {sni-suffix: *k}, action: drop}\n")
    }
    #expect(error?.problems.contains { $0.text.contains("beyond the 200000 values") } == true)
    let many = "policies:\n" + String(repeating: "  - {name: x}\n", count: PolicyFile.maximumPolicies + 1)
    #expect(throws: PolicyError.self) { try book(many) }
  }
}

@Suite("What a file of policies says")
struct PolicyReadingTests {
  let catalogue: Catalogue

  init() throws { catalogue = try #require(shippedCatalogue) }

  private func policy(_ fields: String) throws -> Policy {
    let lines = fields.split(separator: "\n").map { "    \($0)\n" }.joined()
    let book = try PolicyBook(text: "policies:\n  - name: x\n" + lines, file: "own.yaml", catalogue: catalogue)
    return try #require(book.policies.first)
  }

  @Test("Every field arrives where it belongs")
  func everything() throws {
    let policy = try policy(
      """
      title: a title
      about: a sentence
      group: own rules
      target: [apns, facetime]
      source: a paper
      date: 2026-01-02
      standing: field
      fact: an-entry
      match: {port: udp/3478-3497}
      scope: {address: [17.0.0.0/8], port: [udp/3478], except-address: [17.57.144.0/22], except-sni-suffix: [apple.com], source-port-above-destination: true}
      box: {position: in-path, reassembles-segments: false, reassembles-records: true, reassembles-crypto: true, maximum-fragments: 9, opens-quic: true, inspected-packets: 3, flow-memory: 60, judges-midstream: false}
      action: {throttle: 650, direction: down, passes: 5-8, trigger-passes: true, delay: 1.5, copies-pass: true}
      residual: {seconds: 420, key: client-server, restart: packet}
      second-stage: {delay: 60, key: server, seconds: 3600}
      probability: 0.263
      """)
    #expect(policy.title == "a title" && policy.about == "a sentence" && policy.group == "own rules")
    #expect(policy.target == ["apns", "facetime"] && policy.source == "a paper" && policy.date == "2026-01-02")
    #expect(policy.standing == .field && policy.fact == "an-entry" && policy.line == 2)
    #expect(policy.scope.prefixes.map(\.description) == ["17.0.0.0/8"])
    #expect(policy.scope.ports.map(\.description) == ["udp/3478"])
    #expect(policy.scope.exceptPrefixes.map(\.description) == ["17.57.144.0/22"])
    #expect(policy.scope.exceptNames?.values == ["apple.com"] && policy.scope.needsSourcePortAboveDestination)
    var box = BoxAbilities()
    box.reassemblesSegments = false
    box.reassemblesRecords = true
    box.reassemblesCrypto = true
    box.maximumFragments = 9
    box.opensQUIC = true
    box.inspectedPackets = 3
    box.flowMemory = 60
    box.judgesMidstream = false
    #expect(policy.box == box)
    var action = PolicyAction(.throttle(bytesPerSecond: 650))
    action.direction = .down
    action.passes = 5...8
    action.hitsTrigger = false
    action.delay = 1.5
    action.copiesPass = true
    #expect(policy.action == action)
    var residual = Residual(seconds: 420, key: .twoHosts)
    residual.restart = .packet
    #expect(policy.residual == residual)
    var stage = SecondStage(delay: 60)
    stage.key = .server
    stage.seconds = 3600
    #expect(policy.secondStage == stage)
    #expect(policy.probability == 0.263)
  }

  @Test(
    "Matchers mean what they say",
    arguments: [
      ("{sni-suffix: [push.apple.com]}", "SNI suffix push.apple.com"),
      ("{sni-exact: [Albert.Apple.Com.]}", "SNI albert.apple.com"),
      ("{sni-substring: [t.co]}", "SNI with t.co in it"),
      ("{sni-regex: ['^[0-9]+-courier']}", "SNI like ^[0-9]+-courier"),
      ("{quic-sni-suffix: [a.org]}", "QUIC SNI suffix a.org"),
      ("{dns-suffix: [a.org]}", "DNS name suffix a.org"),
      ("{http-host-exact: [a.org]}", "HTTP host a.org"),
      ("{hello: dtls}", "a ClientHello in DTLS"),
      ("{hello: [tcp, quic]}", "a ClientHello over TCP or a ClientHello in QUIC"),
      ("{alpn: [apns-*]}", "ALPN apns-*"),
      ("{address: [17.0.0.0/8]}", "address in 17.0.0.0/8"),
      ("{owner: apple}", "address of Apple"),
      ("{port: 5223}", "port 5223"),
      ("{port: [tcp/5223, udp/3478-3497]}", "port tcp/5223, udp/3478-3497"),
      ("{port: {ports: [udp/16402], both-ends: true}}", "port udp/16402 at both ends"),
      ("{ports-of: FaceTime}", "port udp/3478-3497, udp/16384-16387, udp/16393-16402"),
      ("{transport: udp}", "UDP"),
      ("{protocol: [tls, quic]}", "protocol tls, quic"),
      ("{ja3: [f1c5cf087b959cec31bd6285407f689a]}", "JA3 f1c5cf087b959cec31bd6285407f689a"),
      ("{ja4: [t12d2209a3_0d4ca5d4ec72_2cdefc264be7]}", "JA4 t12d2209a3_0d4ca5d4ec72_2cdefc264be7"),
      ("{encrypted-server-name: true}", "an encrypted server name (ESNI, 0xffce)"),
      ("{encrypted-client-hello: true}", "an encrypted ClientHello (ECH, 0xfe0d)"),
      ("{quic-version: [v1, v2, 0xff00001d]}", "QUIC version 1, 2, 0xff00001d"),
      ("{first-payload: {at-least: 1001}}", "a first payload of 1001 bytes or more"),
      ("{fully-encrypted: true}", "a first payload that looks like nothing known"),
      (
        "{unrecognised: {packets: 2, allow: [dns, http, tls]}}",
        "one of the first 2 payloads begins like none of DNS, HTTP, TLS"
      ),
      (
        "{record: {direction: up, lengths: 444-800, leading: true, grace: 5}}",
        "a sent TLS record of 444 to 800 bytes that begins a segment, not in the first 5 s"
      ),
      ("{packet: {direction: down, lengths: 514-724}}", "a received packet of 514 to 724 bytes"),
      (
        "{model: {target: imessage, background: notifications, false-positive-rate: 0.001}}",
        "a record that a learnt rule takes for imessage, at 0.1 % false alarms among notifications"
      ),
      ("{tag: [push, calling]}", "Wiretag's tag push, calling"),
      ("{service: facetime}", "Wiretag's verdict FaceTime"),
      ("{message: {kinds: [imessage.text], direction: up}}", "a sent message of imessage.text"),
      ("{port: tcp/5223, owner: Apple}", "port tcp/5223 and address of Apple"),
      ("{any: [{port: 53}, {all: [{port: 80}, {transport: tcp}]}]}", "port 53 or (port 80 and TCP)"),
      ("{hello: tcp, not: {sni-suffix: [a.org]}}", "a ClientHello over TCP and not SNI suffix a.org"),
      ("{not: {any: [{port: 53}, {port: 80}]}}", "not (port 53 or port 80)"),
      (
        "{address-of: FaceTime}",
        "address in 17.0.0.0/8, 2620:149::/36, 2403:300::/32 and 1 more and port "
          + "udp/3478-3497, udp/16384-16387, udp/16393-16402"
      ),
    ])
  func matchers(_ yaml: String, _ words: String) throws {
    #expect(try policy("box: {opens-quic: true}\nmatch: \(yaml)\naction: drop").match.words == words)
  }

  @Test("Names come from the catalogue: whole names stay whole, and those below another are left out")
  func namesOfServices() throws {
    #expect(try policy("match: {names-of: APNs}\naction: drop").match.words.hasPrefix("SNI suffix push.apple.com,"))
    let activation = try policy("match: {names-of: Apple activation}\naction: drop").match
    #expect(activation.words == "SNI albert.apple.com, humb.apple.com, gs.apple.com")
  }

  @Test("Prefixes of a service are its own, not its owner's whole space")
  func prefixesOfServices() throws {
    let match = try policy("match: {prefixes-of: APNs}\naction: drop").match
    guard case .leaf(.address(let prefixes)) = match else { throw PolicyError("not one leaf of addresses") }
    #expect(prefixes.count == 9 && !prefixes.contains { $0.description == "17.0.0.0/8" })
  }

  @Test("How a box compares names holds for each name")
  func comparison() throws {
    let match = try policy(
      "box: {ignores-case: false, ignores-trailing-dot: true}\nmatch: {sni-exact: [a.org]}\naction: drop"
    ).match
    guard case .leaf(.sni(let names)) = match else { throw PolicyError("not one leaf of names") }
    #expect(names.value(for: "a.org.") == "a.org")
    #expect(names.value(for: "A.org") == nil)
  }

  @Test(
    "A policy is told in one clause",
    arguments: [
      ("{drop: true, passes: 5-8}", "", "drops flows with port 80, after 5 to 8 further packets"),
      ("{drop: true, direction: up, delay: 1}", "", "drops what the client sends in flows with port 80, 1 s later"),
      (
        "{reset: rewritten, direction: down}", "residual: {seconds: 75, key: 5-tuple}",
        "resets flows with port 80, by rewriting packets of the server, and for 75 s all with the same five-tuple, counted "
          + "anew at each match"
      ),
      ("{reset: injected}", "", "resets flows with port 80, by packets of its own"),
      ("{throttle: 650}", "", "holds flows with port 80 to 650 bytes a second"),
      (
        "{freeze: {packets: 25, bytes: 16000}}", "",
        "stops flows with port 80 once they have carried 25 packets or 16000 bytes"
      ),
    ])
  func summaries(_ action: String, _ more: String, _ words: String) throws {
    #expect(try policy("match: {port: 80}\naction: \(action)\n\(more)").summary == words)
  }

  @Test("What does not fit the clause follows in sentences")
  func sentences() throws {
    let policy = try policy(
      """
      match: {record: {at-least: 444}}
      action: {hold: 3, unit: packet, direction: up}
      probability: 0.5
      scope: {port: 443}
      second-stage: {delay: 60, seconds: 300}
      """)
    #expect(
      policy.sentences == [
        "Keeps packets with a TLS record of 444 bytes or more for 3 s each.", "It applies to port 443.",
        "It acts on 50 % of what it meets.",
        "It only recognises at first: 60 s later, all with the same server and port is hit for 300 s.",
      ])
  }

  @Test("Policies are picked by name, group and pattern, each once; unknown words get the nearest")
  func picking() throws {
    let yaml = """
      policies:
        - {name: tspu-sni-1, group: Russia, match: {port: 1}, action: drop}
        - {name: gfw-sni, group: China, match: {port: 2}, action: drop}
        - {name: tspu-sni-2, group: Russia, match: {port: 3}, action: drop}
      """
    let book = try PolicyBook(text: yaml, file: "own.yaml", catalogue: catalogue)
    func names(_ words: String...) throws -> [String] { try book.picked(words).map(\.name) }
    #expect(try names() == ["tspu-sni-1", "gfw-sni", "tspu-sni-2"])
    #expect(try names("gfw-sni", "russia") == ["gfw-sni", "tspu-sni-1", "tspu-sni-2"])
    #expect(try names("*-sni-2", "tspu-*") == ["tspu-sni-2", "tspu-sni-1"])
    #expect(try names("*sni*") == ["tspu-sni-1", "gfw-sni", "tspu-sni-2"])
    #expect(try names("g*i", "g*sni") == ["gfw-sni"])
    #expect(book.groups == ["Russia", "China"])
    let error = #expect(throws: PolicyError.self) { try book.picked(["gfw-snj", "nothing-alike", "*x"]) }
    #expect(
      error?.description == """
        no policy or group is called "gfw-snj"; did you mean gfw-sni?
        no policy or group is called "nothing-alike"; use a policy's name, a group (Russia, China), or a pattern as "tspu-*"
        no policy or group is called "*x"; use a policy's name, a group (Russia, China), or a pattern as "tspu-*"
        """)
    let other = try PolicyBook(
      text: "policies: [{name: gfw-sni, match: {port: 9}, action: drop}, {name: y, match: {port: 9}, action: drop}]",
      file: "other.yaml", catalogue: catalogue)
    #expect(book.adding(other).policies.map(\.match.words) == ["port 1", "port 9", "port 3", "port 9"])
  }
}

@Suite("The schema of a file of policies")
struct PolicySchemaTests {
  /// Parts of the schema, by a path of keys; nil where it has none.
  private static func part(_ path: [String]) throws -> [String: Any] {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = root.appending(path: "Sources/Censor/Resources/policies.schema.json")
    var part = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    for key in path {
      if let inner = part[key] as? [String: Any] {
        part = inner
      } else {
        // Where a word may stand for a mapping, the mapping is one of several.
        let choices = try #require(part["oneOf"] as? [[String: Any]], "no \(key) in \(path)")
        let mapping = try #require(choices.first { $0["type"] as? String == "object" }, "no mapping in \(path)")
        part = try #require(mapping[key] as? [String: Any], "no \(key) in \(path)")
      }
    }
    return part
  }

  private static func names<Key: RawRepresentable & CaseIterable>(_: Key.Type) -> Set<String>
  where Key.RawValue == String { Set(Key.allCases.map(\.rawValue)) }

  static let levels: [(path: [String], keys: Set<String>)] = {
    let policy = ["$defs", "policy", "properties"]
    let match = ["$defs", "match", "properties"]
    return [
      ([], names(PolicyKeys.Root.self)), (["$defs", "policy"], names(PolicyKeys.Entry.self)),
      (["$defs", "match"], names(PolicyKeys.Match.self)), (match + ["port"], names(PolicyKeys.Port.self)),
      (match + ["first-payload"], names(PolicyKeys.Length.self)), (match + ["record"], names(PolicyKeys.Record.self)),
      (match + ["packet"], names(PolicyKeys.Packet.self)),
      (match + ["fully-encrypted"], names(PolicyKeys.FullyEncrypted.self)),
      (match + ["unrecognised"], names(PolicyKeys.Unrecognised.self)),
      (match + ["model"], names(PolicyKeys.Model.self)),
      (match + ["message"], names(PolicyKeys.Message.self)), (policy + ["scope"], names(PolicyKeys.Scope.self)),
      (policy + ["box"], names(PolicyKeys.Box.self)), (policy + ["action"], names(PolicyKeys.Action.self)),
      (policy + ["action", "properties", "freeze"], names(PolicyKeys.Freeze.self)),
      (policy + ["residual"], names(PolicyKeys.Residual.self)),
      (policy + ["second-stage"], names(PolicyKeys.SecondStage.self)),
    ]
  }()

  @Test("It has the reader's keys at every level, and no others", arguments: levels.indices)
  func keys(_ level: Int) throws {
    let (path, keys) = Self.levels[level]
    #expect(Set(try Self.part(path + ["properties"]).keys) == keys, "\(path)")
  }

  @Test("It has the reader's words where one of several is meant")
  func words() throws {
    func enumeration(_ path: String...) throws -> Set<String> {
      Set(try #require(try Self.part(["$defs", "policy", "properties"] + path)["enum"] as? [String]))
    }
    #expect(try enumeration("standing") == Self.names(Policy.Standing.self))
    #expect(try enumeration("box", "properties", "position") == Self.names(BoxAbilities.Position.self))
    #expect(try enumeration("action", "properties", "unit") == Self.names(PolicyAction.Unit.self))
    #expect(try enumeration("action", "properties", "direction") == Self.names(PolicyAction.Direction.self))
    #expect(try enumeration("residual", "properties", "key") == Self.names(Residual.Key.self))
    #expect(try enumeration("residual", "properties", "restart") == Self.names(Residual.Restart.self))
    #expect(try enumeration("second-stage", "properties", "key") == Self.names(Residual.Key.self))
  }

  @Test("The article on policies names every key of them")
  func article() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(
      contentsOf: root.appending(path: "Sources/Engine/Wiretag.docc/Policies.md"), encoding: .utf8)
    for key in Self.levels.flatMap(\.keys) { #expect(text.contains("`\(key)`"), "Policies.md says nothing of \(key)") }
  }

  @Test("The example of the article is a file of policies")
  func example() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(
      contentsOf: root.appending(path: "Sources/Engine/Wiretag.docc/Policies.md"), encoding: .utf8)
    let blocks = text.components(separatedBy: "```yaml\n").dropFirst().compactMap {
      $0.components(separatedBy: "```").first
    }
    #expect(blocks.count == 3)
    for block in blocks {
      let book = try PolicyBook(text: block, file: "example.yaml", catalogue: #require(shippedCatalogue))
      #expect(!book.policies.isEmpty)
    }
  }
}
