import Bytes
import Courier
import Protocols
import Testing

@Suite struct PackedTests {
  @Test func readsAConversation() throws {
    var connection = CourierConnection()
    let messages = connection.read(packedConversation)
    #expect(connection.framing == .pack)
    #expect(connection.damage == CourierDamage())
    #expect(
      messages.map(\.kind) == [
        "courier.connect", "courier.connected", "courier.set_state", "courier.no_storage", "imessage.typing_start",
        "courier.ack", "imessage.message", "courier.ack", "notification.alert", "courier.ack",
      ])
    #expect(
      messages.map(\.messageClass) == [
        "courier", "courier", "courier", "courier", "imessage", "imessage", "imessage", "imessage", "notification",
        "notification",
      ])
    #expect(messages.map(\.length) == packedConversation.map(\.bytes.count))
    #expect(!messages.contains { $0.isIncomplete })
    let typing = try #require(messages.dropFirst(4).first), text = try #require(messages.dropFirst(6).first)
    #expect(typing.devices == 1 && typing.idsCommand == 100 && typing.messageID == 7)
    #expect(typing.ciphertextLength == nil && typing.encryption == nil)
    // The topic and the keys came as references.
    #expect(text.topic?.name == "com.apple.madrid" && text.devices == 1 && text.idsCommand == 100)
    #expect(text.ciphertextLength == 5 && text.encryption == .pair && text.payloadLength == 22)
    let push = try #require(messages.dropFirst(8).first)
    #expect(push.messageID == 0x0102_0304 && push.isFromStorage && push.payloadLength == 21)
    #expect(push.topic?.hash.description == "0102030405060708090a0b0c0d0e0f1011121314" && push.topic?.name == nil)
  }

  /// Lengths about the end of the prefix: 254 stands in it; 255 is all ones and 00; 256 and 01; 383 and 80 01.
  @Test(arguments: [(254, "fe"), (255, "ff 00"), (256, "ff 01"), (383, "ff 80 01")])
  func readsLengthsBehindThePrefix(length: Int, head: String) throws {
    // Flush: key 2, data with prefix 6: 3f and the rest above 63 in two bytes.
    let count = length - 4
    let rest = count - 63
    let data = bytes("02 3f") + [UInt8(rest & 127) | 0x80, UInt8(rest >> 7)] + [UInt8](repeating: 0, count: count)
    #expect(data.count == length)
    let flush = bytes("0f" + head) + data
    var connection = CourierConnection()
    let message = try #require(connection.read([Piece(.client, connectPacked), Piece(.client, flush)]).last)
    #expect(message.kind == "courier.flush")
    #expect(message.length == flush.count)
    #expect(connection.damage == CourierDamage())
  }

  /// 87 is 7; a0 ff is 255; a8 05 is -5; a7 and eight bytes are the largest.
  @Test(arguments: [
    ("87", UInt32(7)), ("9f", 31), ("a0 20", 32), ("a3 ffffffff", 0xffff_ffff), ("a8 05", nil),
    ("a7 ffffffffffffffff", nil), ("04 00000009", 9),
  ])
  func readsNumbers(written: String, number: UInt32?) throws {
    let value = bytes(written)
    var connection = CourierConnection()
    let message = try #require(
      connection.read([Piece(.client, connectPacked), Piece(.client, pack(0x0b, [4] + value))]).last)
    #expect(message.kind == "courier.ack")
    #expect(message.messageID == number)
    #expect(!message.isIncomplete)
  }

  /// A table of 32 keys: the 33rd new key pushes the first one out, and index 31 is then the second.
  @Test func theOldestKeyLeaves() throws {
    let keys = (0..<33).flatMap { bytes("11 6b") + [UInt8(0x41 + $0)] + bytes("80") }
    let first = pack(0x0f, keys)
    var connection = CourierConnection()
    let messages = connection.read([
      Piece(.client, connectPacked), Piece(.client, first), Piece(.client, pack(0x0f, bytes("3f 80"))),
    ])
    #expect(messages.count == 3 && connection.damage == CourierDamage())
    // With 31 keys, index 31 is beyond the table.
    connection = CourierConnection()
    let short = pack(0x0f, Array(keys.prefix(31 * 4)))
    let broken = connection.read([
      Piece(.client, connectPacked), Piece(.client, short), Piece(.client, pack(0x0f, bytes("3f 80"))),
    ])
    #expect(broken.last?.isIncomplete == true && connection.damage.malformedCommands == 1)
  }

  /// A topic has 21 bytes with its tag and counts 32 more: 77 of them fit in the table's 4,096 bytes.
  @Test(arguments: [(76, true), (77, false)])
  func theOldestValueLeaves(later: Int, isThere: Bool) throws {
    // Index 0 is the newest of the later ones; the first topic has the index `later`.
    let fillers = (0..<later).flatMap { bytes("42 14") + [UInt8($0)] + [UInt8](repeating: 0x55, count: 19) }
    let reference = bytes("81") + [UInt8(later)] + bytes("02 00 03 00 04 87")
    var connection = CourierConnection()
    let connect = pack(7, bytes("02 81 05 a0 41"))
    let messages = connection.read([
      Piece(.client, connect), Piece(.client, pack(0x09, bytes("42 14") + madrid + fillers)),
      Piece(.client, pack(0x0a, reference)),
    ])
    #expect(messages.count == 3)
    #expect(messages.last?.topic?.name == (isThere ? "com.apple.madrid" : nil))
    #expect(messages.last?.isIncomplete == !isThere)
  }

  @Test func aReferenceToAContainerIsNotEntered() throws {
    // Key 3, cached: a dictionary {c: 100}; then key 3 by reference.
    let connect = pack(7, bytes("02 81 05 a0 41"))
    var connection = CourierConnection()
    let messages = connection.read([
      Piece(.client, connect), Piece(.client, pack(0x0a, bytes("43 c1 10 63 a0 64  04 81"))),
      Piece(.client, pack(0x0a, bytes("83 00 04 82"))),
    ])
    #expect(messages.map(\.idsCommand) == [nil, 100, nil])
    #expect(connection.damage == CourierDamage())
  }
}
