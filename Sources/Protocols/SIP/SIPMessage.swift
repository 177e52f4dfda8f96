import Bytes

//  RFC 3261, section 7
//
//    INVITE sip:bob@biloxi.example.com SIP/2.0          SIP/2.0 200 OK
//    Via: SIP/2.0/TCP client.example.com:5060           Via: ...
//    From: Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl
//    t: Bob <sip:bob@biloxi.example.com>
//    Call-ID: 3848276298220188511@atlanta.example.com
//    CSeq: 1 INVITE
//    Content-Length: 151
//
//    v=0 ...
//
//  A field may go on in the next line, which then begins with a space (section 7.3.1). Names have any case, and some a
//  form of one letter (section 7.3.3). Lines of real senders may end in a bare LF.

/// A message of SIP, read leniently: what cannot be read is left out.
struct SIPMessage: Equatable {
  /// The longest start line that is looked at.
  static let maximumLineLength = 2048
  /// The longest method; those in use have at most nine letters.
  static let maximumMethodLength = 64
  /// The most fields that are looked at.
  static let maximumFields = 128

  /// The method of a request, that of CSeq in a response; empty where neither can be read.
  private(set) var method = ""
  /// The status of a response.
  private(set) var status: Int?
  /// Call-ID.
  private(set) var callID: String?
  /// The addresses of From and To, without names, parameters and tags.
  private(set) var from: String?, to: String?
  /// User-Agent, or else Server.
  private(set) var userAgent: String?
  /// Where the body begins.
  private(set) var bodyOffset: Int

  /// Whether it is a request.
  var isRequest: Bool { status == nil }

  /// Whether bytes begin with a start line of SIP, after empty lines (RFC 3261, section 7.5). Allocates nothing.
  static func canBegin(_ bytes: borrowing RawSpan) -> Bool {
    let start = firstLine(of: bytes)
    let line = startLine(bytes, from: start)
    guard start < 8, line.byteCount >= 10 else { return false }
    if line.has("sip/2.0 ") {
      guard let status = line.slice(8, 3).decimal, (100..<700).contains(status) else { return false }
      return line.byteCount == 11 || line.u8(11) <= 0x20
    }
    let method = line.word(0), uri = line.word(1)
    // Spaces inside a URI are wrong, and seen (RFC 4475, section 3.1.2.8): the version is looked for at the end.
    var end = line.byteCount
    while end > 0, line.u8(end &- 1) <= 0x20 { end &-= 1 }
    guard end >= 12, line.has(" sip/2.0", at: end &- 8), (1...maximumMethodLength).contains(method.byteCount) else {
      return false
    }
    for i in 0..<method.byteCount where !isToken(method.u8(i)) { return false }
    return uri.firstIndex(of: 0x3a).map { $0 > 0 } ?? false
  }

  /// Whether first bytes of a stream are SIP's; nil while they may become it.
  static func canBeginStream(_ bytes: borrowing RawSpan) -> Bool? {
    let start = firstLine(of: bytes)
    let rest = bytes.slice(start, bytes.byteCount)
    if rest.byteCount == 0 { return start <= 4 ? nil : false }
    if rest.has("sip/2.0 ") { return true }
    if ProtocolSignature.isPrefix(rest, of: "sip/2.0 ") { return nil }
    guard let space = rest.firstIndex(of: 0x20) else {
      for i in 0..<rest.byteCount where !isToken(rest.u8(i)) { return false }
      return rest.byteCount <= 16 ? nil : false
    }
    guard (3...maximumMethodLength).contains(space) else { return false }
    for i in 0..<space where !isToken(rest.u8(i)) { return false }
    let uri = rest.slice(space &+ 1, rest.byteCount)
    var mayGrow = false
    for scheme: StaticString in ["sip:", "sips:", "<sip:", "urn:service:"] {
      if uri.has(scheme) { return true }
      mayGrow = mayGrow || ProtocolSignature.isPrefix(uri, of: scheme)
    }
    // Of other schemes SIP has few, and other protocols of text have them too: the line must be whole.
    if uri.has("tel:") {
      guard uri.firstIndex(of: 0x0a) != nil else { return uri.byteCount <= 256 ? nil : false }
      return canBegin(rest)
    }
    return mayGrow || ProtocolSignature.isPrefix(uri, of: "tel:") ? nil : false
  }

