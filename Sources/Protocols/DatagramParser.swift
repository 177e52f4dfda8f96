import Bytes

/// Reads a UDP flow's payload until it has said what it is.
///
/// One flow may carry several protocols at a time: STUN, DTLS, RTP, ZRTP and QUIC share a port by their first byte
/// (RFC 7983, RFC 9443), and a relay wraps all of them. The engine makes a parser for a flow whose verdict is open,
/// feeds it datagrams, and frees it when it wants no more.
public struct DatagramParser: ~Copyable {
  /// Datagrams that are looked at before a flow of unknown protocol is given up.
  static let maximumDatagrams = 10
  /// Datagrams that are looked at while they may still turn out to be media or a messenger's.
  static let maximumUndecidedDatagrams = 48
  /// Datagrams that are looked at behind the last one that said something new about a call or connection.
  static let maximumDatagramsWithoutNews = 24
  /// Datagrams of a flow of call signalling that are read: it goes on to announce media.
  static let maximumSignallingDatagrams = 4096
  /// Relays inside relays that are looked into.
  static let maximumDepth = 2

  /// What was learned so far.
  public private(set) var facts = FlowFacts()
  /// Whether further payload could change the facts.
  public private(set) var wantsMore = true
  /// Whether what was learned tells the flow's protocol; media behind it may still add to it.
  public private(set) var isTelling = false
  /// Whether `facts` has changed since this was last set to false.
  public var hasNews = false
  /// Bytes that are kept for this flow: what a cap over all flows adds up.
  public private(set) var bufferedBytes = 0
  /// The connection IDs of a QUIC connection, by which it is known when its addresses change.
  public private(set) var connectionIDs = QUICConnectionIDs()

  private let clientPort: UInt16
  private let serverPort: UInt16
  private let wantsFingerprints: Bool
  private let isAnnounced: Bool
  private let cache: FingerprintCache?
  /// Absent in flows of name resolution, which are most.
  private var readers: DatagramReaders?
  private var resolution = NameResolution()
  private var announcements: [AnnouncedEndpoint] = []
  private var datagrams = 0
  private var datagramsWithoutNews = 0

  /// A parser for one flow.
  /// - Parameters:
  ///   - clientPort: the port of the side that opened the flow.
  ///   - serverPort: the port of the side that did not open the flow; a hint, never a proof.
  ///   - wantsFingerprints: whether JA4 is to be computed.
  ///   - isAnnounced: whether another flow said that media comes here.
  ///   - cache: fingerprints and certificate names that were computed before, shared by all flows.
  public init(
    clientPort: UInt16, serverPort: UInt16, wantsFingerprints: Bool = true, isAnnounced: Bool = false,
    cache: FingerprintCache? = nil
  ) {
    self.clientPort = clientPort
    self.serverPort = serverPort
    self.wantsFingerprints = wantsFingerprints
    self.isAnnounced = isAnnounced
    self.cache = cache
  }

  /// Takes a datagram's payload.
  /// - Parameters:
  ///   - datagram: the bytes that were captured of it.
  ///   - side: who sent it.
  ///   - isCut: whether the capture holds less than the datagram.
  ///   - time: when, in nanoseconds of any clock, where known.
  public mutating func consume(
    datagram: borrowing RawSpan, from side: FlowSide, isCut: Bool = false, at time: Int64? = nil
  ) {
    guard wantsMore, datagram.byteCount > 0 else { return }
    keepFirstBytes(datagram, of: side)
    datagrams &+= 1
    if let application = resolver, resolution.take(datagram, into: &facts) {
      setApplication(application)
      hasNews = true
      return
    }
    let readers = readers ?? DatagramReaders()
    self.readers = readers
    let hadNews = hasNews
    hasNews = false
    dispatch(Datagram(side: side, isCut: isCut, time: time), datagram, readers, depth: 0)
    datagramsWithoutNews = hasNews ? 0 : datagramsWithoutNews &+ 1
    hasNews = hasNews || hadNews
    closeIfDone(readers)
    bufferedBytes = wantsMore ? readers.bufferedBytes : 0
  }

  /// DNS answers read since the last call: names for later addresses.
  public mutating func takeAnswers() -> [DNSAnswer] { resolution.takeAnswers() }

