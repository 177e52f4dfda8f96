import Bytes

/// Both sides of a DTLS connection, up to where nothing more is in clear.
public struct DTLSConversation: Sendable {
  /// Datagrams after which the handshake is given up.
  public static let maximumDatagrams = 256
  /// Datagrams after which a connection that was joined in the middle is given up.
  public static let maximumOpaqueDatagrams = 8
  /// The most SRTP profiles that are kept.
  public static let maximumProfiles = 16

  /// What DTLS says besides what TLS does.
  public private(set) var facts = DTLSFacts()
  /// What the hellos and the certificate say.
  public private(set) var tls: TLSFacts?
  /// How it was seen.
  public private(set) var notes: [String] = []
  /// Grows when `facts`, `tls` or `notes` change.
  public private(set) var revision = 0
  /// The side that sent a ClientHello: with a=setup:active (RFC 5763) not always the one that opened the flow.
  public private(set) var clientSide: FlowSide?
  /// Whether this is DTLS beyond doubt.
  public private(set) var isSure = false
  /// Whether nothing more can be learned.
  public private(set) var isDone = false

  private var assemblers = Sides(DTLSHandshakeAssembler())
  private var certificates = Sides(CertificateNames?.none)
  private var isEncrypted = Sides(false)
  private var helloSequence = UInt16.max
  private var hasServerHello = false
  private var datagrams = 0
  private var hasDropped = false
  private let wantsFingerprints: Bool
  private let cache: FingerprintCache?

  /// A connection of which nothing was read; `cache` holds fingerprints and names that were computed before.
  public init(wantsFingerprints: Bool = true, cache: FingerprintCache? = nil) {
    self.wantsFingerprints = wantsFingerprints
    self.cache = cache
  }

  /// Bytes that are kept.
  public var bufferedBytes: Int { assemblers.client.bufferedBytes &+ assemblers.server.bufferedBytes }

  /// Whether a datagram can be DTLS that nobody announced: records that fill it exactly, where a handshake message in
  /// clear has a plausible header, and anything else belongs to a later epoch.
  public static func canBegin(_ datagram: borrowing RawSpan) -> Bool {
    if isCAPWAP(datagram) { return canBegin(datagram.slice(capwapLength, datagram.byteCount)) }
    let count = datagram.byteCount
    guard count > DTLSRecordHeader.byteCount, (20...25).contains(datagram.u8(0)) else { return false }
    var reader = ByteReader(copy datagram)
    var isFirst = true
    while !reader.isAtEnd {
      if !isFirst, DTLSRecordHeader.isUnified(datagram.u8(reader.offset)) { return true }
      guard let header = try? DTLSRecordHeader(parsing: &reader) else { return false }
      // Numbers above 2^32 and epochs above 15 are possible, but no connection lives so long.
      guard header.sequence >> 32 == 0, header.epoch < 16 else { return false }
      if header.type == .connectionID { return header.epoch > 0 && count >= 32 }
      guard header.length > 0, let fragment = try? reader.take(header.length) else { return false }
      if header.epoch == 0 {
        guard isPlausible(header.type, fragment, isFirst) else { return false }
      } else if header.length < 16, header.type != .alert {
        return false
      }
      isFirst = false
    }
    return true
  }

  /// The DTLS header of CAPWAP (RFC 5415, section 4.2): version 0, type 1, three reserved bytes.
  private static let capwapLength = 4

  private static func isCAPWAP(_ datagram: borrowing RawSpan) -> Bool {
    datagram.byteCount > capwapLength && datagram.u32(0) == 0x0100_0000 && (20...25).contains(datagram.u8(capwapLength))
  }

  private static func isPlausible(_ type: TLSContentType, _ fragment: borrowing RawSpan, _ isFirst: Bool) -> Bool {
    switch type {
    case .handshake:
      var reader = ByteReader(copy fragment)
      guard let header = try? DTLSFragmentHeader(parsing: &reader) else { return false }
      return header.count <= reader.remaining && header.sequence < 64
        && (header.length > 0 || header.type == .serverHelloDone)
    case .changeCipherSpec: return !isFirst && fragment.u8(0) == 1
    case .alert: return fragment.byteCount == 2 && (1...2).contains(fragment.u8(0))
    case .acknowledgment: return !isFirst
    default: return false
    }
  }

