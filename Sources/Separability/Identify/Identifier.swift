import Bytes
import Decode
import Truth

/// Something by which a box on the path may know a flow.
public enum Identifier: String, Sendable, CaseIterable {
  case fiveTuple = "5-tuple"
  case address = "server address"
  case prefix = "address prefix"
  case port = "server port"
  case dnsName = "DNS name"
  case serverName = "server name (SNI)"
  case alpn = "ALPN"
  case ja3 = "JA3"
  case ja4 = "JA4"
  case certificate = "certificate"

  /// Bits of an IPv4 and an IPv6 address that count as its prefix: what is announced to other networks at the least.
  static let prefixLengths = (v4: 24, v6: 48)

  /// Its value of a flow; nil where the flow shows none.
  func value(of flow: LabelledFlow) -> String? {
    let transport = flow.transport == .tcp ? "TCP" : "UDP"
    switch self {
    case .fiveTuple:
      return "\(transport) \(endpoint(flow.client, flow.clientPort)) > \(endpoint(flow.server, flow.serverPort))"
    case .address: return flow.server.description
    case .prefix: return Self.prefix(of: flow.server)
    case .port: return "\(transport) \(flow.serverPort)"
    case .dnsName: return joined(flow.dnsNames)
    case .serverName: return flow.serverName
    case .alpn: return joined(flow.alpn)
    case .ja3: return flow.ja3
    case .ja4: return flow.ja4
    case .certificate: return joined(flow.certificateNames)
    }
  }

  private func endpoint(_ address: IPAddress, _ port: UInt16) -> String {
    address.isV4 ? "\(address):\(port)" : "[\(address)]:\(port)"
  }

  private func joined(_ values: [String]) -> String? { values.isEmpty ? nil : values.joined(separator: ", ") }

  private static func prefix(of address: IPAddress) -> String {
    let length = address.isV4 ? prefixLengths.v4 : prefixLengths.v6
    let kept = address.isV4 ? 96 + length : length
    let high = kept >= 64 ? address.high : address.high & ~(UInt64.max >> UInt64(kept))
    let low = kept <= 64 ? 0 : address.low & ~(kept >= 128 ? 0 : UInt64.max >> UInt64(kept - 64))
    return "\(IPAddress(high: high, low: low))/\(length)"
  }
}
