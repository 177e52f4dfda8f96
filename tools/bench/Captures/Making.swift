extension Profile {
  /// Writes the capture; returns how many flows there are of each kind.
  func make(_ wire: inout Wire, packets: Int, flows: Int, seed: UInt64) throws(Failure) -> [(String, Int)] {
    switch making {
    case .flows: return try makeFlows(&wire, packets: packets, flows: flows, seed: seed)
    case .tiny: try makeTiny(&wire, packets: packets, flows: flows, seed: seed)
    case .flood: try makeFlood(&wire, packets: packets, seed: seed)
    }
    return [(name, flows)]
  }

  private func makeFlows(
    _ wire: inout Wire, packets: Int, flows count: Int, seed: UInt64
  ) throws(Failure) -> [(String, Int)] {
    var flows = try Plan(self, packets: packets, flows: count, seed: seed).flows
    var schedule = Schedule(flows)
    while let place = schedule.first {
      try flows[place].emit(&wire)
      if flows[place].step < flows[place].packets {
        schedule.moveFirst(to: flows[place].due)
      } else {
        schedule.removeFirst()
      }
    }
    return Kind.allCases.map { kind in (kind.rawValue, flows.count { $0.kind == kind }) }
  }

  /// Every tenth packet is the first of its flow or a later one of a flow that may not have come yet, so that all come.
  private func makeTiny(_ wire: inout Wire, packets: Int, flows count: Int, seed: UInt64) throws(Failure) {
    var random = Random(seed: seed)
    var flows = (0..<count).map { place in
      let client = place % 65_536
      let isIPv6 = random.chance(percent: 18)
      let name = random.below(3000)
      let path = Path(
        client: Clients.address(client, isIPv6: isIPv6), server: ServerNames.address(name, 0, isIPv6: isIPv6),
        clientPort: UInt16(truncatingIfNeeded: 32_768 + place / 65_536 * 7),
        serverPort: random.below(2) == 0 ? 443 : 9999,
        isIPv6: isIPv6)
      return TinyFlow(path: path, clientSequence: UInt32(truncatingIfNeeded: random.next()))
    }
    let gap = UInt64(seconds * 1e9) / UInt64(packets)
    let every = max(1, packets / count)
    for number in 0..<packets {
      let (round, rest) = number.quotientAndRemainder(dividingBy: every)
      // A prime larger than any count walks through all flows once.
      let place = rest == 0 && round < count ? round &* 2_147_483_647 % count : random.below(count)
      try flows[place].emit(&wire, at: UInt64(number) * gap + UInt64(random.below(Int(gap))), &random)
    }
  }

  /// Sources differ in their low 24 bits, up to 16,777,216 of them.
  private func makeFlood(_ wire: inout Wire, packets: Int, seed: UInt64) throws(Failure) {
    var random = Random(seed: seed)
    let gap = UInt64(seconds * 1e9) / UInt64(packets)
    let victim = Address(low: 0xc613_0050)
    for number in 0..<packets {
      var octet = 1 + random.below(222)
      if octet == 10 || octet == 127 { octet += 1 }
      let low = UInt64(number) &* 0x9e_3779_b1 & 0xff_ffff
      let path = Path(
        client: Address(low: UInt64(octet) << 24 | low), server: victim,
        clientPort: UInt16(1024 + random.below(64_000)), serverPort: 443, isIPv6: false,
        clientTTL: UInt8(32 + random.below(200)))
      var header: [UInt8] = []
      header.reserveCapacity(20)
      header.put16(Int(path.clientPort))
      header.put16(443)
      header.put32(Int(truncatingIfNeeded: random.next() >> 32))
      header.put32(0)
      header.put16(5 << 12 | Int(TCPFlags.syn.rawValue))
      header.put16(512)
      header.put32(0)
      try wire.file.frame(
        at: UInt64(number) * gap + UInt64(random.below(Int(gap))), path, up: true, transport: 6, header: header,
        payload: [], identification: random.below(65_536))
    }
  }
}

/// A flow that is seen from its middle, in frames of 64 to 90 bytes.
private struct TinyFlow {
  let path: Path
  var clientSequence: UInt32
  var serverSequence: UInt32 = 1

  mutating func emit(_ wire: inout Wire, at time: UInt64, _ random: inout Random) throws(Failure) {
    let isTCP = path.serverPort == 443
    let up = random.below(2) == 0
    let headers = 14 + (path.isIPv6 ? 40 : 20) + (isTCP ? 20 : 8)
    // IPv6 and TCP take 74 bytes.
    let least = max(64, headers + 1)
    let payload = wire.noise(least + random.below(91 - least) - headers, &random)
    var header: [UInt8] = []
    header.reserveCapacity(20)
    header.put16(Int(up ? path.clientPort : path.serverPort))
    header.put16(Int(up ? path.serverPort : path.clientPort))
    if isTCP {
      header.put32(Int(up ? clientSequence : serverSequence))
      header.put32(Int(up ? serverSequence : clientSequence))
      let flags: TCPFlags = [.ack, .psh]
      header.put16(5 << 12 | Int(flags.rawValue))
      header.put16(64_240)
      header.put32(0)
      if up { clientSequence &+= UInt32(payload.count) } else { serverSequence &+= UInt32(payload.count) }
    } else {
      header.put16(8 + payload.count)
      header.put16(0)
    }
    try wire.file.frame(
      at: time, path, up: up, transport: isTCP ? 6 : 17, header: header, payload: payload,
      identification: random.below(65_536))
  }
}
