import Bytes
import Decode
import Testing

/// Names of processes that captures give their packets.
@Suite struct ProcessTests {
  static func pcapdroid(_ name: [UInt8]) -> [UInt8] {
    hex("000000000000 000000000000 0800") + Packet.tcp4 + [0] + hex("01072021 ffffffff")
      + Array((name + [UInt8](repeating: 0, count: 20)).prefix(20)) + hex("01020304")
  }

  @Test func aNameKeepsItsNumber() {
    var decoder = Decoder()
    let first = decoder.decode(Self.pcapdroid(Array("Signal".utf8))).headers.process
    let second = decoder.decode(Self.pcapdroid(Array("Telegram".utf8))).headers.process
    #expect(first == 1 && second == 2)
    #expect(decoder.decode(Self.pcapdroid(Array("Signal".utf8))).headers.process == first)
    #expect(decoder.decode(Self.pcapdroid([])).headers.process == 0)
    #expect(decoder.decode(Packet.ethernet(0x0800, Packet.tcp4)).headers.process == 0)
    #expect(decoder.processName(first) == "Signal")
    #expect(decoder.processName(second) == "Telegram")
    #expect(decoder.processName(0) == nil)
    #expect(decoder.processName(3) == nil)
  }

  @Test func hostileNamesAreReadable() {
    var decoder = Decoder()
    // An escape sequence, bytes that are no UTF-8, and 20 bytes without an end.
    #expect(decoder.decode(Self.pcapdroid([0x1b, 0x5b, 0x41])).process == "\u{fffd}[A")
    #expect(decoder.decode(Self.pcapdroid([0x41, 0xff, 0xc3])).process == "A\u{fffd}\u{fffd}")
    #expect(decoder.decode(Self.pcapdroid([UInt8](repeating: 0x61, count: 20))).process?.count == 20)
  }

  @Test func theTableOfNamesHasAnEnd() {
    var decoder = Decoder()
    for i in 0..<4096 { _ = decoder.decode(Self.pcapdroid(Array("app \(i)".utf8))) }
    #expect(decoder.packetsWithoutProcessName == 0)
    let late = decoder.decode(Self.pcapdroid(Array("late".utf8)))
    #expect(late.headers.process == 0)
    #expect(late.outcome == .flow)
    #expect(decoder.packetsWithoutProcessName == 1)
    #expect(decoder.decode(Self.pcapdroid(Array("app 4095".utf8))).process == "app 4095")
    #expect(decoder.decode(Self.pcapdroid(Array("app 0".utf8))).process == "app 0")
  }

  @Test func theTrailerIsNoPayload() {
    // A length of 0, which leaves the end to the frame's.
    var packet = Self.pcapdroid(Array("Signal".utf8))
    packet.removeSubrange(14..<14 + Packet.tcp4.count + 1)
    packet.insert(contentsOf: Packet.ipv4(6, Packet.segment, length: 0), at: 14)
    #expect(decode(packet).headers.payloadLength == 5)
    #expect(decode(packet).process == "Signal")
  }

  @Test func aTrailerOfOtherFramesIsNone() {
    var packet = Self.pcapdroid(Array("Signal".utf8))
    packet[11] = 1
    #expect(decode(packet).process == nil)
    // The magic number elsewhere, and inside a tunnel.
    #expect(decode(Self.pcapdroid(Array("Signal".utf8)) + [0]).process == nil)
    let inner = Self.pcapdroid(Array("Signal".utf8))
    #expect(decode(Packet.outer4(47, hex("0000 6558") + inner)).process == nil)
  }

  @Test func aTunnelKeepsTheProcess() {
    let vxlan = Packet.ipv4(
      17, Packet.udp(5000, 4789, hex("08000000 00002a00") + Packet.ethernet(0x0800, Packet.tcp4)))
    let packet = hex("000000000000 000000000000 0800") + vxlan + Self.pcapdroid(Array("VPN".utf8)).suffix(32)
    #expect(decode(packet).headers.scope.tunnels == [.vxlan])
    #expect(decode(packet).process == "VPN")
  }

  @Test func tapHeadersThatCannotBe() {
    // No packet follows; a length below the header's own; an offset of a name past the header.
    #expect(
      decode(hex("6c000000 00000000 01000000") + [UInt8](repeating: 0, count: 200), link: .pktap).outcome == .counted)
    #expect(
      decode(hex("6b000000 01000000 01000000") + [UInt8](repeating: 0, count: 200), link: .pktap).headers.damage
        == Damage(.link, .badLength, at: 0))
    // A private type of somebody else.
    let other = decode([UInt8](repeating: 0xaa, count: 80), link: .user2)
    #expect(other.outcome == .unknown)
    #expect(other.headers.damage == nil)
    let offsets =
      hex("28 00 00 00 ff ff 0100 0e00 0000 0600 0600 02000000 00000000 00000000 00020000 00030000 02000800")
      + Packet.ethernet(0x0800, Packet.tcp4)
    #expect(decode(offsets, link: .pktap).outcome == .flow)
    #expect(decode(offsets, link: .pktap).process == nil)
  }
}
