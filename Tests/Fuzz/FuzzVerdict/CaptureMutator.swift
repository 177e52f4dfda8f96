// libFuzzer's own changes nearly always break the framing of a capture: one byte more in a packet and everything behind
// it is damage. So half of the inputs are changed here packet by packet, with the lengths put right afterwards.

/// libFuzzer's default mutation (FuzzerInterface.h).
@_silgen_name("LLVMFuzzerMutate")
private func mutateBytes(_ data: UnsafeMutablePointer<UInt8>?, _ size: Int, _ maximum: Int) -> Int

/// A pcap file of this byte order (draft-ietf-opsawg-pcap), taken apart.
private struct LittlePcap {
  static let headerLength = 24
  static let recordLength = 16
  var header: [UInt8]
  var records: [(head: [UInt8], bytes: [UInt8])] = []

  init?(_ file: [UInt8]) {
    guard file.count >= Self.headerLength, file[0] == 0xd4 || file[0] == 0x4d, file[3] == 0xa1 else { return nil }
    header = Array(file[..<Self.headerLength])
    var at = Self.headerLength
    while at + Self.recordLength <= file.count {
      let head = Array(file[at..<at + Self.recordLength])
      let length = Int(head[8]) | Int(head[9]) << 8
      at += Self.recordLength
      let end = min(at + length, file.count)
      records.append((head, Array(file[at..<end])))
      at = end
    }
    if records.isEmpty { return nil }
  }

  var bytes: [UInt8] {
    var file = header
    for record in records {
      var head = record.head
      let length = (0..<4).map { UInt8(record.bytes.count >> (8 * $0) & 255) }
      head.replaceSubrange(8..<12, with: length)
      head.replaceSubrange(12..<16, with: length)
      file += head + record.bytes
    }
    return file
  }

  /// Puts the lengths of IPv4 and UDP headers right, so that what was added is payload.
  mutating func repairLengths(of index: Int) {
    var packet = records[index].bytes
    let start = header[20] == 101 ? 0 : 14
    guard packet.count >= start + 28, packet.count < 65_536, packet[start] == 0x45 else { return }
    func set(_ at: Int, _ value: Int) {
      packet[at] = UInt8(value >> 8 & 255)
      packet[at + 1] = UInt8(value & 255)
    }
    set(start + 2, packet.count - start)
    if packet[start + 9] == 17 { set(start + 24, packet.count - start - 20) }
    records[index].bytes = packet
  }
}

/// Changes an input in place, one of its packets or any of its bytes.
/// - Returns: the new size, at most `maximum`.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutateCapture(
  _ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ maximum: Int, _ seed: UInt32
) -> Int {
  // Safe: libFuzzer gives `size` bytes at `data`, with room for `maximum`.
  let buffer = unsafe UnsafeMutableBufferPointer(start: data, count: maximum)
  guard seed & 1 == 0, var capture = LittlePcap(unsafe Array(buffer[..<size])) else {
    return unsafe mutateBytes(data, size, maximum)
  }
  let choice = Int(seed >> 1 & 7)
  let one = Int(seed >> 4 & 0xfff) % capture.records.count
  let other = Int(seed >> 16) % capture.records.count
  switch choice {
  case 0: capture.records.insert(capture.records[one], at: other)
  case 1: capture.records.swapAt(one, other)
  case 2 where capture.records.count > 1: capture.records.remove(at: one)
  default:
    var packet = capture.records[one].bytes
    // Changes behind the headers most of the time: they were found long ago.
    let start = choice > 4 && packet.count > 54 ? 54 : 0
    let room = max(maximum - size, 0)
    var part = Array(packet[start...]) + [UInt8](repeating: 0, count: room)
    let length = part.count - room
    let changed = unsafe part.withUnsafeMutableBufferPointer {
      unsafe mutateBytes($0.baseAddress, length, $0.count)
    }
    packet.replaceSubrange(start..., with: part[..<changed])
    capture.records[one].bytes = packet
    if seed >> 31 == 0 { capture.repairLengths(of: one) }
  }
  let file = capture.bytes
  guard file.count <= maximum else { return unsafe mutateBytes(data, size, maximum) }
  for (index, byte) in file.enumerated() { unsafe buffer[index] = byte }
  return file.count
}
