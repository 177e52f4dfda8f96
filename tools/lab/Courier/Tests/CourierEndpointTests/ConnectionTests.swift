import Foundation
import Testing

/// What happens when connections do not last.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ConnectionTests {
  @Test func whatWasMissedArrivesOnReconnect() throws {
    let stage = try Stage()
    let (alice, bob, server) = (try stage["alice"], try stage["bob"], stage.server)
    let place: [String: Any] = ["address": "127.0.0.1", "port": stage.port]
    try alice.ask("connect", place)
    try bob.ask("connect", place)
    try bob.ask("disconnect")
    #expect(throws: Complaint.self) { try alice.ask("imessage", ["to": "bob", "timeout": 0.3]) }
    try alice.ask("imessage", ["to": "bob", "wait": false])
    let notice = try server.ask("notify", ["phone": "bob", "topic": "com.example.a", "kind": "short", "characters": 9])
    #expect(notice.stored == true)
    try server.ask("notify", ["phone": "bob", "topic": "com.example.a", "kind": "short", "characters": 9])
    try bob.ask("connect", place)
    try server.ask("settle")
    try alice.ask("settle")
    _ = try stage.close()
    let stored = bob.events.filter { $0.stored == true }
    // Two messages, and of the app's two notifications the newer.
    #expect(stored.map(\.kind) == ["imessage.text", "imessage.text", "notification.short"])
    #expect(alice.events.count { $0.kind == "imessage.delivered" } == 2)
  }

  /// The server's key is an elliptic curve's: a suite of RSA is taken only if the phone does not keep to its list.
  @Test func aPhoneOffersOnlyTheSuitesItIsTold() throws {
    let stage = try Stage()
    let alice = try stage["alice"]
    let place: [String: Any] = ["address": "127.0.0.1", "port": stage.port, "framing": "tlv", "tls": "1.2"]
    #expect(throws: Complaint.self) {
      try alice.ask("connect", place.merging(["ciphers": ["ECDHE-RSA-AES256-SHA"]]) { $1 })
    }
    try alice.ask("connect", place.merging(["ciphers": ["ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES256-SHA"]]) { $1 })
    try alice.ask("imessage", ["to": "carol"])
    try stage.server.ask("settle")
    #expect(try stage.close() == [0, 0, 0])
  }

  @Test func aPhoneThatReconnectsComesBack() throws {
    let stage = try Stage()
    let alice = try stage["alice"]
    try alice.ask(
      "connect", ["address": "127.0.0.1", "port": stage.port, "auto_reconnect": true, "fallback_port": stage.fallback])
    try stage.server.ask("drop", ["phone": "alice", "how": "reset"])
    #expect(try alice.ask("reconnected").port == stage.port)
    try stage.server.ask("drop", ["phone": "alice", "how": "close"])
    try alice.ask("imessage", ["to": "carol"])
    try stage.server.ask("settle")
    _ = try stage.close()
    #expect(
      alice.events.map(\.what).filter { $0 != "received" } == [
        "disconnected", "connected", "disconnected", "connected",
      ])
  }

  @Test func aClosedPortLeadsToTheOther() throws {
    let stage = try Stage()
    let answer = try stage["alice"].ask(
      "connect", ["address": "127.0.0.1", "port": 1, "fallback_port": stage.fallback, "wait": 1])
    #expect(answer.port == stage.fallback)
    _ = try stage.close()
    #expect(try stage["alice"].events.contains { $0.what == "fallback" })
  }

  @Test func aHeldPhoneGetsAllWhenItIsReleased() throws {
    let stage = try Stage()
    try stage["alice"].ask("connect", ["address": "127.0.0.1", "port": stage.port])
    try stage.server.ask("hold", ["phone": "alice"])
    for _ in 0..<3 {
      try stage.server.ask("notify", ["phone": "alice", "topic": "com.example.a", "kind": "chat", "characters": 20])
    }
    #expect(try stage["alice"].events.isEmpty)
    try stage.server.ask("release", ["phone": "alice"])
    try stage["alice"].ask("settle")
    #expect(try stage["alice"].events.count == 3)
    _ = try stage.close()
  }

  @Test func theCourierTakesNoNonsense() throws {
    let stage = try Stage()
    let (alice, bob) = (try stage["alice"], try stage["bob"])
    try alice.ask("connect", ["address": "127.0.0.1", "port": stage.port])
    // TLS with the right names and then bytes that are no command: the connection ends, the courier does not.
    for nonsense in ["\\377\\377\\377\\377\\377\\377\\377\\377", "\\013\\000", "\\007\\003\\300\\301\\302"] {
      try run(
        "sh", "-c",
        "(printf '\(nonsense)'; sleep 0.3) | timeout 5 openssl s_client -quiet -alpn apns-pack-v1 "
          + "-connect 127.0.0.1:\(stage.port) 2>/dev/null || true")
    }
    // No TLS at all.
    try run(
      "python3", "-c",
      "import socket; s = socket.create_connection(('127.0.0.1', \(stage.port))); s.sendall(b'no TLS'); s.recv(99)")
    try bob.ask("connect", ["address": "127.0.0.1", "port": stage.port])
    try alice.ask("imessage", ["to": "bob", "characters": 20])
    #expect(try stage.close() == [0, 0, 0])
  }

  @Test func requestsThatMakeNoSenseAreRefusedInASentence() throws {
    let stage = try Stage(phones: ["alice"])
    let alice = try stage["alice"]
    for (verb, fields) in [
      ("dance", [:]), ("connect", [:]), ("connect", ["address": "nowhere"]),
      ("connect", ["address": "127.0.0.1", "colour": "red"]), ("imessage", ["to": "bob"]),
      ("connect", ["address": "127.0.0.1", "port": 70000]), ("connect", ["address": "127.0.0.1", "framing": "xml"]),
    ] as [(String, [String: Any])] {
      #expect(throws: Complaint.self) { try alice.ask(verb, fields) }
    }
    try alice.send(Data("no JSON".utf8))
    try alice.ask("connect", ["address": "127.0.0.1", "port": stage.port])
    #expect(try stage.close() == [0, 0])
  }
}
