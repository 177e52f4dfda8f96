import Bytes

/// Reads a UDP flow's payload until it has said what it is; name resolution is `NameResolution`'s.
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
  static let maximumDatagramsWithoutNews = 64
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
  private var stun: STUNConversation?
  private var quic: QUICConversation?
  private var dtls: DTLSConversation?
  private var rtp: RTPConversation?
  private var signalling: SignallingConversation?
  private var messenger: MessengerConversation?
  private var tunnel: TunnelReading?
  /// What each of them had changed when it was last looked at.
  private var revisions = Revisions()
  /// What readers that were let go of had to note.
  private var finishedNotes: [String] = []
  /// Whether nothing that follows can say more.
  private var isOver = false
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
    if facts.noteFirstBytes(datagram, from: side) { hasNews = true }
    datagrams &+= 1
    let hadNews = hasNews
    hasNews = false
    dispatch(Datagram(side: side, isCut: isCut, time: time), datagram, depth: 0)
    datagramsWithoutNews = hasNews ? 0 : datagramsWithoutNews &+ 1
    hasNews = hasNews || hadNews
    closeIfDone()
    bufferedBytes = wantsMore ? heldBytes : 0
  }

  /// What was learned so far, lent: to ask a parser inside an object for its facts copies them.
  @inlinable public func lend<Result>(_ body: (borrowing FlowFacts) -> Result) -> Result { body(facts) }

  /// What was learned, moved out: a parser that is let go of needs no copy.
  public mutating func takeFacts() -> FlowFacts {
    var taken = FlowFacts()
    swap(&taken, &facts)
    return taken
  }

  /// Addresses announced since the last call: where media will come from or go to.
  public mutating func takeAnnouncements() -> [AnnouncedEndpoint] {
    guard !announcements.isEmpty else { return [] }
    defer { announcements = [] }
    return announcements
  }

  /// Whether a datagram of a flow of which nothing is known is worth a parser. Allocates nothing.
  /// - Parameters:
  ///   - datagram: the bytes that were captured of it.
  ///   - side: who sent it.
  ///   - clientPort: the port of the side that opened the flow.
  ///   - serverPort: the other one's.
  ///   - isCut: whether the capture holds less than the datagram.
  /// - Returns: false where no protocol that is read can begin so.
  public static func canBegin(
    _ datagram: borrowing RawSpan, from side: FlowSide, clientPort: UInt16, serverPort: UInt16, isCut: Bool
  ) -> Bool {
    STUNConversation.canBegin(datagram)
      || QUICConversation.canBegin(datagram, isCut: isCut) || DTLSConversation.canBegin(datagram)
      || RTPConversation.canBegin(datagram)
      || SignallingKind(datagram: datagram, ports: (serverPort, clientPort)) != nil
      || OpenVPNPacket.protection(ofReset: datagram, length: datagram.byteCount) != nil
      || MessengerConversation.canBegin(
        datagram, from: side, serverPort: serverPort, clientPort: clientPort, ordinal: 0)
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

  private mutating func closeIfDone() {
    let limit: Int
    if signalling != nil {
      limit = Self.maximumSignallingDatagrams
    } else if isTelling || quic != nil || dtls != nil || tunnel != nil {
      limit = .max
    } else {
      limit = isUndecided ? Self.maximumUndecidedDatagrams : Self.maximumDatagrams
    }
    let isSilent =
      isTelling && signalling == nil && tunnel == nil && datagramsWithoutNews >= Self.maximumDatagramsWithoutNews
    if isOver || datagrams >= limit || isSilent { finish() }
  }

  private mutating func finish() {
    wantsMore = false
    bufferedBytes = 0
  }

  private struct Revisions {
    var stun = 0, quic = 0, dtls = 0, rtp = 0, signalling = 0, messenger = 0
  }
}

/// What a reader may want to know of a datagram besides its bytes.
private struct Datagram {
  var side: FlowSide
  var isCut: Bool
  var time: Int64?
}

/// OpenVPN with the TLS inside it; few flows have it, so it lies apart.
private final class TunnelReading {
  var openVPN: OpenVPNConversation
  var tls: TLSConversation?
  var revision = 0

  init(_ protection: OpenVPNProtection, wantsFingerprints: Bool, cache: FingerprintCache?) {
    openVPN = OpenVPNConversation(protection)
    tls = TLSConversation(wantsFingerprints: wantsFingerprints, cache: cache)
  }
}

