import Bytes

extension ProtocolSignature {
  private static let methods: [StaticString] = [
    "get ", "post ", "put ", "head ", "delete ", "options ", "patch ", "connect ", "trace ", "propfind ", "proppatch ",
    "report ", "search ", "mkcol ", "copy ", "move ", "lock ", "unlock ", "notify ", "subscribe ", "m-search ",
  ]
  private static let sipMethods: [StaticString] = [
    "invite sip", "register sip", "ack sip", "bye sip", "cancel sip", "options sip", "subscribe sip", "notify sip",
    "message sip", "publish sip", "refer sip", "sip/2.0 ",
  ]
  private static let rtspMethods: [StaticString] = [
    "describe rtsp", "setup rtsp", "options rtsp", "play rtsp", "announce rtsp", "rtsp/1.0 ",
  ]

  /// Protocols of text, by what they cannot do without.
  static func text(_ bytes: borrowing RawSpan, _ isPort: (UInt16...) -> Bool) -> Recognition {
    var mayGrow = false
    func match(_ texts: [StaticString]) -> Bool {
      for text in texts {
        if bytes.has(text) { return true }
        if isPrefix(bytes, of: text) { mayGrow = true }
      }
      return false
    }
    if match(sipMethods) { return .mine(.named(.sip)) }
    if match(rtspMethods) { return .mine(.named(.rtsp)) }
    if match(["pri * http/2.0"]) { return .mine(.named(.http2)) }
    if match(["http/1."]) { return .mine(.http) }
    if match(["ssh-1.", "ssh-2."]) { return .mine(.named(.ssh)) }
    if match(["* ok", "* preauth"]) { return .mine(.startTLS(.imap, .lines)) }
    if match(["+ok"]) { return .mine(.startTLS(.pop3, .lines)) }
    if match(["ehlo ", "helo ", "lhlo "]) { return .mine(.startTLS(.smtp, .lines)) }
    if match(["auth tls", "auth ssl"]) { return .mine(.startTLS(.ftp, .lines)) }
    if match(["nick ", "cap ls", "cap req", "notice auth ", ":irc."]) { return .mine(.startTLS(.irc, .lines)) }
    if match(["proxy tcp4 ", "proxy tcp6 ", "proxy unknown"]) { return .mine(.startTLS(.proxy, .lines)) }
    if match(methods) { return httpRequest(bytes) }
    if match(["220 ", "220-"]) { return greeting(bytes, isPort) }
    if match(["user ", "pass ", "capa\r"]) { return login(bytes, isPort) }
    if match(["<"]) { return xmpp(bytes) }
    if mayGrow { return .needMore }
    return tagged(bytes)
  }

  /// A method is followed by a path, an asterisk, an absolute URI or, with CONNECT, an authority.
  private static func httpRequest(_ bytes: borrowing RawSpan) -> Recognition {
    guard let space = bytes.firstIndex(of: 0x20) else { return .needMore }
    let target = bytes.slice(space &+ 1, bytes.byteCount)
    guard target.byteCount > 0 else { return .needMore }
    if target.u8(0) == 0x2f || target.u8(0) == 0x2a { return .mine(.http) }
    for scheme: StaticString in ["http://", "https://", "ws://"] {
      if target.has(scheme) { return .mine(.http) }
      if isPrefix(target, of: scheme) { return .needMore }
    }
    for other: StaticString in ["sip:", "sips:", "rtsp:"] where isPrefix(target, of: other) { return .needMore }
    return bytes.has("connect ") ? .mine(.http) : .notMine
  }

  /// "220" greets in SMTP and FTP: what the line says, else the port, decides.
  private static func greeting(_ bytes: borrowing RawSpan, _ isPort: (UInt16...) -> Bool) -> Recognition {
    if bytes.contains("smtp") { return .mine(.startTLS(.smtp, .lines)) }
    if bytes.contains("ftp") { return .mine(.startTLS(.ftp, .lines)) }
    guard bytes.firstIndex(of: 0x0a) != nil else { return .needMore }
    if isPort(25, 465, 587, 2525) { return .mine(.startTLS(.smtp, .lines)) }
    if isPort(21) { return .mine(.startTLS(.ftp, .lines)) }
    return .needMore
  }

  /// USER and PASS are said in FTP, POP3 and IRC.
  private static func login(_ bytes: borrowing RawSpan, _ isPort: (UInt16...) -> Bool) -> Recognition {
    if isPort(21) { return .mine(.startTLS(.ftp, .lines)) }
    if isPort(110) { return .mine(.startTLS(.pop3, .lines)) }
    if isPort(6660, 6661, 6662, 6663, 6664, 6665, 6666, 6667, 6668, 6669, 7000) {
      return .mine(.startTLS(.irc, .lines))
    }
    return .needMore
  }

  /// A stream element, after an XML declaration or not (RFC 6120, section 4.2), or, in a stream that was joined in the
  /// middle, a stanza (section 8) or the end of the stream (section 4.4).
  private static func xmpp(_ bytes: borrowing RawSpan) -> Recognition {
    if bytes.contains("<stream:stream") || bytes.contains("jabber:") { return .mine(.startTLS(.xmpp, .elements)) }
    if bytes.has("</stream:stream>") { return .mine(.startTLS(.xmpp, .elements)) }
    if isPrefix(bytes, of: "</stream:stream>") { return .needMore }
    for name: StaticString in ["<iq", "<message", "<presence"] {
      if isPrefix(bytes, of: name) { return .needMore }
      if bytes.has(name) { return stanza(bytes, after: name.utf8CodeUnitCount) }
    }
    if bytes.has("<?xml") || isPrefix(bytes, of: "<?xml") || isPrefix(bytes, of: "<stream:stream") { return .needMore }
    return .notMine
  }

  /// What follows a stanza's name: an attribute that stanzas have (RFC 6120, section 8.1), or of a presence nothing.
  /// Other XML has messages too, but names their parts otherwise.
  private static func stanza(_ bytes: borrowing RawSpan, after name: Int) -> Recognition {
    guard bytes.byteCount > name else { return .needMore }
    let isPresence = name == 9
    let tail = bytes.slice(name, bytes.byteCount)
    if isPresence {
      if tail.has("/>") || tail.has(">") { return .mine(.startTLS(.xmpp, .elements)) }
      if isPrefix(tail, of: "/>") { return .needMore }
    }
    guard tail.u8(0) == 0x20 else { return .notMine }
    let rest = tail.slice(1, tail.byteCount)
    for attribute: StaticString in ["to=", "from=", "id=", "type=", "xml:lang="] {
      if rest.has(attribute) { return .mine(.startTLS(.xmpp, .elements)) }
      if isPrefix(rest, of: attribute) { return .needMore }
    }
    return .notMine
  }

  /// IMAP's client begins each line with a tag of its own.
  private static func tagged(_ bytes: borrowing RawSpan) -> Recognition {
    guard let space = bytes.firstIndex(of: 0x20) else { return bytes.byteCount <= 16 ? .needMore : .notMine }
    guard (1...16).contains(space) else { return .notMine }
    for i in 0..<space {
      switch bytes.u8(i) {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2e: break
      default: return .notMine
      }
    }
    let command = bytes.slice(space &+ 1, bytes.byteCount)
    let commands: [StaticString] = ["capability\r", "starttls\r", "login ", "authenticate ", "id (", "id nil"]
    for text in commands {
      if command.has(text) { return .mine(.startTLS(.imap, .lines)) }
      if isPrefix(command, of: text) { return .needMore }
    }
    return .notMine
  }
}
