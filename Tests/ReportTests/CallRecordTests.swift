import Bytes
import Classify
import Foundation
import Protocols
import Testing

@testable import Report

// Calls that no network ever carried, with documentation addresses (RFC 5737, RFC 3849).

/// An outgoing call of two kinds of media over a relay.
private func call() -> ConversationEvent {
  var call = ConversationEvent()
  call.id = 3
  call.merged = [5, 9]
  call.capture = "first.pcap"
  call.service = "Example calls"
  call.start = instant
  call.end = instant + 61_500_000_000
  call.caller = "sip:alice@example.org"
  call.callee = "sip:bob@example.net"
  call.initiator = address("10.0.0.9")
  call.parties = [address("10.0.0.9"), address("2001:db8::7")]
  call.relays = [address("203.0.113.5")]
  call.media = ["audio", "video"]
  call.flows = [7, 8, 12, 20, 21, 22, 23]
  call.flowCount = 300
  call.packets = 4_321
  call.bytesFromClient = 1_000_001
  call.bytesToClient = 2_000_002
  call.direction = .outgoing
  return call
}

/// A flow of which every call protocol has something to say.
private func everything() -> FlowEvent {
  var flow = callFlow()
  flow.conversation = 3
  flow.media = ["audio"]
  flow.process = "com.example.calls"
  flow.facts.application = .dtls
  flow.facts.upgradedFrom = .stun
  var quic = QUICFacts()
  quic.version = 0x6b33_43cf
  quic.versionsOffered = [1, 0xff00_001d, 0x5130_3436, 0x1234_5678]
  quic.transportParameters = [1, 0x3129]
  quic.hasRetry = true
  quic.maximumIdleTimeout = 30_000
  quic.maximumDatagramFrameSize = 65_536
  quic.userAgent = "Browser/1"
  quic.hasMigrated = true
  flow.facts.quic = quic
  var dtls = DTLSFacts()
  dtls.srtpProfiles = [7, 1, 0xfff0]
  dtls.srtpProfile = 7
  dtls.hasCookie = true
  flow.facts.dtls = dtls
  var stun = STUNFacts()
  stun.messages = 17
  stun.messageTypes = [0x0001, 0x0101]
  stun.attributes = [0x0024, 0x8022]
  stun.software = "Relay 4"
  stun.realm = "example.org"
  stun.hasICE = true
  stun.mapped = Endpoint(address("192.0.2.1"), 32_853)
  stun.relayed = Endpoint(address("2001:db8::5"), 50_000)
  stun.peers = [Endpoint(address("198.51.100.7"), 80)]
  flow.facts.stun = stun
  var rtp = RTPFacts()
  rtp.streams = [
    RTPFacts.Stream(ssrc: 0x00c0_ffee, payloadType: 0, side: .client, packets: 40),
    RTPFacts.Stream(ssrc: 0xdead_beef, payloadType: 111, side: .server, packets: .max),
  ]
  rtp.hasRTCP = true
  rtp.extensionProfile = 0xbede
  rtp.encapsulation = "turn"
  flow.facts.rtp = rtp
  var signalling = CallFacts()
  signalling.callID = "3848276298220188511@example.org"
  signalling.caller = "sip:alice@example.org"
  signalling.callee = "sip:bob@example.net"
  signalling.callerSide = .server
  signalling.methods = ["INVITE", "BYE"]
  signalling.media = ["audio", "video"]
  signalling.userAgent = "Phone 1"
  flow.facts.call = signalling
  return flow
}

