import Bytes

//  RFC 3525, section 7.1 and annexes A (binary) and B (text)
//
//    MEGACO/1 [123.123.123.4]:55555                !/1 [124.124.124.222]:55555 P=50003{
//    Transaction = 50003 {                          C=5000{A=A5555{...}}}
//      Context = 5000 { Add = A5555 { Media { Local { v=0 ... } } } } }
//
//    30 len [A0 len authentication]  A1 len  80 01 version  A1|A2 len  ...

/// Both sides of MEGACO (H.248), text or binary.
struct MEGACOConversation {
  /// The ports of its text and its binary form.
  static let ports: [UInt16] = [2944, 2945]
  /// The longest text that is searched for commands.
  private static let maximumTextLength = 1 << 14
  /// Commands of RFC 3525, section 7.2, long and short, in lower case.
  private static let commands: [(text: StaticString, short: StaticString, name: String)] = [
    ("add", "a", "Add"), ("modify", "mf", "Modify"), ("subtract", "s", "Subtract"), ("move", "mv", "Move"),
    ("auditvalue", "av", "AuditValue"), ("auditcapability", "ac", "AuditCapability"), ("notify", "n", "Notify"),
    ("servicechange", "sc", "ServiceChange"),
  ]

  /// What was read.
  private(set) var log = CallLog()
  private var frames = Sides(TPKTFrames())

  /// Bytes that are kept.
  var bufferedBytes: Int { frames.client.bufferedBytes + frames.server.bufferedBytes }
  /// Whether nothing more can be read of a stream.
  var isDone: Bool { frames.client.isBroken && frames.server.isBroken }

  /// Whether a message begins here. Allocates nothing.
  static func canBegin(_ bytes: borrowing RawSpan) -> Bool { isText(bytes) || isBinary(bytes) }

  /// Whether first bytes of a stream are a TPKT packet with a message (annex D.2); nil while they may become it.
  static func canBeginStream(_ bytes: borrowing RawSpan) -> Bool? {
    let wanted = TPKTFrames.headerLength &+ 11
    guard bytes.byteCount >= wanted else {
      let isPossible =
        bytes.byteCount < 5 || bytes.u8(0) == 3 && [0x21, 0x41, 0x4d, 0x61, 0x6d, 0x30].contains(bytes.u8(4))
      return isPossible && (bytes.byteCount == 0 || bytes.u8(0) == 3) ? nil : false
    }
    guard TPKTFrames.isHeader(bytes, at: 0) else { return false }
    let length = Int(bytes.u16(2)) &- TPKTFrames.headerLength
    let body = bytes.slice(TPKTFrames.headerLength, length)
    if isText(body) { return true }
    // A binary message is only known when it is whole.
    return body.u8(0) == 0x30
      ? body.byteCount < length && length <= TPKTFrames.maximumLength ? nil : isBinary(body) : false
  }

  /// Takes the next bytes of a stream.
  mutating func consume(stream bytes: borrowing RawSpan, from side: FlowSide) {
    var mine = frames[side]
    frames[side] = TPKTFrames()
    mine.consume(bytes) { _ = consume($0, from: side) }
    frames[side] = mine
  }

  /// Bytes of a side are lost.
  mutating func skipGap(from side: FlowSide) { frames[side].skipGap() }

  /// A version and the sender's address; an authentication may stand before them (annex B.2).
  private static func isText(_ bytes: borrowing RawSpan) -> Bool {
    if isHeader(bytes, at: 0) { return true }
    guard bytes.has("authentication") || bytes.has("au=") || bytes.has("au ") else { return false }
    var at = 0
    while at < min(bytes.byteCount, 256) {
      if isHeader(bytes, at: at) { return true }
      at &+= 1
    }
    return false
  }

