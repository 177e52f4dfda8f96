import Testing

@testable import Capture

@Suite struct PcapTests {
  static let payload: [UInt8] = [1, 2, 3, 4, 5]

  @Test(arguments: [false, true])
  func microsecondsInBothByteOrders(bigEndian: Bool) {
    var file = Pcap(bigEndian: bigEndian)
    file.packet(1_700_000_000, 123_456, Self.payload, wire: 90)
    file.packet(1_700_000_001, 0, [])
    let reading = read(file.bytes)
    #expect(
      reading.packets == [
        Seen(timestamp: 1_700_000_000_123_456_000, wire: 90, linkType: 1, bytes: Self.payload),
        Seen(timestamp: 1_700_000_001_000_000_000, wire: 0, linkType: 1, bytes: []),
      ])
    #expect(reading.error == nil)
    #expect(reading.afterwards == .end)
    #expect(reading.interfaces == [CapturedInterface(linkType: 1, snapshotLength: 65_535)])
  }

  @Test(arguments: [false, true])
  func nanosecondsInBothByteOrders(bigEndian: Bool) {
    var file = Pcap(magic: 0xA1B2_3C4D, bigEndian: bigEndian)
    file.packet(4_294_967_295, 999_999_999, Self.payload)
    #expect(read(file.bytes).packets.map(\.timestamp) == [4_294_967_295_999_999_999])
  }

  /// The upper bits say that frames end with a check sequence, and how long it is.
  @Test func linkTypeWithoutCheckSequenceBits() {
    var file = Pcap(linkType: 0x2400_0001)
    file.packet(1, 0, Self.payload)
    #expect(read(file.bytes).packets.map(\.linkType) == [1])
  }

  /// 12 and 14 are DLT_RAW on one system or another, and 101 is LINKTYPE_RAW.
  @Test(arguments: [UInt32(12), 14, 101])
  func rawIPUnderItsThreeNumbers(linkType: UInt32) {
    var file = Pcap(linkType: linkType)
    file.packet(1, 0, Self.payload)
    #expect(read(file.bytes).packets.map(\.linkType) == [101])
  }

  @Test func batchesHoldSixteen() throws {
    var file = Pcap()
    for index in 0..<40 { file.packet(UInt32(index), 0, [UInt8(index)]) }
    var source = try CaptureFile.open(bytes: file.bytes)
    var batch = PacketBatch()
    var sizes: [Int] = []
    while try source.next(&batch) == .packets { sizes.append(batch.count) }
    #expect(sizes == [16, 16, 8])
    #expect(source.packetsRead == 40)
  }

  /// Version 2.3 has the two lengths of a record the other way round; libpcap knows.
  @Test func olderVersionThroughLibpcap() {
    var file = Pcap(version: (2, 2))
    file.out.u32(7)
    file.out.u32(8)
    file.out.u32(90)
    file.out.u32(5)
    file.out.raw(Self.payload)
    let reading = read(file.bytes)
    #expect(reading.packets == [Seen(timestamp: 7_000_008_000, wire: 90, linkType: 1, bytes: Self.payload)])
    #expect(reading.error == nil)
  }

  /// Kuznetsov's patch adds 8 bytes to each record header.
  @Test(arguments: [false, true])
  func kuznetsovsVariantThroughLibpcap(bigEndian: Bool) {
    var file = Pcap(magic: 0xA1B2_CD34, bigEndian: bigEndian)
    for index in UInt32(0)..<40 {
      file.out.u32(index)
      file.out.u32(5)
      file.out.u32(5)
      file.out.u32(60)
      file.out.u64(0)
      file.out.raw(Self.payload)
    }
    let reading = readInPieces(file.bytes, piece: 7, bufferSize: 64)
    #expect(reading.packets.map(\.timestamp) == (0..<40).map { $0 * 1_000_000_000 + 5_000 })
    #expect(reading.packets.allSatisfy { $0.bytes == Self.payload && $0.wire == 60 && $0.linkType == 1 })
    #expect(reading.error == nil)

    let cut = read(Array(file.bytes.dropLast(3)))
    #expect(cut.packets.count == 39)
    #expect(cut.error?.kind == .truncated)
    #expect(cut.afterwards == .end)
  }

  /// A buffer of 64 bytes and reads of a few: the same packets.
  @Test(arguments: [1, 3, 16, 61])
  func everySeamOfTheBuffer(piece: Int) {
    var file = Pcap()
    for index in 0..<100 { file.packet(UInt32(index), 1, [UInt8](repeating: UInt8(index), count: index * 3 % 200)) }
    let whole = read(file.bytes)
    #expect(whole.packets.count == 100)
    #expect(readInPieces(file.bytes, piece: piece, bufferSize: 64).packets == whole.packets)
  }

  /// The largest packet that is believed grows the buffer; one byte more is damage.
  @Test func largestPacket() {
    var file = Pcap()
    file.packet(1, 0, [9])
    file.packet(2, 0, [UInt8](repeating: 7, count: 262_144))
    #expect(read(file.bytes).packets.map(\.bytes.count) == [1, 262_144])
    file.packet(3, 0, [UInt8](repeating: 7, count: 262_145))
    let reading = read(file.bytes)
    #expect(reading.packets.map(\.bytes.count) == [1, 262_144])
    #expect(reading.error?.kind == .damaged)
    #expect(reading.afterwards == .end)
  }

  @Test(arguments: [UInt32.max, 0x8000_0000, 0x7FFF_FFFF])
  func absurdLengthIsDamage(claimed: UInt32) {
    var file = Pcap()
    file.packet(1, 0, Self.payload)
    file.packet(2, 0, Self.payload, claimed: claimed)
    let reading = read(file.bytes)
    #expect(reading.packets.count == 1)
    #expect(
      reading.error
        == CaptureError(
          .damaged,
          "capture is damaged at byte 45, after packet 1: the record claims \(claimed) captured bytes, "
            + "and at most 262144 can be"))
  }

  @Test func wireLengthIsClamped() {
    var file = Pcap()
    file.packet(1, .max, Self.payload, wire: .max)
    let packet = read(file.bytes).packets.first
    #expect(packet?.wire == Int(Int32.max))
    #expect(packet?.timestamp == 4_295_967_295_000)
  }
}