@Suite("Records of calls")
struct CallRecordTests {
  private func object(_ line: [UInt8]) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
  }

  @Test func aCallHoldsAllThatIsKnownOfIt() throws {
    var json = JSONLines()
    let line = json.line(call())
    #expect(line.last == 0x0a && line.filter { $0 == 0x0a }.count == 1)
    let record = try object(line)
    #expect(record["event_type"] as? String == "conversation")
    #expect(record["conversation"] as? Int == 3 && record["merged"] as? [Int] == [5, 9])
    #expect(record["service"] as? String == "Example calls" && record["capture"] as? String == "first.pcap")
    #expect((record["start"] as? String)?.hasPrefix("2025-12-04T10:11:12.123456") == true)
    #expect((record["end"] as? String)?.hasPrefix("2025-12-04T10:12:13.623456") == true)
    #expect(record["age"] as? Double == 61.5 && record["direction"] as? String == "outgoing")
    #expect(record["caller"] as? String == "sip:alice@example.org")
    #expect(record["callee"] as? String == "sip:bob@example.net")
    #expect(record["initiator"] as? String == "10.0.0.9")
    #expect(record["parties"] as? [String] == ["10.0.0.9", "2001:db8::7"])
    #expect(record["relays"] as? [String] == ["203.0.113.5"])
    #expect(record["media"] as? [String] == ["audio", "video"])
    #expect(record["flows"] as? Int == 300 && record["flow_ids"] as? [Int] == [7, 8, 12, 20, 21, 22, 23])
    #expect(record["pkts"] as? Int == 4_321)
    #expect(record["bytes_toserver"] as? Int == 1_000_001 && record["bytes_toclient"] as? Int == 2_000_002)
  }

  @Test func whatIsUnknownOfACallIsAbsent() throws {
    var call = ConversationEvent()
    call.id = 1
    call.flows = [4]
    call.flowCount = 1
    var json = JSONLines()
    let record = try object(json.line(call))
    for key in [
      "merged", "service", "direction", "caller", "callee", "initiator", "parties", "relays", "media", "capture",
    ] { #expect(record[key] == nil, "\(key)") }
    #expect(record["flow_ids"] as? [Int] == [4] && !record.values.contains { $0 is NSNull })
  }

  /// Clocks that run backwards, and numbers at their ends.
  @Test func oddTimesAndNumbersStayValid() throws {
    var odd = call()
    (odd.start, odd.end) = (instant, instant - 1)
    (odd.id, odd.packets, odd.bytesFromClient, odd.flowCount) = (.max, .max, .max, .max)
    var json = JSONLines()
    var record = try object(json.line(odd))
    #expect(record["age"] as? Double == 0 && (record["pkts"] as? NSNumber)?.uint64Value == .max)
    (odd.start, odd.end) = (.min, .max)
    record = try object(json.line(odd))
    #expect(record["event_type"] as? String == "conversation")
    #expect(CallOverview(style: TextStyle(width: 80)).lines([odd], hidden: .max).count == 4)
  }

  @Test func aFlowHoldsWhatEachProtocolSaid() throws {
    var json = JSONLines(includesShape: true)
    let flow = everything()
    for line in [json.line(flow), json.decision(flow)] {
      let record = try object(line)
      #expect(record["conversation"] as? Int == 3 && record["media"] as? [String] == ["audio"])
      #expect(record["process"] as? String == "com.example.calls")
      #expect(record["app_proto"] as? String == "dtls" && record["app_proto_orig"] as? String == "stun")
      let quic = try #require(record["quic"] as? [String: Any])
      #expect(quic["version"] as? String == "2" && quic["ua"] as? String == "Browser/1")
      #expect(quic["versions_offered"] as? [String] == ["1", "draft-29", "Q046", "0x12345678"])
      #expect(quic["transport_parameters"] as? [String] == ["0x1", "0x3129"])
      #expect(quic["max_idle_timeout"] as? Int == 30_000 && quic["max_datagram_frame_size"] as? Int == 65_536)
      #expect(quic["retry"] as? Bool == true && quic["migrated"] as? Bool == true)
      let dtls = try #require(record["dtls"] as? [String: Any])
      #expect(dtls["srtp_profile"] as? String == "SRTP_AEAD_AES_128_GCM")
      #expect(
        dtls["srtp_profiles"] as? [String] == ["SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_HMAC_SHA1_80", "0xfff0"])
      #expect(dtls["cookie"] as? Bool == true && dtls["connection_id"] == nil)
      let stun = try #require(record["stun"] as? [String: Any])
      #expect(stun["messages"] as? Int == 17 && stun["types"] as? [String] == ["0x0001", "0x0101"])
      #expect(stun["attributes"] as? [String] == ["0x0024", "0x8022"])
      #expect(stun["software"] as? String == "Relay 4" && stun["realm"] as? String == "example.org")
      #expect(stun["ice"] as? Bool == true && stun["turn"] == nil && stun["classic"] == nil && stun["origin"] == nil)
      #expect(stun["mapped"] as? String == "192.0.2.1:32853" && stun["relayed"] as? String == "[2001:db8::5]:50000")
      #expect(stun["peers"] as? [String] == ["198.51.100.7:80"])
      let rtp = try #require(record["rtp"] as? [String: Any])
      let streams = try #require(rtp["streams"] as? [[String: Any]])
      #expect(streams.map { $0["payload_type"] as? Int } == [0, 111])
      #expect(streams.map { $0["direction"] as? String } == ["to_server", "to_client"])
      #expect(streams.map { $0["packets"] as? Int } == [40, Int(UInt32.max)])
      #expect((streams.last?["ssrc"] as? String) == "0xdeadbeef")
      #expect(rtp["rtcp"] as? Bool == true && rtp["encapsulation"] as? String == "turn")
      #expect(rtp["extension"] as? String == "0xbede")
      let call = try #require(record["call"] as? [String: Any])
      #expect(call["call_id"] as? String == "3848276298220188511@example.org")
      #expect(
        call["caller"] as? String == "sip:alice@example.org" && call["callee"] as? String == "sip:bob@example.net")
      #expect(call["caller_side"] as? String == "server" && call["user_agent"] as? String == "Phone 1")
      #expect(call["methods"] as? [String] == ["INVITE", "BYE"] && call["media"] as? [String] == ["audio", "video"])
    }
  }

  @Test func aFlowThatHasNothingOfACallSaysNothing() throws {
    var json = JSONLines()
    let record = try object(json.line(plainFlow()))
    for key in ["conversation", "media", "process", "quic", "dtls", "stun", "rtp", "call"] {
      #expect(record[key] == nil, "\(key)")
    }
  }

  @Test(arguments: hostileTexts)
  func textFromTheWireStaysText(_ text: String) throws {
    var event = call()
    event.capture = text
    event.service = text
    event.caller = text
    event.callee = text
    event.media = [text, text]
    var flow = everything()
    flow.media = [text]
    flow.process = text
    flow.facts.quic?.userAgent = text
    flow.facts.stun?.software = text
    flow.facts.stun?.realm = text
    flow.facts.stun?.origin = text
    flow.facts.rtp?.encapsulation = text
    flow.facts.call?.callID = text
    flow.facts.call?.caller = text
    flow.facts.call?.callee = text
    flow.facts.call?.userAgent = text
    flow.facts.call?.methods = [text]
    flow.facts.call?.media = [text, text]
    var json = JSONLines()
    // Compared by scalars: == would let canonical equivalents pass.
    let expected = text.isEmpty ? nil : Array(text.unicodeScalars)
    func isKept(_ value: Any?) -> Bool { (value as? String).map { Array($0.unicodeScalars) } == expected }
    for line in [json.line(event), json.line(flow)] {
      #expect(line.last == 0x0a && line.filter { $0 == 0x0a }.count == 1)
      #expect(!line.dropLast().contains { $0 < 0x20 || $0 == 0x7f })
    }
    let record = try object(json.line(event))
    #expect(isKept(record["caller"]) && isKept(record["callee"]) && isKept(record["service"]))
    #expect(
      (record["media"] as? [String])?.map { Array($0.unicodeScalars) }
        == Array(repeating: Array(text.unicodeScalars), count: 2))
    let other = try object(json.line(flow))
    let stun = try #require(other["stun"] as? [String: Any])
    let signalling = try #require(other["call"] as? [String: Any])
    #expect(isKept(stun["software"]) && isKept(stun["realm"]) && isKept(stun["origin"]))
    #expect(isKept(signalling["caller"]) && isKept(signalling["call_id"]) && isKept(signalling["user_agent"]))
    #expect(
      isKept((other["quic"] as? [String: Any])?["ua"]) && isKept((other["rtp"] as? [String: Any])?["encapsulation"]))
    #expect(isKept(other["process"]))
  }
}

