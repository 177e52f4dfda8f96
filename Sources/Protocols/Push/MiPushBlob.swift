import Bytes

// Xiaomi's push connection over TCP, ports 5222 and 443 (Xiaomi push SDK, com.xiaomi.slim BlobReader and BlobWriter):
//
//   magic (2): c2 fe   version (2): 5   length (4)   blob   Adler-32 (4)
//
// Before 2016 it was XMPP of its own kind: stanzas to xiaomi.com with a channel, chid.

/// The first bytes of a connection of MiPush.
enum MiPushBlob {
  /// The longest blob.
  static let longestBlob = 1 << 15

  /// Whether a stream begins with a blob.
  static func recognize(_ bytes: borrowing RawSpan) -> MessengerRecognition {
    guard bytes.byteCount >= 8 else {
      return bytes.byteCount < 2 || bytes.u16(0) == 0xc2fe ? .needMore : .notMine
    }
    return bytes.u32(0) == 0xc2fe_0005 && bytes.u32(4) <= UInt32(longestBlob) ? .mine(.sure(.miPush)) : .notMine
  }

  /// Whether a stream begins with a stanza to Xiaomi.
  static func recognize(stanza bytes: borrowing RawSpan) -> MessengerRecognition {
    let start = bytes.slice(0, 128)
    let isStanza = start.has("<iq ") || start.has("<stream:stream ") || start.has("<message ")
    guard isStanza, start.contains("to='xiaomi.com'") || start.contains("to=\"xiaomi.com\"") else { return .notMine }
    return .mine(.sure(.miPush))
  }
}

extension ApplicationProtocol {
  /// Xiaomi's push connection.
  public static let miPush: ApplicationProtocol = "mipush"
}
