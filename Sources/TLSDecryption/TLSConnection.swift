import Bytes
public import Protocols

/// Reads a TLS 1.2 or 1.3 connection and opens its records where its secrets are known.
///
/// Bytes go in in the order of each side's stream. AES-GCM, ChaCha20-Poly1305 and AES-CBC (MAC-then-encrypt and
/// encrypt-then-MAC) are opened; what precedes TLS (STARTTLS) is passed over, and after lost bytes reading goes on with
/// the next record that is found.
public struct TLSConnection: Sendable {
  /// What is known of a connection.
  public enum Status: Sendable, Equatable {
    /// No record was read.
    case waiting
    /// Nothing encrypted was read.
    case clear
    /// At least one record was opened.
    case open
    /// Encrypted records were read and none was opened: why the last one was not.
    case closed(TLSRecordEvent.Obstacle)
  }

  /// The random of the ClientHello that counts: the last one.
  public internal(set) var clientRandom: ClientRandom?
  /// The negotiated version, where the ServerHello was seen.
  public internal(set) var version: TLSVersion?
  /// The suite that the server chose.
  public internal(set) var cipherSuite: UInt16?
  /// What is known of it.
  public private(set) var status = Status.waiting
  /// Records so far that were opened.
  public private(set) var openedRecords = 0
  /// Records so far that are encrypted and stay closed.
  public private(set) var closedRecords = 0
  /// How often a side's bytes did not continue its records, so that the next record was searched for.
  public private(set) var lostSynchrony = 0

  var sides = ConnectionSides()
  /// Who sent the ClientHello.
  var clientSide = FlowSide.client
  var serverRandom: [UInt8] = []
  var encryptsBeforeMAC = false
  /// What the hellos agreed on beside the suite: bars opening where it is not implemented.
  var isSupported = true
  /// How many secrets there were when they were last looked for.
  var secretsSeen = 0
  private var work = Workspace()

  /// A connection of which nothing was read.
  public init() {}

  /// Records that are known to be missing, by the numbers of those that were opened.
  public var missingRecords: Int { sides.client.missingRecords &+ sides.server.missingRecords }

  /// Bytes that are kept: at most a record and a hello of each side, and a record's plaintext.
  public var bufferedBytes: Int { sides.client.bufferedBytes &+ sides.server.bufferedBytes &+ work.text.count }

  /// Takes the next bytes of a side.
  /// - Parameters:
  ///   - bytes: in the order of the stream, cut anywhere.
  ///   - side: who sent them.
  ///   - secrets: those that are known by now. Where they come later than the handshake, records before them stay
  ///     closed.
  ///   - deliver: gets each record that becomes whole and its plaintext, lent for the call: empty where it stays
  ///     closed.
  public mutating func consume(
    _ bytes: borrowing RawSpan, from side: FlowSide, secrets: TLSSecrets,
    _ deliver: (TLSRecordEvent, RawSpan) -> Void
  ) {
    guard !sides[side].pending.isEmpty else {
      read(copy bytes, looselyAt: 0, side, secrets, deliver)
      return
    }
    var record: [UInt8] = []
    swap(&record, &sides[side].pending)
    let kept = record.count
    var used = 0
    if sides[side].isSynchronous {
      used = Self.fill(&record, to: TLSRecordHeader.byteCount, from: bytes, used)
      guard record.count >= TLSRecordHeader.byteCount else {
        sides[side].pending = record
        return
      }
      if let header = Self.header(record.rawSpan, at: 0) {
        let end = TLSRecordHeader.byteCount &+ header.length
        used = Self.fill(&record, to: end, from: bytes, used)
        if record.count >= end {
          take(header, record.rawSpan.slice(TLSRecordHeader.byteCount, header.length), side, secrets, deliver)
          record.removeAll(keepingCapacity: true)
        }
        sides[side].pending = record
        if used < bytes.byteCount {
          read(bytes.slice(used, bytes.byteCount &- used), looselyAt: nil, side, secrets, deliver)
        }
        return
      }
      loseSynchrony(side)
    }
    record.append(bytes.slice(used, bytes.byteCount &- used))
    read(record.rawSpan, looselyAt: kept, side, secrets, deliver)
  }

