import Bytes
import Foundation
import Protocols
import Testing

@testable import Courier

@Suite struct TopicTests {
  /// Computed by another program (`printf NAME | sha1sum`).
  @Test(arguments: [
    ("com.apple.madrid", "e4e6d952954168d0a5db02dbaf27cc35fc18d159"),
    ("com.apple.private.ids", "02e81f9f8aeb0f9c06483e7a3f049a8227b3af41"),
    ("com.apple.private.alloy.sms", "7f33122bf76e40a49f3cc6a15576822ad7ff1c2a"),
    ("com.apple.private.alloy.facetime.multi", "d6025e9e85d4b12fede7d73bedd371a133ccfca4"),
    ("com.apple.private.alloy.quickrelay", "cf9f67ba47a006bc34338086957201e4625a0cbb"),
  ])
  func theTableKnowsTopicsByTheirHash(name: String, hash: String) {
    let written = bytes(hash)
    let found = CourierTopicHash(written.rawSpan)
    #expect(found?.description == hash)
    #expect(found.map { CourierTopic($0).name } == name)
  }

  @Test func theTableIsSound() {
    #expect(TopicTable.shared.badLines == 0)
    #expect(TopicTable.shared.entries.count > 200)
    let broken = TopicTable(parsing: "topic\tclass\twhat\tsource\tconfidence\na\tb\na\tstatus\tx\ty\tR\n")
    #expect(broken.badLines == 1 && broken.entries.count == 1)
  }
}

