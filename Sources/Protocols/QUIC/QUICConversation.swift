import Bytes
import QUICKeys

/// A QUIC connection up to its client's hello, which lies in Initial packets that everybody can open.
///
/// Of the server only headers are read: its hello says little that the client's does not, and opening it costs as much.
///
/// Keys follow from the Destination Connection ID of the client's first Initial. A Retry changes it, and so does a
/// client that starts again after version negotiation: each such beginning is a `Beginning` of its own, and the first
/// one whose hello is whole counts.
struct QUICConversation {
  /// The most connection IDs from which keys are derived: the first, one after a Retry, one after version negotiation,
  /// and one of another client on the same ports.
  static let maximumBeginnings = 4
  /// The most times that keys are tried on an Initial of a flow; each costs some microseconds.
  static let maximumAttempts = 48
  /// Datagrams behind the client's whole hello after which the server's answer is given up: it is not in the capture.
  static let maximumDatagramsAfterHello = 16
  /// Datagrams without a whole hello after which it is given up.
  static let maximumDatagramsWithoutHello = 40
  /// The most packets of a datagram that are read; a sender needs one of each of four kinds.
  static let maximumPacketsPerDatagram = 8
  /// The most versions of a server that are kept.
  static let maximumVersionsOffered = 32

  private struct Keys {
    let protection: QUICInitialProtection
    let keys: QUICInitialKeys

    init(_ protection: QUICInitialProtection, _ id: QUICConnectionID) {
      self.protection = protection
      let bytes = id.padded
      // Safe: bytes have no padding that could be read before it was written.
      let span = unsafe bytes.span.bytes
      keys = QUICInitialKeys(protection, connectionID: span.slice(0, id.count), sender: .client)
    }
  }

  /// What follows from one Destination Connection ID.
  private struct Beginning {
    let id: QUICConnectionID
    /// Those that opened a packet last.
    var keys: Keys?
    var client = QUICCryptoAssembler()
    /// Datagrams and packets that brought parts of the client's hello.
    var helloDatagrams = 0
    var helloPackets = 0
    var lastDatagram = 0
    /// CRYPTO frames that brought parts of it.
    var helloFrames = 0

    init(_ id: QUICConnectionID) { self.id = id }
  }

  /// What was learned.
  private(set) var facts = QUICFacts()
  /// Changes with every fact and note.
  private(set) var revision = 0
  /// How it was seen.
  private(set) var notes: [String] = []
  /// Whether nothing more can be learned.
  private(set) var isDone = false
  /// The side that sent the ClientHello, once that is known.
  private(set) var clientSide: FlowSide?
  private var handshake: QUICHandshake
  private var beginnings: [Beginning] = []
  private var sourceIDs = Sides<QUICConnectionID?>(nil)
  /// The side that sent the first Initial: only its Initials can be opened without another's.
  private var initialSide: FlowSide?
  private var isGooglePublic = false
  private var hasHello = false
  private var attempts = 0
  private var datagrams = 0
  private var datagramsAfterHello = 0

  init(wantsFingerprints: Bool, cache: FingerprintCache?) {
    handshake = QUICHandshake(wantsFingerprints: wantsFingerprints, cache: cache)
  }

  /// What the hellos say; nil before the client's is whole.
  var tls: TLSFacts? { handshake.tls }

  /// Bytes that are kept.
  var bufferedBytes: Int {
    beginnings.reduce(0) { $0 &+ $1.client.bufferedBytes }
  }

  /// The connection IDs that the sides chose, as far as they were seen.
  var connectionIDs: QUICConnectionIDs {
    var ids = QUICConnectionIDs()
    ids.client = sourceIDs[clientSide ?? .client]
    ids.server = sourceIDs[(clientSide ?? .client).opposite]
    return ids
  }

  /// Takes a UDP datagram's payload.
  /// - Parameters:
  ///   - datagram: the bytes.
  ///   - side: who sent it.
  ///   - isCut: whether the capture holds less than the datagram.
  /// - Returns: `broken` where no packet in it could be opened, or its lengths do not fit.
  mutating func consume(_ datagram: borrowing RawSpan, from side: FlowSide, isCut: Bool = false) -> DatagramReading {
    if isDone { return .done }
    datagrams &+= 1
    if hasHello { datagramsAfterHello &+= 1 }
    let (hadRetry, offered) = (facts.hasRetry, facts.versionsOffered.count)
    let reading = read(datagram, from: side, isCut)
    if hasHello {
      // A Retry or an offer of versions only asks the client to begin again.
      let isRefusal = facts.hasRetry != hadRetry || facts.versionsOffered.count != offered
      let isAnswered = side != clientSide && reading == .mine && !isRefusal
      if isAnswered || datagramsAfterHello >= Self.maximumDatagramsAfterHello { finish() }
    } else if datagrams >= Self.maximumDatagramsWithoutHello || attempts >= Self.maximumAttempts {
      finish()
    }
    return isDone ? .done : reading
  }

