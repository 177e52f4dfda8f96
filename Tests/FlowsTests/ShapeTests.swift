import Bytes
import Decode
import TestSupport
import Testing

@testable import Flows

@Suite struct ShapeMeterTests {
  @Test func everySizeFallsIntoTheBinThatItsBoundsSay() {
    for size in 1...2000 {
      let expected = ShapeMeter.sizeBounds.firstIndex { size < $0 } ?? ShapeMeter.sizeBounds.count
      #expect(ShapeMeter.bin(size: Int32(size)) == expected, "size \(size)")
    }
  }

  @Test func everyGapFallsIntoTheBinThatItsBoundsSay() {
    for bound in ShapeMeter.gapBounds {
      for gap in [bound - 1, bound, bound + 1] {
        let expected = ShapeMeter.gapBounds.firstIndex { gap < $0 } ?? ShapeMeter.gapBounds.count
        #expect(ShapeMeter.bin(gap: gap) == expected, "gap \(gap)")
      }
    }
  }

  @Test func reversingTurnsEveryDirection() {
    var meter = ShapeMeter()
    meter.count(size: 100, gap: nil, isToServer: true)
    meter.count(size: 1400, gap: 5_000_000, isToServer: false)
    meter.reverse()
    #expect(meter.sizes[0] == -100 && meter.sizes[1] == 1400)
    #expect(meter.gaps[1] == 5000)
    #expect(meter.sizeBins[8 + 1] == 1 && meter.sizeBins[6] == 1)
    #expect(meter.gapBins[1] == 1)
  }
}

@Suite struct RecordMeterTests {
  /// TLS records of given lengths as a byte stream; the contents are random.
  private func stream(_ lengths: [Int], _ random: inout SeededRandom) -> [UInt8] {
    lengths.flatMap { length in
      [23, 3, 3, UInt8(length >> 8), UInt8(length & 255)]
        + (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
    }
  }

  private func touch(_ sequence: UInt32, _ length: Int) -> FlowTouch {
    var touch = FlowTouch()
    touch.sequence = sequence
    touch.payloadLength = Int32(length)
    touch.payloadCaptured = Int32(length)
    touch.isToServer = true
    touch.key.isFromA = true
    return touch
  }

  private func record() -> FlowRecord {
    var record = FlowRecord()
    record.recordBudget = UInt8(ShapeMeter.firstRecords)
    return record
  }

  private func feed(_ record: inout FlowRecord, _ bytes: ArraySlice<UInt8>, _ sequence: UInt32) {
    // Safe: every byte of an array of UInt8 is initialised.
    record.meterRecords(unsafe Array(bytes).span.bytes, touch(sequence, bytes.count))
  }

  /// However the stream is cut into segments, the lengths are the same.
  @Test(arguments: 0..<40)
  func segmentationDoesNotMatter(seed: Int) {
    var random = SeededRandom(UInt64(seed))
    let lengths = (0..<12).map { _ in Int.random(in: 1...3000, using: &random) }
    let bytes = stream(lengths, &random)
    var record = record()
    var at = 0
    while at < bytes.count {
      let length = min(Int.random(in: seed % 3 == 0 ? 1...4 : 1...1460, using: &random), bytes.count - at)
      feed(&record, bytes[at..<at + length], 0xffff_f000 &+ UInt32(at))
      if Int.random(in: 0..<4, using: &random) == 0 {
        feed(&record, bytes[at..<at + length], 0xffff_f000 &+ UInt32(at))
      }
      at += length
    }
    #expect((0..<Int(record.shape.recordCount)).map { Int(record.shape.records[$0]) } == lengths)
  }

  @Test func aLossIsSkippedToTheNextRecordHeader() {
    var random = SeededRandom(5)
    let first = stream([100], &random)
    let lost = stream([200], &random)
    let next = stream([26], &random)
    var record = record()
    feed(&record, first[...], 0)
    feed(&record, next[...], UInt32(first.count + lost.count))
    #expect(record.shape.recordCount == 2)
    #expect(record.shape.records[0] == 100 && record.shape.records[1] == 26)
  }

  @Test func payloadThatIsNoTLSEndsTheSearch() {
    var record = record()
    for i in 0..<8 { feed(&record, Array("GET / HTTP/1.1\r\n".utf8)[...], UInt32(i * 16)) }
    #expect(record.recordBudget == 0 && record.shape.recordCount == 0)
  }
}
