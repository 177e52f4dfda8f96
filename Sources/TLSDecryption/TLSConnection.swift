import Bytes
public import Protocols

/// A record of a TLS connection as it was read.
public struct TLSRecordEvent: Sendable, Equatable {
  /// Why a record stays closed.
  public enum Obstacle: Sendable, Equatable {
    /// The capture has not the hellos of both sides, so that nobody knows which secrets are its.
    case handshakeNotSeen
    /// Nobody has given its secrets.
    case noSecrets
    /// What protects it is not implemented: version and suite by their numbers.
    case notSupported(version: UInt16, suite: UInt16)
    /// The secrets do not open it: they are another connection's, or bytes are missing or changed.
    case doesNotOpen
  }

  /// What the header says that it holds, and what it holds: in TLS 1.3 that is known only once it is open.
  public var outerType: TLSContentType, type: TLSContentType
  /// Bytes of the fragment, without the header's five.
  public var length: Int
  /// Bytes of the plaintext, without padding; 0 where it was not opened.
  public var plaintextLength = 0
  /// Zeros that pad it (TLS 1.3).
  public var paddingLength = 0
  /// Whether it was encrypted and could be opened.
  public var isDecrypted = false
  /// Why it was not opened, where it is encrypted.
  public var obstacle: Obstacle?
  /// Its number among the records of application data of its side, from 1; 0 where it is none.
  public var applicationNumber = 0
  /// How often the keys of its side were updated before it.
  public var keyUpdates = 0
}

/// Reads a TLS 1.2 or 1.3 connection and opens its records where its secrets are known.
///
/// Bytes go in in the order of each side's stream. AES-GCM, AES-CBC (MAC-then-encrypt and encrypt-then-MAC) and
/// ChaCha20-Poly1305 are opened; after lost bytes reading goes on with the next record.
public struct TLSConnection: Sendable {
  private var client = ConnectionSide(), server = ConnectionSide()
  /// The random of the first ClientHello.
  public private(set) var clientRandom: ClientRandom?
  private var serverRandom: [UInt8] = []
  /// The negotiated version, where the ServerHello was seen.
  public private(set) var version: TLSVersion?
  /// The suite that the server chose.
  public private(set) var cipherSuite: UInt16?
  private var encryptsBeforeMAC = false
  private var hasKeys = false
  /// Whether the client speaks before the server has chosen a version, under keys that are known (0-RTT).
  private var isEarly = false

  /// A connection of which nothing was read.
  public init() {}

  /// Takes the next bytes of a side.
  /// - Parameters:
  ///   - bytes: in the order of the stream.
  ///   - side: who sent them.
  ///   - secrets: those that are known by now.
  ///   - deliver: gets each record that becomes whole, and its plaintext, lent for the call: empty where it stays
  ///     closed.
  public mutating func consume(
    _ bytes: borrowing RawSpan, from side: FlowSide, secrets: TLSSecrets,
    _ deliver: (TLSRecordEvent, RawSpan) -> Void
  ) {
    var chunk: [UInt8]
    if side == .client {
      chunk = client.pending
      client.pending = []
    } else {
      chunk = server.pending
      server.pending = []
    }
    chunk.append(bytes)
    var at = 0
    while chunk.count - at >= TLSRecordHeader.byteCount {
      let length = Int(chunk[at + 3]) << 8 | Int(chunk[at + 4])
      guard (20...24).contains(chunk[at]), chunk[at + 1] == 3, chunk[at + 2] <= 4,
        length <= TLSRecordHeader.maximumLength
      else {
        // No record begins here: what follows is looked at again where the next segment begins.
        lose(side)
        return
      }
      let end = at + TLSRecordHeader.byteCount + length
      guard chunk.count >= end else { break }
      take(chunk[at..<end], side, secrets, deliver)
      at = end
    }
    if side == .client { client.pending = Array(chunk[at...]) } else { server.pending = Array(chunk[at...]) }
  }

  /// Bytes of a side are lost: its next chunk is tried as the beginning of a record.
  public mutating func skipGap(from side: FlowSide) { lose(side) }

  private mutating func lose(_ side: FlowSide) {
    func lost(_ side: inout ConnectionSide) {
      side.pending = []
      side.dropHandshake()
      for at in side.openers.indices { side.openers[at].isSequenceUnsure = true }
    }
    if side == .client { lost(&client) } else { lost(&server) }
  }