  /// Bytes of a side are lost: reading goes on where a record is found to begin.
  public mutating func skipGap(from side: FlowSide) {
    sides[side].lose()
  }

  private mutating func loseSynchrony(_ side: FlowSide) {
    lostSynchrony &+= 1
    sides[side].lose()
  }

  private static func fill(
    _ record: inout [UInt8], to count: Int, from bytes: borrowing RawSpan, _ used: Int
  ) -> Int {
    guard record.count < count else { return used }
    let step = min(count &- record.count, bytes.byteCount &- used)
    record.append(bytes.slice(used, step))
    return used &+ step
  }

  /// Reads whole records, and keeps what is left over. Where a segment begins (`place`), a record may begin although
  /// the one before is lost.
  private mutating func read(
    _ bytes: RawSpan, looselyAt place: Int?, _ side: FlowSide, _ secrets: TLSSecrets,
    _ deliver: (TLSRecordEvent, RawSpan) -> Void
  ) {
    var offset = 0
    while offset < bytes.byteCount {
      if !sides[side].isSynchronous {
        guard let begin = search(bytes, from: offset, looselyAt: place) else {
          let kept = min(Self.searchLength &- 1, bytes.byteCount &- offset)
          sides[side].pending = bytes.slice(bytes.byteCount &- kept, kept).array
          return
        }
        offset = begin
        sides[side].isSynchronous = true
      }
      let left = bytes.byteCount &- offset
      guard left >= TLSRecordHeader.byteCount else {
        sides[side].pending.append(bytes.slice(offset, left))
        return
      }
      guard let header = Self.header(bytes, at: offset) else {
        loseSynchrony(side)
        continue
      }
      let end = TLSRecordHeader.byteCount &+ header.length
      guard left >= end else {
        sides[side].pending.append(bytes.slice(offset, left))
        return
      }
      take(header, bytes.slice(offset &+ TLSRecordHeader.byteCount, header.length), side, secrets, deliver)
      offset &+= end
    }
  }

  /// Bytes that the search for a record looks at: a header and the first byte behind it.
  private static let searchLength = TLSRecordHeader.byteCount + 1

  /// Where a record begins behind lost bytes.
  private func search(_ bytes: RawSpan, from first: Int, looselyAt place: Int?) -> Int? {
    var offset = first
    while offset &+ Self.searchLength <= bytes.byteCount {
      defer { offset &+= 1 }
      guard let header = Self.header(bytes, at: offset), header.length > 0 else { continue }
      let next = offset &+ TLSRecordHeader.byteCount &+ header.length
      if bytes.holds(TLSRecordHeader.byteCount, at: next), Self.header(bytes, at: next) == nil { continue }
      if offset == place { return offset }
      if clientRandom == nil {
        let kind = TLSHandshakeType(rawValue: bytes.u8(offset &+ TLSRecordHeader.byteCount))
        if header.type == .handshake, kind == .clientHello || kind == .serverHello { return offset }
      } else if header.version == .tls12 {
        return offset
      }
    }
    return nil
  }

  private static func header(_ bytes: RawSpan, at offset: Int) -> TLSRecordHeader? {
    var reader = ByteReader(bytes.slice(offset, TLSRecordHeader.byteCount))
    return try? TLSRecordHeader(parsing: &reader)
  }

