public import Bytes

/// An address prefix of either family, as an IPv6 range (IPv4 is its IPv4-mapped address, RFC 4291, section 2.5.5.2).
public struct AddressPrefix: Sendable, Hashable, CustomStringConvertible {
  /// As it is written in the catalogue: "17.0.0.0/8".
  public let description: String
  /// The first and the last address.
  let keys: ClosedRange<UInt128>

  /// Reads `ADDRESS/LENGTH`.
  /// - Throws: what is wrong with it, and what to write instead.
  public init(_ text: String) throws(CatalogueWording) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPAddress(String(parts[0])), let length = UInt8(parts[1]),
      length <= (address.isV4 ? 32 : 128)
    else {
      throw CatalogueWording("\"\(text)\" is no address prefix: write ADDRESS/LENGTH, as 17.0.0.0/8 or 2620:149::/32")
    }
    let hostBits = (address.isV4 ? 32 : 128) - UInt128(length)
    let hosts = hostBits == 128 ? UInt128.max : (1 << hostBits) - 1
    let base = address.key & ~hosts
    guard base == address.key else {
      let right = IPAddress(high: UInt64(truncatingIfNeeded: base >> 64), low: UInt64(truncatingIfNeeded: base))
      throw CatalogueWording("\"\(text)\" has bits set after its length: write \(right)/\(length)")
    }
    description = text
    keys = base...(base | hosts)
  }

  /// Whether an address lies in the prefix.
  public func contains(_ address: IPAddress) -> Bool { keys.contains(address.key) }
}

extension IPAddress {
  /// The address as one number.
  var key: UInt128 { UInt128(high) << 64 | UInt128(low) }

  /// The IPv4 address inside an address of the well-known NAT64 prefix 64:ff9b::/96 (RFC 6052, section 2.1), else
  /// the address itself: the owner of a server behind a translator is the owner of its IPv4 address.
  var translated: IPAddress {
    high == 0x0064_ff9b_0000_0000 && low >> 32 == 0 ? IPAddress(v4: UInt32(truncatingIfNeeded: low)) : self
  }

  /// Whether it belongs to nobody in particular: private (RFC 1918, RFC 4193), shared (RFC 6598), link-local, loopback
  /// and documentation addresses. A proxy or a laboratory may stand there for any service.
  public var isSpecialPurpose: Bool {
    guard isV4 else {
      let first = high >> 48
      return first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80 || (high == 0 && low <= 1)
        || high >> 32 == 0x2001_0db8
    }
    let (a, b) = (v4 >> 24, v4 >> 16 & 255)
    return a == 10 || a == 127 || a == 0 || (a == 172 && b & 0xf0 == 16) || (a == 192 && b == 168)
      || (a == 169 && b == 254) || (a == 100 && b & 0xc0 == 64) || v4 >> 8 == 0xc0_0002 || v4 >> 8 == 0xc6_3364
      || v4 >> 8 == 0xcb_0071 || (a == 198 && b & 0xfe == 18)
  }
}
