/// Where flows put their segments: adds headers of TCP and UDP, and lends random bytes.
struct Wire: ~Copyable {
  var file: CaptureFile
  private let noise: [UInt8]
  private var header: [UInt8] = []

  init(_ file: consuming CaptureFile, seed: UInt64) {
    self.file = file
    var random = Random(seed: seed)
    var noise: [UInt8] = []
    noise.put(&random, count: 1 << 17)
    self.noise = noise
  }

  /// Random bytes out of a pool.
  func noise(_ count: Int, _ random: inout Random) -> ArraySlice<UInt8> {
    let start = random.below(noise.count - count)
    return noise[start..<start + count]
  }

  mutating func udp(_ flow: inout Flow, up: Bool, _ payload: ArraySlice<UInt8>) throws(Failure) {
    header.removeAll(keepingCapacity: true)
    header.put16(Int(up ? flow.path.clientPort : flow.path.serverPort))
    header.put16(Int(up ? flow.path.serverPort : flow.path.clientPort))
    header.put16(8 + payload.count)
    header.put16(0)
    try file.frame(
      at: flow.due, flow.path, up: up, transport: 17, header: header, payload: payload,
      identification: Int(truncatingIfNeeded: flow.random.next() >> 48))
  }

  /// Writes a segment and moves its sender's sequence number, unless the segment is `offset` bytes ahead of its turn.
  mutating func tcp(
    _ flow: inout Flow, up: Bool, _ flags: TCPFlags, _ payload: ArraySlice<UInt8> = [], offset: UInt32 = 0
  ) throws(Failure) {
    let isSYN = flags.contains(.syn)
    let mine = up ? flow.clientSequence : flow.serverSequence
    let theirs = up ? flow.serverSequence : flow.clientSequence
    header.removeAll(keepingCapacity: true)
    header.put16(Int(up ? flow.path.clientPort : flow.path.serverPort))
    header.put16(Int(up ? flow.path.serverPort : flow.path.clientPort))
    header.put32(Int(mine &+ offset))
    header.put32(flags.contains(.ack) ? Int(theirs) : 0)
    header.put16((isSYN ? 10 : 8) << 12 | Int(flags.rawValue))
    header.put16(up ? 64_240 : 65_160)
    header.put32(0)
    // Each side has a clock of milliseconds, and echoes the other's.
    let now = Int(truncatingIfNeeded: flow.due / 1_000_000)
    let clocks = [Int(truncatingIfNeeded: flow.seed & 0xffff_ffff), Int(truncatingIfNeeded: flow.seed >> 32)]
    let clock = now + clocks[up ? 0 : 1]
    let echo = flags.contains(.ack) ? now - Int(flow.roundTrip / 2) + clocks[up ? 1 : 0] : 0
    if isSYN {
      header.put64(0x0204_05b4_0402_080a)
      header.put32(clock)
      header.put32(echo)
      header.put32(0x0103_0307)
    } else {
      header.put32(0x0101_080a)
      header.put32(clock)
      header.put32(echo)
    }
    if offset == 0 {
      let moved = mine &+ UInt32(payload.count) &+ (flags.contains(.syn) || flags.contains(.fin) ? 1 : 0)
      if up { flow.clientSequence = moved } else { flow.serverSequence = moved }
    }
    try file.frame(
      at: flow.due, flow.path, up: up, transport: 6, header: header, payload: payload,
      identification: Int(truncatingIfNeeded: flow.random.next() >> 48))
  }
}

/// The control bits of a TCP header (RFC 9293, section 3.1).
struct TCPFlags: OptionSet {
  let rawValue: UInt8
  static let fin = TCPFlags(rawValue: 1)
  static let syn = TCPFlags(rawValue: 2)
  static let rst = TCPFlags(rawValue: 4)
  static let psh = TCPFlags(rawValue: 8)
  static let ack = TCPFlags(rawValue: 16)
}