  private mutating func take(
    _ record: ArraySlice<UInt8>, _ side: FlowSide, _ secrets: TLSSecrets, _ deliver: (TLSRecordEvent, RawSpan) -> Void
  ) {
    let header = Array(record.prefix(TLSRecordHeader.byteCount))
    let fragment = record.dropFirst(TLSRecordHeader.byteCount)
    var event = TLSRecordEvent(
      outerType: TLSContentType(rawValue: header[0]), type: TLSContentType(rawValue: header[0]), length: fragment.count)
    var plaintext: [UInt8] = []
    if version == nil, side == .client { prepareEarly(secrets) }
    if isEncrypted(event.outerType, side) {
      prepare(secrets)
      event.keyUpdates = side == .client ? client.updates : server.updates
      if let opened = side == .client ? open(header, fragment, &client) : open(header, fragment, &server) {
        plaintext = opened
        event.isDecrypted = true
        if version?.isTLS13Family ?? true { event.unwrap(&plaintext) }
        event.plaintextLength = plaintext.count
      } else {
        event.obstacle = obstacle(secrets)
      }
    } else if event.outerType != .applicationData {
      plaintext = Array(fragment)
      event.plaintextLength = plaintext.count
    } else {
      event.obstacle = .handshakeNotSeen
    }
    if event.type == .applicationData {
      if side == .client { client.applicationRecords += 1 } else { server.applicationRecords += 1 }
      event.applicationNumber = side == .client ? client.applicationRecords : server.applicationRecords
    }
    deliver(event, plaintext.rawSpan)
    follow(event, plaintext, side)
  }

  /// Whether a record is protected by keys.
  private func isEncrypted(_ type: TLSContentType, _ side: FlowSide) -> Bool {
    guard let version else { return type == .applicationData && side == .client && isEarly }
    // In TLS 1.3 everything encrypted calls itself application data.
    if version.isTLS13Family { return type == .applicationData }
    return (side == .client ? client.isEncrypted : server.isEncrypted) && type != .changeCipherSpec
  }

  private func obstacle(_ secrets: TLSSecrets) -> TLSRecordEvent.Obstacle {
    guard let clientRandom, let version, let cipherSuite else { return .handshakeNotSeen }
    guard secrets[clientRandom] != nil else { return .noSecrets }
    let isKnown = version == .tls12 || version == .tls13
    guard isKnown, RecordProtection(suite: cipherSuite) != nil else {
      return .notSupported(version: version.rawValue, suite: cipherSuite)
    }
    return .doesNotOpen
  }

  /// Opens with the keys in use, else with those of a later epoch.
  private func open(_ header: [UInt8], _ fragment: ArraySlice<UInt8>, _ side: inout ConnectionSide) -> [UInt8]? {
    for at in side.openers.indices {
      guard let plaintext = side.openers[at].open(header: header, fragment: fragment) else { continue }
      if at > 0 { side.openers.removeFirst(at) }
      return plaintext
    }
    return nil
  }

  /// Follows what a record changes.
  private mutating func follow(_ event: TLSRecordEvent, _ plaintext: [UInt8], _ side: FlowSide) {
    let isTLS13 = version?.isTLS13Family == true
    if event.type == .changeCipherSpec, !isTLS13 {
      if side == .client {
        client.changeCipher()
      } else {
        server.changeCipher()
      }
      return
    }
    guard event.type == .handshake, event.isDecrypted || event.obstacle == nil else { return }
    var messages: [(UInt8, ArraySlice<UInt8>)] = []
    if side == .client {
      client.readHandshake(plaintext[...]) { messages.append(($0, $1)) }
    } else {
      server.readHandshake(plaintext[...]) { messages.append(($0, $1)) }
    }
    for (type, body) in messages {
      switch type {
      case 1 where clientRandom == nil && body.count >= 34:
        clientRandom = ClientRandom(Array(body.dropFirst(2).prefix(32)))
      case 2 where version == nil: readServerHello(Array(body))
      case 20 where isTLS13: if side == .client { client.finish() } else { server.finish() }
      case 24 where isTLS13: if side == .client { update(&client) } else { update(&server) }
      default: break
      }
    }
  }

  private mutating func readServerHello(_ body: [UInt8]) {
    var reader = ByteReader(body.rawSpan)
    guard let hello = try? ServerHello(parsing: &reader), !hello.isHelloRetryRequest, body.count >= 34 else { return }
    version = hello.version
    cipherSuite = hello.cipherSuite
    serverRandom = Array(body[2..<34])
    var extensions = ByteReader(hello.extensions)
    // encrypt_then_mac (RFC 7366, section 2).
    while let type = try? extensions.u16(), let count = try? extensions.u16() {
      if type == 22 { encryptsBeforeMAC = true }
      guard (try? extensions.skip(Int(count))) != nil else { break }
    }
  }

