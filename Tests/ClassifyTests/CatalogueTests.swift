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
    for key in EvidenceWeights.Basis.allCases.map(\.rawValue) + [
      "priors", "discounts", "conflicts", "unknown-name", "conversation", "shape", "under-media", "under-question",
      "no-call",
    ] {
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
              && (identifier.kind.isName || Self.isShownAsSeen(identifier.kind) || $0.value == identifier.value)
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
    case .stunAttribute, .stunText: .stun
    case .media: .media
    case .process: .process
    case .userAgent: .userAgent
    case .behaviour: nil
    }
  }

  /// Whether evidence shows what was seen, and not the row's value.
  private static func isShownAsSeen(_ kind: Identifier.Kind) -> Bool {
    [.alpn, .stunText, .media, .process, .userAgent].contains(kind)
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
      if identifier.isBothEnds { made.clientPort = made.serverPort }
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
        var words = identifier.value.split(separator: " ")[...]
        made.isTCP = words[0] == "tcp"
        if words[2] == "len" {
          let length = Int(words[3].split(separator: "-")[0])
          (made.clientFirstLength, made.serverFirstLength) = (length, length)
          words = words[0..<2] + words[4...]
        }
        let bytes = words.dropFirst(2).map { UInt8($0.replacing("?", with: "5"), radix: 16) ?? 0x5a }
        if words[1] == "server" {
          made.facts.serverFirstBytes = firstBytes(bytes)
        } else {
          made.facts.clientFirstBytes = firstBytes(bytes)
        }
      case .stunAttribute:
        let sign = try STUNSign(identifier.value)
        var stun = STUNFacts()
        if sign.isMessageType { stun.messageTypes = [1, sign.type] } else { stun.attributes = [6, sign.type] }
        made.facts.stun = stun
      case .stunText:
        var stun = STUNFacts()
        stun.software = "x \(identifier.value.uppercased()) 1.0"
        made.facts.stun = stun
      case .media: made.facts = try Self.facts(showing: identifier.value)
      case .process: made.process = identifier.value.uppercased()
      case .userAgent:
        made.isTCP = false
        made.facts.quic = QUICFacts()
        made.facts.quic?.userAgent = identifier.value + " Cronet/58"
      case .ipPrefix, .behaviour: break
      }
      if tls != TLSFacts() {
        made.facts.tls = tls
        made.facts.application = .tls
      }
      return made
    }
  }

  private static func facts(showing sign: String) throws -> FlowFacts {
    var facts = FlowFacts()
    switch try #require(MediaSign(rawValue: sign)) {
    case .rtp, .rtpWithQUIC: facts.rtp = rtpFacts()
    case .rtcp: facts.rtp = rtpFacts(packets: 0)
    case .dtlsSRTP: facts.dtls = dtlsFacts()
    case .ice: facts.stun = stunFacts(ice: true)
    case .turn: facts.stun = stunFacts(turn: true)
    case .stun: facts.stun = stunFacts()
    }
    if sign == "quic-rtp" { facts.quic = QUICFacts() }
    return facts
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
    "iMessage attachments": "iCloud content", "VoWiFi ePDG": "VoWiFi",
  ]
  /// Services that have another tag than the table's, and why.
  static let retagged = [
    "iCloud content": "photos and backups in the first place; attachments are carried",
    "VoWiFi": "the tunnel carries data and texts as well as calls",
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
    "udp/500": "every VPN uses it", "udp/4500": "every VPN uses it",
    "XOR-PEER-ADDRESS tracked": "ties flows of a conversation, names no service",
  ]

  /// A row of the table as the catalogue writes it.
  static func identifiers(_ kind: String, _ value: String) -> [(kind: String, value: String)] {
    guard kind == "stun-attribute" else { return [(kind, value)] }
    if value.hasPrefix("msg-type ") { return [(kind, "type " + value.dropFirst(9).lowercased())] }
    if value.hasPrefix("attr ") { return [(kind, "attr 0x" + value.dropFirst(7).lowercased())] }
    guard let word = value.split(separator: " contains ").last else { return [] }
    return [("stun-text", String(word))]
  }

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
      #expect(service.tag.rawValue == fields[0] || Self.retagged[name] != nil, "\(name)")
      if fields[2] == "protocol-signature" {
        #expect(
          service.identifiers.contains {
            [.firstBytes, .behaviour, .ja3, .ja4, .protocol, .media, .ipPrefix].contains($0.kind)
          },
          "\(name): \(fields[3])")
        continue
      }
      let isThere =
        Self.identifiers(fields[2], fields[3]).contains { wanted in
          service.identifiers.contains { $0.kind.rawValue == wanted.kind && $0.value == wanted.value }
        }
        || (fields[1] == "Google Messages RCS" && service.values(of: .port).contains("tcp/5061"))
        // The longer iCloud row belongs to the service that carries the attachments.
        || (fields[3] == "icloud-content.com" && catalogue.service(named: "iCloud content") != nil)
      // A name that stands elsewhere must still stand somewhere.
      let isElsewhere = catalogue.services.contains { $0.identifiers.contains { $0.value == fields[3] } }
      let isException =
        Self.exceptions[fields[3]] != nil && (fields[2] == "port" || fields[2] == "stun-attribute" || isElsewhere)
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

  /// The kinds that calls are known by, and what ties services, are open to a user's file.
  @Test func addsAServiceOfCalls() throws {
    let catalogue = try merged(
      """
      services:
        - name: Firm calls
          tag: calling
          identify:
            - stun-attribute: [attr 0xBEEF]
              also: [WhatsApp calls]
            - stun-text: [Firm Relay]
            - process: [Firm Phone]
            - user-agent: [FirmPhone/]
            - first-bytes: ["udp either len 60-80 at 4 f? 07"]
              ports: [udp/16384-16403]
              both-ends: true
        - {name: Firm chat, tag: messaging, calls: Firm calls, identify: [{ip-prefix: [203.0.113.0/24]}]}
        - {name: WebRTC, generic: false, also: [Firm calls]}
      """)
    let service = try #require(catalogue.service(named: "Firm calls"))
    #expect(service.identifiers.first?.value == "attr 0xbeef" && service.identifiers.first?.also == ["WhatsApp calls"])
    #expect(service.identifiers.last?.isBothEnds == true)
    #expect(catalogue.service(named: "Firm chat")?.calls == "Firm calls")
    #expect(catalogue.service(named: "WebRTC")?.isGeneric == false)
    #expect(catalogue.service(named: "WebRTC")?.also == ["Firm calls"])
    let classifier = Classifier(catalogue: catalogue)
    var made = try flow(to: "203.0.113.9", 16_390, tcp: false, clientPort: 16_391)
    #expect(classifier.verdict(on: made).service == "Firm chat")
    made.facts.clientFirstBytes = firstBytes([0, 0, 0, 0, 0xf3, 7, 1])
    made.clientFirstLength = 72
    #expect(classifier.verdict(on: made).evidence.contains { $0.source == .firstBytes })
    made.clientFirstLength = 81
    #expect(!classifier.verdict(on: made).evidence.contains { $0.source == .firstBytes })
    made.clientFirstLength = 72
    made.clientPort = 17_000
    #expect(!classifier.verdict(on: made).evidence.contains { $0.source == .firstBytes })
    made.facts.stun = stunFacts(ice: true)
    let call = classifier.verdict(on: made)
    #expect(call.tag == .calling && call.service == "Firm calls")
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
      "services:\n  - name: X\n    tag: push\n    identify:\n      - first-bytes: [udp either len 0 07]",
      "mine.yaml:5: \"udp either len 0 07\" is no first-bytes pattern"
    ),
    (
      "services:\n  - name: X\n    tag: push\n    identify:\n      - first-bytes: [udp either at 15 07 08]",
      "mine.yaml:5: \"udp either at 15 07 08\" is no first-bytes pattern"
    ),
    (
      "services:\n  - name: X\n    tag: push\n    identify:\n      - first-bytes: [udp either len 74]",
      "mine.yaml:5: \"udp either len 74\" is no first-bytes pattern"
    ),
    (
      "services:\n  - name: X\n    tag: push\n    identify:\n      - stun-attribute: [0x4000]",
      "mine.yaml:5: \"0x4000\" is no mark of STUN: write attr 0x4000 or type 0x0800"
    ),
    (
      "services:\n  - name: X\n    tag: push\n    identify:\n      - stun-text: [x]",
      "mine.yaml:5: \"x\" must have 3 to 128 bytes"
    ),
    (
      "services:\n  - name: X\n    tag: push\n    identify:\n      - media: [video]",
      "mine.yaml:5: \"video\" is no sign of media: write rtp"
    ),
    (
      "services:\n  - name: X\n    tag: push\n    identify:\n      - {alpn: [x], both-ends: true}",
      "mine.yaml:5: service \"X\": `both-ends` needs `ports`"
    ),
    (
      "services:\n  - {name: X, tag: push, calls: WhatsApp}",
      "mine.yaml:2: service \"X\": `calls:` must name a service tagged calling, not \"WhatsApp\""
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
