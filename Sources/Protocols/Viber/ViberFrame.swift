import Bytes

// Frames of Viber over TCP, ports 4244, 5242, 443 and 80 (ntop/nDPI, viber.c; all numbers little-endian):
//
//   length of the frame (2)   token (4)   fc ff  ??  80  ...        the first frame of a client
//   length of the frame (2)   ?? ??   03 80  ...  0a at byte 10     the first frame of a server
//   length of the frame (2)   counter (4)   ciphertext              what follows

/// A frame of Viber's message connection.
enum ViberFrame {
  /// What the first bytes of a stream show.
  static func recognize(_ bytes: borrowing RawSpan, serverPort: UInt16) -> MessengerSignature? {
    guard bytes.byteCount >= 11 else { return nil }
    let length = Int(bytes.u16(0).byteSwapped)
    guard length >= 11, isWhole(bytes, length) else { return nil }
    if bytes.u16(6) == 0xfcff, bytes.u8(9) == 0x80 { return .sure(.viber) }
    let isPort = serverPort == 4244 || serverPort == 5242
    if bytes.u16(4) == 0x0380, bytes.u8(10) == 0x0a { return isPort ? .sure(.viber) : .weak(.viber) }
    return isPort && counter(bytes) != nil ? .weak(.viber) : nil
  }

  /// Whether the first frame fills the bytes, or another begins behind it.
  private static func isWhole(_ bytes: borrowing RawSpan, _ length: Int) -> Bool {
    if length >= bytes.byteCount { return length == bytes.byteCount || bytes.byteCount >= 1024 }
    return bytes.holds(2, at: length) && bytes.u16(length).byteSwapped >= 7
  }

  /// The counter of a later frame, where it can be one.
  static func counter(_ bytes: borrowing RawSpan) -> UInt32? {
    guard bytes.byteCount >= 7 else { return nil }
    let value = bytes.u32(2).byteSwapped
    return value < 1 << 16 ? value : nil
  }
}

extension ApplicationProtocol {
  /// Viber's messages over TCP.
  public static let viber: ApplicationProtocol = "viber"
  /// Viber's calls over UDP.
  public static let viberCall: ApplicationProtocol = "viber-call"
}
