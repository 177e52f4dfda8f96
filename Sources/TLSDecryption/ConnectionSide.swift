import Bytes

/// The keys that a side uses from some record on.
struct EpochKeys: Sendable {
  var epoch: TLSRecordEvent.Epoch
  /// Nil where the secret is not known, or what protects the records is not implemented.
  var opener: RecordOpener?
}

/// One side of a TLS connection: its records, its handshake messages, and the keys of its epochs.
struct ConnectionSide: Sendable {
  /// The most records that may be missing between two that are opened, after lost bytes.
  static let maximumMissingRecords: UInt64 = 1024
  /// What the search for missing records may cost a side in all, in bytes decrypted for nothing.
  static let maximumTrialBytes = 32 << 20
  /// What one trial costs besides its bytes: what an AEAD takes to begin.
  private static let trialCost = 512

  /// Bytes of a record that is not whole yet, at most one record; without synchrony at most five.
  var pending: [UInt8] = []
  /// Whether the next byte is known to begin a record.
  var isSynchronous = true
  /// Whether records may be missing before the next one.
  var isUnsure = false
  /// The keys in use.
  var keys = EpochKeys(epoch: .clear)
  /// Keys of epochs that come, in their order.
  var upcoming: [EpochKeys] = []
  /// TLS 1.3: the secret of the application keys in use, for updates.
  var trafficSecret: [UInt8]?
  var protection: RecordProtection?
  /// How often the keys were updated.
  var updates = 0
  /// Records of application data so far, those that are known to be missing included.
  var applicationRecords = 0
  /// Records that are known to be missing.
  var missingRecords = 0
  var messages = HandshakeMessages()
  private var trialBytes = 0

  /// Bytes that are kept.
  var bufferedBytes: Int { pending.count &+ messages.bufferedBytes }

  /// Bytes before the next are missing or broken.
  mutating func lose() {
    pending.removeAll()
    messages.drop()
    isSynchronous = false
    isUnsure = true
  }

  /// Opens the next record: with the keys in use, else with those of the next epochs, where the record that announced
  /// them could not be read, and after lost bytes under each number that it may have.
  mutating func open(_ record: borrowing SealedRecord, isTLS13: Bool, _ work: inout Workspace) -> Bool {
    if let opener = keys.opener, opener.opens(record, at: opener.sequence, &work) {
      accept(record, at: opener.sequence)
      return true
    }
    if isTLS13 || isUnsure {
      for place in upcoming.indices {
        guard let opener = upcoming[place].opener, opener.opens(record, at: 0, &work) else { continue }
        advance(to: place)
        accept(record, at: 0)
        return true
      }
    }
    // Early data without its secret: the handshake's first record follows some time.
    if keys.epoch == .early, keys.opener == nil { return false }
    if isUnsure, search(record, isTLS13, &work) { return true }
    // The next record may be the one behind it, or another in its place.
    isUnsure = true
    messages.drop()
    return false
  }

  private mutating func search(_ record: borrowing SealedRecord, _ isTLS13: Bool, _ work: inout Workspace) -> Bool {
    if let opener = keys.opener, let number = found(record, by: opener, from: opener.sequence &+ 1, &work) {
      accept(record, at: number)
      return true
    }
    for place in upcoming.indices {
      guard let opener = upcoming[place].opener, let number = found(record, by: opener, from: 1, &work) else {
        continue
      }
      advance(to: place)
      accept(record, at: number)
      return true
    }
    // A key update may be among what is missing.
    guard isTLS13, keys.epoch == .application, let (secret, opener) = updatedKeys(),
      let number = found(record, by: opener, from: 0, &work)
    else { return false }
    use(secret, opener)
    accept(record, at: number)
    return true
  }

  /// The number under which a record opens, from some number on.
  private mutating func found(
    _ record: borrowing SealedRecord, by opener: RecordOpener, from first: UInt64, _ work: inout Workspace
  ) -> UInt64? {
    if let (first, second) = opener.guesses(record) {
      if opener.opens(record, at: first, &work) { return first }
      if first != second, opener.opens(record, at: second, &work) { return second }
    }
    for step in 0..<Self.maximumMissingRecords {
      guard trialBytes < Self.maximumTrialBytes else { return nil }
      trialBytes &+= record.fragment.byteCount &+ Self.trialCost
      if opener.opens(record, at: first &+ step, &work) { return first &+ step }
    }
    return nil
  }

  private mutating func accept(_ record: borrowing SealedRecord, at number: UInt64) {
    guard let expected = keys.opener?.sequence else { return }
    if number > expected {
      let missing = Int(clamping: number &- expected)
      missingRecords = missingRecords.saturating(missing)
      if keys.epoch == .application || keys.epoch == .early {
        applicationRecords = applicationRecords.saturating(missing)
      }
    }
    keys.opener?.accept(record, at: number)
    isUnsure = false
  }

  /// Uses the keys of a later epoch from here on.
  mutating func advance(to place: Int) {
    guard upcoming.indices.contains(place) else { return }
    if keys.epoch == .application { updates &+= 1 }
    keys = upcoming[place]
    upcoming.removeFirst(place &+ 1)
    messages.drop()
  }

  /// Uses the keys of the next such epoch; none, where they are not known.
  mutating func advance(to epoch: TLSRecordEvent.Epoch) {
    if let place = upcoming.firstIndex(where: { $0.epoch == epoch }) {
      advance(to: place)
    } else {
      if keys.epoch == .application { updates &+= 1 }
      keys = EpochKeys(epoch: epoch)
      upcoming.removeAll()
    }
  }

  /// Follows a KeyUpdate.
  mutating func update() {
    if let (secret, opener) = updatedKeys() {
      use(secret, opener)
    } else {
      updates &+= 1
    }
  }

  private mutating func use(_ secret: [UInt8], _ opener: RecordOpener) {
    trafficSecret = secret
    keys = EpochKeys(epoch: .application, opener: opener)
    updates &+= 1
    messages.drop()
  }

  /// The keys of the next generation (RFC 8446, section 7.2).
  private func updatedKeys() -> ([UInt8], RecordOpener)? {
    guard let trafficSecret, let protection else { return nil }
    let next = KeyDerivation.expanded(
      trafficSecret, label: "traffic upd", count: protection.hash.length, hash: protection.hash)
    return (next, RecordOpener(trafficSecret: next, protection))
  }
}

extension Int {
  fileprivate func saturating(_ more: Int) -> Int {
    let (sum, isTooMuch) = addingReportingOverflow(more)
    return isTooMuch ? .max : sum
  }
}
