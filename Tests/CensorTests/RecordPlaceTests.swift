import Bytes
import TestSupport
import Testing

@testable import Censor

@Suite("Records in segments")
struct RecordPlaceTests {
  /// A stream of TLS records, made up, and where each begins.
  struct Stream {
    var bytes: [UInt8] = []
    var records: [(offset: Int, type: UInt8, length: Int)] = []

    /// What records hold is 0xff, which begins no record.
    init(_ count: Int, _ random: inout SeededRandom) {
      for _ in 0..<count {
        let type = [20, 21, 22, 23, 23, 23, 23].randomElement(using: &random) ?? 23
        let most = Bool.random(using: &random) ? 40 : 2000
        let length = Int.random(in: 1...most, using: &random)
        records.append((bytes.count, UInt8(type), length))
        bytes += [UInt8(type), 3, 3] + PacketBuilder.u16(length) + [UInt8](repeating: 0xff, count: length)
      }
    }

    /// Whether a place cuts a record's header.
    func cutsHeader(_ place: Int) -> Bool { records.contains { place > $0.offset && place < $0.offset + 5 } }

    /// Segments: their first places and the one behind each.
    func segments(cuttingHeaders: Bool, _ random: inout SeededRandom) -> [Range<Int>] {
      var places: Set<Int> = [0, bytes.count]
      for _ in 0..<(bytes.count / 300) { places.insert(Int.random(in: 0...bytes.count, using: &random)) }
      // As most senders do it, some segments begin with records.
      for record in records where Bool.random(using: &random) { places.insert(record.offset) }
      let sorted = places.filter { cuttingHeaders || !cutsHeader($0) }.sorted()
      return zip(sorted, sorted.dropFirst()).map { $0..<$1 }
    }

    /// The first record of application data that begins in a segment, by going through all of them.
    func first(in segment: Range<Int>) -> (offset: Int, type: UInt8, length: Int)? {
      records.first { $0.type == 23 && segment.contains($0.offset) }
    }
  }

  private func follow(
    _ place: inout RecordPlace, _ stream: Stream, _ segment: Range<Int>, _ start: UInt32
  ) -> RecordPlace.Found {
    let bytes = Array(stream.bytes[segment])
    return place.follow(
      unsafe bytes.span.bytes, sequence: start &+ UInt32(truncatingIfNeeded: segment.lowerBound), length: bytes.count)
  }

  @Test("Of whatever segments, the first record of data that begins in each is found, as a naive parser finds it")
  func agreesWithNaive() {
    var random = SeededRandom(1)
    var (found, leading) = (0, 0)
    for _ in 0..<400 {
      let stream = Stream(Int.random(in: 1...30, using: &random), &random)
      // Sequence numbers may wrap.
      let start = Bool.random(using: &random) ? UInt32.max - 2_000 : UInt32.random(in: 0...(.max), using: &random)
      var place = RecordPlace()
      for segment in stream.segments(cuttingHeaders: false, &random) {
        let seen = follow(&place, stream, segment, start)
        let expected = stream.first(in: segment)
        #expect(Int(seen.record) == expected?.length ?? 0)
        #expect(seen.isLeading == (expected?.offset == segment.lowerBound))
        #expect(!seen.isCopy)
        if seen.record > 0 { found += 1 }
        if seen.isLeading { leading += 1 }
      }
    }
    #expect(found > 2_000 && leading > 1_000, "the streams hold something")
  }

  @Test("Where segments cut headers, nothing is found that is not there, and records at segments' beginnings are")
  func cutHeaders() {
    var random = SeededRandom(2)
    for _ in 0..<400 {
      let stream = Stream(Int.random(in: 1...30, using: &random), &random)
      var place = RecordPlace()
      for segment in stream.segments(cuttingHeaders: true, &random) {
        let seen = follow(&place, stream, segment, 7)
        if seen.record > 0 {
          let real = stream.records.filter { $0.type == 23 && segment.contains($0.offset) }
          #expect(real.contains { $0.length == Int(seen.record) })
        }
        if let first = stream.first(in: segment), first.offset == segment.lowerBound, segment.count >= 5 {
          #expect(Int(seen.record) == first.length)
          #expect(seen.isLeading)
        }
      }
    }
  }

  @Test("Copies are told, with the record they begin with, and change nothing of what follows")
  func copies() {
    var random = SeededRandom(3)
    for _ in 0..<300 {
      let stream = Stream(Int.random(in: 2...20, using: &random), &random)
      var place = RecordPlace()
      var sent: [Range<Int>] = []
      for segment in stream.segments(cuttingHeaders: false, &random) {
        while let again = sent.randomElement(using: &random), Int.random(in: 0...2, using: &random) == 0 {
          let seen = follow(&place, stream, again, 99)
          #expect(seen.isCopy)
          let expected = stream.records.first { $0.offset == again.lowerBound && $0.type == 23 }
          #expect(Int(seen.record) == expected?.length ?? 0)
        }
        // What overlaps with what was seen counts from where it is new.
        let back = sent.isEmpty ? 0 : Int.random(in: 0...min(10, segment.lowerBound), using: &random)
        let seen = follow(&place, stream, segment.lowerBound - back..<segment.upperBound, 99)
        #expect(!seen.isCopy)
        #expect(Int(seen.record) == stream.first(in: segment)?.length ?? 0)
        sent.append(segment)
      }
    }
  }

  @Test("Behind a gap records are found again where a segment begins with one, and none that is not there before")
  func gaps() {
    var random = SeededRandom(4)
    var resumed = 0
    for _ in 0..<400 {
      let stream = Stream(Int.random(in: 5...30, using: &random), &random)
      var place = RecordPlace()
      var isInStep = true
      for (at, segment) in stream.segments(cuttingHeaders: false, &random).enumerated() {
        if at > 0, Int.random(in: 0...4, using: &random) == 0 {
          isInStep = false
          continue
        }
        let seen = follow(&place, stream, segment, 1)
        let begins = stream.records.contains { $0.offset == segment.lowerBound }
        if begins {
          if !isInStep { resumed += 1 }
          isInStep = true
        }
        let expected = isInStep ? stream.first(in: segment) : nil
        #expect(Int(seen.record) == expected?.length ?? 0)
      }
    }
    #expect(resumed > 200)
  }

  @Test("Segments of which only the beginning was captured keep the place")
  func snapped() {
    let record: [UInt8] = [23, 3, 3] + PacketBuilder.u16(1000) + [UInt8](repeating: 0xff, count: 1000)
    let next: [UInt8] = [23, 3, 3] + PacketBuilder.u16(50) + [UInt8](repeating: 0xff, count: 50)
    var place = RecordPlace()
    let head = Array(record.prefix(60))
    #expect(place.follow(unsafe head.span.bytes, sequence: 1, length: 1005).record == 1000)
    let seen = place.follow(unsafe next.span.bytes, sequence: 1006, length: 55)
    #expect(seen.record == 50)
    #expect(seen.isLeading)
  }

  @Test("Whatever bytes, sequence numbers and lengths come, it ends")
  func hostile() {
    var random = SeededRandom(5)
    var place = RecordPlace()
    for _ in 0..<20_000 {
      var bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      if Bool.random(using: &random) { bytes = [23, 3, 3, 0, UInt8.random(in: 0...30, using: &random)] + bytes }
      let length = Bool.random(using: &random) ? bytes.count : Int.random(in: bytes.count...70_000, using: &random)
      let seen = place.follow(
        unsafe bytes.span.bytes, sequence: UInt32.random(in: 0...(.max), using: &random), length: length)
      #expect(seen.record <= 16_384 + 2_048)
    }
  }
}
