import Bytes
import Classify
import Decode
import Protocols

// A flow in a person's words: printable, and not longer than needed.

extension FlowEvent {
  /// The best name of the server; `nil` where only the address is known. A name without a dot, as in the certificates
  /// that WebRTC makes for a call, names no host.
  var serverName: String? {
    facts.tls?.serverName ?? facts.http?.host ?? facts.tls?.certificateNames.first { $0.contains(".") } ?? names.first
  }

  /// "192.0.2.9" or "2001:db8::1".
  var who: String { source.description }

  /// "courier.push.apple.com:5223", "[2001:db8::1]:443/udp".
  var whereTo: String {
    let host = serverName.map(printable) ?? (destination.isV4 ? "\(destination)" : "[\(destination)]")
    return "\(host):\(destinationPort)" + (transport == .tcp ? "" : "/" + transport.recordName.lowercased())
  }

  /// "sni courier.push.apple.com", or what else moved the verdict most.
  var why: String {
    guard let first = verdict.evidence.first else { return "no evidence" }
    let text = "\(first.source.words) \(printable(first.value))"
    return verdict.conflicts.isEmpty ? text : text + ", conflict"
  }

  /// The reason where the name stands beside it already: "sni, alpn, address".
  var whyInShort: String {
    guard let first = verdict.evidence.first else { return "no evidence" }
    guard first.value == serverName else { return why }
    var sources: [String] = []
    for row in verdict.evidence where row.tag == verdict.tag && row.bits > 0 && !sources.contains(row.source.words) {
      sources.append(row.source.words)
    }
    if !verdict.conflicts.isEmpty { sources.append("conflict") }
    return sources.isEmpty ? why : sources.joined(separator: ", ")
  }

  /// "APNs", or what the payload is where no service is known.
  var what: String {
    verdict.service.map(printable) ?? facts.application.map { printable($0.title) } ?? "unknown"
  }
}

extension FlowEvent {
  /// What QUIC, DTLS, STUN, RTP and signalling said, a sentence each.
  var callWords: [String] {
    var words: [String] = []
    if let quic = facts.quic {
      let retry = quic.hasRetry ? ", after a Retry" : ""
      let moved = quic.hasMigrated ? ", goes on with an earlier flow's connection" : ""
      words.append(
        "QUIC \(quic.version.map { QUICVersion(rawValue: $0).description } ?? "of unknown version")\(retry)\(moved)")
    }
    if let dtls = facts.dtls, let profile = dtls.srtpProfile ?? dtls.srtpProfiles.first {
      words.append("keys for SRTP agreed on by DTLS (\(srtpProfileName(profile)))")
    }
    if let stun = facts.stun {
      let kind = stun.hasTURN ? "TURN" : stun.hasICE ? "ICE" : stun.isClassic ? "classic STUN" : "STUN"
      let texts = [stun.software, stun.realm, stun.origin].compactMap { $0.map(printable) }
      let peers = stun.peers.isEmpty ? "" : ", peers " + stun.peers.prefix(3).map(\.description).joined(separator: " ")
      words.append(([kind] + texts).joined(separator: ", ") + peers)
    }
    if let rtp = facts.rtp {
      let types = Set(rtp.streams.map { "\($0.payloadType)" }).sorted().joined(separator: " ")
      let inside = rtp.encapsulation.map { " inside \(printable($0))" } ?? ""
      words.append(
        counted(UInt64(rtp.streams.count), "RTP stream") + inside + (types.isEmpty ? "" : ", payload types \(types)")
          + (rtp.hasRTCP ? ", with RTCP" : ""))
    }
    if let call = facts.call {
      let names = [call.caller, call.callee].compactMap { $0.map(printable) }.joined(separator: " to ")
      let methods = call.methods.prefix(6).map(printable).joined(separator: " ")
      words.append([names, methods].filter { !$0.isEmpty }.joined(separator: ": "))
    }
    if let conversation {
      words.append("part of call \(conversation)" + (media.isEmpty ? "" : ": " + media.joined(separator: " and ")))
    }
    return words.filter { !$0.isEmpty }
  }
}

extension ApplicationProtocol {
  /// The name as the field writes it: "TLS", "mDNS", "HTTP/2".
  var title: String {
    switch self {
    case .mdns: "mDNS"
    case .http2: "HTTP/2"
    case .postgresql: "PostgreSQL"
    case .mysql: "MySQL"
    case .openvpn: "OpenVPN"
    case .bittorrent: "BitTorrent"
    default: rawValue.uppercased()
    }
  }
}

extension Evidence.Source {
  /// Whether its values are host names.
  var isName: Bool { [.sni, .certificate, .dns, .httpHost].contains(self) }

  /// The source as it stands in prose.
  var words: String {
    switch self {
    case .sni: "sni"
    case .certificate: "certificate"
    case .alpn: "alpn"
    case .dns: "dns name"
    case .httpHost: "http host"
    case .address: "address"
    case .port: "port"
    case .protocol: "protocol"
    case .firstBytes: "first bytes"
    case .fingerprint: "fingerprint"
    case .stun: "stun"
    case .media: "media"
    case .conversation: "conversation"
    case .process: "process"
    case .userAgent: "user agent"
    case .shape: "shape"
    }
  }
}

extension Carried {
  /// "FaceTime ringing (calling)".
  var words: String { "\(printable(service)) (\(tag.rawValue))" }
}
