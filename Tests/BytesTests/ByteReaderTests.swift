import Bytes
import Testing

/// What a read of `count` bytes gave, and where the reader stood then. A reader cannot escape into `#expect`.
private func attempt(
  _ bytes: [UInt8], _ count: Int, _ read: (inout ByteReader) throws(ParseError) -> Void
) -> (error: ParseError?, offset: Int) {
  var reader = ByteReader(bytes.rawSpan.slice(0, count))
  do {
    try read(&reader)
    return (nil, reader.offset)
  } catch { return (error, reader.offset) }
}

@Suite struct ByteReaderTests {
  private let bytes: [UInt8] = (1...20).map { UInt8($0) }

  @Test func numbersOfAllWidths() throws {
    var reader = ByteReader(bytes.rawSpan)
    let numbers: [UInt64] = [
      UInt64(try reader.u8()), UInt64(try reader.u16()), UInt64(try reader.u24()), UInt64(try reader.u32()),
      try reader.u64(),
    ]
    #expect(numbers == [0x01, 0x0203, 0x040506, 0x0708_090a, 0x0b0c_0d0e_0f10_1112])
    let (offset, remaining, isAtEnd) = (reader.offset, reader.remaining, reader.isAtEnd)
    #expect(offset == 18)
    #expect(remaining == 2)
    #expect(!isAtEnd)
    try reader.skip(2)
    let isAtEndNow = reader.isAtEnd
    #expect(isAtEndNow)
  }

  @Test func aReadPastTheEndSaysWhatIsMissingAndTakesNothing() {
    let reads: [(Int, (inout ByteReader) throws(ParseError) -> Void)] = [
      (1, { reader throws(ParseError) in _ = try reader.u8() }),
      (2, { reader throws(ParseError) in _ = try reader.u16() }),
      (3, { reader throws(ParseError) in _ = try reader.u24() }),
      (4, { reader throws(ParseError) in _ = try reader.u32() }),
      (8, { reader throws(ParseError) in _ = try reader.u64() }),
      (5, { reader throws(ParseError) in _ = try reader.take(5) }),
      (6, { reader throws(ParseError) in try reader.skip(6) }),
      (7, { reader throws(ParseError) in _ = try reader.sub(7) }),
    ]
    for (width, read) in reads {
      for count in 0..<width {
        let short = attempt(bytes, count, read)
        #expect(short.error == .truncated(needed: width, available: count, at: 0))
        #expect(short.offset == 0)
      }
      let enough = attempt(bytes, width, read)
      #expect(enough.error == nil)
      #expect(enough.offset == width)
    }
  }

  @Test func negativeAndHugeCountsAreRefused() {
    let skip = attempt(bytes, 20) { reader throws(ParseError) in try reader.skip(-1) }
    #expect(skip.error == .malformed(.length, at: 0))
    let huge = attempt(bytes, 20) { reader throws(ParseError) in try reader.skip(.max) }
    #expect(huge.error == .truncated(needed: .max, available: 20, at: 0))
    let take = attempt(bytes, 20) { reader throws(ParseError) in _ = try reader.take(.min) }
    #expect(take.error == .malformed(.length, at: 0))
    #expect(skip.offset == 0 && huge.offset == 0 && take.offset == 0)
  }

  @Test func partsCountFromTheirOwnStart() throws {
    var reader = ByteReader(bytes.rawSpan)
    try reader.skip(3)
    var part = try reader.sub(4)
    let (start, length) = (part.offset, part.remaining)
    #expect(start == 0)
    #expect(length == 4)
    let number = try part.u32()
    #expect(number == 0x0405_0607)
    do throws(ParseError) {
      _ = try part.u8()
      Issue.record("a part ends where it was cut")
    } catch {
      #expect(error == .truncated(needed: 1, available: 0, at: 4))
    }
    let taken = try reader.take(2).array
    #expect(taken == [8, 9])
    let offset = reader.offset
    #expect(offset == 9)
    let rest = reader.rest().array
    #expect(rest == Array(bytes[9...]))
    let nothing = reader.rest().byteCount
    #expect(nothing == 0)
  }
}
