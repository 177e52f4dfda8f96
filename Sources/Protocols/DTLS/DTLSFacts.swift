/// What a DTLS handshake says besides what TLS's says.
public struct DTLSFacts: Sendable, Equatable {
  /// SRTP protection profiles that the client offered (RFC 5764, section 4.1.2), in order.
  public var srtpProfiles: [UInt16] = []
  /// The profile that the server chose; hidden in DTLS 1.3.
  public var srtpProfile: UInt16?
  /// Whether the client came back with a cookie (RFC 6347, section 4.2.1).
  public var hasCookie = false
  /// Whether the server asked for one by HelloVerifyRequest (RFC 6347); a HelloRetryRequest is in `TLSFacts`.
  public var hasHelloVerifyRequest = false
  /// Whether the client offered a connection ID (RFC 9146).
  public var hasConnectionID = false
  /// Facts of nothing.
  public init() {}
}
