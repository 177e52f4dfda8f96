import Bytes

/// One connection of an H.323 call: H.225.0's signalling or H.245's control over TCP, or RAS over UDP.
struct H323Conversation {
  /// What was read.
  private(set) var log = CallLog()
  private var frames = Sides(TPKTFrames())

  /// Bytes that are kept.
  var bufferedBytes: Int { frames.client.bufferedBytes + frames.server.bufferedBytes }
  /// Whether nothing more can be read.
  var isDone: Bool { frames.client.isBroken && frames.server.isBroken }

  /// Whether first bytes of a stream are H.323's; nil while they may become it.
  static func canBeginStream(_ bytes: borrowing RawSpan) -> Bool? {
    guard bytes.byteCount > 0, bytes.u8(0) == 3 else { return bytes.byteCount == 0 ? nil : false }
    guard bytes.byteCount >= TPKTFrames.headerLength else { return bytes.byteCount > 1 && bytes.u8(1) != 0 ? false : nil }
    guard TPKTFrames.isHeader(bytes, at: 0) else { return false }
    let length = Int(bytes.u16(2)) &- TPKTFrames.headerLength
    let body = bytes.slice(TPKTFrames.headerLength, length)
    if Q931Message.canBegin(body) || H245Message.canBegin(body) { return true }
    guard length >= Q931Message.headerLength, body.byteCount > 0 else { return length == 0 || body.byteCount > 0 ? false : nil }
    let isPossible = body.u8(0) == 8 && (body.byteCount < 2 || body.u8(1) == 2) || body.u8(0) == 2
    return isPossible && body.byteCount < min(length, 12) ? nil : false
  }

  /// Announcements since the last call.
  mutating func takeAnnouncements() -> [AnnouncedEndpoint] { log.takeAnnouncements() }

  /// Takes a datagram of RAS.
  mutating func consume(_ datagram: borrowing RawSpan, from side: FlowSide) -> DatagramReading {
    guard RASMessage.canBegin(datagram, isPort: true), let message = RASMessage(datagram) else { return .broken }
    log.note(method: message.name)
    return .mine
  }

  /// Takes the next bytes of a stream.
  mutating func consume(stream bytes: borrowing RawSpan, from side: FlowSide) {
    var mine = frames[side]
    frames[side] = TPKTFrames()
    mine.consume(bytes) { read($0, from: side) }
    frames[side] = mine
  }

  /// Bytes of a side are lost.
  mutating func skipGap(from side: FlowSide) { frames[side].skipGap() }

  private mutating func read(_ packet: borrowing RawSpan, from side: FlowSide) {
    if let message = Q931Message(packet) {
      log.note(method: message.name)
      if message.name == "SETUP" {
        log.change { facts in
          guard facts.callerSide == nil else { return }
          facts.callerSide = side
          facts.callID = String(message.reference)
          facts.caller = message.calling
          facts.callee = message.called
        }
      }
      // Addresses of control connections, and in fastStart of media: which is which is not told apart here.
      guard let userUser = message.userUser else { return }
      let content = packet.slice(userUser.lowerBound, userUser.count)
      for endpoint in H245Message.endpoints(in: content) where endpoint.port != 1720 {
        log.announce(AnnouncedEndpoint(endpoint, source: .signalling))
      }
    } else if let message = H245Message(packet) {
      log.note(method: message.rawValue)
      guard message == .openLogicalChannel || message == .openLogicalChannelAck else { return }
      for endpoint in H245Message.endpoints(in: packet) { log.announce(rtp: endpoint, media: nil) }
    }
  }
}
