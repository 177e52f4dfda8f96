public import Bytes
public import Decode
import Digest

/// The Community ID of a flow, version 1 (corelight/community-id-spec): the same text for both directions, in every
/// tool that knows the specification.
public enum CommunityID {
  /// The identifier of a 5-tuple.
  /// - Parameters:
  ///   - source: one end.
  ///   - sourcePort: its port.
  ///   - destination: the other end.
  ///   - destinationPort: its port.
  ///   - transport: TCP or UDP; the specification maps ICMP types to ports, which are no flows here.
  ///   - seed: a site's own seed; 0 by default there as here.
  /// - Returns: "1:" and the Base64 of a SHA-1.
  public static func text(
    source: IPAddress, sourcePort: UInt16, destination: IPAddress, destinationPort: UInt16,
    transport: TransportProtocol, seed: UInt16 = 0
  ) -> String {
    String(
      decoding: bytes(
        source: source, sourcePort: sourcePort, destination: destination, destinationPort: destinationPort,
        transport: transport, seed: seed), as: UTF8.self)
  }

  static func bytes(
    source: IPAddress, sourcePort: UInt16, destination: IPAddress, destinationPort: UInt16,
    transport: TransportProtocol, seed: UInt16 = 0
  ) -> [UInt8] {
    let isOrdered =
      source == destination ? sourcePort <= destinationPort : IPAddress.precedes(source, destination)
    let (first, second) = isOrdered ? (source, destination) : (destination, source)
    let (firstPort, secondPort) = isOrdered ? (sourcePort, destinationPort) : (destinationPort, sourcePort)
    var input: [UInt8] = []
    input.reserveCapacity(40)
    append(seed, to: &input)
    append(first, to: &input)
    append(second, to: &input)
    input.append(transport.rawValue)
    input.append(0)
    append(firstPort, to: &input)
    append(secondPort, to: &input)
    return [UInt8(ascii: "1"), UInt8(ascii: ":")] + base64(sha1(input))
  }

  private static func append<Number: FixedWidthInteger>(_ number: Number, to bytes: inout [UInt8]) {
    for shift in stride(from: Number.bitWidth - 8, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: number >> Number(shift)))
    }
  }

  private static func append(_ address: IPAddress, to bytes: inout [UInt8]) {
    guard !address.isV4 else {
      append(address.v4, to: &bytes)
      return
    }
    append(address.high, to: &bytes)
    append(address.low, to: &bytes)
  }

  /// Base64 with padding (RFC 4648, section 4).
  private static func base64(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(28)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var bits: UInt32 = 0
      for byte in group { bits = bits << 8 | UInt32(byte) }
      bits <<= UInt32(8 * (3 - group.count))
      for digit in 0..<4 {
        text.append(digit <= group.count ? base64Digit(bits >> UInt32(18 - 6 * digit) & 63) : UInt8(ascii: "="))
      }
    }
    return text
  }

  private static func base64Digit(_ value: UInt32) -> UInt8 {
    let value = UInt8(truncatingIfNeeded: value)
    switch value {
    case 0..<26: return UInt8(ascii: "A") &+ value
    case 26..<52: return UInt8(ascii: "a") &+ (value &- 26)
    case 52..<62: return UInt8(ascii: "0") &+ (value &- 52)
    case 62: return UInt8(ascii: "+")
    default: return UInt8(ascii: "/")
    }
  }
}
