/// A port, or a range of ports, of one transport: "tcp/5223", "udp/3478-3497".
public struct PortRange: Sendable, Hashable, CustomStringConvertible {
  /// As it is written in the catalogue.
  public let description: String
  /// Whether it is of TCP, as opposed to UDP.
  public let isTCP: Bool
  /// The ports.
  public let ports: ClosedRange<UInt16>

  /// Reads `tcp/PORT`, `udp/PORT` or a range of ports after the slash.
  /// - Throws: what is wrong with it, and what to write instead.
  public init(_ text: String) throws(CatalogueWording) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let bounds = (parts.last ?? "").split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
    guard parts.count == 2, parts[0] == "tcp" || parts[0] == "udp", (1...2).contains(bounds.count),
      let low = bounds[0], let high = bounds[bounds.count - 1], low <= high, low > 0
    else { throw CatalogueWording("\"\(text)\" is no port: write tcp/5223, udp/3478 or udp/3478-3497") }
    description = text
    isTCP = parts[0] == "tcp"
    ports = low...high
  }

  /// Whether it holds a port of a transport.
  public func contains(_ port: UInt16, isTCP: Bool) -> Bool { self.isTCP == isTCP && ports.contains(port) }

  /// A port of a transport as one number.
  static func key(_ port: UInt16, isTCP: Bool) -> UInt32 { UInt32(port) | (isTCP ? 1 << 16 : 0) }

  /// The range as numbers.
  var keys: ClosedRange<UInt32> {
    Self.key(ports.lowerBound, isTCP: isTCP)...Self.key(ports.upperBound, isTCP: isTCP)
  }
}
