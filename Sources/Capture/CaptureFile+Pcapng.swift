// pcapng: draft-ietf-opsawg-pcapng, section 3.1, figure "Basic block structure".
//
//    0  block type
//    4  block total length, a multiple of 4
//    8  body
//  n-4  block total length again
//
// Numbers are in the byte order of the section, which its Section Header Block tells.

/// Block types that are read; all others are passed over.
enum BlockType {
  static let sectionHeader: UInt32 = 0x0A0D_0D0A
  static let interfaceDescription: UInt32 = 1
  static let packet: UInt32 = 2
  static let simplePacket: UInt32 = 3
  static let enhancedPacket: UInt32 = 6
  static let decryptionSecrets: UInt32 = 10
}

/// What the packets of an interface need to be read.
struct SectionInterface {
  var scale: TimeScale
  var linkType: UInt16
  /// Index in the whole capture.
  var index: UInt16
  var snapshotLength: UInt32
  var filterSlot: Int
}

/// What a pcapng section has said so far.
struct SectionState {
  /// Interfaces that one section may describe: more than a packet could name.
  static let maximumInterfaces = 65_536

  var bigEndian = false
  var interfaces: [SectionInterface] = []
  /// Interfaces that the capture has described so far, over all sections.
  var described = 0
  /// Bytes of a block that are still to be passed over.
  var toSkip: UInt64 = 0
  /// The opening length of the block whose body was passed over; 0 where none is.
  var openLength: UInt32 = 0

  /// Whether the bytes read so far end inside a block.
  var isInsideBlock: Bool { openLength != 0 }
}

extension CaptureFile {
  /// Fills a batch with packets whose blocks lie whole in the buffer, and takes in the blocks between them.
  ///
  /// It takes `most` packets; the first one beyond stays unread.
  mutating func fillFromPcapng(_ batch: inout PacketBatch, most: Int) -> Stop {
    if section.toSkip > 0 { return .skip(section.toSkip) }
    while true {
      let at = buffer.start
      let held = buffer.end &- at
      let bigEndian = section.bigEndian
      if section.isInsideBlock {
        guard held >= 4 else { return .needs(4) }
        let closing = buffer.u32(at, bigEndian: bigEndian)
        guard closing == section.openLength else { return .broken(.blockLengthsDiffer(section.openLength, closing)) }
        section.openLength = 0
        buffer.start = at &+ 4
        continue
      }
      guard held >= 12 else { return .needs(12) }
      let type = buffer.u32(at, bigEndian: bigEndian)
      if type == BlockType.sectionHeader {
        if let stop = beginSection(at, held) { return stop }
        continue
      }
      let length = buffer.u32(at &+ 4, bigEndian: bigEndian)
      guard length >= 12, length & 3 == 0 else { return .broken(.blockLength(length)) }
      guard isRead(type), type != BlockType.decryptionSecrets || length <= Self.maximumSecretBytes else {
        if type == BlockType.decryptionSecrets { droppedSecrets &+= 1 }
        section.openLength = length
        section.toSkip = UInt64(length &- 12)
        buffer.start = at &+ 8
        if section.toSkip > 0 { return .skip(section.toSkip) }
        continue
      }
      guard length <= UInt32(Self.maximumRecordLength) else { return .broken(.blockLength(length)) }
      guard held >= Int(length) else { return .needs(Int(length)) }
      let closing = buffer.u32(at &+ Int(length) &- 4, bigEndian: bigEndian)
      guard closing == length else { return .broken(.blockLengthsDiffer(length, closing)) }

      let damage: CaptureDamage?
      switch type {
      case BlockType.enhancedPacket, BlockType.packet, BlockType.simplePacket:
        if batch.count >= most { return .full }
        damage =
          type == BlockType.simplePacket
          ? takeSimplePacket(&batch, at, Int(length)) : takePacket(&batch, at, Int(length), type)
      case BlockType.interfaceDescription: damage = takeInterface(at, Int(length))
      default: damage = takeSecrets(at, Int(length))
      }
      if let damage { return .broken(damage) }
      buffer.start = at &+ Int(length)
    }
  }

