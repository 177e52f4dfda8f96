import Foundation
import Testing

/// Real programs on loopback: their answers, their truth, and what a third program decrypts.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ConversationTests {
  /// One of everything that a phone and a courier say.
  private func converse(_ stage: Stage, framing: String, tls: String) throws {
    let (alice, bob, server) = (try stage["alice"], try stage["bob"], stage.server)
    let place: [String: Any] = ["address": "127.0.0.1", "port": stage.port, "framing": framing, "tls": tls]
    try alice.ask("connect", place)
    try bob.ask("connect", place.merging(["sni": "courier2.push.apple.com"]) { $1 })
    for kind in ["short", "chat", "rich", "silent"] {
      try server.ask("notify", ["phone": "alice", "topic": "com.example.news", "kind": kind, "characters": 60])
    }
    try alice.ask("lookup", ["bytes": 400])
    try alice.ask("imessage", ["to": "bob", "kind": "typing_start"])
    try alice.ask("imessage", ["to": "bob", "kind": "text", "characters": 40, "devices": 2])
    try bob.ask("imessage", ["to": "alice", "kind": "read"])
    try bob.ask("imessage", ["to": "alice", "kind": "text", "characters": 25, "script": "cyrillic"])
    try bob.ask("imessage", ["to": "alice", "kind": "typing_stop"])
    try bob.ask("imessage", ["to": "alice", "kind": "tapback"])
    try alice.ask("imessage", ["to": "carol", "kind": "edit", "characters": 30])
    try alice.ask("authorize_upload")
    try alice.ask("imessage", ["to": "bob", "kind": "attachment"])
    try bob.ask("authorize_download")
    try server.ask("incoming", ["phone": "alice", "from": "carol", "kind": "text", "characters": 80])
    try alice.ask("facetime_relay")
    for act in ["ring", "join", "update", "leave"] { try alice.ask("facetime", ["to": "bob", "act": act]) }
    for kind in ["findmy", "focus", "alloy"] { try alice.ask("status", ["kind": kind]) }
    try alice.ask("filter", ["topics": 210])
    try alice.ask("scoped_token")
    try alice.ask("subscribe")
    try server.ask("keepalive", ["phone": "alice"])
    try alice.ask("keepalive")
    try server.ask("flush", ["phone": "alice", "sizes": [64, 128, 256, 512]])
    try server.ask("settle")
  }

  @Test(arguments: [("pack", "1.3"), ("tlv", "1.2"), ("pack", "1.2")])
  func everythingIsSaidAndTold(framing: String, tls: String) throws {
    let stage = try Stage()
    try converse(stage, framing: framing, tls: tls)
    #expect(try stage.close() == [0, 0, 0])
    let truth = stage.programs.flatMap(\.truth)
    #expect(truth.allSatisfy { $0.framing == framing && $0.tls == tls })
    // Ordinals: each side of each connection counts its records from 1, without a gap.
    for (place, lines) in Dictionary(grouping: truth, by: { "\($0.local) \($0.remote)" }) {
      #expect(lines.flatMap(\.records) == Array(1...lines.flatMap(\.records).count), "\(place)")
    }
    #expect(Set(truth.map { "\($0.local) \($0.remote)" }).count == 4)
    // Whatever arrived was sent under the same name, as the same kind.
    let sent = Set(stage.server.truth.map { "\($0.kind) \($0.message ?? "")" })
    let arrived = try ["alice", "bob"].flatMap { try stage[$0].events }.filter { $0.what == "received" }
    #expect(arrived.count > 40)
    for event in arrived where event.message != nil {
      #expect(sent.contains("\(event.kind ?? "") \(event.message ?? "")"))
    }
    // A message keeps its name from one phone to the other.
    let texts = try stage["alice"].truth.filter { $0.kind == "imessage.text" }
    #expect(texts.count == 1 && texts.first?.text_length == 40 && texts.first?.devices == 2)
    #expect(try stage["bob"].events.contains { $0.message == texts.first?.message && $0.kind == "imessage.text" })
    // The sizes that the format fixes.
    let fixed = framing == "pack" ? ["courier.keep_alive_response": 4] : ["courier.keep_alive_response": 9]
    for (kind, bytes) in fixed {
      #expect(stage.server.truth.contains { $0.kind == kind && $0.plaintext == bytes })
    }
    // Two devices of the receiver: two acks of the server, and one receipt of the phone.
    let name = texts.first?.message
    #expect(stage.server.truth.count { $0.kind == "courier.server_ack" && $0.message == name } == 2)
    #expect(try stage["bob"].truth.count { $0.kind == "imessage.delivered" && $0.message == name } == 1)
  }

  @Test func aSeedGivesTheSameTruth() throws {
    func told() throws -> [[String]] {
      let stage = try Stage()
      try converse(stage, framing: "pack", tls: "1.3")
      _ = try stage.close()
      // One list for each side of each connection: only their order among each other is open.
      return stage.programs.flatMap { program in
        Dictionary(grouping: program.truth) { $0.direction == "to_server" ? $0.local : $0.remote }.values.map {
          $0.map { "\($0.kind) \($0.plaintext) \($0.records) \($0.message ?? "")" }
        }
      }.sorted { $0.joined() < $1.joined() }
    }
    #expect(try told() == told())
  }

  @Test(arguments: [("pack", "1.3"), ("tlv", "1.3"), ("tlv", "1.2")])
  func tsharkDecryptsTheVeryRecords(framing: String, tls: String) async throws {
    guard (try? run("tshark", "--version")) != nil, (try? run("dumpcap", "--version")) != nil, geteuid() == 0 else {
      Issue.record("not tested: needs tshark, dumpcap and root", severity: .warning)
      return
    }
    let stage = try Stage()
    let capture = stage.folder.appendingPathComponent("c.pcapng").path
    let dumpcap = process(["dumpcap", "-q", "-i", "lo", "-f", "tcp port \(stage.port)", "-w", capture])
    dumpcap.standardError = FileHandle.nullDevice
    try dumpcap.run()
    defer { dumpcap.interrupt() }
    for _ in 0..<100 where !FileManager.default.fileExists(atPath: capture) {
      try await Task.sleep(for: .milliseconds(50))
    }
    try await Task.sleep(for: .milliseconds(300))
    try converse(stage, framing: framing, tls: tls)
    _ = try stage.close()
    try await Task.sleep(for: .seconds(1.5))
    dumpcap.interrupt()
    dumpcap.waitUntilExit()
    let fields = try run(
      "tshark", "-r", capture, "-o", "tls.keylog_file:\(stage.folder.appendingPathComponent("keys").path)",
      "-d", "tcp.port==\(stage.port),tls", "-Y", "tls.record", "-T", "fields", "-e", "tcp.srcport", "-e", "tcp.dstport",
      "-e", "tls.record.content_type", "-e", "tls.record.length")
    var seen: [String: [Int]] = [:]
    for line in fields.split(separator: "\n") {
      let columns = line.split(separator: "\t").map { $0.split(separator: ",").compactMap { Int($0) } }
      guard columns.count == 4, columns[2].count == columns[3].count else { continue }
      // TLS 1.3: type and tag; TLS 1.2 with AES-GCM: nonce and tag.
      for (type, length) in zip(columns[2], columns[3]) where type == 23 {
        seen["\(columns[0][0])-\(columns[1][0])", default: []].append(length - (tls == "1.3" ? 17 : 24))
      }
    }
    let told = Dictionary(grouping: stage.programs.flatMap(\.truth)) {
      "\($0.local.split(separator: ":")[1])-\($0.remote.split(separator: ":")[1])"
    }.mapValues { $0.map(\.plaintext) }
    #expect(seen == told)
  }
}
