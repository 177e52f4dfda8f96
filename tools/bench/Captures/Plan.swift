/// All flows of a capture before its first packet is written.
struct Plan {
  private(set) var flows: [Flow] = []
  private let profile: Profile
  private let packets: Int
  private let count: Int
  private var random: Random
  private var clients: Clients

  /// - Throws: `Failure` where the flows need more packets than there are to be.
  init(_ profile: Profile, packets: Int, flows count: Int, seed: UInt64) throws(Failure) {
    self.profile = profile
    self.packets = packets
    self.count = count
    random = Random(seed: seed)
    clients = Clients(count: min(max(count / 12, 1), 1 << 20))
    flows.reserveCapacity(count)
    let shares = profile.shares.map(\.share)
    while flows.count < count { start(profile.shares[random.draw(shares)].kind) }
    try share()
  }

  /// Hands out what the fixed packets leave: to few flows most of it (tail exponent 1/2, cut off), or to all alike.
  private mutating func share() throws(Failure) {
    let planned = flows.reduce(0) { $0 + $1.packets }
    let left = packets - planned
    let weights = flows.map { flow in
      guard carries(flow.kind) else { return 0.0 }
      if profile.isEven { return 1.0 }
      let tail = random.unit()
      return 1 / (tail * tail + 0.0002)
    }
    let sum = weights.reduce(0, +)
    guard left >= 0, left == 0 || sum > 0 else {
      throw Failure(message: "\(flows.count) flows of '\(profile.name)' need at least \(planned) packets")
    }
    var carried = 0.0
    var given = 0
    for place in flows.indices where weights[place] > 0 {
      carried += weights[place]
      let upTo = Int(carried / sum * Double(left))
      flows[place].extra += upTo - given
      given = upTo
    }
    if let last = weights.lastIndex(where: { $0 > 0 }) { flows[last].extra += left - given }
  }

  private func carries(_ kind: Kind) -> Bool {
    switch kind {
    case .tls13, .tls12, .quic, .http, .middle, .courier: true
    default: false
    }
  }

  /// Adds what a user does: a flow, the lookups before it, the media that it sets up.
  private mutating func start(_ kind: Kind) {
    let client = clients.pick(&random)
    let isIPv6 = random.chance(percent: 18) && kind != .signalling
    let vlan = random.chance(percent: 6) ? UInt16(100 + random.below(4)) : 0
    let begin =
      profile.pace > 0
      ? UInt64(Double(flows.count) / Double(count) * profile.seconds * 1e9)
      : UInt64(random.unit() * profile.seconds * 0.96 * 1e9)
    let name = name(for: kind)
    var path = Path(
      client: Clients.address(client, isIPv6: isIPv6),
      server: ServerNames.address(name, random.below(ServerNames.addressCount(name)), isIPv6: isIPv6),
      clientPort: 0, serverPort: port(for: kind, name), vlan: vlan, isIPv6: isIPv6)
    path.clientTTL = random.below(10) < 7 ? 64 : 128
    path.serverTTL = UInt8(47 + random.below(12))

    var delay: UInt64 = 0
    let isNamed = kind == .tls13 || kind == .tls12 || kind == .quic || kind == .http
    if kind == .dns {
      lookup(name, path, client, at: begin)
      return
    }
    if isNamed && random.chance(percent: profile.lookups) && flows.count + 3 <= count {
      lookup(name, path, client, at: begin, asksForIPv6: true)
      delay = lookup(name, path, client, at: begin + 200_000, asksForIPv6: false) + 1_000_000
    }
    path.clientPort = kind == .signalling ? 5060 : clients.port(client, &random)
    var flow = Flow(kind, path, at: begin + delay, &random)
    flow.name = UInt16(name)
    shape(&flow)
    if kind == .signalling {
      guard flows.count + 2 <= count else { return }
      media(&flow)
    }
    flows.append(flow)
  }

  private mutating func name(for kind: Kind) -> Int {
    if kind == .courier || kind == .tls12 && random.chance(percent: 12) { return ServerNames.drawCourier(&random) }
    return ServerNames.draw(&random)
  }