extension DatagramParser {
  private var heldBytes: Int {
    var sum = (quic?.bufferedBytes ?? 0) &+ (dtls?.bufferedBytes ?? 0) &+ (signalling?.bufferedBytes ?? 0)
    if let tunnel { sum &+= tunnel.openVPN.bufferedBytes &+ (tunnel.tls?.bufferedBytes ?? 0) }
    return sum
  }

  /// Whether what was seen may still turn out to be media, or a messenger's.
  private var isUndecided: Bool {
    rtp != nil && rtp?.isDisproved == false || messenger?.signature != nil || stun != nil
  }

  /// Puts together what all readers have to note.
  private mutating func takeNotes() {
    facts.notes = finishedNotes
    if let notes = stun?.notes { facts.notes += notes }
    if let notes = quic?.notes { facts.notes += notes }
    if let notes = dtls?.notes { facts.notes += notes }
    if let notes = signalling?.notes { facts.notes += notes }
    if let notes = tunnel?.tls?.handshake.notes { facts.notes += notes }
  }
}

extension DatagramParser {
  private mutating func dispatch(_ datagram: Datagram, _ bytes: borrowing RawSpan, depth: Int) {
    guard bytes.byteCount > 0, depth <= Self.maximumDepth else { return }
    if tunnel != nil { return takeOpenVPN(bytes, datagram) }
    if takeSTUN(bytes, datagram, depth) || takeQUIC(bytes, datagram)
      || takeDTLS(bytes, datagram) || takeSignalling(bytes, datagram)
    {
      return
    }
    if datagrams == 1, depth == 0, beginOpenVPN(bytes, datagram) { return }
    if takeMessenger(bytes, datagram) { return }
    takeRTP(bytes, datagram, encapsulation: depth > 0 ? "turn" : nil)
  }

  private mutating func takeSTUN(_ bytes: borrowing RawSpan, _ datagram: Datagram, _ depth: Int) -> Bool {
    if stun == nil {
      guard STUNConversation.canBegin(bytes) else { return false }
      stun = STUNConversation()
    }
    let reading = stun?.consume(bytes, from: datagram.side) ?? .notMine
    guard reading != .notMine else { return false }
    if stun?.isSure == true, let revision = stun?.revision, revision != revisions.stun {
      revisions.stun = revision
      facts.stun = stun?.facts
      takeNotes()
      setApplication(.stun)
      isTelling = true
      hasNews = true
      if let next = stun?.takeAnnouncements() { announcements += next }
    }
    if let inner = stun?.inner, stun?.isSure == true {
      dispatch(datagram, bytes.slice(inner.lowerBound, inner.count), depth: depth &+ 1)
    }
    return true
  }

  private mutating func takeQUIC(_ bytes: borrowing RawSpan, _ datagram: Datagram) -> Bool {
    if quic == nil {
      // What follows a connection that was read; RTP beside it has another first byte (RFC 9443).
      if facts.quic != nil { return bytes.u8(0) & 0x40 != 0 }
      guard QUICConversation.canBegin(bytes, isCut: datagram.isCut) else { return false }
      quic = QUICConversation(wantsFingerprints: wantsFingerprints, cache: cache)
    }
    let reading = quic?.consume(bytes, from: datagram.side, isCut: datagram.isCut) ?? .notMine
    if let revision = quic?.revision, revision != revisions.quic, quic?.facts.version != nil {
      revisions.quic = revision
      facts.quic = quic?.facts
      if let tls = quic?.tls {
        facts.tls = tls
        isTelling = true
      }
      takeNotes()
      setApplication(.quic)
      hasNews = true
    }
    if quic?.isDone == true {
      connectionIDs = quic?.connectionIDs ?? connectionIDs
      finishedNotes += quic?.notes ?? []
      quic = nil
      // Beside a call's protocols QUIC is one of several; alone it has said all.
      isOver = facts.quic != nil && stun == nil && rtp == nil && dtls == nil
    }
    return reading != .notMine
  }

  private mutating func takeDTLS(_ bytes: borrowing RawSpan, _ datagram: Datagram) -> Bool {
    if dtls == nil {
      guard DTLSConversation.canBegin(bytes) else { return false }
      dtls = DTLSConversation(wantsFingerprints: wantsFingerprints, cache: cache)
    }
    let reading = dtls?.consume(bytes, from: datagram.side) ?? .notMine
    guard reading != .notMine else { return false }
    if dtls?.isSure == true, let revision = dtls?.revision, revision != revisions.dtls {
      revisions.dtls = revision
      facts.dtls = dtls?.facts
      if facts.quic == nil { facts.tls = dtls?.tls }
      takeNotes()
      setApplication(.dtls)
      isTelling = true
      hasNews = true
    }
    return true
  }

