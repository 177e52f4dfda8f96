import Bytes
import Protocols
import Testing

@testable import Classify

@Suite struct IntervalTableTests {
  static let mapped = IPAddress(v4: 0).key...IPAddress(v4: .max).key

  @Test func findsNarrowestFirst() throws {
    let prefixes = ["17.0.0.0/8", "17.249.0.0/16", "17.249.7.0/24", "2620:149::/36", "2620:149:a44::/48", "0.0.0.0/0"]
    let table = IntervalTable(
      try prefixes.enumerated().map { (keys: try AddressPrefix($0.element).keys, row: Int32($0.offset)) },
      usual: Self.mapped)
    func rows(_ text: String) throws -> [Int32] {
      table.positions(holding: try address(text).key).map { table[$0] }
    }
    #expect(try rows("17.249.7.9") == [2, 1, 0, 5])
    #expect(try rows("17.249.8.0") == [1, 0, 5])
    #expect(try rows("17.248.255.255") == [0, 5])
    #expect(try rows("18.0.0.0") == [5])
    #expect(try rows("255.255.255.255") == [5])
    #expect(try rows("2620:149:a44:ffff::1") == [4, 3])
    #expect(try rows("2620:149:a45::") == [3])
    #expect(try rows("2620:148::1") == [])
    #expect(try rows("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") == [])
  }

  @Test func agreesWithBruteForce() throws {
    var dice = Dice(3)
    for _ in 0..<30 {
      var prefixes: [AddressPrefix] = []
      for _ in 0..<Int.random(in: 0...80, using: &dice) {
        // Few leading values and all lengths, so that prefixes nest.
        let isV4 = Bool.random(using: &dice)
        let length = Int.random(in: 0...(isV4 ? 32 : 128), using: &dice)
        let free = UInt128(isV4 ? 32 : 128) - UInt128(length)
        let hosts = free == 128 ? UInt128.max : (UInt128(1) << free) - 1
        let key = randomAddress(isV4, &dice).key & ~hosts
        let base = IPAddress(high: UInt64(truncatingIfNeeded: key >> 64), low: UInt64(truncatingIfNeeded: key))
        // An IPv6 prefix that is written as an IPv4 one would be read as one.
        if !isV4, base.isV4 { continue }
        prefixes.append(try AddressPrefix("\(base)/\(length)"))
      }
      let table = IntervalTable(
        prefixes.enumerated().map { (keys: $0.element.keys, row: Int32($0.offset)) }, usual: Self.mapped)
      for _ in 0..<300 {
        let address = randomAddress(Bool.random(using: &dice), &dice)
        let found = table.positions(holding: address.key).map { Int(table[$0]) }
        let expected = prefixes.indices.filter { prefixes[$0].contains(address) }
        #expect(found.sorted() == expected)
        let widths = found.map { prefixes[$0].keys.upperBound - prefixes[$0].keys.lowerBound }
        #expect(widths == widths.sorted())
      }
    }
  }

  private func randomAddress(_ isV4: Bool, _ dice: inout Dice) -> IPAddress {
    let byte = UInt32.random(in: 0...3, using: &dice)
    guard !isV4 else { return IPAddress(v4: 17 << 24 | byte << 16 | UInt32.random(in: 0...0xffff, using: &dice)) }
    return IPAddress(high: 0x2620_0149_0000_0000 | UInt64(byte) << 16, low: dice.next())
  }

  @Test func portsOfBothTransportsAreApart() throws {
    let ranges = ["tcp/5223", "udp/3478-3497", "udp/3478", "tcp/1-65535"]
    let table = IntervalTable(
      try ranges.enumerated().map { (keys: try PortRange($0.element).keys, row: Int32($0.offset)) },
      usual: 0...PortRange.key(.max, isTCP: true))
    func rows(_ port: UInt16, _ isTCP: Bool) -> [Int32] {
      table.positions(holding: PortRange.key(port, isTCP: isTCP)).map { table[$0] }
    }
    #expect(rows(5223, true) == [0, 3])
    #expect(rows(5223, false) == [])
    #expect(rows(3478, false) == [2, 1])
    #expect(rows(3497, false) == [1])
    #expect(rows(3498, false) == [])
    #expect(rows(0, true) == [])
    #expect(rows(65535, true) == [3])
    #expect(rows(65535, false) == [])
  }
}

