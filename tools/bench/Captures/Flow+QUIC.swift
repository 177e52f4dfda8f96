import QUICKeys

// RFC 9000, section 17.2; RFC 9001, section 5: Initials that anybody can open who saw the client's first packet

extension Flow {
  private static let datagram = 1200
  /// The most bytes of the hello that a first datagram takes.
  static let mostCrypto = 1000

  private var connectionIDs: (original: [UInt8], server: [UInt8]) {
    var own = Random(seed: seed ^ 3)
    var ids: [UInt8] = []
    ids.put(&own, count: 16)
    return (Array(ids[..<8]), Array(ids[8...]))
  }

  private func quicHello() -> [UInt8] {
    var own = Random(seed: seed ^ 1)
    return ClientStack.overQUIC[Int(stack)].helloMessage(ServerNames.all[Int(name)], &own)
  }

  mutating func quicPacket(_ wire: inout Wire) throws(Failure) -> Double {
    let ids = connectionIDs
    if step < hellos {
      let message = quicHello()
      let start = step * Self.mostCrypto
      let keys = QUICInitialKeys(.v1, connectionID: ids.original, sender: .client)
      let part = message[min(start, message.count)..<min(start + Self.mostCrypto, message.count)]
      let packet = try initial(
        keys, destination: ids.original, source: [], number: step, offset: start, part, length: Self.datagram)
      try wire.udp(&self, up: true, packet[...])
      return step + 1 < hellos ? 0.05 : roundTrip
    }
    switch step - Int(hellos) {
    case 0:
      let keys = QUICInitialKeys(.v1, connectionID: ids.original, sender: .server)
      var own = Random(seed: seed ^ 2)
      let hello = ServerFlight.hello(&own, isTLS13: true, hasSession: false)
      var packet = try initial(
        keys, destination: [], source: ids.server, number: 0, offset: 0, hello[...], length: nil)
      packet += handshake(wire, destination: [], source: ids.server, length: Self.datagram - packet.count)
      try wire.udp(&self, up: false, packet[...])
      return roundTrip / 2
    case 1:
      var packet = handshake(wire, destination: ids.server, source: [], length: 110)
      packet += shortHeader(wire, ids.server, 60 + random.below(300))
      try wire.udp(&self, up: true, packet[...])
      return roundTrip
    default:
      let dice = random.below(100)
      let up = dice >= 80
      let count = up ? 40 + random.below(60) : dice < 73 ? 1340 : 60 + random.below(1100)
      try wire.udp(&self, up: up, shortHeader(wire, up ? ids.server : [], count)[...])
      return burstPause()
    }
  }

  /// An Initial with a CRYPTO frame, padded to `length` where there is one.
  private func initial(
    _ keys: QUICInitialKeys, destination: [UInt8], source: [UInt8], number: Int, offset: Int,
    _ crypto: ArraySlice<UInt8>, length: Int?
  ) throws(Failure) -> [UInt8] {
    var payload: [UInt8] = number == 0 && destination.isEmpty ? [0x02, 0, 0, 0, 0] : []
    payload.put8(0x06)
    payload.put16(0x4000 | offset)
    payload.put16(0x4000 | crypto.count)
    payload += crypto
    var header: [UInt8] = [0xc0, 0, 0, 0, 1]
    header.vector(1) { $0 += destination }
    header.vector(1) { $0 += source }
    header.put8(0)
    let tag = QUICInitialKeys.tagLength
    if let length { payload += Array(repeating: 0, count: max(0, length - header.count - 3 - tag - payload.count)) }
    header.put16(0x4000 | (1 + payload.count + tag))
    header.put8(number)
    guard let packet = keys.seal(header: header, payload: payload, numberLength: 1) else {
      throw Failure(message: "an Initial could not be protected")
    }
    return packet
  }

  /// A Handshake packet around random bytes: nobody can open one.
  private mutating func handshake(
    _ wire: borrowing Wire, destination: [UInt8], source: [UInt8], length: Int
  ) -> [UInt8] {
    var packet: [UInt8] = [0xe3, 0, 0, 0, 1]
    packet.vector(1) { $0 += destination }
    packet.vector(1) { $0 += source }
    let rest = length - packet.count - 2
    packet.put16(0x4000 | rest)
    packet += wire.noise(rest, &random)
    return packet
  }

  private mutating func shortHeader(_ wire: borrowing Wire, _ destination: [UInt8], _ count: Int) -> [UInt8] {
    [UInt8(0x40 | random.below(64))] + destination + wire.noise(count, &random)
  }
}
