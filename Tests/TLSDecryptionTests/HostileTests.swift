import Bytes
import Protocols
import TestSupport
import Testing

@testable import TLSDecryption

@Suite struct HostileTests {
  /// A record and a hello of each side, and a plaintext.
  static let mostBuffered =
    2 * (TLSRecordHeader.byteCount + TLSRecordHeader.maximumLength + HandshakeMessages.maximumLength)
    + TLSRecordHeader.maximumLength

  /// What the fuzzer starts from and what it found, read again as in FuzzDecryption.swift.
  @Test func seedsStayWithinTheirBounds() throws {
    let seeds = try FuzzSeeds.all(of: "Decryption")
    #expect(seeds.count >= 17)
    var opened = 0
    for (name, input) in seeds {
      let reading = Session(parsing: input).read()
      #expect(reading.largestBuffer <= Self.mostBuffered, "\(name): buffers grow")
      opened += reading.connection.openedRecords
    }
    #expect(opened >= 100)
  }

  /// Sessions with bytes changed, cut out, repeated or put elsewhere: nothing traps, and buffers keep their caps.
  @Test(arguments: 0..<300)
  func damageIsSurvived(seed: Int) throws {
    var random = SeededRandom(UInt64(seed))
    let seeds = try FuzzSeeds.all(of: "Decryption")
    var input = seeds[seed % seeds.count].bytes
    for _ in 0..<Int.random(in: 1...12, using: &random) {
      let place = Int.random(in: 2..<input.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: input[place] = UInt8.random(in: 0...255, using: &random)
      case 1: input.removeSubrange(place..<min(place + Int.random(in: 1...40, using: &random), input.count))
      case 2: input.insert(contentsOf: input[place..<min(place + 30, input.count)], at: place)
      default: input[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
      }
      if input.count < 4 { break }
    }
    let reading = Session(parsing: input).read()
    #expect(reading.largestBuffer <= Self.mostBuffered)
    for (event, text) in reading.records {
      #expect(event.obstacle != nil || event.plaintextLength == text.count)
      #expect(event.length <= TLSRecordHeader.maximumLength)
    }
  }

  @Test func bytesThatAreNoTLSGiveNothing() {
    var random = SeededRandom(9)
    var connection = TLSConnection()
    var records = 0
    for _ in 0..<200 {
      let bytes = (0..<1000).map { _ in UInt8.random(in: 0...255, using: &random) | 0x80 }
      connection.consume(bytes.rawSpan, from: .server, secrets: TLSSecrets()) { _, _ in records += 1 }
      #expect(connection.bufferedBytes <= TLSRecordHeader.byteCount)
    }
    #expect(records == 0)
    #expect(connection.status == .waiting)
  }

  /// A side whose records never open costs a bounded search.
  @Test(.timeLimit(.minutes(1)))
  func recordsThatNeverOpenCostLittle() throws {
    let seed = try #require(try FuzzSeeds.all(of: "Decryption").first { $0.name == "tls13-aes128-gcm" })
    let session = Session(parsing: seed.bytes)
    var reading = session.read()
    let junk: [UInt8] = [23, 3, 3, 4, 0] + [UInt8](repeating: 0x5a, count: 1024)
    var closed = 0
    for _ in 0..<5_000 {
      reading.connection.skipGap(from: .client)
      reading.connection.consume(junk.rawSpan, from: .client, secrets: session.secrets) { event, _ in
        if event.obstacle == .doesNotOpen { closed += 1 }
      }
    }
    #expect(closed == 5_000)
  }

  @Test func aMessageThatClaimsMuchIsNotKept() {
    var messages = HandshakeMessages()
    let begin: [UInt8] = [1, 0xff, 0xff, 0xff] + [UInt8](repeating: 0, count: 16_000)
    for _ in 0..<100 {
      var offset = 0
      let type = messages.next(begin.rawSpan, &offset)
      #expect(type == nil)
      #expect(messages.bufferedBytes <= HandshakeMessages.maximumLength)
    }
  }
}
