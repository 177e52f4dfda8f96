// Calls: ICE checks and consent (RFC 8489, RFC 8445), DTLS-SRTP (RFC 5764), and SIP with RTP in clear (RFC 3261, 3550).

extension Flow {
  private static let consentEvery = 200

  mutating func callPacket(_ wire: inout Wire) throws(Failure) -> Double {
    switch step {
    case 0...3:
      try stun(&wire, up: step == 0 || step == 3, isResponse: step % 2 == 1, round: step / 2)
      return step % 2 == 0 ? roundTrip : 1
    case 4...7:
      try wire.udp(&self, up: step % 2 == 0, dtlsFlight(wire)[...])
      return roundTrip
    default: break
    }
    let place = step - 8
    if place % Self.consentEvery < 2 && place >= Self.consentEvery {
      let isResponse = place % Self.consentEvery == 1
      try stun(&wire, up: !isResponse, isResponse: isResponse, round: 2 + place / Self.consentEvery)
      return 5
    }
    try wire.udp(&self, up: place % 2 == 0, srtp(wire, place)[...])
    return 9.8 + 0.4 * random.unit()
  }

  private mutating func stun(_ wire: inout Wire, up: Bool, isResponse: Bool, round: Int) throws(Failure) {
    var own = Random(seed: seed ^ UInt64(16 + round))
    var transaction: [UInt8] = [0x21, 0x12, 0xa4, 0x42]
    transaction.put(&own, count: 12)
    var attributes: [UInt8] = []
    if isResponse {
      // XOR-MAPPED-ADDRESS of whoever asked.
      let address = up ? path.server : path.client
      attributes += [0, 0x20, 0, path.isIPv6 ? 20 : 8, 0, path.isIPv6 ? 2 : 1]
      attributes.put16(Int(up ? path.serverPort : path.clientPort) ^ 0x2112)
      var plain: [UInt8] = []
      if path.isIPv6 {
        plain.put64(address.high)
        plain.put64(address.low)
      } else {
        plain.put32(Int(address.low))
      }
      attributes += zip(plain, transaction).map { $0 ^ $1 }
    } else {
      attributes += [0, 6, 0, 9]
      attributes.put(up ? "Qm3k:b7Tz" : "b7Tz:Qm3k")
      attributes += [0, 0, 0]
      attributes += [0, 0x24, 0, 4, 0x6e, 0x7f, 0x1e, 0xff]
      attributes += [0x80, up ? 0x2a : 0x29, 0, 8]
      attributes.put64(seed)
    }
    attributes += [0, 8, 0, 20]
    attributes.put(&own, count: 20)
    var message: [UInt8] = [isResponse ? 1 : 0, 1]
    message.put16(attributes.count + 8)
    message += transaction + attributes
    let fingerprint = crc32(message) ^ 0x5354_554e
    message += [0x80, 0x28, 0, 4]
    message.put32(Int(fingerprint))
    try wire.udp(&self, up: up, message[...])
  }

  /// The four flights of a DTLS 1.2 handshake without a cookie, as WebRTC has it.
  private mutating func dtlsFlight(_ wire: borrowing Wire) -> [UInt8] {
    var own = Random(seed: seed ^ 2)
    var bytes: [UInt8] = []
    switch step {
    case 4:
      bytes.dtls(0) { $0.handshake(1, 0, dtlsHello(&own)) }
    case 5:
      var hello: [UInt8] = [0xfe, 0xfd]
      hello.put(&own, count: 32)
      hello += [0, 0xc0, 0x2b, 0]
      hello.vector(2) { $0 += [0, 0x17, 0, 0, 0xff, 1, 0, 1, 0, 0, 0x0b, 0, 2, 1, 0, 0, 0x0e, 0, 5, 0, 2, 0, 7, 0] }
      let certificates = ServerFlight.chain(&own, [("WebRTC", "WebRTC", 64)], wire.noise(64, &own))
      bytes.dtls(0) { $0.handshake(2, 0, hello) }
      bytes.dtls(1) { $0.handshake(11, 1, certificates) }
      bytes.dtls(2) { $0.handshake(12, 2, ServerFlight.keyExchange(&own)) }
      bytes.dtls(3) { $0.handshake(13, 3, [1, 0x40, 0, 4, 4, 3, 8, 4, 0, 0]) }
      bytes.dtls(4) { $0.handshake(14, 4, []) }
    case 6:
      let certificates = ServerFlight.chain(&own, [("WebRTC", "WebRTC", 64)], wire.noise(64, &own))
      var key: [UInt8] = [32]
      key.put(&own, count: 32)
      var proof: [UInt8] = [4, 3, 0, 0x47]
      proof.put(&own, count: 71)
      bytes.dtls(1) { $0.handshake(11, 1, certificates) }
      bytes.dtls(2) { $0.handshake(16, 2, key) }
      bytes.dtls(3) { $0.handshake(15, 3, proof) }
      bytes.dtls(4, type: 20) { $0.put8(1) }
      bytes.dtls(0, epoch: 1) { $0 += wire.noise(48, &random) }
    default:
      bytes.dtls(5, type: 20) { $0.put8(1) }
      bytes.dtls(0, epoch: 1) { $0 += wire.noise(48, &random) }
    }
    return bytes
  }

  private func dtlsHello(_ own: inout Random) -> [UInt8] {
    var hello: [UInt8] = [0xfe, 0xfd]
    hello.put(&own, count: 32)
    hello += [0, 0]
    hello.vector(2) { $0.put([0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc009, 0xc013, 0xc00a, 0xc014]) }
    hello += [1, 0]
    hello.vector(2) {
      $0 += [0, 0x17, 0, 0, 0xff, 1, 0, 1, 0, 0, 0x0a, 0, 8, 0, 6, 0, 0x1d, 0, 0x17, 0, 0x18, 0, 0x0b, 0, 2, 1, 0]
      $0 += [0, 0x0d, 0, 0x12, 0, 0x10, 4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1]
      $0 += [0, 0x0e, 0, 9, 0, 6, 0, 7, 0, 8, 0, 1, 0]
    }
    return hello
  }