  private mutating func finish() {
    isDone = true
    beginnings = []
  }

  private mutating func note(_ text: String) {
    notes.append(text)
    revision &+= 1
  }

  private mutating func read(_ datagram: borrowing RawSpan, from side: FlowSide, _ isCut: Bool) -> DatagramReading {
    if isGooglePublic { return readGooglePublic(datagram, from: side) }
    if QUICPacket.isLong(datagram) { return readLong(datagram, from: side, isCut) }
    if facts.version == nil { return readGooglePublic(datagram, from: side) }
    guard let expected = sourceIDs[side.opposite] else {
      return QUICPacket.destination(ofShortHeader: datagram, length: 0) == nil ? .notMine : .mine
    }
    let found = QUICPacket.destination(ofShortHeader: datagram, length: expected.count)
    return found == expected ? .mine : .notMine
  }
}

extension QUICConversation {
  private mutating func readLong(
    _ datagram: borrowing RawSpan, from side: FlowSide, _ isCut: Bool
  ) -> DatagramReading {
    var offset = 0
    var packets = 0
    var reading = DatagramReading.notMine
    var first: QUICConnectionID?
    do throws(ParseError) {
      while packets < Self.maximumPacketsPerDatagram, offset < datagram.byteCount,
        let packet = try QUICPacket(parsing: datagram, at: offset, isCut: isCut)
      {
        // Packets of another connection are not to be there (RFC 9000, section 12.2).
        if let first, first != packet.destination { break }
        first = packet.destination
        let isRead = receive(packet, datagram, from: side)
        if isRead { reading = .mine } else if reading == .notMine { reading = .broken }
        offset = packet.end
        packets &+= 1
      }
    } catch {
      // What stands behind a good packet may be padding.
      if packets == 0 { reading = .broken }
    }
    return reading
  }

  /// Takes a packet; whether it is what it seems to be.
  private mutating func receive(_ packet: QUICPacket, _ datagram: borrowing RawSpan, from side: FlowSide) -> Bool {
    if packet.kind == .versionNegotiation {
      if facts.versionsOffered.isEmpty, side != clientSide {
        facts.versionsOffered = packet.versions(in: datagram, atMost: Self.maximumVersionsOffered)
        revision &+= 1
      }
      return true
    }
    take(packet.version)
    switch packet.kind {
    case .retry:
      if side == clientSide || facts.hasRetry { return true }
      facts.hasRetry = true
      revision &+= 1
      return true
    case .zeroRTT:
      if !facts.hasZeroRTT {
        facts.hasZeroRTT = true
        revision &+= 1
      }
      sourceIDs[side] = packet.source
      return true
    case .handshake, .versionNegotiation:
      sourceIDs[side] = packet.source
      return true
    case .initial:
      guard packet.isWhole else { return true }
      // A client's first datagrams are full ones (RFC 9000, section 14.1); a smaller one is a late answer.
      if initialSide == nil, datagram.byteCount >= Self.smallestFirstDatagram { initialSide = side }
      if hasHello || initialSide.map({ $0 != side }) ?? false {
        sourceIDs[side] = packet.source
        return true
      }
      let isRead =
        packet.version.layout == .googleLong
        ? readGoogleLong(packet, datagram, from: side) : readInitial(packet, datagram, from: side)
      if isRead { sourceIDs[side] = packet.source }
      return isRead || packet.version.isGrease
    }
  }

  private mutating func take(_ version: QUICVersion) {
    if facts.version == nil {
      facts.version = version.rawValue
      revision &+= 1
    } else if version.rawValue != facts.selectedVersion ?? facts.version {
      facts.selectedVersion = version.rawValue == facts.version ? nil : version.rawValue
      revision &+= 1
    }
  }

  /// Keeps a connection ID from which the server's keys may follow, though the client's packet is not opened.
  private mutating func remember(_ id: QUICConnectionID) {
    guard beginnings.count < Self.maximumBeginnings, !beginnings.contains(where: { $0.id == id }) else { return }
    beginnings.append(Beginning(id))
  }
}

