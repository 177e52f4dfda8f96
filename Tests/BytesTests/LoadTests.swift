import Bytes
import Testing

@Suite struct LoadTests {
  private let bytes: [UInt8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xfe]

  @Test func loadsAreBigEndianAndNeedNoAlignment() {
    let span = bytes.rawSpan
    #expect(span.u8(0) == 0x01)
    #expect(span.u8(8) == 0xfe)
    #expect(span.u16(0) == 0x0123)
    #expect(span.u16(7) == 0xeffe)
    #expect(span.u32(1) == 0x2345_6789)
    #expect(span.u32(5) == 0xabcd_effe)
    #expect(span.u64(0) == 0x0123_4567_89ab_cdef)
    #expect(span.u64(1) == 0x2345_6789_abcd_effe)
  }

  @Test func everyLoadIsTheSumOfItsBytes() {
    let many = (0..<64).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
    let span = many.rawSpan
    func sum(_ at: Int, _ count: Int) -> UInt64 { many[at..<at + count].reduce(0) { $0 << 8 | UInt64($1) } }
    for i in 0...56 {
      #expect(UInt64(span.u16(i)) == sum(i, 2))
      #expect(UInt64(span.u32(i)) == sum(i, 4))
      #expect(span.u64(i) == sum(i, 8))
    }
  }

  @Test(arguments: [
    (0, 0, true), (9, 0, true), (0, 9, true), (8, 1, true), (0, 10, false), (9, 1, false), (10, 0, false),
    (-1, 1, false),
    (-1, 0, false), (0, -1, false), (.max, 1, false), (1, .max, false), (.max, .max, false), (.min, .min, false),
  ])
  func holdsIsExactAndDoesNotOverflow(_ offset: Int, _ count: Int, _ expected: Bool) {
    #expect(bytes.rawSpan.holds(count, at: offset) == expected)
  }

  @Test(arguments: [
    (0, 9, 0..<9), (2, 3, 2..<5), (7, 100, 7..<9), (9, 1, 9..<9), (100, 1, 9..<9), (-5, 2, 0..<2), (3, -1, 3..<3),
    (.max, .max, 9..<9), (1, .max, 1..<9), (.min, .max, 0..<9),
  ])
  func aSliceIsWhatIsThere(_ offset: Int, _ count: Int, _ expected: Range<Int>) {
    #expect(bytes.rawSpan.slice(offset, count).array == Array(bytes[expected]))
  }

  @Test func copies() {
    #expect(bytes.rawSpan.array == bytes)
    #expect([UInt8]().rawSpan.array == [])
    var grown: [UInt8] = [9]
    grown.append(bytes.rawSpan)
    #expect(grown == [9] + bytes)
  }
}

@Suite struct HexTests {
  @Test func textIsLowerCaseAndTwoDigitsAByte() {
    #expect([UInt8]([0x00, 0x0f, 0xa0, 0xff]).hex == "000fa0ff")
    #expect([UInt8]().hex == "")
    #expect([UInt8]([0xde, 0xad]).rawSpan.hex == "dead")
  }

  @Test func everyByteReadsBack() {
    for byte in UInt8.min...UInt8.max { #expect(UInt8([byte].hex, radix: 16) == byte) }
  }

  @Test func digits() {
    #expect((0..<16).map { hexDigit(UInt8($0)) } == Array("0123456789abcdef".utf8))
  }
}
