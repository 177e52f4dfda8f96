import Bytes
import Protocols
import TestSupport
import Testing

@testable import Classify

/// Flows that are only counted are weighed without reasons; what they come to is what their verdict says.
@Suite struct OutcomeTests {
  private static let names = [
    "courier.push.apple.com", "1-courier.push.apple.com", "mmg.whatsapp.net", "g.whatsapp.net", "mtalk.google.com",
    "web.telegram.org", "gateway.icloud.com", "init.push.apple.com", "www.example.org", "turn.l.google.com",
    "signal.org", "zoom.us", "cdn.jsdelivr.net", "", "*.whatsapp.net", "COURIER.push.apple.com.",
  ]
  private static let servers = [
    "17.57.144.120", "17.5.7.8", "2620:149:a44:305::b", "64:ff9b::1139:9005", "142.250.10.188", "149.154.167.91",
    "52.113.2.3", "74.125.250.71", "91.108.9.35", "157.240.20.53", "198.51.100.7", "2001:db8::1",
  ]
  private static let ports: [UInt16] = [53, 80, 443, 1400, 3478, 3480, 5060, 5222, 5223, 5228, 5353, 19_305, 40_000]
  private static let alpn = ["h2", "http/1.1", "h3", "apns-security-v3", "apns-pack-v1", "stun.turn", "nonsense"]
  private static let applications: [ApplicationProtocol] = [
    .tls, .http, .dns, .mdns, .llmnr, .quic, .stun, ApplicationProtocol(rawValue: "rtp"),
    ApplicationProtocol(rawValue: "nonsense"),
  ]

  /// A flow with any of the evidence there is, at odds with itself as often as not.
  private func made(_ random: inout SeededRandom) throws -> FlowObservation {
    func some<Element>(_ elements: [Element], _ random: inout SeededRandom) -> [Element] {
      (0..<Int.random(in: 0...2, using: &random)).compactMap { _ in elements.randomElement(using: &random) }
    }
    func maybe(_ random: inout SeededRandom) -> Bool { Int.random(in: 0..<4, using: &random) == 0 }
    func shapes(_ random: inout SeededRandom) -> [ShapeEvidence] {
      let evidence = Classify.Tag.allCases.map {
        ShapeEvidence(tag: $0, bits: .random(in: -6...6, using: &random), sentence: "made")
      }
      return some(evidence, &random)
    }
    // Where nothing else speaks, sizes and times do.
    if maybe(&random) {
      var silent = try flow(to: "198.51.100.7", Self.ports.randomElement(using: &random) ?? 443)
      silent.shapeEvidence = shapes(&random)
      return silent
    }
    var made = try flow(
      to: Self.servers.randomElement(using: &random) ?? "198.51.100.7",
      Self.ports.randomElement(using: &random) ?? 443, tcp: Bool.random(using: &random),
      sni: maybe(&random) ? Self.names.randomElement(using: &random) : nil, alpn: some(Self.alpn, &random),
      selected: maybe(&random) ? Self.alpn.randomElement(using: &random) : nil,
      certificate: some(Self.names, &random), names: some(Self.names, &random), weakNames: some(Self.names, &random),
      host: maybe(&random) ? Self.names.randomElement(using: &random) : nil)
    if maybe(&random) { made.facts.application = Self.applications.randomElement(using: &random) }
    if maybe(&random) {
      made.facts.stun = stunFacts(
        ice: Bool.random(using: &random), turn: Bool.random(using: &random), types: [1, 3, 0x0800],
        software: Self.names.randomElement(using: &random), realm: Self.names.randomElement(using: &random))
    }
    if maybe(&random) {
      made.facts.rtp = rtpFacts(packets: .random(in: 0...60, using: &random), rtcp: Bool.random(using: &random))
    }
    if maybe(&random) { made.facts.dtls = dtlsFacts(profiles: Bool.random(using: &random) ? [1, 7] : []) }
    if maybe(&random) { made.process = ["WhatsApp", "apsd", "com.apple.facetime", "x"].randomElement(using: &random) }
    if maybe(&random) {
      made.announcement = Announcement(
        Announcement.Link.allCases.randomElement(using: &random) ?? .sdp, media: "audio",
        tag: Classify.Tag.allCases.randomElement(using: &random) ?? .other,
        service: ["SIP", "WhatsApp calls", nil].randomElement(using: &random) ?? nil, flowID: 7)
    }
    if maybe(&random) {
      let bytes = (0..<Int.random(in: 1...16, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      made.facts.clientFirstBytes = firstBytes(bytes)
      made.clientFirstLength = .random(in: 16...1_400, using: &random)
    }
    if maybe(&random) { made.shapeEvidence = shapes(&random) }
    return made
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func isWhatTheVerdictSays(seed: UInt64) throws {
    let classifier = Classifier(catalogue: try shipped.get())
    var random = SeededRandom(seed)
    // One scale for all, so that nothing of a flow may stay on it for the next.
    var scale = Classifier.Scale()
    var tags: [Classify.Tag: Int] = [:]
    var named = 0
    var shaped = 0
    for _ in 0..<3_000 {
      let flow = try made(&random)
      var wasAsked = false
      let verdict = classifier.verdict(on: flow) {
        wasAsked = true
        return flow.shapeEvidence
      }
      let wantsShape = classifier.weigh(flow, on: &scale)
      if wantsShape { classifier.add(flow.shapeEvidence, to: &scale) }
      let outcome = classifier.outcome(of: &scale)
      #expect(wantsShape == wasAsked)
      #expect(outcome.tag == verdict.tag, "\(flow)")
      #expect(classifier.name(ofService: outcome.service) == verdict.service, "\(flow)")
      #expect(classifier.isSharedFate(service: outcome.service, tag: outcome.tag) == verdict.isSharedFate, "\(flow)")
      tags[verdict.tag, default: 0] += 1
      named += verdict.service == nil ? 0 : 1
      shaped += wantsShape && !flow.shapeEvidence.isEmpty ? 1 : 0
    }
    #expect(tags.count == Classify.Tag.allCases.count && tags.values.allSatisfy { $0 > 50 }, "\(tags) is one-sided")
    #expect(named > 1_000 && named < 3_000 && shaped > 20, "flows that say the same prove nothing")
  }
}
