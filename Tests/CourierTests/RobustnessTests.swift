import Bytes
import Courier
import Foundation
import Protocols
import TestSupport
import Testing

/// The conversation in the older framing.
private let tlvConversation: [Piece] = [
  Piece(.client, connectTLV), Piece(.server, connectedTLV), Piece(.client, tlv(0x14, [(1, [1])])),
  Piece(.server, tlv(0x0a, [(1, token), (2, madrid), (3, Array(#"{"aps":{}}"#.utf8)), (4, [0, 0, 0, 9])])),
  Piece(.client, tlv(0x0b, [(4, [0, 0, 0, 9]), (8, [0])])), Piece(.server, tlv(0x0d, [])),
]

@Suite struct RobustnessTests {
  private static func withoutRecords(_ messages: [CourierMessage]) -> [CourierMessage] {
    messages.map { message in
      var copy = message
      copy.firstRecord = 0
      copy.lastRecord = 0
      return copy
    }
  }

  @Test(arguments: [false, true])
  func everyCutGivesTheSameMessages(packed: Bool) {
    let pieces = packed ? packedConversation : tlvConversation
    var whole = CourierConnection()
    let expected = Self.withoutRecords(whole.read(pieces))
    #expect(expected.count == pieces.count)
    for i in pieces.indices {
      for cut in 0...pieces[i].bytes.count {
        var parts = pieces
        parts[i].bytes = Array(pieces[i].bytes.dropFirst(cut))
        parts.insert(Piece(pieces[i].side, Array(pieces[i].bytes.prefix(cut))), at: i)
        var connection = CourierConnection()
        #expect(Self.withoutRecords(connection.read(parts)) == expected)
      }
    }
    var single = CourierConnection()
    #expect(
      Self.withoutRecords(single.read(pieces.flatMap { piece in piece.bytes.map { Piece(piece.side, [$0]) } }))
        == expected)
    #expect(single.bufferedBytes == 0)
  }

  @Test func recordsAreThoseOfTheFirstAndLastByte() {
    let second = tlv(0x0f, [(2, [UInt8](repeating: 0, count: 200))])
    let all = connectTLV + second + bytes("0c 00000000")
    var connection = CourierConnection()
    let cuts = [0, connectTLV.count + 3, connectTLV.count + 100, connectTLV.count + second.count + 2, all.count]
    let messages = connection.read(zip(cuts, cuts.dropFirst()).map { Piece(.client, Array(all[$0..<$1])) })
    #expect(messages.map(\.firstRecord) == [1, 1, 3])
    #expect(messages.map(\.lastRecord) == [1, 3, 4])
  }

  @Test(arguments: [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "<?xml version='1.0'?>",
    "\u{10}\u{1a}\u{0}\u{4}MQTT", "\u{a}\u{5}hello", "\u{7}hello, world, this is no Connect",
  ])
  func otherProtocolsAreForeign(text: String) {
    var connection = CourierConnection()
    #expect(connection.read([Piece(.client, Array(text.utf8) + [UInt8](repeating: 0x20, count: 200))]).isEmpty)
    #expect(connection.isForeign && connection.framing == nil && connection.bufferedBytes == 0)
  }

  @Test func aBeginningIsNotForeign() {
    var connection = CourierConnection()
    #expect(connection.read([Piece(.client, Array(connectPacked.dropLast()))]).isEmpty)
    #expect(!connection.isForeign && connection.framing == nil && connection.bufferedBytes == connectPacked.count - 1)
  }

  @Test func aBrokenBodyIsToldAndTheNextCommandRead() throws {
    var connection = CourierConnection()
    // The field's length goes beyond the body.
    let messages = connection.read([
      Piece(.client, connectTLV), Piece(.client, bytes("0b 00000003 040009")), Piece(.client, bytes("0c 00000000")),
    ])
    #expect(messages.map(\.isIncomplete) == [false, true, false])
    #expect(connection.damage.malformedCommands == 1 && connection.damage.lostPlaces == 0)
  }

  @Test func aLengthBeyondTheCapLosesThePlaceUntilTheNextRecord() throws {
    var connection = CourierConnection()
    let messages = connection.read([
      Piece(.client, connectTLV), Piece(.client, bytes("0b 00010001 04")), Piece(.client, bytes("ffffff")),
      Piece(.client, bytes("0c 00000000")),
    ])
    #expect(messages.map(\.kind) == ["courier.connect", "courier.keep_alive"])
    #expect(connection.damage.commandsTooLong == 1 && connection.damage.lostPlaces == 1)
    #expect(connection.damage.bytesPassedOver == 9)
  }

  @Test func aConnectionJoinedLateTellsWhatItCan() throws {
    for (pieces, framing) in [(packedConversation, CourierFraming.pack), (tlvConversation, .tlv)] {
      var connection = CourierConnection()
      let late = Array(pieces.dropFirst(4))
      let messages = connection.read(late)
      #expect(connection.framing == framing && connection.isJoinedLate && !connection.isForeign)
      #expect(messages.map(\.length) == late.map(\.bytes.count))
      #expect(messages.map(\.command) == late.map { $0.bytes[0] })
    }
    var connection = CourierConnection()
    let messages = connection.read(Array(packedConversation.dropFirst(4)))
    // The token is lost, the topic stands there; then its cached form and the keys are those that came after the loss.
    #expect(messages[0].isIncomplete && messages[0].kind == "imessage.typing_start")
    #expect(messages[2].kind == "imessage.message" && messages[2].topic?.name == "com.apple.madrid")
    #expect(connection.damage.malformedCommands == 0 && connection.damage.lostReferences == 4)
  }

  @Test func aGapCostsThePackedTablesOnly() throws {
    for (pieces, isIncomplete) in [(packedConversation, true), (tlvConversation, false)] {
      var connection = CourierConnection()
      var messages: [CourierMessage] = []
      for piece in pieces.prefix(6) {
        connection.consume(piece.bytes.rawSpan, from: piece.side, record: 1) { messages.append($0) }
      }
      let command = pieces[isIncomplete ? 6 : 4]
      connection.consume(command.bytes.dropLast(3).rawSpanCopy.rawSpan, from: .client, record: 2) {
        messages.append($0)
      }
      connection.skipGap(from: .client)
      #expect(connection.damage.gaps == 1 && connection.damage.bytesPassedOver == command.bytes.count - 3)
      let before = messages.count
      connection.consume([0x99, 0x98, 0x97].rawSpan, from: .client, record: 3) { messages.append($0) }
      #expect(messages.count == before && connection.damage.bytesPassedOver == command.bytes.count)
      connection.consume(command.bytes.rawSpan, from: .client, record: 4) { messages.append($0) }
      #expect(messages.count == before + 1)
      #expect(messages.last?.isIncomplete == isIncomplete && messages.last?.length == command.bytes.count)
    }
  }

  @Test func unacknowledgedMessagesAreForgottenInOrder() throws {
    var connection = CourierConnection()
    var pieces = [Piece(.client, connectTLV)]
    let count = CourierConnection.maximumUnacknowledged + 2
    func number(_ i: Int) -> [UInt8] { [0, 0, UInt8(i >> 8), UInt8(i & 255)] }
    for i in 0..<count {
      pieces.append(Piece(.server, tlv(0x0a, [(1, token), (2, madrid), (3, [0x20]), (4, number(i))])))
    }
    pieces += [1, 2].map { Piece(.client, tlv(0x0b, [(4, number($0)), (8, [0])])) }
    let messages = connection.read(pieces)
    #expect(messages.suffix(2).map(\.messageClass) == ["unknown", "imessage"])
    #expect(connection.damage.forgottenMessages == 2)
  }

  /// Random changes to sound conversations: nothing traps, and no byte is counted twice or lost.
  @Test func changedBytesAreAllAccountedFor() {
    var random = SeededRandom(5223)
    for round in 0..<4000 {
      var pieces = round % 2 == 0 ? packedConversation : tlvConversation
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let i = Int.random(in: 0..<pieces.count, using: &random)
        let at = Int.random(in: 0..<pieces[i].bytes.count, using: &random)
        pieces[i].bytes[at] = UInt8.random(in: 0...255, using: &random)
      }
      var connection = CourierConnection()
      let messages = connection.read(pieces)
      guard !connection.isForeign else { continue }
      let total = pieces.reduce(0) { $0 + $1.bytes.count }
      let seen = messages.reduce(0) { $0 + $1.length } + connection.bufferedBytes + connection.damage.bytesPassedOver
      #expect(seen == total, "round \(round)")
    }
  }

  /// Pieces behind heads of two bytes, as `FuzzCourier` reads them: side, gap, and a length of 11 bits.
  @Test func seedsAndFindingsAreRead() throws {
    let seeds = try FuzzSeeds.all(of: "Courier")
    #expect(seeds.contains { $0.name == "pack-conversation" })
    for seed in seeds {
      var connection = CourierConnection()
      var rest = seed.bytes[...]
      var taken = 0
      var messages: [CourierMessage] = []
      while rest.count >= 2 {
        let head = Array(rest.prefix(2))
        let side: FlowSide = head[0] & 0x80 == 0 ? .client : .server
        let piece = Array(rest.dropFirst(2).prefix(Int(head[0] & 7) << 8 | Int(head[1])))
        rest = rest.dropFirst(2 + piece.count)
        taken += piece.count
        if head[0] & 0x40 != 0 { connection.skipGap(from: side) }
        connection.consume(piece.rawSpan, from: side, record: 1) { messages.append($0) }
      }
      guard !connection.isForeign else { continue }
      let seen = messages.reduce(0) { $0 + $1.length } + connection.bufferedBytes + connection.damage.bytesPassedOver
      #expect(seen == taken, "\(seed.name)")
      if seed.name.hasPrefix("tlv-") || ["pack-conversation", "pack-pieces"].contains(seed.name) {
        #expect(connection.damage == CourierDamage() && !messages.contains { $0.isIncomplete }, "\(seed.name)")
      }
    }
  }
}

extension ArraySlice<UInt8> {
  fileprivate var rawSpanCopy: [UInt8] { Array(self) }
}
