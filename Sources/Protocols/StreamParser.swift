import Bytes

/// Reads a TCP stream's payload until it has said what it is.
///
/// The engine makes one for a flow whose verdict is open, feeds it stream bytes in order, and frees it when it wants no
/// more. Making one allocates nothing; whatever it buffers is bounded by the caps of the protocols
/// (`HandshakeAssembler.maximumMessageLength` and its like) and freed as soon as it is read.
public struct StreamParser {
  /// Chunks of a side that are looked at before a stream of unknown protocol is given up.
  static let maximumChunks = 16
  /// Bytes of a side after which a stream of unknown protocol is given up.
  static let maximumUnknownBytes = 1 << 16

  /// What was learned so far.
  public private(set) var facts = FlowFacts()
  /// Whether further payload could change the facts.
  public private(set) var wantsMore = true
  /// Whether `facts` has changed since this was last set to false.
  public var hasNews = false

  private enum Route {
    case probe, tls, http, startTLS, dns, openVPN, signalling, frames
  }

  /// A side whose protocol is open.
  private struct Probe {
    var buffer: [UInt8] = []
    var chunks = 0
    var bytes = 0
    var largestChunk = 1
    /// Whether the first bytes were nobody's: only the beginning of a later chunk can be TLS.
    var hasFailed = false
  }

  private let clientPort: UInt16
  private let serverPort: UInt16
  private let wantsFingerprints: Bool
  private let cache: FingerprintCache?
  private var routes = Sides(Route.probe)
  private var probes = Sides(Probe())
  private var isCut = Sides(false)
  private var tls: TLSConversation?
  private var tlsRevision = 0
  private var messenger: MessengerStream
  /// What few streams need, so that the others take less room and time.
  private var others: OtherReaders?
  private var resolution = NameResolution()
  private var announcements: [AnnouncedEndpoint] = []
  private var notes: [String] = []

  /// A parser for one flow.
  /// - Parameters:
  ///   - clientPort: the port of the side that opened the flow.
  ///   - serverPort: the port of the side that did not open the flow; a hint, never a proof.
  ///   - wantsFingerprints: whether JA3, JA3S and JA4 are to be computed.
  ///   - cache: fingerprints and certificate names that were computed before, shared by all flows.
  public init(
    clientPort: UInt16, serverPort: UInt16, wantsFingerprints: Bool = true,
    cache: FingerprintCache? = nil
  ) {
    self.clientPort = clientPort
    self.serverPort = serverPort
    messenger = MessengerStream(serverPort: serverPort)
    self.wantsFingerprints = wantsFingerprints
    self.cache = cache
  }

  /// Bytes that are kept for this flow: what a cap over all flows adds up. Stored, because asking a parser inside an
  /// object for a computed value copies the parser.
  public private(set) var bufferedBytes = 0

  private var heldBytes: Int {
    probes.client.buffer.count + probes.server.buffer.count + (tls?.bufferedBytes ?? 0) + (others?.bufferedBytes ?? 0)
  }

  /// Takes the next bytes of a TCP stream: in order, without gaps, each byte once.
  public mutating func consume(_ bytes: borrowing RawSpan, from side: FlowSide) {
    guard wantsMore, bytes.byteCount > 0 else { return }
    keepFirstBytes(bytes, of: side)
    route(bytes, from: side)
    bufferedBytes = heldBytes
  }

  /// Says that bytes of the stream are lost for good, so that what follows does not continue what came before.
  public mutating func skipGap(from side: FlowSide) {
    guard wantsMore else { return }
    isCut[side] = true
    switch routes[side] {
    case .probe:
      probes[side].buffer = []
      probes[side].hasFailed = true
    case .tls: tls?.skipGap(from: side)
    case .http: others?.http?.skipGap(from: side)
    case .startTLS: others?.startTLS?.skipGap(from: side)
    case .signalling: others?.signalling?.skipGap(from: side)
    case .frames: others?.frames?.stream.skipGap(from: side)
    case .dns, .openVPN: finish()
    }
    closeIfDone()
    bufferedBytes = heldBytes
  }

  /// What was learned so far, lent: to ask a parser inside an object for its facts copies them.
  @inlinable public func lend<Result>(_ body: (borrowing FlowFacts) -> Result) -> Result { body(facts) }

  /// What was learned, moved out: a parser that is let go of needs no copy.
  public mutating func takeFacts() -> FlowFacts {
    var taken = FlowFacts()
    swap(&taken, &facts)
    return taken
  }

  /// DNS answers read since the last call: names for later addresses.
  public mutating func takeAnswers() -> [DNSAnswer] { resolution.takeAnswers() }

