import Bytes
import Foundation
import Protocols
import TestSupport
import Testing

@testable import Classify

@Suite struct CatalogueTests {
  let catalogue: Catalogue
  init() throws { catalogue = try shipped.get() }

  @Test func isCompleteAndSourced() {
    #expect(catalogue.services.count > 100)
    for service in catalogue.services {
      #expect(!service.about.isEmpty, "\(service.name)")
      #expect(!service.identifiers.isEmpty, "\(service.name)")
      for identifier in service.identifiers {
        #expect(!identifier.source.isEmpty && identifier.date.count == 10, "\(service.name) \(identifier.value)")
      }
    }
    #expect(Set(catalogue.services.map(\.name)).count == catalogue.services.count)
    #expect(Set(catalogue.services.map(\.tag)) == Set(Classify.Tag.allCases))
  }

  /// A stronger way to know gives no fewer bits, and a port gives less than the lead that other starts with.
  @Test func weightsAreInOrder() throws {
    for (basis, row) in catalogue.weights.rows {
      #expect(!row.says.isEmpty)
      let figures = [Provenance.vendor, .paper, .observed, .recalled, .folklore].compactMap { row.bits[$0] }
      #expect(figures.count == 5 && figures == figures.sorted(by: >), "\(basis.rawValue)")
      #expect(row.bits[.observed] == row.bits[.reverseEngineered])
    }
    let lead = try #require(catalogue.weights.priors[.other])
    for bits in try #require(catalogue.weights.rows[.port]).bits.values { #expect(bits < lead) }
    for key in EvidenceWeights.Basis.allCases.map(\.rawValue) + ["priors", "discounts", "conflicts", "unknown-name"] {
      #expect(catalogue.weights.sentences[key]?.isEmpty == false, "\(key)")
    }
  }

  /// Each row that is compared must be able to speak: a flow made for it has its evidence.
  @Test func everyRowFires() throws {
    let classifier = Classifier(catalogue: catalogue)
    var fired = 0
    for service in catalogue.services {
      for identifier in service.identifiers where identifier.kind.isCompared {
        let flows = try observations(for: identifier)
        let source = try #require(Self.source(of: identifier.kind))
        let speaks = flows.contains { flow in
          classifier.verdict(on: flow).evidence.contains {
            $0.source == source && $0.service == service.name && $0.tag == service.tag && $0.bits > 0
              && (identifier.kind.isName || identifier.kind == .alpn || $0.value == identifier.value)
          }
        }
        #expect(speaks, "\(service.name): \(identifier.kind.rawValue) \(identifier.value) can never match")
        fired += 1
      }
    }
    #expect(fired > 1000)
  }

  private static func source(of kind: Identifier.Kind) -> Evidence.Source? {
    switch kind {
    case .sniSuffix, .sniExact: .sni
    case .alpn: .alpn
    case .ipPrefix: .address
    case .port: .port
    case .firstBytes: .firstBytes
    case .ja3, .ja4: .fingerprint
    case .protocol: .protocol
    case .stunAttribute, .behaviour: nil
    }
  }

  /// Flows of which one at least must show the identifier.
  private func observations(for identifier: Identifier) throws -> [FlowObservation] {
    let range = identifier.ports.first
    var servers = ["198.51.100.7"]
    if let prefix = identifier.within.first { servers = [Self.first(of: prefix)] }
    if identifier.kind == .ipPrefix {
      let keys = try AddressPrefix(identifier.value).keys
      let middle = keys.lowerBound + (keys.upperBound - keys.lowerBound) / 2 + 1
      servers = [keys.lowerBound, keys.upperBound, min(middle, keys.upperBound)].map {
        IPAddress(high: UInt64(truncatingIfNeeded: $0 >> 64), low: UInt64(truncatingIfNeeded: $0)).description
      }
    }
    return try servers.map { server in
      var made = try flow(to: server, range?.ports.lowerBound ?? 61000, tcp: range?.isTCP ?? true)
      var tls = TLSFacts()
      switch identifier.kind {
      case .sniSuffix: tls.serverName = "x7q." + identifier.value
      case .sniExact: tls.serverName = identifier.value
      case .alpn: tls.alpn = [identifier.value]
      case .ja3: tls.ja3 = identifier.value
      case .ja4: tls.ja4 = identifier.value
      case .protocol: made.facts.application = ApplicationProtocol(rawValue: identifier.value)
      case .port:
        let range = try PortRange(identifier.value)
        made.serverPort = range.ports.upperBound
        made.isTCP = range.isTCP
      case .firstBytes:
        let words = identifier.value.split(separator: " ")
        made.isTCP = words[0] == "tcp"
        let bytes = words.dropFirst(2).map { UInt8($0, radix: 16) ?? 0x5a }
        if words[1] == "server" {
          made.facts.serverFirstBytes = firstBytes(bytes)
        } else {
          made.facts.clientFirstBytes = firstBytes(bytes)
        }
      case .ipPrefix, .stunAttribute, .behaviour: break
      }
      if tls != TLSFacts() {
        made.facts.tls = tls
        made.facts.application = .tls
      }
      return made
    }
  }

