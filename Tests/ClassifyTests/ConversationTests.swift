import Bytes
import Protocols
import Testing

@testable import Classify

/// What other flows, the capture's own words, and shape add to a verdict.
@Suite struct ConversationTests {
  let classifier: Classifier
  init() throws { classifier = Classifier(catalogue: try shipped.get()) }

  private func unknown() throws -> FlowObservation { try flow(40_000, tcp: false) }

  /// A stream that nobody could read is a call's when call signalling named its address.
  @Test func announcedMediaAreCalling() throws {
    var made = try unknown()
    made.announcement = Announcement(.sdp, media: "audio", tag: .calling, service: "SIP", flowID: 7)
    let verdict = classifier.verdict(on: made)
    #expect(verdict.tag == .calling && verdict.service == nil)
    #expect(verdict.evidence.first?.source == .conversation)
    #expect(verdict.evidence.first?.value == "announced by flow 7 in a session description (audio)")
    made.facts.rtp = rtpFacts()
    made.facts.application = .rtp
    #expect(classifier.verdict(on: made).service == "RTP")
  }

  /// The service goes along when it has a name.
  @Test func serviceGoesAlong() throws {
    var made = try unknown()
    made.announcement = Announcement(.turnPeer, tag: .calling, service: "WhatsApp calls", flowID: 2)
    #expect(classifier.verdict(on: made).service == "WhatsApp calls")
    made.facts.stun = stunFacts(ice: true)
    #expect(classifier.verdict(on: made).service == "WhatsApp calls")
    made.announcement?.service = "nobody's"
    #expect(classifier.verdict(on: made).service == "STUN/TURN")
  }

  @Test func linksWeighByWhatTheySay() throws {
    let margins = try [Announcement.Link.sdp, .signalling, .turnPeer, .candidate, .sharedSocket].map { link in
      var made = try unknown()
      made.announcement = Announcement(link, tag: .calling, service: nil, flowID: 1)
      let verdict = classifier.verdict(on: made)
      #expect(verdict.tag == .calling)
      return verdict.margin
    }
    #expect(margins == margins.sorted(by: >))
    #expect(Announcement.Link(AnnouncedEndpoint.Source.turnAllocation) == .turnAllocation)
  }

  /// What was read as something else is not what was announced.
  @Test func anotherPayloadIsNotTheCall() throws {
    var made = try unknown()
    made.facts.application = .bittorrent
    made.announcement = Announcement(.candidate, tag: .calling, service: nil, flowID: 1)
    #expect(classifier.verdict(on: made).tag == .other)
    made.facts.application = .dns
    #expect(classifier.verdict(on: made).service == "DNS")
    // A lone question for one's address from the socket of a VPN is the VPN's.
    var binding = try unknown()
    binding.facts.application = .stun
    binding.facts.stun = stunFacts()
    #expect(classifier.verdict(on: binding).tag == .calling)
    binding.announcement = Announcement(.sharedSocket, tag: .other, service: "Tailscale", flowID: 3)
    let verdict = classifier.verdict(on: binding)
    #expect(verdict.tag == .other && verdict.service == "Tailscale")
  }

  @Test(
    arguments: [
      ("apsd", true, Classify.Tag.push, "APNs"), ("com.whatsapp", true, .messaging, "WhatsApp"),
      ("WhatsApp", true, .messaging, "WhatsApp"), ("identityservices", true, .messaging, "iMessage identity (IDS)"),
      ("avconferenced", false, .calling, "FaceTime"), ("us.zoom.videomeeti", false, .other, nil),
      ("us.zoom.videomeetin", false, .calling, "Zoom"), ("curl", true, .other, nil), ("", true, .other, nil),
    ] as [(String, Bool, Classify.Tag, String?)])
  func programs(_ process: String, _ isTCP: Bool, _ tag: Classify.Tag, _ service: String?) throws {
    var made = try flow(40_000, tcp: isTCP)
    made.process = process
    let verdict = classifier.verdict(on: made)
    #expect(verdict.tag == tag && verdict.service == service)
  }

  /// A messenger's program with media in the flow is on a call.
  @Test func programAndMedia() throws {
    var made = try unknown()
    made.process = "org.thoughtcrime.securesms"
    made.facts.stun = stunFacts(ice: true)
    let verdict = classifier.verdict(on: made)
    #expect(verdict.tag == .calling && verdict.service == "Signal calls")
  }

