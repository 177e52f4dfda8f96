import Bytes

/// Several datagrams of a flow that speak a messenger's or a call service's own protocol.
///
/// It holds a few numbers and no bytes. The first datagram chooses the protocol; a weak first sign grows sure when later
/// datagrams keep to it, and is dropped when they do not.
package struct MessengerConversation {
  /// Datagrams of another kind after which a weak sign is dropped.
  static let maximumStrangers = 4

  private enum Talk {
    case none
    /// A protocol whose first datagram says all.
    case plain(MessengerSignature)
    case zoom(ZoomConversation)
    case viber(ViberConversation)
    case line(LINEConversation)
    case mumble(MumbleConversation)
    case oicq(OICQConversation)
    case telegram(TelegramReflectorConversation)
  }

  private let serverPort: UInt16
  private let clientPort: UInt16
  private var talk = Talk.none
  private var strangers = 0

  /// What is known; `nil` before a datagram fitted.
  package private(set) var signature: MessengerSignature?
  /// Grows when `signature` becomes another protocol, stronger, or none again.
  package private(set) var revision = 0

  /// A conversation of a flow with these ports.
  package init(serverPort: UInt16, clientPort: UInt16) {
    self.serverPort = serverPort
    self.clientPort = clientPort
  }

  /// Where RTP or RTCP begins in the datagram that was taken last, where the protocol wraps it.
  package var mediaOffset: Int? {
    switch talk {
    case .zoom(let zoom): zoom.mediaOffset
    case .telegram(let telegram): telegram.mediaOffset
    default: nil
    }
  }

  /// Bytes that are kept: none.
  var bufferedBytes: Int { 0 }

  /// Takes a datagram, and says what is known then.
  package mutating func signature(after datagram: borrowing RawSpan, from side: FlowSide) -> MessengerSignature? {
    _ = consume(datagram, from: side)
    return signature
  }

  /// Whether a datagram of an unknown flow can belong to such a conversation.
  static func canBegin(
    _ datagram: borrowing RawSpan, from side: FlowSide, serverPort: UInt16, clientPort: UInt16, ordinal: Int
  ) -> Bool {
    MessengerSignature.recognize(
      datagram: datagram, from: side, serverPort: serverPort, clientPort: clientPort, ordinal: ordinal) != nil
  }

  /// Takes a datagram. `done` means that the protocol is sure and wraps no media: what follows is STUN, RTP or
  /// ciphertext, and other readers may have it.
  mutating func consume(_ datagram: borrowing RawSpan, from side: FlowSide) -> DatagramReading {
    let isFirst = if case .none = talk { true } else { false }
    if isFirst { begin(datagram, from: side) }
    let reading = read(datagram, from: side)
    if reading == .notMine {
      strangers = min(strangers &+ 1, Self.maximumStrangers)
      if signature?.strength != .sure, !isFirst, strangers >= Self.maximumStrangers, !isPlain {
        talk = .none
        signature = nil
        strangers = 0
        revision &+= 1
      }
      return .notMine
    }
    note()
    if let signature, signature.strength == .sure {
      switch talk {
      case .zoom, .telegram: return reading
      default: return .done
      }
    }
    return reading
  }

  /// Whether the protocol shows itself in its first datagrams only.
  private var isPlain: Bool { if case .plain = talk { true } else { false } }

  private mutating func begin(_ datagram: borrowing RawSpan, from side: FlowSide) {
    guard
      let first = MessengerSignature.recognize(
        datagram: datagram, from: side, serverPort: serverPort, clientPort: clientPort, ordinal: 0)
    else { return }
    switch first.messenger {
    case .zoom: talk = .zoom(ZoomConversation())
    case .viberCall: talk = .viber(ViberConversation())
    case .lineCall: talk = .line(LINEConversation())
    case .mumble: talk = .mumble(MumbleConversation())
    case .oicq: talk = .oicq(OICQConversation())
    case .telegramReflector: talk = .telegram(TelegramReflectorConversation())
    default: talk = .plain(first)
    }
  }

  private mutating func read(_ datagram: borrowing RawSpan, from side: FlowSide) -> DatagramReading {
    switch talk {
    case .none: return .notMine
    case .plain(let first):
      let next = MessengerSignature.recognize(
        datagram: datagram, from: side, serverPort: serverPort, clientPort: clientPort, ordinal: 0)
      return next?.messenger == first.messenger ? .mine : .notMine
    case .zoom(var zoom):
      defer { talk = .zoom(zoom) }
      return zoom.consume(datagram, from: side, serverPort, clientPort)
    case .viber(var viber):
      defer { talk = .viber(viber) }
      return viber.consume(datagram)
    case .line(var line):
      defer { talk = .line(line) }
      return line.consume(datagram, from: side)
    case .mumble(var mumble):
      defer { talk = .mumble(mumble) }
      return mumble.consume(datagram, from: side, serverPort: serverPort)
    case .oicq(var oicq):
      defer { talk = .oicq(oicq) }
      return oicq.consume(datagram, serverPort, clientPort)
    case .telegram(var telegram):
      defer { talk = .telegram(telegram) }
      return telegram.consume(datagram)
    }
  }

  /// What the talk amounts to now.
  private mutating func note() {
    let now: MessengerSignature
    switch talk {
    case .none: return
    case .plain(let first): now = first
    case .zoom(let zoom):
      now = MessengerSignature(messenger: .zoom, strength: zoom.strength, mediaOffset: zoom.mediaOffset)
    case .viber(let viber): now = MessengerSignature(messenger: .viberCall, strength: viber.strength)
    case .line(let line): now = MessengerSignature(messenger: .lineCall, strength: line.strength)
    case .mumble(let mumble): now = MessengerSignature(messenger: .mumble, strength: mumble.strength)
    case .oicq(let oicq): now = MessengerSignature(messenger: .oicq, strength: oicq.strength)
    case .telegram(let telegram):
      now = MessengerSignature(
        messenger: .telegramReflector, strength: telegram.strength, mediaOffset: telegram.mediaOffset)
    }
    if signature?.messenger != now.messenger || signature?.strength != now.strength { revision &+= 1 }
    signature = now
  }
}
