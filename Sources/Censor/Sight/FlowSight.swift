public import Bytes
public import Classify
public import Decode

/// What a box can see of a flow, with the packet at which it is there to be seen.
///
/// Packet numbers count within the flow from 1; 0 stands for never.
public struct FlowSight: Sendable {
  /// Number of the flow in the run, from 1.
  public var id: UInt64 = 0
  /// Both ends. The client opened the flow.
  public var client = IPAddress(high: 0, low: 0), server = IPAddress(high: 0, low: 0)
  /// Their ports.
  public var clientPort: UInt16 = 0, serverPort: UInt16 = 0
  /// TCP or UDP.
  public var transport = TransportProtocol.tcp
  /// Nanoseconds since 1970 of the first and the last packet.
  public var start: Int64 = 0, end: Int64 = 0
  /// Packets and bytes of both directions together.
  public var packets: UInt64 = 0, bytes: UInt64 = 0
  /// Whether its first packets were seen: a SYN, or a first datagram.
  public var hasBeginning = true
  /// Wiretag's tag.
  public var tag = Tag.other
  /// The packet at which the verdict stood.
  public var verdictAt = 0
  /// The call that it belongs to.
  public var conversation: UInt64?
  /// The packet at which `application` was known, and the one with `httpHost`.
  public var applicationAt = 0, httpAt = 0
  /// What carries its hello; nil without one. A copy of what `hello` says, so that most rules need not look there.
  private(set) var carrier: Leaf.Carrier?
  private var rest = FlowDetails()
  /// A flow of nothing.
  public init() {}
}

extension FlowSight {
  /// Wiretag's service.
  public var service: String? {
    get { rest.service }
    set { change { $0.service = newValue } }
  }
  /// What else its service carries on the same connection.
  public var carries: [Carried] {
    get { rest.carries }
    set { change { $0.carries = newValue } }
  }
  /// The tag that a truth file gives it.
  public var trueTag: String? {
    get { rest.trueTag }
    set { change { $0.trueTag = newValue } }
  }
  /// The service that a truth file gives it.
  public var trueService: String? {
    get { rest.trueService }
    set { change { $0.trueService = newValue } }
  }
  /// What the payload is, as in `app_proto`.
  public var application: String? {
    get { rest.application }
    set { change { $0.application = newValue } }
  }
  /// The first ClientHello.
  public var hello: HelloSight? {
    get { rest.hello }
    set {
      carrier = newValue?.carrier
      change { $0.hello = newValue }
    }
  }
  /// The QUIC version of the client's first datagram with a long header.
  public var quicVersion: UInt32? {
    get { rest.quicVersion }
    set { change { $0.quicVersion = newValue } }
  }
  /// Names asked for by DNS, in a DNS flow.
  public var dnsQuestions: [String] {
    get { rest.dnsQuestions }
    set { change { $0.dnsQuestions = newValue } }
  }
  /// Names that DNS gave this client for the server.
  public var learntNames: [String] {
    get { rest.learntNames }
    set { change { $0.learntNames = newValue } }
  }
  /// The Host of the first HTTP/1 request.
  public var httpHost: String? {
    get { rest.httpHost }
    set { change { $0.httpHost = newValue } }
  }
  /// The first payloads of the client, at most two.
  public var payloads: [FirstPayload] {
    get { rest.payloads }
    set { change { $0.payloads = newValue } }
  }

  private mutating func change(_ body: (FlowDetails) -> Void) {
    if !isKnownUniquelyReferenced(&rest) { rest = FlowDetails(copying: rest) }
    body(rest)
  }
}

/// What most rules need of most flows: plain data, so that a pass over all flows touches nothing else.
struct FlowOutline: Sendable {
  let server: IPAddress
  let clientPort: UInt16, serverPort: UInt16
  let isTCP: Bool
  let hasBeginning: Bool
  let tag: Tag
  let carrier: Leaf.Carrier?
  let hasQuestions: Bool, hasHost: Bool, hasQUICVersion: Bool, hasPayload: Bool

  init(_ flow: FlowSight) {
    server = flow.server
    (clientPort, serverPort) = (flow.clientPort, flow.serverPort)
    isTCP = flow.transport == .tcp
    hasBeginning = flow.hasBeginning
    tag = flow.tag
    carrier = flow.carrier
    hasQuestions = !flow.dnsQuestions.isEmpty
    hasHost = flow.httpHost != nil
    hasQUICVersion = flow.quicVersion != nil
    hasPayload = !flow.payloads.isEmpty
  }
}

/// What of a flow is not plain data, behind one reference, so that a copy costs one count. `@unchecked` holds since
/// `FlowSight` alone reaches it, and copies it before changing one that is shared.
private final class FlowDetails: @unchecked Sendable {
  var service: String?
  var carries: [Carried] = []
  var trueTag: String?
  var trueService: String?
  var application: String?
  var hello: HelloSight?
  var quicVersion: UInt32?
  var dnsQuestions: [String] = []
  var learntNames: [String] = []
  var httpHost: String?
  var payloads: [FirstPayload] = []

  init() {}

  init(copying other: FlowDetails) {
    (service, carries, trueTag, trueService) = (other.service, other.carries, other.trueTag, other.trueService)
    (application, hello, quicVersion) = (other.application, other.hello, other.quicVersion)
    (dnsQuestions, learntNames, httpHost) = (other.dnsQuestions, other.learntNames, other.httpHost)
    payloads = other.payloads
  }
}

/// A ClientHello as boxes may see it.
public struct HelloSight: Sendable, Equatable {
  /// What it came in.
  public var carrier = Leaf.Carrier.tcp
  /// The server name.
  public var serverName: String?
  /// Offered application protocols.
  public var alpn: [String] = []
  /// Fingerprints.
  public var ja3: String?, ja4: String?
  /// Extensions 0xffce and 0xfe0d.
  public var hasEncryptedServerName = false, hasEncryptedClientHello = false
  /// The packet that made it whole.
  public var at = 0
  /// In how many TCP segments, TLS records, QUIC datagrams and CRYPTO frames it came; 1 where nothing was cut.
  public var segments = 1, records = 1, datagrams = 1, frames = 1
  /// Whether pieces came out of order.
  public var isReordered = false
  /// The most IP fragments that one of its packets came in; 1 for none.
  public var fragments = 1
  /// The server name as far as the first segment alone shows it, where the hello came in several.
  public var nameInFirstPiece: String?
  /// The packet with the first segment; 0 where it was no TLS.
  public var firstPieceAt = 0
  /// A hello of nothing.
  public init() {}
}

/// What the first bytes of a payload look like.
public struct FirstPayload: Sendable, Equatable {
  /// The packet.
  public var at = 0
  /// Bytes on the wire, and those of them that were captured and looked at.
  public var length = 0, seen = 0
  /// Bits that are set.
  public var bits = 0
  /// Printable bytes (0x20 to 0x7e): all, at the beginning, and the longest run.
  public var printable = 0, printablePrefix = 0, printableRun = 0
  /// What it begins like.
  public var beginning: Leaf.KnownBeginning?
  /// A payload of nothing.
  public init() {}
}