@Suite struct NotationTests {
  @Test(arguments: [
    ("17.0.0.0", "no address prefix"), ("17.0.0.0/33", "no address prefix"), ("2620::/129", "no address prefix"),
    ("apple/8", "no address prefix"), ("17.1.0.0/8", "write 17.0.0.0/8"), ("2620:149:1::/36", "write 2620:149::/36"),
    ("17.0.0.0/-1", "no address prefix"), ("", "no address prefix"), ("/", "no address prefix"),
    ("1.2.3.4/08/9", "no address prefix"),
  ])
  func refusesPrefixes(_ text: String, _ says: String) {
    let error = #expect(throws: CatalogueWording.self) { try AddressPrefix(text) }
    #expect(error?.text.contains(says) == true)
  }

  @Test func readsPrefixesOfBothFamilies() throws {
    #expect(try AddressPrefix("0.0.0.0/0").contains(address("255.0.0.1")))
    #expect(try !AddressPrefix("0.0.0.0/0").contains(address("::1")))
    #expect(try AddressPrefix("::/0").contains(address("ffff::")))
    #expect(try AddressPrefix("17.57.145.7/32").contains(address("17.57.145.7")))
    #expect(try !AddressPrefix("17.57.145.7/32").contains(address("17.57.145.8")))
  }

  @Test(arguments: ["5223", "tcp", "tcp/", "tcp/0", "tcp/65536", "sctp/1", "tcp/5-4", "tcp/1-2-3", "TCP/1", "tcp/-1"])
  func refusesPorts(_ text: String) {
    #expect(throws: CatalogueWording.self) { try PortRange(text) }
  }

  @Test(arguments: [
    "tcp", "tcp client", "tcp client ??", "tcp peer 01", "sctp client 01", "tcp client 1", "tcp client 01 0x02",
    "tcp client 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10", "",
  ])
  func refusesPatterns(_ text: String) {
    #expect(throws: CatalogueWording.self) { try BytePattern(text) }
  }

  @Test func patternsMatchAsWritten() throws {
    let pattern = try BytePattern("tcp client 57 ?? 06 03 ?? ?? ?? ?? 0a ff")
    #expect(pattern.side == .client && pattern.isTCP)
    let bytes: [UInt8] = [0x57, 0x99, 0x06, 0x03, 1, 2, 3, 4, 0x0a, 0xff, 0x77]
    #expect(pattern.matches(FirstBytes(bytes.rawSpan)))
    #expect(!pattern.matches(FirstBytes(Array(bytes.prefix(9)).rawSpan)))
    #expect(!pattern.matches(FirstBytes()))
    for i in [0, 2, 3, 8, 9] {
      var wrong = bytes
      wrong[i] ^= 1
      #expect(!pattern.matches(FirstBytes(wrong.rawSpan)), "byte \(i)")
    }
  }

  @Test func specialPurposeAddresses() throws {
    for text in [
      "10.1.2.3", "192.168.0.1", "172.31.0.1", "100.64.0.1", "127.0.0.1", "169.254.1.1", "fd00::1", "fe80::1", "::1",
    ] {
      #expect(try address(text).isSpecialPurpose, "\(text)")
    }
    for text in ["17.57.144.1", "172.32.0.1", "100.128.0.1", "8.8.8.8", "2620:149::1"] {
      #expect(try !address(text).isSpecialPurpose, "\(text)")
    }
    #expect(try address("64:ff9b::1139:9005").translated == address("17.57.144.5"))
    #expect(try address("2620:149::1").translated == address("2620:149::1"))
  }
}