  @inline(__always) private func isRead(_ type: UInt32) -> Bool {
    switch type {
    case BlockType.enhancedPacket, BlockType.simplePacket, BlockType.packet, BlockType.interfaceDescription,
      BlockType.decryptionSecrets:
      true
    default: false
    }
  }

  /// Section 4.1: byte-order magic, version, section length, options. Interfaces count anew from here.
  /// - Returns: why not to go on; nil where the section has begun.
  private mutating func beginSection(_ at: Int, _ held: Int) -> Stop? {
    let bigEndian: Bool
    switch buffer.u32(at &+ 8, bigEndian: true) {
    case 0x1A2B_3C4D: bigEndian = true
    case 0x4D3C_2B1A: bigEndian = false
    case let magic: return .broken(.byteOrderMagic(magic))
    }
    let length = buffer.u32(at &+ 4, bigEndian: bigEndian)
    guard length >= 28, length & 3 == 0, length <= UInt32(Self.maximumRecordLength) else {
      return .broken(.blockLength(length))
    }
    guard held >= Int(length) else { return .needs(Int(length)) }
    let closing = buffer.u32(at &+ Int(length) &- 4, bigEndian: bigEndian)
    guard closing == length else { return .broken(.blockLengthsDiffer(length, closing)) }
    let major = buffer.u16(at &+ 12, bigEndian: bigEndian)
    guard major == 1 else { return .broken(.sectionVersion(major, buffer.u16(at &+ 14, bigEndian: bigEndian))) }
    section.bigEndian = bigEndian
    section.interfaces.removeAll(keepingCapacity: true)
    buffer.start = at &+ Int(length)
    return nil
  }

  /// Section 4.3 (Enhanced Packet Block: interface in 4 bytes) and section A (obsolete Packet Block: 2, and drops).
  @inline(__always)
  private mutating func takePacket(
    _ batch: inout PacketBatch, _ at: Int, _ length: Int, _ type: UInt32
  ) -> CaptureDamage? {
    let bigEndian = section.bigEndian
    guard length >= 32 else { return .shortBlock(type: type) }
    let id =
      type == BlockType.enhancedPacket
      ? buffer.u32(at &+ 8, bigEndian: bigEndian) : UInt32(buffer.u16(at &+ 8, bigEndian: bigEndian))
    let captured = buffer.u32(at &+ 20, bigEndian: bigEndian)
    guard Int(captured) <= length &- 32 else { return .packetBeyondBlock(claimed: captured) }
    guard Int(id) < section.interfaces.count else {
      return .unknownInterface(id, known: section.interfaces.count)
    }
    let interface = section.interfaces[Int(id)]
    let wire = buffer.u32(at &+ 24, bigEndian: bigEndian)
    let place = at &+ 28
    packetsRead &+= 1
    guard filter == nil || matches(interface.filterSlot, place, Int(captured), wire) else { return nil }
    let high = buffer.u32(at &+ 12, bigEndian: bigEndian)
    let low = buffer.u32(at &+ 16, bigEndian: bigEndian)
    batch.items[batch.count] = PacketRef(
      timestamp: interface.scale.nanoseconds(UInt64(high) << 32 | UInt64(low)),
      offset: Int32(truncatingIfNeeded: place), captured: Int32(truncatingIfNeeded: captured),
      wire: Int32(clamping: wire), linkType: interface.linkType, interface: interface.index)
    batch.count &+= 1
    return nil
  }

