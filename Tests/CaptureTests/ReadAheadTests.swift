import Foundation
import Synchronization
import Testing

@testable import Capture

#if canImport(Glibc)
  import Glibc
#endif

/// Bytes that count up, for ever or to a length, and then a fault or the end; and how many were asked for.
private final class CountingInput: ByteInput {
  let consumed: UInt64 = 0
  let length: UInt64? = 1
  private let left: Mutex<Int>
  private let fault: InputFault?
  let given: Tally

  init(_ count: Int = .max, fault: InputFault? = nil, given: Tally = Tally()) {
    left = Mutex(count)
    self.fault = fault
    self.given = given
  }

  deinit { given.isReleased.store(true, ordering: .releasing) }

  func read(into room: UnsafeMutableRawBufferPointer) throws(InputFault) -> Delivery {
    let (before, count) = left.withLock { left in
      let count = min(room.count, left, 50_000)
      defer { left -= count }
      return (given.bytes.load(ordering: .relaxed), count)
    }
    guard count > 0 else {
      if let fault { throw fault }
      return .end
    }
    for place in 0..<count { unsafe room[place] = UInt8(truncatingIfNeeded: (before &+ place) % 251) }
    given.bytes.add(count, ordering: .relaxed)
    return .bytes(count)
  }
}

private final class Tally: Sendable {
  let bytes = Atomic(0)
  let isReleased = Atomic(false)
}

/// Everything that an input gives, in reads of a size, and what it ends with.
private func exhaust(_ input: any ByteInput, room size: Int) -> (bytes: [UInt8], fault: InputFault?) {
  var bytes: [UInt8] = []
  let room = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
  defer { unsafe room.deallocate() }
  do throws(InputFault) {
    while true {
      switch try unsafe input.read(into: room) {
      case .bytes(let count): unsafe bytes.append(contentsOf: room[..<count])
      case .nothingYet: continue
      case .end: return (bytes, nil)
      }
    }
  } catch {
    return (bytes, error)
  }
}

/// Whether something becomes true within ten seconds.
private func comesTrue(_ condition: () -> Bool) -> Bool {
  for _ in 0..<1_000 {
    if condition() { return true }
    Thread.sleep(forTimeInterval: 0.01)
  }
  return condition()
}

@Suite struct ReadAheadTests {
  @Test(arguments: [1, ReadAhead.bufferSize, 3_000_001], [7_001, ReadAhead.bufferSize, 1 << 20])
  func bytesFaultAndEndKeepTheirOrder(length: Int, room: Int) {
    let whole = (0..<length).map { UInt8($0 % 251) }
    let ended = ReadAhead(CountingInput(length))
    #expect(exhaust(ended, room: room).bytes == whole)
    #expect(exhaust(ended, room: room).bytes.isEmpty)
    let broken = ReadAhead(CountingInput(length, fault: .system(5)))
    let reading = exhaust(broken, room: room)
    #expect(reading.bytes == whole && reading.fault == .system(5))
    #expect(exhaust(broken, room: room).fault == .system(5))
  }

  @Test func anEmptyInputEnds() {
    #expect(exhaust(ReadAhead(CountingInput(0)), room: 100) == ([], nil))
    #expect(exhaust(ReadAhead(CountingInput(0, fault: .system(5))), room: 100) == ([], .system(5)))
  }

  /// Nobody reads: the thread fills its buffers and no more.
  @Test func readsAheadAsFarAsItsBuffersHold() {
    let tally = Tally()
    let cap = ReadAhead.maximumBuffers * ReadAhead.bufferSize
    let input = ReadAhead(CountingInput(given: tally))
    #expect(comesTrue { tally.bytes.load(ordering: .relaxed) >= cap / 2 })
    Thread.sleep(forTimeInterval: 0.2)
    #expect(tally.bytes.load(ordering: .relaxed) <= cap)
    withExtendedLifetime(input) {}
  }