  /// Takes a datagram.
  mutating func consume(_ datagram: borrowing RawSpan, from side: FlowSide) -> DatagramReading {
    guard datagram.byteCount > 0 else { return .notMine }
    // What follows the handshake is DTLS's only by its first byte (RFC 7983): media shares the ports.
    if isDone { return (20...63).contains(datagram.u8(0)) || Self.isCAPWAP(datagram) ? .done : .notMine }
    if DTLSRecordHeader.isUnified(datagram.u8(0)) {
      // Only after a hello of DTLS 1.3: a byte says nothing.
      guard tls != nil else { return .notMine }
      isEncrypted[side] = true
      return conclude()
    }
    if Self.isCAPWAP(datagram) { return consume(datagram.slice(Self.capwapLength, datagram.byteCount), from: side) }
    var reader = ByteReader(copy datagram)
    var records = 0
    var isBroken = false
    while !reader.isAtEnd, !isBroken {
      if records > 0, DTLSRecordHeader.isUnified(datagram.u8(reader.offset)) {
        isEncrypted[side] = true
        break
      }
      guard let header = try? DTLSRecordHeader(parsing: &reader) else {
        if records == 0 { return .notMine }
        break
      }
      records &+= 1
      if header.type == .connectionID {
        isEncrypted[side] = true
        break
      }
      guard let fragment = try? reader.take(header.length) else {
        isBroken = records == 1
        break
      }
      if header.epoch > 0 {
        isEncrypted[side] = true
      } else if header.type == .handshake {
        read(fragment, from: side)
      }
    }
    if isBroken { return .broken }
    if records > 1 || datagrams > 0 { isSure = true }
    return conclude()
  }

  /// Takes a datagram; whether it was of this protocol.
  public mutating func read(datagram: borrowing RawSpan, from side: FlowSide) -> Bool {
    switch consume(datagram, from: side) {
    case .mine, .done, .undecided: true
    case .notMine, .broken: false
    }
  }

  private mutating func conclude() -> DatagramReading {
    datagrams &+= 1
    let hasAll = clientSide != nil && hasServerHello
    let hasCertificate = certificates[clientSide?.opposite ?? .server] != nil
    let isOver =
      hasAll && (tls?.version == TLSVersion.dtls13.rawValue || hasCertificate)
      || isEncrypted.client && isEncrypted.server || datagrams >= Self.maximumDatagrams
      || tls == nil && bufferedBytes == 0 && datagrams >= Self.maximumOpaqueDatagrams
    guard isOver else { return isSure ? .mine : .undecided }
    isDone = true
    assemblers = Sides(DTLSHandshakeAssembler())
    return .done
  }

  private mutating func note(_ text: String) {
    notes.append(text)
    revision &+= 1
  }
}

extension DTLSConversation {
  /// Reads the fragments in a record.
  private mutating func read(_ record: borrowing RawSpan, from side: FlowSide) {
    var reader = ByteReader(copy record)
    while !reader.isAtEnd {
      guard let header = try? DTLSFragmentHeader(parsing: &reader), let fragment = try? reader.take(header.count)
      else { return }
      switch header.type {
      case .clientHello, .serverHello, .helloVerifyRequest, .certificate: break
      default: continue
      }
      // Moved out and back, so that what it holds is not copied.
      var assembler = assemblers[side]
      assemblers[side] = DTLSHandshakeAssembler()
      assembler.consume(header, fragment, datagram: datagrams) { body, count in
        receive(header, body, from: side, datagrams: count)
      }
      if assembler.dropped > 0, !hasDropped {
        hasDropped = true
        note("handshake in more or longer fragments than are read")
      }
      assemblers[side] = assembler
    }
  }

  private mutating func receive(
    _ header: DTLSFragmentHeader, _ body: borrowing RawSpan, from side: FlowSide, datagrams: Int
  ) {
    do throws(ParseError) {
      switch header.type {
      case .clientHello: try receiveClientHello(body, header.sequence, from: side, datagrams: datagrams)
      case .serverHello: try receiveServerHello(body)
      case .helloVerifyRequest:
        facts.hasHelloVerifyRequest = true
        revision &+= 1
      default: try receiveCertificate(body, from: side)
      }
    } catch {
      note("broken \(header.type.messageName): \(error.sentence)")
    }
  }

