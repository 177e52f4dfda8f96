// pcap: draft-ietf-opsawg-pcap, figures 1 (file header) and 2 (packet record).
//
//    0  magic       a1b2c3d4 for microseconds, a1b23c4d for nanoseconds, in the writer's byte order
//    4  version     2.4
//    8  reserved    twice 4 bytes
//   16  snapshot length
//   20  link type in the lower 16 bits, length of the frame check sequence in the upper ones
//   24  records, each: seconds, fraction, captured length, original length, bytes

/// What a pcap file's header says about its records.
struct PcapFormat {
  static let headerLength = 24
  static let recordHeaderLength = 16

  var bigEndian: Bool
  /// Nanoseconds of one unit of the fraction: 1 or 1,000.
  var fraction: Int64
  var linkType: UInt16
  /// The longest packet that is believed.
  var longest: Int
}

/// The longest packet of a link type: 256 KiB, as libpcap and Wireshark have it; more for buses with large transfers.
func longestPacket(_ linkType: UInt16) -> Int {
  switch linkType {
  // USB_LINUX, USB_LINUX_MMAPPED, DBUS, USBPCAP, EBHSCR, USB_DARWIN.
  case 189, 220, 231, 249, 266, 279: CaptureFile.maximumRecordLength - PcapFormat.recordHeaderLength
  default: 262_144
  }
}

extension CaptureFile {
  mutating func openPcap(bigEndian: Bool, nanoseconds: Bool) throws(CaptureError) {
    guard try require(PcapFormat.headerLength) else {
      throw end(
        with: CaptureError(
          .truncated, "\(name) is cut off in its file header: \(buffer.available) of \(PcapFormat.headerLength) bytes"))
    }
    let major = buffer.u16(buffer.start + 4, bigEndian: bigEndian)
    let minor = buffer.u16(buffer.start + 6, bigEndian: bigEndian)
    // Older versions swap the two lengths of a record; libpcap knows when.
    guard (major, minor) == (2, 4) else { return try openThroughLibpcap() }
    let linkType = normalized(UInt16(truncatingIfNeeded: buffer.u32(buffer.start + 20, bigEndian: bigEndian)))
    interfaces = [
      CapturedInterface(linkType: linkType, snapshotLength: buffer.u32(buffer.start + 16, bigEndian: bigEndian))
    ]
    format = .pcap(
      PcapFormat(
        bigEndian: bigEndian, fraction: nanoseconds ? 1 : 1_000, linkType: linkType, longest: longestPacket(linkType)))
    filterSlot = filterSlot(for: linkType)
    buffer.start += PcapFormat.headerLength
  }

  /// Fills a batch with the records that lie whole in the buffer.
  mutating func fillFromPcap(_ batch: inout PacketBatch, _ pcap: PcapFormat) -> Stop {
    let header = PcapFormat.recordHeaderLength
    let end = buffer.end
    var at = buffer.start
    var read: UInt64 = 0
    var stop = Stop.full
    while batch.count < PacketBatch.capacity {
      guard end &- at >= header else {
        stop = .needs(header)
        break
      }
      let captured = Int(buffer.u32(at &+ 8, bigEndian: pcap.bigEndian))
      guard captured <= pcap.longest else {
        stop = .broken(.packetTooLong(claimed: UInt32(captured), most: pcap.longest))
        break
      }
      guard end &- at &- header >= captured else {
        stop = .needs(header &+ captured)
        break
      }
      let wire = buffer.u32(at &+ 12, bigEndian: pcap.bigEndian)
      let place = at &+ header
      read &+= 1
      if filter == nil || matches(filterSlot, place, captured, wire) {
        let seconds = Int64(buffer.u32(at, bigEndian: pcap.bigEndian))
        let fraction = Int64(buffer.u32(at &+ 4, bigEndian: pcap.bigEndian))
        batch.items[batch.count] = PacketRef(
          timestamp: seconds &* 1_000_000_000 &+ fraction &* pcap.fraction, offset: Int32(truncatingIfNeeded: place),
          captured: Int32(truncatingIfNeeded: captured), wire: Int32(clamping: wire), linkType: pcap.linkType)
        batch.count &+= 1
      }
      at = place &+ captured
    }
    buffer.start = at
    packetsRead &+= read
    return stop
  }

  /// Whether the filter lets a packet of the buffer through.
  func matches(_ slot: Int, _ place: Int, _ captured: Int, _ wire: UInt32) -> Bool {
    guard let filter else { return true }
    // Safe: the pointer is used only for the call, and the buffer is not touched meanwhile.
    return unsafe filter.matches(slot, captured: captured, wire: wire, packet: buffer.pointer(place, captured))
  }
}
