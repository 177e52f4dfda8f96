import Bytes

/// What the handshake messages of both sides say, first hello first.
struct TLSHandshake: HandshakeReceiver {
  /// The longest server name that is kept, in bytes; DNS allows 253.
  static let maximumServerNameLength = 1024
  /// The most ALPN names that are kept.
  static let maximumALPNNames = 64

  /// A hello in segments of at most this many bytes was cut up on purpose.
  static let tinySegmentLength = 64

  /// What was learned.
  private(set) var facts = TLSFacts()
  /// In what the ClientHello came.
  private(set) var helloPieces = HandshakePieces()
  /// How it was seen.
  private(set) var notes: [String] = []
  /// Changes with every fact and note.
  private(set) var revision = 0
  /// The side whose bytes are being read.
  var side = FlowSide.client
  /// The side that sent the first ClientHello.
  private(set) var clientSide: FlowSide?
  private var serverSide: FlowSide?
  private var hasCertificate = false
  /// Whether a message was there and could not be read.
  private(set) var isBroken = false
  /// Sides that sent encrypted records, or began in the middle of them.
  private var isOpaque: (client: Bool, server: Bool) = (false, false)
  private let wantsFingerprints: Bool
  private let cache: FingerprintCache?

  init(wantsFingerprints: Bool, cache: FingerprintCache?) {
    self.wantsFingerprints = wantsFingerprints
    self.cache = cache
  }

  /// Whether a handshake message of either side was read, or was there and broken.
  var hasHello: Bool { clientSide != nil || serverSide != nil || hasCertificate || isBroken }

  mutating func note(_ text: String) {
    notes.append(text)
    revision &+= 1
  }

  mutating func begin(record header: TLSRecordHeader) -> HandshakeDecision {
    let wasOpaque = side == .client ? isOpaque.client : isOpaque.server
    switch header.type {
    case .handshake:
      return wasOpaque ? .stop : .read
    case .changeCipherSpec, .applicationData:
      if serverSide == side || wasOpaque && header.type == .applicationData { return .stop }
      // A server that asked for another hello may send change_cipher_spec and go on in clear (RFC 8446, appendix D.4).
      if facts.hasHelloRetryRequest, side == expectedServer { return .skip }
      if side == .client { isOpaque.client = true } else { isOpaque.server = true }
      return .skip
    default:
      return .skip
    }
  }

  private var expectedServer: FlowSide { clientSide == .server ? .client : .server }

  mutating func begin(message type: TLSHandshakeType, length: Int) -> HandshakeDecision {
    switch type {
    case .clientHello, .serverHello: .read
    case .certificate: side == expectedServer ? .read : .skip
    case .serverHelloDone: serverSide == side ? .stop : .skip
    // The types of RFC 8446, RFC 5246 and their extensions; any other is the first byte of an encrypted message.
    case _ where type.rawValue <= 25 || type.rawValue == 67: .skip
    default: .stop
    }
  }

  mutating func receive(
    _ type: TLSHandshakeType, body: borrowing RawSpan, in pieces: HandshakePieces
  ) -> HandshakeDecision {
    do throws(ParseError) {
      switch type {
      case .clientHello:
        if clientSide == nil { try receiveClientHello(body, pieces) }
        return .stop
      case .serverHello:
        return try receiveServerHello(body)
      default:
        try receiveCertificate(body)
        return .stop
      }
    } catch {
      note("broken \(type.messageName): \(error.sentence)")
      isBroken = true
      return .stop
    }
  }

  private mutating func receiveClientHello(_ body: borrowing RawSpan, _ pieces: HandshakePieces) throws(ParseError) {
    var reader = ByteReader(copy body)
    let hello = try ClientHello(parsing: &reader)
    clientSide = side
    if facts.version == nil { facts.version = hello.highestVersion.rawValue }
    let traits =
      cache?.traits(of: hello, over: .tcp, wantsFingerprints: wantsFingerprints)
      ?? HelloTraits(hello, over: .tcp, wantsFingerprints: wantsFingerprints)
    facts.supportedVersions = traits.versions
    facts.alpn = traits.alpn
    facts.ja3 = traits.ja3
    facts.ja4 = traits.ja4
    if hello.hasServerName {
      if hello.serverNameBytes.byteCount > Self.maximumServerNameLength {
        note("server name of \(hello.serverNameBytes.byteCount) bytes cut to \(Self.maximumServerNameLength)")
      }
      facts.serverName = visibleText(hello.serverNameBytes.slice(0, Self.maximumServerNameLength))
    }
    facts.hasEncryptedClientHello = hello.hasEncryptedClientHello
    facts.hasEncryptedServerName = hello.hasEncryptedServerName
    helloPieces = pieces
    if hello.damage != nil { note("ClientHello with a damaged extension") }
    note(pieces)
    revision &+= 1
  }

  private mutating func note(_ pieces: HandshakePieces) {
    if pieces.records > 1 { note("hello split over \(pieces.records) records") }
    if pieces.segments > 1 { note("hello split over \(pieces.segments) segments") }
    if pieces.segments > 1, pieces.largestSegment <= Self.tinySegmentLength {
      note("hello in pieces of at most \(pieces.largestSegment) byte\(pieces.largestSegment == 1 ? "" : "s")")
    }
  }

  /// Takes a hello of SSL 2.0 format. Tools give it no JA3, and a JA4 without suites.
  mutating func receive(_ hello: SSL2ClientHello) {
    guard clientSide == nil else { return }
    clientSide = side
    if facts.version == nil { facts.version = hello.version.rawValue }
    facts.supportedVersions = [hello.version.rawValue]
    if wantsFingerprints { facts.ja4 = JA4.fingerprint(ofSSL2Version: hello.version) }
    note("hello in SSL 2.0 format")
  }

  private mutating func receiveServerHello(_ body: borrowing RawSpan) throws(ParseError) -> HandshakeDecision {
    var reader = ByteReader(copy body)
    let hello = try ServerHello(parsing: &reader)
    revision &+= 1
    if hello.isHelloRetryRequest {
      facts.hasHelloRetryRequest = true
      return .read
    }
    serverSide = side
    facts.version = hello.version.rawValue
    facts.cipherSuite = hello.cipherSuite
    facts.alpnSelected = hello.alpn
    if wantsFingerprints { facts.ja3s = cache?.ja3s(of: hello) ?? JA3.fingerprint(of: hello) }
    return hello.version.isTLS13Family ? .stop : .read
  }

  private mutating func receiveCertificate(_ body: borrowing RawSpan) throws(ParseError) {
    let der = try leafCertificate(of: copy body).array
    let found = cache?.names(ofCertificate: der) ?? CertificateNames(der: der)
    hasCertificate = true
    facts.certificateNames = found.names
    if found.isCut { note("certificate with more names than \(CertificateNames.maximumNames), or longer ones") }
    if found.isDamaged { note("certificate that cannot be read") }
    revision &+= 1
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

extension ParseError {
  /// What went wrong, for a note.
  var sentence: String {
    switch self {
    case .truncated(let needed, let available, let offset):
      "\(needed) bytes needed at offset \(offset), \(available) there"
    case .malformed(let field, let offset): "bad \(field.rawValue) at offset \(offset)"
    case .limit(let limit): "beyond the limit of \(limit.rawValue)"
    }
  }
}
