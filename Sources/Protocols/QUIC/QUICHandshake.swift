import Bytes

/// What the handshake messages in CRYPTO frames say: the same messages as in TLS, without records (RFC 9001, section 4).
struct QUICHandshake {
  private(set) var tls: TLSFacts?
  private let wantsFingerprints: Bool
  private let cache: FingerprintCache?

  init(wantsFingerprints: Bool, cache: FingerprintCache?) {
    self.wantsFingerprints = wantsFingerprints
    self.cache = cache
  }

  /// Takes a ClientHello with its header.
  /// - Throws: where it is another message, or broken.
  mutating func receive(clientHello message: RawSpan, _ facts: inout QUICFacts) throws(ParseError) -> ParseError? {
    var reader = ByteReader(message)
    guard try reader.u8() == TLSHandshakeType.clientHello.rawValue else { throw .malformed(.type, at: 0) }
    try reader.skip(3)
    let hello = try ClientHello(parsing: &reader)
    var tls = TLSFacts()
    tls.version = hello.highestVersion.rawValue
    let traits =
      cache?.traits(of: hello, over: .quic, wantsFingerprints: wantsFingerprints)
      ?? HelloTraits(hello, over: .quic, wantsFingerprints: wantsFingerprints)
    tls.supportedVersions = traits.versions
    tls.alpn = traits.alpn
    tls.ja4 = traits.ja4
    if hello.hasServerName {
      tls.serverName = visibleText(hello.serverNameBytes.slice(0, TLSHandshake.maximumServerNameLength))
    }
    tls.hasEncryptedClientHello = hello.hasEncryptedClientHello
    self.tls = tls
    let parameters = QUICTransportParameters(hello.quicTransportParameters)
    facts.transportParameters = parameters.identifiers
    facts.maximumIdleTimeout = parameters.maximumIdleTimeout
    facts.maximumDatagramFrameSize = parameters.maximumDatagramFrameSize
    facts.userAgent = parameters.userAgent
    return hello.damage
  }

  /// Takes gQUIC's CHLO, which has a server name and no more of what TLS would say.
  mutating func receive(googleHello message: RawSpan, _ facts: inout QUICFacts) throws(ParseError) {
    let hello = try GoogleClientHello(parsing: message)
    var tls = TLSFacts()
    if hello.serverName.byteCount > 0 {
      tls.serverName = visibleText(hello.serverName.slice(0, TLSHandshake.maximumServerNameLength))
    }
    self.tls = tls
    if hello.userAgent.byteCount > 0 {
      facts.userAgent = visibleText(hello.userAgent.slice(0, QUICTransportParameters.maximumUserAgentLength))
    }
  }
}
