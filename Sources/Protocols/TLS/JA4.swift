import Bytes
import Digest

//  JA4 (github.com/FoxIO-LLC/ja4, the TLS client fingerprint):
//
//    t13d1516h2_8daaf6152771_b186095e22b6
//    | | || | |  |            |
//    | | || | |  |            first 12 hexadecimal digits of SHA-256 over the extensions, sorted, without SNI and
//    | | || | |  |            ALPN, and "_" and the signature algorithms in their order
//    | | || | |  the same over the cipher suites, sorted
//    | | || | first and last character of the first ALPN name, 00 without one
//    | | || number of extensions
//    | | |number of cipher suites
//    | | d: has a server_name extension, i: has none
//    | version
//    t: TCP, q: QUIC, d: DTLS
//
//  GREASE counts nowhere; an empty list is 000000000000. Of the algorithms only those of signature_algorithms count,
//  not those of delegated_credentials (FoxIO-LLC/ja4, issue 41).

/// JA4 of a ClientHello.
public enum JA4 {
  /// What carried the hello.
  public enum Transport: UInt8, Sendable {
    /// TLS over TCP.
    case tcp = 0x74
    /// QUIC.
    case quic = 0x71
    /// DTLS.
    case dtls = 0x64
  }

  /// JA4 of a ClientHello: 36 characters.
  public static func fingerprint(of hello: borrowing ClientHello, over transport: Transport) -> String {
    text(key: key(of: hello, over: transport).bytes)
  }

  /// What a tool says of an SSL 2.0-compatible hello, whose three-byte cipher specs JA4 does not know.
  static func fingerprint(ofSSL2Version version: TLSVersion) -> String {
    let none = "000000000000"
    let (first, second) = digits(of: version)
    return "t" + String(decoding: [first, second], as: UTF8.self) + "i000000_\(none)_\(none)"
  }

  static func key(of hello: borrowing ClientHello, over transport: Transport) -> FingerprintKey {
    var types: [UInt16] = []
    types.reserveCapacity(24)
    var count = 0
    var walk = ExtensionTypes(hello.extensions)
    while let type = walk.next() {
      if isGREASE(type) { continue }
      count &+= 1
      let isLeftOut = type == TLSExtensionType.serverName.rawValue || type == TLSExtensionType.alpn.rawValue
      if !isLeftOut { types.append(type) }
    }
    types.sort()
    var suites = 0
    for i in 0..<hello.cipherSuites.byteCount / 2 where !isGREASE(hello.cipherSuites.u16(2 &* i)) { suites &+= 1 }
    var key = FingerprintKey(.ja4)
    key.append(byte: transport.rawValue)
    key.append(bytes: digits(of: hello.highestVersion))
    key.append(byte: UInt8(ascii: hello.hasServerNameExtension ? "d" : "i"))
    key.append(bytes: digits(of: suites))
    key.append(bytes: digits(of: count))
    key.append(bytes: letters(ofALPN: hello.firstALPN))
    key.append(pairs: hello.cipherSuites)
    key.append(values: types)
    key.append(pairs: hello.signatureAlgorithms)
    return key
  }

  static func text(key: [UInt8]) -> String {
    let head = 10
    var reader = FingerprintKeyReader(key, from: 1 + head)
    let suites = hexadecimal(reader.list().sorted())
    var rest = hexadecimal(reader.list())
    let algorithms = hexadecimal(reader.list())
    if !algorithms.isEmpty { rest += [UInt8(ascii: "_")] + algorithms }
    let underscore = [UInt8(ascii: "_")]
    return String(
      decoding: key.dropFirst().prefix(head) + underscore + hash12(suites) + underscore + hash12(rest), as: UTF8.self)
  }

  private static func hash12(_ text: [UInt8]) -> [UInt8] {
    text.isEmpty ? [UInt8](repeating: UInt8(ascii: "0"), count: 12) : Array(sha256(text).prefix(6).hex.utf8)
  }

  private static func hexadecimal(_ values: [UInt16]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(values.count * 5)
    for value in values {
      if !text.isEmpty { text.append(UInt8(ascii: ",")) }
      text.append(hexDigit(UInt8(value >> 12)))
      text.append(hexDigit(UInt8(value >> 8 & 15)))
      text.append(hexDigit(UInt8(value >> 4 & 15)))
      text.append(hexDigit(UInt8(value & 15)))
    }
    return text
  }

  private static func digits(of version: TLSVersion) -> (UInt8, UInt8) {
    let pair: (Unicode.Scalar, Unicode.Scalar) =
      switch version.rawValue {
      case 0x0304: ("1", "3")
      case 0x0303: ("1", "2")
      case 0x0302: ("1", "1")
      case 0x0301: ("1", "0")
      case 0x0300: ("s", "3")
      case 0x0002: ("s", "2")
      case 0xfeff: ("d", "1")
      case 0xfefd: ("d", "2")
      case 0xfefc: ("d", "3")
      default: ("0", "0")
      }
    return (UInt8(ascii: pair.0), UInt8(ascii: pair.1))
  }

  private static func digits(of count: Int) -> (UInt8, UInt8) {
    let capped = UInt8(min(count, 99))
    return (0x30 + capped / 10, 0x30 + capped % 10)
  }

  /// First and last character; where one of them is no ASCII letter or digit, the first and last hexadecimal digit of
  /// the name instead.
  private static func letters(ofALPN name: borrowing RawSpan) -> (UInt8, UInt8) {
    guard name.byteCount > 0 else { return (0x30, 0x30) }
    let first = name.u8(0)
    let last = name.u8(name.byteCount &- 1)
    let isText = isAlphanumeric(first) && isAlphanumeric(last)
    return isText ? (first, last) : (hexDigit(first >> 4), hexDigit(last & 15))
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    default: false
    }
  }
}
