import Bytes

// Huawei's push connection over TCP, ports 5223 and 443. No document describes it; the framing is that of six connections
// to two servers of Huawei Cloud in public captures (ntop/nDPI, jabber.pcap and cloudflare-warp.pcap):
//
//   client   25   length with this header (2)   14 04   ...           69 bytes
//   server   26   length with this header (2)   ...                   16 bytes
//   both     30   length with this header (2)   ciphertext

/// The first frame of a connection of HMS push.
enum HMSPushFrame {
  /// The longest first frame that counts.
  static let longestHello = 512

  /// Whether a stream begins with a client's or a server's first frame.
  static func recognize(_ bytes: borrowing RawSpan, from side: FlowSide) -> MessengerRecognition {
    guard bytes.byteCount >= 5 else { return bytes.byteCount < 2 || bytes.u8(1) < 4 ? .needMore : .notMine }
    let length = Int(bytes.u16(1))
    guard (16...longestHello).contains(length) else { return .notMine }
    let isExact = length == bytes.byteCount || bytes.holds(3, at: length) && bytes.u8(length) == 0x30
    switch bytes.u8(0) {
    case 0x25 where side == .client && bytes.u16(3) == 0x1404:
      return isExact ? .mine(.sure(.hmsPush)) : bytes.byteCount < length ? .needMore : .notMine
    case 0x26 where side == .server && length == 16: return isExact ? .mine(.weak(.hmsPush)) : .notMine
    default: return .notMine
    }
  }
}

extension ApplicationProtocol {
  /// Huawei's push connection.
  public static let hmsPush: ApplicationProtocol = "hms-push"
}
