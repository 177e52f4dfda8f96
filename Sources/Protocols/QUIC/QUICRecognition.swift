import Bytes

extension QUICConversation {
  /// Whether a datagram of a flow that nothing is known of may belong to a QUIC connection: exact enough to be tried
  /// on all of UDP.
  ///
  /// The version's four bytes are compared with a table, and every length must fit. A version kept for GREASE, and
  /// version negotiation, say less by themselves: they must look like a client's first packet and its answer.
  /// - Parameters:
  ///   - datagram: what UDP carried.
  ///   - isCut: whether the capture holds less than that.
  /// - Returns: whether it may.
  static func canBegin(_ datagram: borrowing RawSpan, isCut: Bool = false) -> Bool {
    guard datagram.byteCount >= 16 else { return false }
    let first = datagram.u8(0)
    guard first & 0x80 != 0 else { return GooglePublicHeader(parsing: datagram) != nil }
    guard let packet = try? QUICPacket(parsing: datagram, isCut: isCut) else { return false }
    if packet.kind == .versionNegotiation {
      // The client's own first choice comes back as the source.
      guard packet.source.count >= QUICConnectionID.shortestInitial, !isCut else { return false }
      return isNegotiation(datagram.slice(packet.body, packet.end &- packet.body))
    }
    guard first & 0x40 != 0 else { return false }
    if packet.version.isGrease {
      return packet.kind == .initial && packet.destination.count >= QUICConnectionID.shortestInitial
        && (isCut || datagram.byteCount >= smallestFirstDatagram)
    }
    return true
  }

  /// Bytes that a client's first datagram has at least (RFC 9000, section 14.1).
  static let smallestFirstDatagram = 1200

  private static func isNegotiation(_ versions: borrowing RawSpan) -> Bool {
    guard versions.byteCount <= 4 &* maximumVersionsOffered else { return false }
    for i in 0..<versions.byteCount / 4 {
      let version = QUICVersion(rawValue: versions.u32(4 &* i))
      if version != .negotiation, !version.isGrease, version.layout != nil { return true }
    }
    return false
  }
}
