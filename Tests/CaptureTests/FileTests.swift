import Foundation
import Testing

@testable import Capture

#if canImport(Glibc)
  import Glibc
#endif

/// A small capture of each format, with packets of 0 to 6 bytes.
private func samples() -> [(name: String, bytes: [UInt8], boundaries: Set<Int>)] {
  var pcap = Pcap()
  var pcapBoundaries: Set<Int> = [pcap.bytes.count]
  var pcapng = Pcapng()
  pcapng.section()
  var pcapngBoundaries: Set<Int> = [pcapng.content.count]
  pcapng.interface(name: "en0")
  pcapngBoundaries.insert(pcapng.content.count)
  for index in 0..<7 {
    pcap.packet(UInt32(index), 0, [UInt8](repeating: UInt8(index), count: index))
    pcapBoundaries.insert(pcap.bytes.count)
    pcapng.packet(UInt64(index), [UInt8](repeating: UInt8(index), count: index))
    pcapngBoundaries.insert(pcapng.content.count)
    pcapng.block(0x999) { $0.u32(7) }
    pcapngBoundaries.insert(pcapng.content.count)
  }
  return [("pcap", pcap.bytes, pcapBoundaries), ("pcapng", pcapng.content, pcapngBoundaries)]
}

@Suite struct FileTests {
  /// Cut at every byte: the packets that are whole come first, then one error unless the cut is between records.
  @Test func cutAtEveryByte() {
    for (name, bytes, boundaries) in samples() {
      let whole = read(bytes)
      #expect(whole.packets.count == 7)
      for length in 0..<bytes.count {
        let reading = read(Array(bytes[..<length]))
        #expect(reading.packets == Array(whole.packets.prefix(reading.packets.count)))
        #expect((reading.error == nil) == boundaries.contains(length), "\(name) cut at \(length)")
        if let error = reading.error {
          #expect(!error.description.contains("\n"))
          #expect(length < 12 || error.kind == .truncated, "\(name) cut at \(length): \(error)")
        }
        let pieces = readInPieces(Array(bytes[..<length]), piece: 5, bufferSize: 64)
        #expect(pieces.packets == reading.packets)
        #expect(pieces.error == reading.error)
      }
    }
  }

