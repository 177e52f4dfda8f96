import Bytes
import Digest

//  JA3 (github.com/salesforce/ja3): MD5 of
//
//    version,cipher-cipher-...,extension-extension-...,group-group-...,format-format-...
//
//  in decimal, in the order of the wire, without GREASE. JA3S: version,cipher,extension-extension-... of the ServerHello.

/// JA3 and JA3S.
public enum JA3 {
  /// The text that JA3 is the MD5 of: "771,4865-4866,0-23-65281,29-23,0".
  public static func text(of hello: borrowing ClientHello) -> String {
    String(decoding: text(key: key(of: hello).bytes), as: UTF8.self)
  }

  /// JA3 of a ClientHello: 32 hexadecimal digits.
  public static func fingerprint(of hello: borrowing ClientHello) -> String {
    md5(text(key: key(of: hello).bytes)).hex
  }

  /// JA3S of a ServerHello: 32 hexadecimal digits.
  public static func fingerprint(of hello: borrowing ServerHello) -> String {
    md5(serverText(key: key(of: hello).bytes)).hex
  }

  static func key(of hello: borrowing ClientHello) -> FingerprintKey {
    var key = FingerprintKey(.ja3)
    key.append(hello.legacyVersion.rawValue)
    key.append(pairs: hello.cipherSuites)
    key.append(extensionTypes: hello.extensions)
    key.append(pairs: hello.groups)
    key.append(singles: hello.pointFormats)
    return key
  }

  static func text(key: [UInt8]) -> [UInt8] {
    var reader = FingerprintKeyReader(key)
    var text: [UInt8] = []
    append(reader.value(), to: &text)
    for _ in 0..<4 {
      text.append(UInt8(ascii: ","))
      appendList(reader.list(), to: &text)
    }
    return text
  }

  static func key(of hello: borrowing ServerHello) -> FingerprintKey {
    var key = FingerprintKey(.ja3s)
    key.append(hello.legacyVersion.rawValue)
    key.append(hello.cipherSuite)
    key.append(extensionTypes: hello.extensions)
    return key
  }

  static func serverText(key: [UInt8]) -> [UInt8] {
    var reader = FingerprintKeyReader(key)
    var text: [UInt8] = []
    append(reader.value(), to: &text)
    text.append(UInt8(ascii: ","))
    append(reader.value(), to: &text)
    text.append(UInt8(ascii: ","))
    appendList(reader.list(), to: &text)
    return text
  }

  private static func appendList(_ values: [UInt16], to text: inout [UInt8]) {
    var isFirst = true
    for value in values {
      if !isFirst { text.append(UInt8(ascii: "-")) }
      isFirst = false
      append(value, to: &text)
    }
  }

  /// In decimal digits.
  private static func append(_ value: UInt16, to text: inout [UInt8]) {
    var divisor: UInt16 = 10_000
    while divisor > 1, value < divisor { divisor /= 10 }
    while divisor > 0 {
      text.append(0x30 + UInt8(value / divisor % 10))
      divisor /= 10
    }
  }
}
