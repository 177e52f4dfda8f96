import CourierPayloads
import CourierProtocol
import Foundation
import Testing

/// `sizes.tsv` was computed from the same published formats by another program, which shares no code with this one.
struct SizeRow: Sendable, CustomStringConvertible {
  let direction: String, kind: String, characters: Int, devices: Int, framing: String, state: String, plaintext: Int
  var description: String { "\(direction) \(kind) \(characters) \(devices) \(framing) \(state)" }

  static let all: [SizeRow] = {
    guard let url = Bundle.module.url(forResource: "sizes", withExtension: "tsv"),
      let text = try? String(contentsOf: url, encoding: .utf8)
    else { return [] }
    return text.split(separator: "\n").dropFirst().compactMap { line in
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard cells.count == 10, let characters = Int(cells[2]), let devices = Int(cells[3]),
        let plaintext = Int(cells[7])
      else { return nil }
      return SizeRow(
        direction: cells[0], kind: cells[1], characters: characters, devices: devices, framing: cells[5],
        state: cells[6],
        plaintext: plaintext)
    }
  }()
}

@Suite("Sizes agree with an independent model")
struct SizeTests {
  @Test func thereAreRows() { #expect(SizeRow.all.count == 223) }

  /// Equal where the format alone fixes a size; what holds compressed text may differ by `tolerance`.
  @Test(arguments: SizeRow.all.filter { !$0.kind.hasPrefix("connect") })
  func size(row: SizeRow) throws {
    let found = try Self.measure(row)
    #expect(abs(found - row.plaintext) <= Self.tolerance(row), "\(row): \(found), the model says \(row.plaintext)")
  }

  /// Our connect also says interface, carrier, system, build, hardware, redirects and times: 58 bytes more than the
  /// model's.
  @Test func connect() throws {
    var random = SeededGenerator(seed: 1)
    let command = Commands.connect(token: random.bytes(32), milliseconds: 1_780_000_000_000, using: &random)
    let row = try #require(SizeRow.all.first { $0.kind == "connect" })
    let interface = 1, carrier = 4, system = 4, build = 5, hardware = 10, redirects = 1, times = [4, 4, 8]
    let more = ([interface, carrier, system, build, hardware, redirects] + times).reduce(0) { $0 + 3 + $1 }
    #expect(try TLVFraming.encode(command).count == row.plaintext + more)
    let certificate = try #require(command[12]?.bytes)
    let head: [UInt8] = [0x30, 0x82, 0x03, 0x30]
    #expect(certificate.count == 820 && certificate.starts(with: head), "a sequence of 816 bytes and its head")
    #expect(command[13]?.bytes?.count == 17 && command[14]?.bytes?.count == 130)
  }

  /// About the shares in the log that the names come from: 70 of 196 opportunistic, 26 paused.
  @Test func filterHasAllKindsOfTopics() {
    let topics = Topic.list(200)
    #expect(topics.count == 200 && Set(topics).count == 200)
    let command = Commands.filter(
      token: [], topics: topics, ignored: [Topic("com.example.muted")], nonWaking: [Topic("com.example.quiet")])
    let counts = Dictionary(grouping: command.fields, by: \.id).mapValues(\.count)
    #expect([counts[1], counts[3], counts[6]] == [1, 1, 1])
    #expect((60...80).contains(counts[4] ?? 0))
    #expect((10...30).contains(counts[5] ?? 0))
    #expect(command.fields.count == 203)
    #expect(Topic.madrid.attention == .opportunistic && Topic("com.example.news").attention == .enabled)
  }

  /// Letters of two bytes, and the same body longer for it, but not twice as long: gzip sees the words.
  @Test func cyrillicCostsMore() {
    func clear(_ script: Script) -> Int {
      var random = SeededGenerator(seed: 8)
      let text = script.text(300, using: &random)
      #expect(text.count == 300)
      if script == .cyrillic { #expect(text.utf8.count > 450) }
      return MessageBody.text(text).compressed(
        from: "mailto:a@example.com", to: ["mailto:b@example.com"], using: &random)
    }
    let latin = clear(.latin), cyrillic = clear(.cyrillic)
    #expect(cyrillic > latin && cyrillic < 2 * latin)
  }

  /// 16-byte steps are what is left of a text's length.
  @Test func ciphertextsGoInSteps() {
    var random = SeededGenerator(seed: 3)
    let lengths = Set((140..<204).map { Encryption.pairEC.ciphertext(of: $0, using: &random).count })
    #expect(lengths.sorted().map { $0 - (lengths.min() ?? 0) } == [0, 16, 32, 48, 64])
  }

  /// Vectors computed with another tool from the names.
  @Test(arguments: [
    (Topic.madrid, "e4e6d952954168d0a5db02dbaf27cc35fc18d159"), (.identity, "02e81f9f8aeb0f9c06483e7a3f049a8227b3af41"),
    (.faceTime, "d6025e9e85d4b12fede7d73bedd371a133ccfca4"), (.quickRelay, "cf9f67ba47a006bc34338086957201e4625a0cbb"),
  ])
  func topics(topic: Topic, hash: String) {
    #expect(topic.hash.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined() == hash)
  }

  @Test func alertsStayBelowTheLimit() {
    var random = SeededGenerator(seed: 5)
    for kind in Alert.allCases {
      let json = kind.json(characters: 5_000, using: &random)
      #expect(json.count <= Alert.limit)
      #expect((try? JSONSerialization.jsonObject(with: Data(json))) != nil, "\(kind) is no JSON")
    }
  }

  @Test func theSameSeedGivesTheSameBytes() throws {
    func run() throws -> [[UInt8]] {
      var random = SeededGenerator(seed: 11), encoder = PackedFraming.Encoder()
      return try (0..<20).map { number in
        let text = Script.cyrillic.text(30, using: &random)
        let clear = MessageBody.text(text).compressed(
          from: "mailto:a@example.com", to: ["mailto:b@example.com"], using: &random)
        let message = OutgoingMessage(
          .message, sender: "mailto:a@example.com", uuid: random.bytes(16), number: UInt32(number), destinations: [],
          clearBytes: clear)
        return try encoder.encode(
          Commands.up(token: random.bytes(32), topic: .madrid, payload: message.payload(using: &random), number: 1))
      }
    }
    #expect(try run() == run())
  }
}

extension SizeTests {
  /// Bytes by which a size may differ: none where the format fixes it.
  static func tolerance(_ row: SizeRow) -> Int {
    switch row.kind {
    // The texts differ, and so do their compressed lengths: ours are drawn from more words, so the longer the text is,
    // the more. A difference shows once for each device, in steps of 16 bytes.
    case "imessage-text": row.devices * (32 + (row.characters > 200 ? row.characters / 20 : 0))
    // The group's random UUID does not always compress to one length.
    case "imessage-typing-stop": row.devices * 16
    default: 0
    }
  }

  static func measure(_ row: SizeRow) throws -> Int {
    var random = SeededGenerator(seed: UInt64(row.characters * 31 + row.devices))
    let token = random.bytes(32)
    var encoder = PackedFraming.Encoder()
    // A row of the model is cold once a kind; after one message of the same kind the caches are warm.
    let commands = try (0..<(row.state == "warm" ? 3 : 1)).map { _ in try command(row, token: token, using: &random) }
    if row.framing == "tlv" { return try TLVFraming.encode(commands[0]).count }
    // The model's long rows come after others of their kind: only its first rows know empty caches.
    if row.state == "cold", row.kind.hasPrefix("imessage"), !(row.kind == "imessage-text" && row.characters == 1) {
      // Texts went before typing, and typing before receipts.
      for kind in ["imessage-text", "imessage-text", "imessage-typing-start"]
      where kind != row.kind || kind == "imessage-text" {
        let before = SizeRow(
          direction: row.direction, kind: kind, characters: 20, devices: row.devices, framing: row.framing,
          state: "warm",
          plaintext: 0)
        _ = try encoder.encode(command(before, token: token, using: &random))
      }
    } else if row.state == "cold", row.kind == "app-alert", row.characters != 40 {
      var other = encoder
      _ = try other.encode(command(row, token: token, using: &random))
    }
    return try commands.map { try encoder.encode($0).count }.last ?? 0
  }

  private static func command(_ row: SizeRow, token: [UInt8], using random: inout SeededGenerator) throws -> Command {
    let number = UInt32(truncatingIfNeeded: 0x4000_0000 | random.next() & 0x3FFF_FFFF)
    if row.kind.hasPrefix("filter") {
      let count = try #require(Int(row.kind.split(separator: "-")[1]))
      return Commands.filter(token: token, topics: Topic.list(count))
    }
    switch (row.kind, row.direction) {
    case ("keepalive-empty", _): return Commands.keepAlive()
    case ("keepalive-response", _): return Commands.keepAliveResponse()
    case ("ack", "C->S"): return Commands.ack(token: token, number: number)
    case ("ack", _): return Commands.serverAck(number: number)
    case ("app-alert", _):
      return Commands.down(
        token: token, topic: Topic("com.example.news"),
        payload: .data(Alert.short.json(characters: row.characters, using: &random)), number: number,
        time: 1_780_000_000_000_000_000, isStored: row.framing == "tlv", isLast: true)
    default: break
    }
    var fixed = SeededGenerator(seed: 77)
    let peer = "tel:+15555550123", sender = "mailto:alice.example@icloud.com"
    let devices = (0..<row.devices).map {
      Destination(
        handle: $0 < row.devices - 1 || row.devices == 1 ? peer : sender, token: fixed.bytes(32),
        session: fixed.bytes(46))
    }
    let kinds: [String: IDSCommand] = ["imessage-read": .read, "imessage-delivered": .delivered]
    var message = OutgoingMessage(
      kinds[row.kind] ?? .message, sender: sender, uuid: random.bytes(16), number: number, destinations: devices)
    if row.kind == "imessage-ack255" {
      return Commands.down(
        token: token, topic: .madrid,
        payload: IncomingMessage.serverAck(uuid: message.uuid, token: devices[0].token, number: number),
        number: number, time: 1_780_000_000_000_000_000, isStored: row.framing == "tlv", isLast: true)
    }
    message.wantsNoResponse = row.kind != "imessage-text"
    message.expiresAtOnce = row.kind.hasPrefix("imessage-typing")
    if row.kind == "imessage-text" || row.kind == "imessage-typing-stop" {
      let body: MessageBody =
        row.kind == "imessage-text" ? .text(Script.latin.text(row.characters, using: &random)) : .typingStop
      message.clearBytes = body.compressed(from: sender, to: [peer], using: &random)
    }
    let payload = message.payload(using: &random)
    if row.direction == "C->S" { return Commands.up(token: token, topic: .madrid, payload: payload, number: number) }
    let destination = try #require(payload["dtl"]?.elements?.first)
    let incoming = IncomingMessage.payload(
      from: payload, for: destination, senderToken: devices[0].token, time: 1_780_000_000_000_000_000)
    return Commands.down(
      token: token, topic: .madrid, payload: incoming, number: number, time: 1_780_000_000_000_000_000,
      isStored: row.framing == "tlv", isLast: true)
  }
}
