import Bytes
import Protocols
import Testing

@testable import Classify

@Suite struct VerdictTests {
  let catalogue: Catalogue
  let classifier: Classifier
  init() throws {
    catalogue = try shipped.get()
    classifier = Classifier(catalogue: catalogue)
  }

  @Test func courierHandshake() throws {
    let verdict = classifier.verdict(
      on: try flow(
        to: "17.57.144.120", 5223, sni: "courier.push.apple.com", alpn: ["apns-security-v3", "apns-pack-v1"],
        selected: "apns-pack-v1:4096:4096", names: ["1-courier.push.apple.com"]))
    #expect(verdict.tag == .push && verdict.service == "APNs")
    #expect(verdict.conflicts.isEmpty)
    #expect(verdict.isSharedFate)
    #expect(verdict.confidence > 0.95)
    #expect(Set(verdict.evidence.map(\.source)).isSuperset(of: [.sni, .alpn, .dns, .address, .port]))
    let bits = verdict.evidence.map { abs($0.bits) }
    #expect(bits == bits.sorted(by: >))
  }

  /// The same name seen three ways is one name: the margin grows by less than half of what a second one would give.
  @Test func dependentEvidenceIsNotCountedTwice() throws {
    let one = classifier.verdict(on: try flow(to: "157.240.1.1", sni: "mmg.whatsapp.net"))
    let three = classifier.verdict(
      on: try flow(
        to: "157.240.1.1", sni: "mmg.whatsapp.net", certificate: ["*.whatsapp.net"], names: ["mmg.whatsapp.net"]))
    #expect(one.tag == .messaging && three.tag == .messaging && three.service == "WhatsApp media")
    #expect(three.margin > one.margin)
    #expect(three.margin - one.margin < one.margin / 2)
    #expect(three.conflicts.isEmpty)
  }

  @Test(
    arguments: [
      ("17.57.147.5", 5223, true, Classify.Tag.push, "APNs"), ("17.110.229.14", 5223, true, .push, "APNs"),
      ("17.188.138.71", 443, true, .push, "APNs"), ("2620:149:a44:305::b", 5223, true, .push, "APNs"),
      ("64:ff9b::1139:9005", 5223, true, .push, "APNs"), ("142.250.10.188", 5228, true, .push, "FCM"),
      ("2a00:1450:400c:c0a::bc", 5230, true, .push, "FCM"), ("149.154.167.91", 443, true, .messaging, "Telegram"),
      ("17.5.7.8", 3480, false, .calling, "FaceTime"), ("52.113.2.3", 3479, false, .calling, "Teams calls"),
      ("74.125.250.71", 19305, false, .calling, "Google Meet"),
      ("91.108.9.35", 1400, false, .calling, "Telegram calls"),
      ("157.240.20.53", 5222, true, .messaging, "WhatsApp"),
    ] as [(String, UInt16, Bool, Classify.Tag, String)])
  func ownerAndPortDecideAFlowWithoutNames(
    _ server: String, _ port: UInt16, _ isTCP: Bool, _ tag: Classify.Tag, _ service: String
  ) throws {
    let verdict = classifier.verdict(on: try flow(to: server, port, tcp: isTCP))
    #expect(verdict.tag == tag && verdict.service == service)
    // The same flow when the server's packet was the first one seen.
    var reversed = try flow(to: server, port, tcp: isTCP)
    swap(&reversed.client, &reversed.server)
    swap(&reversed.clientPort, &reversed.serverPort)
    let mirrored = classifier.verdict(on: reversed)
    #expect(mirrored.tag == tag && mirrored.service == service)
  }

  @Test(
    arguments: [
      ("17.2.0.7", 1720, true), ("17.2.0.7", 5223, false), ("17.57.147.5", 80, true), ("142.250.10.188", 443, true),
      ("1.1.1.1", 5228, true), ("157.240.20.53", 443, true),
    ] as [(String, UInt16, Bool)])
  func ownerWithoutItsPortDecidesNothing(_ server: String, _ port: UInt16, _ isTCP: Bool) throws {
    #expect(classifier.verdict(on: try flow(to: server, port, tcp: isTCP)).tag == .other)
  }

