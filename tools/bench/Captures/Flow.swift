/// What a flow carries.
enum Kind: String, CaseIterable {
  case dns = "DNS"
  case tls13 = "TLS 1.3"
  case tls12 = "TLS 1.2"
  case quic = "QUIC"
  case http = "HTTP/1"
  case datagrams = "other UDP"
  case connectionAttempt = "SYN only"
  case middle = "seen from the middle"
  case call = "DTLS-SRTP calls"
  case signalling = "SIP"
  case media = "RTP of SIP calls"
  case courier = "courier"

  var isTCP: Bool {
    switch self {
    case .tls13, .tls12, .http, .connectionAttempt, .middle, .courier: true
    default: false
    }
  }
}

/// How a connection ends in the capture.
enum Ending: UInt8 {
  case open
  case closed
  case reset

  /// Packets of it.
  var packets: Int { self == .open ? 0 : self == .closed ? 3 : 1 }
}

/// A flow as a small state machine: the packet that is due, and when.
///
/// Its packets do not depend on other flows': it has random numbers of its own.
struct Flow {
  let kind: Kind
  var path: Path
  /// Nanoseconds from the capture's begin to the next packet.
  var due: UInt64
  var random: Random
  /// Of the random numbers that are drawn again for each piece of a message.
  let seed: UInt64
  /// Milliseconds from a packet to its answer.
  var roundTrip: Double
  var step = 0
  /// Packets beside those that every flow of its kind has.
  var extra = 0
  var name: UInt16 = 0
  var stack: UInt8 = 0
  /// Packets that the client's hello takes.
  var hellos: UInt8 = 1
  /// Whether the second segment of the hello comes first.
  var isReordered = false
  /// Packets that the server's first flight takes.
  var flight: UInt8 = 1
  /// Whether the handshake is only its first messages.
  var isShort = false
  /// Packets of the media that a flow of SIP sets up.
  var mediaPackets = 0
  /// Whether a lookup asks for addresses of IPv6.
  var asksForIPv6 = false
  var isAnswered = true
  var ending = Ending.open
  /// Nanoseconds between packets where all flows are to be open at once, else 0.
  var pace: UInt64 = 0
  var clientSequence: UInt32
  var serverSequence: UInt32
  /// Bytes to come of the TLS record that the last segment of each side ended in.
  var leftUp: UInt32 = 0
  var leftDown: UInt32 = 0

  init(_ kind: Kind, _ path: Path, at due: UInt64, _ random: inout Random) {
    self.kind = kind
    self.path = path
    self.due = due
    seed = random.next()
    self.random = Random(seed: seed)
    roundTrip = 8 + random.exponential(mean: 30)
    clientSequence = UInt32(truncatingIfNeeded: random.next())
    serverSequence = UInt32(truncatingIfNeeded: random.next())
  }

  /// Packets that every flow of its kind and shape has.
  var fixedPackets: Int {
    switch kind {
    case .dns: isAnswered ? 2 : 1
    case .tls13, .tls12: handshakePackets + ending.packets
    case .courier: handshakePackets
    case .quic: Int(hellos) + 3 - (isShort ? Int(hellos) - 1 : 0)
    case .http: 5 + ending.packets
    case .datagrams: 2
    case .connectionAttempt: Int(flight)
    case .middle: 3
    case .call: 8
    case .signalling: 7
    case .media: 0
    }
  }

  var packets: Int { fixedPackets + extra }

  /// Writes the packet that is due, and says when the next one is.
  mutating func emit(_ wire: inout Wire) throws(Failure) {
    let pause =
      switch kind {
      case .dns: try dnsPacket(&wire)
      case .tls13, .tls12: try tlsPacket(&wire)
      case .courier: try courierPacket(&wire)
      case .quic: try quicPacket(&wire)
      case .http: try httpPacket(&wire)
      case .datagrams: try opaqueDatagram(&wire)
      case .connectionAttempt: try attemptPacket(&wire)
      case .middle: try streamPacket(&wire)
      case .call: try callPacket(&wire)
      case .signalling: try signallingPacket(&wire)
      case .media: try mediaPacket(&wire)
      }
    step += 1
    due += pace > 0 ? pace : UInt64(pause * 1e6)
  }

  /// Milliseconds to the next packet of a transfer: bursts, with a pause now and then; heavy flows pause less, so that
  /// they end in time.
  mutating func burstPause() -> Double {
    random.chance(percent: 6) ? random.exponential(mean: extra > 200 ? 20 : 500) : 0.02 + random.exponential(mean: 0.2)
  }
}
