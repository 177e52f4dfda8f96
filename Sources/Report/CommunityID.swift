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
    "1:"
      + String(
        decoding: digest(
          source: source, sourcePort: sourcePort, destination: destination, destinationPort: destinationPort,
          transport: transport, seed: seed), as: UTF8.self)
  }

  /// What follows "1:".
  static func digest(
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
    return base64(sha1(input))
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

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// Base64 with padding (RFC 4648, section 4).
  private static func base64(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var at = 0
    while at < bytes.count {
      let left = bytes.count - at
      var bits = UInt32(bytes[at]) << 16
      if left > 1 { bits |= UInt32(bytes[at + 1]) << 8 }
      if left > 2 { bits |= UInt32(bytes[at + 2]) }
      text.append(alphabet[Int(bits >> 18)])
      text.append(alphabet[Int(bits >> 12 & 63)])
      text.append(left > 1 ? alphabet[Int(bits >> 6 & 63)] : UInt8(ascii: "="))
      text.append(left > 2 ? alphabet[Int(bits & 63)] : UInt8(ascii: "="))
      at += 3
    }
    return text
  }
}