  /// The hello with the lowest number counts: the first of the connection, whichever is seen first. The second one, with
  /// the cookie, repeats it (RFC 6347, section 4.2.1).
  private mutating func receiveClientHello(
    _ body: borrowing RawSpan, _ sequence: UInt16, from side: FlowSide, datagrams: Int
  ) throws(ParseError) {
    var reader = ByteReader(copy body)
    let hello = try ClientHello(parsing: &reader, isDatagram: true)
    isSure = true
    revision &+= 1
    if hello.cookie.byteCount > 0 { facts.hasCookie = true }
    let isBetter = clientSide == nil || clientSide == side && sequence < helloSequence
    readExtensions(of: hello, wantsOffer: isBetter)
    guard isBetter else { return }
    clientSide = side
    helloSequence = sequence
    var facts = tls ?? TLSFacts()
    if !hasServerHello { facts.version = hello.highestVersion.rawValue }
    let traits =
      cache?.traits(of: hello, over: .dtls, wantsFingerprints: wantsFingerprints)
      ?? HelloTraits(hello, over: .dtls, wantsFingerprints: wantsFingerprints)
    facts.supportedVersions = traits.versions
    facts.alpn = traits.alpn
    facts.ja4 = traits.ja4
    facts.serverName =
      hello.hasServerName ? visibleText(hello.serverNameBytes.slice(0, TLSHandshake.maximumServerNameLength)) : nil
    facts.hasEncryptedClientHello = hello.hasEncryptedClientHello
    tls = facts
    takeCertificate()
    if hello.damage != nil { note("ClientHello with a damaged extension") }
    if datagrams > 1 { note("hello split over \(datagrams) datagrams") }
  }

  private mutating func readExtensions(of hello: borrowing ClientHello, wantsOffer: Bool) {
    var reader = ByteReader(hello.extensions)
    if wantsOffer { facts.srtpProfiles = [] }
    while let type = try? reader.u16(), let count = try? reader.u16(), let value = try? reader.take(Int(count)) {
      switch TLSExtensionType(rawValue: type) {
      case .useSRTP where wantsOffer && value.byteCount >= 2:
        let list = value.slice(2, Int(value.u16(0)))
        for i in 0..<min(list.byteCount / 2, Self.maximumProfiles) { facts.srtpProfiles.append(list.u16(2 &* i)) }
      case .connectionID: facts.hasConnectionID = true
      case .cookie: facts.hasCookie = true
      default: break
      }
    }
  }

  private mutating func receiveServerHello(_ body: borrowing RawSpan) throws(ParseError) {
    var reader = ByteReader(copy body)
    let hello = try ServerHello(parsing: &reader)
    isSure = true
    revision &+= 1
    var facts = tls ?? TLSFacts()
    if hello.isHelloRetryRequest {
      facts.hasHelloRetryRequest = true
      tls = facts
      return
    }
    hasServerHello = true
    facts.version = hello.version.rawValue
    facts.cipherSuite = hello.cipherSuite
    facts.alpnSelected = hello.alpn
    tls = facts
    var extensions = ByteReader(hello.extensions)
    while let type = try? extensions.u16(), let count = try? extensions.u16(),
      let value = try? extensions.take(Int(count))
    {
      if TLSExtensionType(rawValue: type) == .useSRTP, value.byteCount >= 4 { self.facts.srtpProfile = value.u16(2) }
    }
  }

  private mutating func receiveCertificate(_ body: borrowing RawSpan, from side: FlowSide) throws(ParseError) {
    let der = try leafCertificate(of: copy body).array
    isSure = true
    guard !der.isEmpty, certificates[side] == nil else { return }
    certificates[side] = cache?.names(ofCertificate: der) ?? CertificateNames(der: der)
    takeCertificate()
  }

  /// The server's certificate names it; that of a client names a person or nothing.
  private mutating func takeCertificate() {
    guard let found = certificates[clientSide?.opposite ?? .server] else { return }
    var facts = tls ?? TLSFacts()
    guard facts.certificateNames != found.names else { return }
    facts.certificateNames = found.names
    tls = facts
    revision &+= 1
    if found.isDamaged { note("certificate that cannot be read") }
  }
}

extension TLSHandshakeType {
  fileprivate var messageName: String {
    switch self {
    case .clientHello: "ClientHello"
    case .serverHello: "ServerHello"
    default: "Certificate"
    }
  }
}
