/// An address of either family; one of IPv4 lies in the low 32 bits.
struct Address {
  var high: UInt64 = 0
  var low: UInt64

  /// A number whose 16-bit words add up to what the address's words do.
  var sum: Int {
    [high, low].reduce(0) { $0 + Int($1 >> 32) + Int($1 & 0xffff_ffff) }
  }

  /// Dotted, for one of IPv4.
  var dotted: String { [24, 16, 8, 0].map { String(low >> $0 & 0xff) }.joined(separator: ".") }
}

/// Who talks to whom: all that the packets of a flow have in common.
struct Path {
  var client: Address
  var server: Address
  var clientPort: UInt16
  var serverPort: UInt16
  var vlan: UInt16 = 0
  var isIPv6: Bool
  var clientTTL: UInt8 = 64
  var serverTTL: UInt8 = 56

  /// The most bytes of TCP payload in a packet: 1,500 bytes less both headers with time stamps.
  var segment: Int { isIPv6 ? 1428 : 1448 }
}

/// Clients with two addresses each, whose source ports run on, so that no two flows share a five-tuple.
struct Clients {
  private var ports: [UInt16]

  init(count: Int) { ports = Array(repeating: 0, count: count) }

  mutating func pick(_ random: inout Random) -> Int { random.below(ports.count) }

  /// A port that this client has not used for a long time.
  mutating func port(_ client: Int, _ random: inout Random) -> UInt16 {
    ports[client] = UInt16((Int(ports[client]) + 1 + random.below(3)) % 28_000)
    return 32_768 + ports[client]
  }

  /// Addresses lie in 10.64.0.0/12 and 2001:db8:10::/48.
  static func address(_ client: Int, isIPv6: Bool) -> Address {
    isIPv6 ? Address(high: 0x2001_0db8_0010_0000, low: UInt64(client)) : Address(low: 0x0a40_0000 + UInt64(client))
  }
}
