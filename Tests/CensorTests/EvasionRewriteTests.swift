import Bytes
import Foundation
import TestSupport
import Testing

@testable import Censor

@Suite("Rewritten hellos")
struct EvasionRewriteTests {
  /// Hellos of both carriers, small and in need of two packets, with and without a name.
  private static let hellos: [RecordedHello] = [
    EvasionFixture.tcp(), EvasionFixture.tcp(EvasionFixture.message(keyShare: 1_216), isV4: false),
    EvasionFixture.tcp(EvasionFixture.message(name: nil), name: nil),
    EvasionFixture.quic(), EvasionFixture.quic(EvasionFixture.message(keyShare: 1_216, isQUIC: true), isV4: false),
    EvasionFixture.quic(EvasionFixture.message(name: nil, isQUIC: true), name: nil),
  ]

  @Test("A server puts the same hello together, whatever way it is sent", arguments: Rewrite.allCases)
  func sameHandshake(_ rewrite: Rewrite) throws {
    var tried = 0
    for hello in Self.hellos {
      guard let made = rewrite.rewrite(hello) else { continue }
      tried += 1
      let message = try #require(EvasionFixture.handshake(made.flight, of: rewrite))
      #expect(message == made.handshake)
      if !rewrite.changesTheMessage { #expect(message == hello.handshake) }
    }
    #expect(tried >= 2)
  }

  @Test("A way that changes the hello changes nothing else of it", arguments: Rewrite.allCases)
  func otherExtensionsStay(_ rewrite: Rewrite) throws {
    for hello in Self.hellos where rewrite.changesTheMessage && hello.serverName != nil {
      guard let made = rewrite.rewrite(hello) else { continue }
      let before = try #require(HelloMessage(hello.handshake))
      let after = try #require(HelloMessage(made.handshake))
      let touched: Set<UInt16> = [0, 21, 0xffce, 0xfe0d]
      func others(_ parts: HelloMessage) -> [String] {
        let fields = parts.extensions.filter { !touched.contains($0.type) }.map { "\($0.type) \($0.value.hex)" }
        return rewrite == .extensionsReversed ? fields.sorted() : fields
      }
      #expect(others(before) == others(after))
      #expect(after.extensions.last?.type == 41)
    }
  }

  @Test("Names are what the way says")
  func names() {
    func name(_ rewrite: Rewrite) -> String? { rewrite.rewrite(EvasionFixture.tcp())?.serverName }
    #expect(name(.unchanged) == "courier.push.example.com")
    #expect(name(.capitals) == "COURIER.PUSH.EXAMPLE.COM")
    #expect(name(.mixedCase) == "CoUrIeR.PuSh.eXaMpLe.cOm")
    #expect(name(.trailingDot) == "courier.push.example.com.")
    #expect(name(.encryptedClientHello) == "public.example.com")
    #expect(name(.encryptedServerName) == nil)
    #expect(Rewrite.nameAbsent.rewrite(EvasionFixture.quic()).map { $0.serverName == nil } == true)
  }

  @Test("Cuts lie within the name, in segments and in records")
  func cuts() throws {
    let hello = EvasionFixture.tcp()
    func pieces(_ rewrite: Rewrite) throws -> [Flight.Segment] {
      guard case .segments(let segments) = try #require(rewrite.rewrite(hello)).flight.content else { return [] }
      return segments
    }
    let (first, second) = ("courier.push", ".example.com")
    let split = try pieces(.splitInName)
    #expect(split.count == 2)
    #expect(split[0].bytes.suffix(12) == Array(first.utf8)[...])
    #expect(split[1].bytes.starts(with: second.utf8))
    #expect(try pieces(.swappedSegments).map(\.offset) == [split[1].offset, 0])
    #expect(try pieces(.firstByte).first?.bytes == [22])
    #expect(try pieces(.smallSegments).dropLast().allSatisfy { $0.bytes.count == 16 })
    let reversed = try pieces(.reversedSegments).map(\.offset)
    #expect(reversed == reversed.sorted(by: >) && reversed.count > 2)

    let records = try pieces(.recordsSplitInName)
    #expect(records.count == 1)
    let length = Int(records[0].bytes[3]) << 8 | Int(records[0].bytes[4])
    #expect(Array(records[0].bytes[5..<5 + length].suffix(12)) == Array(first.utf8))
    #expect(try pieces(.recordsAndSegments).map { $0.bytes[0] } == [22, 22])

    let decoy = try pieces(.overlapWithDecoy)
    #expect(decoy.map(\.offset) == [split[1].offset - 12, 0])
    #expect(decoy[0].bytes.starts(with: Array("xxxxxxxxxxxx.example.com".utf8)))
  }

  @Test("A padded hello has its name in the second packet")
  func padded() throws {
    for hello in [EvasionFixture.tcp(), EvasionFixture.quic()] {
      let made = try #require(Rewrite.padded.rewrite(hello))
      let place = try #require(HelloMessage(made.handshake)?.namePlace)
      switch made.flight.content {
      case .segments(let segments):
        let first = try #require(segments.first)
        #expect(place.lowerBound + 5 >= first.bytes.count)
      case .datagrams(let datagrams):
        #expect(datagrams.count == 2)
        #expect(place.lowerBound > 1_200)
      }
    }
  }

  @Test("Datagrams are full ones; frames and datagrams come in the order of the way")
  func datagrams() throws {
    func datagrams(_ rewrite: Rewrite) throws -> [[UInt8]] {
      guard case .datagrams(let datagrams) = try #require(rewrite.rewrite(EvasionFixture.quic())).flight.content else {
        return []
      }
      return datagrams
    }
    for rewrite in [Rewrite.plain, .framesReversed, .framesWithPings, .framesShuffled] {
      #expect(try datagrams(rewrite).map(\.count) == [1_200])
    }
    #expect(try datagrams(.twoDatagrams).map(\.count) == [1_200, 1_200])
    let random = try datagrams(.randomFirst)
    #expect(random.map(\.count) == [100, 1_200])
    #expect(random[0][0] < 0x40)
    #expect(Rewrite.lowSourcePort.rewrite(EvasionFixture.quic())?.flight.clientPort == 442)
  }

