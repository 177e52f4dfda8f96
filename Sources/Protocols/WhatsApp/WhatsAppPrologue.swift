import Bytes

// What a client of WhatsApp sends first over TCP (whatsmeow, socket/constants.go and framesocket.go; Baileys,
// noise-handler.ts; Meta, WhatsApp Encryption Overview, "Noise Pipes"):
//
//   [ 'E' 'D' 00 01   length (3)   routing information ]     only where the client has been told a route
//   'W' 'A'  magic (1)  dictionary version (1)               06 03 today; 01 05 before Noise, in 2015
//   length (3)  frame                                        a Noise handshake message (protobuf, first tag 12),
//                                                            or, before 2016, a FunXMPP list (f8)

/// WhatsApp's prologue over TCP, ports 443 and 5222: the chat connection of a phone.
///
/// It carries messages, and the signalling of calls. Web clients send the same inside a TLS web socket, where it cannot
/// be seen. Pictures, voice notes and documents are TLS to mmg hosts. Media of calls is STUN with message types
/// of its own on UDP 3478, then SRTP there or between the phones.
enum WhatsAppPrologue {
  /// The longest first frame; a Noise IK hello with its payload stays far below.
  static let longestFrame = 1 << 16

  /// Whether the first bytes of a client are the prologue.
  static func recognize(_ bytes: borrowing RawSpan) -> MessengerRecognition {
    var at = 0
    if bytes.u8(0) == 0x45 {
      guard bytes.byteCount >= 7 else { return isPrefix(bytes, 0x4544_0001) ? .needMore : .notMine }
      guard bytes.u32(0) == 0x4544_0001 else { return .notMine }
      let length = Int(bytes.u8(4)) << 16 | Int(bytes.u16(5))
      guard (1...256).contains(length) else { return .notMine }
      at = 7 &+ length
      guard bytes.byteCount > at else { return .needMore }
    }
    guard bytes.u8(at) == 0x57 else { return .notMine }
    guard bytes.holds(8, at: at) else {
      return !bytes.holds(2, at: at) || bytes.u8(at &+ 1) == 0x41 ? .needMore : .notMine
    }
    guard bytes.u8(at &+ 1) == 0x41, bytes.u8(at &+ 2) < 16, bytes.u8(at &+ 3) < 16 else { return .notMine }
    let length = Int(bytes.u8(at &+ 4)) << 16 | Int(bytes.u16(at &+ 5))
    guard (2...longestFrame).contains(length) else { return .notMine }
    let first = bytes.u8(at &+ 7)
    return first == 0x12 || first == 0xf8 ? .mine(.sure(.whatsapp)) : .notMine
  }

  private static func isPrefix(_ bytes: borrowing RawSpan, _ word: UInt32) -> Bool {
    for i in 0..<min(bytes.byteCount, 4)
    where bytes.u8(i) != UInt8(truncatingIfNeeded: word >> UInt32(24 &- 8 &* i)) { return false }
    return true
  }
}

extension ApplicationProtocol {
  /// WhatsApp's Noise connection over TCP.
  public static let whatsapp: ApplicationProtocol = "whatsapp"
}
