import Bytes

// TURN of Microsoft over TCP port 443 ([MS-TURN], sections 2.1 and 2.2.1):
//
//   type (1): 02 control, 03 data   reserved (1)   length (2)   then, in control frames, a TURN message:
//   message type (2)   length (2)   transaction (16)   attribute 000f, length 4, value 72c64bc6   ...

/// A frame of Microsoft's TURN over TCP, as Teams and its forerunners use where UDP is shut.
///
/// Over UDP the same messages go without a frame, and media behind ff 10 ([MS-TURN], section 2.2.3).
enum MSTURNFrame {
  /// Whether a stream begins with a control frame.
  static func recognize(_ bytes: borrowing RawSpan) -> MessengerRecognition {
    guard bytes.u8(0) == 2 else { return .notMine }
    guard bytes.byteCount >= 32 else {
      let isPossible = bytes.byteCount < 8 || bytes.u8(4) < 4 && Int(bytes.u16(2)) == Int(bytes.u16(6)) &+ 20
      return isPossible && (bytes.byteCount < 2 || bytes.u8(1) == 0) ? .needMore : .notMine
    }
    guard bytes.u8(1) == 0, bytes.u8(4) < 4, Int(bytes.u16(2)) == Int(bytes.u16(6)) &+ 20 else { return .notMine }
    return bytes.u32(24) == 0x000f_0004 && bytes.u32(28) == 0x72c6_4bc6 ? .mine(.sure(.msTURN)) : .notMine
  }
}

extension ApplicationProtocol {
  /// Microsoft's TURN over TCP.
  public static let msTURN: ApplicationProtocol = "ms-turn"
}
