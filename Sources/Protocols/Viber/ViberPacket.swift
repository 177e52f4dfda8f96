import Bytes

// Datagrams of a Viber call before and beside its media, ports 5243, 7985, 7987 and 9785:
//
//   session (2)   type (2, little-endian)   ...
//
// Types and their lengths: 1 with 05 00 behind it, 3 of 12 bytes, 9 of 20, 19 and 1b of 34 (ntop/nDPI, viber.c); 1a of
// 20, b of 34 and c of 76, the answers, and the session that both sides repeat, are seen in that project's viber.pcap.

/// A datagram of Viber's call protocol.
enum ViberPacket {
  /// The type, where type and length go together.
  static func type(_ datagram: borrowing RawSpan) -> UInt16? {
    guard datagram.byteCount >= 12 else { return nil }
    let type = datagram.u16(2).byteSwapped
    let fits =
      switch type {
      case 0x01: datagram.u16(4) == 0x0500 && datagram.byteCount >= 32
      case 0x03: datagram.byteCount == 12
      case 0x09, 0x1a: datagram.byteCount == 20
      case 0x0b, 0x19, 0x1b: datagram.byteCount == 34
      case 0x0c: datagram.byteCount == 76
      default: false
      }
    return fits ? type : nil
  }

  /// A datagram of the kind says little alone.
  static func recognize(_ datagram: borrowing RawSpan) -> MessengerSignature? {
    type(datagram) == nil ? nil : .weak(.viberCall)
  }
}

/// Datagrams of one session and different kinds make a call.
struct ViberConversation {
  private(set) var strength = MessengerSignature.Strength.weak
  private var session: UInt16?
  private var types: UInt32 = 0

  mutating func consume(_ datagram: borrowing RawSpan) -> DatagramReading {
    guard let type = ViberPacket.type(datagram) else { return .notMine }
    guard session == nil || session == datagram.u16(0) else { return .notMine }
    session = datagram.u16(0)
    types |= 1 << UInt32(type & 31)
    if types.nonzeroBitCount >= 2 { strength = .sure }
    return .mine
  }
}