  @Test("Extensions that hide a name are shaped as their documents say")
  func encrypted() throws {
    func parts(_ rewrite: Rewrite) throws -> HelloMessage {
      let made = try #require(rewrite.rewrite(EvasionFixture.tcp()))
      return try #require(HelloMessage(made.handshake))
    }
    let outer = try parts(.encryptedClientHello)
    let value = try #require(outer.extensions.first { $0.type == 0xfe0d }).value
    // RFC 9849, section 5: outer, KDF 1, AEAD 1, config_id, enc<0..2^16-1>, payload<1..2^16-1>.
    #expect(value.prefix(5) == [0, 0, 1, 0, 1])
    #expect(Array(value[6..<8]) == [0, 32])
    #expect(Array(value[40..<42]) == [0, 208] && value.count == 42 + 208)
    let inner = try parts(.encryptedServerName)
    let esni = try #require(inner.extensions.first { $0.type == 0xffce }).value
    // draft-ietf-tls-esni-02, section 4: suite, KeyShareEntry, record_digest, encrypted_sni.
    #expect(Array(esni[0..<6]) == [0x13, 0x01, 0, 0x1d, 0, 32])
    #expect(Array(esni[38..<40]) == [0, 32])
    #expect(Array(esni[72..<74]) == [1, 36] && esni.count == 74 + 292)
  }

  @Test("The same hello is rewritten alike each time")
  func isRepeatable() {
    for rewrite in Rewrite.allCases {
      for hello in Self.hellos { #expect(rewrite.rewrite(hello) == rewrite.rewrite(hello)) }
    }
  }

  @Test("Tiny, broken and random hellos trap nowhere, and what comes out is whole")
  func hostile() {
    var random = SeededRandom(20_261_123)
    let good = EvasionFixture.message()
    var messages: [[UInt8]] = [[], [1], [1, 0, 0, 0], [UInt8](repeating: 0xff, count: 9), Array(good.prefix(50))]
    messages.append([1, 0, 0, 43] + [3, 3] + [UInt8](repeating: 7, count: 32) + [0, 0, 2, 0x13, 0x01, 1, 0, 0, 0])
    for _ in 0..<40 {
      var message = good
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        message[Int.random(in: 0..<message.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      messages.append(message)
    }
    messages.append([1, 0, 0x3f, 0xfc] + [UInt8](repeating: 0, count: 0x3ffc))
    for message in messages {
      var hellos = [EvasionFixture.tcp(message, name: nil), EvasionFixture.quic(message, name: "a")]
      hellos.append(EvasionFixture.tcp(message, name: "", ports: (0, 0)))
      hellos.append(EvasionFixture.quic(message, name: nil, ports: (0, 1)))
      hellos[1].origin?.destinationID = []
      for hello in hellos {
        var capture = EvasionCapture()
        for rewrite in Rewrite.allCases {
          guard let made = rewrite.rewrite(hello) else { continue }
          capture.add(hello, made.flight, number: 4_095)
          guard rewrite != .unchanged else { continue }
          #expect(EvasionFixture.handshake(made.flight, of: rewrite) == made.handshake)
        }
      }
    }
  }

  @Test("A message comes out of its parts byte for byte, or is not taken")
  func parts() {
    var random = SeededRandom(5)
    let good = EvasionFixture.message()
    #expect(HelloMessage(good)?.bytes == good)
    #expect(HelloMessage(good)?.name == Array(EvasionFixture.name.utf8))
    for _ in 0..<2_000 {
      var message = good
      message[Int.random(in: 0..<message.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      if let parts = HelloMessage(message) { #expect(parts.bytes == message) }
      #expect(HelloMessage(Array(message.prefix(Int.random(in: 0..<message.count, using: &random)))) == nil)
    }
  }
}

extension Rewrite {
  /// Whether the message itself differs.
  fileprivate var changesTheMessage: Bool {
    switch self {
    case .padded, .capitals, .mixedCase, .trailingDot, .nameLast, .extensionsReversed, .nameAbsent,
      .encryptedClientHello, .encryptedServerName:
      true
    default: false
    }
  }
}
