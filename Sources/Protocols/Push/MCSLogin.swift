import Bytes

// Firebase's mobile connection server (Chromium, google_apis/gcm, mcs_util.h and connection_handler_impl.h):
//
//   version (1): 38 to 41   tag (1): 2 LoginRequest   length (varint)   protobuf: id (1), domain (2) "mcs.android.com" ...

/// The login of FCM, in clear: to be seen only where the TLS around it was taken off.
enum MCSLogin {
  /// Whether a stream begins with a login.
  static func recognize(_ bytes: borrowing RawSpan) -> MessengerRecognition {
    guard bytes.byteCount >= 2 else { return .needMore }
    guard bytes.u8(1) == 2 else { return .notMine }
    if bytes.slice(0, MessengerSignature.maximumLength).contains("mcs.android.com") { return .mine(.sure(.fcm)) }
    return bytes.byteCount < 64 ? .needMore : .notMine
  }
}

extension ApplicationProtocol {
  /// FCM's mobile connection server, in clear.
  public static let fcm: ApplicationProtocol = "fcm"
}
