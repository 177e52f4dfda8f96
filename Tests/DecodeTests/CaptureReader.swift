import Foundation

/// Just enough of pcap and pcapng to hand packets of the corpus to the decoder under test.
struct CaptureReader {
  struct Packet {
    var linkType: UInt16
    var wireLength: Int
    var timestamp: Int64
    var bytes: [UInt8]
  }

  private(set) var packets: [Packet] = []
  private let data: [UInt8]
  private var bigEndian = false

  init(_ file: URL) throws {
    var data = [UInt8](try Data(contentsOf: file))
    if data.starts(with: [0x1f, 0x8b]) { data = try Self.inflate(file) }
    self.data = data
    guard data.count >= 24 else { return }
    switch u32(0) {
    case 0xd4c3_b2a1: pcap(fraction: 1000)
    case 0x4d3c_b2a1: pcap(fraction: 1)
    case 0xa1b2_c3d4:
      bigEndian = true
      pcap(fraction: 1000)
    case 0xa1b2_3c4d:
      bigEndian = true
      pcap(fraction: 1)
    case 0x0a0d_0d0a: pcapng()
    default: break
    }
  }

  private static func inflate(_ file: URL) throws -> [UInt8] {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["gzip", "-dc", file.path]
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return [UInt8](data)
  }

  /// Big-endian before `bigEndian` is known: the magic numbers above are spelled so.
  private func u32(_ at: Int) -> UInt32 { data[at..<at + 4].reduce(0) { $0 << 8 | UInt32($1) } }
  private func field32(_ at: Int) -> Int { Int(bigEndian ? u32(at) : u32(at).byteSwapped) }
  private func field16(_ at: Int) -> UInt16 {
    let value = UInt16(data[at]) << 8 | UInt16(data[at + 1])
    return bigEndian ? value : value.byteSwapped
  }

  private mutating func pcap(fraction: Int) {
    let link = UInt16(truncatingIfNeeded: field32(20))
    var at = 24
    while at + 16 <= data.count {
      let captured = field32(at + 8)
      guard at + 16 + captured <= data.count else { return }
      packets.append(
        Packet(
          linkType: link, wireLength: field32(at + 12),
          timestamp: Int64(field32(at) * 1_000_000_000 + field32(at + 4) * fraction),
          bytes: Array(data[at + 16..<at + 16 + captured])))
      at += 16 + captured
    }
  }

  private mutating func pcapng() {
    var links: [UInt16] = []
    var at = 0
    while at + 12 <= data.count {
      if u32(at) == 0x0a0d_0d0a {
        bigEndian = u32(at + 8) == 0x1a2b_3c4d
        links = []
      }
      let type = field32(at)
      let length = field32(at + 4)
      guard length >= 12, at + length <= data.count else { return }
      let body = at + 8
      switch type {
      case 1: links.append(field16(body))
      case 6, 2:
        let interface = type == 6 ? field32(body) : Int(field16(body))
        let captured = field32(body + 12)
        guard links.indices.contains(interface), captured <= length - 32 else { break }
        // Microseconds are near enough for fragments: corpus files do not use other resolutions with them.
        packets.append(
          Packet(
            linkType: links[interface], wireLength: field32(body + 16),
            timestamp: Int64(field32(body + 4) << 32 | field32(body + 8)) &* 1000,
            bytes: Array(data[body + 20..<body + 20 + captured])))
      case 3:
        guard let link = links.first else { break }
        let wire = field32(body)
        packets.append(
          Packet(
            linkType: link, wireLength: wire, timestamp: 0,
            bytes: Array(data[body + 4..<body + 4 + min(wire, length - 16)])))
      default: break
      }
      at += length
    }
  }
}