  /// Ports over the whole range, both transports, both ends: weak rows only, never a tag, never a service.
  @Test func portAloneNeverDecides() throws {
    var dice = Dice(99)
    var withEvidence = 0
    var made = try flow()
    for port in UInt16(0)...UInt16.max {
      made.isTCP = port % 2 == 0
      for _ in 0..<2 {
        made.isTCP.toggle()
        made.serverPort = port
        made.clientPort = UInt16.random(in: 1...UInt16.max, using: &dice)
        let verdict = classifier.verdict(on: made)
        if verdict.tag != .other || verdict.service != nil || verdict.evidence.contains(where: { $0.source != .port }) {
          Issue.record("port \(port) decided \(verdict)")
          return
        }
        if !verdict.evidence.isEmpty { withEvidence += 1 }
      }
    }
    #expect(withEvidence > 500)
    // Nor with weights that a catalogue has wrong.
    var heavy = catalogue
    heavy.weights.rows[.port] = EvidenceWeights.Row(
      says: "wrong on purpose", bits: Dictionary(uniqueKeysWithValues: Provenance.allCases.map { ($0, 50) }))
    let verdict = Classifier(catalogue: heavy).verdict(on: try flow(5223))
    #expect(verdict.tag == .other && verdict.service == nil && verdict.margin < 0)
    #expect(verdict.evidence.allSatisfy { $0.note == "a port alone never decides" })
  }

  @Test func aDNSFlowIsNeverWhatItAsksFor() throws {
    var made = try flow(to: "17.57.147.5", 53, tcp: false, names: ["courier.push.apple.com"], application: .dns)
    made.facts.dnsQuestions = ["g.whatsapp.net", "courier.push.apple.com"]
    let verdict = classifier.verdict(on: made)
    #expect(verdict.tag == .other && verdict.service == "DNS")
  }

  /// Confidence falls from a known site over an unknown name to nothing at all.
  @Test func unknownFlowsAreOtherWithLowConfidence() throws {
    let known = classifier.verdict(on: try flow(sni: "www.wikipedia.org"))
    let unknown = classifier.verdict(on: try flow(sni: "shop.unheard-of.example"))
    let nothing = classifier.verdict(on: try flow())
    #expect([known.tag, unknown.tag, nothing.tag] == [.other, .other, .other])
    #expect(known.service == "Wikipedia" && unknown.service == nil && nothing.service == nil)
    #expect(known.confidence > unknown.confidence && unknown.confidence > nothing.confidence)
    #expect(nothing.evidence.isEmpty)
  }

  @Test func weakerKnowledgeGivesLessConfidence() throws {
    let vendor = classifier.verdict(on: try flow(to: "17.57.144.9", 443, sni: "courier.push.apple.com"))
    let recalled = classifier.verdict(on: try flow(sni: "imo.im"))
    #expect(recalled.tag == .messaging && recalled.service == "imo")
    #expect(recalled.confidence < vendor.confidence && recalled.confidence < 0.9)
  }

  @Test func namesFromLookUps() throws {
    let own = classifier.verdict(on: try flow(names: ["g.whatsapp.net"]))
    let others = classifier.verdict(on: try flow(weakNames: ["g.whatsapp.net"]))
    let shared = classifier.verdict(on: try flow(names: ["g.whatsapp.net", "www.wikipedia.org"]))
    #expect(own.tag == .messaging && others.tag == .messaging)
    #expect(own.confidence > others.confidence)
    #expect(own.margin > shared.margin)
    // A CNAME of a delivery network says nothing against the name that led to it.
    let alias = classifier.verdict(on: try flow(names: ["e1.akamaiedge.net", "static.ess.apple.com"]))
    #expect(alias.tag == .messaging)
    // Another client's look-up is no evidence where this client's own says something.
    let both = classifier.verdict(on: try flow(names: ["www.wikipedia.org"], weakNames: ["g.whatsapp.net"]))
    #expect(both.tag == .other && both.service == "Wikipedia")
  }

  @Test func httpHostAndProtocols() throws {
    let bag = classifier.verdict(on: try flow(to: "23.1.2.3", 80, host: "init-p01st.push.apple.com"))
    #expect(bag.tag == .push && bag.service == "APNs bag" && bag.conflicts.isEmpty)
    #expect(classifier.verdict(on: try flow(22, application: .ssh)).service == "SSH")
    #expect(classifier.verdict(on: try flow(5222, application: .xmpp)).tag == .messaging)
    var upgraded = try flow(5222, sni: "chat.example.org")
    upgraded.facts.upgradedFrom = .xmpp
    #expect(classifier.verdict(on: upgraded).service == "XMPP")
    upgraded.facts.upgradedFrom = .smtp
    #expect(classifier.verdict(on: upgraded).tag == .other)
  }

  @Test func firstBytesSpeakOnlyOfUnknownPayload() throws {
    var made = try flow(5222)
    let hello: [UInt8] = [0x57, 0x41, 0x06, 0x03, 0, 0]
    made.facts.clientFirstBytes = firstBytes(hello)
    let verdict = classifier.verdict(on: made)
    #expect(verdict.tag == .messaging && verdict.service == "WhatsApp")
    made.facts.application = .http
    #expect(classifier.verdict(on: made).tag == .other)
  }
}

@Suite struct ConflictTests {
  let classifier: Classifier
  init() throws { classifier = Classifier(catalogue: try shipped.get()) }

