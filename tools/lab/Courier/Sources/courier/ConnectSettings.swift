import CourierProtocol

/// How a phone connects, and what it does when it loses the connection.
struct ConnectSettings {
  var address: String
  var port = 5223
  var sni = "courier.push.apple.com"
  var framing = Framing.pack
  var alpn: [String]?
  /// Versions of TLS that are offered; both if nil.
  var tls: String?
  /// Cipher suites of TLS 1.2 that are offered, the best first, as OpenSSL names them; all that NIOSSL offers if nil.
  var ciphers: [String]?
  /// Limit in seconds of each step: TCP, TLS, and the courier's answers.
  var timeout = 10.0
  var fallbackPort: Int?
  /// Seconds in which TCP has to come about on `port` before `fallbackPort` is tried.
  var wait = 5.0
  var reconnects = false
  /// Seconds before the attempts to reconnect; the last repeats.
  var backOff = [1.0, 2, 4]
  /// Seconds after which unacknowledged TCP data, or an unanswered message, ends a connection.
  var patience = 20.0
  /// Addresses of the hosts that a redirect may name.
  var redirects: [String: String] = [:]
  var topics = 200
  /// Whether each keep-alive of the server is followed by a negotiation of the phone's.
  var negotiates = false
  var interface = Interface.wifi

  enum Interface: String, CaseIterable { case wifi, cellular }

  init(_ fields: inout Fields) throws {
    address = try fields.required("address")
    if let port = try fields.integer("port", in: 1...65535) { self.port = port }
    if let sni = try fields.string("sni") { self.sni = sni }
    if let framing = try fields.word("framing", Framing.self) { self.framing = framing }
    alpn = try fields.strings("alpn", most: 8)
    tls = try fields.string("tls")
    if let tls { _ = try Transport.version(tls) }
    ciphers = try fields.strings("ciphers", most: 32)
    if let timeout = try fields.seconds("timeout") { self.timeout = timeout }
    fallbackPort = try fields.integer("fallback_port", in: 1...65535)
    if let wait = try fields.seconds("wait") { self.wait = wait }
    if let reconnects = try fields.bool("auto_reconnect") { self.reconnects = reconnects }
    if let patience = try fields.seconds("patience") { self.patience = patience }
    if let redirects = try fields.map("redirects") { self.redirects = redirects }
    if let topics = try fields.integer("topics", in: 0...400) { self.topics = topics }
    if let negotiates = try fields.bool("negotiate_keep_alive") { self.negotiates = negotiates }
    if let interface = try fields.word("interface", Interface.self) { self.interface = interface }
  }

  /// What the hello offers.
  var offers: [String] { alpn ?? framing.offers }
}
