import Capture
import TestSupport
import Testing

/// What the fuzzer starts from and what it found, read again as in FuzzCaptureFile.swift.
@Suite struct SeedTests {
  private struct Outcome: Equatable {
    var packets: [Seen]
    var kind: CaptureError.Kind?
  }

  @Test func howASeedIsReadDoesNotDependOnTheBuffer() throws {
    let seeds = try FuzzSeeds.all(of: "CaptureFile")
    #expect(seeds.count >= 12)
    for (name, input) in seeds {
      guard let first = input.first else { continue }
      let file = Array(input.dropFirst())
      let whole = read(file)
      for piece in [1, 7, Int(first & 0x7F)] {
        let pieces = readInPieces(file, piece: piece, bufferSize: 64)
        // How much of a damaged block zstd gives away depends on how it is fed; damage stays damage.
        if file.starts(with: [0x28, 0xB5, 0x2F, 0xFD]), whole.error != nil, pieces.error != nil { continue }
        #expect(
          Outcome(packets: whole.packets, kind: whole.error?.kind)
            == Outcome(packets: pieces.packets, kind: pieces.error?.kind), "\(name) in pieces of \(piece)")
        #expect(pieces.afterwards == .end || pieces.error != nil, "\(name): an error is told once")
      }
    }
  }

  @Test func aCutSeedGivesTheBeginningOfItsPackets() throws {
    // Of a block with damage at its end zstd gives nothing, of one that is cut before it gives the beginning.
    for (name, input) in try FuzzSeeds.all(of: "CaptureFile") where input.count < 4096 {
      let file = Array(input.dropFirst())
      let whole = read(file)
      for end in 0..<file.count {
        let cut = read(Array(file[..<end]))
        if file.starts(with: [0x28, 0xB5, 0x2F, 0xFD]), whole.error != nil { continue }
        #expect(cut.packets == Array(whole.packets.prefix(cut.packets.count)), "\(name) cut at \(end)")
        #expect(cut.error?.description.contains("\n") != true, "\(name) cut at \(end): an error is one line")
      }
    }
  }
}