  private static func isHeader(_ bytes: borrowing RawSpan, at offset: Int) -> Bool {
    let start = offset &+ (bytes.has("megaco/", at: offset) ? 7 : bytes.has("!/", at: offset) ? 2 : 0)
    guard start > offset, bytes.holds(3, at: start) else { return false }
    // One or two digits of a version, a separator, and "[address]", "<domain>", a name or "MTP{".
    guard (0x31...0x39).contains(bytes.u8(start)) else { return false }
    let separator = bytes.u8(start &+ 1)
    return separator <= 0x20 || (0x30...0x39).contains(separator) && bytes.u8(start &+ 2) <= 0x20
  }

  /// A SEQUENCE that fills the datagram, with an optional authentication and a message of a version.
  private static func isBinary(_ bytes: borrowing RawSpan) -> Bool {
    guard let whole = element(bytes, at: 0, tag: 0x30), whole.end == bytes.byteCount else { return false }
    var at = whole.start
    if let authentication = element(bytes, at: at, tag: 0xa0) { at = authentication.end }
    guard let message = element(bytes, at: at, tag: 0xa1), message.end == whole.end,
      let version = element(bytes, at: message.start, tag: 0x80), version.end == version.start &+ 1
    else { return false }
    return (1...3).contains(bytes.u8(version.start)) && element(bytes, at: version.end, tag: 0xa1) != nil
  }

  /// A BER element of `tag` with a definite length that lies whole in `bytes` (X.690, section 8.1).
  private static func element(_ bytes: borrowing RawSpan, at offset: Int, tag: UInt8) -> (start: Int, end: Int)? {
    guard bytes.holds(2, at: offset), bytes.u8(offset) == tag else { return nil }
    let form = Int(bytes.u8(offset &+ 1))
    var start = offset &+ 2
    var length = form
    if form >= 0x80 {
      guard (0x81...0x83).contains(form), bytes.holds(form &- 0x80, at: start) else { return nil }
      length = 0
      for _ in 0..<form &- 0x80 {
        length = length << 8 | Int(bytes.u8(start))
        start &+= 1
      }
    }
    return bytes.holds(length, at: start) ? (start, start &+ length) : nil
  }

  /// Announcements since the last call.
  mutating func takeAnnouncements() -> [AnnouncedEndpoint] { log.takeAnnouncements() }

  /// Takes a message.
  mutating func consume(_ message: borrowing RawSpan, from side: FlowSide) -> DatagramReading {
    guard Self.isText(message) else { return Self.isBinary(message) ? .mine : .broken }
    readCommands(message.slice(0, Self.maximumTextLength))
    return .mine
  }

  /// Names before "=", and the descriptions of Local and Remote, which end at the brace that no line of theirs has.
  private mutating func readCommands(_ text: borrowing RawSpan) {
    var at = 0
    while at < text.byteCount {
      let byte = text.u8(at)
      if text.has("v=0", at: at), at == 0 || text.u8(at &- 1) <= 0x20 || text.u8(at &- 1) == 0x7b {
        let end = text.firstIndex(of: 0x7d, from: at) ?? text.byteCount
        if let description = SessionDescription(in: text.slice(at, end &- at)) { log.note(description) }
        at = end
        continue
      }
      guard Self.isLetter(byte), at == 0 || !Self.isLetter(text.u8(at &- 1)) else {
        at &+= 1
        continue
      }
      let start = at
      while at < text.byteCount, Self.isLetter(text.u8(at)) { at &+= 1 }
      let name = text.slice(start, at &- start)
      while at < text.byteCount, text.u8(at) == 0x20 || text.u8(at) == 0x09 { at &+= 1 }
      guard at < text.byteCount, text.u8(at) == 0x3d else { continue }
      for command in Self.commands where Self.isWhole(name, command.text) || Self.isWhole(name, command.short) {
        log.note(method: command.name)
      }
    }
  }

  private static func isWhole(_ name: borrowing RawSpan, _ text: StaticString) -> Bool {
    name.byteCount == text.utf8CodeUnitCount && name.has(text)
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte & 0xdf) }
}
