import Bytes

// Protocols may hold: one folder a protocol, from bytes to values. No flows, no verdicts, no I/O.

/// Which side of a flow sent something.
@frozen public enum FlowSide: UInt8, Sendable {
  /// The side that opened the flow.
  case client
  /// The other side.
  case server
}

/// What a flow's payload says about itself: the observations that a verdict may rest on. Never bytes.
///
/// Small, because every flow under way has one, and it is moved on several times: what TLS says lies behind one
/// reference, and what few flows have behind another.
public struct FlowFacts: Sendable, Equatable {
  /// What the payload is, once that is known.
  public var application: ApplicationProtocol?
  @usableFromInline var tlsBox = SharedFacts<TLSFacts?>.nothing
  @usableFromInline var rare = SharedFacts<RareFacts>.nothing
  /// Names asked for in a DNS flow.
  public var dnsQuestions: [String] = []
  /// What a reader should know about how this was seen: "hello split over 3 segments".
  public var notes: [String] = []
  /// The first payload bytes of the side that opened the flow, and of the other.
  public var clientFirstBytes = FirstBytes(), serverFirstBytes = FirstBytes()
  /// In how many TCP segments and TLS records the ClientHello came, at most 255; 0 where TCP did not carry it.
  public var helloSegments: UInt8 = 0, helloRecords: UInt8 = 0
  /// Whether the protocol is one that only calls speak: Telegram's reflectors, Discord's voice, Zoom's media.
  public var isCallProtocol = false
  /// Facts of nothing.
  public init() {}

  /// Keeps the first bytes of a side's first datagram.
  /// - Parameters:
  ///   - datagram: its payload.
  ///   - side: who sent it.
  /// - Returns: whether it was the side's first.
  public mutating func noteFirstBytes(_ datagram: borrowing RawSpan, from side: FlowSide) -> Bool {
    guard (side == .client ? clientFirstBytes : serverFirstBytes).count == 0 else { return false }
    if side == .client { clientFirstBytes = FirstBytes(datagram) } else { serverFirstBytes = FirstBytes(datagram) }
    return true
  }
}

extension FlowFacts {
  /// The first TLS hellos of the flow, whatever carried them.
  public var tls: TLSFacts? {
    // Lent, since a copy would count every reference in it.
    @inlinable @inline(__always) _read { yield tlsBox.facts }
    set { tlsBox = newValue == nil ? .nothing : SharedFacts(newValue) }
  }
  /// Whether it has any of the facts below.
  @inlinable public var hasRareFacts: Bool { rare !== SharedFacts<RareFacts>.nothing }
  /// HTTP/1 request headers.
  public var http: HTTPFacts? {
    @inlinable @inline(__always) _read { yield rare.facts.http }
    set { change(newValue == nil) { $0.http = newValue } }
  }
  /// The application before STARTTLS or CONNECT, where TLS came after it.
  public var upgradedFrom: ApplicationProtocol? {
    @inlinable @inline(__always) _read { yield rare.facts.upgradedFrom }
    set { change(newValue == nil) { $0.upgradedFrom = newValue } }
  }
  /// What the payload may be, where that is too weak to say alone: of use beside the service's own addresses or ports.
  public var hint: ApplicationProtocol? {
    @inlinable @inline(__always) _read { yield rare.facts.hint }
    set { change(newValue == nil) { $0.hint = newValue } }
  }
  /// What QUIC's long headers and Initial packets say.
  public var quic: QUICFacts? {
    @inlinable @inline(__always) _read { yield rare.facts.quic }
    set { change(newValue == nil) { $0.quic = newValue } }
  }
  /// What DTLS says besides what TLS does.
  public var dtls: DTLSFacts? {
    @inlinable @inline(__always) _read { yield rare.facts.call.facts.dtls }
    set { changeCall(newValue == nil) { $0.dtls = newValue } }
  }
  /// What STUN and TURN say.
  public var stun: STUNFacts? {
    @inlinable @inline(__always) _read { yield rare.facts.call.facts.stun }
    set { changeCall(newValue == nil) { $0.stun = newValue } }
  }
  /// What RTP's and RTCP's headers say.
  public var rtp: RTPFacts? {
    @inlinable @inline(__always) _read { yield rare.facts.call.facts.rtp }
    set { changeCall(newValue == nil) { $0.rtp = newValue } }
  }
  /// What call signalling says.
  public var call: CallFacts? {
    @inlinable @inline(__always) _read { yield rare.facts.call.facts.signalling }
    set { changeCall(newValue == nil) { $0.signalling = newValue } }
  }

