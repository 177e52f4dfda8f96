import Bytes

/// What a fragment's IP header says of it.
struct Fragment {
  /// 4 or 6.
  var version: UInt8
  /// The protocol of the datagram; with IPv6 only the first fragment's word counts (RFC 8200, section 4.5).
  var transport: UInt8
  var identification: UInt32
  /// Of its payload in the datagram's, in bytes.
  var offset: Int
  var hasMore: Bool
  /// Bytes of header that count against the 65,535 of a datagram: those of IPv4.
  var headerLength: Int
}

extension Decoder {
  /// Holds a fragment, or decodes the datagram that it completes.
  ///
  /// The first fragment names the ports: it goes to its flow at once and is not counted again when the datagram is
  /// whole. The others wait.
  mutating func fragment(
    _ fragment: Fragment, _ p: RawSpan, _ at: Int, _ end: Int, network: Int, _ h: inout Headers
  ) -> DecodeOutcome {
    // Inside a first fragment, or where the length field lies, there is nothing to put together.
    if current.isFirstFragment || h.damage != nil {
      if fragment.offset == 0, firstFragment(fragment, p, at, end, network: network, &h) { return .flow }
      return h.damage == nil ? .fragment : .damaged
    }
    let key = FragmentTable.Key(
      source: h.source, destination: h.destination, scope: h.scope, identification: fragment.identification,
      transport: fragment.version == 4 ? fragment.transport : 0, version: fragment.version)
    let payload = p.slice(at, min(p.byteCount, end) &- at)
    switch fragments.insert(fragment, key, payload, length: end &- at, at: current.timestamp) {
    case .bad:
      return refuse(fragment.version == 4 ? .ipv4 : .ipv6, .badFragment, at: network, &h)
    case .refused:
      return .fragment
    case .held(let slot):
      if fragment.offset == 0, firstFragment(fragment, p, at, end, network: network, &h) { return .flow }
      fragments.count(slot, packets: 1 &+ current.earlierFragments, bytes: current.wireLength &+ current.earlierBytes)
      current.earlierFragments = 0
      current.earlierBytes = 0
      return .fragment
    case .complete(let slot):
      return datagram(slot, fragment, &h)
    }
  }

  /// Reads the ports out of a first fragment; false where they, or the tunnel around them, do not lie in it whole.
  private mutating func firstFragment(
    _ fragment: Fragment, _ p: RawSpan, _ at: Int, _ end: Int, network: Int, _ h: inout Headers
  ) -> Bool {
    let outer = current
    current.isFirstFragment = true
    var first = h
    // What is not in this fragment reads as cut off: the datagram may be as long as a datagram can be.
    let outcome = datagramPayload(
      fragment.version, fragment.transport, p.slice(0, min(p.byteCount, end)), at, at &+ 0xffff, network: network,
      &first)
    current = outer
    guard outcome == .flow else { return false }
    switch first.damage?.layer {
    case .link, .vlan, .mpls, .pppoe, .tunnel: return false
    case .ipv4, .ipv6, .tcp, .udp, nil: break
    }
    h = first
    h.isFirstFragment = true
    // The payload counts with the packet that completes the datagram.
    h.payloadCaptured = 0
    h.payloadLength = 0
    return true
  }

  private mutating func datagram(_ slot: Int, _ fragment: Fragment, _ h: inout Headers) -> DecodeOutcome {
    var buffer: [UInt8] = []
    swap(&buffer, &assembly)
    buffer.removeAll(keepingCapacity: true)
    let whole = fragments.take(slot, into: &buffer)
    current.earlierFragments &+= whole.packets
    current.earlierBytes = current.earlierBytes.addingSaturated(whole.bytes)
    h.transport = TransportProtocol(rawValue: whole.transport)
    let outcome = datagramPayload(
      fragment.version, whole.transport, buffer.rawSpan, 0, whole.length, network: 0, &h)
    if !current.isAssembled {
      current.isAssembled = true
      assembly = buffer
    }
    h.isReassembled = true
    return outcome
  }

  private mutating func datagramPayload(
    _ version: UInt8, _ number: UInt8, _ p: RawSpan, _ at: Int, _ end: Int, network: Int, _ h: inout Headers
  ) -> DecodeOutcome {
    version == 4 ? transport(number, p, at, end, &h) : extensions(number, p, at, end, network: network, &h)
  }
}

extension UInt32 {
  func addingSaturated(_ other: UInt32) -> UInt32 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