  /// Addresses announced since the last call: where media will come from or go to.
  public mutating func takeAnnouncements() -> [AnnouncedEndpoint] {
    guard !announcements.isEmpty else { return [] }
    defer { announcements = [] }
    return announcements
  }

  /// The kind of name resolution that the ports stand for.
  private var resolver: ApplicationProtocol? {
    for port in [serverPort, clientPort] {
      switch port {
      case 53: return .dns
      case 5353: return .mdns
      case 5355: return .llmnr
      default: continue
      }
    }
    return nil
  }

  private mutating func keepFirstBytes(_ datagram: borrowing RawSpan, of side: FlowSide) {
    if side == .client {
      guard facts.clientFirstBytes.count == 0 else { return }
      facts.clientFirstBytes.append(datagram)
    } else {
      guard facts.serverFirstBytes.count == 0 else { return }
      facts.serverFirstBytes.append(datagram)
    }
    hasNews = true
  }

  /// Names the protocol. What only prepares another one gives way to it.
  private mutating func setApplication(_ application: ApplicationProtocol) {
    guard facts.application != application else { return }
    if let before = facts.application {
      guard before == .stun || before == .rtp && application != .stun else { return }
      facts.upgradedFrom = before
    }
    facts.application = application
    hasNews = true
  }

  private mutating func closeIfDone(_ readers: DatagramReaders) {
    let limit =
      if readers.openVPN != nil { Int.max } else if readers.signalling != nil {
        Self.maximumSignallingDatagrams
      } else if isTelling || readers.isInHandshake {
        Int.max
      } else if readers.isUndecided { Self.maximumUndecidedDatagrams } else { Self.maximumDatagrams }
    let isSilent = isTelling && readers.signalling == nil && datagramsWithoutNews >= Self.maximumDatagramsWithoutNews
    if readers.isOver || datagrams >= limit || isSilent { finish() }
  }

  private mutating func finish() {
    wantsMore = false
    readers = nil
    bufferedBytes = 0
  }
}

/// What a reader may want to know of a datagram besides its bytes.
private struct Datagram {
  var side: FlowSide
  var isCut: Bool
  var time: Int64?
}

/// The readers of a flow: those whose protocol was seen.
private final class DatagramReaders {
  var stun: STUNConversation?
  var quic: QUICConversation?
  var dtls: DTLSConversation?
  var rtp: RTPConversation?
  var signalling: SignallingConversation?
  var messenger: MessengerConversation?
  var openVPN: OpenVPNConversation?
  /// TLS inside OpenVPN.
  var tls: TLSConversation?
  /// What each of them had changed when it was last looked at.
  var revisions = Revisions()
  /// What readers that were let go of had to note.
  var notes: [String] = []
  /// Whether nothing that follows can say more.
  var isOver = false
  /// Whether a QUIC connection was read to its end: only media beside it is looked for.
  var hasReadQUIC = false

  struct Revisions {
    var stun = 0, quic = 0, dtls = 0, rtp = 0, signalling = 0, messenger = 0, tls = 0
  }

  var bufferedBytes: Int {
    var sum = (quic?.bufferedBytes ?? 0) &+ (dtls?.bufferedBytes ?? 0) &+ (signalling?.bufferedBytes ?? 0)
    sum &+= (openVPN?.bufferedBytes ?? 0) &+ (tls?.bufferedBytes ?? 0)
    return sum
  }

  /// Whether a handshake goes on, which ends by itself.
  var isInHandshake: Bool { quic != nil || dtls != nil }

  /// Whether what was seen may still turn out to be media, or a messenger's.
  var isUndecided: Bool { rtp.map { !$0.isDisproved } ?? false || messenger?.signature != nil || stun != nil }

  var allNotes: [String] {
    notes + (stun?.notes ?? []) + (quic?.notes ?? []) + (dtls?.notes ?? []) + (tls?.handshake.notes ?? [])
      + (signalling?.notes ?? [])
  }
}

