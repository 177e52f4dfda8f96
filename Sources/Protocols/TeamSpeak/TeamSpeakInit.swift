import Bytes

// TeamSpeak 3 over UDP, port 9987 unless set otherwise (ReSpeak/tsdeclarations, ts3protocol.md, section 2.5): the packets
// of the handshake have a text in place of the MAC:
//
//   'T' 'S' '3' 'I' 'N' 'I' 'T' '1'   packet id (2): 101   [ client id (2): 0 ]   flags and type (1): 88   ...

/// A packet of TeamSpeak 3's handshake.
enum TeamSpeakInit {
  /// Whether a datagram is one.
  static func recognize(_ datagram: borrowing RawSpan) -> Bool {
    datagram.byteCount >= 12 && datagram.u64(0) == 0x5453_3349_4e49_5431 && datagram.u16(8) == 101
  }
}

extension ApplicationProtocol {
  /// TeamSpeak 3.
  public static let teamSpeak: ApplicationProtocol = "ts3"
}
