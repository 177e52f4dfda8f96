import QUICKeys

//  RFC 9000, sections 12.4, 14.1 and 17.2.2; RFC 9001, section 5
//
//   datagram of at least 1,200 bytes
//   +---------------------------------------------------------------------------+---------------------+
//   | 1100rrpp | version | DCID | SCID | token: none | length | packet number   | frames, PADDING, tag |
//   +---------------------------------------------------------------------------+---------------------+

/// Makes a client's Initial packets.
struct InitialWriter {
  /// Bytes of a datagram: the least that a client's first ones must have, and the most that Ethernet and IPv6 carry.
  static let shortestDatagram = 1_200, longestDatagram = 1_452
  /// RFC 9369.
  static let version2: UInt32 = 0x6b33_43cf
  /// Bytes of a packet number.
  private static let numberLength = 2
  /// Bytes of frames below which none is cut to fill a datagram: the rest would be frame headers only.
  private static let shortestCut = 32

  /// What an Initial is filled with.
  enum Frame: Equatable {
    /// Bytes of the hello from an offset on.
    case crypto(Int, [UInt8])
    case ping
    /// So many bytes of PADDING.
    case padding(Int)

    /// Its bytes (RFC 9000, section 19).
    var bytes: [UInt8] {
      switch self {
      case .crypto(let offset, let data): [6] + variable(offset) + variable(data.count) + data
      case .ping: [1]
      case .padding(let count): [UInt8](repeating: 0, count: count)
      }
    }
  }

  let origin: InitialOrigin
  private let keys: QUICInitialKeys
  private let length: Int

  /// A writer of datagrams of a length; the nearest that is allowed.
  init(_ origin: InitialOrigin, length: Int = shortestDatagram) {
    self.origin = origin
    self.length = min(max(length, Self.shortestDatagram), Self.longestDatagram)
    keys = QUICInitialKeys(origin.protection, connectionID: origin.destinationID, sender: .client)
  }

  /// Bytes before the packet number.
  private var headerLength: Int { 7 + origin.destinationID.count + origin.sourceID.count + 1 + 2 }
  /// Bytes of frames in a datagram.
  var room: Int { length - headerLength - Self.numberLength - QUICInitialKeys.tagLength }

  /// Frames in as few datagrams as their order allows; a CRYPTO frame that does not fit goes on in the next.
  func packed(_ frames: [Frame]) -> [[Frame]] {
    var groups: [[Frame]] = []
    var group: [Frame] = []
    var left = room
    for frame in frames {
      var frame = frame
      while frame.bytes.count > left {
        if case .crypto(let offset, let data) = frame, left >= Self.shortestCut {
          // Of a frame's header no more than 1, 4 and 2 bytes.
          let count = min(left - 7, data.count)
          group.append(.crypto(offset, Array(data.prefix(count))))
          frame = .crypto(offset + count, Array(data.dropFirst(count)))
        } else if group.isEmpty {
          // Longer than a whole datagram, and not to be cut.
          break
        }
        groups.append(group)
        group = []
        left = room
      }
      group.append(frame)
      left -= min(frame.bytes.count, left)
    }
    if !group.isEmpty { groups.append(group) }
    return groups
  }

  /// A datagram with one Initial, filled up with PADDING; nil where the frames do not fit.
  func datagram(_ frames: [Frame], number: UInt16) -> [UInt8]? {
    let type: UInt8 = origin.version == Self.version2 ? 1 : 0
    var payload = frames.flatMap(\.bytes)
    guard payload.count <= room, origin.destinationID.count <= 20, origin.sourceID.count <= 20 else { return nil }
    payload += [UInt8](repeating: 0, count: room - payload.count)
    var header: [UInt8] = [0xc0 | type << 4 | UInt8(Self.numberLength - 1)]
    header.put32(origin.version)
    header.append(UInt8(origin.destinationID.count))
    header += origin.destinationID
    header.append(UInt8(origin.sourceID.count))
    header += origin.sourceID
    // No token; then the length in two bytes.
    header.append(0)
    header.put16(0x4000 | Self.numberLength + payload.count + QUICInitialKeys.tagLength)
    header.put16(Int(number))
    return keys.seal(header: header, payload: payload, numberLength: Self.numberLength)
  }

  /// A datagram a group; nil where one does not fit.
  func datagrams(_ groups: [[Frame]]) -> [[UInt8]]? {
    let made = groups.enumerated().compactMap { datagram($0.element, number: UInt16(clamping: $0.offset)) }
    return made.count == groups.count ? made : nil
  }
}

/// A variable-length integer (RFC 9000, section 16) below 2^30.
private func variable(_ value: Int) -> [UInt8] {
  var bytes: [UInt8] = []
  switch value {
  case ..<64: bytes.append(UInt8(clamping: value))
  case ..<16_384: bytes.put16(0x4000 | value)
  default: bytes.put32(0x8000_0000 | UInt32(clamping: value))
  }
  return bytes
}
