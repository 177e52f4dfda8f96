import Bytes
import Classify
import Decode

extension Leaf {
  /// Whether it is about single packets, each time anew.
  var isOfPacket: Bool {
    switch self {
    case .record, .packet, .model, .message: true
    default: false
    }
  }

  /// Whether each packet of a flow shows it.
  var isLasting: Bool {
    switch self {
    case .address, .owner, .port, .transport, .tag, .service, .application: true
    default: false
    }
  }

  /// How much it says of why a rule fired, where several leaves hold.
  var rank: Int {
    switch self {
    case .transport: 0
    case .port, .hello, .application: 1
    case .firstPayloadLength, .quicVersion: 2
    case .tag: 3
    case .address, .owner: 4
    default: 5
    }
  }

  /// Whether it could be seen in a flow; false is certain.
  func isPossible(in flow: FlowOutline) -> Bool {
    switch self {
    case .sni: flow.carrier == .tcp
    case .quicSNI: flow.carrier == .quic
    case .hello(let carrier): flow.carrier == carrier
    case .alpn, .ja3, .ja4, .encryptedServerName, .encryptedClientHello: flow.carrier != nil
    case .address(let prefixes), .owner(_, let prefixes): prefixes.contains { $0.contains(flow.server) }
    case .port(let ranges, _): ranges.contains { $0.contains(flow.serverPort, isTCP: flow.isTCP) }
    case .transport(let wanted): flow.isTCP == (wanted == .tcp)
    case .fullyEncrypted, .unrecognised: flow.isTCP && flow.hasBeginning && flow.hasPayload
    case .httpHost: flow.hasHost
    case .dnsName: flow.hasQuestions
    case .quicVersion: flow.hasQUICVersion
    case .firstPayloadLength: flow.hasPayload
    case .tag(let tags): tags.contains(flow.tag)
    case .application, .service, .record, .packet, .model, .message: true
    }
  }

  /// From which packet on a box sees it in a flow.
  func sight(of flow: FlowSight, _ box: BoxAbilities) -> LeafSight {
    switch self {
    case .sni(let names): name(names, flow.hello.flatMap { $0.name(over: .tcp, box) })
    case .quicSNI(let names): name(names, flow.hello.flatMap { $0.name(over: .quic, box) })
    case .hello(let carrier): hello(flow, carrier, box)
    case .alpn(let wanted):
      whole(flow, box) { hello in hello.alpn.first { offered in wanted.contains { Self.isALPN(offered, $0) } } }
    case .dnsName(let names):
      named(flow.dnsQuestions, names, at: flow.payloads.first?.at ?? 1)
    case .httpHost(let names): named(flow.httpHost.map { [$0] } ?? [], names, at: flow.httpAt)
    case .address(let prefixes):
      found(prefixes.first { $0.contains(flow.server) }.map { "\(flow.server) in \($0)" })
    case .owner(let owner, let prefixes):
      found(prefixes.contains { $0.contains(flow.server) } ? "\(flow.server) of \(owner)" : nil)
    case .port(let ranges, let isBothEnds): port(flow, ranges, isBothEnds)
    case .transport(let wanted):
      found(flow.transport == wanted ? (wanted == .tcp ? "TCP" : "UDP") : nil)
    case .application(let wanted):
      LeafSight(
        at: flow.application.map(wanted.contains) ?? false ? flow.applicationAt : 0, value: flow.application ?? "")
    case .ja3(let wanted): whole(flow, box) { $0.ja3.flatMap { wanted.contains($0) ? $0 : nil } }
    case .ja4(let wanted): whole(flow, box) { $0.ja4.flatMap { wanted.contains($0) ? $0 : nil } }
    case .encryptedServerName: whole(flow, box) { $0.hasEncryptedServerName ? "extension 0xffce" : nil }
    case .encryptedClientHello: whole(flow, box) { $0.hasEncryptedClientHello ? "extension 0xfe0d" : nil }
    case .quicVersion(let wanted):
      first(flow) { _ in flow.quicVersion.flatMap { wanted.contains($0) ? "QUIC version \($0)" : nil } }
    case .firstPayloadLength(let lengths):
      first(flow) { lengths.contains($0.length) ? "first payload of \($0.length) bytes" : nil }
    case .fullyEncrypted(let test):
      flow.transport == .tcp && flow.hasBeginning
        ? first(flow) { test.flags($0) ? "first payload of \($0.length) bytes meets no exemption" : nil } : .never
    case .unrecognised(let packets, let allowed): unrecognised(flow, packets, allowed)
    case .tag(let tags):
      LeafSight(at: tags.contains(flow.tag) ? flow.verdictAt : 0, value: flow.tag.rawValue)
    case .service(let services):
      LeafSight(
        at: flow.service.map(services.contains) ?? false ? flow.verdictAt : 0, value: flow.service ?? "")
    case .record, .packet, .model, .message: .never
    }
  }

  private func found(_ value: String?) -> LeafSight { value.map { LeafSight(at: 1, value: $0) } ?? .never }

  private func first(_ flow: FlowSight, _ value: (FirstPayload) -> String?) -> LeafSight {
    guard let payload = flow.payloads.first, let value = value(payload) else { return .never }
    return LeafSight(at: payload.at, value: value)
  }

  private func name(_ names: NameMatch, _ seen: (name: String, at: Int)?) -> LeafSight {
    guard let seen, names.value(for: seen.name) != nil else { return .never }
    return LeafSight(at: seen.at, value: seen.name)
  }

