public import Bytes

/// The STUN and TURN messages of a flow, in datagrams or in the frames of a stream.
///
/// It stays useful for as long as the flow lasts: what a relay carries is handed back as `inner`, and other protocols
/// on the same ports (RFC 7983) are told apart as `.notMine`.
public struct STUNConversation: Sendable {
  /// The longest SOFTWARE, REALM or ORIGIN that is kept, in bytes; RFC 8489 allows 763.
  public static let maximumTextLength = 763
  /// The most addresses that wait for `takeAnnouncements`, and that are remembered as announced.
  public static let maximumAnnouncements = 32

  /// What was learned. `revision` does not follow every step of `facts.messages`.
  public private(set) var facts = STUNFacts()
  /// Grows when facts change; for the count of messages alone only while it is small, and when it doubles.
  public private(set) var revision = 0
  /// How it was seen.
  public private(set) var notes: [String] = []
  /// Whether this is STUN beyond doubt.
  public private(set) var isSure = false
  /// Where the last datagram carries a datagram of something else: through a relay, or DTLS inside a check.
  public private(set) var inner: Range<Int>?
  /// The peer that sent or gets `inner`, where the message names it.
  public private(set) var innerPeer: Endpoint?

  /// A request without a cookie that waits for its answer.
  private var question: (id: (UInt64, UInt64), method: UInt16, side: FlowSide)?
  /// The channel of data that came before anything showed a relay.
  private var unannounced: UInt16?
  private var announced: [AnnouncedEndpoint] = []
  private var pending: [AnnouncedEndpoint] = []
  private var hasNote: (damage: Bool, cut: Bool) = (false, false)

  /// A flow of which nothing was read.
  public init() {}

  /// Bytes that are kept: none, messages are read where they lie.
  public var bufferedBytes: Int { 0 }

  /// Whether a datagram can begin a STUN or TURN flow.
  public static func canBegin(_ datagram: borrowing RawSpan) -> Bool {
    let count = datagram.byteCount
    guard count >= STUNMessage.headerLength else { return ChannelData.canBegin(datagram) }
    switch datagram.u8(0) {
    case 0..<0x40:
      if datagram.u32(4) == STUNMessage.magicCookie { return true }
      guard STUNMessageType(rawValue: datagram.u16(0)).isClassic,
        Int(datagram.u16(2)) == count &- STUNMessage.headerLength,
        let message = try? STUNMessage(parsing: copy datagram)
      else { return false }
      return !message.hasCookie
    case 0x40...0x4f: return ChannelData.canBegin(datagram)
    case 0xff:
      return MultiplexedTURN.wraps(datagram)
        && canBegin(datagram.slice(MultiplexedTURN.headerLength, count))
    default: return false
    }
  }

  /// Takes a datagram.
  mutating func consume(_ datagram: borrowing RawSpan, from side: FlowSide) -> DatagramReading {
    inner = nil
    innerPeer = nil
    guard MultiplexedTURN.wraps(datagram) else { return read(datagram, from: side) }
    let skip = MultiplexedTURN.headerLength
    let reading = read(datagram.slice(skip, datagram.byteCount), from: side)
    if let range = inner { inner = range.lowerBound &+ skip..<range.upperBound &+ skip }
    if reading == .notMine {
      guard facts.isMultiplexed else { return .notMine }
      inner = skip..<datagram.byteCount
      return .mine
    }
    if isSure, !facts.isMultiplexed {
      facts.isMultiplexed = true
      revision &+= 1
    }
    return reading
  }

  /// Takes a datagram; whether it was of this protocol.
  public mutating func read(datagram: borrowing RawSpan, from side: FlowSide) -> Bool {
    switch consume(datagram, from: side) {
    case .mine, .done, .undecided: true
    case .notMine, .broken: false
    }
  }

  /// Addresses learned since the last call, each once.
  public mutating func takeAnnouncements() -> [AnnouncedEndpoint] {
    guard !pending.isEmpty else { return [] }
    defer { pending = [] }
    return pending
  }