  /// Addresses announced since the last call: where media will come from or go to.
  public mutating func takeAnnouncements() -> [AnnouncedEndpoint] {
    guard !announcements.isEmpty else { return [] }
    defer { announcements = [] }
    return announcements
  }

  private mutating func keepFirstBytes(_ bytes: borrowing RawSpan, of side: FlowSide) {
    let count = side == .client ? facts.clientFirstBytes.count : facts.serverFirstBytes.count
    if isCut[side] || count == FirstBytes.maximumCount { return }
    hasNews = true
    if side == .client { facts.clientFirstBytes.append(bytes) } else { facts.serverFirstBytes.append(bytes) }
  }

  private mutating func route(_ bytes: borrowing RawSpan, from side: FlowSide) {
    guard wantsMore, bytes.byteCount > 0 else { return }
    switch routes[side] {
    case .probe:
      probe(bytes, from: side)
    case .tls:
      tls?.consume(bytes, from: side)
      takeTLS(side)
    case .http:
      let end = others?.http?.consume(bytes, from: side)
      takeHTTP()
      if let end { beginTunnel(bytes.slice(end, bytes.byteCount), from: side) }
    case .startTLS:
      if let start = others?.startTLS?.consume(bytes, from: side) {
        beginTLS(side)
        route(bytes.slice(start, bytes.byteCount), from: side)
      }
    case .dns:
      readDNS(bytes, from: side)
    case .openVPN:
      consume(openVPN: bytes, from: side)
    case .signalling:
      others?.signalling?.consume(stream: bytes, from: side)
      takeSignalling()
    case .frames:
      if others?.frames?.consume(bytes, from: side) == false { return finish() }
      takeFrames()
    }
    closeIfDone()
  }

  private mutating func closeIfDone() {
    if tls?.isDone == true || others?.http?.isDone == true && routes.client == .http && routes.server == .http
      || others?.startTLS?.isDone == true && tls == nil || others?.http?.isRefused == true
    {
      finish()
    }
  }

  private mutating func finish() {
    wantsMore = false
    probes = Sides(Probe())
    tls = nil
    others = nil
  }
}

extension StreamParser {
  private mutating func probe(_ bytes: borrowing RawSpan, from side: FlowSide) {
    probes[side].bytes &+= bytes.byteCount
    probes[side].chunks &+= 1
    probes[side].largestChunk = max(probes[side].largestChunk, bytes.byteCount)
    let isBuffered = !probes[side].buffer.isEmpty
    if isBuffered { probes[side].buffer.append(bytes) }
    var recognition = Recognition.notMine
    if probes[side].hasFailed {
      recognition = ProtocolSignature.recognizeLater(bytes)
    } else if isBuffered {
      let first = probes[side].buffer
      recognition = recognize(first.rawSpan, from: side)
    } else {
      recognition = recognize(bytes, from: side)
    }
    if isBuffered, recognition == .needMore || recognition == .notMine,
      ProtocolSignature.recognizeLater(bytes) == .mine(.tls)
    {
      // What came before was a greeting of its own kind, and this chunk is where TLS begins.
      probes[side].buffer = []
      return takeRecords(bytes, from: side)
    }
    switch recognition {
    case .needMore:
      if !isBuffered { probes[side].buffer = bytes.array }
    case .notMine:
      probes[side].buffer = []
      probes[side].hasFailed = true
      if let seen = messenger.consume(bytes, from: side) {
        if seen.strength == .sure {
          setApplication(seen.application)
          return finish()
        }
        facts.hint = seen.application
      }
      let isOver = probes[side].chunks >= Self.maximumChunks || probes[side].bytes >= Self.maximumUnknownBytes
      if isOver { finish() }
    case .mine(let signature):
      adopt(signature, from: side)
      let replayed = probes
      probes = Sides(Probe())
      if routes[side.opposite] != .probe { replay(replayed[side.opposite], from: side.opposite) }
      if signature == .ssl2 {
        let kept = replayed[side].buffer
        if isBuffered { takeSSL2(kept.rawSpan, from: side) } else { takeSSL2(bytes, from: side) }
      } else if isBuffered {
        replay(replayed[side], from: side)
      } else {
        route(bytes, from: side)
      }
    }
  }

  /// Hands on what was kept for a decision, in pieces no larger than it came in, so that a hello in tiny segments is
  /// still seen as one.
  private mutating func replay(_ probe: Probe, from side: FlowSide) {
    let buffer = probe.buffer
    var offset = 0
    while offset < buffer.count {
      route(buffer.rawSpan.slice(offset, probe.largestChunk), from: side)
      offset &+= probe.largestChunk
    }
  }

