import CourierProtocol
import Testing

@Suite("Both framings give back what they were given")
struct FramingTests {
  /// Random commands of every kind of value; the generator is seeded, so a failure comes again.
  @Test func packedRoundTrip() throws {
    var random = Lehmer(state: 7)
    var encoder = PackedFraming.Encoder(), decoder = PackedFraming.Decoder()
    for number in 0..<2_000 {
      let command = random.command()
      let bytes = try encoder.encode(command)
      for cut in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 7)) {
        #expect(try decoder.decode(bytes[..<cut]) == .needsMore)
      }
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
    for cut in 0..<bytes.count { #expect(try TLVFraming.decode(bytes[..<cut]) == .needsMore) }
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

  @Test func randomBytesNeverTrap() {
    var random = Lehmer(state: 99), outcomes = Set<String>()
    for _ in 0..<20_000 {
      let bytes = (0..<random.below(60)).map { _ in UInt8(random.below(256)) }
      var decoder = PackedFraming.Decoder()
      do { outcomes.insert("\(try decoder.decode(bytes))".prefix(7).description) } catch { outcomes.insert("error") }
      do { outcomes.insert("\(try TLVFraming.decode(bytes))".prefix(7).description) } catch { outcomes.insert("error") }
    }
    #expect(outcomes == ["needsMo", "command", "error"])
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

extension Value {
  var isContainer: Bool {
    switch self {
    case .dictionary, .array: true
    default: false
    }
  }
}

@Suite("Property lists are those of Foundation, with equal values written once")
struct PropertyListTests {
  @Test func foundationReadsThem() throws {
    var random = Lehmer(state: 3)
    for _ in 0..<300 {
      let value = Value.dictionary([.init("a", random.value()), .init("b", .string("ж")), .init("c", .integer(-5))])
        .sorted
      let list = value.propertyList()
      // Foundation reads; the order of keys is not kept by it, so both sides are sorted.
      #expect(try Value(propertyList: list).sorted == value.sorted)
    }
  }

  /// 113 bytes: Python's plistlib, which also writes equal values once, gives this list so many.
  @Test func equalValuesAreWrittenOnce() {
    let device = Value.dictionary([
      .init("tP", .string("tel:+15555550123")), .init("D", .bool(true)), .init("n", .integer(300)),
    ])
    #expect(
      Value.dictionary([.init("dtl", .array([device, device])), .init("c", .integer(100))]).propertyList().count == 113)
  }
}

extension Value {
  /// With the keys of all dictionaries in order, the last of equal keys kept.
  var sorted: Value {
    switch self {
    case .dictionary(let entries):
      let table = Dictionary(entries.map { ($0.key, $0.value.sorted) }) { $1 }
      return .dictionary(table.keys.sorted().compactMap { key in table[key].map { Entry(key, $0) } })
    case .array(let elements): return .array(elements.map(\.sorted))
    default: return self
    }
  }
}
