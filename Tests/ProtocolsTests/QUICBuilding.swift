import Bytes
import QUICKeys

@testable import Protocols

/// Builds synthetic QUIC packets, really protected.
struct QUICBuilder {
  var version = QUICVersion.v1
  /// The connection ID that keys follow from.
  var keyID: [UInt8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08]
  var destination: [UInt8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08]
  var source: [UInt8] = [0xc1, 0xc2, 0xc3, 0xc4]
  var sender = QUICInitialKeys.Sender.client
  var token: [UInt8] = []
  var number = 0
  /// Those of the version, unless a test wants others.
  var protection: QUICInitialProtection?

  static func integer(_ value: Int) -> [UInt8] {
    switch value {
    case ..<0x40: [UInt8(value)]
    case ..<0x4000: [0x40 | UInt8(value >> 8), UInt8(value & 255)]
    default: [0x80 | UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
    }
  }

  static func crypto(_ data: some Collection<UInt8>, at offset: Int) -> [UInt8] {
    [6] + integer(offset) + integer(data.count) + Array(data)
  }

  private func header(_ type: UInt8) -> [UInt8] {
    let shifted = version.hasSecondTypes ? (type + 1) & 3 : type
    return [0xc0 | shifted << 4] + PacketBytes.u32(version.rawValue) + [UInt8(destination.count)] + destination
      + [UInt8(source.count)] + source
  }

  /// An Initial with a packet number of two bytes; padded so that the packet is at least `size` bytes long.
  func initial(_ frames: [UInt8], size: Int = 0) -> [UInt8] {
    var head = header(0)
    head[0] |= 1
    head += Self.integer(token.count) + token
    let missing = size - head.count - 4 - frames.count - 16
    let payload = frames + [UInt8](repeating: 0, count: max(missing, max(0, 4 - frames.count)))
    let length = 2 + payload.count + 16
    head += [0x40 | UInt8(length >> 8), UInt8(length & 255)] + [UInt8(number >> 8 & 255), UInt8(number & 255)]
    let keys = QUICInitialKeys(protection ?? version.protection(0) ?? .v1, connectionID: keyID, sender: sender)
    return keys.seal(header: head, payload: payload, numberLength: 2) ?? []
  }

  /// A packet of another type, with ciphertext that nobody can open.
  func handshake(_ length: Int = 60) -> [UInt8] {
    header(2) + Self.integer(length) + [UInt8](repeating: 0xe7, count: length)
  }

  func zeroRTT(_ length: Int = 60) -> [UInt8] {
    header(1) + Self.integer(length) + [UInt8](repeating: 0xe7, count: length)
  }

  func retry(token: [UInt8]) -> [UInt8] { header(3) + token + [UInt8](repeating: 0x7a, count: 16) }

  func negotiation(_ versions: [UInt32]) -> [UInt8] {
    [0x80, 0, 0, 0, 0, UInt8(destination.count)] + destination + [UInt8(source.count)] + source
      + versions.flatMap(PacketBytes.u32)
  }

  func short(_ length: Int = 40) -> [UInt8] { [0x41] + destination + [UInt8](repeating: 0x5c, count: length) }

  /// What the server answers with: it writes to the client's connection ID.
  func server(_ id: [UInt8]) -> QUICBuilder {
    var other = self
    other.sender = .server
    other.destination = source
    other.source = id
    return other
  }

  /// Synthetic: a hello as a browser's, with transport parameters, `padding` bytes longer than it must be.
  static func hello(_ name: String, alpn: [String] = ["h3"], padding: Int = 0, extra: [UInt8] = []) -> [UInt8] {
    let parameters =
      [0x01, 4, 0x80, 0, 0x75, 0x30] + [0x20, 4, 0x80, 1, 0, 0] + integer(31 * 5 + 27) + [1, 0]
      + [0x71, 0x29, 7] + Array("Test/01".utf8) + [0x04, 1, 9]
    let extensions =
      Sample.serverName(Array(name.utf8)) + Sample.alpn(alpn.map { Array($0.utf8) }) + Sample.versions([0x3a3a, 0x304])
      + Sample.list16(13, [0x0403, 0x0804]) + Sample.field(57, parameters)
      + Sample.field(21, [UInt8](repeating: 0, count: padding)) + extra
    return Sample.message(1, Sample.clientHelloBody(suites: [0x1301, 0x1302], extensions: extensions))
  }
}

private enum PacketBytes {
  static func u32(_ value: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
}

extension QUICConversation {
  init() { self.init(wantsFingerprints: true, cache: nil) }

  @discardableResult
  mutating func feed(_ datagram: [UInt8], from side: FlowSide = .client, isCut: Bool = false) -> DatagramReading {
    consume(datagram.rawSpan, from: side, isCut: isCut)
  }

  static func canBegin(_ datagram: [UInt8], isCut: Bool = false) -> Bool { canBegin(datagram.rawSpan, isCut: isCut) }
}
