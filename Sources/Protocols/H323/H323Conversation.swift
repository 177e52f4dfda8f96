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
    guard bytes.byteCount >= TPKTFrames.headerLength else {
      return bytes.byteCount > 1 && bytes.u8(1) != 0 ? false : nil
    }
    guard TPKTFrames.isHeader(bytes, at: 0) else { return false }
    let length = Int(bytes.u16(2)) &- TPKTFrames.headerLength
    let body = bytes.slice(TPKTFrames.headerLength, length)
    if Q931Message.canBegin(body) || H245Message.canBegin(body) { return true }
    guard length >= Q931Message.headerLength, body.byteCount > 0 else {
      return length == 0 || body.byteCount > 0 ? false : nil
    }
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
      guard let userUser = message.userUser else { return }
      let content = packet.slice(userUser.lowerBound, userUser.count)
      if let control = Self.controlEndpoint(in: content) {
        log.announce(AnnouncedEndpoint(control, source: .signalling))
      }
      for endpoint in H245Message.endpoints(in: content, onlyPairs: true) { log.announce(rtp: endpoint, media: nil) }
    } else if let message = H245Message(packet) {
      log.note(method: message.rawValue)
      guard message == .openLogicalChannel || message == .openLogicalChannelAck else { return }
      for endpoint in H245Message.endpoints(in: packet) { log.announce(rtp: endpoint, media: nil) }
    }
  }

  /// Where H.245 is to be had: in SETUP and CONNECT an h245Address may stand right behind the protocol's identifier
  /// {itu-t 0 8 2250 0 version} (H.225.0, annex H).
  private static func controlEndpoint(in content: borrowing RawSpan) -> Endpoint? {
    for at in 0..<min(content.byteCount, 16) where content.holds(8, at: at) && content.u32(at) == 0x0600_0891 {
      guard content.u16(at &+ 4) == 0x4a00, content.u8(at &+ 7) == 0 else { continue }
      return H245Message.endpoint(in: content, at: at &+ 8)
    }
    return nil
  }
}
