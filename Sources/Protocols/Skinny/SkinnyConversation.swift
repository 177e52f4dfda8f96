import Bytes

//  Cisco's Skinny Client Control Protocol, as in Wireshark's packet-skinny: all numbers little-endian
//
//    0                   1                   2                   3
//   +---------------------------------------------------------------+
//   |         data length: of what follows the header version       |
//   +---------------------------------------------------------------+
//   |         header version: 0, or 0x11 to 0x16 (version 17 to 22) |
//   +---------------------------------------------------------------+
//   |         message identifier                                    |
//   +---------------------------------------------------------------+
//   |         data ...                                              |

/// Both sides of Skinny over TCP, between a telephone and its call manager.
struct SkinnyConversation {
  /// The call manager's port.
  static let port: UInt16 = 2000
  /// The length of data length and header version.
  private static let headerLength = 8
  /// The longest message; a station's template has some two thousand bytes.
  static let maximumLength = 1 << 13

  private static let names: [UInt32: String] = [
    0x01: "Register", 0x22: "OpenReceiveChannelAck", 0x26: "SoftKeyEvent", 0x06: "OffHook", 0x07: "OnHook",
    0x03: "KeypadButton", 0x81: "RegisterAck", 0x85: "SetRinger", 0x8a: "StartMediaTransmission",
    0x8b: "StopMediaTransmission", 0x8f: "CallInfo", 0x105: "OpenReceiveChannel", 0x106: "CloseReceiveChannel",
    0x111: "CallState", 0x14a: "CallInfoV2", 0x154: "StartMediaTransmissionAck",
  ]

  private struct Side {
    var buffer: [UInt8] = []
    var isBroken = false
  }

  /// What was read.
  private(set) var log = CallLog()
  private var sides = Sides(Side())

  /// Bytes that are kept.
  var bufferedBytes: Int { sides.client.buffer.count + sides.server.buffer.count }
  /// Whether nothing more can be read.
  var isDone: Bool { sides.client.isBroken && sides.server.isBroken }

  /// Whether first bytes of a stream are Skinny's; nil while they may become it. Away from its port only a telephone's
  /// registration is taken, which holds a device name.
  static func canBeginStream(_ bytes: borrowing RawSpan, isPort: Bool) -> Bool? {
    let wanted = 12
    guard bytes.byteCount >= wanted else {
      if bytes.byteCount >= 4, !(4...UInt32(maximumLength)).contains(little(bytes, 0)) { return false }
      return isPort || bytes.byteCount == 0 || bytes.byteCount >= 4 ? nil : false
    }
    guard isHeader(bytes, at: 0) else { return false }
    let identifier = little(bytes, 8)
    if identifier == 1, bytes.byteCount >= 15 {
      return bytes.has("sep", at: 12) || bytes.has("cip", at: 12) || bytes.has("ata", at: 12) || isPort
    }
    return isPort ? true : identifier == 1 ? nil : false
  }

  /// Whether a header can stand here: a length, a version and an identifier that telephones and managers use.
  private static func isHeader(_ bytes: borrowing RawSpan, at offset: Int) -> Bool {
    guard bytes.holds(12, at: offset) else { return false }
    let length = little(bytes, offset), version = little(bytes, offset &+ 4), identifier = little(bytes, offset &+ 8)
    let isVersion = version == 0 || (0x01...0x20).contains(version)
    let isIdentifier = identifier <= 0x160 || (0x8000...0x8102).contains(identifier)
    return (4...UInt32(maximumLength)).contains(length) && isVersion && isIdentifier
  }

  private static func little(_ bytes: borrowing RawSpan, _ offset: Int) -> UInt32 {
    bytes.holds(4, at: offset) ? bytes.u32(offset).byteSwapped : 0
  }

  /// Announcements since the last call.
  mutating func takeAnnouncements() -> [AnnouncedEndpoint] { log.takeAnnouncements() }

  /// Takes the next bytes of a stream.
  mutating func consume(stream bytes: borrowing RawSpan, from side: FlowSide) {
    guard !sides[side].isBroken else { return }
    var all = sides[side].buffer
    sides[side].buffer = []
    all.append(bytes.slice(0, bytes.byteCount))
    var at = 0
    while all.count &- at >= 12 {
      guard Self.isHeader(all.rawSpan, at: at) else {
        sides[side].isBroken = true
        return
      }
      let length = Self.headerLength &+ Int(Self.little(all.rawSpan, at))
      guard all.count &- at >= length else { break }
      read(all.rawSpan.slice(at, length), from: side)
      at &+= length
    }
    all.removeFirst(at)
    sides[side].buffer = all
  }

  /// Bytes of a side are lost.
  mutating func skipGap(from side: FlowSide) {
    sides[side].buffer = []
    sides[side].isBroken = true
  }

  private mutating func read(_ message: borrowing RawSpan, from side: FlowSide) {
    let identifier = Self.little(message, 8)
    if let name = Self.names[identifier] { log.note(method: name) }
    // From version 17 on, an address is its kind (0: IPv4) and 16 bytes.
    let isLong = Self.little(message, 4) >= 17
    switch identifier {
    case 0x22: readEndpoint(message, at: 16, isLong: isLong)
    case 0x8a: readEndpoint(message, at: 20, isLong: isLong)
    case 0x8f: readCallInfo(message, from: side)
    default: break
    }
  }

  private mutating func readEndpoint(_ message: borrowing RawSpan, at offset: Int, isLong: Bool) {
    guard message.holds(isLong ? 24 : 8, at: offset) else { return }
    let address: IPAddress
    if isLong, Self.little(message, offset) == 1 {
      address = IPAddress(high: message.u64(offset &+ 4), low: message.u64(offset &+ 12))
    } else {
      address = IPAddress(v4: message.u32(isLong ? offset &+ 4 : offset))
    }
    guard let port = UInt16(exactly: Self.little(message, offset &+ (isLong ? 20 : 4))) else { return }
    log.note(media: RTPMediaKind.audio.rawValue)
    log.announce(rtp: Endpoint(address, port), media: RTPMediaKind.audio.rawValue)
  }

  /// Names of 40 and numbers of 24 bytes: the caller's, then the callee's; line, reference and direction.
  private mutating func readCallInfo(_ message: borrowing RawSpan, from side: FlowSide) {
    guard message.holds(152, at: 0) else { return }
    func text(_ offset: Int, _ length: Int) -> String? {
      let field = message.slice(offset, length)
      return CallLog.text(field.slice(0, field.firstIndex(of: 0) ?? field.byteCount))
    }
    let caller = text(52, 24), callee = text(116, 24)
    let reference = Self.little(message, 144), direction = Self.little(message, 148)
    log.change { facts in
      guard facts.callID == nil else { return }
      facts.callID = String(reference)
      facts.caller = caller
      facts.callee = callee
      // 1: the telephone is called, 2: it calls. The message is the manager's.
      if direction == 1 { facts.callerSide = side }
      if direction == 2 { facts.callerSide = side.opposite }
    }
  }
}
