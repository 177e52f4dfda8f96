// A flow of TLS: SYN, SYN ACK, ACK, the hello, the server's flight, the end of the handshake, records, FIN or RST.

extension Flow {
  /// Packets before the hello; a short flow's hello acknowledges the server's SYN itself.
  private var opening: Int { isShort ? 2 : 3 }
  /// Packets that end the handshake.
  private var finishing: Int { isShort || pace > 0 ? 0 : 2 }

  var handshakePackets: Int { opening + Int(hellos) + (isShort ? 0 : Int(flight)) + finishing }

  private var isTLS13: Bool { kind == .tls13 }

  // Hello and flight are built anew, from the same random numbers, whenever a segment of them is due.

  func hello() -> [UInt8] {
    var own = Random(seed: seed ^ 1)
    return ClientStack.overTCP[Int(stack)].helloRecord(ServerNames.all[Int(name)], &own)
  }

  func flightBytes(_ wire: borrowing Wire) -> [UInt8] {
    var own = Random(seed: seed ^ 2)
    if isShort {
      let count = 50 + own.below(1000)
      return ServerFlight.short(&own, isTLS13: isTLS13, encrypted: wire.noise(count, &own))
    }
    if isTLS13 {
      let count = 900 + (Int(flight) - 1) * path.segment
      return ServerFlight.short(&own, isTLS13: true, encrypted: wire.noise(count, &own))
    }
    return ServerFlight.full(&own, ServerNames.all[Int(name)], noise: wire.noise(1000, &own))
  }

  mutating func tlsPacket(_ wire: inout Wire) throws(Failure) -> Double {
    let handshake = handshakePackets
    if step < handshake { return try handshakePacket(&wire) }
    let beyond = step - handshake
    if isShort && beyond == 0 && extra > 0 {
      try wire.tcp(&self, up: false, [.ack, .psh], flightBytes(wire)[...])
      return roundTrip
    }
    if beyond < extra { return try streamPacket(&wire) }
    return try closingPacket(&wire, beyond - extra)
  }

  func closingFlags(_ place: Int) -> (up: Bool, flags: TCPFlags) {
    if ending == .reset { return (true, [.rst, .ack]) }
    return place == 0 ? (true, [.fin, .ack]) : place == 1 ? (false, [.fin, .ack]) : (true, .ack)
  }

  mutating func closingPacket(_ wire: inout Wire, _ place: Int) throws(Failure) -> Double {
    let (up, flags) = closingFlags(place)
    try wire.tcp(&self, up: up, flags)
    return roundTrip / 2
  }

  /// SYN, SYN ACK, ACK.
  mutating func openingPacket(_ wire: inout Wire) throws(Failure) -> Double {
    switch step {
    case 0: try wire.tcp(&self, up: true, .syn)
    case 1: try wire.tcp(&self, up: false, [.syn, .ack])
    default: try wire.tcp(&self, up: true, .ack)
    }
    return step == 0 ? roundTrip : 0.05 + random.exponential(mean: 0.3)
  }

  private mutating func handshakePacket(_ wire: inout Wire) throws(Failure) -> Double {
    guard step >= opening else { return try openingPacket(&wire) }
    var place = step - opening
    let segment = path.segment
    if place < hellos {
      let hello = hello()
      if hellos == 1 {
        try wire.tcp(&self, up: true, [.ack, .psh], hello[...])
        return roundTrip
      }
      let second = UInt32(hello.count - segment)
      switch (isReordered, place) {
      case (false, 0): try wire.tcp(&self, up: true, .ack, hello[..<segment])
      case (false, _): try wire.tcp(&self, up: true, [.ack, .psh], hello[segment...])
      case (true, 0): try wire.tcp(&self, up: true, [.ack, .psh], hello[segment...], offset: UInt32(segment))
      case (true, _):
        try wire.tcp(&self, up: true, .ack, hello[..<segment])
        clientSequence &+= second
      }
      return place == 0 ? 0.05 + random.exponential(mean: 0.3) : roundTrip
    }
    place -= Int(hellos)
    if place < flight {
      let bytes = flightBytes(wire)
      let start = place * segment
      let isLast = place + 1 == flight
      try wire.tcp(
        &self, up: false, isLast ? [.ack, .psh] : .ack, bytes[start..<(isLast ? bytes.count : start + segment)])
      return isLast ? roundTrip : 0.05 + random.exponential(mean: 0.3)
    }
    try finishingPacket(&wire, up: place == flight)
    return 0.05 + random.exponential(mean: 0.3)
  }