  private mutating func takeSignalling(_ bytes: borrowing RawSpan, _ datagram: Datagram) -> Bool {
    if signalling == nil {
      guard let kind = SignallingKind(datagram: bytes, ports: (serverPort, clientPort)) else { return false }
      signalling = SignallingConversation(kind)
    }
    let reading = signalling?.consume(datagram: bytes, from: datagram.side) ?? .notMine
    guard reading != .notMine else {
      // What only seemed to begin is nothing to wait for.
      if signalling?.isSure == false { signalling = nil }
      return false
    }
    guard signalling?.isSure == true, let application = signalling?.application else { return true }
    setApplication(application)
    isTelling = true
    guard let revision = signalling?.revision, revision != revisions.signalling else {
      if signalling?.isDone == true { isOver = true }
      return true
    }
    revisions.signalling = revision
    if signalling?.kind.isCalling == true { facts.call = signalling?.facts }
    takeNotes()
    hasNews = true
    if let next = signalling?.takeAnnouncements() { announcements += next }
    return true
  }

  private mutating func takeMessenger(_ bytes: borrowing RawSpan, _ datagram: Datagram) -> Bool {
    if messenger == nil {
      let canBegin = MessengerConversation.canBegin(
        bytes, from: datagram.side, serverPort: serverPort, clientPort: clientPort, ordinal: datagrams &- 1)
      guard canBegin else { return false }
      messenger = MessengerConversation(serverPort: serverPort, clientPort: clientPort)
    }
    let reading = messenger?.consume(bytes, from: datagram.side) ?? .notMine
    if let revision = messenger?.revision, revision != revisions.messenger {
      revisions.messenger = revision
      hasNews = true
      if let signature = messenger?.signature, signature.strength == .sure {
        facts.hint = nil
        facts.isCallProtocol = signature.messenger.isCall
        setApplication(signature.application)
        isTelling = true
      } else {
        facts.hint = messenger?.signature?.application
      }
    }
    guard reading == .mine || reading == .done else { return false }
    if let offset = messenger?.mediaOffset, offset < bytes.byteCount {
      let name = messenger?.signature?.application.rawValue
      takeRTP(bytes.slice(offset, bytes.byteCount), datagram, encapsulation: name)
    }
    return reading == .mine && messenger?.signature?.strength == .sure
  }

  private mutating func takeRTP(_ bytes: borrowing RawSpan, _ datagram: Datagram, encapsulation: String?) {
    if rtp == nil {
      guard RTPConversation.canBegin(bytes) else { return }
      rtp = RTPConversation(
        encapsulation: encapsulation, isAnnounced: isAnnounced || facts.dtls?.srtpProfiles.isEmpty == false)
    }
    _ = rtp?.consume(bytes, from: datagram.side, at: datagram.time)
    guard rtp?.isSure == true, let revision = rtp?.revision, revision != revisions.rtp else { return }
    revisions.rtp = revision
    facts.rtp = rtp?.facts
    if facts.application == nil || facts.application == .stun { setApplication(.rtp) }
    isTelling = true
    hasNews = true
  }
}

extension DatagramParser {
  private mutating func beginOpenVPN(_ bytes: borrowing RawSpan, _ datagram: Datagram) -> Bool {
    guard let protection = OpenVPNPacket.protection(ofReset: bytes, length: bytes.byteCount) else { return false }
    setApplication(.openvpn)
    isTelling = true
    guard protection != .encryption else {
      isOver = true
      return true
    }
    tunnel = TunnelReading(protection, wantsFingerprints: wantsFingerprints, cache: cache)
    takeOpenVPN(bytes, datagram)
    return true
  }

  private mutating func takeOpenVPN(_ bytes: borrowing RawSpan, _ datagram: Datagram) {
    guard let tunnel, var conversation = tunnel.tls else { return }
    // Moved out and back, so that what it holds is not copied.
    tunnel.tls = nil
    let wantsMore = tunnel.openVPN.consume(packet: bytes, from: datagram.side, into: &conversation)
    let isDone = conversation.isDone
    let isSure = conversation.isSure
    tunnel.tls = conversation
    // The flow stays what carries the handshake: TLS inside OpenVPN only agrees on keys.
    if isSure, let handshake = tunnel.tls?.handshake, handshake.revision != tunnel.revision {
      tunnel.revision = handshake.revision
      facts.tls = handshake.facts == TLSFacts() ? nil : handshake.facts
      takeNotes()
      hasNews = true
    }
    isOver = !wantsMore || isDone
  }
}