  /// Reads a message.
  /// - Returns: nil where it does not begin with a start line of SIP.
  init?(_ bytes: borrowing RawSpan) {
    guard Self.canBegin(bytes) else { return nil }
    let start = Self.firstLine(of: bytes)
    let line = Self.startLine(bytes, from: start)
    if line.has("sip/2.0 ") {
      status = line.slice(8, 3).decimal
    } else {
      method = visibleText(line.word(0))
    }
    bodyOffset = bytes.byteCount
    guard var at = bytes.firstIndex(of: 0x0a, from: start) else { return }
    at &+= 1
    for _ in 0..<Self.maximumFields {
      guard at < bytes.byteCount else { return }
      let end = Self.endOfField(bytes, from: at)
      let field = bytes.slice(at, end &- at)
      at = min(end, bytes.byteCount)
      if field.byteCount == 0 || field.u8(0) == 0x0a || field.has("\r\n") {
        bodyOffset = at
        return
      }
      read(field)
    }
    bodyOffset = bytes.byteCount
    if let header = MessageFrames.headerLength(of: bytes.slice(start, bytes.byteCount)) { bodyOffset = start &+ header }
  }

  /// The offset behind the field at `start` and the lines that continue it; an empty line is a field of its own.
  private static func endOfField(_ bytes: borrowing RawSpan, from start: Int) -> Int {
    var at = start
    while let end = bytes.firstIndex(of: 0x0a, from: at) {
      at = end &+ 1
      let isEmpty = end == start || end == start &+ 1 && bytes.u8(start) == 0x0d
      if isEmpty || at >= bytes.byteCount || bytes.u8(at) != 0x20 && bytes.u8(at) != 0x09 { return at }
    }
    return bytes.byteCount
  }

  private mutating func read(_ field: borrowing RawSpan) {
    guard let colon = field.firstIndex(of: 0x3a), colon > 0 else { return }
    let name = field.slice(0, colon).trimmed()
    func isNamed(_ long: StaticString, _ short: StaticString? = nil) -> Bool {
      if name.byteCount == long.utf8CodeUnitCount, name.has(long) { return true }
      guard let short else { return false }
      return name.byteCount == 1 && name.has(short)
    }
    let value = field.slice(colon &+ 1, field.byteCount)
    if isNamed("call-id", "i") {
      if callID == nil { callID = Self.text(value) }
    } else if isNamed("from", "f") {
      if from == nil { from = Self.address(value) }
    } else if isNamed("to", "t") {
      if to == nil { to = Self.address(value) }
    } else if isNamed("cseq") {
      if status != nil, method.isEmpty, let text = Self.text(value) {
        method = text.split(separator: " ").dropFirst().first.map { String($0.prefix(32)) } ?? ""
      }
    } else if isNamed("user-agent") {
      userAgent = Self.text(value)
    } else if isNamed("server"), userAgent == nil {
      userAgent = Self.text(value)
    }
  }

  /// A value with its continued lines in one.
  private static func unfolded(_ value: borrowing RawSpan) -> [UInt8] {
    value.array.map { $0 == 0x0d || $0 == 0x0a || $0 == 0x09 ? 0x20 : $0 }
  }

  private static func text(_ value: borrowing RawSpan) -> String? {
    let bytes = unfolded(value)
    return CallLog.text(bytes.rawSpan.trimmed())
  }

  /// The URI in `"Bob" <sip:bob@example.com;user=phone>;tag=1`, without what follows a semicolon or question mark.
  private static func address(_ value: borrowing RawSpan) -> String? {
    let bytes = unfolded(value)
    return address(in: bytes.rawSpan, mindsQuotes: true) ?? address(in: bytes.rawSpan, mindsQuotes: false)
  }

  /// - Returns: nil where there is none, or a quote has no end.
  private static func address(in all: borrowing RawSpan, mindsQuotes: Bool) -> String? {
    var start = 0
    var at = 0
    var isQuoted = false
    var end = all.byteCount
    while at < all.byteCount {
      switch all.u8(at) {
      case 0x5c where isQuoted: at &+= 1
      case 0x22 where mindsQuotes: isQuoted.toggle()
      case 0x3c where !isQuoted: start = at &+ 1
      case 0x3e where !isQuoted && start > 0: end = min(end, at)
      // Without angle brackets, parameters are the field's own (RFC 3261, section 20).
      case 0x3b where !isQuoted, 0x3f where !isQuoted && start > 0: end = min(end, max(at, start))
      default: break
      }
      if end < all.byteCount { break }
      at &+= 1
    }
    return isQuoted ? nil : CallLog.text(all.slice(start, end &- start).trimmed())
  }

  private static func firstLine(of bytes: borrowing RawSpan) -> Int {
    var at = 0
    while at < min(bytes.byteCount, 8), bytes.u8(at) == 0x0d || bytes.u8(at) == 0x0a { at &+= 1 }
    return at
  }

  @_lifetime(copy bytes)
  private static func startLine(_ bytes: RawSpan, from start: Int) -> RawSpan {
    let line = bytes.slice(start, maximumLineLength)
    return line.slice(0, line.firstIndex(of: 0x0a) ?? line.byteCount)
  }

  /// The characters of a token (RFC 3261, section 25.1).
  private static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    case 0x2d, 0x2e, 0x21, 0x25, 0x2a, 0x5f, 0x2b, 0x60, 0x27, 0x7e: true
    default: false
    }
  }
}