  private mutating func finishingPacket(_ wire: inout Wire, up: Bool) throws(Failure) {
    var bytes: [UInt8] = []
    if isTLS13 {
      if up { bytes += [0x14, 3, 3, 0, 1, 1] }
      bytes += [0x17, 3, 3]
      bytes.vector(2) { $0 += wire.noise(up ? 53 : 250, &random) }
    } else {
      if up {
        bytes += [0x16, 3, 3, 0, 0x25, 0x10, 0, 0, 0x21, 0x20]
        bytes.put(&random, count: 32)
      }
      bytes += [0x14, 3, 3, 0, 1, 1, 0x16, 3, 3, 0, 0x28]
      bytes.put(&random, count: 40)
    }
    try wire.tcp(&self, up: up, [.ack, .psh], bytes[...])
  }

  /// A packet of a transfer that is mostly the server's.
  mutating func streamPacket(_ wire: inout Wire) throws(Failure) -> Double {
    let dice = random.below(100)
    switch dice {
    case ..<86: try records(&wire, up: false, path.segment, largest: 16_371)
    case ..<88: try records(&wire, up: false, 60 + random.below(900), largest: 600)
    case ..<96: try wire.tcp(&self, up: true, .ack)
    default: try records(&wire, up: true, 60 + random.below(700), largest: 500)
    }
    return burstPause()
  }

  /// Bytes of a stream of application data records, cut anywhere as segments are.
  mutating func records(_ wire: inout Wire, up: Bool, _ count: Int, largest: Int) throws(Failure) {
    var bytes = Array(wire.noise(count, &random))
    var left = Int(up ? leftUp : leftDown)
    var at = 0
    while at < bytes.count {
      if left > 0 {
        let part = min(left, bytes.count - at)
        left -= part
        at += part
      } else if bytes.count - at < 5 {
        // A record's header is not torn apart: the segment ends before it.
        bytes.removeSubrange(at...)
      } else {
        left = 30 + random.below(largest)
        bytes.replaceSubrange(at..<at + 5, with: [0x17, 3, 3, UInt8(left >> 8), UInt8(left & 0xff)])
        at += 5
      }
    }
    if up { leftUp = UInt32(left) } else { leftDown = UInt32(left) }
    try wire.tcp(&self, up: up, [.ack, .psh], bytes[...])
  }
}

// Apple's courier: a TLS 1.2 handshake, then an exchange of keep-alives every half an hour.

extension Flow {
  /// Milliseconds between keep-alives; less than the hour after which an idle connection counts as gone.
  static let keepAlive = 1_800_000.0

  mutating func courierPacket(_ wire: inout Wire) throws(Failure) -> Double {
    if step < handshakePackets { return try handshakePacket(&wire) }
    let place = step - handshakePackets
    // The server asks, the client answers and acknowledges by it; connect and its answer are the first exchange.
    let isConnect = place < 2
    let up = place % 2 == (isConnect ? 0 : 1)
    let count = isConnect ? (up ? 620 : 180) : up ? 32 : 29
    var bytes: [UInt8] = [0x17, 3, 3]
    bytes.vector(2) { $0 += wire.noise(count, &random) }
    try wire.tcp(&self, up: up, [.ack, .psh], bytes[...])
    return place % 2 == 0 ? roundTrip : Self.keepAlive * (0.97 + 0.03 * random.unit())
  }
}