  private mutating func takeRecords(_ bytes: borrowing RawSpan, from side: FlowSide) {
    adopt(.tls, from: side)
    let other = probes[side.opposite]
    probes = Sides(Probe())
    if routes[side.opposite] == .tls { replay(other, from: side.opposite) }
    route(bytes, from: side)
  }

  /// Asks those with the stricter signs first: a hello that only looks like TLS before TLS, a push service's stanza
  /// before XMPP.
  private mutating func recognize(_ first: borrowing RawSpan, from side: FlowSide) -> Recognition {
    let frames = STUNStream.recognize(first)
    if frames == .mine { return .mine(.frames) }
    if frames == .notMine, TLSRecordHeader.canBegin(first), first.byteCount >= TLSRecordHeader.byteCount {
      return .mine(.tls)
    }
    let messenger = MessengerSignature.recognize(stream: first, from: side, serverPort: serverPort)
    if case .mine(let signature) = messenger {
      if signature.strength == .sure { return .mine(.named(signature.application)) }
      facts.hint = signature.application
    }
    let general = ProtocolSignature.recognize(first, port: serverPort, otherPort: clientPort)
    let call = SignallingKind.recognize(stream: first, ports: (serverPort, clientPort))
    if case .mine(let kind) = call { return .mine(.signalling(kind)) }
    if case .mine = general { return general }
    let mayGrow = general == .needMore || frames == .needMore || messenger == .needMore || call == .needMore
    return mayGrow && first.byteCount < ProtocolSignature.maximumLength ? .needMore : .notMine
  }

  private mutating func adopt(_ signature: ProtocolSignature, from side: FlowSide) {
    let target: Route
    switch signature {
    case .tls, .ssl2:
      target = .tls
      if tls == nil { tls = TLSConversation(wantsFingerprints: wantsFingerprints, cache: cache) }
    case .http:
      guard others?.http == nil else { return finish() }
      target = .http
      other().http = HTTPConversation()
    case .dns:
      target = .dns
    case .startTLS(let application, let framing):
      target = .startTLS
      other().startTLS = StartTLSConversation(framing)
      setApplication(application)
    case .openVPN(let protection):
      setApplication(.openvpn)
      guard protection != .encryption else { return finish() }
      target = .openVPN
      other().openVPN = OpenVPNConversation(protection)
      tls = TLSConversation(wantsFingerprints: wantsFingerprints, cache: cache)
    case .signalling(let kind):
      target = .signalling
      if others?.signalling == nil { other().signalling = SignallingConversation(kind) }
      setApplication(kind.application)
    case .frames:
      target = .frames
      if others?.frames == nil { other().frames = FrameReading(wantsFingerprints: wantsFingerprints, cache: cache) }
    case .named(let application):
      setApplication(application)
      return finish()
    }
    facts.hint = nil
    routes[side] = target
    if routes[side.opposite] == .probe { routes[side.opposite] = target }
  }

  private mutating func other() -> OtherReaders {
    let readers = others ?? OtherReaders()
    others = readers
    return readers
  }

  private mutating func setApplication(_ application: ApplicationProtocol) {
    guard facts.application != application else { return }
    if let before = facts.application { facts.upgradedFrom = before }
    facts.application = application
    hasNews = true
  }
}

extension StreamParser {
  private mutating func takeSignalling() {
    guard let conversation = others?.signalling else { return }
    if conversation.revision != others?.signallingRevision {
      others?.signallingRevision = conversation.revision
      if conversation.kind.isCalling { facts.call = conversation.facts }
      facts.notes = notes + conversation.notes
      hasNews = true
      announcements += others?.signalling?.takeAnnouncements() ?? []
    }
    if conversation.isDone { finish() }
  }

  /// Takes what the datagrams in a stream's frames say.
  private mutating func takeFrames() {
    guard let reading = others?.frames else { return }
    if reading.parser.hasNews {
      reading.parser.hasNews = false
      let found = reading.parser.facts
      if let application = found.application { setApplication(application) }
      facts.upgradedFrom = found.upgradedFrom ?? facts.upgradedFrom
      (facts.stun, facts.dtls, facts.rtp) = (found.stun, found.dtls, found.rtp)
      facts.tls = found.tls ?? facts.tls
      facts.notes = notes + found.notes
      if reading.stream.hasPseudoTLS { facts.notes.append("the TLS hello is a dummy before TURN") }
      hasNews = true
    }
    announcements += reading.parser.takeAnnouncements()
    if !reading.parser.wantsMore { finish() }
  }
}

