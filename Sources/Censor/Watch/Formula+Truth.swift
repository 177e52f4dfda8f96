import Classify
import Decode

extension Formula {
  /// Whether some leaf stands under `not`: what is not seen yet then counts.
  var hasNegation: Bool {
    switch self {
    case .leaf: false
    case .all(let parts), .any(let parts): parts.contains(where: \.hasNegation)
    case .not: true
    }
  }

  /// Whether it holds at a packet of a flow that goes on; nil where what is still to be told of the flow decides.
  ///
  /// Kleene's logic of three values. Single packets' leaves are false, as in `PolicyMatcher.match`.
  /// - Parameters:
  ///   - packet: the packet, from 1.
  ///   - sights: what the leaves meet so far, in the order of `leaves`.
  ///   - flow: the flow so far.
  /// - Returns: whether it holds.
  func truth(at packet: Int, _ sights: [LeafSight], _ flow: FlowView) -> Bool? {
    var next = 0
    return truth(at: packet, sights, flow, &next)
  }

  private func truth(at packet: Int, _ sights: [LeafSight], _ flow: FlowView, _ next: inout Int) -> Bool? {
    switch self {
    case .leaf(let leaf):
      defer { next += 1 }
      guard sights.indices.contains(next) else { return nil }
      if sights[next].at > 0, sights[next].at <= packet { return true }
      return leaf.mayTurnUp(at: packet, flow) ? nil : false
    case .all(let parts):
      var isKnown = true
      var isMet = true
      // No early end: every part takes its leaves' places.
      for part in parts {
        switch part.truth(at: packet, sights, flow, &next) {
        case true?: break
        case false?: isMet = false
        case nil: isKnown = false
        }
      }
      return isMet ? isKnown ? true : nil : false
    case .any(let parts):
      var isKnown = true
      var isMet = false
      for part in parts {
        switch part.truth(at: packet, sights, flow, &next) {
        case true?: isMet = true
        case false?: break
        case nil: isKnown = false
        }
      }
      return isMet ? true : isKnown ? false : nil
    case .not(let part): return part.truth(at: packet, sights, flow, &next).map { !$0 }
    }
  }
}

extension Leaf {
  /// Whether it rests on what the analysis tells of a flow, and not on single packets and addresses alone.
  var needsAnalysis: Bool {
    switch self {
    case .address, .owner, .port, .transport, .quicVersion, .firstPayloadLength, .fullyEncrypted, .unrecognised,
      .record, .packet, .model, .message:
      false
    case .sni, .quicSNI, .hello, .alpn, .dnsName, .httpHost, .application, .ja3, .ja4, .encryptedServerName,
      .encryptedClientHello, .tag, .service:
      true
    }
  }

  /// Whether it rests on the verdict, which may change until the flow's end.
  var needsVerdict: Bool {
    switch self {
    case .tag, .service: true
    default: false
    }
  }

  /// Whether the analysis may yet say that it was there at a packet.
  func mayTurnUp(at packet: Int, _ flow: FlowView) -> Bool {
    guard needsAnalysis else { return false }
    if needsVerdict { return true }
    // What payload shows is not there before payload.
    guard flow.firstPayloadAt > 0, packet >= flow.firstPayloadAt else { return false }
    switch self {
    case .sni, .hello(.tcp), .httpHost: return flow.sight.transport == .tcp
    case .quicSNI, .hello(.quic), .hello(.dtls): return flow.sight.transport == .udp
    default: return true
    }
  }
}
