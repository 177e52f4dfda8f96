import Bytes
import Classify
import Decode
import Protocols

/// Events as JSON lines, named as in Suricata's EVE where EVE has the name. Keys keep their order; what is not known
/// is absent.
public struct JSONLines: Sendable {
  private var buffer = RecordBuffer()
  private let includesShape: Bool

  /// A writer of JSON lines.
  /// - Parameter includesShape: whether `flow` objects tell sizes, gaps and record lengths.
  public init(includesShape: Bool = false) { self.includesShape = includesShape }

  /// The `flow` object of a flow that has ended, with its line feed; valid until the next call.
  public mutating func line(_ flow: FlowEvent) -> [UInt8] {
    begin("flow", at: flow.start)
    buffer.identity(of: flow)
    buffer.verdict(flow.verdict, decidedAt: flow.decidedAtPacket)
    buffer.facts(flow)
    buffer.callFacts(flow.facts)
    buffer.counters(of: flow)
    if includesShape { buffer.shape(FlowShapeReport(flow.shape)) }
    buffer.member("tunnel", flow.scope.tunnels.map(\.name))
    buffer.member("vlan", flow.scope.vlans)
    buffer.member("notes", flow.facts.notes + flow.notes)
    buffer.member("capture", flow.capture)
    return end()
  }

  /// The `decision` object of a live flow whose tag was decided or has changed and that goes on.
  public mutating func decision(_ flow: FlowEvent) -> [UInt8] {
    begin("decision", at: flow.end)
    buffer.identity(of: flow)
    buffer.verdict(flow.verdict, decidedAt: flow.decidedAtPacket)
    buffer.facts(flow)
    buffer.callFacts(flow.facts)
    buffer.member("tunnel", flow.scope.tunnels.map(\.name))
    buffer.member("vlan", flow.scope.vlans)
    buffer.member("capture", flow.capture)
    return end()
  }

  /// The `conversation` object of a call whose last flow has ended.
  public mutating func line(_ call: ConversationEvent) -> [UInt8] {
    begin("conversation", at: call.start)
    buffer.conversation(call)
    return end()
  }

  /// The `packet` object of a packet.
  public mutating func line(_ packet: PacketEvent) -> [UInt8] {
    begin("packet", at: packet.timestamp)
    buffer.member("pcap_cnt", packet.number)
    buffer.member("flow_id", packet.flowID)
    buffer.member("direction", packet.isToServer ? "to_server" : "to_client")
    buffer.member("wire_len", packet.wireLength)
    buffer.member("payload_len", packet.payloadLength)
    buffer.member("tag", packet.tag.rawValue)
    buffer.member("service", packet.service)
    buffer.member("capture", packet.capture)
    return end()
  }

  /// The `stats` object that closes a stream. Without packets it has no times.
  public mutating func line(_ stats: StatsEvent) -> [UInt8] {
    let hasTimes = stats.packets > 0
    begin("stats", at: hasTimes ? stats.end : nil)
    buffer.member("packets", stats.packets)
    buffer.member("bytes", stats.bytes)
    buffer.object("flows") { buffer in
      buffer.member("push", stats.flows[.push] ?? 0)
      buffer.member("messaging", stats.flows[.messaging] ?? 0)
      buffer.member("calling", stats.flows[.calling] ?? 0)
      buffer.member("other", stats.flows[.other] ?? 0)
    }
    if let dropped = stats.dropped { buffer.member("kernel_drops", dropped) }
    if let dropped = stats.droppedByInterface { buffer.member("kernel_ifdrops", dropped) }
    buffer.member("truncated_packets", stats.truncatedPackets)
    buffer.member("packets_without_flow", stats.packetsWithoutFlow)
    buffer.member("decode_errors", stats.decodeErrors)
    buffer.member("limits", stats.limits)
    if hasTimes {
      buffer.member("start", time: stats.start)
      buffer.member("end", time: stats.end)
    }
    return end()
  }

  private mutating func begin(_ type: String, at time: Int64?) {
    buffer.removeAll()
    buffer.append(UInt8(ascii: "{"))
    buffer.member("event_type", type)
    if let time { buffer.member("timestamp", time: time) }
  }

  private mutating func end() -> [UInt8] {
    buffer.append(UInt8(ascii: "}"))
    buffer.append(UInt8(ascii: "\n"))
    return buffer.bytes
  }
}

extension RecordBuffer {
  mutating func identity(of flow: FlowEvent) {
    member("flow_id", flow.id)
    key("community_id")
    append("\"1:" as StaticString)
    append(
      CommunityID.digest(
        source: flow.source, sourcePort: flow.sourcePort, destination: flow.destination,
        destinationPort: flow.destinationPort, transport: flow.transport))
    append(UInt8(ascii: "\""))
    member("src_ip", flow.source)
    member("src_port", flow.sourcePort)
    member("dest_ip", flow.destination)
    member("dest_port", flow.destinationPort)
    member("proto", flow.transport.recordName)
    member("app_proto", flow.facts.application?.rawValue)
    member("app_proto_orig", flow.facts.upgradedFrom?.rawValue)
  }

  private mutating func member(_ name: StaticString, _ address: IPAddress) {
    key(name)
    append(UInt8(ascii: "\""))
    append(address)
    append(UInt8(ascii: "\""))
  }

