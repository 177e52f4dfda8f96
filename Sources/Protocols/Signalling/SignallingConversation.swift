import Bytes

/// Both sides of a flow of call signalling, whatever the protocol.
package struct SignallingConversation {
  private enum Reader {
    case sip(SIPConversation)
    case rtsp(RTSPConversation)
    case mgcp(MGCPConversation)
    case megaco(MEGACOConversation)
    case h323(H323Conversation)
    case skinny(SkinnyConversation)
    case iax2(IAX2Conversation)
    case bfcp(BFCPConversation)
    case esp(ESPConversation)
    /// Nothing more is read.
    case none
  }

  /// What it is.
  private(set) var kind: SignallingKind
  private var reader: Reader

  /// A conversation of a protocol that `SignallingKind` recognised. Allocates nothing.
  package init(_ kind: SignallingKind) {
    self.kind = kind
    reader =
      switch kind {
      case .sip: .sip(SIPConversation())
      case .rtsp: .rtsp(RTSPConversation())
      case .mgcp: .mgcp(MGCPConversation())
      case .megaco: .megaco(MEGACOConversation())
      case .h323: .h323(H323Conversation())
      case .skinny: .skinny(SkinnyConversation())
      case .iax2: .iax2(IAX2Conversation())
      case .bfcp: .bfcp(BFCPConversation())
      case .esp: .esp(ESPConversation())
      case .ike: .none
      }
  }

  /// The protocol's name in records.
  var application: ApplicationProtocol { kind.application }

  /// What was read; empty for IKE and ESP.
  package var facts: CallFacts { log?.facts ?? CallFacts() }

  /// Grows when the facts change or an announcement waits.
  var revision: Int { log?.revision ?? 0 }

  /// Whether it is certain; only ESP needs more than one datagram.
  var isSure: Bool {
    if case .esp(let esp) = reader { return esp.isSure }
    return true
  }

  /// Whether nothing more can be read.
  var isDone: Bool {
    switch reader {
    case .none: true
    case .sip(let sip): sip.isDone
    case .rtsp(let rtsp): rtsp.isDone
    case .megaco(let megaco): megaco.isDone
    case .h323(let h323): h323.isDone
    case .skinny(let skinny): skinny.isDone
    case .bfcp(let bfcp): bfcp.isDone
    case .mgcp, .iax2: false
    case .esp(let esp): esp.isSure
    }
  }

  /// Bytes that are kept.
  package var bufferedBytes: Int {
    switch reader {
    case .sip(let sip): sip.bufferedBytes
    case .rtsp(let rtsp): rtsp.bufferedBytes
    case .megaco(let megaco): megaco.bufferedBytes
    case .h323(let h323): h323.bufferedBytes
    case .skinny(let skinny): skinny.bufferedBytes
    case .bfcp(let bfcp): bfcp.bufferedBytes
    case .mgcp, .iax2, .esp, .none: 0
    }
  }

  /// What a reader should know.
  var notes: [String] {
    guard let dropped = log?.dropped, dropped > 0 else { return [] }
    return ["more than \(CallLog.maximumAnnouncements) addresses of media at once: \(dropped) left out"]
  }

  private var log: CallLog? {
    switch reader {
    case .sip(let sip): sip.log
    case .rtsp(let rtsp): rtsp.log
    case .mgcp(let mgcp): mgcp.log
    case .megaco(let megaco): megaco.log
    case .h323(let h323): h323.log
    case .skinny(let skinny): skinny.log
    case .iax2(let iax2): iax2.log
    case .bfcp(let bfcp): bfcp.log
    case .esp, .none: nil
    }
  }
}

extension SignallingConversation {
  /// Moves the reader out, so that what it holds is not copied when it changes; it must be put back.
  private mutating func takeReader() -> Reader {
    defer { reader = .none }
    return reader
  }

  /// Takes a datagram.
  package mutating func consume(datagram: borrowing RawSpan, from side: FlowSide) -> DatagramReading {
    switch takeReader() {
    case .sip(var sip):
      defer { reader = .sip(sip) }
      return sip.consume(datagram, from: side)
    case .mgcp(var mgcp):
      defer { reader = .mgcp(mgcp) }
      return mgcp.consume(datagram, from: side)
    case .megaco(var megaco):
      defer { reader = .megaco(megaco) }
      return megaco.consume(datagram, from: side)
    case .h323(var h323):
      defer { reader = .h323(h323) }
      return h323.consume(datagram, from: side)
    case .iax2(var iax2):
      defer { reader = .iax2(iax2) }
      return iax2.consume(datagram, from: side)
    case .bfcp(var bfcp):
      defer { reader = .bfcp(bfcp) }
      return bfcp.consume(datagram, from: side)
    case .esp(var esp):
      defer { reader = .esp(esp) }
      let reading = esp.consume(datagram, from: side)
      if IKEHeader.canBegin(datagram) { kind = .ike }
      return reading
    case .none:
      return .done
    case let other:
      reader = other
      return .notMine
    }
  }

  /// Takes the next bytes of a TCP stream: in order, without gaps, each byte once.
  package mutating func consume(stream bytes: borrowing RawSpan, from side: FlowSide) {
    switch takeReader() {
    case .sip(var sip):
      sip.consume(stream: bytes, from: side)
      reader = .sip(sip)
    case .rtsp(var rtsp):
      rtsp.consume(stream: bytes, from: side)
      reader = .rtsp(rtsp)
    case .megaco(var megaco):
      megaco.consume(stream: bytes, from: side)
      reader = .megaco(megaco)
    case .h323(var h323):
      h323.consume(stream: bytes, from: side)
      reader = .h323(h323)
    case .skinny(var skinny):
      skinny.consume(stream: bytes, from: side)
      reader = .skinny(skinny)
    case .bfcp(var bfcp):
      bfcp.consume(stream: bytes, from: side)
      reader = .bfcp(bfcp)
    case let other:
      reader = other
    }
  }

  /// Says that bytes of the stream are lost for good.
  package mutating func skipGap(from side: FlowSide) {
    switch takeReader() {
    case .sip(var sip):
      sip.skipGap(from: side)
      reader = .sip(sip)
    case .rtsp(var rtsp):
      rtsp.skipGap(from: side)
      reader = .rtsp(rtsp)
    case .megaco(var megaco):
      megaco.skipGap(from: side)
      reader = .megaco(megaco)
    case .h323(var h323):
      h323.skipGap(from: side)
      reader = .h323(h323)
    case .skinny(var skinny):
      skinny.skipGap(from: side)
      reader = .skinny(skinny)
    case .bfcp(var bfcp):
      bfcp.skipGap(from: side)
      reader = .bfcp(bfcp)
    case let other:
      reader = other
    }
  }

  /// Where media will come from or go to, as said since the last call.
  package mutating func takeAnnouncements() -> [AnnouncedEndpoint] {
    switch takeReader() {
    case .sip(var sip):
      defer { reader = .sip(sip) }
      return sip.takeAnnouncements()
    case .mgcp(var mgcp):
      defer { reader = .mgcp(mgcp) }
      return mgcp.takeAnnouncements()
    case .megaco(var megaco):
      defer { reader = .megaco(megaco) }
      return megaco.takeAnnouncements()
    case .h323(var h323):
      defer { reader = .h323(h323) }
      return h323.takeAnnouncements()
    case .skinny(var skinny):
      defer { reader = .skinny(skinny) }
      return skinny.takeAnnouncements()
    case let other:
      reader = other
      return []
    }
  }
}