  private static func first(of prefix: AddressPrefix) -> String {
    let key = prefix.keys.lowerBound
    return IPAddress(high: UInt64(truncatingIfNeeded: key >> 64), low: UInt64(truncatingIfNeeded: key)).description
  }

  @Test func whatRidesAConnectionIsSaid() throws {
    let apns = try #require(catalogue.service(named: "APNs"))
    #expect(apns.tag == .push)
    #expect(apns.carries.contains(Carried(tag: .messaging, service: "iMessage")))
    #expect(apns.carries.contains(Carried(tag: .calling, service: "FaceTime ringing")))
    let content = try #require(catalogue.service(named: "iCloud content"))
    #expect(content.tag == .other && content.carries == [Carried(tag: .messaging, service: "iMessage attachments")])
    let identity = try #require(catalogue.service(named: "iMessage identity (IDS)"))
    #expect(identity.tag == .messaging && identity.carries.map(\.tag) == [.calling])
    let meta = try #require(catalogue.service(named: "Meta shared"))
    #expect(meta.tag == .other && meta.carries.contains(Carried(tag: .messaging, service: "Messenger")))
  }
}

/// Nothing of the sourced reference table is forgotten. The table lies beside the corpus; it is not part of the project.
@Suite struct FactsCoverageTests {
  /// Services that stand under another name.
  static let renamed = [
    "Telegram MTProto": "Telegram", "Telegram MTProxy fake-TLS": "Telegram", "FaceTime (2013)": "FaceTime",
    "Google Meet/Duo/Chat calls": "Google Meet", "Teams/Skype calls": "Teams calls",
    "Skype (consumer, closed May 2025)": "Skype", "Google Messages RCS (Jibe)": "Google Messages RCS",
    "iMessage attachments": "iCloud content",
  ]
  /// Rows that stand elsewhere on purpose, by value, and why.
  static let exceptions = [
    "tcp/443": "says nothing alone; used with prefixes", "tcp/80": "says nothing alone",
    "udp/443": "says nothing alone", "zadn.vn": "shared with music and news: other, carrying Zalo",
    "17.0.0.0/8": "Apple's whole space: FaceTime only with its ports",
    "firebaseinstallations.googleapis.com": "serves every Firebase product: other, carrying registration for push",
    "device-provisioning.googleapis.com": "serves every Android product: other, carrying registration for push",
    "signaler-pa.clients6.google.com": "serves several Google products: other, carrying Google Chat",
    "userapi.com": "content of feed and messages alike: other, carrying VK messages",
    "vkuser.net": "content of feed and messages alike", "vk-cdn.net": "content of feed and messages alike",
  ]

