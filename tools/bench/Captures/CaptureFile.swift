import Bytes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What ends the program: one line for its user.
struct Failure: Error {
  let message: String
}

/// A pcap with nanoseconds, little-endian on every machine, written in large pieces.
struct CaptureFile: ~Copyable {
  static let bufferSize = 4 << 20
  /// 2025-12-04, where every capture begins, in nanoseconds since 1970.
  static let epoch: UInt64 = 1_764_843_072_000_000_000

  private(set) var packets = 0
  private(set) var frameBytes = 0
  private(set) var packetsOfIPv6 = 0
  private(set) var packetsOfVLAN = 0

  private let descriptor: Int32
  private let path: String
  private var pending: [UInt8] = []

  init(path: String) throws(Failure) {
    self.path = path
    // Safe: a system call on a string that the compiler keeps for it.
    descriptor = path == "-" ? STDOUT_FILENO : unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard descriptor >= 0 else {
      throw Failure(message: "cannot write \(path): is there such a folder, and is it yours?")
    }
    pending.reserveCapacity(Self.bufferSize + 4096)
    for word: UInt32 in [0xa1b2_3c4d, 2 | 4 << 16, 0, 0, 262_144, 1] { put(word) }
  }

  private mutating func put(_ word: UInt32) {
    for shift: UInt32 in [0, 8, 16, 24] { pending.append(UInt8(truncatingIfNeeded: word >> shift)) }
  }

  /// Writes what is pending.
  mutating func flush() throws(Failure) {
    var done = 0
    while done < pending.count {
      // Safe: the pointer is used only inside the closure, for bytes that it holds.
      let written = unsafe pending.withUnsafeBytes { bytes in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
        return unsafe write(descriptor, rest.baseAddress, rest.count)
      }
      guard written > 0 else {
        if written < 0 && errno == EINTR { continue }
        throw Failure(message: "writing \(path) failed: is the disk full?")
      }
      done += written
    }
    pending.removeAll(keepingCapacity: true)
  }

  /// Frames one transport segment, with its checksums.
  /// - Parameters:
  ///   - time: nanoseconds since the capture's begin.
  ///   - path: whose addresses, ports of its transport already being in `segment`.
  ///   - up: whether the client sends it.
  ///   - transport: the number of the IP header, 6 or 17.
  ///   - header: of TCP or UDP, its checksum 0.
  ///   - payload: what follows the header.
  ///   - identification: of an IPv4 header.
  /// - Throws: `Failure` where the file cannot be written.
  mutating func frame(
    at time: UInt64, _ path: Path, up: Bool, transport: UInt8, header: [UInt8],
    payload: ArraySlice<UInt8>, identification: Int
  ) throws(Failure) {
    let segment = header.count + payload.count
    let length = (path.vlan == 0 ? 14 : 18) + (path.isIPv6 ? 40 : 20) + segment
    let framed = max(60, length)
    let stamp = Self.epoch + time
    put(UInt32(truncatingIfNeeded: stamp / 1_000_000_000))
    put(UInt32(truncatingIfNeeded: stamp % 1_000_000_000))
    put(UInt32(framed))
    put(UInt32(framed))

    // Two locally administered addresses, those of the routers on both sides.
    pending.put64(up ? 0x0200_5e10_0002_0200 : 0x0200_5e10_0001_0200)
    pending.put32(up ? 0x5e10_0001 : 0x5e10_0002)
    if path.vlan != 0 {
      pending.put16(0x8100)
      pending.put16(Int(path.vlan))
      packetsOfVLAN += 1
    }
    let source = up ? path.client : path.server
    let destination = up ? path.server : path.client
    let ttl = Int(up ? path.clientTTL : path.serverTTL)
    if path.isIPv6 {
      pending.put16(0x86dd)
      pending.put32(0x6000_0000 | Int(path.clientPort & 0xfff))
      pending.put16(segment)
      pending.put8(Int(transport))
      pending.put8(ttl)
      for word in [source.high, source.low, destination.high, destination.low] { pending.put64(word) }
      packetsOfIPv6 += 1
    } else {
      let words = [
        0x0800_4500, (segment + 20) << 16 | identification & 0xffff, 0x4000 << 16 | ttl << 8 | Int(transport),
      ]
      let sum = words.reduce(0) { $0 + ($1 >> 16) + ($1 & 0xffff) } - 0x0800 + source.sum + destination.sum
      for word in words { pending.put32(word) }
      pending.put16(complement(sum))
      pending.put32(Int(truncatingIfNeeded: source.low))
      pending.put32(Int(truncatingIfNeeded: destination.low))
    }
    let start = pending.count
    pending.append(contentsOf: header)
    pending.append(contentsOf: payload)
    var sum = complement(
      source.sum + destination.sum + Int(transport) + segment
        + onesSum(pending.rawSpan.slice(start, segment)))
    if transport == 17 && sum == 0 { sum = 0xffff }
    let at = start + (transport == 6 ? 16 : 6)
    pending[at] = UInt8(sum >> 8)
    pending[at + 1] = UInt8(sum & 0xff)
    for _ in length..<framed { pending.append(0) }

    packets += 1
    frameBytes += framed
    if pending.count >= Self.bufferSize { try flush() }
  }
}

/// The Internet checksum of a sum of 16-bit words (RFC 1071).
private func complement(_ sum: Int) -> Int {
  var sum = sum
  while sum >> 16 != 0 { sum = (sum & 0xffff) + (sum >> 16) }
  return ~sum & 0xffff
}

/// A number whose 16-bit words add up to what the bytes' words do.
private func onesSum(_ bytes: borrowing RawSpan) -> Int {
  var sum: UInt64 = 0
  var at = 0
  while at + 8 <= bytes.byteCount {
    let word = bytes.u64(at)
    sum &+= (word >> 32) &+ (word & 0xffff_ffff)
    at += 8
  }
  while at + 2 <= bytes.byteCount {
    sum &+= UInt64(bytes.u16(at))
    at += 2
  }
  if at < bytes.byteCount { sum &+= UInt64(bytes.u8(at)) << 8 }
  return Int(truncatingIfNeeded: sum & 0xffff_ffff) + Int(truncatingIfNeeded: sum >> 32)
}
