import Bytes

// Mumble's UDP ping (mumble-voip/mumble, docs/dev/network-protocol, "UDP ping"), port 64738 unless set otherwise:
//
//   request   00 00 00 00   id (8)
//   answer    version (4): 00 major minor patch   id (8)   users (4)   most users (4)   most bits a second (4)
//
// Voice follows enciphered (OCB-AES128) on the same port; control is TLS over TCP with the server's own certificate.

/// A ping of Mumble, or its answer.
enum MumblePing {
  /// The lengths of a request and of an answer.
  static let requestLength = 12, answerLength = 24
  /// The usual port.
  static let port: UInt16 = 64_738

  /// Whether a datagram is a request.
  static func isRequest(_ datagram: borrowing RawSpan) -> Bool {
    datagram.byteCount == requestLength && datagram.u32(0) == 0 && datagram.u64(4) != 0
  }

  /// Whether a datagram is an answer.
  static func isAnswer(_ datagram: borrowing RawSpan) -> Bool {
    guard datagram.byteCount == answerLength, datagram.u16(0) == 1 || datagram.u16(0) == 2 else { return false }
    let most = datagram.u32(16)
    return most > 0 && most < 1 << 20 && datagram.u32(12) <= most && (8000...10_000_000).contains(datagram.u32(20))
  }

  /// What a datagram shows alone.
  static func recognize(_ datagram: borrowing RawSpan, serverPort: UInt16) -> MessengerSignature? {
    guard isRequest(datagram) || isAnswer(datagram) else { return nil }
    return serverPort == port && isAnswer(datagram) ? .sure(.mumble) : .weak(.mumble)
  }
}

/// An answer that repeats the request's id proves the protocol.
struct MumbleConversation {
  private(set) var strength = MessengerSignature.Strength.weak
  private var requests = Sides<UInt64?>(nil)

  mutating func consume(_ datagram: borrowing RawSpan, from side: FlowSide, serverPort: UInt16) -> DatagramReading {
    guard let signature = MumblePing.recognize(datagram, serverPort: serverPort) else { return .notMine }
    strength = max(strength, signature.strength)
    if MumblePing.isRequest(datagram) {
      requests[side] = datagram.u64(4)
    } else if requests[side.opposite] == datagram.u64(4) {
      strength = .sure
    }
    return .mine
  }
}

extension ApplicationProtocol {
  /// Mumble.
  public static let mumble: ApplicationProtocol = "mumble"
}
