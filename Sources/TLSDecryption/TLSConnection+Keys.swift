import Bytes
import Protocols

extension TLSConnection {
  /// What protects the records, if it is one of those that are opened.
  var protection: RecordProtection? {
    guard let cipherSuite else { return nil }
    return isTLS13 ? RecordProtection.tls13[cipherSuite] : RecordProtection.tls12[cipherSuite]
  }

  /// Lines up the keys that follow a ServerHello.
  mutating func prepareKeys(_ secrets: TLSSecrets) {
    secretsSeen = secrets.revision
    let known = clientRandom.flatMap { secrets[$0] }
    let protection = isSupported ? protection : nil
    if isTLS13 {
      prepareTLS13(known, protection)
    } else {
      let keys = known?.master.flatMap { master in protection.map { makeKeys(master, $0) } }
      sides[clientSide].upcoming = [EpochKeys(epoch: .application, opener: keys?.client)]
      sides[serverSide].upcoming = [EpochKeys(epoch: .application, opener: keys?.server)]
    }
  }

  private var serverSide: FlowSide { clientSide == .client ? .server : .client }

  private mutating func prepareTLS13(_ known: ConnectionSecrets?, _ protection: RecordProtection?) {
    func keys(_ epoch: TLSRecordEvent.Epoch, _ secret: [UInt8]?) -> EpochKeys {
      guard let protection, let secret, secret.count == protection.hash.length else { return EpochKeys(epoch: epoch) }
      return EpochKeys(epoch: epoch, opener: RecordOpener(trafficSecret: secret, protection))
    }
    // Early data that is on its way goes on under its keys.
    if sides[clientSide].keys.epoch == .early {
      sides[clientSide].upcoming.removeAll { $0.epoch != .early }
      sides[clientSide].upcoming.append(keys(.handshake, known?.clientHandshake))
    } else {
      sides[clientSide].keys = keys(.handshake, known?.clientHandshake)
      sides[clientSide].upcoming = []
    }
    sides[clientSide].upcoming.append(keys(.application, known?.clientTraffic))
    sides[clientSide].trafficSecret = known?.clientTraffic
    sides[clientSide].protection = protection
    sides[serverSide].keys = keys(.handshake, known?.serverHandshake)
    sides[serverSide].upcoming = [keys(.application, known?.serverTraffic)]
    sides[serverSide].trafficSecret = known?.serverTraffic
    sides[serverSide].protection = protection
  }

  /// Keys of data that a client sends before it has an answer (RFC 8446, section 2.3). Their suite is that of an
  /// earlier connection: one of those that are offered, whose hash is as long as the secret.
  mutating func prepareEarlyKeys(_ hello: borrowing ClientHello, _ secrets: TLSSecrets) {
    let secret = clientRandom.flatMap { secrets[$0]?.clientEarly }
    var candidates: [EpochKeys] = []
    if let secret {
      var offered = ByteReader(hello.cipherSuites)
      while candidates.count < RecordProtection.tls13.count, let suite = try? offered.u16() {
        guard let protection = RecordProtection.tls13[suite], protection.hash.length == secret.count else { continue }
        candidates.append(EpochKeys(epoch: .early, opener: RecordOpener(trafficSecret: secret, protection)))
      }
    }
    sides[clientSide].keys = candidates.first ?? EpochKeys(epoch: .early)
    sides[clientSide].upcoming = Array(candidates.dropFirst())
  }

  /// Looks for secrets that came after the handshake.
  /// - Returns: whether there are any now.
  mutating func lookAgain(_ secrets: TLSSecrets) -> Bool {
    guard version != nil, secrets.revision != secretsSeen else { return false }
    secretsSeen = secrets.revision
    let hasKeys = [FlowSide.client, .server].contains { side in
      sides[side].keys.opener != nil || sides[side].upcoming.contains { $0.opener != nil }
    }
    guard !hasKeys, let clientRandom, secrets[clientRandom] != nil else { return false }
    prepareKeys(secrets)
    sides.client.isUnsure = true
    sides.server.isUnsure = true
    return true
  }

  /// The key block (RFC 5246, section 6.3).
  private func makeKeys(_ master: [UInt8], _ protection: RecordProtection) -> (
    client: RecordOpener, server: RecordOpener
  ) {
    let lengths = [protection.mac?.length ?? 0, protection.keyLength, protection.fixedIVLength]
    var block = KeyDerivation.pseudorandom(
      master, label: "key expansion", seed: serverRandom + (clientRandom?.bytes ?? []),
      count: 2 * lengths.reduce(0, +), hash: protection.hash)[...]
    func next(_ count: Int) -> [UInt8] {
      defer { block = block.dropFirst(count) }
      return Array(block.prefix(count))
    }
    let macs = (next(lengths[0]), next(lengths[0]))
    let keys = (next(lengths[1]), next(lengths[1]))
    let ivs = (next(lengths[2]), next(lengths[2]))
    return (
      RecordOpener(protection, key: keys.0, iv: ivs.0, macKey: macs.0, encryptsBeforeMAC: encryptsBeforeMAC),
      RecordOpener(protection, key: keys.1, iv: ivs.1, macKey: macs.1, encryptsBeforeMAC: encryptsBeforeMAC)
    )
  }
}
