import Testing

@testable import CourierProtocol

@Suite("Both framings give back what they were given")
struct FramingTests {
  /// Random commands of every kind of value; the generator is seeded, so a failure comes again.
  @Test func packedRoundTrip() throws {
    var random = Lehmer(state: 7)
    var encoder = PackedFraming.Encoder(), decoder = PackedFraming.Decoder()
    for number in 0..<500 {
      let command = random.command()
      let bytes = try encoder.encode(command)
      let early = try bytes.indices.first { try decoder.decode(bytes[..<$0]) != .needsMore }
      #expect(early == nil, "command \(number) of \(bytes.count) bytes")
      #expect(try decoder.decode(bytes + [0xFF]) == .command(command, length: bytes.count), "command \(number)")
    }
  }

  @Test func laterCommandsAreShorter() throws {
    var encoder = PackedFraming.Encoder()
    let token = Value.data([UInt8](repeating: 7, count: 32))
    let ack = Command(.ack, [Field(1, token, cached: true), Field(4, .integer(0x1234_5678)), Field(8, .integer(0))])
    // 44 and 12 bytes: computed from the published format by another program (apns_sizes.tsv).
    #expect(try encoder.encode(ack).count == 44)
    #expect(try encoder.encode(ack).count == 12)
    #expect(try encoder.encode(ack) == [0x0B, 10, 0x81, 0, 4, 0xA3, 0x12, 0x34, 0x56, 0x78, 8, 0x80])
  }

  /// Four bytes of plaintext make a TLS 1.3 record of 26, as seen on an iPhone in 2026.
  @Test func keepAliveHasTheObservedSize() throws {
    var encoder = PackedFraming.Encoder()
    let bytes = try encoder.encode(Command(.keepAliveResponse, [Field(1, .integer(0))]))
    #expect(bytes == [0x0D, 2, 1, 0x80])
    #expect(bytes.count + 5 + 1 + 16 == 26)
  }

  @Test func oldestValueLeavesTheCache() throws {
    var encoder = PackedFraming.Encoder(size: 100), decoder = PackedFraming.Decoder(size: 100)
    func send(_ byte: UInt8) throws -> Int {
      let command = Command(.ack, [Field(1, .data([UInt8](repeating: byte, count: 10)), cached: true)])
      let bytes = try encoder.encode(command)
      #expect(try decoder.decode(bytes) == .command(command, length: bytes.count))
      return bytes.count
    }
    // Each value takes 11 bytes and 32 more: two fit into 100.
    #expect(try [send(1), send(2), send(1), send(3), send(2), send(1)] == [14, 14, 4, 14, 4, 14])
  }

  @Test func oldestKeyLeavesTheCache() throws {
    var encoder = PackedFraming.Encoder(), decoder = PackedFraming.Decoder()
    func send(_ number: Int) throws -> Int {
      let command = Command(.ack, [Field(3, .dictionary([.init("key\(number)", .bool(true))]))])
      let bytes = try encoder.encode(command)
      #expect(try decoder.decode(bytes) == .command(command, length: bytes.count))
      return bytes.count
    }
    // A key of five letters: seven bytes with its head and its value, or two when it is known.
    let first = try (10..<42).map { try send($0) }
    #expect(first == [Int](repeating: 4 + 7, count: 32))
    #expect(try (10..<42).map { try send($0) } == [Int](repeating: 4 + 2, count: 32))
    #expect(try send(42) == 4 + 7)
    #expect(try send(11) == 4 + 2, "the second oldest is still there")
    #expect(try send(10) == 4 + 7, "the oldest made room for the 33rd")
  }

  @Test(arguments: [0, 31, 32, 255, 256, -1, -256, 1 << 62, .max, .min] as [Int64])
  func integersComeBack(number: Int64) throws {
    var encoder = PackedFraming.Encoder(), decoder = PackedFraming.Decoder()
    let command = Command(.setState, [Field(1, .integer(number))])
    let bytes = try encoder.encode(command)
    #expect(try decoder.decode(bytes) == .command(command, length: bytes.count))
  }

  @Test(
    arguments: [
      (30, [30]), (254, [254]), (255, [255, 0]), (256, [255, 1]), (255 + 127, [255, 127]), (255 + 128, [255, 0x80, 1]),
    ] as [(Int, [UInt8])])
  func lengthsAreTagged(length: Int, expected: [UInt8]) throws {
    var encoder = PackedFraming.Encoder()
    // An attribute of a number costs one byte, data below 63 another, above two or three.
    let payload = length - 1 - (length - 2 < 63 ? 1 : length - 3 < 63 + 128 ? 2 : 3)
    let bytes = try encoder.encode(Command(.ack, [Field(1, .data([UInt8](repeating: 0, count: payload)))]))
    #expect(Array(bytes[1..<1 + expected.count]) == expected)
    #expect(bytes.count == 1 + expected.count + length)
  }

