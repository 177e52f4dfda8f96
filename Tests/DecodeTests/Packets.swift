import Testing
import Bytes
import Decode

/// Bytes from hexadecimal digits; everything else is for the reader.
func hex(_ text: String) -> [UInt8] {
  let digits = text.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

func bigEndian(_ value: Int) -> [UInt8] { [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)] }

/// Synthetic packets, put together layer by layer. Checksums are 0: the decoder does not look at them.
enum Packet {
  /// 192.0.2.9 port 49152 to 198.51.100.1 port 443, PSH and ACK, "hello".
  static let segment = hex("c000 01bb 00000001 00000002 5018 2000 0000 0000") + Array("hello".utf8)
  static let client = "192.0.2.9"
  static let server = "198.51.100.1"
  static let client6 = "2001:db8::9"
  static let server6 = "2001:db8:1::1"

  static let tcp4 = ipv4(6, segment)
  static let tcp6 = ipv6(6, segment)

  static func udp(_ source: Int, _ destination: Int, _ payload: [UInt8], length: Int? = nil) -> [UInt8] {
    bigEndian(source) + bigEndian(destination) + bigEndian(length ?? 8 + payload.count) + [0, 0] + payload
  }

  static func ipv4(
    _ number: UInt8, _ payload: [UInt8], options: [UInt8] = [], identification: Int = 0, offset: Int = 0,
    more: Bool = false, length: Int? = nil, addresses: String = "c0000209 c6336401"
  ) -> [UInt8] {
    let header = 20 + options.count
    return [UInt8(0x40 | header / 4), 0] + bigEndian(length ?? header + payload.count) + bigEndian(identification)
      + bigEndian((more ? 0x2000 : 0) | offset / 8) + [64, number, 0, 0] + hex(addresses) + options + payload
  }

  static func ipv6(
    _ number: UInt8, _ payload: [UInt8], length: Int? = nil,
    addresses: String = "20010db8 00000000 00000000 00000009  20010db8 00010000 00000000 00000001"
  ) -> [UInt8] {
    hex("60000000") + bigEndian(length ?? payload.count) + [number, 64] + hex(addresses) + payload
  }

  static func fragment6(_ number: UInt8, _ payload: [UInt8], identification: Int, offset: Int, more: Bool) -> [UInt8] {
    ipv6(
      44,
      [number, 0] + bigEndian(offset | (more ? 1 : 0)) + [0, 0] + bigEndian(identification) + payload)
  }

  static func ethernet(_ type: Int, _ payload: [UInt8]) -> [UInt8] {
    hex("020000000001 020000000002") + bigEndian(type) + payload
  }

  static func outer4(_ number: UInt8, _ payload: [UInt8]) -> [UInt8] {
    ethernet(0x0800, ipv4(number, payload, addresses: "0a000001 0a000002"))
  }

  static func outer6(_ number: UInt8, _ payload: [UInt8]) -> [UInt8] {
    ethernet(
      0x86dd,
      ipv6(
        number, payload, addresses: "fd000000 00000000 00000000 00000001  fd000000 00000000 00000000 00000002"))
  }
}

/// One way to wrap the segment of `Packet.segment`, and the scope it must come out with.
struct Sample: Sendable, CustomTestStringConvertible {
  var name: String
  var link = LinkType.ethernet
  var bytes: [UInt8]
  var version = 4
  var vlans: [Int] = []
  var tunnels: [TunnelKind] = []
  /// Bytes behind the datagram: padding, trailers, check sequences.
  var trailing = 0
  /// The name that the capture gives the packet's process.
  var process: String?
  var testDescription: String { name }
}

/// What decoding one packet gave.
struct Decoded {
  var outcome: DecodeOutcome
  var headers: Headers
  /// The payload as far as it was captured, wherever it lies.
  var payload: [UInt8]
  /// The name of the packet's process.
  var process: String?
}

extension Decoder {
  mutating func decode(
    _ bytes: [UInt8], link: LinkType = .ethernet, wire: Int? = nil, at time: Int64 = 0
  ) -> Decoded {
    var headers = Headers()
    let outcome = decode(
      bytes.rawSpan, linkType: link, wireLength: wire ?? bytes.count, timestamp: time, into: &headers)
    let (offset, count) = (Int(headers.payloadOffset), Int(headers.payloadCaptured))
    let payload =
      headers.isReassembled ? reassembled.slice(offset, count).array : bytes.rawSpan.slice(offset, count).array
    return Decoded(outcome: outcome, headers: headers, payload: payload, process: processName(headers.process))
  }
}

func decode(_ bytes: [UInt8], link: LinkType = .ethernet, wire: Int? = nil) -> Decoded {
  var decoder = Decoder()
  return decoder.decode(bytes, link: link, wire: wire)
}

/// SplitMix64: the same numbers on every run.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}
