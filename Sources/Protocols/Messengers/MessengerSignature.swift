import Bytes

/// A wire protocol that one messenger or one call service speaks.
package enum MessengerProtocol: UInt8, Sendable, CaseIterable {
  case whatsapp, mtproto, mtprotoObfuscated, telegramReflector, threema, viber, viberCall, lineCall, kakaotalk, mmtls
  case mars, oicq, discord, zoom, msTURN, webex, mumble, teamSpeak, mqttot, fcm, hmsPush, miPush

  /// Its name in records.
  package var application: ApplicationProtocol {
    switch self {
    case .whatsapp: .whatsapp
    case .mtproto: .mtproto
    case .mtprotoObfuscated: .mtprotoObfuscated
    case .telegramReflector: .telegramReflector
    case .threema: .threema
    case .viber: .viber
    case .viberCall: .viberCall
    case .lineCall: .lineCall
    case .kakaotalk: .kakaotalk
    case .mmtls: .mmtls
    case .mars: .mars
    case .oicq: .oicq
    case .discord: .discord
    case .zoom: .zoom
    case .msTURN: .msTURN
    case .webex: .webex
    case .mumble: .mumble
    case .teamSpeak: .teamSpeak
    case .mqttot: .mqttot
    case .fcm: .fcm
    case .hmsPush: .hmsPush
    case .miPush: .miPush
    }
  }
}

extension MessengerProtocol {
  /// Whether only calls speak it.
  var isCall: Bool {
    switch self {
    case .telegramReflector, .viberCall, .lineCall, .discord, .zoom, .msTURN, .webex, .mumble, .teamSpeak: true
    default: false
    }
  }
}

/// A messenger's own protocol, as far as some bytes show it.
package struct MessengerSignature: Equatable, Sendable {
  /// What the bytes are worth.
  package enum Strength: UInt8, Comparable, Sendable {
    /// They fit, but other things fit too: of use only beside the service's own addresses or ports, never alone.
    case weak
    /// Nothing else that is known looks so.
    case sure

    package static func < (a: Strength, b: Strength) -> Bool { a.rawValue < b.rawValue }
  }

  /// The protocol.
  package var messenger: MessengerProtocol
  /// What the bytes are worth.
  package var strength: Strength
  /// Where RTP or RTCP begins in the datagram, where its protocol wraps it.
  package var mediaOffset: Int?

  /// The protocol's name in records.
  package var application: ApplicationProtocol { messenger.application }

  static func sure(_ messenger: MessengerProtocol, mediaOffset: Int? = nil) -> MessengerSignature {
    MessengerSignature(messenger: messenger, strength: .sure, mediaOffset: mediaOffset)
  }

  static func weak(_ messenger: MessengerProtocol, mediaOffset: Int? = nil) -> MessengerSignature {
    MessengerSignature(messenger: messenger, strength: .weak, mediaOffset: mediaOffset)
  }
}

/// Whether the first bytes of a stream are a messenger's.
package enum MessengerRecognition: Equatable, Sendable {
  case mine(MessengerSignature)
  /// They may become one.
  case needMore
  case notMine
}

extension MessengerSignature {
  /// The most first bytes of a stream that a decision takes.
  package static let maximumLength = 512