  mutating func verdict(_ verdict: Verdict, decidedAt packet: UInt64) {
    member("tag", verdict.tag.rawValue)
    member("service", verdict.service)
    key("confidence")
    append(verdict.confidence, places: 6)
    key("margin")
    append(verdict.margin, places: 2)
    if packet > 0 { member("decided_at_packet", packet) }
    objects("carries", verdict.carries) { carried, buffer in
      buffer.member("tag", carried.tag.rawValue)
      buffer.member("service", carried.service)
    }
    objects("evidence", verdict.evidence) { row, buffer in
      buffer.member("source", row.source.rawValue)
      buffer.member("value", row.value)
      buffer.member("tag", row.tag.rawValue)
      buffer.member("service", row.service)
      buffer.key("bits")
      buffer.append(row.bits, places: 2)
      buffer.member("note", row.note)
    }
    member("conflicts", verdict.conflicts)
  }

  mutating func facts(_ flow: FlowEvent) {
    if let conversation = flow.conversation { member("conversation", conversation) }
    member("media", flow.media)
    member("process", flow.process)
    if let tls = flow.facts.tls {
      object("tls") { buffer in buffer.tls(tls) }
    }
    if let http = flow.facts.http {
      object("http") { buffer in
        buffer.member("hostname", http.host)
        buffer.member("http_method", http.method)
        buffer.member("http_user_agent", http.userAgent)
        if let status = http.status { buffer.member("status", status) }
      }
    }
    if !flow.names.isEmpty || !flow.facts.dnsQuestions.isEmpty {
      object("dns") { buffer in
        buffer.member("names", flow.names)
        buffer.member("questions", flow.facts.dnsQuestions)
      }
    }
  }

  private mutating func tls(_ tls: TLSFacts) {
    if let version = tls.version { member("version", tlsVersionName(version)) }
    member("sni", tls.serverName)
    member("alpn", tls.alpn)
    member("alpn_selected", tls.alpnSelected)
    member("ja3", tls.ja3)
    member("ja3s", tls.ja3s)
    member("ja4", tls.ja4)
    member("supported_versions", tls.supportedVersions.map(tlsVersionName))
    if let suite = tls.cipherSuite {
      key("cipher_suite")
      append("\"0x" as StaticString)
      append(hex: UInt64(suite), digits: 4)
      append(UInt8(ascii: "\""))
    }
    member("certificate_names", tls.certificateNames)
    if tls.hasEncryptedClientHello {
      key("ech")
      append("true" as StaticString)
    }
    if tls.hasHelloRetryRequest {
      key("hello_retry_request")
      append("true" as StaticString)
    }
  }

  mutating func counters(of flow: FlowEvent) {
    object("flow") { buffer in
      buffer.member("pkts_toserver", flow.packetsToServer)
      buffer.member("pkts_toclient", flow.packetsToClient)
      buffer.member("bytes_toserver", flow.bytesToServer)
      buffer.member("bytes_toclient", flow.bytesToClient)
      buffer.member("start", time: flow.start)
      buffer.member("end", time: flow.end)
      buffer.key("age")
      buffer.append(seconds: flow.duration)
      buffer.member("reason", flow.reason.rawValue)
      buffer.member("state", flow.state)
    }
  }

  /// Lists and histograms that hold anything; a histogram's last zeros are left out.
  mutating func shape(_ shape: FlowShapeReport) {
    object("shape") { buffer in
      buffer.member("sizes", shape.sizes)
      buffer.member("gaps_us", shape.gaps)
      buffer.member("records", shape.records)
      buffer.member("sizes_toserver", shape.sizesToServer.withoutLastZeros)
      buffer.member("sizes_toclient", shape.sizesToClient.withoutLastZeros)
      buffer.member("gap_histogram", shape.gapHistogram.withoutLastZeros)
    }
  }
}

extension [UInt32] {
  fileprivate var withoutLastZeros: ArraySlice<UInt32> {
    self[..<((lastIndex { $0 != 0 } ?? -1) + 1)]
  }
}

extension TransportProtocol {
  /// "TCP", "UDP", or the IANA number.
  var recordName: String {
    switch self {
    case .tcp: "TCP"
    case .udp: "UDP"
    default: String(rawValue)
    }
  }
}

extension FlowEvent {
  /// Nanoseconds from the first packet to the last; 0 where times run backwards.
  var duration: UInt64 { UInt64(clamping: end.subtractingReportingOverflow(start).partialValue) }
  /// Packets of both directions.
  var packets: UInt64 { packetsToServer &+ packetsToClient }
  /// Bytes of both directions.
  var bytes: UInt64 { bytesToServer &+ bytesToClient }
}

/// The name of a TLS or DTLS version as EVE spells it: "TLS 1.3"; hexadecimal where it has none.
func tlsVersionName(_ version: UInt16) -> String {
  switch version {
  case 0x0002: "SSL 2.0"
  case 0x0300: "SSL 3.0"
  case 0x0301: "TLS 1.0"
  case 0x0302: "TLS 1.1"
  case 0x0303: "TLS 1.2"
  case 0x0304: "TLS 1.3"
  case 0x7f00...0x7f1c: "TLS 1.3 draft \(version & 0xff)"
  case 0xfeff: "DTLS 1.0"
  case 0xfefd: "DTLS 1.2"
  case 0xfefc: "DTLS 1.3"
  default: "0x" + [UInt8(version >> 8), UInt8(version & 0xff)].hex
  }
}
