import Bytes

// A packet of WeChat's long connection, in clear before mmtls (public clients of the Mars library's WeChat packing):
//
//   length with this header (4)   header length (2): 16   version (2): 1   command (4): 6 is a heartbeat   number (4)

/// A packet of WeChat's long connection, ports 80, 443 and 8080.
enum MarsLongLink {
  /// The length of the header.
  static let headerLength = 16
  /// The longest packet that counts.
  static let longestPacket = 1 << 20

  /// Whether a stream begins with a packet.
  static func recognize(_ bytes: borrowing RawSpan) -> MessengerRecognition {
    guard bytes.byteCount >= headerLength else {
      return bytes.byteCount >= 8 && bytes.u32(4) == 0x0010_0001 ? .needMore : .notMine
    }
    let length = Int(bytes.u32(0))
    guard (headerLength...longestPacket).contains(length), bytes.u32(4) == 0x0010_0001 else { return .notMine }
    guard bytes.u32(8) < 1 << 16 else { return .notMine }
    let isWhole = length >= bytes.byteCount || bytes.holds(8, at: length) && bytes.u32(length &+ 4) == 0x0010_0001
    return .mine(isWhole ? .sure(.mars) : .weak(.mars))
  }
}

extension ApplicationProtocol {
  /// WeChat's long connection without mmtls.
  public static let mars: ApplicationProtocol = "mars"
}
