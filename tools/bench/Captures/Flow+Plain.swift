// DNS (RFC 1035, section 4), HTTP/1, NTP and opaque datagrams, connections that never come about.

extension Flow {
  mutating func dnsPacket(_ wire: inout Wire) throws(Failure) -> Double {
    let up = step == 0
    let name = Int(name)
    let type = asksForIPv6 ? 28 : 1
    let answers = up ? 0 : ServerNames.addressCount(name)
    var message: [UInt8] = []
    message.put16(Int(truncatingIfNeeded: seed))
    message.put16(up ? 0x0100 : 0x8180)
    message.put16(1)
    message.put16(answers)
    message.put32(0)
    for label in ServerNames.all[name].split(separator: ".") { message.vector(1) { $0.put(String(label)) } }
    message.put8(0)
    message.put16(type)
    message.put16(1)
    for which in 0..<answers {
      let address = ServerNames.address(name, which, isIPv6: asksForIPv6)
      message.put16(0xc00c)
      message.put16(type)
      message.put16(1)
      message.put32(60 + name % 240)
      message.vector(2) {
        if asksForIPv6 { $0.put64(address.high) }
        if asksForIPv6 { $0.put64(address.low) } else { $0.put32(Int(address.low)) }
      }
    }
    try wire.udp(&self, up: up, message[...])
    return roundTrip
  }

  mutating func httpPacket(_ wire: inout Wire) throws(Failure) -> Double {
    var text: [UInt8] = []
    switch step {
    case 0, 1, 2: return try openingPacket(&wire)
    case 3:
      text.put("GET /a/\(path.clientPort) HTTP/1.1\r\nHost: \(ServerNames.all[Int(name)])\r\n")
      text.put("User-Agent: bench/1.0 (\(path.isIPv6 ? "six" : "four"))\r\nAccept: */*\r\n\r\n")
      try wire.tcp(&self, up: true, [.ack, .psh], text[...])
      return roundTrip
    case 4:
      text.put("HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/octet-stream\r\n")
      text.put("Content-Length: \(extra * path.segment)\r\n\r\n")
      try wire.tcp(&self, up: false, [.ack, .psh], text[...])
      return 0.1
    default:
      let place = step - 5 - extra
      guard place < 0 else { return try closingPacket(&wire, place) }
      if random.chance(percent: 80) {
        let body = wire.noise(path.segment, &random)
        try wire.tcp(&self, up: false, .ack, body)
      } else {
        try wire.tcp(&self, up: true, .ack)
      }
      return burstPause()
    }
  }

  mutating func opaqueDatagram(_ wire: inout Wire) throws(Failure) -> Double {
    let isNTP = path.serverPort == 123
    var bytes = Array(wire.noise(isNTP ? 48 : 40 + random.below(500), &random))
    if isNTP { bytes[0] = step == 0 ? 0x23 : 0x24 }
    try wire.udp(&self, up: step == 0, bytes[...])
    return roundTrip
  }

  /// A SYN that is reset, or repeated after 1, 2, 4 seconds and never answered.
  mutating func attemptPacket(_ wire: inout Wire) throws(Failure) -> Double {
    if step == 1 && ending == .reset {
      try wire.tcp(&self, up: false, [.rst, .ack])
    } else {
      if step > 0 { clientSequence &-= 1 }
      try wire.tcp(&self, up: true, .syn)
    }
    return ending == .reset ? roundTrip : Double(1000 << step)
  }
}