  @Test func userAgentOfQUIC() throws {
    var made = try flow(443, tcp: false, application: .quic)
    made.facts.quic = QUICFacts()
    made.facts.quic?.userAgent = "COM.snapchat.android Cronet/58.0.3029.83"
    let verdict = classifier.verdict(on: made)
    #expect(verdict.evidence.contains { $0.source == .userAgent && $0.service == "Snapchat" })
    #expect(verdict.tag == .messaging || verdict.margin < 2)
  }

  @Test func shapeSpeaksOnlyWhereNothingElseDoes() throws {
    let shape = [ShapeEvidence(tag: .calling, bits: 4, sentence: "50 packets a second each way")]
    var made = try unknown()
    made.shapeEvidence = shape
    let verdict = classifier.verdict(on: made)
    #expect(verdict.tag == .calling && verdict.service == nil)
    #expect(verdict.evidence.first?.source == .shape && verdict.evidence.first?.note == "from sizes and times alone")
    var known = try flow(sni: "www.wikipedia.org")
    known.shapeEvidence = shape
    #expect(classifier.verdict(on: known) == classifier.verdict(on: try flow(sni: "www.wikipedia.org")))
    var asked = 0
    _ = classifier.verdict(on: known) {
      asked += 1
      return shape
    }
    #expect(asked == 0)
    _ = classifier.verdict(on: try unknown()) {
      asked += 1
      return shape
    }
    #expect(asked == 1)
  }

  /// However sure a model is, it moves a verdict by a bounded number of bits.
  @Test func shapeIsBounded() throws {
    let most = try #require(try shipped.get().weights.shape[.most])
    for bits in [400, .infinity, .nan, -400] {
      var made = try unknown()
      made.shapeEvidence = [ShapeEvidence(tag: .push, bits: bits, sentence: "")]
      let verdict = classifier.verdict(on: made)
      #expect(verdict.margin.isFinite && verdict.evidence.allSatisfy { abs($0.bits) <= most })
    }
  }

  /// Hostile facts of every kind: no trap, and the verdict stays a probability.
  @Test func hostileFactsAreHarmless() throws {
    var dice = Dice(11)
    let texts = ["", "\u{0}", "signal.org", String(repeating: "x", count: 3000), "é\u{202e}", "VIBER", "tailnode"]
    let applications: [ApplicationProtocol?] = [nil, .stun, .rtp, .dtls, .quic, .sip, .tls, "zoom", ""]
    for _ in 0..<2000 {
      var made = try flow(
        to: ["17.5.7.8", "157.240.5.5", "198.51.100.7"].randomElement(using: &dice) ?? "",
        UInt16.random(in: 0...UInt16.max, using: &dice), tcp: Bool.random(using: &dice))
      made.facts.application = applications.randomElement(using: &dice) ?? nil
      func text() -> String? { Bool.random(using: &dice) ? texts.randomElement(using: &dice) : nil }
      if Bool.random(using: &dice) {
        var stun = stunFacts(
          ice: Bool.random(using: &dice), turn: Bool.random(using: &dice),
          types: (0..<16).map { _ in UInt16.random(in: 0...UInt16.max, using: &dice) },
          attributes: (0..<48).map { _ in UInt16.random(in: 0...0x4010, using: &dice) }, software: text(), realm: text()
        )
        stun.origin = text()
        made.facts.stun = stun
      }
      if Bool.random(using: &dice) {
        made.facts.rtp = rtpFacts(packets: UInt32.random(in: 0...UInt32.max, using: &dice), streams: 8)
      }
      if Bool.random(using: &dice) { made.facts.dtls = dtlsFacts(profiles: []) }
      if Bool.random(using: &dice) {
        var call = CallFacts()
        call.methods = [text() ?? "MESSAGE"]
        call.userAgent = text()
        made.facts.call = call
      }
      if Bool.random(using: &dice) {
        var quic = QUICFacts()
        quic.userAgent = text()
        made.facts.quic = quic
      }
      made.process = text()
      made.clientFirstLength = Int.random(in: -5...70_000, using: &dice)
      made.announcement = Announcement(
        Announcement.Link.allCases.randomElement(using: &dice) ?? .sdp, media: text(),
        tag: Tag.allCases.randomElement(using: &dice) ?? .other, service: text(), flowID: .max)
      let verdict = classifier.verdict(on: made)
      #expect((0...1).contains(verdict.confidence))
      #expect(verdict.margin.isFinite)
    }
  }
}