extension StreamParser {
  private mutating func takeTLS(_ side: FlowSide) {
    guard let isSure = tls?.isSure else { return }
    guard isSure else {
      if tls?.isLost(side) == true { giveUpTLS(side) }
      return
    }
    // TLS inside OpenVPN only agrees on keys: the flow stays OpenVPN.
    if others?.openVPN == nil { setApplication(.tls) }
    guard let revision = tls?.handshake.revision, revision != tlsRevision else { return }
    tlsRevision = revision
    facts.tls = tls?.handshake.facts
    facts.helloSegments = UInt8(clamping: tls?.handshake.helloPieces.segments ?? 0)
    facts.helloRecords = UInt8(clamping: tls?.handshake.helloPieces.records ?? 0)
    if facts.tls == TLSFacts() { facts.tls = nil }
    if let more = tls?.handshake.notes { facts.notes = notes.isEmpty ? more : notes + more }
    hasNews = true
  }

  /// What seemed to be records is none.
  private mutating func giveUpTLS(_ side: FlowSide) {
    guard others?.startTLS == nil, others?.openVPN == nil else { return finish() }
    tls = nil
    for side in [FlowSide.client, .server] where routes[side] == .tls {
      routes[side] = .probe
      probes[side].hasFailed = true
      probes[side].chunks &+= 1
    }
  }

  private mutating func takeSSL2(_ bytes: borrowing RawSpan, from side: FlowSide) {
    var reader = ByteReader(copy bytes)
    guard let hello = try? SSL2ClientHello(parsing: &reader) else { return }
    tls?.consume(hello, from: side)
    takeTLS(side)
    closeIfDone()
  }

  private mutating func beginTLS(_ side: FlowSide) {
    if tls == nil { tls = TLSConversation(wantsFingerprints: wantsFingerprints, cache: cache) }
    routes[side] = .tls
  }

  private mutating func consume(openVPN bytes: borrowing RawSpan, from side: FlowSide) {
    guard var conversation = tls else { return finish() }
    // Moved out and back, so that what it holds is not copied.
    tls = nil
    let wantsMore = others?.openVPN?.consume(stream: bytes, from: side, into: &conversation)
    tls = conversation
    takeTLS(side)
    if wantsMore != true || tls?.isDone == true { finish() }
  }

  private mutating func takeHTTP() {
    guard let conversation = others?.http, conversation.isSure else { return }
    if facts.application == nil { setApplication(.http) }
    if facts.http != conversation.facts {
      facts.http = conversation.facts
      hasNews = true
    }
    if notes.count != conversation.notes.count {
      notes = conversation.notes
      facts.notes = notes
      hasNews = true
    }
  }

  /// What follows the headers of CONNECT is read anew.
  private mutating func beginTunnel(_ bytes: borrowing RawSpan, from side: FlowSide) {
    routes[side] = tls == nil ? .probe : .tls
    route(bytes, from: side)
  }
}

extension StreamParser {
  private mutating func readDNS(_ bytes: borrowing RawSpan, from side: FlowSide) {
    let others = other()
    var stream = others.dns[side]
    others.dns[side] = DNSStream()
    let isGood = stream.consume(bytes) { message in
      guard resolution.take(message, into: &facts) else { return false }
      setApplication(.dns)
      hasNews = true
      return true
    }
    others.dns[side] = stream
    if !isGood { finish() }
  }
}

/// The readers of what few TCP streams carry.
private final class OtherReaders {
  var http: HTTPConversation?
  var startTLS: StartTLSConversation?
  var openVPN: OpenVPNConversation?
  var signalling: SignallingConversation?
  var signallingRevision = 0
  var frames: FrameReading?
  var dns = Sides(DNSStream())

  var bufferedBytes: Int {
    (http?.bufferedBytes ?? 0) + (openVPN?.bufferedBytes ?? 0) + (signalling?.bufferedBytes ?? 0)
      + (frames?.bufferedBytes ?? 0) + dns.client.bufferedBytes + dns.server.bufferedBytes
  }
}

/// A stream of STUN, media and channel data, and the reader of the datagrams in its frames.
private final class FrameReading {
  var stream = STUNStream()
  var parser: DatagramParser

  init(wantsFingerprints: Bool, cache: FingerprintCache?) {
    parser = DatagramParser(clientPort: 0, serverPort: 0, wantsFingerprints: wantsFingerprints, cache: cache)
  }

  var bufferedBytes: Int { stream.bufferedBytes &+ parser.bufferedBytes }

  /// Takes the next bytes of a side.
  /// - Returns: whether the side still is frames.
  func consume(_ bytes: borrowing RawSpan, from side: FlowSide) -> Bool {
    var stream = STUNStream()
    swap(&stream, &self.stream)
    defer { swap(&stream, &self.stream) }
    return stream.consume(bytes, from: side) { parser.consume(datagram: $0, from: side) }
  }
}