  @Test func olderFramingRoundTrip() throws {
    let payload = Value.dictionary([
      .init("P", .data([1, 2, 3])), .init("c", .integer(100)), .init("sP", .string("mailto:a@example.com")),
    ])
    let command = Command(
      .notification,
      [
        Field(1, .data([UInt8](repeating: 9, count: 20))), Field(3, payload), Field(4, .integer(77)),
        Field(6, .integer(1 << 60)),
      ])
    let bytes = try TLVFraming.encode(command)
    #expect(try TLVFraming.decode(bytes) == .command(command, length: bytes.count))
    #expect(try bytes.indices.allSatisfy { try TLVFraming.decode(bytes[..<$0]) == .needsMore })
    #expect(try TLVFraming.encode(Command(.keepAlive)) == [0x0C, 0, 0, 0, 0])
    #expect(
      try TLVFraming.encode(Command(.keepAliveResponse, [Field(1, .integer(0))])) == [0x0D, 0, 0, 0, 4, 1, 0, 1, 0])
  }

  @Test func brokenBytesAreTold() throws {
    #expect(throws: FramingError.tooLong(0x7FFF_FFFF)) { try TLVFraming.decode([0x0A, 0x7F, 0xFF, 0xFF, 0xFF]) }
    #expect(throws: FramingError.cut) { try TLVFraming.decode([0x0A, 0, 0, 0, 4, 1, 0, 9, 0]) }
    var decoder = PackedFraming.Decoder()
    #expect(throws: FramingError.reference(5)) { try decoder.decode([0x0A, 2, 0x81, 5]) }
    #expect(throws: FramingError.reference(3)) { try decoder.decode([0x0A, 2, 0x23, 0x80]) }
    #expect(throws: FramingError.kind(0xF0)) { try decoder.decode([0x0A, 2, 1, 0xF0]) }
    #expect(throws: FramingError.limits) { try decoder.decode([0x0A, 40, 1] + [UInt8](repeating: 0xD1, count: 39)) }
  }

  @Test func emptyKeysAreRefusedAndChangeNothing() throws {
    var encoder = PackedFraming.Encoder()
    let token = Field(1, .data([UInt8](repeating: 7, count: 32)), cached: true)
    #expect(throws: FramingError.key) {
      try encoder.encode(Command(.ack, [token, Field(3, .dictionary([.init("", .bool(true))]))]))
    }
    #expect(try encoder.encode(Command(.ack, [token])).count == 2 + 1 + 33, "the token is not in the cache yet")
  }

  /// A cached container could hold references to another one, and that to a third: a tree without end.
  @Test func containersAreNotCached() throws {
    var decoder = PackedFraming.Decoder()
    #expect(throws: FramingError.kind(0xD1)) { try decoder.decode([0x0A, 3, 0x41, 0xD1, 0x80]) }
    var encoder = PackedFraming.Encoder()
    let list = Command(.ack, [Field(1, .array([.bool(true)]), cached: true)])
    #expect(try encoder.encode(list) == encoder.encode(list))
  }

  @Test func referencesAddUpToALimit() throws {
    var encoder = PackedFraming.Encoder(), decoder = PackedFraming.Decoder()
    let token = Field(1, .data([UInt8](repeating: 7, count: 4_000)), cached: true)
    func reading(_ count: Int) throws -> Reading {
      let bytes = try encoder.encode(Command(.ack, [Field](repeating: token, count: count)))
      return try decoder.decode(bytes)
    }
    let command = Command(.ack, [Field](repeating: token, count: 60))
    guard case .command(command, _) = try reading(60) else { throw FramingError.cut }
    #expect(throws: FramingError.limits) { try reading(70) }
  }

  @Test func randomBytesNeverTrap() {
    var random = Lehmer(state: 99), outcomes = Set<String>()
    for _ in 0..<20_000 {
      let bytes = (0..<random.below(60)).map { _ in UInt8(random.below(256)) }
      var decoder = PackedFraming.Decoder()
      outcomes.insert(outcome { try decoder.decode(bytes) })
      outcomes.insert(outcome { try TLVFraming.decode(bytes) })
    }
    #expect(outcomes == ["needs more", "command", "error"])
  }

  /// Commands with a few bytes changed get deeper into a reader than noise does.
  @Test(arguments: Framing.allCases)
  func changedBytesNeverTrap(framing: Framing) throws {
    var random = Lehmer(state: 1), outcomes: [String: Int] = [:]
    for _ in 0..<1_000 {
      var encoder = PackedFraming.Encoder(), decoder = PackedFraming.Decoder()
      let command = Command(.notification, random.command().fields + [Field(3, random.value())])
      var bytes = try framing == .pack ? encoder.encode(command) : TLVFraming.encode(command)
      for _ in 0...random.below(4) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      outcomes[outcome { try framing == .pack ? decoder.decode(bytes) : TLVFraming.decode(bytes) }, default: 0] += 1
    }
    for kind in ["needs more", "command", "error"] { #expect(outcomes[kind, default: 0] > 20, "\(kind)") }
  }

  private func outcome(_ read: () throws -> Reading) -> String {
    do {
      if case .command = try read() { return "command" }
      return "needs more"
    } catch { return "error" }
  }
}

/// A small generator of random numbers, and of commands.
struct Lehmer {
  var state: UInt64

  mutating func below(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 33) % UInt64(bound))
  }

  mutating func bytes(_ most: Int) -> [UInt8] { (0..<below(most)).map { _ in UInt8(below(256)) } }

  mutating func value(depth: Int = 0) -> Value {
    switch below(depth < 3 ? 6 : 4) {
    case 0: .data(bytes(200))
    case 1: .string(String((0..<below(80)).map { _ in Character(UnicodeScalar(UInt8(97 + below(26)))) }))
    case 2: .integer(Int64(below(1 << 30)) * (below(2) == 0 ? -1 : 1) >> Int64(below(30)))
    case 3: .bool(below(2) == 0)
    case 4: .array((0..<below(20)).map { _ in value(depth: depth + 1) })
    default:
      .dictionary(
        (0..<below(20)).map { _ in
          .init(["t", "sP", "k\(below(50))", "longer-than-fifteen-\(below(9))"][below(4)], value(depth: depth + 1))
        })
    }
  }

  mutating func command() -> Command {
    let ids = CommandID.allCases
    return Command(
      ids[below(ids.count)],
      (0..<below(8)).map { _ in
        let value = value()
        return Field(UInt8(below(31)), value, cached: below(3) == 0 && !value.isContainer)
      })
  }
}
