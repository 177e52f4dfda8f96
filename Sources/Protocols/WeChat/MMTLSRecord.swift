import Bytes

// Records of mmtls, over TCP or as the body of HTTP requests (M. Wang, P. Wang, J. Knockel, J. Rohrabacher: Should We Chat,
// Too? Citizen Lab, 2024; public clients):
//
//   type (1): 15 alert, 16 handshake, 17 data, 19 early data     f1     03 or 04     length (2)
//   handshake:   length (4)   01 ClientHello or 02 ServerHello     03 f1 or 04 f1     ...
//
// Over HTTP: POST /mmtls/ and some hexadecimal digits, with Upgrade: mmtls.

/// A record of WeChat's own variant of TLS, ports 443, 80 and 8080.
enum MMTLSRecord {
  /// Whether a stream begins with a record.
  static func recognize(_ bytes: borrowing RawSpan) -> MessengerRecognition {
    guard bytes.byteCount >= 2 else { return .needMore }
    guard bytes.u8(1) == 0xf1 else { return .notMine }
    guard bytes.byteCount >= 12 else { return bytes.byteCount < 3 || isVersion(bytes.u8(2)) ? .needMore : .notMine }
    let length = Int(bytes.u16(3))
    guard isVersion(bytes.u8(2)), length > 0 else { return .notMine }
    if bytes.u8(0) == 0x16 || bytes.u8(0) == 0x19 {
      let isHello = bytes.u8(9) == 1 || bytes.u8(9) == 2
      if isHello, Int(bytes.u32(5)) &+ 4 == length, bytes.u8(11) == 0xf1 { return .mine(.sure(.mmtls)) }
    }
    let next = 5 &+ length
    if bytes.byteCount == next { return .mine(.sure(.mmtls)) }
    guard bytes.holds(3, at: next) else { return .mine(.weak(.mmtls)) }
    return bytes.u8(next &+ 1) == 0xf1 && isVersion(bytes.u8(next &+ 2)) ? .mine(.sure(.mmtls)) : .notMine
  }

  /// Whether a request carries records.
  static func recognize(request bytes: borrowing RawSpan) -> MessengerRecognition {
    if bytes.has("post /mmtls/") { return .mine(.sure(.mmtls)) }
    return ProtocolSignature.isPrefix(bytes, of: "post /mmtls/") ? .needMore : .notMine
  }

  private static func isVersion(_ byte: UInt8) -> Bool { byte == 3 || byte == 4 }
}

extension ApplicationProtocol {
  /// WeChat's mmtls.
  public static let mmtls: ApplicationProtocol = "mmtls"
}
