import Bytes

// The handshake of Threema's chat server protocol over TCP, ports 5222 and 443 (threema-ch libthreema,
// csp/handshake_messages.rs; ntop/nDPI, threema.c):
//
//   client   temporary public key (32)  cookie (16)                  48 bytes
//   server   cookie (16)  box of its answer (64)                     80 bytes
//   client   login box (144)  extensions                             191 bytes in the phones' apps
//   server   login answer (32)
//   then     length (2, little-endian)  box                          a frame each

/// The lengths of Threema's handshake; all its bytes are ciphertext, so nothing but lengths can be seen.
struct ThreemaHandshake {
  /// The lengths that are fixed.
  static let clientHelloLength = 48, serverHelloLength = 80, loginLength = 144, loginAnswerLength = 32
  /// The longest login with its extensions that counts.
  static let longestLogin = 1024

  private enum Step: UInt8 { case clientHello, serverHello, login, loginAnswer, frames, over }
  private var step = Step.clientHello

  /// Takes a chunk of the stream as it came; `nil` once the lengths have said no.
  mutating func consume(_ chunk: borrowing RawSpan, from side: FlowSide) -> MessengerSignature.Strength? {
    let count = chunk.byteCount
    let isClient = side == .client
    switch step {
    case .clientHello where isClient && count == Self.clientHelloLength: step = .serverHello
    case .serverHello where !isClient && count == Self.serverHelloLength: step = .login
    case .login where isClient && (Self.loginLength...Self.longestLogin).contains(count): step = .loginAnswer
    case .loginAnswer where !isClient && count == Self.loginAnswerLength: step = .frames
    case .loginAnswer where !isClient && Self.isFrames(chunk, from: Self.loginAnswerLength),
      .frames where Self.isFrames(chunk, from: 0):
      step = .over
      return .sure
    default:
      step = .over
      return nil
    }
    return .weak
  }

  /// Whether everything from `start` on is whole frames, at least one; a box has a tag of 16 bytes.
  private static func isFrames(_ chunk: borrowing RawSpan, from start: Int) -> Bool {
    var at = start
    guard chunk.byteCount > start else { return false }
    while at < chunk.byteCount {
      guard chunk.holds(2, at: at) else { return false }
      let length = Int(chunk.u16(at).byteSwapped)
      guard length >= 20, chunk.holds(2 &+ length, at: at) else { return false }
      at &+= 2 &+ length
    }
    return true
  }
}

extension ApplicationProtocol {
  /// Threema's chat server protocol.
  public static let threema: ApplicationProtocol = "threema"
}
