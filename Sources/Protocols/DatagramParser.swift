import Bytes

/// Reads a UDP flow's payload until it has said what it is.
///
/// One flow may carry several protocols at a time: STUN, DTLS and RTP share a port by their first byte (RFC 7983). The
/// engine makes a parser for a flow whose verdict is open, feeds it datagrams, and frees it when it wants no more.
public struct DatagramParser: Sendable {
  /// Datagrams that are looked at before a flow of unknown protocol is given up.
  static let maximumDatagrams = 4

  /// What was learned so far.
  public private(set) var facts = FlowFacts()
  /// Whether further payload could change the facts.
  public private(set) var wantsMore = true
  /// Whether `facts` has changed since this was last set to false.
  public var hasNews = false
  /// Bytes that are kept for this flow: what a cap over all flows adds up.
  public private(set) var bufferedBytes = 0

  private let clientPort: UInt16
  private let serverPort: UInt16
  private let wantsFingerprints: Bool
  private let cache: FingerprintCache?
  private var openVPN: OpenVPNConversation?
  private var tls: TLSConversation?
  private var tlsRevision = 0
  private var resolution = NameResolution()
  private var announcements: [AnnouncedEndpoint] = []
  private var datagrams = 0

  /// A parser for one flow.
  /// - Parameters:
  ///   - clientPort: the port of the side that opened the flow.
  ///   - serverPort: the port of the side that did not open the flow; a hint, never a proof.
  ///   - wantsFingerprints: whether JA4 is to be computed.
  ///   - cache: fingerprints and certificate names that were computed before, shared by all flows.
  public init(
    clientPort: UInt16, serverPort: UInt16, wantsFingerprints: Bool = true, cache: FingerprintCache? = nil
  ) {
    self.clientPort = clientPort
    self.serverPort = serverPort
    self.wantsFingerprints = wantsFingerprints
    self.cache = cache
  }

  /// Takes a datagram's payload.
  public mutating func consume(datagram: borrowing RawSpan, from side: FlowSide) {
    guard wantsMore, datagram.byteCount > 0 else { return }
    keepFirstBytes(datagram, of: side)
    if openVPN != nil {
      consume(openVPN: datagram, from: side)
    } else if let application = resolver {
      resolve(datagram, application)
    } else {
      probe(datagram, from: side)
    }
    if wantsMore { bufferedBytes = (openVPN?.bufferedBytes ?? 0) + (tls?.bufferedBytes ?? 0) }
  }

  /// DNS answers read since the last call: names for later addresses.
  public mutating func takeAnswers() -> [DNSAnswer] { resolution.takeAnswers() }

  /// Addresses announced since the last call: where media will come from or go to.
  public mutating func takeAnnouncements() -> [AnnouncedEndpoint] {
    guard !announcements.isEmpty else { return [] }
    defer { announcements = [] }
    return announcements
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

  private mutating func setApplication(_ application: ApplicationProtocol) {
    guard facts.application != application else { return }
    if let before = facts.application { facts.upgradedFrom = before }
    facts.application = application
    hasNews = true
  }

  private mutating func finish() {
    wantsMore = false
    openVPN = nil
    tls = nil
    bufferedBytes = 0
  }
}

extension DatagramParser {
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

  private mutating func resolve(_ datagram: borrowing RawSpan, _ application: ApplicationProtocol) {
    if resolution.take(datagram, into: &facts) {
      setApplication(application)
      hasNews = true
      return
    }
    datagrams &+= 1
    if datagrams >= Self.maximumDatagrams { finish() }
  }

  private mutating func probe(_ datagram: borrowing RawSpan, from side: FlowSide) {
    if datagrams == 0, let protection = OpenVPNPacket.protection(ofReset: datagram, length: datagram.byteCount) {
      setApplication(.openvpn)
      guard protection != .encryption else { return finish() }
      openVPN = OpenVPNConversation(protection)
      tls = TLSConversation(wantsFingerprints: wantsFingerprints, cache: cache)
      return consume(openVPN: datagram, from: side)
    }
    datagrams &+= 1
    let hasBoth = facts.clientFirstBytes.count > 0 && facts.serverFirstBytes.count > 0
    if hasBoth || datagrams >= Self.maximumDatagrams { finish() }
  }

  private mutating func consume(openVPN packet: borrowing RawSpan, from side: FlowSide) {
    guard var conversation = tls else { return finish() }
    // Moved out and back, so that what it holds is not copied.
    tls = nil
    let wantsMore = openVPN?.consume(packet: packet, from: side, into: &conversation)
    tls = conversation
    takeTLS()
    if wantsMore != true || tls?.isDone == true { finish() }
  }

  /// The flow stays what carries the handshake: TLS inside OpenVPN only agrees on keys.
  private mutating func takeTLS() {
    guard tls?.isSure == true, let handshake = tls?.handshake, handshake.revision != tlsRevision else { return }
    tlsRevision = handshake.revision
    facts.tls = handshake.facts == TLSFacts() ? nil : handshake.facts
    facts.notes = handshake.notes
    hasNews = true
  }
}
