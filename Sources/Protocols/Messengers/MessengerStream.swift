import Bytes

/// Both sides of an unknown TCP stream, by the lengths of what they say in turn: for protocols of which every byte is
/// ciphertext but for a length.
///
/// It holds a few numbers and no bytes, and takes chunks as they came, in order: a chunk is what one segment brought.
package struct MessengerStream {
  /// Chunks of whole frames in a row, of both sides together, that make a framing.
  static let proof = 4
  /// Chunks after which nothing more is looked for.
  static let maximumChunks = 24
  /// The most frames of one chunk that are followed.
  static let maximumFrames = 64

  /// A framing by a length in front.
  private enum Framing: Int, CaseIterable {
    /// WhatsApp: 3 bytes, big-endian, the frame behind them; the highest bit said in 2015 that it was enciphered.
    case whatsapp
    /// Viber: 2 bytes, little-endian, counted with the frame, then a counter.
    case viber
    /// KakaoTalk: 4 bytes, little-endian, the frame behind them.
    case kakaotalk
  }

  private let serverPort: UInt16
  private var threema: ThreemaHandshake? = ThreemaHandshake()
  private var chunks = 0
  private var runs = [3 of Int](repeating: 0)
  private var sides = [3 of UInt8](repeating: 0)
  private var counters = Sides<UInt32?>(nil)

  /// A stream to a server's port.
  package init(serverPort: UInt16) { self.serverPort = serverPort }

  /// Whether more chunks can show something.
  package var wantsMore: Bool { chunks < Self.maximumChunks }

  /// Takes the next chunk of a side.
  package mutating func consume(_ chunk: borrowing RawSpan, from side: FlowSide) -> MessengerSignature? {
    guard wantsMore, chunk.byteCount > 0 else { return nil }
    chunks &+= 1
    var found: MessengerSignature?
    if serverPort == 5222 || serverPort == 443, var handshake = threema {
      let strength = handshake.consume(chunk, from: side)
      threema = strength == nil ? nil : handshake
      // Two lengths are chance; the login makes it weak, a frame sure.
      if let strength, strength == .sure || chunks >= 3 {
        found = MessengerSignature(messenger: .threema, strength: strength)
      }
    }
    for framing in Framing.allCases where isPort(of: framing) {
      if let seen = follow(framing, chunk, from: side) { found = found?.strength == .sure ? found : seen }
    }
    return found
  }

  private func isPort(of framing: Framing) -> Bool {
    switch framing {
    case .whatsapp: serverPort == 443 || serverPort == 5222
    case .viber: serverPort == 4244 || serverPort == 5242
    case .kakaotalk:
      serverPort == 443 || serverPort == 995 || serverPort == 5223 || serverPort == 5228 || serverPort == 8080
        || serverPort == 9001
    }
  }

  private mutating func follow(
    _ framing: Framing, _ chunk: borrowing RawSpan, from side: FlowSide
  ) -> MessengerSignature? {
    let index = framing.rawValue
    guard isWhole(framing, chunk), framing != .viber || counts(chunk, side) else {
      runs[index] = 0
      sides[index] = 0
      return nil
    }
    runs[index] = min(runs[index] &+ 1, Self.proof)
    sides[index] |= side == .client ? 1 : 2
    guard runs[index] >= Self.proof, sides[index] == 3 else { return nil }
    return switch framing {
    case .whatsapp: .weak(.whatsapp)
    case .viber: .sure(.viber)
    case .kakaotalk: .weak(.kakaotalk)
    }
  }

  /// Whether frames fill the chunk.
  private func isWhole(_ framing: Framing, _ chunk: borrowing RawSpan) -> Bool {
    var at = 0
    for _ in 0..<Self.maximumFrames {
      guard chunk.holds(8, at: at) else { return false }
      let length: Int
      switch framing {
      case .whatsapp:
        // A tag of 16 bytes in today's frames, of 4 in those of 2015; zeros in front would be another length field.
        length = 3 &+ (Int(chunk.u8(at) & 0x7f) << 16 | Int(chunk.u16(at &+ 1)))
        guard length >= 3 &+ 16, chunk.u8(at) & 0x7f == 0 else { return false }
      case .viber:
        length = Int(chunk.u16(at).byteSwapped)
        guard length >= 8 else { return false }
      case .kakaotalk:
        length = Int(clamping: chunk.u32(at).byteSwapped &+ 4)
        guard length >= 4 &+ 18, length < 1 << 20 else { return false }
      }
      guard chunk.holds(length, at: at) else { return false }
      at &+= length
      if at == chunk.byteCount { return true }
    }
    return false
  }

  /// Whether Viber's counter goes up by one.
  private mutating func counts(_ chunk: borrowing RawSpan, _ side: FlowSide) -> Bool {
    guard let counter = ViberFrame.counter(chunk) else { return false }
    defer { counters[side] = counter }
    guard let before = counters[side] else { return true }
    return counter &- before <= 8
  }
}