  private mutating func read(_ datagram: borrowing RawSpan, from side: FlowSide) -> DatagramReading {
    guard datagram.byteCount >= STUNMessage.headerLength, datagram.u8(0) < 0x40 else { return relay(datagram) }
    guard let message = try? STUNMessage(parsing: copy datagram) else { return .notMine }
    guard message.fills(datagram.byteCount) || message.hasCookie else { return .notMine }
    // Where messages have cookies, one that proves nothing is something else.
    if !message.isProven, isSure, !facts.isClassic { return .notMine }
    judge(message, from: side)
    count(message)
    if message.type.isWhatsApp { return .mine }
    readAttributes(message)
    if message.isCut, !hasNote.cut {
      hasNote.cut = true
      note("STUN message cut off")
    }
    return isSure ? .mine : .undecided
  }

  private mutating func judge(_ message: borrowing STUNMessage, from side: FlowSide) {
    if isSure { return }
    if message.isProven || message.hasValidFingerprint {
      isSure = true
    } else if message.type.messageClass == .request {
      question = (message.transaction, message.type.method, side)
    } else if let question, question.id == message.transaction, question.method == message.type.method,
      question.side != side
    {
      isSure = true
    }
    if isSure { revision &+= 1 }
  }

  private mutating func count(_ message: borrowing STUNMessage) {
    facts.messages &+= 1
    if facts.messages < 8 || facts.messages & (facts.messages &- 1) == 0 { revision &+= 1 }
    if !message.hasCookie, !facts.isClassic {
      facts.isClassic = true
      revision &+= 1
    }
    let type = message.type.rawValue
    if facts.messageTypes.count < STUNFacts.maximumTypes, !facts.messageTypes.contains(type) {
      facts.messageTypes.append(type)
      revision &+= 1
    }
    let isRelay = message.hasCookie ? message.type.isTURN : message.type.method > 2
    if isRelay, !facts.hasTURN {
      facts.hasTURN = true
      revision &+= 1
    }
    if !facts.hasFingerprint, message.hasValidFingerprint {
      facts.hasFingerprint = true
      revision &+= 1
    }
  }

  private mutating func note(_ text: String) {
    notes.append(text)
    revision &+= 1
  }
}

extension STUNConversation {
  private mutating func readAttributes(_ message: borrowing STUNMessage) {
    var attributes = STUNAttributes(of: message)
    while let attribute = attributes.next() {
      let type = attribute.type
      if facts.attributes.count < STUNFacts.maximumAttributes, !facts.attributes.contains(type.rawValue) {
        facts.attributes.append(type.rawValue)
        revision &+= 1
      }
      switch type {
      case .software: keep(attribute.value, at: \.software)
      case message.isMicrosoft ? .nonce : .realm: keep(attribute.value, at: \.realm)
      case .origin: keep(attribute.value, at: \.origin)
      case .data where message.type.carriesData(isEarly: message.isEarly), .dtlsInSTUN:
        if attribute.value.byteCount == 0 { continue }
        inner = attribute.offset..<attribute.offset &+ attribute.value.byteCount
      case _ where type.isICE && !facts.hasICE:
        facts.hasICE = true
        revision &+= 1
      default: readAddress(attribute, of: message)
      }
    }
    if attributes.isDamaged, !message.isCut, !hasNote.damage {
      hasNote.damage = true
      note("STUN message with a damaged attribute")
    }
  }