  private mutating func change(_ isToNothing: Bool, _ body: (inout RareFacts) -> Void) {
    if isToNothing, !hasRareFacts { return }
    var facts = rare.facts
    body(&facts)
    rare = SharedFacts(facts)
  }

  private mutating func changeCall(_ isToNothing: Bool, _ body: (inout CallSigns) -> Void) {
    var signs = rare.facts.call.facts
    if isToNothing, rare.facts.call === SharedFacts<CallSigns>.nothing { return }
    body(&signs)
    change(false) { $0.call = SharedFacts(signs) }
  }
}

/// What is shared, and lent as it is asked for. It never changes, so that no access to it needs a check: a flow that
/// learns more gets another.
@usableFromInline final class SharedFacts<Facts: Sendable & Equatable>: Sendable, Equatable {
  @usableFromInline let facts: Facts

  init(_ facts: Facts) { self.facts = facts }

  @usableFromInline static func == (a: SharedFacts, b: SharedFacts) -> Bool { a === b || a.facts == b.facts }
}

// Of all flows that have none of it. One place to lend from either way, since a coroutine that lends from two takes its
// frame from the heap.
private let noTLS = SharedFacts<TLSFacts?>(nil)
private let noRareFacts = SharedFacts(RareFacts())
private let noCallSigns = SharedFacts(CallSigns())

extension SharedFacts where Facts == TLSFacts? {
  static var nothing: SharedFacts { noTLS }
}

extension SharedFacts where Facts == RareFacts {
  @usableFromInline static var nothing: SharedFacts { noRareFacts }
}

extension SharedFacts where Facts == CallSigns {
  static var nothing: SharedFacts { noCallSigns }
}

/// What few flows have.
@usableFromInline struct RareFacts: Sendable, Equatable {
  @usableFromInline var http: HTTPFacts?
  @usableFromInline var upgradedFrom: ApplicationProtocol?
  @usableFromInline var hint: ApplicationProtocol?
  @usableFromInline var quic: QUICFacts?
  @usableFromInline var call = SharedFacts<CallSigns>.nothing
}

/// What flows of calls have, which are fewer still.
@usableFromInline struct CallSigns: Sendable, Equatable {
  @usableFromInline var dtls: DTLSFacts?
  @usableFromInline var stun: STUNFacts?
  @usableFromInline var rtp: RTPFacts?
  @usableFromInline var signalling: CallFacts?
}

/// The first up to 16 bytes that a side sent: for signatures of protocols that are not read. Of a flow that was
/// joined in the middle they are the first that were seen.
@frozen public struct FirstBytes: Sendable, Equatable {
  /// The most bytes that are kept.
  public static let maximumCount = 16
  @usableFromInline private(set) var high: UInt64 = 0
  @usableFromInline private(set) var low: UInt64 = 0
  private var size: UInt8 = 0
  /// How many there are.
  public var count: Int { Int(size) }

  /// No bytes.
  public init() {}

  /// The first bytes of `bytes`.
  public init(_ bytes: borrowing RawSpan) { append(bytes) }

  /// Bytes 0 to 7 and 8 to 15, the first one highest; bytes that are not there are 0.
  @inlinable public var words: (high: UInt64, low: UInt64) { (high, low) }

  /// The byte at `index`, 0 where there is none.
  public subscript(index: Int) -> UInt8 {
    guard (0..<count).contains(index) else { return 0 }
    return UInt8(truncatingIfNeeded: (index < 8 ? high : low) >> UInt64(56 &- 8 &* (index & 7)))
  }

  /// Whether they begin with `pattern`; never where fewer bytes are there.
  public func starts(with pattern: some Collection<UInt8>) -> Bool {
    guard pattern.count <= count else { return false }
    return zip(0..., pattern).allSatisfy { self[$0] == $1 }
  }

  /// Takes bytes that follow, as long as there is room.
  mutating func append(_ bytes: borrowing RawSpan) {
    if size == 0, bytes.byteCount >= Self.maximumCount {
      high = bytes.u64(0)
      low = bytes.u64(8)
      size = UInt8(Self.maximumCount)
      return
    }
    var offset = 0
    while count < Self.maximumCount, offset < bytes.byteCount {
      let byte = UInt64(bytes.u8(offset)) << UInt64(56 &- 8 &* (count & 7))
      if count < 8 { high |= byte } else { low |= byte }
      size &+= 1
      offset &+= 1
    }
  }
}

