import Bytes
import QUICKeys

//  RFC 9000, section 17.2.2; version 2 (RFC 9369) numbers the type 1
//
//   +----------+------------+---------+---------+----------+-----------+-----------------------+
//   | 1100rrpp | 4: version | 1: DCID | 1: SCID | i: token | i: length | packet number, frames |
//   +----------+------------+---------+---------+----------+-----------+-----------------------+

/// Gathers the ClientHello out of a client's Initials.
struct InitialReader {
  /// The most bytes of CRYPTO data that are kept; a hello with post-quantum key shares has some 2,000.
  static let maximumBytes = 1 << 14
  /// The most datagrams that are kept and opened.
  static let maximumDatagrams = 16

  /// What the first Initial that could be opened said.
  private(set) var origin: InitialOrigin?
  /// The datagrams so far, from that one on.
  private(set) var datagrams: [[UInt8]] = []
  private var keys: QUICInitialKeys?
  private var stream: [UInt8?] = []
  /// Datagrams that were looked at.
  private var count = 0

  /// Whether it makes no sense to go on.
  var isHopeless: Bool { count >= Self.maximumDatagrams }

  /// The whole ClientHello with its header, once all of it is there.
  var handshake: [UInt8]? {
    guard stream.count >= 4, let type = stream[0], type == 1, let a = stream[1], let b = stream[2], let c = stream[3]
    else { return nil }
    let length = 4 + (Int(a) << 16 | Int(b) << 8 | Int(c))
    guard length <= stream.count else { return nil }
    let message = stream[..<length].compactMap(\.self)
    return message.count == length ? message : nil
  }

  /// Takes a datagram of the client.
  mutating func take(_ datagram: borrowing RawSpan) {
    guard count < Self.maximumDatagrams else { return }
    count += 1
    var offset = 0
    var isOpened = false
    while let packet = Packet(datagram, at: offset) {
      if packet.isInitial, open(packet, datagram) { isOpened = true }
      offset = packet.end
    }
    if isOpened { datagrams.append(datagram.slice(0, datagram.byteCount).array) }
  }

  private mutating func open(_ packet: Packet, _ datagram: borrowing RawSpan) -> Bool {
    if let origin, origin.version != packet.version || origin.destinationID != packet.destination { return false }
    guard let protection = Self.protection(of: packet.version) else { return false }
    let keys = keys ?? QUICInitialKeys(protection, connectionID: packet.destination, sender: .client)
    var frames: [UInt8] = []
    let bytes = datagram.slice(packet.start, packet.end - packet.start)
    guard keys.open(bytes, packetNumberAt: packet.body - packet.start, into: &frames) != nil else { return false }
    self.keys = keys
    origin =
      origin
      ?? InitialOrigin(
        version: packet.version, protection: protection, destinationID: packet.destination, sourceID: packet.source)
    // What stands behind a broken frame is not read; what came before it stays.
    try? read(frames.rawSpan)
    return true
  }

  private mutating func read(_ frames: borrowing RawSpan) throws(ParseError) {
    var reader = ByteReader(copy frames)
    while !reader.isAtEnd {
      switch try reader.u8() {
      case 0, 1: continue
      case 6:
        let offset = try reader.variable()
        let data = try reader.take(reader.variable())
        guard offset <= Self.maximumBytes, data.byteCount <= Self.maximumBytes - offset else { continue }
        if stream.count < offset + data.byteCount {
          stream += [UInt8?](repeating: nil, count: offset + data.byteCount - stream.count)
        }
        for i in 0..<data.byteCount where stream[offset + i] == nil { stream[offset + i] = data.u8(i) }
      // A client acknowledges nothing before the server spoke, and its hello is whole by then.
      default: return
      }
    }
  }

  /// The protection of the versions whose Initials are laid out as above.
  private static func protection(of version: UInt32) -> QUICInitialProtection? {
    switch version {
    case 1: .v1
    case InitialWriter.version2: .v2
    case 0xff00_001d...0xff00_0020: .draft29
    default: nil
    }
  }

  /// A long header's places in its datagram.
  private struct Packet {
    var version: UInt32
    var destination: [UInt8], source: [UInt8]
    var isInitial: Bool
    var start: Int, body: Int, end: Int

    init?(_ datagram: borrowing RawSpan, at start: Int) {
      guard datagram.holds(7, at: start), datagram.u8(start) & 0xc0 == 0xc0 else { return nil }
      self.start = start
      version = datagram.u32(start + 1)
      let type = datagram.u8(start) >> 4 & 3
      isInitial = version == InitialWriter.version2 ? type == 1 : type == 0
      do throws(ParseError) {
        var reader = ByteReader(copy datagram)
        try reader.skip(start + 5)
        destination = try reader.take(Int(reader.u8())).array
        source = try reader.take(Int(reader.u8())).array
        guard destination.count <= 20, source.count <= 20 else { return nil }
        if isInitial { try reader.skip(reader.variable()) }
        let length = try reader.variable()
        body = reader.offset
        try reader.skip(length)
        end = reader.offset
      } catch {
        return nil
      }
      guard end > body else { return nil }
    }
  }
}

extension ByteReader {
  /// Reads a variable-length integer (RFC 9000, section 16) that counts bytes.
  @_lifetime(self: copy self)
  fileprivate mutating func variable() throws(ParseError) -> Int {
    let first = try u8()
    var value = UInt64(first & 0x3f)
    for _ in 1..<(1 << Int(first >> 6)) { value = value << 8 | UInt64(try u8()) }
    return Int(clamping: value)
  }
}
