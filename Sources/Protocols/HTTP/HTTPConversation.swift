import Bytes

//  RFC 9112, sections 2.1, 3 and 4
//
//    GET /path HTTP/1.1 CRLF             HTTP/1.1 200 OK CRLF
//    Host: example.com CRLF              Name: value CRLF
//    CRLF                                CRLF

/// Both sides of an HTTP/1 connection, up to the end of the first request's header and the first response's.
struct HTTPConversation {
  /// The most bytes of a header that are read: servers of today refuse more than 8 to 64 KiB.
  static let maximumHeaderLength = 1 << 15
  /// The longest text that is kept of a header field.
  static let maximumFieldLength = 1024
  /// Bytes of a side after which the other, silent one is given up.
  static let maximumBytesWithoutReply = 1 << 16

  private enum Phase {
    case start, header, done, tunnel
  }

  private struct Side {
    var lines = LineAssembler()
    var phase = Phase.start
    var isResponse = false
    var bytes = 0
  }

  private var sides = Sides(Side())
  /// What was read.
  private(set) var facts = HTTPFacts()
  /// How it was seen.
  private(set) var notes: [String] = []
  /// Whether a request or status line was read.
  private(set) var isSure = false
  private var isConnect = false
  private var hasAbsoluteTarget = false
  private var hasHostField = false

  /// Bytes that are kept.
  var bufferedBytes: Int { sides.client.lines.bufferedBytes + sides.server.lines.bufferedBytes }

  /// Whether nothing more can be learned.
  var isDone: Bool {
    let ended = hasEnded(.client) && hasEnded(.server)
    let isSilent = sides.client.bytes + sides.server.bytes > Self.maximumBytesWithoutReply
    return ended || isSilent && !isConnect
  }

  /// Whether a tunnel was asked for and not given.
  var isRefused: Bool {
    guard isConnect, let status = facts.status, hasEnded(.server) || hasEnded(.client) else { return false }
    return !(200..<300).contains(status)
  }

  private func hasEnded(_ side: FlowSide) -> Bool { sides[side].phase == .done || sides[side].phase == .tunnel }

  /// Takes the next bytes of a side.
  /// - Returns: the offset from which on the bytes are those of a tunnel that CONNECT opened; `nil` while there is none.
  mutating func consume(_ bytes: borrowing RawSpan, from side: FlowSide) -> Int? {
    sides[side].bytes &+= bytes.byteCount
    guard sides[side].phase != .done else { return nil }
    guard sides[side].phase != .tunnel else { return 0 }
    if sides[side].bytes &- bytes.byteCount > Self.maximumHeaderLength {
      notes.append("HTTP header longer than \(Self.maximumHeaderLength) bytes: not read to its end")
      sides[side] = Side()
      sides[side].phase = .done
      return nil
    }
    var lines = sides[side].lines
    sides[side].lines = LineAssembler()
    let end = lines.consume(bytes, from: 0) { line in
      read(line, from: side)
      return sides[side].phase == .start || sides[side].phase == .header
    }
    switch sides[side].phase {
    case .start, .header:
      sides[side].lines = lines
      return nil
    case .done: return nil
    case .tunnel: return end
    }
  }

  /// Bytes of a side are lost: what is left of its header is not read.
  mutating func skipGap(from side: FlowSide) {
    if sides[side].phase == .tunnel { return }
    sides[side].lines = LineAssembler()
    sides[side].phase = .done
  }

  private mutating func read(_ line: borrowing RawSpan, from side: FlowSide) {
    if sides[side].phase == .start {
      // An empty line before a request is to be ignored (RFC 9112, section 2.2).
      if line.byteCount == 0 { return }
      sides[side].phase = begin(line, from: side) ? .header : .done
    } else if line.byteCount == 0 {
      sides[side].phase = phaseAfterHeader(of: side)
    } else if !sides[side].isResponse {
      readField(line)
    }
  }

  private mutating func phaseAfterHeader(of side: FlowSide) -> Phase {
    guard sides[side].isResponse else { return isConnect ? .tunnel : .done }
    guard let status = facts.status else { return .start }
    return isConnect && (200..<300).contains(status) ? .tunnel : .done
  }

  private mutating func begin(_ line: borrowing RawSpan, from side: FlowSide) -> Bool {
    if line.has("http/1.") {
      sides[side].isResponse = true
      isSure = true
      guard line.byteCount >= 12, let status = Int(visibleText(line.slice(9, 3))) else { return false }
      // 1xx announce another response, but for 101, which is the last of HTTP (RFC 9110, section 15.2).
      if facts.status == nil, status >= 200 || status == 101 { facts.status = status }
      return true
    }
    guard let space = line.firstIndex(of: 0x20), space > 0, space <= 20 else { return false }
    let rest = line.slice(space &+ 1, line.byteCount)
    guard let end = rest.firstIndex(of: 0x20), rest.has("http/1.", at: end &+ 1) else { return false }
    isSure = true
    guard facts.method == nil else { return true }
    facts.method = visibleText(line.slice(0, space))
    let target = rest.slice(0, end)
    if line.has("connect ") {
      isConnect = true
      facts.host = host(ofAuthority: target)
    } else if let authority = authority(ofAbsolute: target) {
      facts.host = authority
      hasAbsoluteTarget = true
    }
    return true
  }

  private mutating func readField(_ line: borrowing RawSpan) {
    if line.has("host:"), facts.host == nil || !isConnect && !hasAbsoluteTarget && !hasHostField {
      hasHostField = true
      let host = host(ofAuthority: line.slice(5, line.byteCount).trimmed())
      facts.host = host.isEmpty ? nil : host
    } else if line.has("user-agent:"), facts.userAgent == nil {
      facts.userAgent = visibleText(line.slice(11, line.byteCount).trimmed().slice(0, Self.maximumFieldLength))
    }
  }

  /// "host" of "user@host:port" and "[address]:port".
  private func host(ofAuthority authority: borrowing RawSpan) -> String {
    var start = 0
    while let at = authority.firstIndex(of: 0x40, from: start) { start = at &+ 1 }
    let host = authority.slice(start, authority.byteCount)
    if host.byteCount > 0, host.u8(0) == 0x5b, let close = host.firstIndex(of: 0x5d) {
      return visibleText(host.slice(1, min(close &- 1, Self.maximumFieldLength)))
    }
    let end = host.firstIndex(of: 0x3a) ?? host.byteCount
    return visibleText(host.slice(0, min(end, Self.maximumFieldLength)))
  }

  /// The host of "http://host/path" (RFC 9112, section 3.2.2).
  private func authority(ofAbsolute target: borrowing RawSpan) -> String? {
    let start: Int
    if target.has("http://") {
      start = 7
    } else if target.has("https://") {
      start = 8
    } else {
      return nil
    }
    let end = target.firstIndex(of: 0x2f, from: start) ?? target.byteCount
    return host(ofAuthority: target.slice(start, end &- start))
  }
}
