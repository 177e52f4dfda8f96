import Bytes

//  RFC 7826, sections 7 and 18.54
//
//    SETUP rtsp://example.com/foo/bar/baz.rm RTSP/1.0
//    CSeq: 302
//    Transport: RTP/AVP;unicast;client_port=4588-4589
//
//    RTSP/1.0 200 OK
//    Transport: RTP/AVP;unicast;client_port=4588-4589;server_port=6256-6257;source="192.0.2.5"

/// A port of one side of a flow's hosts that a stream is sent from or to, where the address was not said.
struct AnnouncedPort: Hashable {
  /// Whose port.
  var side: FlowSide
  /// The port.
  var port: UInt16
}

/// Both sides of RTSP: where the streams of a player, not of a call, come from and go to.
struct RTSPConversation {
  /// The most ports that wait to be taken.
  static let maximumPorts = 64

  /// What was read: methods, media and User-Agent or Server.
  private(set) var log = CallLog()
  private var frames = Sides(MessageFrames())
  private var ports: [AnnouncedPort] = []

  /// Bytes that are kept.
  var bufferedBytes: Int { frames.client.bufferedBytes + frames.server.bufferedBytes }
  /// Whether nothing more can be read.
  var isDone: Bool { frames.client.isBroken && frames.server.isBroken }

  /// Whether first bytes are RTSP's; nil while they may become it.
  static func canBeginStream(_ bytes: borrowing RawSpan) -> Bool? {
    if bytes.has("rtsp/1.0 ") || bytes.has("rtsp/2.0 ") { return true }
    var mayGrow =
      ProtocolSignature.isPrefix(bytes, of: "rtsp/1.0 ") || ProtocolSignature.isPrefix(bytes, of: "rtsp/2.0 ")
    for method: StaticString in [
      "describe rtsp", "setup rtsp", "options rtsp", "play rtsp", "announce rtsp", "record rtsp", "get_parameter rtsp",
      "set_parameter rtsp", "pause rtsp", "teardown rtsp", "options * rtsp/",
    ] {
      if bytes.has(method) { return true }
      mayGrow = mayGrow || ProtocolSignature.isPrefix(bytes, of: method)
    }
    return mayGrow ? nil : false
  }

  /// Announcements since the last call: those with an address.
  mutating func takeAnnouncements() -> [AnnouncedEndpoint] { log.takeAnnouncements() }

  /// Ports since the last call, which are those of the flow's own hosts.
  mutating func takePorts() -> [AnnouncedPort] {
    guard !ports.isEmpty else { return [] }
    defer { ports = [] }
    return ports
  }

  /// Takes the next bytes of a stream.
  mutating func consume(stream bytes: borrowing RawSpan, from side: FlowSide) {
    var mine = frames[side]
    frames[side] = MessageFrames()
    mine.consume(bytes) { read($0, from: side) }
    frames[side] = mine
  }

  /// Bytes of a side are lost.
  mutating func skipGap(from side: FlowSide) { frames[side].skipGap() }

  private mutating func read(_ message: borrowing RawSpan, from side: FlowSide) {
    var lines = LineAssembler()
    var isFirst = true
    var isResponse = false
    let header = MessageFrames.headerLength(of: message) ?? message.byteCount
    _ = lines.consume(message.slice(0, header), from: 0) { line in
      if isFirst {
        isFirst = false
        isResponse = line.has("rtsp/")
        let method = line.word(0)
        if !isResponse, method.byteCount <= 16 { log.note(method: visibleText(method)) }
      } else if line.has("transport:") {
        readTransport(line.slice(10, line.byteCount), player: isResponse ? side.opposite : side)
      } else if line.has("user-agent:") || line.has("server:"), log.facts.userAgent == nil,
        let colon = line.firstIndex(of: 0x3a)
      {
        let text = CallLog.text(line.slice(colon &+ 1, line.byteCount).trimmed())
        log.change { $0.userAgent = text }
      }
      return true
    }
    let body = message.slice(header, message.byteCount)
    if body.byteCount > 0, let description = SessionDescription(in: body) {
      for kind in description.media.map(\.kind) { log.note(media: kind) }
    }
  }

  private mutating func readTransport(_ value: borrowing RawSpan, player: FlowSide) {
    var at = 0
    while at < value.byteCount {
      let end = value.firstIndex(of: 0x3b, from: at) ?? value.byteCount
      let part = value.slice(at, end &- at).trimmed()
      at = end &+ 1
      let side: FlowSide
      if part.has("client_port=") {
        side = player
      } else if part.has("server_port=") {
        side = player.opposite
      } else {
        continue
      }
      let numbers = part.slice(12, part.byteCount)
      let dash = numbers.firstIndex(of: 0x2d)
      add(numbers.slice(0, dash ?? numbers.byteCount), of: side)
      if let dash { add(numbers.slice(dash &+ 1, numbers.byteCount), of: side) }
    }
  }

  private mutating func add(_ digits: borrowing RawSpan, of side: FlowSide) {
    guard let port = digits.decimal.flatMap({ UInt16(exactly: $0) }), port != 0, ports.count < Self.maximumPorts else {
      return
    }
    let announced = AnnouncedPort(side: side, port: port)
    if !ports.contains(announced) { ports.append(announced) }
  }
}
