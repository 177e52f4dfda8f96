import Bytes

/// A protocol of call signalling, or one of those that share its ports and are told from it here.
package enum SignallingKind: Sendable {
  case sip, rtsp, mgcp, megaco, h323, skinny, iax2, bfcp, ike, esp

  /// Its name in records, as in Suricata's `app_proto` where it has the name.
  var application: ApplicationProtocol {
    switch self {
    case .sip: .sip
    case .rtsp: .rtsp
    case .mgcp: "mgcp"
    case .megaco: "megaco"
    case .h323: "h323"
    case .skinny: "skinny"
    case .iax2: "iax2"
    case .bfcp: "bfcp"
    case .ike: "ike"
    case .esp: "esp"
    }
  }

  /// Whether it sets up calls: not the players of RTSP, nor the tunnels of IKE and ESP.
  var isCalling: Bool {
    switch self {
    case .rtsp, .ike, .esp: false
    default: true
    }
  }
}

/// What the first bytes of a stream show.
package enum SignallingRecognition: Equatable {
  case mine(SignallingKind)
  /// They may become one.
  case needMore
  case notMine
}

extension SignallingKind {
  /// The most bytes of a stream that a decision takes.
  static let maximumLength = 512

  /// What a datagram begins; nil for none of these. Allocates nothing, and is strict enough for every datagram of an
  /// unknown flow.
  package init?(datagram: borrowing RawSpan, ports: (UInt16, UInt16)) {
    guard datagram.byteCount >= 8 else { return nil }
    func isPort(_ port: UInt16) -> Bool { ports.0 == port || ports.1 == port }
    if let kind = Self.text(datagram, isMGCP: isPort(2427) || isPort(2727)) {
      self = kind
    } else if MEGACOConversation.canBegin(datagram) {
      self = .megaco
    } else if IKEHeader.canBegin(datagram) {
      self = .ike
    } else if IAX2Conversation.canBegin(datagram, isPort: isPort(IAX2Conversation.port)) {
      self = .iax2
    } else if RASMessage.canBegin(datagram, isPort: isPort(1718) || isPort(1719)) {
      self = .h323
    } else if BFCPMessage.canBegin(datagram) {
      self = .bfcp
    } else if ESPConversation.canBegin(datagram, isPort: isPort(IKEHeader.portBehindNAT)) {
      self = .esp
    } else {
      return nil
    }
  }

  private static func text(_ datagram: borrowing RawSpan, isMGCP: Bool) -> SignallingKind? {
    let first = datagram.u8(0)
    guard (0x20...0x7e).contains(first) || first == 0x0d || first == 0x0a else { return nil }
    if SIPMessage.canBegin(datagram) { return .sip }
    return MGCPConversation.canBegin(datagram, isPort: isMGCP) ? .mgcp : nil
  }

  /// What the first bytes of a side of a stream show.
  package static func recognize(stream bytes: borrowing RawSpan, ports: (UInt16, UInt16)) -> SignallingRecognition {
    let isSkinny = ports.0 == SkinnyConversation.port || ports.1 == SkinnyConversation.port
    var mayGrow = false
    func judge(_ answer: Bool?) -> Bool {
      if answer == nil { mayGrow = true }
      return answer == true
    }
    if judge(SIPMessage.canBeginStream(bytes)) { return .mine(.sip) }
    if judge(RTSPConversation.canBeginStream(bytes)) { return .mine(.rtsp) }
    if judge(H323Conversation.canBeginStream(bytes)) { return .mine(.h323) }
    if judge(MEGACOConversation.canBeginStream(bytes)) { return .mine(.megaco) }
    if judge(BFCPMessage.canBeginStream(bytes)) { return .mine(.bfcp) }
    if judge(SkinnyConversation.canBeginStream(bytes, isPort: isSkinny)) { return .mine(.skinny) }
    return mayGrow && bytes.byteCount < maximumLength ? .needMore : .notMine
  }
}
