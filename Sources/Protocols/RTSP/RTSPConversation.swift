import Bytes

//  RFC 7826, sections 7 and 18.54
//
//    SETUP rtsp://example.com/foo/bar/baz.rm RTSP/1.0
//    CSeq: 302
//    Transport: RTP/AVP;unicast;client_port=4588-4589
//
//    RTSP/1.0 200 OK
//    Transport: RTP/AVP;unicast;client_port=4588-4589;server_port=6256-6257;source="192.0.2.5"

/// Both sides of RTSP: a player and its streams, not a call.
struct RTSPConversation {
  /// What was read: methods, media and User-Agent or Server.
  private(set) var log = CallLog()
  private var frames = Sides(MessageFrames())

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
    let header = MessageFrames.headerLength(of: message) ?? message.byteCount
    _ = lines.consume(message.slice(0, header), from: 0) { line in
      if isFirst {
        isFirst = false
        let method = line.word(0)
        if !line.has("rtsp/"), method.byteCount <= 16 { log.note(method: visibleText(method)) }
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
}
