import Bytes

/// What a ClientHello says of the program that sent it, rather than of the connection.
struct HelloTraits: Equatable {
  /// Offered application protocols in order, at most `TLSHandshake.maximumALPNNames`.
  var alpn: [String]
  /// Offered versions without GREASE.
  var versions: [UInt16]
  /// JA3; `nil` where it is not wanted, and where TCP did not carry the hello.
  var ja3: String?
  /// JA4; `nil` where it is not wanted.
  var ja4: String?

  /// Reads them from a hello.
  init(_ hello: borrowing ClientHello, over transport: JA4.Transport, wantsFingerprints: Bool) {
    alpn = hello.alpn(atMost: TLSHandshake.maximumALPNNames)
    versions = hello.supportedVersions.map(\.rawValue)
    guard wantsFingerprints else { return }
    if transport == .tcp { ja3 = JA3.fingerprint(of: hello) }
    ja4 = JA4.fingerprint(of: hello, over: transport)
  }
}
