import Bytes
import Decode
import Protocols
import Report
import Testing

@testable import Engine

@Suite struct ConversationTableTests {
  private let phone = Endpoint(IPAddress(v4: 0xc000_0209), 50_000)
  private let relay = Endpoint(IPAddress(v4: 0xcb00_7105), 3478)
  private let peer = Endpoint(IPAddress(v4: 0xc633_6407), 40_000)

  private func flow(_ id: UInt64, from: Endpoint, to: Endpoint, at start: Int64 = 0, until end: Int64 = 1) -> FlowEvent
  {
    var flow = FlowEvent()
    flow.id = id
    (flow.source, flow.sourcePort) = (from.address, from.port)
    (flow.destination, flow.destinationPort) = (to.address, to.port)
    flow.transport = .udp
    (flow.start, flow.end) = (start, end)
    (flow.packetsToServer, flow.bytesToServer, flow.bytesToClient) = (3, 300, 200)
    flow.facts.rtp = RTPFacts()
    return flow
  }

  @Test func flowsOfOneSocketAreOneCall() throws {
    var table = ConversationTable()
    let placeFound = table.begin(Conversation.Member(record: 0, flow: 1))
    let place = try #require(placeFound)
    _ = table.tie(.socket(phone), to: place, ConversationTable.Tie(flow: 1))
    #expect(table.match(client: phone, server: peer) == nil, "a socket alone is no call")
    table.prove(place)
    let found = try #require(table.match(client: phone, server: peer))
    #expect(found.place == place)
    #expect(found.tie == ConversationTable.Tie(flow: 1))
    #expect(table.match(client: peer, server: phone)?.place == place, "whoever sends first")
    #expect(table.match(client: peer, server: relay) == nil)
    let answer1 = table.join(place, Conversation.Member(record: 1, flow: 2))
    #expect(answer1)

    let answer2 = table.end(flow(1, from: phone, to: relay, at: 5, until: 20), in: place)
    #expect(answer2 == nil)
    let callFound = table.end(flow(2, from: phone, to: peer, at: 10, until: 70), in: place)
    let call = try #require(callFound)
    #expect(call.id == 1)
    #expect(call.flows == [1, 2])
    #expect((call.start, call.end) == (5, 70))
    #expect(call.packets == 6)
    #expect((call.bytesFromClient, call.bytesToClient) == (600, 400))
    #expect(table.isEmpty, "its keys are gone with it")
    #expect(table.match(client: phone, server: peer) == nil)
  }

  @Test func announcedAddressesTieAndNewerOnesWin() throws {
    var table = ConversationTable()
    let firstFound = table.begin(Conversation.Member(record: 0, flow: 1))
    let first = try #require(firstFound)
    let secondFound = table.begin(Conversation.Member(record: 1, flow: 2))
    let second = try #require(secondFound)
    let sdp = ConversationTable.Tie(source: .sdp, media: "audio", flow: 1)
    _ = table.tie(.announced(peer), to: first, sdp)
    #expect(table.match(client: phone, server: peer)?.tie == sdp)
    let moved = table.tie(.announced(peer), to: second, ConversationTable.Tie(source: .sdp, flow: 2))
    #expect(moved.now == second && moved.moved.isEmpty, "a port used again is another call")
    #expect(table.match(client: peer, server: phone)?.place == second)
  }

  @Test func twoThatTurnOutToBeOneKeepTheLowerNumber() throws {
    var table = ConversationTable()
    let firstFound = table.begin(Conversation.Member(record: 0, flow: 1))
    let first = try #require(firstFound)
    let secondFound = table.begin(Conversation.Member(record: 1, flow: 2))
    let second = try #require(secondFound)
    table.prove(first)
    table.prove(second)
    _ = table.tie(.socket(phone), to: second, ConversationTable.Tie(flow: 2))
    _ = table.tie(.call("a84b4c76e66710"), to: first, ConversationTable.Tie(flow: 1))
    let tied = table.tie(.call("a84b4c76e66710"), to: second, ConversationTable.Tie(flow: 2))
    #expect(tied.now == first)
    #expect(tied.moved.map(\.flow) == [2])
    #expect(table[second] == nil, "the place is free for another one")
    #expect(table.match(client: phone, server: peer)?.place == first, "its keys have moved")
    let answer3 = table.end(flow(2, from: phone, to: peer), in: first)
    #expect(answer3 == nil)
    let callFound = table.end(flow(1, from: phone, to: relay), in: first)
    let call = try #require(callFound)
    #expect(call.id == 1)
    #expect(call.merged == [2])
    #expect(call.flows == [1, 2])
  }

  /// A place that was left is not confused with the conversation that comes there next.
  @Test func aStalePlaceIsNobodys() throws {
    var table = ConversationTable()
    let oldFound = table.begin(Conversation.Member(record: 0, flow: 1))
    let old = try #require(oldFound)
    table.prove(old)
    let answer4 = table.end(flow(1, from: phone, to: relay), in: old)
    #expect(answer4?.id == 1)
    let newFound = table.begin(Conversation.Member(record: 0, flow: 9))
    let new = try #require(newFound)
    #expect(new.index == old.index)
    #expect(table[old] == nil)
    let answer5 = table.end(flow(1, from: phone, to: relay), in: old)
    #expect(answer5 == nil)
    #expect(table[new]?.members.map(\.flow) == [9])
  }

  @Test func capsHold() throws {
    var table = ConversationTable()
    let placeFound = table.begin(Conversation.Member(record: 0, flow: 1))
    let place = try #require(placeFound)
    for port in UInt16(1)...2_000 {
      _ = table.tie(.announced(Endpoint(phone.address, port)), to: place, ConversationTable.Tie(flow: 1))
    }
    #expect(table.keysRefused == 2_000 - UInt64(ConversationTable.maximumKeysOfOne))
    var joined = 1
    for flow in UInt64(2)...1_000 where table.join(place, Conversation.Member(record: 0, flow: flow)) { joined += 1 }
    #expect(joined == ConversationTable.maximumMembers)
    for index in 0..<UInt64(ConversationTable.maximumConversations) {
      _ = table.begin(Conversation.Member(record: 0, flow: 10_000 + index))
    }
    #expect(table.conversationsRefused == 1)
  }

  @Test func directionIsSeenFromThePrivateSide() {
    var call = ConversationEvent()
    let local = IPAddress(v4: 0x0a00_0001)
    let remote = IPAddress(v4: 0x0808_0808)
    call.parties = [local, remote]
    call.initiator = local
    call.settle()
    #expect(call.direction == .outgoing)
    call.direction = nil
    call.initiator = remote
    call.settle()
    #expect(call.direction == .incoming)
    call.direction = nil
    call.parties = [remote]
    call.settle()
    #expect(call.direction == nil)
  }
}
