import Bytes
import Classify
import Decode
import Flows
import Protocols

@testable import Report

// Flows that no network ever carried: made up here, with documentation addresses (RFC 5737, RFC 3849).

func address(_ text: String) -> IPAddress { IPAddress(text) ?? IPAddress(high: 0, low: 0) }

/// 2025-12-04 10:11:12.123456789 UTC.
let instant: Int64 = 1_764_843_072_123_456_789

/// A shared-fate push flow, seen whole.
func pushFlow() -> FlowEvent {
  var flow = FlowEvent()
  flow.id = 7
  flow.source = address("192.0.2.9")
  flow.destination = address("198.51.100.120")
  flow.sourcePort = 49_822
  flow.destinationPort = 5_223
  flow.start = instant
  flow.end = instant + 54_200_000_001
  flow.packetsToServer = 41
  flow.packetsToClient = 39
  flow.bytesToServer = 6_012
  flow.bytesToClient = 8_830
  flow.reason = .timeout
  flow.state = "established"
  flow.facts.application = .tls
  var tls = TLSFacts()
  tls.version = 0x0304
  tls.serverName = "courier.push.apple.com"
  tls.alpn = ["apns-security-v3", "apns-pack-v1"]
  tls.alpnSelected = "apns-security-v3"
  tls.ja3 = "0123456789abcdef0123456789abcdef"
  tls.ja4 = "t13d1516h2_8daaf6152771_e5627efa2ab1"
  tls.supportedVersions = [0x0304, 0x0303]
  tls.cipherSuite = 0x1301
  flow.facts.tls = tls
  flow.facts.notes = ["hello split over 3 segments"]
  flow.names = ["1-courier.push.apple.com"]
  flow.decidedAtPacket = 4
  flow.verdict = Verdict(
    tag: .push, service: "APNs", confidence: 0.998, margin: 14.25,
    evidence: [
      Evidence(.sni, value: "courier.push.apple.com", tag: .push, service: "APNs", bits: 9.2),
      Evidence(.alpn, value: "apns-security-v3", tag: .push, service: "APNs", bits: 4.05),
      Evidence(
        .dns, value: "1-courier.push.apple.com", tag: .push, service: "APNs", bits: 1.5,
        note: "depends on stronger evidence"),
      Evidence(.port, value: "tcp 5223", tag: .push, service: nil, bits: 0.5, note: "a port alone never decides"),
    ],
    carries: [Carried(tag: .messaging, service: "iMessage"), Carried(tag: .calling, service: "FaceTime ringing")])
  for (i, size) in [517, -1400, -812, 64].enumerated() { flow.shape.sizes[i] = Int16(size) }
  for (i, gap) in [0, 20_100, 31, 900].enumerated() { flow.shape.gaps[i] = UInt32(gap) }
  flow.shape.packetCount = 4
  for (i, length) in [512, -122].enumerated() { flow.shape.records[i] = Int16(length) }
  flow.shape.recordCount = 2
  flow.shape.sizeBins[1] = 30
  flow.shape.sizeBins[2] = 11
  return flow
}

/// A calling flow over IPv6 and UDP inside a VLAN and a tunnel, without evidence of a name.
func callFlow() -> FlowEvent {
  var flow = FlowEvent()
  flow.id = 8
  flow.source = address("2001:db8::9")
  flow.destination = address("2001:db8:1:2:3:4:5:6")
  flow.sourcePort = 16_393
  flow.destinationPort = 3_478
  flow.transport = .udp
  flow.scope.add(vlan: 100)
  flow.scope.add(tunnel: .gtpU)
  flow.start = instant + 1_000_000_000
  flow.end = instant + 193_000_000_000
  flow.packetsToServer = 9_812
  flow.packetsToClient = 9_655
  flow.bytesToServer = 11_200_400
  flow.bytesToClient = 10_900_000
  flow.decidedAtPacket = 1
  flow.verdict = Verdict(
    tag: .calling, service: "WhatsApp calls", confidence: 0.71, margin: 1.3,
    evidence: [
      Evidence(.address, value: "2001:db8:1::/48", tag: .calling, service: "WhatsApp calls", bits: 2.5),
      Evidence(.port, value: "udp 3478", tag: .other, service: "STUN", bits: 1.2, note: "a port alone never decides"),
      Evidence(.sni, value: "example.net", tag: .calling, service: nil, bits: -0.8),
    ], conflicts: ["the address is not the owner's"])
  return flow
}

