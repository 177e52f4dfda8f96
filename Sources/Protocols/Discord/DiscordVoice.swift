import Bytes

// Discord's voice servers over UDP (docs.discord.com, Voice Connections, IP Discovery; ntop/nDPI, discord.c, for the
// keep-alive):
//
//   discovery    type (2): 1 request, 2 answer   length (2): 70   SSRC (4)   address (64, text)   port (2)
//   keep-alive   13 37 ca fe   counter (4, little-endian)
//
// Then RTP, first bytes 80 or 90 and 78 for voice, and RTCP, with nothing in front.

/// What shows that a flow goes to a voice server of Discord.
enum DiscordVoice {
  /// The length of a discovery packet, and of a keep-alive.
  static let discoveryLength = 74, keepAliveLength = 8

  /// Whether a datagram is a discovery packet or a keep-alive.
  static func recognize(_ datagram: borrowing RawSpan) -> Bool {
    switch datagram.byteCount {
    case discoveryLength:
      // A request has no address, an answer one in text.
      let isRequest = datagram.u32(0) == 0x0001_0046 && datagram.u8(8) == 0
      return isRequest || datagram.u32(0) == 0x0002_0046 && (0x30...0x66).contains(datagram.u8(8))
    case keepAliveLength: return datagram.u32(0) == 0x1337_cafe
    default: return false
    }
  }
}

extension ApplicationProtocol {
  /// Discord's voice servers.
  public static let discord: ApplicationProtocol = "discord"
}
