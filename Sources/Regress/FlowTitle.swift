import Bytes
import Decode
import Report

/// How a flow is named in an expectation: by its ends, and by VLANs and tunnels where it lies in any. The number that a
/// flow has in a run says nothing of which flow it is.
enum FlowTitle {
  /// "TCP 192.0.2.1:49822 > 192.0.2.7:443", "UDP [2001:db8::1]:500 > [2001:db8::2]:500, vlan 7, VXLAN 42".
  static func text(_ flow: FlowEvent) -> String {
    let transport =
      switch flow.transport {
      case .tcp: "TCP"
      case .udp: "UDP"
      default: "\(flow.transport.rawValue)"
      }
    var text =
      "\(transport) \(end(flow.source, flow.sourcePort)) > \(end(flow.destination, flow.destinationPort))"
    for vlan in flow.scope.vlans { text += ", vlan \(vlan)" }
    for tunnel in flow.scope.tunnels { text += ", \(tunnel.name)" }
    // Bits 38 to 61 of a scope are the network identifier of VXLAN or Geneve.
    let network = flow.scope.rawValue >> 38 & 0xff_ffff
    return network == 0 ? text : text + " \(network)"
  }

  /// The title of the n-th flow between the same ends, from 1.
  static func text(_ title: String, number: Int) -> String { number < 2 ? title : "\(title) (\(number))" }

  /// The same flow opened by the other side; nil where the text is no title.
  static func reversed(_ title: String) -> String? {
    guard let ends = parts(title) else { return nil }
    return "\(ends.transport) \(ends.to) > \(ends.from)\(ends.rest)"
  }

  /// Whether a text has the form of a title.
  static func isTitle(_ text: String) -> Bool {
    guard let ends = parts(text) else { return false }
    return [ends.from, ends.to].allSatisfy { end in
      guard let colon = end.lastIndex(of: ":") else { return false }
      return colon != end.startIndex && UInt16(end[end.index(after: colon)...]) != nil
    }
  }

  private static func end(_ address: IPAddress, _ port: UInt16) -> String {
    address.isV4 ? "\(address):\(port)" : "[\(address)]:\(port)"
  }

  private static func parts(
    _ title: String
  ) -> (transport: Substring, from: Substring, to: Substring, rest: Substring)? {
    let words = title.split(separator: " ", maxSplits: 4)
    guard words.count >= 4, words[2] == ">" else { return nil }
    let to = words[3].prefix { $0 != "," }
    return (words[0], words[1], to, title[to.endIndex...])
  }
}
