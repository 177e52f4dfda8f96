import Bytes
import TestSupport
import Testing

@testable import Flows

/// Feeds a segment and appends what comes next to `out`.
private func feed(_ stream: inout StreamReassembler, _ sequence: UInt32, _ bytes: [UInt8], _ out: inout [UInt8]) {
  switch stream.admit(sequence: sequence, length: bytes.count) {
  case .old: break
  case .next(let offset, let count):
    out += bytes[offset..<offset + count]
    while let held = stream.takeHeld() { out += held }
  case .early:
    // Safe: every byte of an array of UInt8 is initialised.
    _ = stream.hold(sequence: sequence, unsafe bytes.span.bytes)
  }
}

@Suite struct StreamReassemblerTests {
  /// Any order, repetition and overlap of segments gives the same stream, also across the wrap of sequence numbers.
  @Test(arguments: 0..<60)
  func anyOrderGivesTheStream(seed: Int) {
    var random = SeededRandom(UInt64(seed))
    let start: UInt32 = seed % 2 == 0 ? 0xffff_ff00 : UInt32.random(in: 0 ... .max, using: &random)
    let data = (0..<2000).map { _ in UInt8.random(in: 0...255, using: &random) }
    var pieces: [(Int, Int)] = []
    var at = 0
    while at < data.count {
      let length = min(Int.random(in: 1...120, using: &random), data.count - at)
      pieces.append((at, length))
      at += length
    }
    for _ in 0..<30 {
      let from = Int.random(in: 0..<data.count, using: &random)
      pieces.append((from, min(Int.random(in: 1...300, using: &random), data.count - from)))
    }
    pieces.shuffle(using: &random)
    var stream = StreamReassembler(start: start)
    var out: [UInt8] = []
    for (from, length) in pieces {
      feed(&stream, start &+ UInt32(from), Array(data[from..<from + length]), &out)
    }
    #expect(out == data)
    #expect(stream.heldBytes == 0)
    #expect(!stream.hasConflict)
  }

  @Test func theFirstBytesCountAndADisagreementIsRemembered() {
    var stream = StreamReassembler(start: 0)
    var out: [UInt8] = []
    feed(&stream, 4, Array("EFGH".utf8), &out)
    feed(&stream, 2, Array("cdXX".utf8), &out)
    feed(&stream, 0, Array("ab".utf8), &out)
    #expect(String(decoding: out, as: UTF8.self) == "abcdEFGH")
    #expect(stream.hasConflict)
  }

  @Test func aStreamWithoutItsStartBeginsWhereItIsHeard() {
    var stream = StreamReassembler(start: nil)
    var out: [UInt8] = []
    feed(&stream, 500, [1, 2], &out)
    feed(&stream, 499, [9, 9], &out)
    feed(&stream, 502, [3], &out)
    #expect(out == [1, 2, 3])
  }

  @Test func theCapsHoldAndTheGapCanBeSkipped() {
    var stream = StreamReassembler(start: 0)
    let piece = [UInt8](repeating: 7, count: 1000)
    var held = 0
    for i in 0..<1000 {
      let sequence = UInt32(10 + i * 1001)
      #expect(stream.admit(sequence: sequence, length: piece.count) == .early)
      // Safe: every byte of an array of UInt8 is initialised.
      if sequence < StreamReassembler.maximumAhead, stream.hold(sequence: sequence, unsafe piece.span.bytes) {
        held += 1
      }
    }
    #expect(stream.heldBytes == held * 1000)
    #expect(stream.heldBytes <= StreamReassembler.maximumHeldBytes)
    #expect(stream.skipGap() == 10)
    #expect(stream.takeHeld()?.count == 1000)
    #expect(stream.takeHeld() == nil)
  }

  @Test func aSegmentFarAheadIsLetGo() {
    var stream = StreamReassembler(start: 0)
    // Safe: every byte of an array of UInt8 is initialised.
    #expect(stream.hold(sequence: UInt32(StreamReassembler.maximumAhead), unsafe [UInt8(1)].span.bytes))
    #expect(stream.heldBytes == 0)
  }
}