extension DatagramParser {
  private mutating func dispatch(
    _ datagram: Datagram, _ bytes: borrowing RawSpan, _ readers: DatagramReaders, depth: Int
  ) {
    guard bytes.byteCount > 0, depth <= Self.maximumDepth else { return }
    if readers.openVPN != nil { return takeOpenVPN(bytes, datagram, readers) }
    if takeSTUN(bytes, datagram, readers, depth) || takeQUIC(bytes, datagram, readers)
      || takeDTLS(bytes, datagram, readers) || takeSignalling(bytes, datagram, readers)
    {
      return
    }
    if datagrams == 1, depth == 0, beginOpenVPN(bytes, datagram, readers) { return }
    if takeMessenger(bytes, datagram, readers, depth) { return }
    takeRTP(bytes, datagram, readers, encapsulation: depth > 0 ? "turn" : nil)
  }

  private mutating func takeSTUN(
    _ bytes: borrowing RawSpan, _ datagram: Datagram, _ readers: DatagramReaders, _ depth: Int
  ) -> Bool {
    if readers.stun == nil {
      guard STUNConversation.canBegin(bytes) else { return false }
      readers.stun = STUNConversation()
    }
    let reading = readers.stun?.consume(bytes, from: datagram.side) ?? .notMine
    guard reading != .notMine else { return false }
    if let stun = readers.stun, stun.isSure, stun.revision != readers.revisions.stun {
      readers.revisions.stun = stun.revision
      facts.stun = stun.facts
      facts.notes = readers.allNotes
      setApplication(.stun)
      isTelling = true
      hasNews = true
      if let next = readers.stun?.takeAnnouncements() { announcements += next }
    }
    if let inner = readers.stun?.inner, readers.stun?.isSure == true {
      dispatch(datagram, bytes.slice(inner.lowerBound, inner.count), readers, depth: depth &+ 1)
    }
    return true
  }

  private mutating func takeQUIC(
    _ bytes: borrowing RawSpan, _ datagram: Datagram, _ readers: DatagramReaders
  ) -> Bool {
    if readers.quic == nil {
      if readers.hasReadQUIC { return bytes.u8(0) & 0x40 != 0 }
      guard QUICConversation.canBegin(bytes, isCut: datagram.isCut) else { return false }
      readers.quic = QUICConversation(wantsFingerprints: wantsFingerprints, cache: cache)
    }
    let reading = readers.quic?.consume(bytes, from: datagram.side, isCut: datagram.isCut) ?? .notMine
    if let quic = readers.quic, quic.revision != readers.revisions.quic, quic.facts.version != nil {
      readers.revisions.quic = quic.revision
      facts.quic = quic.facts
      if let tls = quic.tls { facts.tls = tls }
      facts.notes = readers.allNotes
      setApplication(.quic)
      isTelling = isTelling || quic.tls != nil
      hasNews = true
    }
    if readers.quic?.isDone == true {
      connectionIDs = readers.quic?.connectionIDs ?? connectionIDs
      readers.notes += readers.quic?.notes ?? []
      readers.quic = nil
      readers.hasReadQUIC = facts.quic != nil
      isTelling = isTelling || facts.quic != nil
    }
    return reading != .notMine
  }

  private mutating func takeDTLS(
    _ bytes: borrowing RawSpan, _ datagram: Datagram, _ readers: DatagramReaders
  ) -> Bool {
    if readers.dtls == nil {
      guard DTLSConversation.canBegin(bytes) else { return false }
      readers.dtls = DTLSConversation(wantsFingerprints: wantsFingerprints, cache: cache)
    }
    let reading = readers.dtls?.consume(bytes, from: datagram.side) ?? .notMine
    guard reading != .notMine else { return false }
    if let dtls = readers.dtls, dtls.isSure, dtls.revision != readers.revisions.dtls {
      readers.revisions.dtls = dtls.revision
      facts.dtls = dtls.facts
      if facts.tls == nil || facts.quic == nil { facts.tls = dtls.tls }
      facts.notes = readers.allNotes
      setApplication(.dtls)
      isTelling = true
      hasNews = true
    }
    return true
  }

  private mutating func takeSignalling(
    _ bytes: borrowing RawSpan, _ datagram: Datagram, _ readers: DatagramReaders
  ) -> Bool {
    if readers.signalling == nil {
      guard let kind = SignallingKind(datagram: bytes, ports: (serverPort, clientPort)) else { return false }
      readers.signalling = SignallingConversation(kind)
    }
    let reading = readers.signalling?.consume(datagram: bytes, from: datagram.side) ?? .notMine
    guard reading != .notMine else { return false }
    guard let signalling = readers.signalling, signalling.isSure else { return true }
    setApplication(signalling.application)
    isTelling = true
    if signalling.isDone, signalling.revision == readers.revisions.signalling { readers.isOver = true }
    guard signalling.revision != readers.revisions.signalling else { return true }
    readers.revisions.signalling = signalling.revision
    if signalling.kind.isCalling { facts.call = signalling.facts }
    facts.notes = readers.allNotes
    hasNews = true
    if let next = readers.signalling?.takeAnnouncements() { announcements += next }
    return true
  }

