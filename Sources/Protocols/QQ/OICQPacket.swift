import Bytes

// OICQ (Wireshark, packet-oicq.c; Pidgin's qq plug-in, header_info.h): UDP port 8000, or TCP with a length of 2 bytes, which
// counts itself, in front:
//
//   02   version (2)   command (2)   sequence (2)   account (4)   ciphertext   03

/// A packet of QQ's client protocol.
enum OICQPacket {
  /// What a datagram shows: the port decides how much.
  static func recognize(
    datagram: borrowing RawSpan, _ serverPort: UInt16, _ clientPort: UInt16
  ) -> MessengerSignature? {
    guard isPacket(datagram, from: 0) else { return nil }
    return serverPort == 8000 || clientPort == 8000 ? .sure(.oicq) : .weak(.oicq)
  }

  /// What the first bytes of a stream show.
  static func recognize(stream bytes: borrowing RawSpan) -> MessengerSignature? {
    guard bytes.byteCount >= 14, Int(bytes.u16(0)) == bytes.byteCount, isPacket(bytes, from: 2) else { return nil }
    return .sure(.oicq)
  }

  /// Whether a packet reaches from `start` to the end.
  private static func isPacket(_ bytes: borrowing RawSpan, from start: Int) -> Bool {
    guard bytes.byteCount >= start &+ 13, bytes.u8(start) == 2, bytes.u8(bytes.byteCount &- 1) == 3 else {
      return false
    }
    // Versions went from 0100 in 2000 to 3b0b and beyond; accounts begin at 10000.
    return bytes.u8(start &+ 1) != 0 && isCommand(bytes.u16(start &+ 3)) && bytes.u32(start &+ 7) >= 10_000
  }

  /// The commands that are known.
  private static func isCommand(_ command: UInt16) -> Bool {
    switch command {
    case 0x0001, 0x0002, 0x0004...0x0006, 0x0009...0x000b, 0x000d, 0x0012, 0x0016...0x0018, 0x001a, 0x001c, 0x001d,
      0x0021, 0x0022, 0x0026, 0x0027, 0x0029, 0x0030, 0x0031, 0x003c...0x003e, 0x0058, 0x005c, 0x0062, 0x0065,
      0x0067, 0x0080, 0x0081, 0x0091, 0x00b5, 0x00ce, 0x00cd, 0x00ba, 0x00dd, 0x00e5, 0x0825, 0x0836, 0x0828:
      true
    default: false
    }
  }

  /// The account and the version: what stays the same.
  static func constants(_ datagram: borrowing RawSpan) -> UInt64 {
    guard datagram.byteCount >= 13 else { return 0 }
    return UInt64(datagram.u16(1)) << 32 | UInt64(datagram.u32(7))
  }
}

/// Packets of one account make a connection, whatever the port.
struct OICQConversation {
  private(set) var strength = MessengerSignature.Strength.weak
  private var constants: UInt64 = 0

  mutating func consume(
    _ datagram: borrowing RawSpan, _ serverPort: UInt16, _ clientPort: UInt16
  ) -> DatagramReading {
    guard let signature = OICQPacket.recognize(datagram: datagram, serverPort, clientPort) else { return .notMine }
    strength = max(strength, signature.strength)
    if constants == OICQPacket.constants(datagram) { strength = .sure }
    constants = OICQPacket.constants(datagram)
    return .mine
  }
}

extension ApplicationProtocol {
  /// QQ's client protocol.
  public static let oicq: ApplicationProtocol = "oicq"
}