  private mutating func port(for kind: Kind, _ name: Int) -> UInt16 {
    switch kind {
    case .dns: 53
    case .http: 80
    case .quic: 443
    case .datagrams: random.below(10) < 4 ? 123 : UInt16(1024 + random.below(40_000))
    case .connectionAttempt: random.below(2) == 0 ? 443 : UInt16(1 + random.below(10_000))
    case .call: 3478
    case .signalling: 5060
    default: ServerNames.port(name)
    }
  }

  /// Adds a lookup and returns the nanoseconds until its answer.
  @discardableResult
  private mutating func lookup(
    _ name: Int, _ path: Path, _ client: Int, at begin: UInt64, asksForIPv6: Bool? = nil
  ) -> UInt64 {
    var path = path
    path.server = ServerNames.resolver(isIPv6: path.isIPv6)
    path.serverPort = 53
    path.clientPort = clients.port(client, &random)
    var flow = Flow(.dns, path, at: begin, &random)
    flow.name = UInt16(name)
    flow.asksForIPv6 = asksForIPv6 ?? random.chance(percent: 40)
    flow.isAnswered = asksForIPv6 != nil || !random.chance(percent: 10)
    flows.append(flow)
    return UInt64(flow.roundTrip * 1e6)
  }

  /// Adds the media flow of a call that `signalling` sets up.
  private mutating func media(_ signalling: inout Flow) {
    signalling.mediaPackets = 100 + random.below(400)
    var path = signalling.path
    path.clientPort = Flow.mediaPorts.client
    path.serverPort = Flow.mediaPorts.server
    // Behind INVITE, the ringing and the ACK.
    var media = Flow(.media, path, at: signalling.due + UInt64(signalling.roundTrip * 4e6) + 1_100_000_000, &random)
    media.extra = signalling.mediaPackets
    flows.append(media)
  }

  private mutating func shape(_ flow: inout Flow) {
    flow.pace = UInt64(profile.pace * 1e9)
    flow.isShort = profile.isShort
    switch flow.kind {
    case .tls13, .tls12, .courier:
      let stacks = ClientStack.overTCP
      let isCourier = ServerNames.isCourier(Int(flow.name))
      flow.stack = UInt8(random.draw(Array(ClientStack.shares[..<ClientStack.courierPlace])))
      if isCourier { flow.stack = UInt8(ClientStack.courierPlace) }
      if stacks[Int(flow.stack)].isHybrid {
        flow.hellos = 2
        flow.isReordered = random.chance(percent: 3)
      }
      // A chain of certificates in clear takes two segments.
      flow.flight = flow.kind == .tls13 ? UInt8(1 + random.below(profile.mostFlight)) : 2
      if profile.closes { flow.ending = [.open, .closed, .reset][random.draw([45, 48, 7])] }
    case .quic:
      let shares = ClientStack.overQUIC.map { profile.hasSmallHellos && $0.isHybrid ? 0 : $0.share }
      flow.stack = UInt8(random.draw(shares))
      flow.hellos = ClientStack.overQUIC[Int(flow.stack)].isHybrid ? 2 : 1
    case .http:
      flow.ending = random.chance(percent: 60) ? .closed : .open
    case .connectionAttempt:
      flow.ending = random.chance(percent: 25) ? .reset : .open
      flow.flight = flow.ending == .reset ? 2 : random.chance(percent: 75) ? 1 : UInt8(2 + random.below(2))
    case .call:
      flow.extra = 100 + random.below(700)
    default: break
    }
  }
}

/// The flows by the time of their next packet.
struct Schedule {
  private typealias Entry = (at: UInt64, flow: UInt32)
  private var heap: [Entry]

  init(_ flows: [Flow]) {
    heap = flows.indices.filter { flows[$0].packets > 0 }.map { (flows[$0].due, UInt32($0)) }
    for place in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(place) }
  }

  var first: Int? { heap.first.map { Int($0.flow) } }

  mutating func moveFirst(to time: UInt64) {
    heap[0].at = time
    siftDown(0)
  }

  mutating func removeFirst() {
    guard let last = heap.popLast(), !heap.isEmpty else { return }
    heap[0] = last
    siftDown(0)
  }

  private mutating func siftDown(_ place: Int) {
    var place = place
    let moved = heap[place]
    while true {
      var child = 2 * place + 1
      if child >= heap.count { break }
      if child + 1 < heap.count && heap[child + 1] < heap[child] { child += 1 }
      if moved <= heap[child] { break }
      heap[place] = heap[child]
      place = child
    }
    heap[place] = moved
  }
}
