// Captures made here byte by byte, in either byte order: all of them synthetic.

/// Bytes that grow at their end.
struct Bytes {
  var content: [UInt8] = []
  var bigEndian = false

  mutating func u8(_ value: UInt8) { content.append(value) }
  mutating func u16(_ value: UInt16) { put(UInt64(value), 2) }
  mutating func u32(_ value: UInt32) { put(UInt64(value), 4) }
  mutating func u64(_ value: UInt64) { put(value, 8) }
  mutating func raw(_ bytes: [UInt8]) { content += bytes }
  mutating func pad() { while content.count % 4 != 0 { content.append(0) } }

  private mutating func put(_ value: UInt64, _ count: Int) {
    for index in 0..<count {
      let shift = 8 * (bigEndian ? count - 1 - index : index)
      content.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
    }
  }
}

/// A pcap file (draft-ietf-opsawg-pcap).
struct Pcap {
  var out: Bytes

  init(
    magic: UInt32 = 0xA1B2_C3D4, bigEndian: Bool = false, version: (UInt16, UInt16) = (2, 4),
    snapshotLength: UInt32 = 65_535, linkType: UInt32 = 1
  ) {
    out = Bytes(bigEndian: bigEndian)
    out.u32(magic)
    out.u16(version.0)
    out.u16(version.1)
    out.u64(0)
    out.u32(snapshotLength)
    out.u32(linkType)
  }

  /// One record; `claimed` stands in its header in place of the true length.
  mutating func packet(
    _ seconds: UInt32, _ fraction: UInt32, _ bytes: [UInt8], wire: UInt32? = nil, claimed: UInt32? = nil
  ) {
    out.u32(seconds)
    out.u32(fraction)
    out.u32(claimed ?? UInt32(bytes.count))
    out.u32(wire ?? UInt32(bytes.count))
    out.raw(bytes)
  }

  var bytes: [UInt8] { out.content }
}

/// A pcapng file (draft-ietf-opsawg-pcapng).
struct Pcapng {
  var content: [UInt8] = []
  var bigEndian = false

  init() {}

  /// A block of any type; the lengths around it are right.
  mutating func block(_ type: UInt32, _ body: (inout Bytes) -> Void) {
    var inner = Bytes(bigEndian: bigEndian)
    body(&inner)
    inner.pad()
    var outer = Bytes(bigEndian: bigEndian)
    outer.u32(type)
    outer.u32(UInt32(inner.content.count + 12))
    outer.raw(inner.content)
    outer.u32(UInt32(inner.content.count + 12))
    content += outer.content
  }

  mutating func section(bigEndian: Bool = false, major: UInt16 = 1, magic: UInt32 = 0x1A2B_3C4D) {
    self.bigEndian = bigEndian
    block(0x0A0D_0D0A) {
      $0.u32(magic)
      $0.u16(major)
      $0.u16(0)
      $0.u64(.max)
    }
  }

  mutating func interface(
    _ linkType: UInt16 = 1, snapshotLength: UInt32 = 0, resolution: UInt8? = nil, offset: Int64? = nil,
    name: String? = nil, description: String? = nil
  ) {
    block(1) { body in
      body.u16(linkType)
      body.u16(0)
      body.u32(snapshotLength)
      func option(_ code: UInt16, _ value: [UInt8]) {
        body.u16(code)
        body.u16(UInt16(value.count))
        body.raw(value)
        body.pad()
      }
      if let name { option(2, Array(name.utf8)) }
      if let description { option(3, Array(description.utf8)) }
      if let resolution { option(9, [resolution]) }
      if let offset {
        body.u16(14)
        body.u16(8)
        body.u64(UInt64(bitPattern: offset))
      }
      body.u32(0)
    }
  }

  /// An Enhanced Packet Block.
  mutating func packet(
    _ ticks: UInt64, _ bytes: [UInt8], interface: UInt32 = 0, wire: UInt32? = nil, claimed: UInt32? = nil,
    comment: String? = nil
  ) {
    block(6) {
      $0.u32(interface)
      $0.u32(UInt32(truncatingIfNeeded: ticks >> 32))
      $0.u32(UInt32(truncatingIfNeeded: ticks))
      $0.u32(claimed ?? UInt32(bytes.count))
      $0.u32(wire ?? UInt32(bytes.count))
      $0.raw(bytes)
      $0.pad()
      if let comment {
        $0.u16(1)
        $0.u16(UInt16(comment.utf8.count))
        $0.raw(Array(comment.utf8))
        $0.pad()
        $0.u32(0)
      }
    }
  }

  mutating func simplePacket(_ bytes: [UInt8], wire: UInt32) {
    block(3) {
      $0.u32(wire)
      $0.raw(bytes)
    }
  }

  mutating func obsoletePacket(_ ticks: UInt64, _ bytes: [UInt8], interface: UInt16 = 0, drops: UInt16 = 0) {
    block(2) {
      $0.u16(interface)
      $0.u16(drops)
      $0.u32(UInt32(truncatingIfNeeded: ticks >> 32))
      $0.u32(UInt32(truncatingIfNeeded: ticks))
      $0.u32(UInt32(bytes.count))
      $0.u32(UInt32(bytes.count))
      $0.raw(bytes)
    }
  }

  mutating func secrets(_ bytes: [UInt8]) {
    block(10) {
      $0.u32(0x544C_534B)
      $0.u32(UInt32(bytes.count))
      $0.raw(bytes)
    }
  }
}

/// An Ethernet frame with an IPv4 header and a UDP header, for filters.
func udpFrame(port: UInt16, payload: Int = 4) -> [UInt8] {
  [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0] + udpPacket(port: port, payload: payload)
}

/// The same without its Ethernet header: link type 101.
func udpPacket(port: UInt16, payload: Int = 4) -> [UInt8] {
  var packet = Bytes(bigEndian: true)
  packet.raw([0x45, 0])
  packet.u16(UInt16(28 + payload))
  packet.raw([0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2])
  packet.u16(40_000)
  packet.u16(port)
  packet.u16(UInt16(8 + payload))
  packet.u16(0)
  packet.raw([UInt8](repeating: 0x61, count: payload))
  return packet.content
}
