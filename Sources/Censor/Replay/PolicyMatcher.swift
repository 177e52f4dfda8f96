import Bytes
import Classify
import Decode

/// Where a policy met a flow, and by what.
public struct Match: Sendable, Equatable {
  /// The packet of the flow, from 1.
  public var at: Int
  /// The leaf that decided: an index into the policy's `match.leaves`.
  public var leaf: Int
  /// What it met: "1-courier.push.apple.com".
  public var value: String
  /// Whether every later packet shows it as well, as an address does and a hello does not.
  public var isLasting = false
}

/// A policy made ready to be compared with flows.
public struct PolicyMatcher: Sendable {
  /// The policy.
  public let policy: Policy
  /// Its leaves, in the order of the file.
  public let leaves: [Leaf]
  /// Whether some leaf is about single packets or records.
  public let firesOnPackets: Bool
  private let root: Node

  private indirect enum Node: Sendable {
    case leaf(Int)
    case all([Node])
    case any([Node])
    case not(Node)
  }

  /// A matcher of a policy.
  public init(_ policy: Policy) {
    self.policy = policy
    leaves = policy.match.leaves
    firesOnPackets = leaves.contains(where: \.isOfPacket)
    var next = 0
    root = Self.compiled(policy.match, &next)
  }

  private static func compiled(_ formula: Formula, _ next: inout Int) -> Node {
    switch formula {
    case .leaf:
      defer { next += 1 }
      return .leaf(next)
    case .all(let parts): return .all(parts.map { compiled($0, &next) })
    case .any(let parts): return .any(parts.map { compiled($0, &next) })
    case .not(let part): return .not(compiled(part, &next))
    }
  }

  /// Where the policy first meets a flow by what does not change from packet to packet; nil where it never does.
  ///
  /// A leaf is false until the packet that shows it and true from there on; `not` turns that round. What is about single
  /// packets is false here.
  public func match(in flow: FlowSight) -> Match? {
    guard isInScope(flow) else { return nil }
    return firstMatch(sights(of: flow), flow)
  }

  /// Whether a flow could meet it if single packets' leaves were met.
  func canFire(in flow: FlowSight) -> Bool {
    guard isInScope(flow) else { return false }
    return mayHold(root, sights(of: flow))
  }

  /// Whether a flow could meet it by what costs nothing to see; false is certain. Most flows and most rules part here.
  func isPossible(_ flow: FlowOutline) -> Bool {
    let scope = policy.scope
    if !scope.ports.isEmpty, !scope.ports.contains(where: { $0.contains(flow.serverPort, isTCP: flow.isTCP) }) {
      return false
    }
    if !policy.box.judgesMidstream, !flow.hasBeginning { return false }
    if scope.needsSourcePortAboveDestination, flow.clientPort <= flow.serverPort { return false }
    return isPossible(root, flow)
  }

  private func isPossible(_ node: Node, _ flow: FlowOutline) -> Bool {
    switch node {
    case .leaf(let index): leaves[index].isPossible(in: flow)
    case .all(let parts): parts.allSatisfy { isPossible($0, flow) }
    case .any(let parts): parts.contains { isPossible($0, flow) }
    case .not: true
    }
  }

  private func mayHold(_ node: Node, _ sights: [LeafSight]) -> Bool {
    switch node {
    case .leaf(let index): leaves[index].isOfPacket || sights[index].at > 0
    case .all(let parts): parts.allSatisfy { mayHold($0, sights) }
    case .any(let parts): parts.contains { mayHold($0, sights) }
    case .not: true
    }
  }

  /// What every leaf meets in a flow.
  func sights(of flow: FlowSight) -> [LeafSight] { leaves.map { $0.sight(of: flow, policy.box) } }

  func firstMatch(_ sights: [LeafSight], _ flow: FlowSight) -> Match? {
    // What `not` says may be true from the first packet on.
    let moments = [1] + sights.compactMap { $0.at > 1 ? $0.at : nil }.sorted()
    for at in moments where holds(root, sights, at, nil) {
      return Match(
        at: at, leaf: deciding(sights, at), value: value(sights, at),
        isLasting: holds(root, zip(sights, leaves).map { $1.isLasting ? $0 : .never }, at, nil))
    }
    return nil
  }

  /// Whether the policy holds at a packet, single packets' leaves included.
  func holds(_ sights: [LeafSight], at packet: TracePacket, _ flow: FlowSight, _ flagged: PacketFlags) -> Match? {
    let seen = PacketSight(packet: packet, flow: flow, flags: flagged)
    guard holds(root, sights, Int(packet.ordinal), seen) else { return nil }
    let leaf = leaves.firstIndex { $0.isOfPacket && $0.holds(at: seen) } ?? deciding(sights, Int(packet.ordinal))
    return Match(at: Int(packet.ordinal), leaf: leaf, value: leaves[leaf].value(at: seen))
  }

  private func holds(_ node: Node, _ sights: [LeafSight], _ at: Int, _ packet: PacketSight?) -> Bool {
    switch node {
    case .leaf(let index):
      if leaves[index].isOfPacket { return packet.map { leaves[index].holds(at: $0) } ?? false }
      return sights[index].at > 0 && sights[index].at <= at
    case .all(let parts): return parts.allSatisfy { holds($0, sights, at, packet) }
    case .any(let parts): return parts.contains { holds($0, sights, at, packet) }
    case .not(let part): return !holds(part, sights, at, packet)
    }
  }

  /// The leaf to name: the most telling of those that hold.
  private func deciding(_ sights: [LeafSight], _ at: Int) -> Int {
    var best = 0
    var rank = -1
    for index in leaves.indices where sights[index].at > 0 && sights[index].at <= at && leaves[index].rank > rank {
      (best, rank) = (index, leaves[index].rank)
    }
    return best
  }

  private func value(_ sights: [LeafSight], _ at: Int) -> String {
    let best = deciding(sights, at)
    return sights.indices.contains(best) ? sights[best].value : ""
  }

  /// Whether it looks for a name that is asked for by DNS.
  func asksFor(_ name: String) -> Bool {
    leaves.contains { leaf in
      if case .dnsName(let names) = leaf { names.value(for: name) != nil } else { false }
    }
  }

  /// Whether the policy applies to a flow at all.
  func isInScope(_ flow: FlowSight) -> Bool {
    let scope = policy.scope
    if !policy.box.judgesMidstream, !flow.hasBeginning { return false }
    if !scope.ports.isEmpty,
      !scope.ports.contains(where: { $0.contains(flow.serverPort, isTCP: flow.transport == .tcp) })
    {
      return false
    }
    if !scope.prefixes.isEmpty, !scope.prefixes.contains(where: { $0.contains(flow.server) }) { return false }
    if scope.exceptPrefixes.contains(where: { $0.contains(flow.server) }) { return false }
    if scope.needsSourcePortAboveDestination, flow.clientPort <= flow.serverPort { return false }
    if let names = scope.exceptNames, let name = flow.hello?.serverName, names.value(for: name) != nil { return false }
    return true
  }
}

/// What a leaf meets in a flow: the packet from which on it is true, 0 for never, and the value.
struct LeafSight: Sendable {
  static let never = LeafSight(at: 0, value: "")
  var at: Int
  var value: String
}

/// What a rule that is not about lengths knows of a packet.
struct PacketFlags: Sendable {
  /// Kinds and classes of the messages in it, as truth says.
  var messages: [String] = []
}

/// A packet as leaves about single packets see it.
struct PacketSight {
  let packet: TracePacket
  let flow: FlowSight
  let flags: PacketFlags
}
