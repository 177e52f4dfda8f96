import Bytes
import TestSupport
import Testing

@testable import Protocols

/// STUN over TCP: frames of each kind, cut anywhere.
@Suite struct STUNStreamTests {
  static func frames(_ stream: [UInt8], chunk: Int) -> (frames: [[UInt8]], isGood: Bool, kept: Int) {
    var reader = STUNStream()
    var frames: [[UInt8]] = []
    var isGood = true
    for start in stride(from: 0, to: stream.count, by: chunk) where isGood {
      let part = Array(stream[start..<min(start + chunk, stream.count)])
      isGood = reader.consume(part.rawSpan, from: .client) { frames.append($0.array) }
    }
    return (frames, isGood, reader.bufferedBytes)
  }

  static func start(_ bytes: [UInt8]) -> STUNStream.Start { STUNStream.recognize(bytes.rawSpan) }

  static let media: [UInt8] = [0x80, 0x60] + [UInt8](repeating: 5, count: 29)
  static let counted = Sample.u16(STUNTests.request.count) + STUNTests.request
  static let channelData = Sample.u16(0x4000) + Sample.u16(media.count) + media
  // [MS-TURN], section 2.1.2: both hellos, with random bytes of our own.
  static let microsoftClient =
    Sample.hex("160301002d010000290301") + [UInt8](repeating: 0x5a, count: 32) + Sample.hex("00000200180100")
  static let microsoftServer =
    Sample.hex("160301004e020000460301") + [UInt8](repeating: 0x5a, count: 32) + [0x20]
    + [UInt8](repeating: 0x33, count: 32) + Sample.hex("0018000e000000")
  // The fixed hellos of WebRTC's socket_adapters.cc.
  static let googleClient = Sample.hex(
    """
    8046010301002d0000001001008003008007 00c00600400200800400800000 0400feff00000a00fefe000009000064000062000003000006
    1f170ca62f0078fc46552eb18339f1ea
    """)
  static let googleServer = Sample.hex(
    """
    160301004a0200004603014285 45a727a95da0b3c5e753da482b3fc65aca89c15852a1783c5b174600853f200ed306725b5b1b5f15ac13f988
    539d9be83d7b0c30326e384da27557416c345c000400
    """)

  @Test(arguments: [1, 2, 3, 5, 7, 19, 64, 1000])
  func plainFramesDoNotDependOnTheirCuts(chunk: Int) {
    let stream = STUNTests.request + Self.channelData + [0] + STUNTests.responseV6 + Self.channelData + [0]
    let read = Self.frames(stream, chunk: chunk)
    #expect(read.isGood && read.kept == 0)
    #expect(read.frames == [STUNTests.request, Self.channelData, STUNTests.responseV6, Self.channelData])
  }

  @Test(arguments: [1, 2, 3, 5, 7, 19, 64, 1000])
  func countedFramesDoNotDependOnTheirCuts(chunk: Int) {
    let stream = Self.counted + Sample.u16(Self.media.count) + Self.media + Self.counted
    let read = Self.frames(stream, chunk: chunk)
    #expect(read.isGood && read.kept == 0)
    #expect(read.frames == [STUNTests.request, Self.media, STUNTests.request])
  }

  @Test(arguments: [1, 3, 7, 50, 1000])
  func pseudoTLSIsPassedOver(chunk: Int) {
    let cookie = STUNTests.attribute(0x000f, Sample.hex("72c64bc6"))
    let allocate = Sample.u16(0x0003) + Sample.u16(cookie.count) + [UInt8](repeating: 0xaa, count: 16) + cookie
    let framed = [2, 0] + Sample.u16(allocate.count) + allocate + [3, 0] + Sample.u16(Self.media.count) + Self.media
    for hello in [Self.microsoftClient, Self.microsoftServer] {
      let read = Self.frames(hello + framed, chunk: chunk)
      #expect(read.isGood && read.kept == 0)
      #expect(read.frames == [allocate, Self.media])
    }
    for hello in [Self.googleClient, Self.googleServer] {
      let read = Self.frames(hello + STUNTests.request, chunk: chunk)
      #expect(read.frames == [STUNTests.request])
    }
  }

  @Test func firstBytesAreRecognized() {
    let mine: [[UInt8]] = [
      STUNTests.request, Self.counted, Self.microsoftClient, Self.microsoftServer, Self.googleClient,
      Self.googleServer,
    ]
    for bytes in mine {
      #expect(Self.start(bytes) == .mine)
      for count in 1..<bytes.count {
        #expect(Self.start(Array(bytes.prefix(count))) != .notMine, "\(count) of \(bytes.count)")
      }
    }
    let strangers: [[UInt8]] = [
      Sample.record(22, Sample.message(1, Sample.clientHelloBody())), Array("GET / HTTP/1.1\r\n".utf8),
      Array("SSH-2.0-OpenSSH_9.2\r\n".utf8), [0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
      Sample.u16(40) + [0x12, 0x34] + [UInt8](repeating: 0, count: 38),
      [2, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], Array("\u{13}BitTorrent protocol".utf8),
    ]
    for bytes in strangers { #expect(Self.start(bytes) == .notMine, "\(bytes)") }
  }

  @Test func whatStopsBeingFramesIsLeftAlone() {
    let read = Self.frames(STUNTests.request + Array("GET / HTTP/1.1".utf8), chunk: 1000)
    #expect(read.frames == [STUNTests.request])
    let broken = Self.frames(STUNTests.request + [0x00, 0x01, 0, 0, 9, 9, 9, 9], chunk: 1000)
    #expect(!broken.isGood && broken.kept == 0)
  }

  @Test func aGapIsBridgedAtTheNextMessage() {
    var reader = STUNStream()
    var frames = 0
    let half = Array(STUNTests.request.prefix(50))
    let isHalfGood = reader.consume(half.rawSpan, from: .client) { _ in frames += 1 }
    #expect(isHalfGood)
    #expect(reader.bufferedBytes == 50)
    reader.skipGap(from: .client)
    #expect(reader.bufferedBytes == 0)
    let whole = STUNTests.request
    let isGood = reader.consume(whole.rawSpan, from: .client) { _ in frames += 1 }
    #expect(isGood && frames == 1)
  }

  @Test func buffersStayBelowTheirCap() {
    var reader = STUNStream()
    let header = Sample.u16(0x0001) + Sample.u16(0xffff) + Sample.hex("2112a442") + Array(1...12)
    var isGood = reader.consume(header.rawSpan, from: .client) { _ in }
    let chunk = [UInt8](repeating: 0, count: 1000)
    for _ in 0..<200 where isGood {
      isGood = reader.consume(chunk.rawSpan, from: .client) { _ in }
      #expect(reader.bufferedBytes <= STUNStream.maximumBufferedBytes)
    }
    #expect(!isGood, "zeros behind the longest message are no frames")
  }
}