  /// Audio both ways every 20 ms; in a third of the calls large packets of video between; reports of RTCP now and then.
  private mutating func srtp(_ wire: borrowing Wire, _ place: Int) -> [UInt8] {
    let hasVideo = seed % 3 == 0
    let up = place % 2 == 0
    let number = place / 2
    let source = Int(truncatingIfNeeded: (seed >> (up ? 8 : 24)) & 0xffff_fff0)
    var packet: [UInt8] = []
    if number % 250 == 249 {
      packet += [0x80, 200, 0, 6]
      packet.put32(source)
      packet += wire.noise(20 + 14, &random)
      return packet
    }
    let isVideo = hasVideo && number % 3 != 0
    packet += [0x80, isVideo ? 96 : 111]
    packet.put16(number + Int(seed & 0xfff))
    packet.put32(number * (isVideo ? 1800 : 960))
    packet.put32(source + (isVideo ? 1 : 0))
    packet += wire.noise((isVideo ? 700 + random.below(400) : 40 + random.below(80)) + 10, &random)
    return packet
  }
}

extension Flow {
  /// The call that a flow of SIP sets up: its media flow has the same addresses and these ports.
  static let mediaPorts: (client: UInt16, server: UInt16) = (16_384, 20_000)

  /// How long a media flow with so many packets lasts, in milliseconds.
  static func mediaTime(_ packets: Int) -> Double { Double(packets) * 10 }

  /// INVITE, 100, 180, 200, ACK, and after the call BYE and 200.
  mutating func signallingPacket(_ wire: inout Wire) throws(Failure) -> Double {
    let identity = String(seed & 0xffff_ffff, radix: 16)
    let client = path.client.dotted
    let server = path.server.dotted
    let isOurs = step == 0 || step == 4 || step == 5
    let isBye = step >= 5
    let method = isBye ? "BYE" : step == 4 ? "ACK" : "INVITE"
    var text =
      switch step {
      case 0, 4, 5: "\(method) sip:bob@\(server) SIP/2.0\r\n"
      case 1: "SIP/2.0 100 Trying\r\n"
      case 2: "SIP/2.0 180 Ringing\r\n"
      default: "SIP/2.0 200 OK\r\n"
      }
    text += "Via: SIP/2.0/UDP \(client):5060;branch=z9hG4bK\(identity)\(method)\r\n"
    text += "From: <sip:alice@example.net>;tag=a\(identity)\r\nTo: <sip:bob@example.net>"
    text += step > 1 ? ";tag=b\(identity)\r\n" : "\r\n"
    text +=
      "Call-ID: \(identity)@example.net\r\nCSeq: \(isBye ? 2 : 1) \(step == 4 ? "ACK" : isBye ? "BYE" : "INVITE")\r\n"
    if isOurs { text += "Max-Forwards: 70\r\n" }
    var body = ""
    if step == 0 || step == 3 {
      let address = step == 0 ? client : server
      let port = step == 0 ? Self.mediaPorts.client : Self.mediaPorts.server
      body = "v=0\r\no=- 1 1 IN IP4 \(address)\r\ns=-\r\nc=IN IP4 \(address)\r\nt=0 0\r\n"
      body += "m=audio \(port) RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
      text += "Contact: <sip:\(address)>\r\nContent-Type: application/sdp\r\n"
    }
    text += "Content-Length: \(body.utf8.count)\r\n\r\n" + body
    try wire.udp(&self, up: isOurs, Array(text.utf8)[...])
    switch step {
    case 2: return 1000
    case 4: return Self.mediaTime(mediaPackets) + roundTrip
    default: return roundTrip
    }
  }

  /// G.711 both ways every 20 ms.
  mutating func mediaPacket(_ wire: inout Wire) throws(Failure) -> Double {
    let up = step % 2 == 0
    let number = step / 2
    var packet: [UInt8] = [0x80, number == 0 ? 0x80 : 0]
    packet.put16(number + Int(seed & 0xfff))
    packet.put32(number * 160)
    packet.put32(Int(truncatingIfNeeded: (seed >> (up ? 8 : 24)) & 0xffff_ffff))
    packet += wire.noise(160, &random)
    try wire.udp(&self, up: up, packet[...])
    return 9.9 + 0.2 * random.unit()
  }
}

extension [UInt8] {
  /// A DTLS record (RFC 6347, section 4.1).
  fileprivate mutating func dtls(_ number: Int, epoch: Int = 0, type: Int? = nil, _ body: (inout [UInt8]) -> Void) {
    put8(type ?? 22)
    put16(0xfefd)
    put16(epoch)
    put16(0)
    put32(number)
    vector(2, body)
  }

  /// A handshake message in one fragment (RFC 6347, section 4.2.2).
  fileprivate mutating func handshake(_ type: Int, _ number: Int, _ body: [UInt8]) {
    put8(type)
    put24(body.count)
    put16(number)
    put24(0)
    put24(body.count)
    self += body
  }
}

/// The CRC of STUN's FINGERPRINT (RFC 8489, section 14.7).
private func crc32(_ bytes: [UInt8]) -> UInt32 {
  var crc: UInt32 = 0xffff_ffff
  for byte in bytes {
    crc ^= UInt32(byte)
    for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 0 ? 0 : 0xedb8_8320) }
  }
  return ~crc
}
