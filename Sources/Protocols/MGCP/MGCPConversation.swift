import Bytes

//  RFC 3435, section 3
//
//    CRCX 1204 aaln/1@rgw-2567.example.net MGCP 1.0       200 1204 OK
//    C: A3C47F21456789F0                                  I: FDE234C8
//    L: p:10, a:PCMU
//    M: recvonly                                          v=0 ...
//
//    v=0 ...
//
//  Several messages in a datagram are parted by a line with a single dot (section 3.5.5).

/// Both sides of MGCP.
struct MGCPConversation {
  /// The ports of gateways and of call agents.
  static let ports: [UInt16] = [2427, 2727]
  /// The longest line that begins a command.
  private static let maximumLineLength = 512
  /// The verbs of RFC 3435, section 2.3, and of RFC 3435's package for messages.
  private static let verbs: [StaticString] = [
    "epcf ", "crcx ", "mdcx ", "dlcx ", "rqnt ", "ntfy ", "auep ", "aucx ", "rsip ", "mesg ",
  ]

  /// What was read.
  private(set) var log = CallLog()

  /// Whether a datagram begins with a command, or, at one of MGCP's ports, with a response. Allocates nothing.
  static func canBegin(_ bytes: borrowing RawSpan, isPort: Bool) -> Bool {
    isCommand(bytes) || isPort && isResponse(bytes)
  }

  /// A verb, a transaction, an endpoint and a version.
  private static func isCommand(_ bytes: borrowing RawSpan) -> Bool {
    guard verbs.contains(where: { bytes.has($0) }) else { return false }
    let start = bytes.slice(0, maximumLineLength)
    let line = start.slice(0, start.firstIndex(of: 0x0a) ?? start.byteCount)
    return line.word(1).decimal != nil && line.word(3).has("mgcp")
  }

  /// Three digits and a transaction.
  private static func isResponse(_ bytes: borrowing RawSpan) -> Bool {
    let start = bytes.slice(0, maximumLineLength)
    let end = start.firstIndex(of: 0x0d) ?? start.firstIndex(of: 0x0a) ?? start.byteCount
    let line = start.slice(0, end)
    guard line.byteCount >= 5, line.u8(3) == 0x20, let status = line.slice(0, 3).decimal else { return false }
    return (status == 0 || (100..<1000).contains(status)) && line.word(1).decimal != nil
  }

  /// Announcements since the last call.
  mutating func takeAnnouncements() -> [AnnouncedEndpoint] { log.takeAnnouncements() }

  /// Takes a datagram.
  mutating func consume(_ datagram: borrowing RawSpan, from side: FlowSide) -> DatagramReading {
    guard Self.canBegin(datagram, isPort: true) else { return .broken }
    var lines = LineAssembler()
    var isFirst = true
    _ = lines.consume(datagram, from: 0) { line in
      if line.byteCount == 1, line.u8(0) == 0x2e {
        isFirst = true
      } else if isFirst {
        isFirst = false
        if Self.isCommand(line) { log.note(method: visibleText(line.slice(0, 4)).uppercased()) }
      } else if line.has("c:"), log.facts.callID == nil {
        let callID = CallLog.text(line.slice(2, line.byteCount).trimmed())
        log.change { $0.callID = callID }
      }
      return true
    }
    var offset = 0
    // A description in each of the messages.
    while let description = SessionDescription(in: datagram.slice(offset, datagram.byteCount)) {
      log.note(description)
      guard let next = Self.nextMessage(in: datagram, from: offset) else { break }
      offset = next
    }
    return .mine
  }

  private static func nextMessage(in bytes: borrowing RawSpan, from start: Int) -> Int? {
    var at = start
    while let end = bytes.firstIndex(of: 0x0a, from: at) {
      at = end &+ 1
      if bytes.has(".\r\n", at: at) || bytes.has(".\n", at: at) { return at &+ 2 }
    }
    return nil
  }
}