extension QUICConversation {
  /// Opens an Initial and takes its frames; whether it could be opened.
  private mutating func readInitial(
    _ packet: QUICPacket, _ datagram: borrowing RawSpan, from side: FlowSide
  ) -> Bool {
    var opener = QUICInitialOpener()
    guard let index = open(packet, datagram, from: side, with: &opener) else { return false }
    if clientSide == nil { clientSide = side }
    let plaintext = opener.plaintext
    // The first frame waits for a second one: alone with a whole message, as is usual, it is read where it lies.
    var waiting = plaintext.slice(0, 0)
    var isNew = false
    do throws(ParseError) {
      if packet.version.hasGoogleFrames {
        var frames = GoogleFrames(plaintext, version: packet.version, numberLength: 4)
        while let frame = try frames.next() { isNew = take(frame, index) || isNew }
      } else {
        var frames = QUICFrames(plaintext)
        while let frame = try frames.next() {
          if case .crypto(0, let data) = copy frame, waiting.isEmpty, beginnings[index].client.isEmpty {
            waiting = data
            continue
          }
          isNew = flush(&waiting, index) || isNew
          isNew = take(frame, index) || isNew
        }
        if canRead(waiting) {
          beginnings[index].helloFrames &+= 1
          readMessages(of: index, in: waiting)
          return true
        }
      }
      if flush(&waiting, index) || isNew { readMessages(of: index) }
    } catch {
      _ = flush(&waiting, index)
      note("Initial with a broken frame: \(error.sentence)")
      readMessages(of: index)
    }
    return true
  }

  /// Whether a frame at offset 0 holds all of a hello of TLS.
  private func canRead(_ data: borrowing RawSpan) -> Bool {
    guard data.byteCount <= QUICCryptoAssembler.maximumBytes, !GoogleClientHello.canBegin(data) else { return false }
    return QUICCryptoAssembler.messageLength(data) ?? 0 > 0
  }

  /// Takes the frame that waits, where one does; whether it brought anything new of a hello.
  private mutating func flush(_ waiting: inout RawSpan, _ index: Int) -> Bool {
    if waiting.isEmpty { return false }
    let data = waiting
    waiting = RawSpan()
    return take(.crypto(offset: 0, data: data), index)
  }

  private mutating func open(
    _ packet: QUICPacket, _ datagram: borrowing RawSpan, from side: FlowSide, with opener: inout QUICInitialOpener
  ) -> Int? {
    if let index = beginnings.firstIndex(where: { $0.id == packet.destination }) {
      return open(packet, datagram, index, with: &opener) ? index : nil
    }
    // A client that has heard of the server writes to the connection ID which that chose, with the keys as before.
    let hasHeard = packet.destination == sourceIDs[side.opposite]
    if hasHeard, let index = openByEarlierKeys(packet, datagram, with: &opener) { return index }
    if beginnings.count < Self.maximumBeginnings {
      beginnings.append(Beginning(packet.destination))
      let index = beginnings.count &- 1
      if open(packet, datagram, index, with: &opener) { return index }
      beginnings.removeLast()
    }
    if !hasHeard, let index = openByEarlierKeys(packet, datagram, with: &opener) { return index }
    return nil
  }

  private mutating func openByEarlierKeys(
    _ packet: QUICPacket, _ datagram: borrowing RawSpan, with opener: inout QUICInitialOpener
  ) -> Int? {
    for index in beginnings.indices.reversed() {
      if open(packet, datagram, index, with: &opener) { return index }
    }
    return nil
  }

  /// Tries the keys that follow from a connection ID.
  private mutating func open(
    _ packet: QUICPacket, _ datagram: borrowing RawSpan, _ index: Int, with opener: inout QUICInitialOpener
  ) -> Bool {
    let bytes = datagram.slice(packet.start, packet.end &- packet.start)
    var choice = 0
    while attempts < Self.maximumAttempts, let protection = packet.version.protection(choice) {
      attempts &+= 1
      choice &+= 1
      var keys = beginnings[index].keys
      if keys?.protection != protection { keys = Keys(protection, beginnings[index].id) }
      guard let keys, opener.open(bytes, packetNumberAt: packet.body &- packet.start, with: keys.keys) != nil else {
        continue
      }
      beginnings[index].keys = keys
      return true
    }
    return false
  }

