import Bytes

//  RFC 5456, section 8.1.1: a full frame; section 8.6: its information elements
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |1|     Source Call Number      |R|   Destination Call Number   |
//   |                            time-stamp                         |
//   |    OSeqno     |    ISeqno     |   Frame Type  |C|  Subclass   |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
//   A mini frame (section 8.1.2) begins with a 0 bit, 15 bits of source call number and 16 of time stamp.

/// Both sides of IAX2: signalling and media in one flow.
struct IAX2Conversation {
  /// The protocol's port.
  static let port: UInt16 = 4569
  /// The length of a full frame's header.
  private static let headerLength = 12

  private static let controls: [UInt8: String] = [
    1: "NEW", 5: "HANGUP", 6: "REJECT", 7: "ACCEPT", 8: "AUTHREQ", 9: "AUTHREP", 13: "REGREQ", 14: "REGAUTH",
    15: "REGACK", 16: "REGREJ", 17: "REGREL", 22: "DIAL", 30: "POKE",
  ]
  private static let signals: [UInt8: String] = [1: "HANGUP", 3: "RINGING", 4: "ANSWER", 5: "BUSY"]

  /// What was read.
  private(set) var log = CallLog()

  /// Whether a datagram begins a call or a registration, or, at IAX2's port, is any full frame of IAX control.
  /// Allocates nothing.
  static func canBegin(_ bytes: borrowing RawSpan, isPort: Bool) -> Bool {
    guard bytes.byteCount >= headerLength, bytes.u8(0) & 0x80 != 0, bytes.u8(10) == 6, bytes.u16(0) & 0x7fff != 0 else {
      return false
    }
    let isFirst = bytes.u16(2) == 0 && bytes.u16(8) == 0
    // NEW says the version first (section 6.2.2); REGREQ and POKE begin with no call of the other side.
    if isFirst, bytes.u8(11) == 1 {
      return bytes.holds(4, at: 12) && bytes.u8(12) == 11 && bytes.u8(13) == 2 && bytes.u16(14) == 2
        && elementsFit(bytes)
    }
    guard isPort, (1...40).contains(bytes.u8(11)) else { return false }
    return elementsFit(bytes)
  }

  /// Whether elements of type, length and value fill the frame.
  private static func elementsFit(_ bytes: borrowing RawSpan) -> Bool {
    var at = headerLength
    while at &+ 2 <= bytes.byteCount { at &+= 2 &+ Int(bytes.u8(at &+ 1)) }
    return at == bytes.byteCount
  }

  /// Takes a datagram.
  mutating func consume(_ datagram: borrowing RawSpan, from side: FlowSide) -> DatagramReading {
    guard datagram.byteCount >= 4 else { return .broken }
    // A mini or meta frame: media of a call (sections 8.1.2 and 8.1.3).
    guard datagram.u8(0) & 0x80 != 0 else { return .mine }
    guard datagram.byteCount >= Self.headerLength else { return .broken }
    let subclass = datagram.u8(11)
    switch datagram.u8(10) {
    case 2: log.note(media: RTPMediaKind.audio.rawValue)
    case 3: log.note(media: RTPMediaKind.video.rawValue)
    case 4: if let name = Self.signals[subclass] { log.note(method: name) }
    case 6:
      if let name = Self.controls[subclass] { log.note(method: name) }
      if subclass == 1, Self.elementsFit(datagram) { readNew(datagram, from: side) }
    case 1, 5, 7...12: break
    default: return .broken
    }
    return .mine
  }

  /// Who calls and who is called (section 8.6, elements 1, 2 and 4).
  private mutating func readNew(_ frame: borrowing RawSpan, from side: FlowSide) {
    var caller: String?
    var callee: String?
    var at = Self.headerLength
    while frame.holds(2, at: at) {
      let length = Int(frame.u8(at &+ 1))
      let value = frame.slice(at &+ 2, length)
      switch frame.u8(at) {
      case 1: callee = CallLog.text(value)
      case 2: caller = CallLog.text(value)
      case 4 where caller == nil: caller = CallLog.text(value)
      default: break
      }
      at &+= 2 &+ length
    }
    let number = frame.u16(0) & 0x7fff
    log.change { facts in
      guard facts.callerSide == nil else { return }
      facts.callerSide = side
      facts.callID = String(number)
      facts.caller = caller
      facts.callee = callee
    }
  }
}