@Suite struct KindTests {
  private func kind(
    _ topic: String, _ payload: [UInt8], from side: FlowSide
  ) throws -> CourierMessage {
    let hash = bytes(CourierTopicHash(of: topic).description)
    let first: [UInt8] = side == .client ? hash : token, second: [UInt8] = side == .client ? token : hash
    let fields: [(UInt8, [UInt8])] = [(1, first), (2, second)]
    var connection = CourierConnection()
    return try #require(
      connection.read([
        Piece(.client, connectTLV), Piece(side, tlv(0x0a, fields + [(UInt8(3), payload), (UInt8(4), [0, 0, 0, 1])])),
      ]).last)
  }

  @Test(arguments: [
    ("com.apple.madrid", 101, FlowSide.client, "imessage", "imessage.delivered"),
    ("com.apple.madrid", 102, .server, "imessage", "imessage.read"),
    ("com.apple.madrid", 118, .client, "imessage", "imessage.edit"),
    ("com.apple.madrid", 150, .client, "imessage", "imessage.upload_request"),
    ("com.apple.madrid", 150, .server, "imessage", "imessage.upload_answer"),
    ("com.apple.madrid", 255, .server, "imessage", "courier.server_ack"),
    ("com.apple.madrid", 9999, .server, "imessage", "imessage.other"),
    ("com.apple.private.alloy.facetime.multi", 207, .server, "facetime", "facetime.join"),
    ("com.apple.private.alloy.facetime.multi", 208, .server, "facetime", "facetime.leave"),
    ("com.apple.private.alloy.quickrelay", 200, .client, "facetime", "facetime.relay_request"),
    ("com.apple.private.alloy.quickrelay", 200, .server, "facetime", "facetime.relay_answer"),
    ("com.apple.private.ids", 96, .client, "identity", "identity.lookup"),
    ("com.apple.private.ids", 97, .server, "identity", "identity.lookup_answer"),
    ("com.apple.private.alloy.fmf", 242, .client, "status", "status.findmy"),
    ("com.apple.private.alloy.status.keysharing", 227, .client, "status", "status.focus"),
    ("com.apple.private.alloy.coreduet.sync", 242, .client, "status", "status.alloy"),
    ("com.apple.private.alloy.of.tomorrow", 242, .client, "unknown", "courier.ids_message"),
  ])
  func commandsOfIdentityServices(
    topic: String, command: Int, side: FlowSide, messageClass: String, name: String
  ) throws {
    let message = try kind(topic, propertyList(["c": command, "U": Data(repeating: 0, count: 16)]), from: side)
    #expect(message.messageClass == messageClass)
    #expect(message.kind == name)
  }

  @Test(arguments: [
    (#"{"aps":{"alert":"hi","sound":"default"}}"#, "notification.alert"),
    (#"{"x":{"aps":1},"aps" : { "alert" : {"title":"a","body":"content-available"} } }"#, "notification.alert"),
    (#"{"aps":{"content-available":1},"id":"alert"}"#, "notification.background"),
    (#"{"id":"\"aps\":{\"alert\":","aps":{"content-available" : 1}}"#, "notification.background"),
    (#"{"aps":{"content-available":1,"alert":"hi"}}"#, "notification.alert"),
    (#"{"aps":{"content-available":0,"badge":3}}"#, "notification.alert"),
  ])
  func pushesOfAnUnknownApp(json: String, name: String) throws {
    let message = try kind("com.example.app", Array(json.utf8), from: .server)
    #expect(message.messageClass == "notification")
    #expect(message.kind == name)
    #expect(message.topic?.name == nil)
  }

  @Test func aPushAsAPropertyList() throws {
    let message = try kind("com.example.app", propertyList(["aps": ["content-available": 1]]), from: .server)
    #expect(message.kind == "notification.background")
  }

  @Test(arguments: ["", "x", "{", "{\"aps\":", "{\"aps\":{\"alert\":\"", "bplist00", "[1]"])
  func whatIsNoPayloadHasNoClass(payload: String) throws {
    let message = try kind("com.example.app", Array(payload.utf8), from: .server)
    #expect(message.messageClass == "unknown" || payload.hasPrefix("{\"aps\":{"))
  }

  /// A list of 255 devices that are one dictionary of 100 pairs, in 566 bytes, and a dictionary that holds itself: the
  /// steps are capped.
  @Test func aPropertyListOfReferencesIsNoBomb() {
    // Objects: 0 = {1: 2}, 1 = "dtl", 2 = [3, 3, ...] (af 10 ff), 3 = {1: 1, 1: 1, ...} (df 10 64).
    var bomb = Array("bplist00".utf8) + bytes("d1 01 02  53 64746c  af 10 ff") + [UInt8](repeating: 3, count: 255)
    bomb += bytes("df 10 64") + [UInt8](repeating: 1, count: 200)
    let table = UInt64(bomb.count)
    bomb += bytes("0008 000b 000f 0111") + [0, 0, 0, 0, 0, 0, 2, 1] + [0, 0, 0, 0, 0, 0, 0, 4]
    bomb += [0, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0, UInt8(table >> 8), UInt8(table & 255)]
    var content = CommandContent()
    let isRead = PropertyListWalk.read(bomb.rawSpan, into: &content)
    #expect(!isRead)
    #expect(content.devices == 255)

    // Objects: 0 = {"aps": 0}, which is d1 01 00, and 1 = "aps".
    let cycle =
      Array("bplist00".utf8) + bytes("d1 01 00 53 617073") + bytes("08 0b") + [0, 0, 0, 0, 0, 0, 1, 1]
      + [0, 0, 0, 0, 0, 0, 0, 2] + [0, 0, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 15]
    content = CommandContent()
    let isCycleRead = PropertyListWalk.read(cycle.rawSpan, into: &content)
    #expect(isCycleRead)
    #expect(content.hasAPS)
  }

  @Test func nestingIsCapped() throws {
    let deep = pack(0x0a, bytes("03") + [UInt8](repeating: 0xd1, count: 100) + bytes("80 04 81"))
    var connection = CourierConnection()
    let messages = connection.read([Piece(.client, connectPacked), Piece(.client, deep)])
    #expect(messages.last?.isIncomplete == true && connection.damage.malformedCommands == 1)
    for json in [[UInt8](repeating: 0x5b, count: 100), [UInt8](repeating: 0x20, count: 9000) + bytes("7b7d")] {
      var content = CommandContent()
      let isRead = JSONPayload.read(json.rawSpan, into: &content)
      #expect(!isRead)
    }
  }
}