  /// Takes a frame; whether it brought anything new of a hello.
  private mutating func take(_ frame: borrowing QUICFrame, _ index: Int) -> Bool {
    switch copy frame {
    case .close(let error):
      facts.closeError = error
      revision &+= 1
      return false
    case .crypto(let offset, let data):
      guard beginnings[index].client.insert(data, at: offset) == .new else { return false }
      beginnings[index].helloFrames &+= 1
      return true
    }
  }
}

extension QUICConversation {
  private mutating func readMessages(of index: Int) {
    // A copy of the struct, not of its bytes, so that they stay lent while the facts change.
    let crypto = beginnings[index].client
    readMessages(of: index, in: crypto.prefix)
  }

  /// Reads the hello where it has become whole.
  private mutating func readMessages(of index: Int, in prefix: borrowing RawSpan) {
    guard !hasHello else { return }
    beginnings[index].helloPackets &+= 1
    if beginnings[index].lastDatagram != datagrams { beginnings[index].helloDatagrams &+= 1 }
    beginnings[index].lastDatagram = datagrams
    do throws(ParseError) {
      if GoogleClientHello.canBegin(prefix) {
        guard let length = GoogleClientHello.length(prefix), length <= prefix.byteCount else { return }
        try handshake.receive(googleHello: prefix.slice(0, length), &facts)
      } else {
        guard let length = QUICCryptoAssembler.messageLength(prefix) else { throw .limit(.handshakeLength) }
        guard length > 0 else { return }
        let damage = try handshake.receive(clientHello: prefix.slice(0, length), &facts)
        if damage != nil { note("ClientHello with a damaged extension") }
      }
      hasHello = true
    } catch {
      note("broken ClientHello: \(error.sentence)")
      return finish()
    }
    revision &+= 1
    noteParts(of: index)
    beginnings = []
  }

  private mutating func noteParts(of index: Int) {
    let beginning = beginnings[index]
    facts.helloDatagrams = UInt8(clamping: beginning.helloDatagrams)
    facts.helloFrames = UInt8(clamping: beginning.helloFrames)
    if beginning.helloDatagrams > 1 {
      note("hello split over \(beginning.helloDatagrams) datagrams")
    } else if beginning.helloPackets > 1 {
      note("hello split over \(beginning.helloPackets) packets")
    }
    if beginning.client.isReordered { note("CRYPTO frames out of order") }
    if beginning.client.hasConflict { note("CRYPTO frames that contradict each other: the first bytes count") }
    if beginning.client.leftOut > 0 {
      note("\(beginning.client.leftOut) CRYPTO frames left out: too far on, or in too many pieces")
    }
  }
}

extension QUICConversation {
  /// Takes a packet with Google's public header, or what answers one.
  private mutating func readGooglePublic(_ datagram: borrowing RawSpan, from side: FlowSide) -> DatagramReading {
    guard let header = GooglePublicHeader(parsing: datagram) else { return isGooglePublic ? .mine : .notMine }
    isGooglePublic = true
    take(header.version)
    if hasHello { return .mine }
    let frames = datagram.slice(header.frames, datagram.byteCount &- header.frames)
    readGoogle(frames, header.version, header.connectionID, numberLength: header.numberLength, from: side)
    return .mine
  }

  private mutating func readGoogleLong(
    _ packet: QUICPacket, _ datagram: borrowing RawSpan, from side: FlowSide
  ) -> Bool {
    let numberLength = Int(datagram.u8(packet.start) & 3) &+ 1
    let start = packet.body &+ numberLength &+ GooglePublicHeader.hashLength
    guard start < packet.end else { return false }
    let frames = datagram.slice(start, packet.end &- start)
    readGoogle(frames, packet.version, packet.destination, numberLength: numberLength, from: side)
    return true
  }

  /// Looks for a CHLO in frames that may be in clear.
  private mutating func readGoogle(
    _ payload: borrowing RawSpan, _ version: QUICVersion, _ id: QUICConnectionID, numberLength: Int,
    from side: FlowSide
  ) {
    var frames = GoogleFrames(copy payload, version: version, numberLength: numberLength)
    while let frame = try? frames.next() {
      guard case .crypto(let offset, let data) = frame else { continue }
      // A server's message, or ciphertext, begins otherwise.
      let begins = offset == 0 && GoogleClientHello.canBegin(data)
      guard begins || beginnings.contains(where: { $0.id == id }) else { return }
      remember(id)
      guard let index = beginnings.firstIndex(where: { $0.id == id }) else { return }
      clientSide = side
      guard beginnings[index].client.insert(data, at: offset) == .new else { continue }
      readMessages(of: index)
      if hasHello || isDone { return }
    }
  }
}
