import Testing

@testable import Capture

@Suite struct FilterTests {
  private func mixed() -> Pcapng {
    var file = Pcapng()
    file.section()
    file.interface(1)
    file.interface(101)
    // IEEE802_15_4_NOFCS, which knows no ports.
    file.interface(230)
    for index in 0..<40 {
      let port: UInt16 = index % 2 == 0 ? 53 : 443
      file.packet(UInt64(index), udpFrame(port: port), interface: 0)
      file.packet(UInt64(index), udpPacket(port: port), interface: 1)
      file.packet(UInt64(index), udpPacket(port: port), interface: 2)
    }
    return file
  }

  @Test func pcap() {
    var file = Pcap()
    for index in 0..<100 { file.packet(UInt32(index), 0, udpFrame(port: index % 10 == 0 ? 53 : 443)) }
    #expect(read(file.bytes, filter: "udp port 53").packets.count == 10)
    #expect(read(file.bytes, filter: "tcp").packets.isEmpty)
    #expect(read(file.bytes, filter: "").packets.count == 100)
  }

  /// Each link type has its own program; one that the expression does not apply to is named once.
  @Test func mixedLinkTypes() {
    let reading = read(mixed().content, filter: "udp port 53")
    #expect(reading.packets.count == 40)
    #expect(reading.packets.allSatisfy { $0.interface < 2 })
    #expect(reading.error == nil)
    #expect(reading.notices.count == 1)
    #expect(reading.notices.first?.contains("does not apply to IEEE802_15_4_NOFCS") == true)
  }

  @Test func badExpressionIsRefusedAtOpening() {
    for bytes in [mixed().content, Pcap().bytes] {
      #expect(throws: CaptureError.self) { _ = try CaptureFile.open(bytes: bytes, filter: "udp prot 53") }
      let error = read(bytes, filter: "udp port zzz").error
      #expect(error?.kind == .badFilter)
      #expect(error?.description.contains("unknown port 'zzz'") == true)
    }
  }

  @Test func olderVariantThroughLibpcap() {
    var file = Pcap(magic: 0xA1B2_CD34)
    for index in UInt32(0)..<40 {
      let frame = udpFrame(port: index % 4 == 0 ? 53 : 443)
      file.out.u32(index)
      file.out.u32(0)
      file.out.u32(UInt32(frame.count))
      file.out.u32(UInt32(frame.count))
      file.out.u64(0)
      file.out.raw(frame)
    }
    #expect(read(file.bytes, filter: "udp port 53").packets.map(\.timestamp) == (0..<10).map { $0 * 4_000_000_000 })
  }
}