  private func named(_ seen: [String], _ names: NameMatch, at: Int) -> LeafSight {
    guard let name = seen.first(where: { names.value(for: $0) != nil }) else { return .never }
    return LeafSight(at: at, value: name)
  }

  private func whole(_ flow: FlowSight, _ box: BoxAbilities, _ value: (HelloSight) -> String?) -> LeafSight {
    guard let hello = flow.hello, hello.isVisible(to: box), let value = value(hello) else { return .never }
    return LeafSight(at: hello.at, value: value)
  }

  private func hello(_ flow: FlowSight, _ carrier: Carrier, _ box: BoxAbilities) -> LeafSight {
    guard let hello = flow.hello, hello.carrier == carrier else { return .never }
    // A box that cannot read a hello still sees that one begins.
    let at = hello.isVisible(to: box) || hello.firstPieceAt == 0 ? hello.at : hello.firstPieceAt
    return LeafSight(at: at, value: "ClientHello over \(carrier.rawValue.uppercased())")
  }

  private func port(_ flow: FlowSight, _ ranges: [PortRange], _ isBothEnds: Bool) -> LeafSight {
    let isServer = ranges.contains { $0.contains(flow.serverPort, isTCP: flow.transport == .tcp) }
    let isClient = !isBothEnds || ranges.contains { $0.contains(flow.clientPort, isTCP: flow.transport == .tcp) }
    return found(isServer && isClient ? "port \(flow.serverPort)" : nil)
  }

  /// None of a client's first payloads begins like what is allowed. One that does lets the flow pass for good.
  private func unrecognised(_ flow: FlowSight, _ packets: Int, _ allowed: [KnownBeginning]) -> LeafSight {
    guard flow.transport == .tcp, flow.hasBeginning else { return .never }
    let inspected = flow.payloads.prefix(packets)
    guard inspected.count == packets, let last = inspected.last,
      !inspected.contains(where: { $0.beginning.map(allowed.contains) ?? false })
    else { return .never }
    return LeafSight(at: last.at, value: "\(packets) payloads of no known protocol")
  }

  private static func isALPN(_ offered: String, _ wanted: String) -> Bool {
    wanted.hasSuffix("*") ? offered.hasPrefix(wanted.dropLast()) : offered == wanted
  }
}

extension Leaf {
  /// Whether a packet meets it.
  func holds(at seen: PacketSight) -> Bool {
    switch self {
    case .model(let test):
      test.direction.includes(isUp: seen.packet.isUp) && test.bit.map { seen.packet.models & 1 << $0 != 0 } ?? false
    case .record(let test):
      seen.packet.record > 0 && test.lengths.contains(Int(seen.packet.record))
        && test.direction.includes(isUp: seen.packet.isUp)
        && (!test.isLeading || seen.packet.marks.contains(.leadingRecord))
        && seen.packet.time.seconds(since: seen.flow.start) >= test.grace
    case .packet(let test):
      test.direction.includes(isUp: seen.packet.isUp) && test.lengths.contains(seen.packet.ipLength(seen.flow))
    case .message(let kinds, let direction):
      direction.includes(isUp: seen.packet.isUp)
        && seen.flags.messages.contains { kind in
          kinds.contains { kind == $0 || kind.hasPrefix($0 + ".") }
        }
    default: false
    }
  }

  /// What it met at a packet.
  func value(at seen: PacketSight) -> String {
    switch self {
    case .record: "record of \(seen.packet.record) bytes"
    case .packet: "packet of \(seen.packet.ipLength(seen.flow)) bytes"
    case .model: "record of \(seen.packet.record) bytes, flagged"
    case .message: seen.flags.messages.first ?? ""
    default: ""
    }
  }
}

extension PolicyAction.Direction {
  /// Whether a packet's way is among it.
  func includes(isUp: Bool) -> Bool {
    switch self {
    case .both: true
    case .up: isUp
    case .down: !isUp
    }
  }
}

extension TracePacket {
  /// Bytes with IP and transport headers. What the link layer adds is taken for Ethernet's 14, as the trace does not keep it.
  func ipLength(_ flow: FlowSight) -> Int { Int(wire) - 14 }
}

extension HelloSight {
  /// Whether a box can put the hello together.
  func isVisible(to box: BoxAbilities) -> Bool {
    if fragments > 1, fragments > box.maximumFragments { return false }
    switch carrier {
    case .tcp:
      return (segments == 1 || box.reassemblesSegments) && (records == 1 || box.reassemblesRecords)
        && box.inspectedPackets.map { segments <= $0 } ?? true
    case .quic:
      return box.opensQUIC && (datagrams == 1 && frames == 1 || box.reassemblesCrypto)
        && box.inspectedPackets.map { at - (fragments - 1) <= $0 } ?? true
    case .dtls: return true
    }
  }

  /// The server name as a box sees it, and the packet that shows it.
  func name(over carrier: Leaf.Carrier, _ box: BoxAbilities) -> (name: String, at: Int)? {
    guard self.carrier == carrier else { return nil }
    if isVisible(to: box) { return serverName.map { ($0, at) } }
    // Fragments that a box gives up show it nothing.
    guard carrier == .tcp, fragments == 1 || fragments <= box.maximumFragments else { return nil }
    return nameInFirstPiece.map { ($0, firstPieceAt) }
  }
}
