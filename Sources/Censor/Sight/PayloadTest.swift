import Bytes

// What boxes look for in a connection's first bytes without parsing them: Wu et al., USENIX Security 2023, section 4
// (fully encrypted traffic), and Bock et al., FOCI 2020 (Iran's protocol filter).

extension FirstPayload {
  /// The longest payload that is looked at: a full segment on most links.
  static let maximumLookedAt = 1_500

  /// What counting over a payload's bytes gives.
  init(_ payload: borrowing RawSpan, length: Int, at packet: Int, isDatagram: Bool) {
    at = packet
    self.length = length
    seen = min(payload.byteCount, Self.maximumLookedAt)
    var run = 0
    var isPrefix = true
    for index in 0..<seen {
      let byte = payload.u8(index)
      bits &+= byte.nonzeroBitCount
      if (0x20...0x7e).contains(byte) {
        printable &+= 1
        run &+= 1
        if run > printableRun { printableRun = run }
        if isPrefix { printablePrefix &+= 1 }
      } else {
        run = 0
        isPrefix = false
      }
    }
    beginning = Leaf.KnownBeginning(payload, isDatagram: isDatagram)
  }
}

extension Leaf.KnownBeginning {
  /// Methods with which an HTTP request begins (RFC 9110, section 9; PATCH of RFC 5789).
  private static let methods: [StaticString] = [
    "GET ", "POST ", "HEAD ", "PUT ", "DELETE ", "OPTIONS ", "CONNECT ", "TRACE ", "PATCH ",
  ]

  /// What the first bytes look like; nil for nothing known.
  init?(_ payload: borrowing RawSpan, isDatagram: Bool) {
    if payload.holds(3, at: 0), (0x16...0x17).contains(payload.u8(0)), payload.u8(1) == 3, payload.u8(2) <= 9 {
      self = .tls
    } else if Self.methods.contains(where: { payload.begins(with: $0) }) {
      self = .http
    } else if payload.begins(with: "SSH-") {
      self = .ssh
    } else if Self.isDNS(payload, isDatagram: isDatagram) {
      self = .dns
    } else {
      return nil
    }
  }

  /// A query's header: RFC 1035, section 4.1.1; over TCP with two bytes of length before it (section 4.2.2).
  private static func isDNS(_ payload: borrowing RawSpan, isDatagram: Bool) -> Bool {
    let start = isDatagram ? 0 : 2
    guard payload.holds(start + 12, at: 0) else { return false }
    if !isDatagram, Int(payload.u16(0)) + 2 < payload.byteCount { return false }
    // An opcode of 0, one question, no answers.
    return payload.u16(start + 2) & 0xf80f == 0 && payload.u16(start + 4) == 1 && payload.u16(start + 6) == 0
  }
}

extension RawSpan {
  fileprivate func begins(with text: StaticString) -> Bool {
    guard holds(text.utf8CodeUnitCount, at: 0) else { return false }
    // Safe: the buffer of a static string lives as long as the program, and is read inside the call only.
    return text.withUTF8Buffer { letters in
      for index in letters.indices where unsafe letters[index] != u8(index) { return false }
      return true
    }
  }
}

extension FullyEncryptedTest {
  /// Whether a first payload meets none of the exemptions.
  public func flags(_ payload: FirstPayload) -> Bool {
    guard payload.seen > 0 else { return false }
    let popcount = Double(payload.bits) / Double(payload.seen)
    if popcount <= lowPopcount || popcount >= highPopcount { return false }
    if payload.printablePrefix >= printablePrefix { return false }
    if Double(payload.printable) > printableFraction * Double(payload.seen) { return false }
    if payload.printableRun > printableRun { return false }
    return payload.beginning.map { !allowed.contains($0) } ?? true
  }
}