  private mutating func readAddress(_ attribute: borrowing STUNAttribute, of message: borrowing STUNMessage) {
    // Before its RFC, TURN had plain addresses, and an Allocate response's MAPPED-ADDRESS is the relay's.
    let isEarly = message.isEarly
    switch attribute.type {
    case .mappedAddress:
      guard let endpoint = message.endpoint(in: attribute.value, isXORed: false) else { return }
      if isEarly, message.type == .allocateResponse {
        keep(relayed: endpoint)
      } else if !message.isMicrosoft {
        keep(mapped: endpoint)
      }
    case .xorMappedAddress, .earlyXORMappedAddress:
      guard let endpoint = message.endpoint(in: attribute.value, isXORed: true) else { return }
      keep(mapped: endpoint)
    case .xorRelayedAddress:
      guard let endpoint = message.endpoint(in: attribute.value, isXORed: true) else { return }
      keep(relayed: endpoint)
    case .xorPeerAddress, .destinationAddress:
      guard isEarly || attribute.type == .xorPeerAddress,
        let endpoint = message.endpoint(in: attribute.value, isXORed: !isEarly)
      else { return }
      keep(peer: endpoint)
    default: return
    }
  }

  private mutating func keep(_ text: borrowing RawSpan, at path: WritableKeyPath<STUNFacts, String?>) {
    guard facts[keyPath: path] == nil else { return }
    var count = min(text.byteCount, Self.maximumTextLength)
    // C strings are sent with their zero, and some padded with spaces.
    while count > 0, text.u8(count &- 1) == 0 || text.u8(count &- 1) == 0x20 { count &-= 1 }
    let isQuoted = count > 2 && text.u8(0) == 0x22 && text.u8(count &- 1) == 0x22
    let start = isQuoted ? 1 : 0
    guard count > 0 else { return }
    facts[keyPath: path] = visibleText(text.slice(start, count &- 2 &* start))
    revision &+= 1
  }

  private mutating func keep(mapped endpoint: Endpoint) {
    if facts.mapped == nil {
      facts.mapped = endpoint
      revision &+= 1
    }
    announce(AnnouncedEndpoint(endpoint, source: .candidate))
  }

  private mutating func keep(relayed endpoint: Endpoint) {
    if facts.relayed == nil {
      facts.relayed = endpoint
      revision &+= 1
    }
    announce(AnnouncedEndpoint(endpoint, source: .turnAllocation))
  }

  private mutating func keep(peer endpoint: Endpoint) {
    innerPeer = endpoint
    if facts.peers.count < STUNFacts.maximumPeers, !facts.peers.contains(endpoint) {
      facts.peers.append(endpoint)
      revision &+= 1
    }
    // CreatePermission names an address alone.
    announce(AnnouncedEndpoint(endpoint, source: .turnPeer))
  }

  private mutating func announce(_ endpoint: AnnouncedEndpoint) {
    let address = endpoint.endpoint.address
    let isNowhere = endpoint.endpoint.port == 0 || address.isV4 && address.v4 == 0 || address.high | address.low == 0
    guard !isNowhere, announced.count < Self.maximumAnnouncements, !announced.contains(endpoint) else { return }
    announced.append(endpoint)
    pending.append(endpoint)
  }

  /// Takes channel data: at once where a relay was seen, else where two fit exactly.
  private mutating func relay(_ datagram: borrowing RawSpan) -> DatagramReading {
    guard let header = ChannelData(datagram), header.fills(datagram.byteCount) else { return .notMine }
    if !facts.hasTURN {
      guard ChannelData.canBegin(datagram) else { return .notMine }
      guard unannounced == header.channel else {
        unannounced = header.channel
        return .undecided
      }
      facts.hasTURN = true
      isSure = true
      revision &+= 1
    }
    if !facts.hasChannelData {
      facts.hasChannelData = true
      revision &+= 1
    }
    inner = ChannelData.headerLength..<ChannelData.headerLength &+ header.length
    return .mine
  }
}

extension STUNMessage {
  /// Whether it keeps the forms of before RFC 5389.
  fileprivate var isEarly: Bool { isMicrosoft || !hasCookie }
}

extension STUNMessageType {
  /// Whether a DATA attribute in it is a datagram to or from a peer.
  fileprivate func carriesData(isEarly: Bool) -> Bool {
    switch rawValue {
    case 0x0016, 0x0017: true
    case 0x0004, 0x0115: isEarly
    default: false
    }
  }
}
