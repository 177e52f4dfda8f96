import CPcap

/// Where libpcap's callback copies packets to, and out of which they are lent.
///
/// It lives in memory of its own, so that the callback has an address that stays.
@safe struct PacketArena {
  /// Bytes after which no further packet is asked for; one of the full snapshot length still fits behind them. As much
  /// as a block of the kernel's ring, and little enough that copied packets are still in the cache when they are read.
  static let fillMark = 262_144
  /// Packets that are held at a time.
  static let maximumPackets = 2_048

  private let base: UnsafeMutableRawPointer
  private let refs: UnsafeMutablePointer<PacketRef>
  private let handle: OpaquePointer
  let capacity: Int
  private let linkType: UInt16
  /// Nanoseconds of a unit of the time stamp's fraction.
  private let fraction: Int64
  /// Packets stamped earlier are not taken.
  private let notBefore: Int64
  private(set) var used = 0
  private(set) var count = 0
  /// The next packet to lend.
  private var lent = 0

  init(handle: OpaquePointer, snapshotLength: Int, linkType: UInt16, fraction: Int64, notBefore: Int64) {
    capacity = Self.fillMark + snapshotLength
    unsafe self.handle = handle
    self.linkType = linkType
    self.fraction = fraction
    self.notBefore = notBefore
    unsafe base = .allocate(byteCount: capacity, alignment: 16)
    unsafe refs = .allocate(capacity: Self.maximumPackets)
  }

  func deallocate() {
    unsafe base.deallocate()
    unsafe refs.deallocate()
  }

  /// What is held, as a buffer whose life is the owner's.
  var held: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: base, count: used) }

  var isDrained: Bool { lent == count }

  mutating func removeAll() {
    used = 0
    count = 0
    lent = 0
  }

  /// Fills a batch with the next packets.
  mutating func lend(_ batch: inout PacketBatch) {
    let number = min(PacketBatch.capacity, count - lent)
    for index in 0..<max(number, 0) {
      // Safe: `lent + index` is below `count`, and so many are initialized.
      unsafe batch.items[index] = refs[lent + index]
    }
    batch.count = number
    lent += number
  }

  /// Copies one packet in, and ends the dispatch when the arena is full.
  mutating func take(_ header: pcap_pkthdr, _ data: UnsafePointer<UInt8>) {
    let captured = min(Int(header.caplen), capacity - used)
    let timestamp = Int64(header.ts.tv_sec) &* 1_000_000_000 &+ Int64(header.ts.tv_usec) &* fraction
    guard count < Self.maximumPackets, timestamp >= notBefore else { return }
    // Safe: libpcap gives `caplen` bytes, and so many are free behind `used`.
    unsafe (base + used).copyMemory(from: data, byteCount: captured)
    unsafe (refs + count).initialize(
      to: PacketRef(
        timestamp: timestamp, offset: Int32(truncatingIfNeeded: used), captured: Int32(truncatingIfNeeded: captured),
        wire: Int32(clamping: header.len), linkType: linkType))
    used += captured
    count += 1
    // libpcap keeps what it has not handed out for the next dispatch.
    if used >= Self.fillMark || count == Self.maximumPackets { unsafe pcap_breakloop(handle) }
  }
}

/// The callback of pcap_dispatch; `user` is the arena.
func takePacket(
  user: UnsafeMutablePointer<UInt8>?, header: UnsafePointer<pcap_pkthdr>?, data: UnsafePointer<UInt8>?
) {
  guard let user = unsafe user, let header = unsafe header, let data = unsafe data else { return }
  // Safe: LiveCapture passes its arena, which outlives the dispatch.
  unsafe UnsafeMutableRawPointer(user).assumingMemoryBound(to: PacketArena.self).pointee.take(header.pointee, data)
}
