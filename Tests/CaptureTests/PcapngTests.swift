import Testing

@testable import Capture

@Suite struct PcapngTests {
  static let payload: [UInt8] = [1, 2, 3, 4, 5]

  @Test func sectionsOfBothByteOrdersAndSeveralInterfaces() {
    var file = Pcapng()
    file.section()
    file.interface(1, name: "en0", description: "first")
    file.interface(113, resolution: 9, name: "en1")
    file.packet(1_700_000_000_123_456, Self.payload, wire: 60)
    file.packet(1_700_000_000_123_456_789, [6], interface: 1)
    file.section(bigEndian: true)
    file.interface(101, resolution: 3, name: "tun0")
    file.packet(1_700_000_000_123, [7, 8])
    let reading = read(file.content)
    #expect(
      reading.packets == [
        Seen(timestamp: 1_700_000_000_123_456_000, wire: 60, linkType: 1, interface: 0, bytes: Self.payload),
        Seen(timestamp: 1_700_000_000_123_456_789, wire: 1, linkType: 113, interface: 1, bytes: [6]),
        Seen(timestamp: 1_700_000_000_123_000_000, wire: 2, linkType: 101, interface: 2, bytes: [7, 8]),
      ])
    #expect(reading.error == nil)
    #expect(reading.interfaces.map(\.name) == ["en0", "en1", "tun0"])
    #expect(reading.interfaces.first?.description == "first")
  }

  /// Section 4.2: the highest bit of if_tsresol makes it a power of 2; if_tsoffset is in seconds.
  @Test func resolutionsAndOffsets() {
    var file = Pcapng()
    file.section()
    file.interface(resolution: 0x80 | 10)
    file.interface(resolution: 0)
    file.interface(resolution: 12)
    file.interface(resolution: 6, offset: 1_000)
    file.interface(resolution: 6, offset: -5)
    file.packet(1_024 * 3 + 512, [0], interface: 0)
    file.packet(77, [0], interface: 1)
    file.packet(1_234_567_891_234, [0], interface: 2)
    file.packet(1, [0], interface: 3)
    file.packet(1_000_000, [0], interface: 4)
    #expect(
      read(file.content).packets.map(\.timestamp) == [
        3_500_000_000, 77_000_000_000, 1_234_567_891, 1_000_000_001_000, -4_000_000_000,
      ])
  }

  /// Whatever the options say, a time stamp is a number; out of range it is clamped.
  @Test func noResolutionTraps() {
    for resolution in UInt8.min...UInt8.max {
      for offset in [Int64.min, -1, 0, 1, .max] {
        let scale = TimeScale(resolution: resolution, offsetSeconds: offset)
        for ticks in [UInt64.min, 1, 1 << 32, .max] {
          let time = scale.nanoseconds(ticks)
          if offset == .max { #expect(time == .max) }
          if offset == 0 { #expect(time >= 0) }
        }
      }
    }
    #expect(TimeScale(resolution: 0, offsetSeconds: 0).nanoseconds(.max) == .max)
    #expect(TimeScale(resolution: 28, offsetSeconds: 0).nanoseconds(.max) == 1)
    #expect(TimeScale(resolution: 29, offsetSeconds: 0).nanoseconds(.max) == 0)
    #expect(TimeScale(resolution: 0x80 | 64, offsetSeconds: 0).nanoseconds(1 << 63) == 500_000_000)
    #expect(TimeScale(resolution: 0x80 | 127, offsetSeconds: 2).nanoseconds(.max) == 2_000_000_000)
    #expect(TimeScale(resolution: 6, offsetSeconds: .min).nanoseconds(0) == .min)
  }

  /// Simple Packet Blocks take the first interface's snapshot length and have no time; the obsolete block has both.
  @Test func simpleAndObsoletePackets() {
    var file = Pcapng()
    file.section(bigEndian: true)
    file.interface(1, snapshotLength: 3)
    file.interface(1)
    file.simplePacket([1, 2, 3, 0], wire: 900)
    file.simplePacket([1, 2], wire: 2)
    file.obsoletePacket(1_000_001, Self.payload, interface: 1, drops: 9)
    let reading = read(file.content)
    #expect(
      reading.packets == [
        Seen(timestamp: 0, wire: 900, linkType: 1, interface: 0, bytes: [1, 2, 3]),
        Seen(timestamp: 0, wire: 2, linkType: 1, interface: 0, bytes: [1, 2]),
        Seen(timestamp: 1_000_001_000, wire: 5, linkType: 1, interface: 1, bytes: Self.payload),
      ])
  }

  @Test func unknownBlocksArePassedOver() {
    var file = Pcapng()
    file.section()
    file.block(0x0000_0BAD) { $0.raw([UInt8](repeating: 0xEE, count: 100)) }
    file.interface()
    file.block(5) { $0.u32(0) }
    file.packet(1, [1])
    file.block(0x7777_7777) { $0.raw([UInt8](repeating: 0xEE, count: 1_000_000)) }
    file.block(0x4000_0BAD) { _ in }
    file.packet(2, [2])
    #expect(read(file.content).packets.map(\.bytes) == [[1], [2]])
    #expect(readInPieces(file.content, piece: 5, bufferSize: 64).packets.map(\.bytes) == [[1], [2]])
    // Its closing length is wrong: the packet after it cannot be trusted.
    var damaged = file.content
    damaged[damaged.count - 36 - 12 - 4] ^= 1
    let reading = read(damaged)
    #expect(reading.packets.count == 1)
    #expect(reading.error?.kind == .damaged)
  }

  @Test func secretsAreKeptUnderTheirCap() throws {
    let line = Array("CLIENT_RANDOM 00 11\n".utf8)
    var file = Pcapng()
    file.section()
    file.secrets(line)
    file.interface()
    file.packet(1, [1])
    #expect(read(file.content).secrets == [DecryptionSecrets(type: DecryptionSecrets.tlsKeyLog, data: line)])

    for _ in 0..<3 { file.secrets([UInt8](repeating: 0x20, count: 7_000_000)) }
    file.secrets([UInt8](repeating: 0x20, count: 20_000_000))
    file.packet(2, [2])
    var source = try CaptureFile.open(bytes: file.content)
    var packets = 0
    let end = drain(&source) { _, _ in packets += 1 }
    #expect(end.error == nil)
    #expect(packets == 2)
    #expect(source.secrets.count == 3)
    #expect(source.droppedSecrets == 2)
  }

  @Test func interfacesAreKeptUnderTheirCap() throws {
    var file = Pcapng()
    for _ in 0..<3 {
      file.section()
      for _ in 0..<3_000 { file.interface(name: String(repeating: "n", count: 400)) }
      file.packet(1, [1], interface: 2_999)
    }
    var source = try CaptureFile.open(bytes: file.content)
    var seen: [UInt16] = []
    let end = drain(&source) { packet, _ in seen.append(packet.interface) }
    #expect(end.error == nil)
    #expect(seen == [2_999, 5_999, 8_999])
    #expect(source.interfaces.count == CaptureFile.maximumInterfaces)
    #expect(source.droppedInterfaces == 9_000 - CaptureFile.maximumInterfaces)
    #expect(source.interfaces.first?.name?.utf8.count == CaptureFile.maximumTextLength)
  }

  /// What ends a file, with the packet before it lent.
  @Test func damageIsNamed() {
    func damaged(_ change: (inout Pcapng) -> Void) -> CaptureError? {
      var file = Pcapng()
      file.section()
      file.interface()
      file.packet(1, [1])
      change(&file)
      file.packet(2, [2])
      let reading = read(file.content)
      #expect(reading.packets.map(\.bytes) == [[1]])
      #expect(reading.afterwards == .end)
      return reading.error
    }
    #expect(damaged { $0.packet(1, [1], interface: 1) }?.description.contains("names interface 1, and 1 is") == true)
    #expect(damaged { $0.packet(1, [1], claimed: 5) }?.description.contains("claims 5 captured bytes") == true)
    #expect(damaged { $0.packet(1, [1], claimed: .max) }?.kind == .damaged)
    #expect(damaged { $0.block(6) { $0.u32(0) } }?.description.contains("too short") == true)
    #expect(damaged { $0.block(1) { $0.u32(0) } }?.kind == .damaged)
    #expect(damaged { $0.content += [6, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF] }?.kind == .damaged)
    #expect(damaged { $0.content += [6, 0, 0, 0, 0, 0, 0, 0] }?.kind == .damaged)
    #expect(damaged { $0.content += [6, 0, 0, 0, 32, 0, 0, 2] }?.kind == .damaged)
    #expect(damaged { $0.section(magic: 0) }?.description.contains("byte-order magic") == true)
    #expect(damaged { $0.section(major: 2) }?.kind == .unsupported)
    #expect(
      damaged {
        $0.section()
        $0.simplePacket([1], wire: 1)
      }?.kind == .damaged)
  }

  @Test func packetBeforeAnyInterface() {
    var file = Pcapng()
    file.section()
    file.packet(1, [1])
    #expect(
      read(file.content).error
        == CaptureError(
          .damaged, "capture is damaged at byte 28, after packet 0: the packet names interface 0, and 0 are described"))
  }

  @Test(arguments: [1, 3, 16, 61])
  func everySeamOfTheBuffer(piece: Int) {
    var file = Pcapng()
    file.section()
    file.interface()
    for index in 0..<60 {
      file.packet(UInt64(index), [UInt8](repeating: UInt8(index), count: index * 3 % 200), comment: "no \(index)")
      if index == 30 {
        file.section(bigEndian: true)
        file.interface()
      }
    }
    let whole = read(file.content)
    #expect(whole.packets.count == 60)
    #expect(readInPieces(file.content, piece: piece, bufferSize: 64).packets == whole.packets)
  }
}