/// An application protocol, named as Suricata's `app_proto` where it has the name.
public struct ApplicationProtocol: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
  /// The name in records.
  public var rawValue: String
  /// A protocol by name.
  public init(rawValue: String) { self.rawValue = rawValue }
  /// A protocol by name.
  public init(stringLiteral value: String) { rawValue = value }
  /// TLS over TCP.
  public static let tls: ApplicationProtocol = "tls"
  /// DNS over UDP or TCP.
  public static let dns: ApplicationProtocol = "dns"
  /// HTTP/1.
  public static let http: ApplicationProtocol = "http"
  /// SMTP.
  public static let smtp: ApplicationProtocol = "smtp"
  /// IMAP.
  public static let imap: ApplicationProtocol = "imap"
  /// POP3.
  public static let pop3: ApplicationProtocol = "pop3"
  /// XMPP.
  public static let xmpp: ApplicationProtocol = "xmpp"
  /// SSH.
  public static let ssh: ApplicationProtocol = "ssh"
  /// Multicast DNS (RFC 6762).
  public static let mdns: ApplicationProtocol = "mdns"
  /// Link-local multicast name resolution (RFC 4795).
  public static let llmnr: ApplicationProtocol = "llmnr"
  /// HTTP/2 in clear with prior knowledge (RFC 9113, section 3.3).
  public static let http2: ApplicationProtocol = "http2"
  /// FTP's control connection.
  public static let ftp: ApplicationProtocol = "ftp"
  /// IRC.
  public static let irc: ApplicationProtocol = "irc"
  /// LDAP.
  public static let ldap: ApplicationProtocol = "ldap"
  /// PostgreSQL.
  public static let postgresql: ApplicationProtocol = "pgsql"
  /// MySQL.
  public static let mysql: ApplicationProtocol = "mysql"
  /// Remote Desktop (TPKT and X.224).
  public static let rdp: ApplicationProtocol = "rdp"
  /// SMB over TCP.
  public static let smb: ApplicationProtocol = "smb"
  /// MQTT.
  public static let mqtt: ApplicationProtocol = "mqtt"
  /// SIP over TCP.
  public static let sip: ApplicationProtocol = "sip"
  /// RTSP.
  public static let rtsp: ApplicationProtocol = "rtsp"
  /// The PROXY protocol's line before another protocol (haproxy.org, "The PROXY protocol").
  public static let proxy: ApplicationProtocol = "proxy"
  /// OpenVPN with TLS, over TCP or UDP.
  public static let openvpn: ApplicationProtocol = "openvpn"
  /// BitTorrent's peer protocol.
  public static let bittorrent: ApplicationProtocol = "bittorrent"
  /// QUIC.
  public static let quic: ApplicationProtocol = "quic"
  /// DTLS.
  public static let dtls: ApplicationProtocol = "dtls"
  /// STUN or TURN.
  public static let stun: ApplicationProtocol = "stun"
  /// RTP, RTCP or SRTP.
  public static let rtp: ApplicationProtocol = "rtp"
}

/// What the handshake in clear says.
public struct TLSFacts: Sendable, Equatable {
  /// Negotiated version where the ServerHello was seen, else the highest offered.
  public var version: UInt16?
  /// Server name of the first ClientHello.
  public var serverName: String?
  /// Offered application protocols, in order.
  public var alpn: [String] = []
  /// The protocol that the server chose.
  public var alpnSelected: String?
  /// Offered versions without GREASE (RFC 8701).
  public var supportedVersions: [UInt16] = []
  /// JA3 of the ClientHello (TLS over TCP only).
  public var ja3: String?
  /// JA3S of the ServerHello (TLS over TCP only).
  public var ja3s: String?
  /// JA4 of the ClientHello.
  public var ja4: String?
  /// Subject common name and subjectAltName DNS names of a certificate in clear (TLS 1.2 and older).
  public var certificateNames: [String] = []
  /// Whether the ClientHello has an encrypted_client_hello extension (RFC 9849) or its forerunner ESNI.
  public var hasEncryptedClientHello = false
  /// Whether it has ESNI's encrypted_server_name (0xffce, draft-ietf-tls-esni-06).
  public var hasEncryptedServerName = false
  /// Whether the server answered with a HelloRetryRequest.
  public var hasHelloRetryRequest = false
  /// The cipher suite that the server chose.
  public var cipherSuite: UInt16?
  /// Facts of nothing.
  public init() {}
}

/// What an HTTP/1 request says.
public struct HTTPFacts: Sendable, Equatable {
  /// The method of the first request.
  public var method: String?
  /// The Host header without port, or the authority of a CONNECT.
  public var host: String?
  /// The User-Agent header.
  public var userAgent: String?
  /// The status of the first response.
  public var status: Int?
  /// Facts of nothing.
  public init() {}
}