  @Test func courierNameOnAForeignAddress() throws {
    let right = classifier.verdict(on: try flow(to: "17.57.144.5", 5223, sni: "courier.push.apple.com"))
    let wrong = classifier.verdict(on: try flow(to: "93.184.216.34", 5223, sni: "courier.push.apple.com"))
    #expect(right.conflicts.isEmpty)
    #expect(wrong.tag == .push)
    #expect(wrong.conflicts.count == 1)
    #expect(wrong.conflicts.first?.contains("93.184.216.34 is not Apple's") == true)
    #expect(wrong.confidence < right.confidence)
    #expect(wrong.evidence.contains { $0.source == .address && $0.bits < 0 })
    let lab = classifier.verdict(on: try flow(to: "10.7.0.2", 5223, sni: "courier.push.apple.com"))
    #expect(lab.conflicts.first?.contains("is private") == true)
    #expect(wrong.confidence < lab.confidence && lab.confidence < right.confidence)
  }

  @Test func courierProtocolUnderAnotherName() throws {
    for name in ["www.google.com", "unheard-of.example"] {
      let verdict = classifier.verdict(
        on: try flow(to: "142.250.1.1", sni: name, alpn: ["apns-security-v3", "apns-pack-v1"]))
      #expect(verdict.conflicts.contains { $0.contains("the ALPN is APNs's") && $0.contains(name) })
    }
    let xmpp = classifier.verdict(on: try flow(5223, sni: "chat.example.org", alpn: ["xmpp-client"]))
    #expect(xmpp.conflicts.isEmpty && xmpp.tag == .messaging)
  }

  @Test func certificateAndNameDisagree() throws {
    let good = classifier.verdict(
      on: try flow(sni: "web.whatsapp.com", certificate: ["facebook.com", "*.whatsapp.com"]))
    let bad = classifier.verdict(on: try flow(sni: "web.whatsapp.com", certificate: ["proxy.example"]))
    #expect(good.conflicts.isEmpty)
    #expect(bad.conflicts.first?.contains("the certificate is for proxy.example") == true)
    #expect(bad.tag == .messaging && bad.confidence < good.confidence)
    let alone = classifier.verdict(on: try flow(certificate: ["*.push.apple.com"]))
    #expect(alone.tag == .push && alone.conflicts.isEmpty)
  }

  @Test func lookUpAndNameDisagree() throws {
    let verdict = classifier.verdict(on: try flow(sni: "www.wikipedia.org", names: ["g.whatsapp.net"]))
    #expect(verdict.tag == .other && verdict.service == "Wikipedia")
    #expect(verdict.conflicts.first?.contains("DNS gave the address as g.whatsapp.net (WhatsApp)") == true)
    let plain = classifier.verdict(on: try flow(sni: "www.wikipedia.org"))
    #expect(verdict.confidence < plain.confidence)
    // Two hosts of one service share addresses all the time.
    #expect(classifier.verdict(on: try flow(sni: "web.whatsapp.com", names: ["g.whatsapp.net"])).conflicts.isEmpty)
  }

  @Test(arguments: [
    ("*.whatsapp.com", "web.whatsapp.com", true), ("*.whatsapp.com", "whatsapp.com", false),
    ("*.whatsapp.com", "a.b.whatsapp.com", false), ("web.whatsapp.com", "WEB.whatsapp.com.", true),
    ("*", "web", false), ("", "", false), ("*.", "a.", false), ("x", "", false),
  ])
  func wildcards(_ pattern: String, _ name: String, _ covers: Bool) {
    #expect(Classifier.covers(pattern, name) == covers)
  }

  /// Hostile strings in every field: no trap, and the verdict stays a probability.
  @Test func hostileFieldsAreHarmless() throws {
    var dice = Dice(5)
    let pieces = [
      "", ".", "*", "*.", "push.apple.com", "\u{0}", "\u{202e}", "é", ":", String(repeating: "a.", count: 300),
    ]
    func text() -> String {
      (0..<Int.random(in: 0...4, using: &dice)).map { _ in pieces.randomElement(using: &dice) ?? "" }.joined()
    }
    for _ in 0..<3000 {
      var made = try flow(
        to: "17.57.144.5", UInt16.random(in: 0...UInt16.max, using: &dice), tcp: Bool.random(using: &dice),
        sni: text(), alpn: [text(), text()], selected: text(), certificate: [text(), text()], names: [text(), text()],
        weakNames: [text()], host: text())
      made.facts.tls?.ja3 = text()
      made.facts.tls?.ja4 = text()
      made.facts.application = ApplicationProtocol(rawValue: text())
      let bytes = (0..<20).map { _ in UInt8.random(in: 0...255, using: &dice) }
      made.facts.clientFirstBytes = firstBytes(bytes)
      let verdict = classifier.verdict(on: made)
      #expect((0...1).contains(verdict.confidence))
      #expect(verdict.margin.isFinite)
    }
  }
}
