import Bytes
import Classify
import Decode
import Protocols

/// Flows as comma-separated values (RFC 4180: a header line, CR LF, quotes where needed).
///
/// Text that came from the wire is made harmless twice. Control characters are written as `\xNN`. A field that a
/// spreadsheet would run as a formula, because it begins with `=`, `+`, `-`, `@`, a tab or a carriage return, gets an
/// apostrophe in front. Who needs the exact text takes the JSON lines. Lists are joined with "; ".
public struct CSV: Sendable {
  private var buffer = RecordBuffer()
  private var isFirst = true

  /// A writer of comma-separated values.
  public init() {}

  /// The columns, in order.
  public static let columns = [
    "flow_id", "start", "end", "age", "src_ip", "src_port", "dest_ip", "dest_port", "proto", "app_proto", "tag",
    "service", "confidence", "decided_at_packet", "shared_fate", "carries", "reason", "conflicts", "sni", "alpn",
    "tls_version", "ja3", "ja3s", "ja4", "http_host", "http_user_agent", "dns_names", "dns_questions",
    "quic_version",
    "conversation", "media", "process", "pkts_toserver", "pkts_toclient", "bytes_toserver", "bytes_toclient",
    "end_reason", "state", "vlan", "tunnel",
    "community_id", "notes", "capture",
  ]

  /// The header line.
  public mutating func header() -> [UInt8] {
    begin()
    for column in Self.columns { field(column) }
    return end()
  }

  /// The line of a flow; valid until the next call.
  public mutating func line(_ flow: FlowEvent) -> [UInt8] {
    begin()
    let verdict = flow.verdict
    let tls = flow.facts.tls
    field { $0.append(decimal: flow.id) }
    field { $0.append(time: flow.start) }
    field { $0.append(time: flow.end) }
    field { $0.append(seconds: flow.duration) }
    field { $0.append(flow.source) }
    field { $0.append(decimal: flow.sourcePort) }
    field { $0.append(flow.destination) }
    field { $0.append(decimal: flow.destinationPort) }
    field(flow.transport.recordName)
    field(flow.facts.application?.rawValue)
    field(verdict.tag.rawValue)
    field(verdict.service)
    field { $0.append(verdict.confidence, places: 6) }
    field { if flow.decidedAtPacket > 0 { $0.append(decimal: flow.decidedAtPacket) } }
    field(verdict.isSharedFate ? "true" : "false")
    field(verdict.carries.map { "\($0.tag.rawValue) \($0.service)" })
    field(verdict.evidence.first.map { "\($0.source.rawValue) \($0.value)" })
    field(verdict.conflicts)
    field(tls?.serverName)
    field(tls?.alpn ?? [])
    field(tls?.version.map(tlsVersionName))
    field(tls?.ja3)
    field(tls?.ja3s)
    field(tls?.ja4)
    field(flow.facts.http?.host)
    field(flow.facts.http?.userAgent)
    field(flow.names)
    field(flow.facts.dnsQuestions)
    field(flow.facts.quic?.version.map { QUICVersion(rawValue: $0).description })
    field { if let conversation = flow.conversation { $0.append(decimal: conversation) } }
    field(flow.media)
    field(flow.process)
    field { $0.append(decimal: flow.packetsToServer) }
    field { $0.append(decimal: flow.packetsToClient) }
    field { $0.append(decimal: flow.bytesToServer) }
    field { $0.append(decimal: flow.bytesToClient) }
    field(flow.reason.rawValue)
    field(flow.state)
    field(flow.scope.vlans.map { String($0) })
    field(flow.scope.tunnels.map(\.name))
    field {
      $0.append("1:" as StaticString)
      $0.append(
        CommunityID.digest(
          source: flow.source, sourcePort: flow.sourcePort, destination: flow.destination,
          destinationPort: flow.destinationPort, transport: flow.transport))
    }
    field(flow.facts.notes + flow.notes)
    field(flow.capture)
    return end()
  }

  private mutating func begin() {
    buffer.removeAll()
    isFirst = true
  }

  private mutating func end() -> [UInt8] {
    buffer.append("\r\n")
    return buffer.bytes
  }

  private mutating func field(_ write: (inout RecordBuffer) -> Void) {
    if !isFirst { buffer.append(UInt8(ascii: ",")) }
    isFirst = false
    write(&buffer)
  }

  private mutating func field(_ texts: [String]) {
    field(texts.isEmpty ? nil : texts.joined(separator: "; "))
  }

  private mutating func field(_ text: String?) {
    field { buffer in
      if let text { buffer.append(csvField: text) }
    }
  }
}
