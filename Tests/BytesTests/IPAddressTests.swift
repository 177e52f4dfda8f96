import Bytes
import Foundation
import Testing

/// What the C library makes of a text.
private func presentationToNetwork(_ text: String) -> IPAddress? {
  var v4 = in_addr()
  // Safe: both calls write one value of the type they are given.
  if unsafe inet_pton(AF_INET, text, &v4) == 1 { return IPAddress(v4: UInt32(bigEndian: v4.s_addr)) }
  var v6 = in6_addr()
  guard unsafe inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
  let bytes = unsafe withUnsafeBytes(of: &v6) { unsafe Array($0) }
  func half(_ part: ArraySlice<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
  return IPAddress(high: half(bytes[..<8]), low: half(bytes[8...]))
}

/// What the C library writes.
private func networkToPresentation(_ address: IPAddress) -> String {
  let bytes = [address.high, address.low].flatMap { half in
    (0..<8).map { UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * $0)) }
  }
  var text = [CChar](repeating: 0, count: 64)
  // Safe: the buffer is longer than INET6_ADDRSTRLEN, and the address has its 16 bytes.
  _ = unsafe inet_ntop(AF_INET6, bytes, &text, 64)
  return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

@Suite struct IPAddressTests {
  /// RFC 4291, section 2.2, and RFC 5952, sections 1 to 5: text, canonical text.
  static let canonical: [(String, String)] = [
    ("ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "abcd:ef01:2345:6789:abcd:ef01:2345:6789"),
    ("2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"),
    ("FF01:0:0:0:0:0:0:101", "ff01::101"),
    ("0:0:0:0:0:0:0:1", "::1"),
    ("0:0:0:0:0:0:0:0", "::"),
    ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
    ("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
    ("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"),
    ("2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"),
    ("2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"),
    ("2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"),
    ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
    ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),
    ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
    ("fe80::", "fe80::"),
    ("::FFFF:129.144.52.38", "129.144.52.38"),
    ("::ffff:8190:3426", "129.144.52.38"),
    ("192.0.2.255", "192.0.2.255"),
    ("0.0.0.0", "0.0.0.0"),
  ]

  @Test(arguments: canonical)
  func textBecomesCanonical(_ text: String, _ expected: String) throws {
    let address = try #require(IPAddress(text))
    #expect(address.description == expected)
    #expect(IPAddress(expected) == address)
  }

  static let refused = [
    "", ".", ":", ":::", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1..3.4", "+1.2.3.4", "1.2.3.4 ", " 1.2.3.4",
    "1.2.3.-4",
    "1.2.3.0004", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7", "::1.2.3", "::1.2.3.4:5", "1.2.3.4::", "fe80::1%eth0", "::/0", "+1::", "-1::",
    "::+1",
    "1:2:3:4:5:6:7:1.2.3.4", "0x1::", "::1 ", "[::1]", "1:2:3:4:5:6:7::8:9",
  ]

  @Test(arguments: refused)
  func otherTextIsRefused(_ text: String) {
    #expect(IPAddress(text) == nil)
    #expect(presentationToNetwork(text) == nil)
  }

  @Test func theCLibraryAgreesOnAddresses() {
    var state: UInt64 = 1
    func random() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33 | state << 31
    }
    for _ in 0..<3000 {
      // Groups of 0 and of few digits, so that gaps of all shapes come up.
      let groups = (0..<8).map { _ in [0, 0, 0, 1, random() & 0xff, random() & 0xffff][Int(random() % 6)] }
      let address = IPAddress(
        high: groups[..<4].reduce(0) { $0 << 16 | $1 }, low: groups[4...].reduce(0) { $0 << 16 | $1 })
      let text = networkToPresentation(address)
      #expect(IPAddress(text) == address)
      #expect(presentationToNetwork(address.description) == address)
      // The C library writes IPv4-compatible addresses (RFC 4291, section 2.5.5.1) with dots; RFC 5952 does not ask it.
      if !text.contains(".") { #expect(address.description == text) }
    }
  }

  @Test func theCLibraryAgreesOnTexts() {
    var state: UInt64 = 7
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let pieces = [
      ":", "::", ".", "0", "1", "10", "255", "256", "ffff", "0db8", "12345", "g", "1.2.3.4", ":", "", "a:b", "F",
    ]
    var accepted = 0
    for _ in 0..<20_000 {
      let text = (0..<random(14)).map { _ in pieces[random(pieces.count)] }.joined()
      let expected = presentationToNetwork(text)
      #expect(IPAddress(text) == expected, "\(text)")
      if expected != nil { accepted += 1 }
    }
    #expect(accepted > 20)
  }

  @Test func mappedAddressesAreIPv4() {
    let address = IPAddress(v4: 0xc000_0209)
    #expect(address.isV4)
    #expect(address.v4 == 0xc000_0209)
    #expect(address == IPAddress(high: 0, low: 0xffff_c000_0209))
    #expect(address == IPAddress("::ffff:192.0.2.9"))
    #expect(!IPAddress(high: 0, low: 0xc000_0209).isV4)
    #expect(!IPAddress(high: 1, low: 0xffff_c000_0209).isV4)
  }

  @Test func orderIsThatOfTheBytes() throws {
    let texts = ["::", "::1", "0.0.0.0", "192.0.2.1", "192.0.2.2", "64:ff9b::", "2001:db8::", "ff02::1"]
    let addresses = try texts.map { try #require(IPAddress($0)) }
    for (i, a) in addresses.enumerated() {
      for (j, b) in addresses.enumerated() { #expect(IPAddress.precedes(a, b) == (i < j)) }
    }
  }
}
