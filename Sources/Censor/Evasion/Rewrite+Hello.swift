// What the rewrites make of the hello itself.

import Bytes

/// A hello that was rewritten.
struct RewrittenHello: Equatable {
  /// What leaves the client.
  var flight: Flight
  /// The ClientHello that a server puts together from it.
  var handshake: [UInt8]
  /// The server name in it.
  var serverName: String?
}

extension Rewrite {
  /// Rewrites a hello.
  /// - Returns: nil where the way does not apply: another carrier, no name to act on, a hello too short or too long.
  func rewrite(_ hello: RecordedHello) -> RewrittenHello? {
    guard carriers.contains(hello.carrier), let message = message(of: hello) else { return nil }
    let flight = hello.carrier == .tcp ? stream(message, of: hello) : datagrams(message, of: hello)
    guard let flight, flight.packets <= EvasionCapture.maximumPackets,
      let said = HelloCollector.whatItSays(message, hello.carrier)
    else { return nil }
    return RewrittenHello(flight: flight, handshake: message, serverName: said.name)
  }

  /// The hello's message, changed where the way changes it; nil where it cannot.
  private func message(of hello: RecordedHello) -> [UInt8]? {
    switch self {
    case .padded, .capitals, .mixedCase, .trailingDot, .nameLast, .extensionsReversed, .nameAbsent,
      .encryptedClientHello, .encryptedServerName:
      guard var parts = HelloMessage(hello.handshake), let name = parts.name else { return nil }
      guard change(&parts, name: name, hello) else { return nil }
      return parts.bytes
    default:
      return hello.handshake
    }
  }

  /// Changes a hello; whether it could be changed.
  private func change(_ parts: inout HelloMessage, name: [UInt8], _ hello: RecordedHello) -> Bool {
    let isName: (HelloMessage.Extension) -> Bool = { $0.type == HelloMessage.serverName }
    switch self {
    case .padded:
      let isPadding: (HelloMessage.Extension) -> Bool = { $0.type == HelloMessage.padding }
      parts.extensions.removeAll(where: isPadding)
      let count = hello.carrier == .tcp ? Flight.segmentSize(isV4: hello.server.isV4) : InitialWriter.longestDatagram
      parts.extensions.insert(.init(type: HelloMessage.padding, value: [UInt8](repeating: 0, count: count)), at: 0)
      return true
    case .capitals:
      return parts.rename(name.map(Self.capital)) && parts.name != name
    case .mixedCase:
      let mixed = name.enumerated().map { $0.offset.isMultiple(of: 2) ? Self.capital($0.element) : $0.element }
      return parts.rename(mixed) && parts.name != name
    case .trailingDot:
      return name.last != UInt8(ascii: ".") && parts.rename(name + [UInt8(ascii: ".")])
    case .nameLast:
      guard let at = parts.extensions.firstIndex(where: isName) else { return false }
      parts.append(parts.extensions.remove(at: at))
      return true
    case .extensionsReversed:
      parts.reverse()
      return true
    case .nameAbsent:
      parts.extensions.removeAll(where: isName)
      return true
    case .encryptedClientHello:
      guard parts.rename(Array(Self.publicName.utf8)) else { return false }
      var random = StableRandom(hello.handshake)
      parts.extensions.removeAll { $0.type == HelloMessage.encryptedClientHello }
      parts.append(.init(type: HelloMessage.encryptedClientHello, value: Self.outerHello(&random)))
      return true
    case .encryptedServerName:
      guard let at = parts.extensions.firstIndex(where: isName) else { return false }
      var random = StableRandom(hello.handshake)
      parts.extensions[at] = .init(type: HelloMessage.encryptedServerName, value: Self.encryptedName(&random))
      return true
    default:
      return true
    }
  }

  private static func capital(_ letter: UInt8) -> UInt8 {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter) ? letter - 0x20 : letter
  }

  /// An ECHClientHello of type outer (RFC 9849, section 5) with random bytes where a key and a ciphertext would be, as
  /// section 6.2 wants it for GREASE: HKDF-SHA256, AES-128-GCM, an X25519 key.
  private static func outerHello(_ random: inout StableRandom) -> [UInt8] {
    var value: [UInt8] = [0, 0, 1, 0, 1]
    value += random.bytes(1)
    value.put16(32)
    value += random.bytes(32)
    value.put16(208)
    return value + random.bytes(208)
  }

  /// A ClientEncryptedSNI (draft-ietf-tls-esni-02, section 4): suite, X25519 share, digest of the keys' record, and
  /// 260 bytes of name, nonce and padding with its tag.
  private static func encryptedName(_ random: inout StableRandom) -> [UInt8] {
    var value: [UInt8] = [0x13, 0x01, 0x00, 0x1d]
    for count in [32, 32, 292] {
      value.put16(count)
      value += random.bytes(count)
    }
    return value
  }
}

/// Bytes that look random and are the same for the same hello (SplitMix64, Steele and others 2014).
struct StableRandom {
  private var state: UInt64

  /// A generator that begins with what the hello says (FNV-1a, 64 bits).
  init(_ seed: [UInt8]) {
    state = seed.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }
}

extension StableRandom: RandomNumberGenerator {}
