import Bytes

/// What lies in a tunnel.
enum TunnelContent {
  case ip
  case type(UInt16)
  case wireless(WirelessFraming)
}

extension Decoder {
  /// Looks for a tunnel behind a well-known port: nil where the UDP header is the innermost one.
  mutating func tunnel(
    _ port: UInt16, _ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers
  ) -> DecodeOutcome? {
    switch port {
    case 6081: geneve(p, at, end, &h)
    case 2152: gtpU(p, at, end, &h)
    case 3544: teredo(p, at, end, &h)
    case 4790: vxlanGPE(p, at, end, &h)
    case 5247: capwap(p, at, end, &h)
    case 4341: lisp(p, at, end, &h)
    case 1701: l2tp(p, at, end, &h)
    case 6635: mplsInUDP(p, at, end, &h)
    case 4754: greInUDP(p, at, end, &h)
    default: vxlan(p, at, end, &h)
    }
  }

  /// Enters a tunnel over UDP. A port is a hint and no proof, and ICMP or ARP inside names no flow: unless TCP or UDP,
  /// or a fragment, lies inside, the outer UDP flow stands, with the damage that an inner IP header led to.
  mutating func enter(
    _ kind: TunnelKind, network: UInt32 = 0, _ content: TunnelContent, _ p: RawSpan, _ at: Int, _ end: Int,
    _ h: inout Headers
  ) -> DecodeOutcome? {
    var inner = Headers()
    inner.damage = h.damage
    inner.process = h.process
    inner.scope = h.scope
    inner.scope.add(tunnel: kind, network: network)
    let layers = current.layers
    let outcome =
      switch content {
      case .ip: rawIP(p, at, end, &inner)
      case .type(let type): self.network(type, p, at, end, &inner)
      case .wireless(let framing): wireless(p, at, end, framing, &inner)
      }
    if outcome == .flow || outcome == .fragment {
      h = inner
      return outcome
    }
    current.layers = layers
    // The rest of a fragmented datagram may still name the inner flow.
    if current.isFirstFragment, inner.damage?.reason == .cutBySnapshot { return cutTunnel(at, &h) }
    if inner.ipVersion != 0 || inner.damage?.reason == .cutBySnapshot { h.damage = inner.damage }
    return nil
  }

  /// The snapshot length cut off what would tell whether this is a tunnel.
  func cutTunnel(_ at: Int, _ h: inout Headers) -> DecodeOutcome? {
    if h.damage == nil || current.isFirstFragment { h.damage = Damage(.tunnel, .cutBySnapshot, at: at) }
    return nil
  }
}
