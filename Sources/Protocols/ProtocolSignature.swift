import Bytes

/// What the first bytes of a side show.
enum ProtocolSignature: Equatable {
  /// TLS records.
  case tls
  /// A hello in the format of SSL 2.0.
  case ssl2
  /// HTTP/1.
  case http
  /// DNS over TCP.
  case dns
  /// A protocol that TLS may follow.
  case startTLS(ApplicationProtocol, StartTLSConversation.Framing)
  /// OpenVPN's control channel.
  case openVPN(OpenVPNProtection)
  /// Call signalling.
  case signalling(SignallingKind)
  /// STUN and what it leads to, in frames.
  case frames
  /// A protocol of which nothing more is read.
  case named(ApplicationProtocol)
}

/// Whether first bytes are a protocol's.
enum Recognition: Equatable {
  case mine(ProtocolSignature)
  /// They may become one.
  case needMore
  case notMine
}

extension ProtocolSignature {
  /// The most bytes that a decision takes: a greeting line, or an XML declaration and a stream element.
  static let maximumLength = 512

  /// What the first bytes of a side of a TCP stream show.
  static func recognize(_ bytes: borrowing RawSpan, port: UInt16, otherPort: UInt16) -> Recognition {
    guard bytes.byteCount > 0 else { return .needMore }
    func isPort(_ ports: UInt16...) -> Bool { ports.contains(port) || ports.contains(otherPort) }
    if isPort(53), case let answer = dns(bytes), answer != .notMine { return answer }
    if case let answer = openVPN(bytes), answer != .notMine { return answer }
    let first = bytes.u8(0)
    switch first {
    case 20...24: return tls(bytes)
    case 0x00: return binaryZero(bytes)
    case 0x03: return rdp(bytes)
    case 0x10: return mqtt(bytes)
    case 0x13: return literal(bytes, "\u{13}bittorrent protocol", .named(.bittorrent))
    case 0x30: return ldap(bytes)
    case 0x80...0xff: return ssl2(bytes)
    case 0x20...0x7e, 0x0d, 0x0a, 0x09:
      let text = text(bytes, isPort)
      return text == .notMine ? mySQL(bytes) : text
    default: return mySQL(bytes)
    }
  }

  /// Whether the bytes that begin a later chunk are the first of a TLS record.
  static func recognizeLater(_ bytes: borrowing RawSpan) -> Recognition {
    guard bytes.byteCount >= 6, case .mine = tls(bytes) else { return .notMine }
    return .mine(.tls)
  }

  private static func tls(_ bytes: borrowing RawSpan) -> Recognition {
    guard TLSRecordHeader.canBegin(bytes) else { return bytes.u8(0) == 0x16 ? mySQL(bytes) : .notMine }
    return bytes.byteCount >= TLSRecordHeader.byteCount ? .mine(.tls) : .needMore
  }

  private static func ssl2(_ bytes: borrowing RawSpan) -> Recognition {
    var reader = ByteReader(copy bytes)
    do throws(ParseError) {
      _ = try SSL2ClientHello(parsing: &reader)
      return .mine(.ssl2)
    } catch .truncated {
      let isPossible = (bytes.byteCount < 3 || bytes.u8(2) == 1) && (bytes.byteCount < 4 || bytes.u8(3) & 0xfc == 0)
      return isPossible ? .needMore : mySQL(bytes)
    } catch {
      return mySQL(bytes)
    }
  }

  /// A two-byte length, then a header whose counts and operation can be.
  private static func dns(_ bytes: borrowing RawSpan) -> Recognition {
    guard bytes.byteCount >= 2 + DNSMessage.headerLength else { return .needMore }
    let flags = bytes.u16(4)
    let isHeader = Int(bytes.u16(0)) >= DNSMessage.headerLength && flags & 0x0040 == 0 && flags >> 11 & 15 <= 6
    return isHeader && bytes.u16(6) <= 32 ? .mine(.dns) : .notMine
  }

  /// A length of at most `OpenVPNConversation.maximumPacketLength`, then a reset.
  private static func openVPN(_ bytes: borrowing RawSpan) -> Recognition {
    guard bytes.byteCount >= 3, bytes.u8(0) < 0x10 else { return .notMine }
    switch OpenVPNOpcode(rawValue: bytes.u8(2) >> 3) {
    case .hardResetClient, .hardResetServer, .hardResetClientV3: break
    default: return .notMine
    }
    let length = Int(bytes.u16(0))
    guard bytes.u8(2) & 7 == 0, length >= 14 else { return .notMine }
    guard bytes.byteCount >= 2 &+ min(length, OpenVPNPacket.longestReset) else { return .needMore }
    return OpenVPNPacket.protection(ofReset: bytes.slice(2, length), length: length).map { .mine(.openVPN($0)) }
      ?? .notMine
  }