  @Test func cutFileSaysWhere() {
    let pcap = samples()[0].bytes
    let error = read(Array(pcap.dropLast(2))).error
    #expect(
      error?.description == "capture is cut off at byte 135, after packet 6: 20 of the next 22 bytes are there")
  }

  @Test func compressedCapturesAreTheSame() throws {
    for (name, bytes, _) in samples() {
      let whole = read(bytes).packets
      for (program, arguments) in [("gzip", ["-c"]), ("zstd", ["-c", "-q"])] {
        guard let packed = try run(program, arguments, input: Data(bytes))?.output, !packed.isEmpty else {
          skipped("no \(program) here")
          continue
        }
        #expect(read([UInt8](packed)).packets == whole, "\(name) in \(program)")
        // The same in two members or frames, the second of which begins inside the capture.
        let first = try run(program, arguments, input: Data(bytes[..<50]))?.output ?? Data()
        let second = try run(program, arguments, input: Data(bytes[50...]))?.output ?? Data()
        #expect(read([UInt8](first + second)).packets == whole, "\(name) in two of \(program)")
        #expect(readInPieces([UInt8](first + second), piece: 1, bufferSize: 64).packets == whole)
      }
    }
  }

  /// Cut at every byte of the compressed file: a prefix of the packets, then one error.
  @Test func cutCompressedAtEveryByte() throws {
    for (_, bytes, _) in samples() {
      let whole = read(bytes).packets
      for (program, arguments) in [("gzip", ["-c"]), ("zstd", ["-c", "-q"])] {
        guard let packed = try run(program, arguments, input: Data(bytes))?.output else { continue }
        for length in 0..<packed.count {
          let reading = read([UInt8](packed.prefix(length)))
          #expect(reading.error != nil, "\(program) cut at \(length)")
          #expect(reading.packets == Array(whole.prefix(reading.packets.count)))
        }
        let error = read([UInt8](packed.dropLast(1))).error
        #expect(error?.kind == .truncated)
        #expect(error?.description.contains("its \(program) data stop") == true)
      }
    }
  }

  /// Packets in front of damaged compressed data are lent.
  @Test func damagedCompressedDataEndAfterWhatCameBefore() throws {
    var file = Pcap()
    var random = SystemRandomNumberGenerator()
    for index in 0..<3_000 {
      file.packet(UInt32(index), 0, (0..<200).map { _ in UInt8.random(in: 0...255, using: &random) })
    }
    for (program, arguments) in [("gzip", ["-c"]), ("zstd", ["-c", "-q", "--check"])] {
      guard var packed = try run(program, arguments, input: Data(file.bytes))?.output else { continue }
      let middle = packed.startIndex + packed.count / 2
      for index in middle..<middle + 64 { packed[index] ^= 0x55 }
      let reading = read([UInt8](packed))
      #expect(reading.error?.kind == .damaged, "\(program)")
      #expect(reading.packets.count > 800, "\(program)")
      #expect(reading.afterwards == .end)
    }
    guard let packed = try run("gzip", ["-c"], input: Data(samples()[0].bytes))?.output else { return }
    #expect(read([UInt8](packed) + [0, 0, 0, 0]).error == nil)
    let garbage = read([UInt8](packed) + Array("garbage".utf8))
    #expect(garbage.packets.count == 7)
    #expect(garbage.error?.kind == .damaged)
  }

  /// Inputs that a fuzzer found: a small buffer lost what zlib or zstd still held when the input ended or broke.
  @Test(arguments: [
    ("H4sIAAAAAAACA7tyeNNCJgYY+P+fgYERxPgYnPQJxKIKoA==", 4),
    (
      "KLUv/QRY3QIA4kQRHrAnrQG4ZQBPCRw5HAyjwF1jt4B7Gg5DJ6KwjGQpU4RLR93A0lGGFAnES0OzOFSA2HUMMB/4UDn7E3w66u21Jo/ReEQCBwCCKCBTgxAZukqd0uCdAy+IAyAUABk=",
      3
    ),
  ])
  func whatTheDecompressorHoldsIsLent(packed: String, packets: Int) throws {
    let bytes = try [UInt8](#require(Data(base64Encoded: packed)))
    let whole = read(bytes)
    #expect(whole.packets.count == packets)
    #expect(whole.error != nil)
    for piece in [1, 7, 110] {
      let pieces = readInPieces(bytes, piece: piece, bufferSize: 64)
      #expect(pieces.packets == whole.packets)
      #expect(pieces.error?.kind == whole.error?.kind)
    }
  }

  @Test func whatIsNoCaptureIsNamed() throws {
    try withFolder { folder in
      func error(_ bytes: [UInt8]) throws -> CaptureError? {
        let path = folder.appending(path: "file")
        try Data(bytes).write(to: path)
        let error = read(path: path.path).error
        #expect(error?.description.contains("\n") == false)
        return error
      }
      #expect(try error([])?.description.hasSuffix("is empty: no capture in it") == true)
      #expect(try error([1, 2])?.kind == .unknownFormat)
      #expect(try error(Array("hello, world, this is a text".utf8))?.kind == .unknownFormat)
      #expect(try error([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0])?.description.contains("xz -dc") == true)
      #expect(try error(Array("snoop\0\0\0".utf8))?.description.contains("editcap") == true)
      #expect(read(path: folder.path).error?.description.contains("is a directory") == true)
      #expect(read(path: folder.appending(path: "none.pcap").path).error?.kind == .notFound)
      #expect(try error(Pcap(version: (7, 7)).bytes)?.kind == .unsupported)
      let locked = folder.appending(path: "locked.pcap")
      try Data(samples()[0].bytes).write(to: locked)
      try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: locked.path)
      if geteuid() == 0 {
        skipped("root may read everything: a file without rights")
      } else {
        #expect(read(path: locked.path).error?.kind == .noRights)
      }
    }
  }

  @Test func namedPipe() throws {
    try withFolder { folder in
      let bytes = samples()[1].bytes
      let path = folder.appending(path: "pipe").path
      guard unsafe mkfifo(path, 0o600) == 0 else {
        Issue.record("no FIFO can be made")
        return
      }
      // The writer is slow: the reader says `.idle` in between, and lends what is there.
      let writer = Thread {
        guard let handle = FileHandle(forWritingAtPath: path) else { return }
        for start in stride(from: 0, to: bytes.count, by: 100) {
          try? handle.write(contentsOf: Data(bytes[start..<min(start + 100, bytes.count)]))
          Thread.sleep(forTimeInterval: 0.15)
        }
        try? handle.close()
      }
      writer.start()
      var source = try CaptureFile.open(path: path)
      #expect(source.length == nil)
      var batch = PacketBatch()
      var idle = 0
      var packets = 0
      reading: while true {
        switch try source.next(&batch) {
        case .packets: packets += batch.count
        case .idle: idle += 1
        case .end: break reading
        }
      }
      #expect(packets == 7)
      #expect(idle > 0)
    }
  }

  /// Memory stays the same for a file of 64 MB: only the buffer and one batch are held.
  @Test func memoryDoesNotGrowWithTheFile() throws {
    try withFolder { folder in
      var file = Pcap()
      for index in 0..<1_000 { file.packet(UInt32(index), 0, [UInt8](repeating: 1, count: 1_400)) }
      let path = folder.appending(path: "large.pcap")
      let handle = try #require(
        FileManager.default.createFile(atPath: path.path, contents: Data(file.bytes))
          ? FileHandle(forWritingTo: path) : nil)
      try handle.seekToEnd()
      let records = Data(file.bytes.dropFirst(24))
      for _ in 0..<45 { try handle.write(contentsOf: records) }
      try handle.close()
      var source = try CaptureFile.open(path: path.path)
      var batch = PacketBatch()
      var packets = 0
      while try source.next(&batch) == .packets { packets += batch.count }
      #expect(packets == 46_000)
      #expect(source.buffer.capacity == CaptureFile.bufferSize)
      #expect(source.bytesRead == source.length)
    }
  }
}

