import Bytes
import TestSupport
import Testing

@testable import Protocols

/// CRYPTO frames in every order, against the message that they were cut from.
@Suite struct QUICAssemblerTests {
  private func feed(_ assembler: inout QUICCryptoAssembler, _ bytes: [UInt8], _ range: Range<Int>) {
    _ = assembler.insert(bytes.rawSpan.slice(range.lowerBound, range.count), at: range.lowerBound)
  }

  /// Any cut, order, overlap and repetition gives the message, and only the last missing byte completes it.
  @Test(arguments: 0..<60)
  func anyOrderGivesTheMessage(seed: Int) {
    var random = SeededRandom(UInt64(seed))
    let body = (0..<Int.random(in: 1...3000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    let message = [1] + [0, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
    var ranges: [Range<Int>] = []
    var start = 0
    let longest = Int.random(in: max(message.count / 40, 1)...message.count, using: &random)
    while start < message.count {
      let end = min(start + Int.random(in: max(longest / 3, 1)...longest, using: &random), message.count)
      ranges.append(max(0, start - Int.random(in: 0...20, using: &random))..<end)
      start = end
    }
    ranges += ranges.shuffled(using: &random).prefix(3)
    ranges.shuffle(using: &random)
    var assembler = QUICCryptoAssembler()
    var isThere = [Bool](repeating: false, count: message.count)
    for range in ranges {
      feed(&assembler, message, range)
      for i in range { isThere[i] = true }
      #expect((assembler.message.byteCount > 0) == isThere.allSatisfy(\.self))
      #expect(assembler.prefix.byteCount == isThere.prefix { $0 }.count)
    }
    #expect(assembler.message.array == message)
    #expect(!assembler.hasConflict && assembler.leftOut == 0)
    #expect(assembler.bufferedBytes == message.count)
  }

  @Test func theFirstBytesCountWhereFramesDisagree() {
    let message = [UInt8]([1, 0, 0, 6, 10, 11, 12, 13, 14, 15])
    var assembler = QUICCryptoAssembler()
    feed(&assembler, message, 4..<8)
    let other = message.map { $0 ^ 0xff }
    #expect(!assembler.hasConflict)
    _ = assembler.insert(other.rawSpan.slice(6, 4), at: 6)
    #expect(assembler.hasConflict)
    feed(&assembler, message, 0..<4)
    #expect(assembler.message.array == Array(message.prefix(8)) + Array(other.suffix(2)))
  }

  @Test func whatIsTooFarOrInTooManyPiecesIsCounted() {
    let byte: [UInt8] = [1]
    var far = QUICCryptoAssembler()
    for offset in [QUICCryptoAssembler.maximumBytes, Int.max, -1] {
      #expect(far.take(byte, at: offset) == .leftOut)
    }
    #expect(far.take(byte, at: QUICCryptoAssembler.maximumBytes - 1) == .new)
    #expect(far.leftOut == 3 && far.bufferedBytes == QUICCryptoAssembler.maximumBytes)
    var many = QUICCryptoAssembler()
    for i in 0..<100 { _ = many.insert(byte.rawSpan, at: 1 + 2 * i) }
    #expect(many.leftOut == 100 - QUICCryptoAssembler.maximumPieces)
    #expect(many.take(byte, at: 2) == .new)
    #expect(many.take(byte, at: 2) == .known)
  }

  @Test func aMessageThatCanNeverFitIsSaidToBeSo() {
    let header: [UInt8] = [1, 0, 0x40, 0]
    var assembler = QUICCryptoAssembler()
    _ = assembler.insert(header.rawSpan, at: 0)
    #expect(QUICCryptoAssembler.messageLength(assembler.prefix) == nil)
    #expect(assembler.message.byteCount == 0)
  }

  @Test func whatFollowsAMessageIsNotPartOfIt() {
    let stream: [UInt8] = [1, 0, 0, 1, 7, 2, 0, 0, 2, 8, 9]
    var assembler = QUICCryptoAssembler()
    feed(&assembler, stream, 0..<9)
    #expect(assembler.message.array == [1, 0, 0, 1, 7])
  }
}

extension QUICCryptoAssembler {
  fileprivate mutating func take(_ bytes: [UInt8], at offset: Int) -> Outcome { insert(bytes.rawSpan, at: offset) }
}

extension QUICCryptoAssembler {
  /// The first message with its header, where it is whole.
  fileprivate var message: RawSpan {
    @_lifetime(borrow self) get { prefix.slice(0, Self.messageLength(prefix) ?? 0) }
  }
}
