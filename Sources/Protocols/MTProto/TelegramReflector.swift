import Bytes

// Telegram's call reflectors over UDP (TelegramMessenger/tgcalls, v2/ReflectorPort.cpp; libtgvoip, PrivateDefines.h):
//
//   hello    peer tag (16)  ff x 12  fe ff ff ff  query (8)
//   probe    peer tag (16)  ff x 16
//   answer   peer tag (16)  ff x 12  constructor (4, little-endian): c01572c7 own, 27d9371c and 83fc73b1 peer address
//   data     peer tag (16)  sender's tag (4)  length (4)  STUN, DTLS or SRTP  padding to a multiple of 4
//
// Calls of the older library have only ciphertext behind the peer tag.

/// A datagram between a client of Telegram and a call reflector.
enum TelegramReflector {
  /// Where the inner packet of a data message begins.
  static let dataOffset = 24

  /// Whether a datagram is a hello, a probe or an answer.
  static func recognize(_ datagram: borrowing RawSpan) -> MessengerSignature? {
    guard datagram.byteCount >= 32, datagram.u64(16) == .max, datagram.u32(24) == .max else { return nil }
    // A tag of the same bytes is filler.
    guard datagram.u64(0) != .max, datagram.u64(0) != 0 else { return nil }
    switch datagram.u32(28) {
    case 0xfeff_ffff: return datagram.byteCount == 40 ? .sure(.telegramReflector) : nil
    // Silence of G.711 is a row of ff too.
    case 0xffff_ffff: return datagram.byteCount == 32 ? .weak(.telegramReflector) : nil
    case 0xc772_15c0, 0x1c37_d927, 0xb173_fc83: return .sure(.telegramReflector)
    default: return nil
    }
  }

  /// The offset of the packet inside a data message, or `nil` where its length does not fit.
  static func innerOffset(_ datagram: borrowing RawSpan) -> Int? {
    guard datagram.byteCount > dataOffset else { return nil }
    let rest = datagram.byteCount &- dataOffset &- Int(datagram.u32(20))
    return (0...3).contains(rest) ? dataOffset : nil
  }
}

/// What follows a hello on the same path carries the same peer tag.
struct TelegramReflectorConversation {
  private(set) var strength = MessengerSignature.Strength.weak
  private(set) var mediaOffset: Int?
  private var tag: UInt64?

  mutating func consume(_ datagram: borrowing RawSpan) -> DatagramReading {
    mediaOffset = nil
    guard datagram.byteCount >= 16 else { return .notMine }
    let start = datagram.u64(0)
    if let signature = TelegramReflector.recognize(datagram) {
      strength = max(strength, signature.strength)
      if tag == start { strength = .sure }
      tag = start
      return .mine
    }
    guard let tag, tag == start else { return .notMine }
    if let offset = TelegramReflector.innerOffset(datagram), EmbeddedMedia(datagram, at: offset) != nil {
      mediaOffset = offset
    }
    return .mine
  }
}

extension ApplicationProtocol {
  /// Telegram's call reflectors.
  public static let telegramReflector: ApplicationProtocol = "tg-reflector"
}
