import Bytes

/// Both sides of SIP over datagrams or a stream: who calls whom, and where the media goes.
struct SIPConversation {
  /// What was read.
  private(set) var log = CallLog()
  private var frames = Sides(MessageFrames())
  private var hasCall = false

  /// Bytes that are kept.
  var bufferedBytes: Int { frames.client.bufferedBytes + frames.server.bufferedBytes }
  /// Whether nothing more can be read.
  var isDone: Bool { frames.client.isBroken && frames.server.isBroken }

  /// Announcements since the last call.
  mutating func takeAnnouncements() -> [AnnouncedEndpoint] { log.takeAnnouncements() }

  /// Takes a datagram: a message, or the few bytes that keep a binding alive (RFC 5626, section 4.4).
  mutating func consume(_ datagram: borrowing RawSpan, from side: FlowSide) -> DatagramReading {
    if datagram.byteCount <= 8, Self.isKeepAlive(datagram) { return .mine }
    if read(datagram, from: side) { return .mine }
    // Media may share the port; SIP is text.
    let isText = datagram.byteCount > 0 && (0x20...0x7e).contains(datagram.u8(0))
    return isText ? .broken : .notMine
  }

  /// Takes the next bytes of a stream.
  mutating func consume(stream bytes: borrowing RawSpan, from side: FlowSide) {
    // Moved out and back, so that what it holds is not copied.
    var mine = frames[side]
    frames[side] = MessageFrames()
    mine.consume(bytes) { _ = read($0, from: side) }
    frames[side] = mine
  }

  /// Bytes of a side are lost.
  mutating func skipGap(from side: FlowSide) { frames[side].skipGap() }

  /// Only ends of lines, or zeros.
  private static func isKeepAlive(_ bytes: borrowing RawSpan) -> Bool {
    for i in 0..<bytes.byteCount where bytes.u8(i) != 0x0d && bytes.u8(i) != 0x0a && bytes.u8(i) != 0 { return false }
    return true
  }

  private mutating func read(_ bytes: borrowing RawSpan, from side: FlowSide) -> Bool {
    guard let message = SIPMessage(bytes) else { return false }
    if !message.method.isEmpty { log.note(method: message.method) }
    let isCall = message.method == "INVITE" && !hasCall
    log.change { facts in
      if facts.userAgent == nil { facts.userAgent = message.userAgent }
      guard isCall || facts.callID == nil else { return }
      facts.callID = message.callID ?? facts.callID
      facts.caller = message.from ?? facts.caller
      facts.callee = message.to ?? facts.callee
      if isCall { facts.callerSide = message.isRequest ? side : side.opposite }
    }
    if isCall { hasCall = true }
    let body = bytes.slice(message.bodyOffset, bytes.byteCount)
    if body.byteCount > 0, let description = SessionDescription(in: body) {
      log.note(description, of: message.callID)
    }
    return true
  }
}