  /// The keys of a traffic secret's next generation (RFC 8446, section 7.2).
  private func update(_ side: inout ConnectionSide) {
    guard let secret = side.trafficSecret, let protection = cipherSuite.flatMap({ RecordProtection(suite: $0) }) else {
      return
    }
    let next = KeyDerivation.expanded(
      secret, label: "traffic upd", count: protection.hash.length, hash: protection.hash)
    side.trafficSecret = next
    side.openers = [RecordOpener(trafficSecret: next, protection)]
    side.updates += 1
  }

  /// Makes the keys as soon as hellos and secrets are there.
  private mutating func prepare(_ secrets: TLSSecrets) {
    guard !hasKeys, let clientRandom, let version, let suite = cipherSuite, let known = secrets[clientRandom],
      let protection = RecordProtection(suite: suite)
    else { return }
    if version == .tls13 {
      hasKeys = true
      // Early data that is on its way goes on under its keys.
      client.openers += [known.clientHandshake, known.clientTraffic].compactMap {
        $0.map { RecordOpener(trafficSecret: $0, protection) }
      }
      server.openers = [known.serverHandshake, known.serverTraffic].compactMap {
        $0.map { RecordOpener(trafficSecret: $0, protection) }
      }
      (client.trafficSecret, server.trafficSecret) = (known.clientTraffic, known.serverTraffic)
    } else if version == .tls12, let master = known.master {
      hasKeys = true
      makeKeys(master, clientRandom, protection)
    }
  }

  /// Keys of data that a client sends before it has an answer (RFC 8446, section 2.3); the suite is the earlier
  /// connection's, which only the secret's length hints at.
  private mutating func prepareEarly(_ secrets: TLSSecrets) {
    guard !isEarly, let clientRandom, let secret = secrets[clientRandom]?.clientEarly else { return }
    isEarly = true
    let suites: [UInt16] = secret.count == 48 ? [0x1302] : [0x1301, 0x1303]
    client.openers = suites.compactMap { RecordProtection(suite: $0) }.map {
      RecordOpener(trafficSecret: secret, $0)
    }
  }

  /// The key block (RFC 5246, section 6.3).
  private mutating func makeKeys(_ master: [UInt8], _ random: ClientRandom, _ protection: RecordProtection) {
    let (macLength, keyLength, ivLength) = (protection.mac?.length ?? 0, protection.keyLength, protection.fixedIVLength)
    var block = KeyDerivation.pseudorandom(
      master, label: "key expansion", seed: serverRandom + random.bytes, count: 2 * (macLength + keyLength + ivLength),
      hash: protection.hash)[...]
    func next(_ count: Int) -> [UInt8] {
      defer { block = block.dropFirst(count) }
      return Array(block.prefix(count))
    }
    let macs = (next(macLength), next(macLength))
    let keys = (next(keyLength), next(keyLength))
    let ivs = (next(ivLength), next(ivLength))
    if !client.isRenegotiated {
      client.openers = [
        RecordOpener(
          protection, key: keys.0, iv: ivs.0, macKey: macs.0, encryptsBeforeMAC: encryptsBeforeMAC)
      ]
    }
    if !server.isRenegotiated {
      server.openers = [
        RecordOpener(
          protection, key: keys.1, iv: ivs.1, macKey: macs.1, encryptsBeforeMAC: encryptsBeforeMAC)
      ]
    }
  }
}

extension ConnectionSide {
  /// TLS 1.2: what follows is under new keys; a second time they are those of another handshake, under encryption.
  mutating func changeCipher() {
    if isEncrypted {
      openers = []
      isRenegotiated = true
    }
    isEncrypted = true
  }

  /// TLS 1.3: behind Finished come application keys.
  mutating func finish() {
    if openers.count > 1, trafficSecret != nil, let last = openers.last { openers = [last] }
  }
}

extension TLSRecordEvent {
  /// Takes content type and padding off an opened TLS 1.3 record (RFC 8446, section 5.2).
  fileprivate mutating func unwrap(_ plaintext: inout [UInt8]) {
    guard let at = plaintext.lastIndex(where: { $0 != 0 }) else {
      plaintext.removeAll()
      return
    }
    paddingLength = plaintext.count - at - 1
    type = TLSContentType(rawValue: plaintext[at])
    plaintext.removeSubrange(at...)
  }
}
