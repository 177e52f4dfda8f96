import Bytes
import Testing

@testable import QUICKeys

/// RFC 9001 and RFC 9369, appendix A; and what no packet may get through.
@Suite struct QUICInitialKeysTests {
  static let vectors = [RFCVectors.rfc9001, RFCVectors.rfc9369]

  private func keys(_ vectors: RFCVectors, _ sender: QUICInitialKeys.Sender) -> QUICInitialKeys {
    QUICInitialKeys(vectors.protection, connectionID: RFCVectors.connectionID, sender: sender)
  }

  @Test(arguments: [0, 1])
  func keysFollowFromTheConnectionID(index: Int) {
    let vectors = Self.vectors[index]
    for (side, sender) in [(vectors.client, QUICInitialKeys.Sender.client), (vectors.server, .server)] {
      let keys = keys(vectors, sender)
      #expect(keys.key.rawSpan.array.hex == side.key)
      #expect(keys.iv.rawSpan.array.hex == side.iv)
      #expect(keys.headerProtection.rawSpan.array.hex == side.headerProtection)
    }
  }

  private func open(
    _ packet: [UInt8], _ keys: QUICInitialKeys, at offset: Int = 18
  ) -> (number: UInt32?, plaintext: [UInt8]) {
    var plaintext: [UInt8] = [1, 2, 3]
    let number = keys.open(packet.rawSpan, packetNumberAt: offset, into: &plaintext)
    return (number, plaintext)
  }

  @Test(arguments: [0, 1])
  func packetsOpen(index: Int) {
    let vectors = Self.vectors[index]
    let client = open(RFCVectors.hex(vectors.client.packet), keys(vectors, .client))
    let frames = RFCVectors.hex(vectors.client.payload)
    #expect(client.number == 2)
    #expect(client.plaintext.count == RFCVectors.clientPayloadLength)
    #expect(Array(client.plaintext.prefix(frames.count)) == frames)
    #expect(client.plaintext.dropFirst(frames.count).allSatisfy { $0 == 0 })
    let server = open(RFCVectors.hex(vectors.server.packet), keys(vectors, .server))
    #expect(server.number == 1)
    #expect(server.plaintext == RFCVectors.hex(vectors.server.payload))
  }

  @Test(arguments: [0, 1])
  func packetsSeal(index: Int) {
    let vectors = Self.vectors[index]
    let frames = RFCVectors.hex(vectors.client.payload)
    let padded = frames + [UInt8](repeating: 0, count: RFCVectors.clientPayloadLength - frames.count)
    let client = keys(vectors, .client)
      .seal(header: RFCVectors.hex(vectors.client.header), payload: padded, numberLength: 4)
    #expect(client == RFCVectors.hex(vectors.client.packet))
    let server = keys(vectors, .server)
      .seal(
        header: RFCVectors.hex(vectors.server.header), payload: RFCVectors.hex(vectors.server.payload),
        numberLength: 2)
    #expect(server == RFCVectors.hex(vectors.server.packet))
  }

