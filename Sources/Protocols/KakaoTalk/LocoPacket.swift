import Bytes

// KakaoTalk's LOCO protocol over TCP, all numbers little-endian (storycraft loco-protocol, specification;
// stulle123/kakaotalk_analysis):
//
//   handshake   length of the key (4): 256   key cipher (4)   data cipher (4): 2 CFB, 3 GCM   enciphered key (256)
//   secure      length (4)   IV (16 or 12)   ciphertext
//   clear       id (4)  status (2)  method (11, text padded with zeros)  body type (1)  body length (4)  BSON
//
// BSON begins with its own length (bsonspec.org).

/// The first bytes of a LOCO connection, ports 443, 995, 5223, 8080, 9001 and others.
enum LocoPacket {
  /// The length of a clear packet's header.
  static let headerLength = 22

  /// Whether a stream begins with the handshake.
  static func recognize(handshake bytes: borrowing RawSpan) -> MessengerRecognition {
    guard bytes.byteCount >= 12 else {
      let isPossible = bytes.byteCount < 4 ? bytes.byteCount < 2 || bytes.u8(1) == 1 : bytes.u32(0) == 0x0001_0000
      return isPossible ? .needMore : .notMine
    }
    guard bytes.u32(0) == 0x0001_0000 else { return .notMine }
    let isKey = (1...32).contains(bytes.u32(4).byteSwapped) && (1...8).contains(bytes.u32(8).byteSwapped)
    return isKey ? .mine(.sure(.kakaotalk)) : .notMine
  }

  /// Whether a stream begins with a clear packet.
  static func recognize(clear bytes: borrowing RawSpan) -> MessengerSignature? {
    guard bytes.byteCount >= headerLength &+ 4, bytes.u8(17) == 0 || bytes.u8(17) == 8 else { return nil }
    let size = bytes.u32(18)
    guard size.byteSwapped >= 5, size == bytes.u32(headerLength) else { return nil }
    var isPadding = false
    for i in 6..<17 {
      switch bytes.u8(i) {
      case 0 where i > 7: isPadding = true
      case 0x41...0x5a, 0x30...0x39, 0x5f: if isPadding { return nil }
      default: return nil
      }
    }
    return .sure(.kakaotalk)
  }
}

extension ApplicationProtocol {
  /// KakaoTalk's LOCO protocol.
  public static let kakaotalk: ApplicationProtocol = "kakaotalk"
}