  /// PostgreSQL's length-prefixed first packet, or SMB's session header.
  private static func binaryZero(_ bytes: borrowing RawSpan) -> Recognition {
    guard bytes.byteCount >= 8 else { return .needMore }
    if bytes.u8(5) == 0x53, bytes.u8(6) == 0x4d, bytes.u8(7) == 0x42, bytes.u8(4) >= 0xfc { return .mine(.named(.smb)) }
    let isRequest = bytes.u32(0) == 8 && (bytes.u32(4) == 0x04d2_162f || bytes.u32(4) == 0x04d2_1630)
    let isStartup = (9...10_000).contains(bytes.u32(0)) && bytes.u32(4) == 0x0003_0000
    if isRequest { return .mine(.startTLS(.postgresql, .postgreSQL)) }
    return isStartup ? .mine(.named(.postgresql)) : .notMine
  }

  /// TPKT (RFC 1006) with an X.224 connection request or confirm.
  private static func rdp(_ bytes: borrowing RawSpan) -> Recognition {
    guard bytes.byteCount >= 6 else { return bytes.byteCount < 2 || bytes.u8(1) == 0 ? .needMore : .notMine }
    let length = Int(bytes.u16(2))
    let isConnection = bytes.u8(5) == 0xe0 || bytes.u8(5) == 0xd0
    let fits = length >= 11 && length <= 512 && Int(bytes.u8(4)) == length &- 5
    return bytes.u8(1) == 0 && isConnection && fits ? .mine(.startTLS(.rdp, .tpkt)) : mySQL(bytes)
  }

  /// MQTT's CONNECT with the protocol's name.
  private static func mqtt(_ bytes: borrowing RawSpan) -> Recognition {
    for offset in 2...5 where bytes.has("mqtt", at: offset &+ 2) && bytes.u16(offset) == 4 {
      return .mine(.named(.mqtt))
    }
    for offset in 2...5 where bytes.has("mqisdp", at: offset &+ 2) { return .mine(.named(.mqtt)) }
    return bytes.byteCount < 13 ? .needMore : mySQL(bytes)
  }

  /// An LDAPMessage: SEQUENCE, messageID, a protocolOp (RFC 4511, section 4.1.1).
  private static func ldap(_ bytes: borrowing RawSpan) -> Recognition {
    guard bytes.byteCount >= 2 else { return .needMore }
    let form = Int(bytes.u8(1))
    let content = form < 0x80 ? 2 : 2 &+ form & 0x7f
    guard content <= 6 else { return mySQL(bytes) }
    guard bytes.byteCount >= content &+ 2 else { return .needMore }
    let idLength = Int(bytes.u8(content &+ 1))
    guard bytes.u8(content) == 2, (1...4).contains(idLength) else { return mySQL(bytes) }
    guard bytes.byteCount > content &+ 2 &+ idLength else { return .needMore }
    let operation = bytes.u8(content &+ 2 &+ idLength)
    let isOperation = (0x60...0x79).contains(operation) || operation == 0x42 || operation == 0x4a
    return isOperation ? .mine(.startTLS(.ldap, .ber)) : .notMine
  }

  /// MySQL's greeting: length (3, little-endian), sequence 0, protocol 10, a version that begins with a digit.
  private static func mySQL(_ bytes: borrowing RawSpan) -> Recognition {
    let count = bytes.byteCount
    if count >= 2, bytes.u8(1) != 0 || bytes.u8(0) < 40 { return .notMine }
    if count >= 4, bytes.u8(2) != 0 || bytes.u8(3) != 0 { return .notMine }
    if count >= 5, bytes.u8(4) != 10 { return .notMine }
    if count >= 6 { return (0x30...0x39).contains(bytes.u8(5)) ? .mine(.startTLS(.mysql, .mySQL)) : .notMine }
    return .needMore
  }

  private static func literal(
    _ bytes: borrowing RawSpan, _ text: StaticString, _ signature: ProtocolSignature
  ) -> Recognition {
    if bytes.has(text) { return .mine(signature) }
    return isPrefix(bytes, of: text) ? .needMore : .notMine
  }

  /// Whether `bytes` are the beginning of `text`, in any case, and end before it does.
  static func isPrefix(_ bytes: borrowing RawSpan, of text: StaticString) -> Bool {
    guard bytes.byteCount < text.utf8CodeUnitCount else { return false }
    // Safe: the pointer covers exactly the literal's code units, which live as long as the program.
    let wanted = unsafe UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    for i in 0..<bytes.byteCount {
      let byte = bytes.u8(i)
      let lower = (0x41...0x5a).contains(byte) ? byte | 0x20 : byte
      if unsafe wanted[i] != lower { return false }
    }
    return true
  }
}
