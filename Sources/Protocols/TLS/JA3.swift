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
    let line = JA3Line(hello)
    return line.isWhole ? line.fingerprint : md5(text(key: key(of: hello).bytes)).hex
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

/// The text that JA3 is the MD5 of, on the stack; of a longer one than fits, only that it does not.
private struct JA3Line: ~Copyable {
  // Three times the text of the longest hello of today.
  private var text = [1024 of UInt8](repeating: 0)
  private var length = 0
  /// Whether all of it fits.
  private(set) var isWhole = true

  init(_ hello: borrowing ClientHello) {
    append(hello.legacyVersion.rawValue)
    append(pairs: hello.cipherSuites)
    append(byte: UInt8(ascii: ","))
    var isFirst = true
    var walk = ExtensionTypes(hello.extensions)
    while isWhole, let type = walk.next() { append(type, &isFirst) }
    append(pairs: hello.groups)
    append(byte: UInt8(ascii: ","))
    isFirst = true
    for i in 0..<hello.pointFormats.byteCount { append(UInt16(hello.pointFormats.u8(i)), &isFirst) }
  }

  var fingerprint: String {
    // Safe: bytes have no padding that could be read before it was written.
    md5Digits(unsafe text.span.extracting(first: length).bytes)
  }

  private mutating func append(pairs: RawSpan) {
    append(byte: UInt8(ascii: ","))
    var isFirst = true
    for i in 0..<pairs.byteCount / 2 where isWhole { append(pairs.u16(2 &* i), &isFirst) }
  }

  private mutating func append(_ value: UInt16, _ isFirst: inout Bool) {
    if isGREASE(value) { return }
    if !isFirst { append(byte: UInt8(ascii: "-")) }
    isFirst = false
    append(value)
  }

  /// In decimal digits.
  private mutating func append(_ value: UInt16) {
    if value >= 10_000 { append(digit: value / 10_000) }
    if value >= 1000 { append(digit: value / 1000 % 10) }
    if value >= 100 { append(digit: value / 100 % 10) }
    if value >= 10 { append(digit: value / 10 % 10) }
    append(digit: value % 10)
  }

  private mutating func append(digit: UInt16) { append(byte: 0x30 | UInt8(truncatingIfNeeded: digit)) }

  private mutating func append(byte: UInt8) {
    guard length < text.count else {
      isWhole = false
      return
    }
    text[length] = byte
    length &+= 1
  }
}