/// A flow of nothing known.
func plainFlow(_ id: UInt64 = 9) -> FlowEvent {
  var flow = FlowEvent()
  flow.id = id
  flow.source = address("192.0.2.9")
  flow.destination = address("203.0.113.\(id % 250)")
  flow.sourcePort = 50_000
  flow.destinationPort = 443
  flow.start = instant
  flow.end = instant + 20_000_000
  flow.packetsToServer = 3
  flow.bytesToServer = 180 + id
  flow.facts.application = id % 2 == 0 ? .tls : nil
  flow.verdict = Verdict(tag: .other, confidence: 0.93)
  return flow
}

/// A DNS flow, an HTTP flow and a refused one.
func smallFlows() -> [FlowEvent] {
  var dns = plainFlow(10)
  dns.transport = .udp
  dns.destinationPort = 53
  dns.facts.application = .dns
  dns.facts.dnsQuestions = ["courier.push.apple.com", "example.org"]
  dns.verdict = Verdict(
    tag: .other, service: "DNS", confidence: 0.999, margin: 9,
    evidence: [Evidence(.protocol, value: "dns", tag: .other, service: "DNS", bits: 8)])
  var http = plainFlow(11)
  http.destinationPort = 80
  http.facts.application = .http
  http.facts.http = HTTPFacts()
  http.facts.http?.method = "GET"
  http.facts.http?.host = "mmg.whatsapp.net"
  http.facts.http?.userAgent = "probe, \"quoted\""
  http.facts.http?.status = 200
  http.verdict = Verdict(
    tag: .messaging, service: "WhatsApp", confidence: 0.97, margin: 6.5,
    evidence: [Evidence(.httpHost, value: "mmg.whatsapp.net", tag: .messaging, service: "WhatsApp", bits: 7)])
  http.capture = "second.pcap"
  return [dns, http]
}

/// Text that tries to break every output.
let hostileTexts = [
  "\u{1b}[2J\u{1b}]0;owned\u{7}", "\"\\\n\r\t\0", "\u{2028}\u{2029}", "\u{202e}gpj.exe", "=cmd|' /C calc'!A0", "+1",
  "-1",
  "@SUM(A1)", "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字", "👨‍👩‍👧‍👦👨‍👩‍👧‍👦", "e\u{301}\u{301}\u{301}\u{301}\u{301}", "\u{7f}\u{80}\u{9b}31m", "",
  "a,b;c", " lead", String(repeating: "long-", count: 200) + ".example", "\u{fffd}\u{feff}\u{200b}", "\u{10ffff}",
]

/// A flow whose every text is hostile.
func hostileFlow(_ text: String, id: UInt64 = 66) -> FlowEvent {
  var flow = pushFlow()
  flow.id = id
  flow.facts.application = ApplicationProtocol(rawValue: text)
  flow.facts.upgradedFrom = ApplicationProtocol(rawValue: text)
  flow.facts.tls?.serverName = text
  flow.facts.tls?.alpn = [text, text]
  flow.facts.tls?.certificateNames = [text]
  flow.facts.http = HTTPFacts()
  flow.facts.http?.host = text
  flow.facts.http?.userAgent = text
  flow.facts.dnsQuestions = [text]
  flow.facts.notes = [text]
  flow.names = [text]
  flow.notes = [text]
  flow.capture = text
  flow.verdict.service = text
  flow.verdict.conflicts = [text]
  flow.verdict.evidence = [
    Evidence(.sni, value: text, tag: .push, service: text, bits: .infinity, note: text),
    Evidence(.alpn, value: text, tag: .other, service: text, bits: .nan, note: text),
  ]
  flow.verdict.carries = [Carried(tag: .messaging, service: text)]
  flow.verdict.confidence = .nan
  return flow
}

func syntheticStats() -> StatsEvent {
  var stats = StatsEvent()
  stats.packets = 19_560
  stats.bytes = 22_115_900
  stats.truncatedPackets = 12
  stats.flows = [.push: 1, .calling: 1, .messaging: 1, .other: 32]
  stats.packetsWithoutFlow = ["arp": 31, "icmp": 4]
  stats.decodeErrors = ["ipv4 truncated": 3, "tcp badLength": 1]
  stats.limits = ["flows evicted": 2]
  stats.dropped = 17
  stats.droppedByInterface = 0
  stats.start = instant
  stats.end = instant + 193_000_000_000
  return stats
}

/// A run with each kind of flow, and more of `other` than a table shows.
func syntheticSummary(all: Bool = false) -> RunSummary {
  var summary = RunSummary(flowsPerTag: all ? RunSummary.allFlows : RunSummary.shownFlows)
  for flow in [pushFlow(), callFlow()] + smallFlows() { summary.add(flow) }
  for id in 20..<50 { summary.add(plainFlow(UInt64(id))) }
  return summary
}
