/// What a QUIC connection says in packets that everybody on the path can open.
public struct QUICFacts: Sendable, Equatable {
  /// The version of the client's first packet, as on the wire; gQUIC's are four ASCII characters ("Q046").
  public var version: UInt32?
  /// The version that the connection went on in, where that is another than the first: after version negotiation, or
  /// by the server's choice (RFC 9368).
  public var selectedVersion: UInt32?
  /// Versions that the server offered instead, where it did (RFC 9000, section 17.2.1).
  public var versionsOffered: [UInt32] = []
  /// Whether the server asked for the address to be proved (RFC 9000, section 17.2.5).
  public var hasRetry = false
  /// Whether the client sent data before the server answered (RFC 9000, section 17.2.3).
  public var hasZeroRTT = false
  /// The transport parameters' identifiers as the client sent them, without GREASE (RFC 9000, section 18.1).
  public var transportParameters: [UInt64] = []
  /// max_idle_timeout in milliseconds, where the client sent it.
  public var maximumIdleTimeout: UInt64?
  /// max_datagram_frame_size (RFC 9221), where the client sent it: media may follow.
  public var maximumDatagramFrameSize: UInt64?
  /// The user agent that Google's clients send (transport parameter 0x3129, or gQUIC's tag UAID).
  public var userAgent: String?
  /// The error of a CONNECTION_CLOSE in an Initial: 0x100 and more are TLS alerts (RFC 9000, section 20.1).
  public var closeError: UInt64?
  /// In how many datagrams and CRYPTO frames the ClientHello came, at most 255; 0 where none was read.
  public var helloDatagrams: UInt8 = 0, helloFrames: UInt8 = 0
  /// Whether an earlier flow's connection went on here (RFC 9000, section 9).
  public var hasMigrated = false
  /// Facts of nothing.
  public init() {}
}
