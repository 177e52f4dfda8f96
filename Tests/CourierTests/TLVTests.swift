import Bytes
import Courier
import Foundation
import Protocols
import Testing

@Suite struct TLVTests {
  /// 0c | 00000000; 0b | 0000000b | 04 0004 00000007 | 08 0001 00.
  @Test func readsTheFieldsOfTheOlderFraming() throws {
    let push = tlv(
      0x0a,
      [
        (1, token), (2, madrid), (3, Array(#"{"aps":{"content-available":1}}"#.utf8)), (4, [0, 0, 0, 7]), (7, [1]),
        (13, [5]), (28, [0, 3]),
      ])
    var connection = CourierConnection()
    let messages = connection.read([
      Piece(.client, connectTLV), Piece(.server, connectedTLV), Piece(.client, bytes("0c 00000000")),
      Piece(.server, push), Piece(.client, bytes("0b 0000000b 04 0004 00000007 08 0001 00")),
    ])
    #expect(connection.framing == .tlv)
    #expect(connection.damage == CourierDamage())
    #expect(!connection.isJoinedLate)
    // The topic is Apple's own, and it is not its protocol that pushes like an app.
    #expect(
      messages.map(\.kind) == [
        "courier.connect", "courier.connected", "courier.keep_alive", "imessage.other", "courier.ack",
      ])
    let pushed = try #require(messages.dropFirst(3).first)
    #expect(pushed.length == push.count)
    #expect(pushed.topic?.name == "com.apple.madrid")
    #expect(pushed.topic?.hash.description == "e4e6d952954168d0a5db02dbaf27cc35fc18d159")
    #expect(pushed.messageID == 7)
    #expect(pushed.isFromStorage)
    #expect(pushed.priority == 5)
    #expect(pushed.pushType == 3)
    #expect(pushed.payloadLength == 31)
    #expect(messages[1].status == 0)
    #expect(messages[4].status == 0)
    #expect(messages[4].messageClass == "imessage")
  }

  @Test func readsAPropertyListOfTwoDevices() throws {
    let device: [String: Any] = [
      "tP": "mailto:b@example.com", "t": Data(token), "P": Data(repeating: 1, count: 300), "E": "pair-ec",
    ]
    let payload = try propertyList([
      "c": 100, "fcn": 1, "U": Data(repeating: 2, count: 16), "dtl": [device, device], "E": "pair", "sP": "mailto:ä",
    ])
    let sent = tlv(0x0a, [(1, madrid), (2, token), (3, payload), (4, [0, 0, 1, 0])])
    var connection = CourierConnection()
    let message = try #require(connection.read([Piece(.client, connectTLV), Piece(.client, sent)]).last)
    #expect(message.kind == "imessage.message")
    #expect(message.messageClass == "imessage")
    #expect(message.devices == 2)
    #expect(message.idsCommand == 100)
    #expect(message.ciphertextLength == 600)
    #expect(message.encryption == .pairEC)
    #expect(message.payloadLength == payload.count)
    #expect(!message.isIncomplete)
    #expect(connection.damage.payloadsNotRead == 0)
  }

  @Test func aListWithoutCiphertextIsTheStartOfTyping() throws {
    let payload = try propertyList(["c": 100, "eX": 0, "nr": true, "dtl": [["tP": "mailto:b@example.com", "D": true]]])
    let sent = tlv(0x0a, [(1, madrid), (2, token), (3, payload), (4, [0, 0, 1, 0])])
    var connection = CourierConnection()
    let message = try #require(connection.read([Piece(.client, connectTLV), Piece(.client, sent)]).last)
    #expect(message.kind == "imessage.typing_start")
    #expect(message.ciphertextLength == nil)
  }
}