@Suite struct StandardInputTests {
  /// In processes of their own, whose standard input is a pipe.
  @Test func plainPcap() async {
    await #expect(processExitsWith: .success) {
      var file = Pcap()
      for index in 0..<100 { file.packet(UInt32(index), 0, [1, 2, 3]) }
      exit(try fromStandardInput(file.bytes) == 100 ? 0 : 1)
    }
  }

  @Test func compressedPcapng() async {
    await #expect(processExitsWith: .success) {
      var file = Pcapng()
      file.section()
      file.interface()
      for index in 0..<100 { file.packet(UInt64(index), [1, 2, 3]) }
      guard let packed = try run("gzip", ["-c"], input: Data(file.content)) else { exit(0) }
      exit(try fromStandardInput([UInt8](packed.output)) == 100 ? 0 : 1)
    }
  }
}

/// Puts bytes into a pipe that becomes standard input, and counts the packets that come out of it.
private func fromStandardInput(_ bytes: [UInt8]) throws -> Int {
  let pipe = Pipe()
  guard dup2(pipe.fileHandleForReading.fileDescriptor, STDIN_FILENO) == 0 else { return -1 }
  Thread {
    try? pipe.fileHandleForWriting.write(contentsOf: Data(bytes))
    try? pipe.fileHandleForWriting.close()
  }.start()
  let reading = read(path: "-")
  return reading.error == nil ? reading.packets.count : -1
}