  /// The thread ends with its reader, whether it waits for a free buffer or is in the middle of one.
  @Test(arguments: [0, 1, 1 << 20])
  func endsWhenTheReaderIsLetGoOf(read count: Int) {
    let tally = Tally()
    do {
      let input = ReadAhead(CountingInput(given: tally))
      let room = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 16)
      defer { unsafe room.deallocate() }
      if count > 0 { _ = try? unsafe input.read(into: room) }
    }
    #expect(comesTrue { tally.isReleased.load(ordering: .acquiring) })
  }

  /// A pipe that stays silent holds nobody up, and is closed by the thread that waits for it.
  @Test func aSilentPipeIsLetGoOf() throws {
    let pipe = Pipe()
    let descriptor = dup(pipe.fileHandleForReading.fileDescriptor)
    let started = ContinuousClock.now
    do {
      let input = ReadAhead(
        GzipInput(DescriptorInput(descriptor: descriptor, owns: true, regularLength: nil)))
      let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 10, alignment: 16)
      defer { unsafe room.deallocate() }
      guard case .nothingYet = try unsafe input.read(into: room) else {
        Issue.record("bytes out of a pipe that nobody wrote to")
        return
      }
    }
    #expect(ContinuousClock.now - started < .seconds(5))
    // SIGPIPE is what the writer would get; a closed reader shows as an error in poll.
    try pipe.fileHandleForReading.close()
    var writer = pollfd(fd: pipe.fileHandleForWriting.fileDescriptor, events: Int16(POLLOUT), revents: 0)
    #expect(comesTrue { unsafe poll(&writer, 1, 0) >= 0 && writer.revents & Int16(POLLERR) != 0 })
  }

  /// Damage, cuts and bytes behind the end: what comes before them, and what is said of them, are the decompressor's own.
  @Test(arguments: [("gzip", ["-c", "-1"]), ("zstd", ["-c", "-q", "--check"])])
  func damageIsToldAsTheDecompressorTellsIt(program: String, arguments: [String]) throws {
    var random = SeededBytes(state: 20)
    // Four times what all buffers hold, half of it compressible.
    let plain = (0..<4_000_000).map { $0 % 2 == 0 ? UInt8(truncatingIfNeeded: $0 >> 8) : random.next() }
    guard let packed = try run(program, arguments, input: Data(plain))?.output, !packed.isEmpty else {
      return skipped("no \(program) here")
    }
    let whole = [UInt8](packed)
    var flipped = whole
    for place in whole.count / 2..<whole.count / 2 + 64 { flipped[place] ^= 0x55 }
    for bytes in [whole, flipped, Array(whole[..<(whole.count / 2)]), whole + Array("garbage".utf8), []] {
      func unpacked() -> any ByteInput {
        program == "gzip" ? GzipInput(MemoryInput(bytes)) : ZstdInput(MemoryInput(bytes))
      }
      let direct = exhaust(unpacked(), room: ReadAhead.bufferSize)
      let ahead = exhaust(ReadAhead(unpacked()), room: CaptureFile.bufferSize - 100)
      #expect(ahead.bytes == direct.bytes && ahead.fault == direct.fault)
      #expect((direct.fault == nil) == (bytes == whole || program == "zstd" && bytes.isEmpty))
    }
  }

  /// What a slow writer has compressed so far is lent before it writes more.
  @Test func packetsOfASlowPipeComeAtOnce() throws {
    var file = Pcap()
    for index in 0..<5 { file.packet(UInt32(index), 0, [1, 2, 3]) }
    let rest = Array(file.bytes.dropFirst(24))
    guard let first = try run("gzip", ["-c"], input: Data(file.bytes))?.output,
      let second = try run("gzip", ["-c"], input: Data(rest))?.output
    else { return skipped("no gzip here") }
    try withFolder { folder in
      let path = folder.appending(path: "pipe").path
      guard unsafe mkfifo(path, 0o600) == 0 else {
        Issue.record("no FIFO can be made")
        return
      }
      let mayGoOn = DispatchSemaphore(value: 0)
      Thread {
        guard let handle = FileHandle(forWritingAtPath: path) else { return }
        try? handle.write(contentsOf: first)
        mayGoOn.wait()
        try? handle.write(contentsOf: second)
        try? handle.close()
      }.start()
      var source = try CaptureFile.open(path: path)
      var batch = PacketBatch()
      var packets = 0
      var idle = 0
      reading: while true {
        switch try source.next(&batch) {
        case .packets: packets += batch.count
        case .idle:
          idle += 1
          if idle == 2 {
            #expect(packets == 5)
            mayGoOn.signal()
          }
        case .end: break reading
        }
      }
      #expect(packets == 10 && idle >= 2)
    }
  }

  /// Captures that are opened and let go of early: packets that were lent, and no error, however many came before.
  @Test func manyCapturesLetGoOfEarly() throws {
    var file = Pcap()
    var random = SeededBytes(state: 4)
    for index in 0..<20_000 { file.packet(UInt32(index), 0, (0..<100).map { _ in random.next() }) }
    guard let packed = try run("gzip", ["-c", "-1"], input: Data(file.bytes))?.output else {
      return skipped("no gzip here")
    }
    try withFolder { folder in
      let path = folder.appending(path: "capture.pcap.gz")
      try packed.write(to: path)
      for round in 0..<300 {
        var source = try CaptureFile.open(path: path.path)
        var batch = PacketBatch()
        for _ in 0..<round % 3 { #expect(try source.next(&batch) == .packets) }
      }
    }
  }

  /// Each of many open captures has a thread, so that none waits for another to be read.
  @Test func manyCapturesAreOpenAtATime() {
    let length = 2 * ReadAhead.maximumBuffers * ReadAhead.bufferSize
    let inputs = (0..<100).map { _ in ReadAhead(CountingInput(length)) }
    for input in inputs.reversed() { #expect(exhaust(input, room: 1 << 20).bytes.count == length) }
  }
}

/// xorshift64*: the same bytes in every run.
private struct SeededBytes {
  var state: UInt64

  mutating func next() -> UInt8 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return UInt8(truncatingIfNeeded: (state &* 2_685_821_657_736_338_717) >> 56)
  }
}