@Suite("Calls for a person")
struct CallOverviewTests {
  /// Calls of every kind, and such as try to break the table.
  private static let calls: [ConversationEvent] = {
    var unnamed = call()
    unnamed.caller = nil
    unnamed.service = nil
    var relayed = unnamed
    relayed.initiator = nil
    relayed.parties = []
    var crowded = unnamed
    crowded.parties = (1...16).map { address("2001:db8:1:2:3:4:5:\($0)") }
    crowded.relays = (1...16).map { address("2001:db8:9:2:3:4:5:\($0)") }
    crowded.media = ["audio", "video", "application", "text"]
    crowded.flows = (0..<256).map { 1_000_000_000_000 + $0 }
    (crowded.id, crowded.flowCount, crowded.bytesFromClient, crowded.end) = (.max, .max, .max, .max)
    let hostile = hostileTexts.map { text in
      var event = call()
      event.service = text
      event.caller = text
      event.callee = text
      event.media = [text]
      return event
    }
    return [call(), unnamed, relayed, crowded, ConversationEvent()] + hostile
  }()

  /// Columns of a line as a terminal shows it: colour takes none.
  private func shown(_ line: String) -> Int {
    let plain = line.replacing(/\u{1b}\[[0-9;]*m/, with: "")
    return columns(of: plain)
  }

  @Test(arguments: [80, 120], [(false, true), (true, true), (false, false)])
  func noLineIsWiderThanTheTerminal(width: Int, look: (isColored: Bool, isUnicode: Bool)) {
    let overview = CallOverview(
      style: TextStyle(width: width, isColored: look.isColored, isUnicode: look.isUnicode))
    let lists = [Self.calls] + Self.calls.map { [$0] }
    for calls in lists {
      let lines = overview.lines(calls, hidden: 1_234)
      // A blank line, the heading, a line a call, and what is hidden.
      #expect(lines.count == calls.count + 3)
      for line in lines where shown(line) > width { Issue.record("\(shown(line)) > \(width): \(line)") }
      guard !look.isColored else { continue }
      for line in lines
      where line.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }) {
        Issue.record("a control character in: \(line)")
      }
    }
  }

  @Test func aCallTellsWhoAndHowMuch() throws {
    let lines = CallOverview(style: TextStyle(width: 160)).lines([call()], hidden: 0)
    let row = try #require(lines.last)
    #expect(lines.count == 3 && lines.first == "")
    for part in [
      "3", "Example calls", "audio+video", "sip:alice@example.org → sip:bob@example.net", "7 8 12 20 21 22 and 294",
    ] { #expect(row.contains(part), "\(part)") }
    #expect(CallOverview(style: TextStyle()).lines([], hidden: 7).isEmpty)
  }

  @Test func partiesAreNamedByWhatIsKnown() {
    let overview = CallOverview(style: TextStyle(width: 120))
    var event = call()
    #expect(overview.parties(event) == "sip:alice@example.org → sip:bob@example.net")
    event.callee = nil
    #expect(overview.parties(event) == "10.0.0.9 → 2001:db8::7 via 203.0.113.5")
    event.initiator = nil
    #expect(overview.parties(event) == "10.0.0.9 ⇄ 2001:db8::7 via 203.0.113.5")
    event.parties = []
    #expect(overview.parties(event) == "203.0.113.5")
  }
}
