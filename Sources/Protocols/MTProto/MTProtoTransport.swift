import Bytes

// Transports over TCP (core.telegram.org/mtproto/mtproto-transports):
//
//   abridged       ef   then messages: length / 4 (1), or 7f and length / 4 (3, little-endian); 80 set asks for an ack
//   intermediate   ee ee ee ee   then messages: length (4, little-endian)
//   padded         dd dd dd dd   then messages: length (4, little-endian), 0 to 15 bytes of padding at their end
//   full           length (4)  sequence number (4)  message  CRC32 (4), from the first byte
//   obfuscated     64 random bytes, then any of these enciphered with keys from the random bytes
//
// A message without a key: auth_key_id 0 (8)  message_id (8)  length (4)  data (mtproto/description).
// One with a key: auth_key_id (8)  msg_key (16)  a multiple of 16 enciphered bytes.

/// MTProto over TCP, ports 443, 80 and 5222, from the client's first bytes.
///
/// Telegram's apps obfuscate: the first 64 bytes are random but for what they must not be, and then nothing at all is in
/// clear. That is a `weak` signature, of use only beside Telegram's own addresses. MTProxy's fake TLS sends a
/// ClientHello of 517 bytes that copies a browser's, with an HMAC in place of the random bytes; only who knows the
/// proxy's secret can tell it from the browser's, so it is not recognized here.
enum MTProtoTransport {
  /// The random bytes at the begin of an obfuscated connection.
  static let obfuscationLength = 64

  /// A transport that says its name.
  static func recognize(_ bytes: borrowing RawSpan) -> MessengerRecognition {
    let first = bytes.u8(0)
    if first == 0xef { return recognize(abridged: bytes) }
    for i in 1..<4 {
      guard bytes.holds(1, at: i) else { return .needMore }
      if bytes.u8(i) != first { return .notMine }
    }
    guard bytes.byteCount >= 8 else { return .needMore }
    let length = Int(bytes.u32(4).byteSwapped)
    guard (24...1 << 24).contains(length) else { return .notMine }
    guard bytes.byteCount > 8 else { return .needMore }
    let fits = 8 &+ length == bytes.byteCount || isMessage(bytes, at: 8, length: length, padding: first == 0xdd)
    return .mine(fits ? .sure(.mtproto) : .weak(.mtproto))
  }

  private static func recognize(abridged bytes: borrowing RawSpan) -> MessengerRecognition {
    guard bytes.byteCount >= 2 else { return .needMore }
    var length = Int(bytes.u8(1) & 0x7f) &* 4
    var at = 2
    if bytes.u8(1) & 0x7f == 0x7f {
      guard bytes.byteCount >= 5 else { return .needMore }
      length = (Int(bytes.u8(2)) | Int(bytes.u8(3)) << 8 | Int(bytes.u8(4)) << 16) &* 4
      at = 5
    }
    guard (24...1 << 24).contains(length) else { return .notMine }
    guard bytes.byteCount >= at &+ 20 else { return .needMore }
    if isMessage(bytes, at: at, length: length, padding: false) { return .mine(.sure(.mtproto)) }
    let fits = at &+ length == bytes.byteCount && (length &- 24) % 16 == 0
    return fits ? .mine(.weak(.mtproto)) : .notMine
  }

  /// The full transport, whose first message has no key.
  static func recognize(full bytes: borrowing RawSpan) -> MessengerSignature? {
    guard bytes.byteCount >= 32, bytes.u32(4) == 0 else { return nil }
    let length = Int(bytes.u32(0).byteSwapped)
    guard length >= 32, length % 4 == 0, isMessage(bytes, at: 8, length: length &- 12, padding: false) else {
      return nil
    }
    return .sure(.mtproto)
  }

  /// Whether a message without a key stands at `at`.
  private static func isMessage(_ bytes: borrowing RawSpan, at: Int, length: Int, padding: Bool) -> Bool {
    guard bytes.holds(20, at: at), bytes.u64(at) == 0, bytes.u64(at &+ 8) != 0 else { return false }
    let data = Int(bytes.u32(at &+ 16).byteSwapped)
    let rest = length &- 20 &- data
    return data > 0 && (rest == 0 || padding && (0...15).contains(rest))
  }

  /// Whether the first 64 bytes can be the random ones of an obfuscated connection.
  ///
  /// The transport's page forbids some beginnings, so that it is not taken for another one; for the rest the bytes are
  /// uniform: about half of all bits are set, few bytes are printable, and hardly any comes often.
  static func looksObfuscated(_ bytes: borrowing RawSpan, serverPort: UInt16) -> Bool {
    guard serverPort == 443 || serverPort == 80 || serverPort == 5222, bytes.byteCount >= obfuscationLength else {
      return false
    }
    switch bytes.u32(0) {
    case 0x4845_4144, 0x504f_5354, 0x4745_5420, 0x4f50_5449, 0x1603_0102, 0xdddd_dddd, 0xeeee_eeee: return false
    default: break
    }
    // A record of TLS has an own reader, and few bytes of a random begin look like one.
    let isRecord = (0x14...0x18).contains(bytes.u8(0)) && bytes.u8(1) == 3
    guard bytes.u8(0) != 0xef, bytes.u32(4) != 0, !isRecord else { return false }
    var bits = 0
    var printable = 0
    var repeats = 0
    for i in 0..<obfuscationLength {
      let byte = bytes.u8(i)
      bits &+= byte.nonzeroBitCount
      if (0x20...0x7e).contains(byte) { printable &+= 1 }
      if i > 0, byte == bytes.u8(i &- 1) { repeats &+= 1 }
    }
    // Of 512 fair bits: 256 give or take five times the deviation of 11.3; of 64 bytes 24 printable, deviation 3.9.
    return (200...312).contains(bits) && printable <= 40 && repeats <= 4
  }
}

extension ApplicationProtocol {
  /// Telegram's MTProto over TCP.
  public static let mtproto: ApplicationProtocol = "mtproto"
  /// Random bytes that may be obfuscated MTProto.
  public static let mtprotoObfuscated: ApplicationProtocol = "mtproto-obfuscated"
}
