import Bytes
import TestSupport
import Testing

@testable import Protocols

/// Messages made by chance, many of them damaged: what is read of them in place must be what the whole reading says.
@Suite struct DNSDirectAnswerTests {
  @Test func saysWhatTheWholeMessageSays() throws {
    var random = SeededRandom(1035)
    var direct = 0
    var answers = 0
    for _ in 0..<20_000 {
      let bytes = Self.message(&random)
      guard let answer = DNSDirectAnswer(parsing: bytes.rawSpan) else { continue }
      let message = try DNSMessage(parsing: bytes.rawSpan)
      direct += 1
      answers += answer.count
      try #require(message.questions.map(\.name) == [answer.name.string])
      #expect(answer.name.isEqual(to: answer.name.string))
      #expect(!answer.name.isEqual(to: answer.name.string + "x"))
      #expect((0..<answer.count).map { answer.answer($0, of: answer.name.string) } == message.addresses)
      #expect(message.damage == nil)
    }
    // Else nothing was compared.
    #expect(direct > 2_000 && answers > 2_000)
  }

  @Test func aNameOfEscapesOnly() throws {
    var bytes: [UInt8] = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    for length in [63, 63, 63, 61] { bytes += [UInt8(length)] + Array(repeating: 7, count: length) }
    bytes += [0, 0, 1, 0, 1]
    let read = DNSDirectAnswer(parsing: bytes.rawSpan)
    let answer = try #require(read)
    let text = String(repeating: "\\007", count: 63)
    #expect(answer.name.string == [text, text, text, String(text.dropLast(8))].joined(separator: "."))
    #expect(answer.name.isEqual(to: answer.name.string))
  }

  private static func message(_ random: inout SeededRandom) -> [UInt8] {
    func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }
    let flags: UInt16 = chance(4) ? UInt16.random(in: 0 ... .max, using: &random) : chance(3) ? 0x0100 : 0x8180
    let questions: UInt16 = chance(10) ? UInt16.random(in: 0...2, using: &random) : 1
    let counts = (0..<3).map { _ in UInt16(chance(2) ? 0 : Int.random(in: 0...5, using: &random)) }
    var bytes: [UInt8] = [0x12, 0x34]
    for word in [flags, questions] + counts { bytes += [UInt8(word >> 8), UInt8(word & 0xff)] }
    for _ in 0..<questions {
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        let label = (0..<Int.random(in: 1...12, using: &random)).map { _ in
          chance(30) ? UInt8.random(in: 0 ... .max, using: &random) : UInt8.random(in: 0x41...0x7a, using: &random)
        }
        bytes += [UInt8(label.count)] + label
      }
      bytes += [0, 0, 1, 0, chance(20) ? 3 : 1]
    }
    for _ in 0..<counts.reduce(0, +) {
      bytes += chance(12) ? [1, 0x61, 0] : [0xc0, 12]
      let (type, data): (UInt8, [UInt8]) =
        switch Int.random(in: 0...9, using: &random) {
        case 0: (28, [0x20, 1] + Array(repeating: 0, count: 13) + [UInt8.random(in: 0...3, using: &random)])
        case 1: (16, [1, 0x61])
        case 2 where chance(3): (5, [0xc0, 12])
        default: (1, [192, 0, 2, UInt8.random(in: 0...3, using: &random)])
        }
      let life = UInt32.random(in: 0 ... .max, using: &random) >> (chance(3) ? 0 : 20)
      bytes += [0, type, 0, chance(30) ? 3 : 1] + Sample.u16(Int(life >> 16)) + Sample.u16(Int(life & 0xffff))
      bytes += [0, UInt8(data.count)] + data
    }
    if chance(10), let place = bytes.indices.randomElement(using: &random) {
      bytes[place] = UInt8.random(in: 0 ... .max, using: &random)
    }
    if chance(15) { bytes.removeLast(Int.random(in: 0...min(20, bytes.count), using: &random)) }
    return bytes
  }
}