  /// Section 4.4: original length and bytes, of the section's first interface; how many were captured follows from its
  /// snapshot length. No time stamp.
  private mutating func takeSimplePacket(_ batch: inout PacketBatch, _ at: Int, _ length: Int) -> CaptureDamage? {
    guard length >= 16 else { return .shortBlock(type: BlockType.simplePacket) }
    guard let interface = section.interfaces.first else { return .unknownInterface(0, known: 0) }
    let wire = buffer.u32(at &+ 8, bigEndian: section.bigEndian)
    let limit = interface.snapshotLength == 0 ? UInt32.max : interface.snapshotLength
    let captured = min(length &- 16, Int(min(wire, limit)))
    packetsRead &+= 1
    packetsWithoutTime &+= 1
    let place = at &+ 12
    guard filter == nil || matches(interface.filterSlot, place, captured, wire) else { return nil }
    batch.items[batch.count] = PacketRef(
      timestamp: 0, offset: Int32(truncatingIfNeeded: place), captured: Int32(truncatingIfNeeded: captured),
      wire: Int32(clamping: wire), linkType: interface.linkType, interface: interface.index)
    batch.count &+= 1
    return nil
  }

  /// Section 4.2: link type, snapshot length, options.
  private mutating func takeInterface(_ at: Int, _ length: Int) -> CaptureDamage? {
    guard length >= 20 else { return .shortBlock(type: BlockType.interfaceDescription) }
    guard section.interfaces.count < SectionState.maximumInterfaces else { return .tooManyInterfaces }
    let linkType = normalized(buffer.u16(at &+ 8, bigEndian: section.bigEndian))
    let snapshotLength = buffer.u32(at &+ 12, bigEndian: section.bigEndian)
    var described = CapturedInterface(linkType: linkType, snapshotLength: snapshotLength)
    let wantsText = interfaces.count < Self.maximumInterfaces
    var resolution: UInt8 = 6
    var offset: UInt64 = 0
    var option = at &+ 16
    let end = at &+ length &- 4
    // Section 3.5: code, length, value padded to 4 bytes; 0 ends the list.
    while end &- option >= 4 {
      let code = buffer.u16(option, bigEndian: section.bigEndian)
      let size = Int(buffer.u16(option &+ 2, bigEndian: section.bigEndian))
      let value = option &+ 4
      guard code != 0, end &- value >= size else { break }
      switch code {
      case 2 where wantsText: described.name = text(value, size)
      case 3 where wantsText: described.description = text(value, size)
      case 9 where size >= 1: resolution = UInt8(truncatingIfNeeded: buffer.u16(value, bigEndian: false))
      case 14 where size >= 8:
        let first = UInt64(buffer.u32(value, bigEndian: section.bigEndian))
        let second = UInt64(buffer.u32(value &+ 4, bigEndian: section.bigEndian))
        offset = section.bigEndian ? first << 32 | second : second << 32 | first
      default: break
      }
      option = value &+ (size &+ 3) & ~3
    }
    section.interfaces.append(
      SectionInterface(
        scale: TimeScale(resolution: resolution, offsetSeconds: Int64(bitPattern: offset)), linkType: linkType,
        index: UInt16(clamping: section.described), snapshotLength: snapshotLength,
        filterSlot: filterSlot(for: linkType)))
    section.described &+= 1
    if wantsText { interfaces.append(described) } else { droppedInterfaces &+= 1 }
    return nil
  }

  /// Section 4.7: type, length, bytes.
  private mutating func takeSecrets(_ at: Int, _ length: Int) -> CaptureDamage? {
    guard length >= 20 else { return .shortBlock(type: BlockType.decryptionSecrets) }
    let type = buffer.u32(at &+ 8, bigEndian: section.bigEndian)
    let size = buffer.u32(at &+ 12, bigEndian: section.bigEndian)
    guard Int(size) <= length &- 20 else { return .packetBeyondBlock(claimed: size) }
    // An empty block counts as one byte, so that the number of blocks is bounded too.
    let cost = max(Int(size), 1) &+ MemoryLayout<DecryptionSecrets>.size
    guard secretBytes &+ cost <= Self.maximumSecretBytes else {
      droppedSecrets &+= 1
      return nil
    }
    secretBytes &+= cost
    secrets.append(DecryptionSecrets(type: type, data: buffer.copy(at &+ 16, Int(size))))
    return nil
  }

  private func text(_ place: Int, _ size: Int) -> String {
    String(decoding: buffer.copy(place, min(size, Self.maximumTextLength)).prefix { $0 != 0 }, as: UTF8.self)
  }
}
