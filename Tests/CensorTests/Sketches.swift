import Bytes
import Classify
import Decode
import TestSupport
import Truth

@testable import Censor

/// Flows, packets and policies of a few lines each, made up for one question. Times are seconds from `start`.
enum Sketch {
  /// 2023-11-14 22:13:20 UTC, in nanoseconds since 1970.
  static let start: Int64 = 1_700_000_000_000_000_000
  /// Ethernet, IPv4 and TCP headers without options; and with UDP.
  static let tcpHeaders = 54, udpHeaders = 42

  static func time(_ seconds: Double) -> Int64 { start + Int64((seconds * 1e9).rounded()) }

  static func address(_ text: String) -> IPAddress { IPAddress(text) ?? IPAddress(high: 0, low: 0) }

  /// A name's formula; one that nothing meets where the name cannot be read.
  static func sni(_ name: String, _ kind: NameMatch.Kind = .suffix) -> Formula {
    (try? NameMatch(kind, [name])).map { .leaf(.sni($0)) } ?? .any([])
  }

  static func quicSNI(_ name: String) -> Formula {
    (try? NameMatch(.suffix, [name])).map { .leaf(.quicSNI($0)) } ?? .any([])
  }

  static func dns(_ name: String) -> Formula {
    (try? NameMatch(.suffix, [name])).map { .leaf(.dnsName($0)) } ?? .any([])
  }

  static func address(in prefixes: String...) -> Formula {
    .leaf(.address(prefixes.compactMap { try? AddressPrefix($0) }))
  }

  static func port(_ ranges: String...) -> Formula {
    .leaf(.port(ranges.compactMap { try? PortRange($0) }, isBothEnds: false))
  }

  static func policy(_ match: Formula, _ action: PolicyAction, _ change: (inout Policy) -> Void = { _ in }) -> Policy {
    var policy = Policy(
      name: "sketch", title: "sketch", about: "made up for a test", group: "test", source: "a test", date: "2026-11-23",
      standing: .hypothetical, match: match, action: action)
    change(&policy)
    return policy
  }

  static func policy(
    _ match: Formula, _ kind: PolicyAction.Kind, _ change: (inout Policy) -> Void = { _ in }
  ) -> Policy { policy(match, PolicyAction(kind), change) }

  /// A flow of TCP with a hello at its fourth packet, behind the three of TCP's own handshake.
  static func tls(
    _ name: String?, id: UInt64 = 1, client: String = "198.51.100.1", port: UInt16 = 50_000,
    server: String = "203.0.113.1", serverPort: UInt16 = 443
  ) -> FlowSight {
    var flow = bare(id: id, client: client, port: port, server: server, serverPort: serverPort)
    var hello = HelloSight()
    hello.serverName = name
    hello.at = 4
    flow.hello = hello
    flow.application = "tls"
    flow.applicationAt = 4
    return flow
  }

  /// A flow of QUIC with a hello in its first datagram.
  static func quic(
    _ name: String?, id: UInt64 = 1, client: String = "198.51.100.1", port: UInt16 = 50_000,
    server: String = "203.0.113.1", serverPort: UInt16 = 443
  ) -> FlowSight {
    var flow = bare(id: id, client: client, port: port, server: server, serverPort: serverPort, .udp)
    var hello = HelloSight()
    hello.carrier = .quic
    hello.serverName = name
    hello.at = 1
    flow.hello = hello
    flow.quicVersion = 1
    var first = FirstPayload()
    (first.at, first.length, first.seen) = (1, 1200, 1200)
    flow.payloads = [first]
    flow.application = "quic"
    flow.applicationAt = 1
    return flow
  }

  /// A flow of nothing known.
  static func bare(
    id: UInt64 = 1, client: String = "198.51.100.1", port: UInt16 = 50_000, server: String = "203.0.113.1",
    serverPort: UInt16 = 443, _ transport: TransportProtocol = .tcp
  ) -> FlowSight {
    var flow = FlowSight()
    flow.id = id
    (flow.client, flow.clientPort) = (address(client), port)
    (flow.server, flow.serverPort) = (address(server), serverPort)
    flow.transport = transport
    return flow
  }

  /// A packet; its number is given by the trace.
  static func packet(_ seconds: Double, up isUp: Bool, _ payload: Int = 100, number: UInt32 = 0) -> TracePacket {
    var packet = TracePacket()
    packet.time = time(seconds)
    packet.isUp = isUp
    packet.payload = Int32(payload)
    packet.wire = Int32(payload + tcpHeaders)
    packet.ordinal = number
    return packet
  }
}

/// A trace that is put together flow by flow.
struct TraceSketch {
  private(set) var flows: [FlowSight] = []
  private var packets: [TracePacket] = []
  private var messages: [TraceMessage] = []

  /// Adds a flow with packets at these seconds, up and down by turns, the first up.
  @discardableResult
  mutating func add(_ flow: FlowSight, at seconds: [Double], payload: Int = 100) -> Int {
    add(flow, seconds.enumerated().map { Sketch.packet($1, up: $0.isMultiple(of: 2), payload) })
  }

  /// Adds a flow with its packets, in their order.
  @discardableResult
  mutating func add(_ flow: FlowSight, _ own: [TracePacket]) -> Int {
    var flow = flow
    flow.id = UInt64(flows.count + 1)
    flow.start = own.first?.time ?? Sketch.start
    flow.end = own.last?.time ?? Sketch.start
    flow.packets = UInt64(own.count)
    flow.bytes = own.reduce(0) { $0 + UInt64($1.wire) }
    for (at, packet) in own.enumerated() {
      var packet = packet
      packet.flow = Int32(flows.count)
      packet.ordinal = UInt32(at + 1)
      packets.append(packet)
    }
    flows.append(flow)
    return flows.count - 1
  }

  /// Adds a message that ends in a packet of a flow, known by its time and way.
  mutating func message(
    _ kind: String, in flow: Int, at seconds: Double, up isUp: Bool, topic: String = "", isContent: Bool = true
  ) {
    var message = TraceMessage()
    message.time = Sketch.time(seconds)
    message.flow = Int32(flow)
    message.size = 105
    message.isUp = isUp
    message.isContent = isContent
    message.kind = kind
    message.messageClass = String(kind.prefix { $0 != "." })
    message.topic = topic
    message.source = .file
    messages.append(message)
  }

  func trace(_ name: String = "sketch") -> Trace {
    var trace = Trace()
    trace.name = name
    trace.flows = flows
    trace.packets = packets.enumerated().sorted { ($0.1.time, $0.0) < ($1.1.time, $1.0) }.map(\.element)
    trace.messages = messages.sorted { $0.time < $1.time }
    return trace
  }

  /// What a policy does to it, without any service that recovers unless told.
  func played(
    _ policy: Policy, begin: Int64 = .min, seed: UInt64 = 1, recovery: RecoveryBook = RecoveryBook(services: [])
  ) -> PolicyReplay {
    let trace = trace()
    let replay = Replay([policy], recovery: recovery, begin: begin, seed: seed)
    return replay.play(PolicyMatcher(policy), over: trace, TraceIndex(trace))
  }
}