  /// What one datagram of an otherwise unknown UDP flow shows.
  ///
  /// It allocates nothing, and costs a look at the first byte and at two offsets for a datagram that is nobody's.
  /// `MessengerConversation` joins what several datagrams show.
  /// - Parameters:
  ///   - datagram: the UDP payload.
  ///   - side: who sent it.
  ///   - serverPort: the port of the side that did not open the flow.
  ///   - clientPort: the port of the side that opened it.
  ///   - ordinal: how many datagrams of the flow came before; handshakes count only among the first.
  /// - Returns: the protocol and what the datagram is worth, or `nil`.
  package static func recognize(
    datagram: borrowing RawSpan, from side: FlowSide, serverPort: UInt16, clientPort: UInt16, ordinal: Int
  ) -> MessengerSignature? {
    guard datagram.byteCount >= 6 else { return nil }
    switch datagram.u8(0) {
    case 0x00:
      if DiscordVoice.recognize(datagram) { return .sure(.discord) }
      if let mumble = MumblePing.recognize(datagram, serverPort: serverPort) { return mumble }
    case 0x01, 0x02:
      if ordinal < 4, WebexProbe.recognize(datagram, serverPort: serverPort) { return .weak(.webex) }
      if let zoom = ZoomPacket.recognize(datagram, serverPort, clientPort) { return zoom }
      if let oicq = OICQPacket.recognize(datagram: datagram, serverPort, clientPort) { return oicq }
    case 0x03, 0x04, 0x05, 0x1f:
      if let zoom = ZoomPacket.recognize(datagram, serverPort, clientPort) { return zoom }
    case 0x13:
      if DiscordVoice.recognize(datagram) { return .sure(.discord) }
    case 0x54:
      if TeamSpeakInit.recognize(datagram) { return .sure(.teamSpeak) }
    case 0xb6, 0xd0...0xdf:
      if let line = LINEPacket.recognize(datagram) { return line }
    default: break
    }
    if let telegram = TelegramReflector.recognize(datagram) { return telegram }
    return ViberPacket.recognize(datagram)
  }

  /// What the first bytes of a side of an otherwise unknown TCP stream show.
  /// - Parameters:
  ///   - bytes: the stream from its first byte, at most `maximumLength` of them need be given.
  ///   - side: who sent them.
  ///   - serverPort: the port of the side that did not open the flow.
  /// - Returns: the protocol, or whether more bytes could become one.
  package static func recognize(
    stream bytes: borrowing RawSpan, from side: FlowSide, serverPort: UInt16
  ) -> MessengerRecognition {
    guard bytes.byteCount > 0 else { return .needMore }
    let fixed = recognize(fixed: bytes, from: side, serverPort: serverPort)
    if fixed != .notMine { return fixed }
    if let loco = LocoPacket.recognize(clear: bytes) { return .mine(loco) }
    if let oicq = OICQPacket.recognize(stream: bytes) { return .mine(oicq) }
    if side == .client, let full = MTProtoTransport.recognize(full: bytes) { return .mine(full) }
    if let viber = ViberFrame.recognize(bytes, serverPort: serverPort) { return .mine(viber) }
    if side == .client, MTProtoTransport.looksObfuscated(bytes, serverPort: serverPort) {
      return .mine(.weak(.mtprotoObfuscated))
    }
    return .notMine
  }

  /// The protocols whose first byte is fixed.
  private static func recognize(
    fixed bytes: borrowing RawSpan, from side: FlowSide, serverPort: UInt16
  ) -> MessengerRecognition {
    switch bytes.u8(0) {
    case 0x00:
      let loco = LocoPacket.recognize(handshake: bytes)
      return loco == .notMine ? MarsLongLink.recognize(bytes) : loco
    case 0x02, 0x03: return MSTURNFrame.recognize(bytes)
    case 0x10: return MQTToTConnect.recognize(bytes)
    case 0x15, 0x16, 0x17, 0x19: return MMTLSRecord.recognize(bytes)
    case 0x25: return HMSPushFrame.recognize(bytes, from: side)
    case 0x26:
      let push = HMSPushFrame.recognize(bytes, from: side)
      return push == .notMine ? MCSLogin.recognize(bytes) : push
    case 0x27...0x29: return MCSLogin.recognize(bytes)
    case 0x3c: return MiPushBlob.recognize(stanza: bytes)
    case 0x45, 0x57: return side == .client ? WhatsAppPrologue.recognize(bytes) : .notMine
    case 0x50, 0x70: return MMTLSRecord.recognize(request: bytes)
    case 0xc2: return MiPushBlob.recognize(bytes)
    case 0xdd, 0xee, 0xef: return side == .client ? MTProtoTransport.recognize(bytes) : .notMine
    default: return .notMine
    }
  }
}