  /// Opens a record, hands it on, and follows what it changes.
  private mutating func take(
    _ header: TLSRecordHeader, _ fragment: RawSpan, _ side: FlowSide, _ secrets: TLSSecrets,
    _ deliver: (TLSRecordEvent, RawSpan) -> Void
  ) {
    var event = TLSRecordEvent(side: side, type: header.type, length: header.length)
    let record = SealedRecord(type: header.type.rawValue, version: header.version.rawValue, fragment: fragment)
    let isClear = isClear(header.type, side)
    if !isClear || sides[side].isUnsure && !sides[side].upcoming.isEmpty && !isTLS13 {
      event.isDecrypted = open(record, side)
      if !event.isDecrypted, !isClear, lookAgain(secrets) { event.isDecrypted = open(record, side) }
    }
    event.epoch = sides[side].keys.epoch
    event.keyUpdates = sides[side].updates
    // Lent to the receiver while this connection changes with what it says.
    var text: [UInt8] = []
    swap(&text, &work.text)
    defer { swap(&text, &work.text) }
    if event.isDecrypted {
      event.paddingLength = work.padding
      if isTLS13 || event.epoch == .early { event.unwrap(&text) }
      event.plaintextLength = text.count
      openedRecords &+= 1
      status = .open
    } else {
      text.removeAll(keepingCapacity: true)
      if isClear {
        event.epoch = .clear
        event.plaintextLength = header.length
        if status == .waiting { status = .clear }
      } else {
        let obstacle = obstacle(side)
        event.obstacle = obstacle
        closedRecords &+= 1
        if openedRecords == 0 { status = .closed(obstacle) }
      }
    }
    number(&event)
    if isClear, !event.isDecrypted {
      deliver(event, fragment)
      follow(event, fragment, secrets)
    } else {
      deliver(event, text.rawSpan)
      if event.isDecrypted { follow(event, text.rawSpan, secrets) }
    }
  }

  private mutating func open(_ record: borrowing SealedRecord, _ side: FlowSide) -> Bool {
    let isOpened = sides[side].open(record, isTLS13: isTLS13 || version == nil, &work)
    if !isOpened { work.text.removeAll(keepingCapacity: true) }
    return isOpened
  }

  /// Numbers a record of application data. A closed one counts where it can be nothing else: in TLS 1.2 by its header,
  /// in TLS 1.3 once application keys are in use.
  private mutating func number(_ event: inout TLSRecordEvent) {
    guard event.type == .applicationData else { return }
    if event.obstacle != nil, version == nil || isTLS13, event.epoch != .application { return }
    sides[event.side].applicationRecords &+= 1
    event.applicationNumber = sides[event.side].applicationRecords
  }

  var isTLS13: Bool { version?.isTLS13Family == true }

  /// Whether a record is sent without encryption.
  private func isClear(_ type: TLSContentType, _ side: FlowSide) -> Bool {
    if type == .applicationData { return false }
    // In TLS 1.3 everything encrypted calls itself application data.
    return sides[side].keys.epoch == .clear || isTLS13 || version == nil
  }

  private func obstacle(_ side: FlowSide) -> TLSRecordEvent.Obstacle {
    guard clientRandom != nil, let version, let cipherSuite else {
      return sides[side].keys.epoch == .early ? .noSecrets : .handshakeNotSeen
    }
    guard isSupported, protection != nil else {
      return .notSupported(version: version.rawValue, suite: cipherSuite)
    }
    return sides[side].keys.opener == nil && !sides[side].upcoming.contains { $0.opener != nil }
      ? .noSecrets : .doesNotOpen
  }
}

/// One value for each side of the flow.
struct ConnectionSides: Sendable {
  var client = ConnectionSide(), server = ConnectionSide()

  subscript(side: FlowSide) -> ConnectionSide {
    get { side == .client ? client : server }
    _modify {
      if side == .client { yield &client } else { yield &server }
    }
  }
}

extension TLSRecordEvent {
  /// Takes content type and padding off an opened TLS 1.3 record (RFC 8446, section 5.2).
  fileprivate mutating func unwrap(_ plaintext: inout [UInt8]) {
    guard let place = plaintext.lastIndex(where: { $0 != 0 }) else {
      paddingLength = plaintext.count
      type = TLSContentType(rawValue: 0)
      plaintext.removeAll(keepingCapacity: true)
      return
    }
    paddingLength = plaintext.count &- place &- 1
    type = TLSContentType(rawValue: plaintext[place])
    plaintext.removeSubrange(place...)
  }
}
