import Bytes
import TestSupport
import Testing

@testable import Protocols

@Suite struct MessengerStreamTests {
  private func recognize(_ opening: MessengerSample.Opening, _ count: Int) -> MessengerRecognition {
    let bytes = Array(opening.bytes.prefix(count))
    return MessengerSignature.of(stream: bytes, from: opening.side, port: opening.port)
  }

  @Test(arguments: MessengerSample.openings)
  func openingsAreSure(opening: MessengerSample.Opening) {
    #expect(recognize(opening, opening.bytes.count) == .mine(.sure(opening.messenger)))
  }

  /// What a segment's end cuts off must not lose a stream whose first byte says something.
  @Test(arguments: MessengerSample.openings.filter(\.isFixed))
  func cutsAskForMore(opening: MessengerSample.Opening) {
    for count in 1..<opening.bytes.count {
      switch recognize(opening, count) {
      case .mine(let signature): #expect(signature.messenger == opening.messenger, "\(count) bytes")
      case .needMore: break
      case .notMine: Issue.record("\(count) bytes of \(opening) are nobody's")
      }
    }
  }

  /// A length that does not hold, or a version that cannot be, is another protocol.
  @Test(arguments: [
    "5741060300000012220a20", "5741200300002412220a20", "57410603000024ff", "5741420000000000", "4544000200000408aa",
    "ef00aabbccddeeff00112233445566778899aabbccddeeff", "eeeeeeeeffffffff00", "ddddddddffffffff00",
    "00010000ffffffff02000000", "0000001000100002000000060000000100", "16f1050010aabbccddeeff001122",
    "16030100c8010000c403030102030405", "160301", "2500431404aabb", "c2fe000500ffffff", "c2fe000600000010",
    "10200004" + "4d51545404c2003c", "2902000000", "504f535420",
  ])
  func likenessesAreNotTaken(text: String) {
    let bytes = Sample.hex(text) + (text.count > 20 ? [] : MessengerSample.filler(80))
    let seen = MessengerSignature.of(stream: bytes, from: .client, port: 9999)
    if case .mine = seen { Issue.record("\(text): \(seen)") }
  }

  @Test func obfuscationIsAWeakSignOnItsPortsOnly() {
    let bytes = MessengerSample.random(120, seed: 3)
    let seen = MessengerSignature.of(stream: bytes, from: .client, port: 443)
    #expect(seen == .mine(.weak(.mtprotoObfuscated)))
    #expect(MessengerSignature.of(stream: bytes, from: .server, port: 443) == .notMine)
    #expect(MessengerSignature.of(stream: bytes, from: .client, port: 9999) == .notMine)
    for start: [UInt8] in [Array("HEAD".utf8), Array("OPTI".utf8), [0x16, 3, 1, 2], [1, 2, 3, 4, 0, 0, 0, 0]] {
      let other = start + bytes.dropFirst(start.count)
      #expect(MessengerSignature.of(stream: other, port: 443) != .mine(.weak(.mtprotoObfuscated)), "\(start)")
    }
    let text = [UInt8]("GET /a HTTP/1.1, and more text of the kind that is not random at all".utf8)
    #expect(MessengerSignature.of(stream: text, port: 80) == .notMine)
  }

  @Test func randomBytesAreNeverSure() {
    var random = SeededRandom(7)
    for _ in 0..<30_000 {
      let bytes = (0..<Int.random(in: 1...96, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      for port: UInt16 in [443, 5222, 4244] {
        let seen = MessengerSignature.of(stream: bytes, from: .client, port: port)
        if case .mine(let signature) = seen, signature.strength == .sure { Issue.record("\(bytes.hex): \(signature)") }
      }
    }
  }

  @Test func threemaIsKnownByItsLengths() {
    var stream = MessengerStream(serverPort: 5222)
    let frame = MessengerSample.little(52, 2) + MessengerSample.random(52)
    let steps: [(FlowSide, [UInt8])] = [
      (.client, MessengerSample.random(48)), (.server, MessengerSample.random(80)),
      (.client, MessengerSample.random(191)), (.server, MessengerSample.random(32)), (.client, frame + frame),
    ]
    let seen = steps.map { stream.take($1, from: $0) }
    #expect(seen == [nil, nil, .weak(.threema), .weak(.threema), .sure(.threema)])
  }

  @Test func threemaNeedsEachLength() {
    for wrong in 0..<3 {
      var stream = MessengerStream(serverPort: 5222)
      let lengths = [48, 80, 191].enumerated().map { $0 == wrong ? $1 + 1 : $1 }
      for (i, length) in lengths.enumerated() {
        let bytes = MessengerSample.random(length, seed: UInt64(i))
        let seen = stream.take(bytes, from: i == 1 ? .server : .client)
        // A login has no fixed length.
        #expect(seen == nil || wrong == 2, "\(lengths)")
      }
    }
  }

  @Test func framingsAreFollowedFromTheMiddle() {
    func frame(_ i: Int) -> [UInt8] { MessengerSample.random(20 + 7 * i, seed: UInt64(i)) }
    let kinds: [(UInt16, MessengerSignature, (Int) -> [UInt8])] = [
      (5222, .weak(.whatsapp), { [0, 0, UInt8(frame($0).count)] + frame($0) }),
      (443, .weak(.whatsapp), { [0x80, 0, UInt8(frame($0).count)] + frame($0) }),
      (8080, .weak(.kakaotalk), { MessengerSample.little(frame($0).count) + frame($0) }),
      (
        4244, .sure(.viber),
        { MessengerSample.little(frame($0).count + 6, 2) + MessengerSample.little(5 + $0 / 2) + frame($0) }
      ),
    ]
    for (port, expected, packet) in kinds {
      var stream = MessengerStream(serverPort: port)
      let seen = (0..<5).map { stream.take(packet($0), from: $0 % 2 == 0 ? .client : .server) }
      #expect(seen == [nil, nil, nil, expected, expected], "\(expected)")
      var other = MessengerStream(serverPort: 25)
      #expect((0..<5).allSatisfy { other.take(packet($0), from: .client) == nil }, "any port")
    }
  }

  @Test func streamsAreGivenUp() {
    var stream = MessengerStream(serverPort: 443)
    for i in 0..<100 { _ = stream.take(MessengerSample.random(50, seed: UInt64(i)), from: .client) }
    #expect(!stream.wantsMore)
  }
}