  @Test func everyRowStands() throws {
    let catalogue = try shipped.get()
    guard
      let table = Corpus.folder.map({ $0.deletingLastPathComponent().appending(path: "facts/services.tsv") }),
      let text = try? String(contentsOf: table, encoding: .utf8)
    else {
      FileHandle.standardError.write(Data("SKIPPED: no facts/services.tsv beside the corpus\n".utf8))
      return
    }
    var rows = 0
    for line in text.split(separator: "\n").dropFirst() {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard fields.count >= 6 else { continue }
      rows += 1
      let name = Self.renamed[fields[1]] ?? fields[1]
      guard let service = catalogue.service(named: name) else {
        Issue.record("service \(fields[1]) is missing")
        continue
      }
      #expect(service.tag.rawValue == fields[0] || name == "iCloud content", "\(name)")
      if fields[2] == "protocol-signature" {
        #expect(
          service.identifiers.contains { [.firstBytes, .behaviour, .ja3, .ja4].contains($0.kind) },
          "\(name): \(fields[3])")
        continue
      }
      let isThere =
        service.identifiers.contains { $0.kind.rawValue == fields[2] && $0.value == fields[3] }
        || (fields[1] == "Google Messages RCS" && service.values(of: .port).contains("tcp/5061"))
        // The longer iCloud row belongs to the service that carries the attachments.
        || (fields[3] == "icloud-content.com" && catalogue.service(named: "iCloud content") != nil)
      // A name that stands elsewhere must still stand somewhere.
      let isElsewhere = catalogue.services.contains { $0.identifiers.contains { $0.value == fields[3] } }
      let isException = Self.exceptions[fields[3]] != nil && (fields[2] == "port" || isElsewhere)
      #expect(isThere || isException, "\(fields[1]): \(fields[2]) \(fields[3]) is missing")
      if fields[2] == "ip-prefix", fields[3] == "17.0.0.0/8" {
        #expect(service.identifiers.contains { $0.value == "17.0.0.0/8" && !$0.ports.isEmpty })
      }
    }
    #expect(rows > 300)
  }
}

@Suite struct UserFileTests {
  private func merged(_ text: String) throws -> Catalogue { try Catalogue(merging: text, named: "mine.yaml") }

  @Test func addsAServiceAndTakesOverRows() throws {
    let catalogue = try merged(
      """
      services:
        - name: Firm chat
          tag: messaging
          about: Our own server
          identify:
            - sni-exact: [chat.example.org, courier.push.apple.com]
            - ip-prefix: [203.0.113.0/24]
              ports: [tcp/8443]
        - name: VK
          tag: other
      """)
    let classifier = Classifier(catalogue: catalogue)
    #expect(classifier.verdict(on: try flow(sni: "chat.example.org")).service == "Firm chat")
    #expect(classifier.verdict(on: try flow(sni: "courier.push.apple.com")).tag == .messaging)
    #expect(classifier.verdict(on: try flow(sni: "2-courier.push.apple.com")).service == "APNs")
    #expect(classifier.verdict(on: try flow(to: "203.0.113.9", 8443)).service == "Firm chat")
    #expect(classifier.verdict(on: try flow(to: "203.0.113.9", 8444)).service == nil)
    #expect(classifier.verdict(on: try flow(sni: "vk.com")).tag == .other)
    #expect(catalogue.service(named: "Firm chat")?.identifiers.first?.source == "mine.yaml")
    #expect(catalogue.service(named: "VK")?.identifiers.isEmpty == false)
  }

  @Test func replacesAService() throws {
    let catalogue = try merged(
      """
      services:
        - {name: Slack, replace: true, identify: [{sni-suffix: [slack.example]}]}
      """)
    #expect(catalogue.service(named: "Slack")?.identifiers.map(\.value) == ["slack.example"])
    #expect(catalogue.service(named: "Slack")?.tag == .messaging)
  }

