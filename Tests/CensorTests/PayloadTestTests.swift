import Bytes
import TestSupport
import Testing

@testable import Censor

@Suite("What first payloads look like")
struct PayloadTestTests {
  static func seen(_ bytes: [UInt8], isDatagram: Bool = false) -> FirstPayload {
    FirstPayload(unsafe bytes.span.bytes, length: bytes.count, at: 4, isDatagram: isDatagram)
  }

  static func flags(_ bytes: [UInt8]) -> Bool { FullyEncryptedTest().flags(seen(bytes)) }

  @Test("Counts are those of a naive count")
  func counts() {
    var random = SeededRandom(8)
    for _ in 0..<2_000 {
      let high: UInt8 = Bool.random(using: &random) ? 255 : 0x7e
      let bytes = (0..<Int.random(in: 1...1_600, using: &random)).map { _ in
        UInt8.random(in: (high == 255 ? 0 : 0x18)...high, using: &random)
      }
      let seen = Self.seen(bytes)
      let looked = Array(bytes.prefix(1_500))
      let text = looked.map { $0 >= 0x20 && $0 <= 0x7e }
      #expect(seen.length == bytes.count && seen.seen == looked.count && seen.at == 4)
      #expect(seen.bits == looked.reduce(0) { $0 + String($1, radix: 2).filter { $0 == "1" }.count })
      #expect(seen.printable == text.filter { $0 }.count)
      #expect(seen.printablePrefix == text.prefix { $0 }.count)
      #expect(seen.printableRun == text.split(separator: false).map(\.count).max() ?? 0)
    }
  }

  @Test("Only what was captured is counted")
  func snapped() {
    let bytes: [UInt8] = [0x41, 0xff]
    let seen = FirstPayload(unsafe bytes.span.bytes, length: 900, at: 4, isDatagram: false)
    #expect(seen.length == 900 && seen.seen == 2 && seen.bits == 10 && seen.printable == 1)
    #expect(!FullyEncryptedTest().flags(FirstPayload()), "nothing of a payload is no payload")
  }

  /// 200 bytes of which half are set bits, none printable in a row of note.
  static func random(_ seed: UInt64, _ count: Int = 200) -> [UInt8] {
    var random = SeededRandom(seed)
    var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    // Neither text nor TLS by chance.
    bytes[0] = 0x99
    return bytes
  }

  // Wu et al., USENIX Security 2023, section 4: what is exempt passes, the rest is hit.
  @Test("What is fully encrypted is flagged")
  func encrypted() {
    // Chance puts some of random payloads outside 3.4 to 4.6 bits a byte: of 200 bytes the mean is 4, its deviation 0.1.
    #expect((1...500).filter { Self.flags(Self.random($0)) }.count == 500)
  }

  @Test("TLS, HTTP, banners, zeros, ones and text are exempt")
  func exempt() {
    #expect(!Self.flags(PacketBuilder.clientHello(serverName: "www.example.org")))
    // Ex5 needs three bytes only.
    #expect(!Self.flags([0x16, 3, 1] + Self.random(1)))
    #expect(!Self.flags([0x17, 3, 9] + Self.random(2)))
    #expect(Self.flags([0x15, 3, 3] + Self.random(3)))
    #expect(Self.flags([0x18, 3, 3] + Self.random(4)))
    #expect(Self.flags([0x16, 3, 10] + Self.random(5)))
    #expect(Self.flags([0x16, 2, 1] + Self.random(6)))
    for method in ["GET ", "PUT ", "POST ", "HEAD "] { #expect(!Self.flags(Array(method.utf8) + Self.random(7))) }
    #expect(Self.flags(Array("GET/".utf8) + Self.random(8)))
    #expect(!Self.flags(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8)))
    #expect(!Self.flags([UInt8](repeating: 0, count: 100)))
    #expect(!Self.flags([UInt8](repeating: 0xff, count: 100)))
    #expect(!Self.flags(Array("hello, I am a protocol of lines\r\n".utf8)))
  }

  /// Bytes with a number of bits set, none of them printable or the beginning of anything.
  static func bits(_ counts: [Int]) -> [UInt8] {
    counts.map { count in UInt8(truncatingIfNeeded: 0xff << (8 - count)) }
  }

  @Test("Ex1: at most 3.4 and at least 4.6 bits a byte are exempt, the limits too")
  func popcount() {
    // 5 bytes of 17 and of 23 bits are 3.4 and 4.6.
    #expect(!Self.flags(Self.bits([3, 3, 3, 4, 4])))
    #expect(Self.flags(Self.bits([3, 3, 4, 4, 4])))
    #expect(Self.flags(Self.bits([4, 4, 4, 5, 5])))
    #expect(!Self.flags(Self.bits([4, 4, 5, 5, 5])))
  }

  @Test("Ex2: six printable bytes at the beginning are exempt, five are not")
  func prefix() {
    let text = Array("WhatsA".utf8)
    #expect(!Self.flags(text + Self.random(9)))
    #expect(Self.flags(Array(text.prefix(5)) + Self.random(9)))
    // The ends of the range: 0x20 and 0x7e are printable, 0x1f and 0x7f are not.
    #expect(!Self.flags([0x20, 0x7e, 0x20, 0x7e, 0x20, 0x7e] + Self.random(10)))
    #expect(Self.flags([0x20, 0x7e, 0x1f, 0x7e, 0x20, 0x7e] + Self.random(10)))
    #expect(Self.flags([0x20, 0x7e, 0x7f, 0x7e, 0x20, 0x7e] + Self.random(10)))
  }

  @Test("Ex3: more than half printable is exempt, half is not")
  func fraction() {
    // 'k' has 5 bits, 0x8d has 4: no other limit is near.
    let apart = (0..<50).flatMap { (_: Int) -> [UInt8] in [0x8d, 0x6b] }
    #expect(Self.flags(apart))
    #expect(!Self.flags(apart + [0x6b]))
  }

  @Test("Ex4: more than 20 printable bytes in a row are exempt, 20 are not")
  func run() {
    let text = [UInt8](repeating: 0x6c, count: 21)
    let other = [UInt8](repeating: 0x8d, count: 100)
    #expect(Self.flags(other + text.prefix(20) + other))
    #expect(!Self.flags(other + text + other))
  }

  @Test(
    "Beginnings of protocols are known",
    arguments: [
      ("GET / HTTP/1.1\r\n", Leaf.KnownBeginning.http), ("OPTIONS * HTTP/1.1\r\n", .http), ("SSH-2.0-x", .ssh),
    ])
  func beginnings(_ text: String, _ expected: Leaf.KnownBeginning) {
    #expect(Self.seen(Array(text.utf8)).beginning == expected)
    #expect(Self.seen(Array(text.utf8.prefix(3))).beginning == nil)
  }

  // RFC 1035, sections 4.1.1 and 4.2.2.
  @Test("A question of DNS is known over UDP, and over TCP behind its length; an answer is none")
  func dns() {
    let question = PacketBuilder.dns("www.example.org")
    #expect(Self.seen(question, isDatagram: true).beginning == .dns)
    #expect(Self.seen(PacketBuilder.u16(question.count) + question).beginning == .dns)
    #expect(Self.seen(question).beginning == nil)
    #expect(Self.seen(PacketBuilder.dns("www.example.org", answer: 1), isDatagram: true).beginning == nil)
    #expect(Self.seen(Array(question.prefix(11)), isDatagram: true).beginning == nil)
  }
}