  /// One bit changed anywhere, or a byte less or more, and nothing comes out.
  @Test func aChangedPacketDoesNotOpen() {
    let keys = keys(.rfc9001, .server)
    let packet = RFCVectors.hex(RFCVectors.rfc9001.server.packet)
    for index in packet.indices {
      var changed = packet
      changed[index] ^= 1 << (index & 7)
      let opened = open(changed, keys)
      #expect(opened.number == nil && opened.plaintext.isEmpty, "byte \(index)")
    }
    for length in 0..<packet.count { #expect(open(Array(packet.prefix(length)), keys).number == nil) }
    #expect(open(packet + [0], keys).number == nil)
    for offset in [-1, 0, 17, 19, 115, 116, Int.max] {
      #expect(open(packet, keys, at: offset).number == nil, "offset \(offset)")
    }
  }

  /// Each family has keys of its own, and what one seals only it opens.
  @Test func familiesDiffer() {
    let id: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
    for sealing in QUICInitialProtection.allCases {
      let header: [UInt8] = [0xc1, 0, 0, 0, 1, 0, 0, 0, 7]
      let packet =
        QUICInitialKeys(sealing, connectionID: id, sender: .client)
        .seal(header: header, payload: [6, 0, 0, 0], numberLength: 2) ?? []
      #expect(packet.count == header.count + 4 + QUICInitialKeys.tagLength)
      for opening in QUICInitialProtection.allCases {
        for sender in [QUICInitialKeys.Sender.client, .server] {
          let opened = open(packet, QUICInitialKeys(opening, connectionID: id, sender: sender), at: 7)
          #expect((opened.number == 7) == (opening == sealing && sender == .client), "\(sealing) by \(opening)")
        }
      }
    }
  }

  /// RFC 4231, section 4.2 and 4.3.
  @Test(arguments: [
    (
      [UInt8](repeating: 0x0b, count: 20), "Hi There",
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
      Array("Jefe".utf8), "what do ya want for nothing?",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
  ])
  func codesOfMessages(key: [UInt8], message: String, code: String) {
    let keyed = HMACSHA256(key: key.rawSpan)
    for _ in 0..<2 { #expect(keyed.code(of: Array(message.utf8).rawSpan).rawSpan.array.hex == code) }
  }

  /// What one packet left behind never stands in the next one's place.
  @Test func anOpenerForgets() {
    let (client, server) = (keys(.rfc9001, .client), keys(.rfc9001, .server))
    let (long, short) = (
      RFCVectors.hex(RFCVectors.rfc9001.client.packet), RFCVectors.hex(RFCVectors.rfc9001.server.packet)
    )
    var opener = QUICInitialOpener()
    #expect(opener.plaintext.byteCount == 0)
    #expect(opener.open(long.rawSpan, packetNumberAt: 18, with: client) == 2)
    #expect(opener.plaintext.byteCount == RFCVectors.clientPayloadLength)
    #expect(opener.open(short.rawSpan, packetNumberAt: 18, with: server) == 1)
    #expect(opener.plaintext.array == RFCVectors.hex(RFCVectors.rfc9001.server.payload))
    #expect(opener.open(long.rawSpan, packetNumberAt: 18, with: server) == nil)
    #expect(opener.plaintext.byteCount == 0)
    #expect(opener.open(long.rawSpan, packetNumberAt: 18, with: client) == 2)
  }

  /// Payloads around the usual size and at the largest of a UDP datagram.
  @Test(arguments: [4, 2047, 2048, 2049, 65_000])
  func payloadsOfAnyLengthOpen(length: Int) {
    let keys = keys(.rfc9001, .client)
    let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let packet = keys.seal(header: [0xc0, 0, 0, 0, 1, 0, 0, 9], payload: payload, numberLength: 1) ?? []
    let opened = open(packet, keys, at: 7)
    #expect(opened.number == 9 && opened.plaintext == payload)
  }

  @Test func manyOpenAtOnce() async {
    let keys = keys(.rfc9001, .client)
    let packet = RFCVectors.hex(RFCVectors.rfc9001.client.packet)
    let opened = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 {
        group.addTask {
          var count = 0
          for _ in 0..<200 {
            var opener = QUICInitialOpener()
            if opener.open(packet.rawSpan, packetNumberAt: 18, with: keys) == 2,
              opener.plaintext.byteCount == RFCVectors.clientPayloadLength
            {
              count += 1
            }
          }
          return count
        }
      }
      return await group.reduce(0, +)
    }
    #expect(opened == 1600)
  }

  @Test func nothingIsSealedThatCannotBeOpened() {
    let keys = keys(.rfc9001, .client)
    #expect(keys.seal(header: [], payload: [1, 2, 3, 4], numberLength: 1) == nil)
    #expect(keys.seal(header: [0xc0, 0], payload: [1, 2], numberLength: 1) == nil)
    #expect(keys.seal(header: [0xc0, 0], payload: [1, 2, 3], numberLength: 0) == nil)
    #expect(keys.seal(header: [0xc0, 0], payload: [1, 2, 3], numberLength: 1) != nil)
  }
}