  /// One clear line a problem: file, line, what to do.
  @Test(arguments: [
    ("", "mine.yaml: is empty: add `services:`"),
    ("- a", "mine.yaml:1: must begin with `services:`"),
    ("services: 3", "mine.yaml:1: `services` must be a list"),
    ("services:\n  - tag: push", "mine.yaml:2: a service needs `name:`"),
    ("services:\n  - name: X\n    tag: pushy", "mine.yaml:3: `tag` is \"pushy\"; use push, messaging, calling, other"),
    ("services:\n  - name: X", "mine.yaml:2: service \"X\" has no tag: add `tag:`"),
    ("services:\n  - name: X\n    tag: push\n    colour: red", "mine.yaml:4: service \"X\": `colour` is not known"),
    (
      "services:\n  - name: X\n    tag: push\n    identify:\n      - sni-suffix: ['*.x.org']",
      "mine.yaml:5: \"*.x.org\" is no host name: write example.org, without *"
    ),
    (
      "services:\n  - name: X\n    tag: push\n    identify:\n      - ip-prefix: [17.1.0.0/8]",
      "mine.yaml:5: \"17.1.0.0/8\" has bits set after its length: write 17.0.0.0/8"
    ),
    (
      "services:\n  - name: X\n    tag: push\n    identify:\n      - port: [5223]",
      "mine.yaml:5: \"5223\" is no port: write tcp/5223"
    ),
    (
      "services:\n  - name: X\n    tag: push\n    identify:\n      - first-bytes: [zz]",
      "mine.yaml:5: \"zz\" is no first-bytes pattern"
    ),
    (
      "services:\n  - name: X\n    tag: push\n    identify:\n      - {alpn: [x], confidence: sure}",
      "mine.yaml:5: `confidence` is \"sure\"; use vendor"
    ),
    (
      "services:\n  - name: X\n    tag: push\n    identify:\n      - {source: me}",
      "mine.yaml:5: service \"X\": an identifier needs one kind of"
    ),
    (
      "services:\n  - {name: X, tag: push, identify: [{alpn: [x]}]}\n  - {name: Y, tag: push, identify: [{alpn: [x]}]}",
      "mine.yaml:3: service \"Y\": alpn x stands with \"X\" too"
    ),
    ("services:\n  - {name: X, tag: push, owner: Nobody}", "mine.yaml:2: service \"X\" names the owner \"Nobody\""),
    ("weights: {}", "mine.yaml:1: `weights:` can only stand in the shipped catalogue"),
    ("servics: []", "mine.yaml:1: `servics` is not known here"),
    ("services: [", "mine.yaml:2: is not YAML here"),
    ("services:\n\t- x", "mine.yaml:2: is not YAML here"),
  ])
  func tellsProblems(_ text: String, _ says: String) {
    let error = #expect(throws: CatalogueError.self) { try merged(text) }
    let lines = error?.description.split(separator: "\n") ?? []
    #expect(lines.contains { $0.hasPrefix(says) }, "\(lines)")
  }

  @Test func tellsSeveralProblemsAndNotTooMany() {
    let rows = (0..<50).map { "  - {name: S\($0), tag: wrong}" }.joined(separator: "\n")
    let error = #expect(throws: CatalogueError.self) { try merged("services:\n" + rows) }
    #expect(error?.problems.count == CatalogueError.maximumProblems)
    #expect(error?.description.hasSuffix("more problems") == true)
  }

  @Test func tellsUnreadableFiles() throws {
    let missing = #expect(throws: CatalogueError.self) { try Catalogue(merging: "/nowhere/at/all.yaml") }
    #expect(missing?.description.contains("/nowhere/at/all.yaml: no such file") == true)
    let file = FileManager.default.temporaryDirectory.appending(path: "wiretag-\(UInt64.random(in: 0 ... .max)).yaml")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data([0x73, 0xff, 0xfe]).write(to: file)
    let binary = #expect(throws: CatalogueError.self) { try Catalogue(merging: file.path) }
    #expect(binary?.description.contains("is not UTF-8") == true)
    try Data("services: [{name: X, tag: push, identify: [{alpn: [x]}]}]".utf8).write(to: file)
    #expect(try Catalogue(merging: file.path).service(named: "X")?.tag == .push)
  }

  /// Aliases may nest; what they name must not grow.
  @Test func aliasBombIsRefused() {
    var text = "prefixes:\n  a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for (from, to) in zip("abcdefghij", "bcdefghijk") {
      text += "  \(to): &\(to) [\((0..<10).map { _ in "*\(from)" }.joined(separator: ", "))]\n"
    }
    text += "services:\n  - {name: X, tag: push, identify: [{alpn: *k}]}"
    #expect(throws: CatalogueError.self) { try merged(text) }
  }
}
