import Bytes

// The first datagrams of a Webex meeting on UDP port 9000, seen in one public capture (ntop/nDPI, webex.pcap) and
// documented nowhere; the port is Cisco's:
//
//   client   01 00 00 00 00 00 00 01
//   server   02 00 00 00 ?? ?? ?? 01

/// A probe of a Webex client, or its answer: never more than a weak sign.
enum WebexProbe {
  /// Whether a datagram is one.
  static func recognize(_ datagram: borrowing RawSpan, serverPort: UInt16) -> Bool {
    guard serverPort == 9000, datagram.byteCount == 8, datagram.u8(7) == 1 else { return false }
    return datagram.u64(0) == 0x0100_0000_0000_0001 || datagram.u32(0) == 0x0200_0000
  }
}

extension ApplicationProtocol {
  /// Webex's own media protocol.
  public static let webex: ApplicationProtocol = "webex"
}