  private mutating func takeMessenger(
    _ bytes: borrowing RawSpan, _ datagram: Datagram, _ readers: DatagramReaders, _ depth: Int
  ) -> Bool {
    if readers.messenger == nil {
      let canBegin = MessengerConversation.canBegin(
        bytes, from: datagram.side, serverPort: serverPort, clientPort: clientPort, ordinal: datagrams &- 1)
      guard canBegin else { return false }
      readers.messenger = MessengerConversation(serverPort: serverPort, clientPort: clientPort)
    }
    let reading = readers.messenger?.consume(bytes, from: datagram.side) ?? .notMine
    if let messenger = readers.messenger, messenger.revision != readers.revisions.messenger {
      readers.revisions.messenger = messenger.revision
      hasNews = true
      if let signature = messenger.signature, signature.strength == .sure {
        facts.hint = nil
        setApplication(signature.application)
        isTelling = true
      } else {
        facts.hint = messenger.signature?.application
      }
    }
    guard reading == .mine || reading == .done else { return false }
    if let offset = readers.messenger?.mediaOffset, offset < bytes.byteCount {
      let name = readers.messenger?.signature?.application.rawValue
      takeRTP(bytes.slice(offset, bytes.byteCount), datagram, readers, encapsulation: name)
    }
    return reading == .mine && readers.messenger?.signature?.strength == .sure
  }

  private mutating func takeRTP(
    _ bytes: borrowing RawSpan, _ datagram: Datagram, _ readers: DatagramReaders, encapsulation: String?
  ) {
    if readers.rtp == nil {
      guard RTPConversation.canBegin(bytes) else { return }
      readers.rtp = RTPConversation(
        encapsulation: encapsulation, isAnnounced: isAnnounced || facts.dtls?.srtpProfiles.isEmpty == false)
    }
    _ = readers.rtp?.consume(bytes, from: datagram.side, at: datagram.time)
    guard let rtp = readers.rtp, rtp.isSure, rtp.revision != readers.revisions.rtp else { return }
    readers.revisions.rtp = rtp.revision
    facts.rtp = rtp.facts
    if facts.application == nil || facts.application == .stun { setApplication(.rtp) }
    isTelling = true
    hasNews = true
  }
}

extension DatagramParser {
  private mutating func beginOpenVPN(
    _ bytes: borrowing RawSpan, _ datagram: Datagram, _ readers: DatagramReaders
  ) -> Bool {
    guard let protection = OpenVPNPacket.protection(ofReset: bytes, length: bytes.byteCount) else { return false }
    setApplication(.openvpn)
    isTelling = true
    guard protection != .encryption else {
      readers.isOver = true
      return true
    }
    readers.openVPN = OpenVPNConversation(protection)
    readers.tls = TLSConversation(wantsFingerprints: wantsFingerprints, cache: cache)
    takeOpenVPN(bytes, datagram, readers)
    return true
  }

  private mutating func takeOpenVPN(
    _ bytes: borrowing RawSpan, _ datagram: Datagram, _ readers: DatagramReaders
  ) {
    guard var conversation = readers.tls else { return }
    // Moved out and back, so that what it holds is not copied.
    readers.tls = nil
    let wantsMore = readers.openVPN?.consume(packet: bytes, from: datagram.side, into: &conversation)
    readers.tls = conversation
    // The flow stays what carries the handshake: TLS inside OpenVPN only agrees on keys.
    let handshake = conversation.handshake
    if conversation.isSure == true, handshake.revision != readers.revisions.tls {
      readers.revisions.tls = handshake.revision
      facts.tls = handshake.facts == TLSFacts() ? nil : handshake.facts
      facts.notes = readers.allNotes
      hasNews = true
    }
    readers.isOver = wantsMore != true || conversation.isDone
  }
}
