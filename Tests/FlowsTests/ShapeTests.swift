import Bytes
import Decode
import TestSupport
import Testing

@testable import Flows

@Suite struct ShapeMeterTests {
  @Test func everySizeFallsIntoTheBinThatItsBoundsSay() {
    for size in 1...2000 {
      let expected = ShapeMeter.sizeBounds.firstIndex { size < $0 } ?? ShapeMeter.sizeBounds.count
      #expect(ShapeBins.bin(size: Int32(size)) == expected, "size \(size)")
    }
  }

  @Test func everyGapFallsIntoTheBinThatItsBoundsSay() {
    for bound in ShapeMeter.gapBounds {
      for gap in [bound - 1, bound, bound + 1] {
        let expected = ShapeMeter.gapBounds.firstIndex { gap < $0 } ?? ShapeMeter.gapBounds.count
        #expect(ShapeBins.bin(gap: gap) == expected, "gap \(gap)")
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

@Suite struct ShapeInTheTableTests {
  /// The parts that lie apart in the table, against one meter that counts all.
  @Test(arguments: 0..<30)
  func partsAddUpToTheWhole(seed: Int) {
    var random = SeededRandom(UInt64(seed))
    var table = FlowTable(maximumFlows: 100, seed: 1)
    var meter = ShapeMeter()
    var time: Int64 = 1_000_000_000
    var last: Int64?
    var record: UInt32 = 0
    for _ in 0..<Int.random(in: 1...40, using: &random) {
      time += Int64.random(in: 0...(seed % 2 == 0 ? 2_000_000 : 50_000_000_000), using: &random)
      let isFromA = Bool.random(using: &random)
      var headers = Headers()
      headers.source = IPAddress(v4: isFromA ? 1 : 2)
      headers.destination = IPAddress(v4: isFromA ? 2 : 1)
      headers.sourcePort = isFromA ? 1000 : 7000
      headers.destinationPort = isFromA ? 7000 : 1000
      headers.transport = .tcp
      headers.tcpFlags = last == nil ? (isFromA ? .syn : [.syn, .ack]) : .ack
      headers.payloadLength = Int32.random(in: 1...40_000, using: &random)
      var batch = FlowBatch()
      batch.append(headers, timestamp: time, wire: 60, base: 0, seed: 1)
      _ = table.apply(&batch)
      record = batch.items[0].record
      meter.count(
        size: headers.payloadLength, gap: last.map { UInt64(time - $0) }, isToServer: batch.items[0].isToServer)
      last = time
    }
    let shape = table.shape(of: record)
    #expect(shape.packetCount == meter.packetCount)
    for i in 0..<16 {
      #expect(shape.sizes[i] == meter.sizes[i] && shape.gaps[i] == meter.gaps[i])
      #expect(shape.sizeBins[i] == meter.sizeBins[i])
    }
    for i in 0..<8 { #expect(shape.gapBins[i] == meter.gapBins[i]) }
  }
}

@Suite struct StreamMeterTests {
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

  private func feed(_ meter: inout StreamMeter, _ bytes: ArraySlice<UInt8>, _ sequence: UInt32) {
    // Safe: every byte of an array of UInt8 is initialised.
    meter.meter(unsafe Array(bytes).span.bytes, touch(sequence, bytes.count))
  }

  /// However the stream is cut into segments, the lengths are the same.
  @Test(arguments: 0..<40)
  func segmentationDoesNotMatter(seed: Int) {
    var random = SeededRandom(UInt64(seed))
    let lengths = (0..<12).map { _ in Int.random(in: 1...3000, using: &random) }
    let bytes = stream(lengths, &random)
    var meter = StreamMeter()
    var at = 0
    while at < bytes.count {
      let length = min(Int.random(in: seed % 3 == 0 ? 1...4 : 1...1460, using: &random), bytes.count - at)
      feed(&meter, bytes[at..<at + length], 0xffff_f000 &+ UInt32(at))
      if Int.random(in: 0..<4, using: &random) == 0 {
        feed(&meter, bytes[at..<at + length], 0xffff_f000 &+ UInt32(at))
      }
      at += length
    }
    #expect((0..<Int(meter.count)).map { Int(meter.records[$0]) } == lengths)
  }

  @Test func aLossIsSkippedToTheNextRecordHeader() {
    var random = SeededRandom(5)
    let first = stream([100], &random)
    let lost = stream([200], &random)
    let next = stream([26], &random)
    var meter = StreamMeter()
    feed(&meter, first[...], 0)
    feed(&meter, next[...], UInt32(first.count + lost.count))
    #expect(meter.count == 2)
    #expect(meter.records[0] == 100 && meter.records[1] == 26)
  }

  @Test func payloadThatIsNoTLSEndsTheSearch() {
    var meter = StreamMeter()
    for i in 0..<8 { feed(&meter, Array("GET / HTTP/1.1\r\n".utf8)[...], UInt32(i * 16)) }
    #expect(meter.budget == 0 && meter.count == 0)
  }
}
